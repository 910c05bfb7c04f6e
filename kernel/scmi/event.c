// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventq: what the guest is told without having asked just now.
 *
 * A notification is a bit of a resource: events that follow each other before
 * there is a buffer become one, with what is so when it is sent. Delayed
 * responses are kept one by one, but no more are owed than VSCMI_DELAYED_MAX.
 */
#include <linux/bitfield.h>
#include <linux/slab.h>

#include "vhost_scmi.h"

/* Buffers used in one go before the other queue has a turn. */
#define VSCMI_EVENT_BUDGET	64

int vscmi_event_create(struct vscmi *vs)
{
	INIT_LIST_HEAD(&vs->delayed);
	vs->due = bitmap_zalloc(vs->num_views + 1, GFP_KERNEL);
	return vs->due ? 0 : -ENOMEM;
}

void vscmi_event_destroy(struct vscmi *vs)
{
	bitmap_free(vs->due);
}

/**
 * vscmi_event_raise - something happened to a resource
 * @view: as a guest has it
 * @event: which of the notifications of its kind tells of that
 * @asked: what was asked for, where that is what it tells of
 * @cause: the device whose guest caused it, or NULL
 *
 * Context: Any that does not interrupt, with host->lock held.
 */
void vscmi_event_raise(struct vscmi_view *view, unsigned int event, u64 asked,
		       const struct vscmi *cause)
{
	struct vscmi *vs = view->vs;

	lockdep_assert_held(&view->host->lock);
	if (!test_bit(event, &view->subscribed) || !READ_ONCE(vs->live))
		return;
	spin_lock(&vs->event_lock);
	if (__test_and_set_bit(event, &view->pending))
		devhost_count(vs->dev, VSCMI_NOTIFICATIONS_MERGED, 1);
	__assign_bit(event, &view->by_self, cause == vs);
	if (event)
		view->asked = asked;
	__set_bit(view->index, vs->due);
	spin_unlock(&vs->event_lock);
	devhost_raise(vs->dev, VSCMI_EVENT_NOTIFY);
}

/**
 * vscmi_event_error - the guest made a mistake
 * @vs: its device
 * @hdr: the command
 * @status: what it was answered
 *
 * Context: The worker.
 */
void vscmi_event_error(struct vscmi *vs, u32 hdr, s32 status)
{
	struct vscmi_platform *platform = &vs->platform;
	bool tell;

	if (status != SCMI_PROTOCOL_ERROR)
		return;
	spin_lock(&vs->event_lock);
	tell = platform->tell_errors;
	if (tell) {
		platform->errors++;
		platform->error = (u64)(u32)status << 32 |
				  (hdr & (SCMI_HDR_MESSAGE | SCMI_HDR_PROTOCOL));
	}
	spin_unlock(&vs->event_lock);
	if (tell)
		devhost_raise(vs->dev, VSCMI_EVENT_NOTIFY);
}

/**
 * vscmi_event_announce - tell the guest of a system power transition
 * @vs: its device
 * @state: SCMI's state
 * @flags: SCMI's flags
 * @timeout: milliseconds
 *
 * The latest one counts. It is kept for a driver that is not there yet.
 *
 * Context: Process context, not concurrently with start() and stop().
 */
void vscmi_event_announce(struct vscmi *vs, u32 state, u32 flags, u32 timeout)
{
	struct vscmi_platform *platform = &vs->platform;

	spin_lock(&vs->event_lock);
	platform->announced = true;
	platform->state = state;
	platform->flags = flags;
	platform->timeout = timeout;
	spin_unlock(&vs->event_lock);
	if (READ_ONCE(vs->live))
		devhost_raise(vs->dev, VSCMI_EVENT_NOTIFY);
}

/*
 * -ENOBUFS: no buffer, or enough for now; -EMSGSIZE: one that was too small,
 * and is used up.
 */
