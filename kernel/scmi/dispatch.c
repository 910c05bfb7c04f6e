// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmdq: each command is checked here, by the tables of the protocols, in one
 * order: protocol and message, length of the parameters, notifications without
 * an eventq, policy, resource, permission. Only what passes reaches a handler.
 *
 * A resource that the policy hides and one that does not exist take the same
 * way: the policy is asked before the resource is looked for.
 */
#include <linux/bitfield.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "vhost_scmi.h"

static const struct vscmi_proto * const vscmi_protocols[] = {
	&vscmi_base, &vscmi_power, &vscmi_system, &vscmi_perf,
	&vscmi_clock, &vscmi_sensor, &vscmi_reset, &vscmi_voltage,
};

static bool vscmi_offered(const struct vscmi *vs, const struct vscmi_proto *proto)
{
	if (proto == &vscmi_base)
		return true;
	if (proto == &vscmi_system)
		return vs->system_power;
	return vs->num[proto->kind];
}

/**
 * vscmi_protocol - a protocol that the guest has
 * @vs: its device
 * @id: SCMI's id
 *
 * Context: Any.
 * Return: the protocol, or NULL.
 */
const struct vscmi_proto *vscmi_protocol(const struct vscmi *vs, u8 id)
{
	const struct vscmi_proto *proto;
	unsigned int index = id - SCMI_PROTOCOL_BASE;

	if (id < SCMI_PROTOCOL_BASE || index >= ARRAY_SIZE(vscmi_protocols))
		return NULL;
	index = array_index_nospec(index, ARRAY_SIZE(vscmi_protocols));
	proto = vscmi_protocols[index];
	return vscmi_offered(vs, proto) ? proto : NULL;
}

/* What an error of the host's kernel is to a guest. */
s32 vscmi_status(int err)
{
	switch (err) {
	case 0:
		return SCMI_SUCCESS;
	case -EOPNOTSUPP:
	case -ENOTSUPP:
		return SCMI_NOT_SUPPORTED;
	case -EPERM:
	case -EACCES:
		return SCMI_DENIED;
	case -EINVAL:
	case -ERANGE:
		return SCMI_OUT_OF_RANGE;
	case -EBUSY:
	case -EAGAIN:
	case -ENOMEM:
		return SCMI_BUSY;
	case -EIO:
	case -ETIMEDOUT:
		return SCMI_HARDWARE_ERROR;
	default:
		return SCMI_GENERIC_ERROR;
	}
}

static const struct vscmi_msg *vscmi_message(const struct vscmi *vs,
					     const struct vscmi_proto *proto,
					     u32 id);

/* Messages that all protocols have */
static s32 vscmi_version(struct vscmi_call *call)
{
	vscmi_put32(call, call->proto->version);
	return SCMI_SUCCESS;
}

static s32 vscmi_message_attributes(struct vscmi_call *call)
{
	if (!vscmi_message(call->vs, call->proto, vscmi_param(call, 0)))
		return SCMI_NOT_FOUND;
	vscmi_put32(call, 0);
	return SCMI_SUCCESS;
}

static s32 vscmi_negotiate(struct vscmi_call *call)
{
	return vscmi_param(call, 0) == call->proto->version ? SCMI_SUCCESS :
							      SCMI_NOT_SUPPORTED;
}

static const struct vscmi_msg vscmi_version_msg = { .run = vscmi_version };

static const struct vscmi_msg vscmi_message_attributes_msg = {
	.run = vscmi_message_attributes,
	.min = 4,
};

static const struct vscmi_msg vscmi_negotiate_msg = {
	.run = vscmi_negotiate,
	.min = 4,
};

/* A message that the guest has, NULL where there is none of that id. */
static const struct vscmi_msg *vscmi_message(const struct vscmi *vs,
					     const struct vscmi_proto *proto,
					     u32 id)
{
	const struct vscmi_msg *msg;

	switch (id) {
	case SCMI_PROTOCOL_VERSION:
		return &vscmi_version_msg;
	case SCMI_PROTOCOL_MESSAGE_ATTRIBUTES:
		return &vscmi_message_attributes_msg;
	case SCMI_NEGOTIATE_PROTOCOL_VERSION:
		return &vscmi_negotiate_msg;
	}
	if (id >= proto->num_msgs)
		return NULL;
	msg = &proto->msgs[array_index_nospec(id, proto->num_msgs)];
	if (!msg->run || ((msg->flags & VSCMI_NOTIFY) && !vs->p2a))
		return NULL;
	return msg;
}

