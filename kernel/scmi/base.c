// SPDX-License-Identifier: GPL-2.0-only
/*
 * Base protocol: who the platform is, what it has, who the agent is.
 *
 * A guest sees one agent, itself: how many others there are, and who, is none
 * of its business.
 */
#include "vhost_scmi.h"

#define VSCMI_VENDOR			"devhost"
#define VSCMI_IMPLEMENTATION_VERSION	0x00010000

/* Ids of the protocols that the guest has beside this one; their number. */
static unsigned int vscmi_base_protocols(const struct vscmi *vs, u8 *ids)
{
	unsigned int num = 0;
	u8 id;

	for (id = SCMI_PROTOCOL_BASE + 1; id <= SCMI_PROTOCOL_VOLTAGE; id++) {
		if (vscmi_protocol(vs, id))
			ids[num++] = id;
	}
	return num;
}

static s32 vscmi_base_attributes(struct vscmi_call *call)
{
	u8 ids[SCMI_PROTOCOL_VOLTAGE - SCMI_PROTOCOL_BASE];
	unsigned int agents = 1;

	vscmi_put32(call, vscmi_base_protocols(call->vs, ids) | agents << 8);
	return SCMI_SUCCESS;
}

static s32 vscmi_base_vendor(struct vscmi_call *call)
{
	vscmi_put_name(call, VSCMI_VENDOR, SCMI_SHORT_NAME_SIZE);
	return SCMI_SUCCESS;
}

static s32 vscmi_base_implementation(struct vscmi_call *call)
{
	vscmi_put32(call, VSCMI_IMPLEMENTATION_VERSION);
	return SCMI_SUCCESS;
}

static s32 vscmi_base_list(struct vscmi_call *call)
{
	u8 ids[round_up(SCMI_PROTOCOL_VOLTAGE - SCMI_PROTOCOL_BASE, 4)] = {};
	unsigned int num = vscmi_base_protocols(call->vs, ids);
	u32 skip = vscmi_param(call, 0);
	size_t len;

	if (skip > num)
		return SCMI_INVALID_PARAMETERS;
	num -= skip;
	len = round_up(num, 4);
	vscmi_put32(call, num);
	memset(call->ret + call->len, 0, len);
	memcpy(call->ret + call->len, ids + skip, num);
	call->len += len;
	return SCMI_SUCCESS;
}

static s32 vscmi_base_agent(struct vscmi_call *call)
{
	u32 id = vscmi_param(call, 0);

	if (id == SCMI_BASE_AGENT_SELF)
		id = VSCMI_AGENT_SELF;
	vscmi_put32(call, id);
	switch (id) {
	case VSCMI_AGENT_PLATFORM:
		vscmi_put_name(call, "platform", SCMI_SHORT_NAME_SIZE);
		return SCMI_SUCCESS;
	case VSCMI_AGENT_SELF:
		vscmi_put_name(call, call->vs->agent, SCMI_SHORT_NAME_SIZE);
		return SCMI_SUCCESS;
	default:
		return SCMI_NOT_FOUND;
	}
}

static s32 vscmi_base_notify_errors(struct vscmi_call *call)
{
	u32 enable = vscmi_param(call, 0);
	struct vscmi *vs = call->vs;

	if (enable > 1)
		return SCMI_INVALID_PARAMETERS;
	spin_lock(&vs->event_lock);
	vs->platform.tell_errors = enable;
	vs->platform.errors = 0;
	spin_unlock(&vs->event_lock);
	return SCMI_SUCCESS;
}

/* An agent may take back what it has set up; permissions are the manager's. */
static s32 vscmi_base_reset_agent(struct vscmi_call *call)
{
	u32 id = vscmi_param(call, 0);

	if (id != VSCMI_AGENT_SELF)
		return SCMI_NOT_FOUND;
	if (vscmi_param(call, 4) & ~SCMI_BASE_RESET_PERMISSIONS)
		return SCMI_INVALID_PARAMETERS;
	return call->helper ? vscmi_votes_give_up(call) : VSCMI_DEFER;
}

static const struct vscmi_msg vscmi_base_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_base_attributes },
	[SCMI_BASE_DISCOVER_VENDOR] = { .run = vscmi_base_vendor },
	[SCMI_BASE_DISCOVER_SUB_VENDOR] = { .run = vscmi_base_vendor },
	[SCMI_BASE_DISCOVER_IMPLEMENTATION_VERSION] = {
		.run = vscmi_base_implementation,
	},
	[SCMI_BASE_DISCOVER_LIST_PROTOCOLS] = {
		.run = vscmi_base_list,
		.min = 4,
	},
	[SCMI_BASE_DISCOVER_AGENT] = {
		.run = vscmi_base_agent,
		.min = 4,
	},
	[SCMI_BASE_NOTIFY_ERRORS] = {
		.run = vscmi_base_notify_errors,
		.min = 4,
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_BASE_RESET_AGENT_CONFIGURATION] = {
		.run = vscmi_base_reset_agent,
		.min = 8,
	},
};

const struct vscmi_proto vscmi_base = {
	.id = SCMI_PROTOCOL_BASE,
	.version = SCMI_VERSION_BASE,
	.kind = __DEVHOST_SCMI_KINDS,
	.msgs = vscmi_base_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_base_msgs),
};
