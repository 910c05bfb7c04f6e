// SPDX-License-Identifier: GPL-2.0-only
/*
 * What policies are against is told: to a tracepoint each time, to netlink's
 * listeners once a second for each device.
 *
 * Guests decide how often this happens, and where: in softirq, too. So there is
 * only noted what it was, and how many more there were. A work item tells.
 */
#include <net/genetlink.h>

#include "core.h"
#include "trace.h"

#define DEVHOST_DENIAL_INTERVAL		HZ

static size_t devhost_item_size(enum devhost_item_kind kind)
{
	switch (kind) {
	case DEVHOST_ITEM_CAN:
		return sizeof(struct devhost_policy_can);
	case DEVHOST_ITEM_SND:
		return sizeof(struct devhost_policy_snd);
	case DEVHOST_ITEM_SCMI:
		return sizeof(struct devhost_policy_scmi);
	case DEVHOST_ITEM_VIDEO:
		return sizeof(struct devhost_policy_video);
	}
	return 0;
}

static void devhost_denial_trace(struct devhost_device *dev,
				 unsigned int verdict,
				 enum devhost_item_kind kind,
				 const union devhost_item *item)
{
	unsigned int direction = DEVHOST_TO_HOST;
	u32 what = 0;

	switch (kind) {
	case DEVHOST_ITEM_CAN:
		direction = item->can.direction;
		what = item->can.can_id;
		break;
	case DEVHOST_ITEM_SND:
		direction = item->snd.direction;
		what = item->snd.item;
		break;
	case DEVHOST_ITEM_SCMI:
		what = item->scmi.protocol << 8 | item->scmi.message;
		break;
	case DEVHOST_ITEM_VIDEO:
		what = item->video.stream;
		break;
	}
	trace_devhost_policy_deny(dev, direction, what, verdict);
}

/**
 * devhost_denied - note an item that the policy is against
 * @dev: the device
 * @verdict: what became of it
 * @kind: what it is
 * @item: that one; no more of it is read than its kind has
 *
 * Context: Any.
 */
void devhost_denied(struct devhost_device *dev, unsigned int verdict,
		    enum devhost_item_kind kind,
		    const union devhost_item *item)
{
	struct devhost_denials *denials = &dev->denials;
	unsigned long flags, now = jiffies, delay = 0;

	devhost_denial_trace(dev, verdict, kind, item);
	if (!devhost_netlink_denials_heard())
		return;

	spin_lock_irqsave(&denials->lock, flags);
	if (!denials->count++) {
		denials->verdict = verdict;
		denials->kind = kind;
		memcpy(&denials->first, item, devhost_item_size(kind));
		if (time_before(now, denials->next))
			delay = denials->next - now;
		schedule_delayed_work(&denials->work, delay);
	}
	spin_unlock_irqrestore(&denials->lock, flags);
}

static void devhost_denial_tell(struct work_struct *work)
{
	struct devhost_device *dev = container_of(to_delayed_work(work),
						  struct devhost_device,
						  denials.work);
	struct devhost_denials *denials = &dev->denials;
	struct devhost_denial denial;

	spin_lock_irq(&denials->lock);
	denial.count = denials->count;
	denial.verdict = denials->verdict;
	denial.kind = denials->kind;
	denial.item = denials->first;
	denials->count = 0;
	denials->next = jiffies + DEVHOST_DENIAL_INTERVAL;
	spin_unlock_irq(&denials->lock);

	devhost_netlink_denial(dev, &denial);
}

void devhost_denials_init(struct devhost_device *dev)
{
	spin_lock_init(&dev->denials.lock);
	dev->denials.next = jiffies;
	INIT_DELAYED_WORK(&dev->denials.work, devhost_denial_tell);
}

/* Nothing asks the policy any more: tells what is left to be told. */
void devhost_denials_finish(struct devhost_device *dev)
{
	flush_delayed_work(&dev->denials.work);
}