static int vscmi_event_send(struct vscmi *vs, u32 hdr, const u8 *payload,
			    size_t len)
{
	struct devhost_chain *chain;
	__le32 head = cpu_to_le32(hdr);

	if (!vs->budget) {
		devhost_raise(vs->dev, VSCMI_EVENT_NOTIFY);
		return -ENOBUFS;
	}
	vs->budget--;
	chain = devhost_vq_pop(devhost_vq(vs->dev, VIRTIO_SCMI_EVENTQ));
	if (!chain)
		return -ENOBUFS;
	if (devhost_chain_writable(chain) < sizeof(head) + len ||
	    devhost_chain_write(chain, &head, sizeof(head)) ||
	    devhost_chain_write(chain, payload, len)) {
		devhost_count(vs->dev, VSCMI_EVENTS_TOO_SMALL, 1);
		devhost_chain_reject(chain);
		return -EMSGSIZE;
	}
	devhost_chain_complete(chain);
	return 0;
}

static u32 vscmi_notification_hdr(u8 protocol, unsigned int message)
{
	return FIELD_PREP(SCMI_HDR_MESSAGE, message) |
	       FIELD_PREP(SCMI_HDR_TYPE, SCMI_TYPE_NOTIFICATION) |
	       FIELD_PREP(SCMI_HDR_PROTOCOL, protocol);
}

/* One that finds a small buffer is omitted. */
static int vscmi_notify(struct vscmi *vs, u8 protocol, unsigned int message,
			const u8 *payload, size_t len)
{
	int err = vscmi_event_send(vs, vscmi_notification_hdr(protocol, message),
				   payload, len);

	if (!err)
		devhost_count(vs->dev, VSCMI_NOTIFICATIONS, 1);
	return err == -ENOBUFS ? err : 0;
}

/* Delayed responses find their buffer, however many were too small. */
static int vscmi_deliver_delayed(struct vscmi *vs)
{
	struct vscmi_call *call, *next;

	list_for_each_entry_safe(call, next, &vs->delayed, list) {
		u32 hdr = (call->hdr & ~SCMI_HDR_TYPE) |
			  FIELD_PREP(SCMI_HDR_TYPE, SCMI_TYPE_DELAYED_RESPONSE);
		u8 payload[sizeof(__le32) + VSCMI_RET_MAX];
		size_t len = call->status ? 0 : call->len;
		int err;

		put_unaligned_le32(call->status, payload);
		memcpy(payload + sizeof(__le32), call->ret, len);
		do {
			err = vscmi_event_send(vs, hdr, payload,
					       sizeof(__le32) + len);
		} while (err == -EMSGSIZE);
		if (err)
			return err;
		devhost_count(vs->dev, VSCMI_DELAYED_RESPONSES, 1);
		list_del(&call->list);
		vs->num_delayed--;
		kfree(call);
	}
	return 0;
}

static int vscmi_deliver_error(struct vscmi *vs)
{
	u8 payload[16];
	u64 error;
	u32 num;
	int err;

	spin_lock(&vs->event_lock);
	num = vs->platform.tell_errors ? vs->platform.errors : 0;
	error = vs->platform.error;
	spin_unlock(&vs->event_lock);
	if (!num)
		return 0;
	put_unaligned_le32(VSCMI_AGENT_SELF, payload);
	/* One report, the last: not fatal. */
	put_unaligned_le32(1, payload + 4);
	put_unaligned_le64(error, payload + 8);
	err = vscmi_notify(vs, SCMI_PROTOCOL_BASE, SCMI_BASE_ERROR_EVENT,
			   payload, sizeof(payload));
	if (!err) {
		spin_lock(&vs->event_lock);
		vs->platform.errors = 0;
		spin_unlock(&vs->event_lock);
	}
	return err;
}

static int vscmi_deliver_system(struct vscmi *vs)
{
	struct vscmi_platform was;
	u8 payload[16];
	int err;

	spin_lock(&vs->event_lock);
	was = vs->platform;
	if (was.announced && was.tell_system)
		vs->platform.announced = false;
	spin_unlock(&vs->event_lock);
	if (!was.announced || !was.tell_system)
		return 0;
	put_unaligned_le32(VSCMI_AGENT_PLATFORM, payload);
	put_unaligned_le32(was.flags, payload + 4);
	put_unaligned_le32(was.state, payload + 8);
	put_unaligned_le32(was.timeout, payload + 12);
	err = vscmi_notify(vs, SCMI_PROTOCOL_SYSTEM, 0, payload, sizeof(payload));
	if (err) {
		spin_lock(&vs->event_lock);
		vs->platform.announced = true;
		spin_unlock(&vs->event_lock);
	}
	return err;
}

