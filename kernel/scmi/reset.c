// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset domain protocol: a line is asserted while any guest asserts it; a guest
 * can reset a domain once that nobody holds asserted.
 *
 * What the host's own drivers use is denied.
 */
#include "vhost_scmi.h"

enum {
	VSCMI_RESET_ISSUED,
};

static s32 vscmi_reset_attributes(struct vscmi_call *call)
{
	vscmi_put32(call, vscmi_count(call));
	return SCMI_SUCCESS;
}

static s32 vscmi_reset_domain(struct vscmi_call *call)
{
	u32 attributes;

	attributes = vscmi_if_p2a(call, SCMI_RESET_ASYNC |
					SCMI_RESET_ISSUED_NOTIFY);
	if (vscmi_long_name(call->view))
		attributes |= SCMI_RESET_EXTENDED_NAME;
	vscmi_put32(call, attributes);
	/* How long it takes is not known. */
	vscmi_put32(call, U32_MAX);
	vscmi_put_name(call, call->view->name, SCMI_SHORT_NAME_SIZE);
	return SCMI_SUCCESS;
}

static void vscmi_reset_issued(struct vscmi_call *call)
{
	struct vscmi_host *host = call->view->host;
	struct vscmi_view *view;

	spin_lock(&host->lock);
	list_for_each_entry(view, &host->views, list)
		vscmi_event_raise(view, VSCMI_RESET_ISSUED, 0, call->vs);
	spin_unlock(&host->lock);
}

static s32 vscmi_reset_pulse(struct vscmi_call *call)
{
	struct vscmi_host *host = call->view->host;
	int err = -EPERM;

	if (!call->helper)
		return VSCMI_DEFER;
	mutex_lock(&host->apply);
	if (!vscmi_current(call))
		err = -EBUSY;
	else if (!host->now.on && READ_ONCE(host->ceiling))
		err = host->ops->pulse(host);
	mutex_unlock(&host->apply);
	return vscmi_status(err);
}

static s32 vscmi_reset_reset(struct vscmi_call *call)
{
	u32 flags = vscmi_param(call, 4);
	s32 status;

	if (flags & ~(SCMI_RESET_AUTONOMOUS | SCMI_RESET_ASSERT |
		      SCMI_RESET_ASYNC_FLAG))
		return SCMI_INVALID_PARAMETERS;
	if (vscmi_param(call, 8) != SCMI_RESET_COLD)
		return SCMI_INVALID_PARAMETERS;
	/* Only what the domain does by itself can be done later. */
	if ((flags & SCMI_RESET_ASYNC_FLAG) && !(flags & SCMI_RESET_AUTONOMOUS))
		return SCMI_INVALID_PARAMETERS;
	if ((flags & SCMI_RESET_ASYNC_FLAG) && !call->helper) {
		if (!call->vs->p2a)
			return SCMI_NOT_SUPPORTED;
		call->delayed = true;
		return VSCMI_DEFER;
	}
	if (flags & SCMI_RESET_AUTONOMOUS)
		status = vscmi_reset_pulse(call);
	else
		status = vscmi_vote_on(call, flags & SCMI_RESET_ASSERT);
	if (status)
		return status;
	if (flags)
		vscmi_reset_issued(call);
	if (call->delayed)
		vscmi_put32(call, call->view->id);
	return SCMI_SUCCESS;
}

static s32 vscmi_reset_notify(struct vscmi_call *call)
{
	return vscmi_subscribe(call, VSCMI_RESET_ISSUED);
}

static size_t vscmi_reset_event(struct vscmi_view *view, unsigned int id,
				u32 agent, u8 *payload)
{
	put_unaligned_le32(agent, payload);
	put_unaligned_le32(view->id, payload + 4);
	put_unaligned_le32(SCMI_RESET_COLD, payload + 8);
	return 12;
}

static const struct vscmi_msg vscmi_reset_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_reset_attributes },
	[SCMI_RESET_DOMAIN_ATTRIBUTES] = {
		.run = vscmi_reset_domain,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_RESET_RESET] = {
		.run = vscmi_reset_reset,
		.min = 12,
		.resource = VSCMI_AT(0),
		.value = VSCMI_AT(4),
		.flags = VSCMI_CHANGE,
	},
	[SCMI_RESET_NOTIFY] = {
		.run = vscmi_reset_notify,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_RESET_DOMAIN_NAME_GET] = {
		.run = vscmi_name_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
};

const struct vscmi_proto vscmi_reset = {
	.id = SCMI_PROTOCOL_RESET,
	.version = SCMI_VERSION_RESET,
	.kind = DEVHOST_SCMI_RESET,
	.msgs = vscmi_reset_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_reset_msgs),
	.event = vscmi_reset_event,
};