static int devhost_put_can(struct sk_buff *msg,
			   const struct devhost_policy_can *frame)
{
	if (nla_put_u32(msg, DEVHOST_A_DENIAL_CAN_ID, frame->can_id) ||
	    (frame->flags & DEVHOST_POLICY_CAN_EXTENDED &&
	     nla_put_flag(msg, DEVHOST_A_DENIAL_CAN_EXTENDED)) ||
	    (frame->flags & DEVHOST_POLICY_CAN_FD &&
	     nla_put_flag(msg, DEVHOST_A_DENIAL_CAN_FD)) ||
	    (frame->flags & DEVHOST_POLICY_CAN_RTR &&
	     nla_put_flag(msg, DEVHOST_A_DENIAL_CAN_RTR)) ||
	    (frame->direction == DEVHOST_TO_GUEST &&
	     nla_put_flag(msg, DEVHOST_A_DENIAL_TO_GUEST)))
		return -EMSGSIZE;

	return 0;
}

static int devhost_put_snd(struct sk_buff *msg,
			   const struct devhost_policy_snd *request)
{
	if (nla_put_u32(msg, DEVHOST_A_DENIAL_REQUEST, request->request) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_ITEM, request->item) ||
	    (request->direction == DEVHOST_TO_GUEST &&
	     nla_put_flag(msg, DEVHOST_A_DENIAL_TO_GUEST)))
		return -EMSGSIZE;
	if (request->request == DEVHOST_POLICY_SND_CONTROL)
		return nla_put_s64(msg, DEVHOST_A_DENIAL_VALUE, request->value,
				   DEVHOST_A_DENIAL_PAD);

	return nla_put_u32(msg, DEVHOST_A_DENIAL_RATE, request->rate) ?:
	       nla_put_u32(msg, DEVHOST_A_DENIAL_CHANNELS, request->channels);
}

static int devhost_put_scmi(struct sk_buff *msg,
			    const struct devhost_policy_scmi *command)
{
	if (nla_put_u32(msg, DEVHOST_A_DENIAL_PROTOCOL, command->protocol) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_MESSAGE, command->message) ||
	    (command->resource != DEVHOST_POLICY_SCMI_NONE &&
	     nla_put_u32(msg, DEVHOST_A_DENIAL_RESOURCE, command->resource)))
		return -EMSGSIZE;

	return nla_put_u64_64bit(msg, DEVHOST_A_DENIAL_VALUE, command->value,
				 DEVHOST_A_DENIAL_PAD);
}

static int devhost_put_video(struct sk_buff *msg,
			     const struct devhost_policy_video *request)
{
	if (nla_put_u32(msg, DEVHOST_A_DENIAL_REQUEST, request->request) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_ITEM, request->stream) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_FORMAT, request->format) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_WIDTH, request->width) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_HEIGHT, request->height) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_RATE, request->rate) ||
	    nla_put_u32(msg, DEVHOST_A_DENIAL_BITRATE, request->bitrate))
		return -EMSGSIZE;

	return 0;
}

/* What is told of a denial, beside whose it is. */
int devhost_put_denial(struct sk_buff *msg, const struct devhost_denial *denial)
{
	if (nla_put_u32(msg, DEVHOST_A_DENIAL_VERDICT, denial->verdict) ||
	    nla_put_u64_64bit(msg, DEVHOST_A_DENIAL_SUPPRESSED,
			      denial->count - 1, DEVHOST_A_DENIAL_PAD))
		return -EMSGSIZE;

	switch (denial->kind) {
	case DEVHOST_ITEM_CAN:
		return devhost_put_can(msg, &denial->item.can);
	case DEVHOST_ITEM_SND:
		return devhost_put_snd(msg, &denial->item.snd);
	case DEVHOST_ITEM_SCMI:
		return devhost_put_scmi(msg, &denial->item.scmi);
	case DEVHOST_ITEM_VIDEO:
		return devhost_put_video(msg, &denial->item.video);
	}
	return 0;
}