static const struct vscmi_proto *vscmi_proto_of(enum devhost_scmi_kind kind)
{
	static const struct vscmi_proto * const protos[__DEVHOST_SCMI_KINDS] = {
		[DEVHOST_SCMI_POWER] = &vscmi_power,
		[DEVHOST_SCMI_PERF] = &vscmi_perf,
		[DEVHOST_SCMI_CLOCK] = &vscmi_clock,
		[DEVHOST_SCMI_SENSOR] = &vscmi_sensor,
		[DEVHOST_SCMI_RESET] = &vscmi_reset,
		[DEVHOST_SCMI_VOLTAGE] = &vscmi_voltage,
	};

	return protos[kind];
}

/* Takes one pending notification of a resource; false where there is none. */
static bool vscmi_take_pending(struct vscmi_view *view, unsigned int *event,
			       u32 *agent)
{
	struct vscmi *vs = view->vs;
	bool found = false;

	spin_lock(&vs->event_lock);
	if (view->pending) {
		*event = __ffs(view->pending);
		*agent = test_bit(*event, &view->by_self) ? VSCMI_AGENT_SELF :
							    VSCMI_AGENT_PLATFORM;
		__clear_bit(*event, &view->pending);
		found = true;
	} else {
		__clear_bit(view->index, vs->due);
	}
	spin_unlock(&vs->event_lock);
	return found;
}

static void vscmi_give_back(struct vscmi_view *view, unsigned int event)
{
	spin_lock(&view->vs->event_lock);
	__set_bit(event, &view->pending);
	__set_bit(view->index, view->vs->due);
	spin_unlock(&view->vs->event_lock);
}

static int vscmi_deliver_view(struct vscmi_view *view)
{
	const struct vscmi_proto *proto = vscmi_proto_of(view->host->kind);
	u8 payload[VSCMI_RET_MAX];
	unsigned int event;
	size_t len;
	u32 agent;
	int err;

	while (vscmi_take_pending(view, &event, &agent)) {
		len = proto->event(view, event, agent, payload);
		if (!len)
			continue;
		err = vscmi_notify(view->vs, proto->id, event, payload, len);
		if (err || (proto->sent && proto->sent(view, event)))
			vscmi_give_back(view, event);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vscmi_event_deliver - send what there are buffers for
 * @vs: the device
 *
 * Context: The worker.
 */
void vscmi_event_deliver(struct vscmi *vs)
{
	unsigned int i;

	if (!vs->p2a)
		return;
	vs->budget = VSCMI_EVENT_BUDGET;
	if (vscmi_deliver_delayed(vs) || vscmi_deliver_error(vs) ||
	    vscmi_deliver_system(vs))
		return;
	for_each_set_bit(i, vs->due, vs->num_views) {
		if (vscmi_deliver_view(vs->views[i]))
			return;
	}
}

/**
 * vscmi_event_delayed - a command that was answered is done
 * @call: the command; it is taken over
 *
 * Context: The worker.
 */
void vscmi_event_delayed(struct vscmi_call *call)
{
	struct vscmi *vs = call->vs;

	if (call->silent) {
		vs->num_delayed--;
		kfree(call);
		return;
	}
	list_add_tail(&call->list, &vs->delayed);
	vscmi_event_deliver(vs);
}

/* Forget what is due; not live, the worker is stopped. */
void vscmi_event_reset(struct vscmi *vs)
{
	struct vscmi_call *call, *next;
	unsigned int i;

	list_for_each_entry_safe(call, next, &vs->delayed, list) {
		list_del(&call->list);
		kfree(call);
	}
	vs->num_delayed = 0;
	spin_lock(&vs->event_lock);
	for (i = 0; i < vs->num_views; i++) {
		vs->views[i]->pending = 0;
		vs->views[i]->by_self = 0;
	}
	bitmap_zero(vs->due, vs->num_views);
	vs->platform.tell_errors = false;
	vs->platform.errors = 0;
	vs->platform.tell_system = false;
	vs->platform.announced = false;
	spin_unlock(&vs->event_lock);
}