/* Handlers that protocols have in common */
s32 vscmi_name_get(struct vscmi_call *call)
{
	vscmi_put32(call, 0);
	vscmi_put_name(call, call->view->name, SCMI_NAME_SIZE);
	return SCMI_SUCCESS;
}

/* Turn a notification on or off: the parameter behind the id has one bit. */
s32 vscmi_subscribe(struct vscmi_call *call, unsigned int event)
{
	struct vscmi_view *view = call->view;
	u32 enable = vscmi_param(call, 4);

	if (enable > 1)
		return SCMI_INVALID_PARAMETERS;
	spin_lock(&view->host->lock);
	__assign_bit(event, &view->subscribed, enable);
	spin_unlock(&view->host->lock);
	return SCMI_SUCCESS;
}

static s32 vscmi_ask_policy(struct vscmi_call *call)
{
	const struct vscmi_msg *msg = call->msg;
	struct devhost_policy_scmi command = {
		.resource = DEVHOST_POLICY_SCMI_NONE,
		.protocol = call->proto->id,
		.message = FIELD_GET(SCMI_HDR_MESSAGE, call->hdr),
	};

	if (msg->resource)
		command.resource = vscmi_param(call, msg->resource - 1);
	if (msg->value)
		command.value = msg->wide ? vscmi_param64(call, msg->value - 1) :
					    vscmi_param(call, msg->value - 1);
	switch (devhost_policy_scmi(call->vs->dev, &command)) {
	case DEVHOST_VERDICT_ALLOW:
		return SCMI_SUCCESS;
	case DEVHOST_VERDICT_LIMIT:
		return SCMI_BUSY;
	default:
		return msg->resource ? SCMI_NOT_FOUND : SCMI_NOT_SUPPORTED;
	}
}

/* Whether a command may be run, and of what. */
static s32 vscmi_check(struct vscmi_call *call)
{
	u32 id = FIELD_GET(SCMI_HDR_MESSAGE, call->hdr);
	const struct vscmi_msg *msg;
	s32 status;

	if (FIELD_GET(SCMI_HDR_TYPE, call->hdr) != SCMI_TYPE_COMMAND)
		return SCMI_NOT_SUPPORTED;
	call->proto = vscmi_protocol(call->vs,
				     FIELD_GET(SCMI_HDR_PROTOCOL, call->hdr));
	if (!call->proto)
		return SCMI_NOT_SUPPORTED;
	msg = vscmi_message(call->vs, call->proto, id);
	if (!msg)
		return SCMI_NOT_SUPPORTED;
	call->msg = msg;
	if (call->num_params < msg->min ||
	    call->num_params > max(msg->min, msg->max))
		return SCMI_PROTOCOL_ERROR;

	status = vscmi_ask_policy(call);
	if (status) {
		devhost_count(call->vs->dev, VSCMI_DENIED, 1);
		return status;
	}
	if (!msg->resource)
		return SCMI_SUCCESS;
	call->view = vscmi_view_find(call->vs, call->proto->kind,
				     vscmi_param(call, msg->resource - 1));
	if (!call->view)
		return SCMI_NOT_FOUND;
	if ((msg->flags & VSCMI_CHANGE) && call->view->read_only)
		return SCMI_DENIED;
	return SCMI_SUCCESS;
}

/* Put the response into the chain; false where it does not fit. */
static bool vscmi_respond(struct vscmi_call *call, struct devhost_chain *chain,
			  s32 status)
{
	struct {
		__le32 hdr;
		__le32 status;
	} head = { .hdr = cpu_to_le32(call->hdr) };

	if (!status && call->len > call->room)
		status = SCMI_PROTOCOL_ERROR;
	head.status = cpu_to_le32(status);
	devhost_count(call->vs->dev, status ? VSCMI_REFUSED : VSCMI_COMMANDS, 1);
	if (status)
		vscmi_event_error(call->vs, call->hdr, status);
	if (devhost_chain_write(chain, &head, sizeof(head)))
		return false;
	return status || !call->len ||
	       !devhost_chain_write(chain, call->ret, call->len);
}

static enum devhost_answer vscmi_answer(struct vscmi_call *call, s32 status)
{
	return vscmi_respond(call, call->chain, status) ? DEVHOST_COMPLETE :
							  DEVHOST_REJECT;
}

/* On a helper thread. */
static void vscmi_job_run(struct devhost_job *job)
{
	struct vscmi_call *call = container_of(job, struct vscmi_call, job);

	call->helper = true;
	call->status = call->msg->run(call);
	if (WARN_ON_ONCE(call->status == VSCMI_DEFER))
		call->status = SCMI_GENERIC_ERROR;
}

