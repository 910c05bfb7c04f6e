// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power domain protocol: a domain is on while any guest has it on.
 */
#include "vhost_scmi.h"

enum {
	VSCMI_POWER_CHANGED,
	VSCMI_POWER_CHANGE_REQUESTED,
};

static u32 vscmi_power_state(bool on)
{
	return on ? SCMI_POWER_STATE_ON : SCMI_POWER_STATE_OFF;
}

static s32 vscmi_power_attributes(struct vscmi_call *call)
{
	vscmi_put32(call, vscmi_count(call));
	/* No statistics. */
	vscmi_put64(call, 0);
	vscmi_put32(call, 0);
	return SCMI_SUCCESS;
}

static s32 vscmi_power_domain(struct vscmi_call *call)
{
	u32 flags = SCMI_POWER_SYNC;

	flags |= vscmi_if_p2a(call, SCMI_POWER_CHANGE_NOTIFY |
				    SCMI_POWER_REQUESTED_NOTIFY);
	if (vscmi_long_name(call->view))
		flags |= SCMI_POWER_EXTENDED_NAME;
	vscmi_put32(call, flags);
	vscmi_put_name(call, call->view->name, SCMI_SHORT_NAME_SIZE);
	return SCMI_SUCCESS;
}

static s32 vscmi_power_set(struct vscmi_call *call)
{
	u32 flags = vscmi_param(call, 0);
	u32 state = vscmi_param(call, 8);

	/* No domain says that it can be switched asynchronously. */
	if (flags & SCMI_POWER_ASYNC_FLAG)
		return SCMI_NOT_SUPPORTED;
	if (flags || (state != SCMI_POWER_STATE_ON &&
		      state != SCMI_POWER_STATE_OFF))
		return SCMI_INVALID_PARAMETERS;
	return vscmi_vote_on(call, state == SCMI_POWER_STATE_ON);
}

static s32 vscmi_power_get(struct vscmi_call *call)
{
	vscmi_put32(call, vscmi_power_state(vscmi_host_on(call->view->host)));
	return SCMI_SUCCESS;
}

static s32 vscmi_power_notify(struct vscmi_call *call)
{
	return vscmi_subscribe(call, VSCMI_POWER_CHANGED);
}

static s32 vscmi_power_requested_notify(struct vscmi_call *call)
{
	return vscmi_subscribe(call, VSCMI_POWER_CHANGE_REQUESTED);
}

static size_t vscmi_power_event(struct vscmi_view *view, unsigned int id,
				u32 agent, u8 *payload)
{
	bool on = id == VSCMI_POWER_CHANGED ? vscmi_host_on(view->host) :
					      READ_ONCE(view->asked);

	put_unaligned_le32(agent, payload);
	put_unaligned_le32(view->id, payload + 4);
	put_unaligned_le32(vscmi_power_state(on), payload + 8);
	return 12;
}

static const struct vscmi_msg vscmi_power_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_power_attributes },
	[SCMI_POWER_DOMAIN_ATTRIBUTES] = {
		.run = vscmi_power_domain,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_POWER_STATE_SET] = {
		.run = vscmi_power_set,
		.min = 12,
		.resource = VSCMI_AT(4),
		.value = VSCMI_AT(8),
		.flags = VSCMI_CHANGE,
	},
	[SCMI_POWER_STATE_GET] = {
		.run = vscmi_power_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_POWER_STATE_NOTIFY] = {
		.run = vscmi_power_notify,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_POWER_STATE_CHANGE_REQUESTED_NOTIFY] = {
		.run = vscmi_power_requested_notify,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_POWER_DOMAIN_NAME_GET] = {
		.run = vscmi_name_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
};

const struct vscmi_proto vscmi_power = {
	.id = SCMI_PROTOCOL_POWER,
	.version = SCMI_VERSION_POWER,
	.kind = DEVHOST_SCMI_POWER,
	.msgs = vscmi_power_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_power_msgs),
	.event = vscmi_power_event,
};