static void vscmi_job_done(struct devhost_device *dev, struct devhost_job *job)
{
	struct vscmi_call *call = container_of(job, struct vscmi_call, job);
	struct vscmi *vs = call->vs;

	if (call->delayed) {
		vscmi_event_delayed(call);
		return;
	}
	if (vscmi_respond(call, call->chain, call->status))
		devhost_chain_complete(call->chain);
	else
		devhost_chain_reject(call->chain);
	/* For the next one: zeroing new memory costs more than the command. */
	swap(call, vs->spare);
	kfree(call);
}

static void vscmi_job_drop(struct devhost_job *job)
{
	kfree(container_of(job, struct vscmi_call, job));
}

/*
 * Have a helper run it. A delayed response is owed from here on, and the
 * command itself answered now.
 */
static enum devhost_answer vscmi_submit(struct vscmi_call *call)
{
	struct vscmi *vs = call->vs;
	bool delayed = call->delayed;
	enum devhost_answer answer;
	int err;

	err = devhost_submit(vs->dev, &call->job);
	if (err == -EBUSY && !delayed) {
		vs->stalled = call;
		return DEVHOST_STALL;
	}
	if (err) {
		answer = vscmi_answer(call, SCMI_BUSY);
		kfree(call);
		return answer;
	}
	devhost_count(vs->dev, VSCMI_DEFERRED, 1);
	if (!delayed)
		return DEVHOST_KEEP;
	vs->num_delayed++;
	/* The job is a helper's by now, but has no use for the chain. */
	return vscmi_answer(&vs->call, SCMI_SUCCESS);
}

static enum devhost_answer vscmi_defer(struct vscmi *vs)
{
	struct vscmi_call *call;

	if (vs->call.delayed && vs->num_delayed >= VSCMI_DELAYED_MAX)
		return vscmi_answer(&vs->call, SCMI_BUSY);
	call = vs->spare ?: kmalloc_obj(*call);
	if (!call)
		return vscmi_answer(&vs->call, SCMI_BUSY);
	vs->spare = NULL;
	/* There are no return values yet. */
	memcpy(call, &vs->call, offsetof(struct vscmi_call, ret));
	call->job.run = vscmi_job_run;
	call->job.done = vscmi_job_done;
	call->job.drop = vscmi_job_drop;
	return vscmi_submit(call);
}

/* A private copy of the command; false where there is not even a header. */
static bool vscmi_read(struct vscmi *vs, struct devhost_chain *chain)
{
	struct vscmi_call *call = &vs->call;
	size_t readable = devhost_chain_readable(chain);
	size_t writable = devhost_chain_writable(chain);
	__le32 hdr;

	if (readable < sizeof(hdr) || writable < 2 * sizeof(__le32) ||
	    devhost_chain_read(chain, &hdr, sizeof(hdr)))
		return false;
	memset(call, 0, offsetof(struct vscmi_call, ret));
	call->vs = vs;
	call->chain = chain;
	call->hdr = le32_to_cpu(hdr);
	call->generation = vs->generation;
	call->room = min(writable - 2 * sizeof(__le32), (size_t)VSCMI_RET_MAX);
	/* One that is too long is refused by its length. */
	call->num_params = min(readable - sizeof(hdr), (size_t)VSCMI_PARAMS_MAX);
	return !call->num_params ||
	       !devhost_chain_read(chain, call->params, call->num_params);
}

/**
 * vscmi_dispatch - serve a command
 * @vs: the device
 * @chain: the command, and room for the response
 *
 * Context: The worker.
 * Return: what became of it.
 */
enum devhost_answer vscmi_dispatch(struct vscmi *vs, struct devhost_chain *chain)
{
	struct vscmi_call *call = vs->stalled;
	s32 status;

	/* What waited for room comes first, and has been read and judged. */
	if (call) {
		vs->stalled = NULL;
		call->chain = chain;
		return vscmi_submit(call);
	}
	if (!vscmi_read(vs, chain))
		return DEVHOST_REJECT;
	status = vscmi_check(&vs->call);
	if (!status)
		status = vs->call.msg->run(&vs->call);
	if (status == VSCMI_DEFER)
		return vscmi_defer(vs);
	return vscmi_answer(&vs->call, status);
}

/* Forget the commands at hand, and the room for them. */
void vscmi_dispatch_reset(struct vscmi *vs)
{
	kfree(vs->stalled);
	vs->stalled = NULL;
	kfree(vs->spare);
	vs->spare = NULL;
}
