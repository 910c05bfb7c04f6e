// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock protocol: a clock runs while any guest has it enabled, at the highest
 * rate that any guest has set.
 *
 * A rate is brought within what the guest may ask for, then rounded as the
 * clock rounds, whatever rounding the guest asked for. The rate that a guest
 * reads is the one that the clock has.
 */
#include <linux/bitfield.h>

#include "vhost_scmi.h"

enum {
	VSCMI_CLOCK_RATE_CHANGED,
	VSCMI_CLOCK_RATE_CHANGE_REQUESTED,
};

static u64 vscmi_clock_rate(const struct vscmi_host *host)
{
	return READ_ONCE(host->actual);
}

static s32 vscmi_clock_protocol_attributes(struct vscmi_call *call)
{
	u32 async = vscmi_if_p2a(call, VSCMI_DELAYED_MAX);

	vscmi_put32(call, vscmi_count(call) | async << 16);
	return SCMI_SUCCESS;
}

static s32 vscmi_clock_attributes(struct vscmi_call *call)
{
	const struct vscmi_view *view = call->view;
	u32 attributes;

	attributes = vscmi_if_p2a(call, SCMI_CLOCK_RATE_CHANGED_NOTIFY |
					SCMI_CLOCK_RATE_REQUESTED_NOTIFY);
	if (vscmi_long_name(view))
		attributes |= SCMI_CLOCK_EXTENDED_NAME;
	if (view->read_only)
		attributes |= SCMI_CLOCK_PERMISSIONS;
	if (vscmi_host_on(view->host))
		attributes |= SCMI_CLOCK_ENABLED;
	vscmi_put32(call, attributes);
	vscmi_put_name(call, view->name, SCMI_SHORT_NAME_SIZE);
	/* How long enabling takes is not known. */
	vscmi_put32(call, 0);
	return SCMI_SUCCESS;
}

/* The kernel tells of a clock's range, not of its rates. */
static s32 vscmi_clock_rates(struct vscmi_call *call)
{
	const struct vscmi_view *view = call->view;
	u32 skip = vscmi_param(call, 4);

	if (view->min == view->max) {
		if (skip > 1)
			return SCMI_OUT_OF_RANGE;
		vscmi_put32(call, !skip);
		if (!skip)
			vscmi_put64(call, view->min);
		return SCMI_SUCCESS;
	}
	if (skip)
		return SCMI_OUT_OF_RANGE;
	vscmi_put32(call, 3 | SCMI_CLOCK_RATES_RANGE);
	vscmi_put64(call, view->min);
	vscmi_put64(call, view->max);
	vscmi_put64(call, 1);
	return SCMI_SUCCESS;
}

static s32 vscmi_clock_rate_set(struct vscmi_call *call)
{
	u32 flags = vscmi_param(call, 0);
	s32 status;

	if (flags & ~SCMI_CLOCK_RATE_FLAGS)
		return SCMI_INVALID_PARAMETERS;
	if ((flags & SCMI_CLOCK_RATE_ASYNC) && !call->helper) {
		if (!call->vs->p2a)
			return SCMI_NOT_SUPPORTED;
		call->delayed = true;
		call->silent = flags & SCMI_CLOCK_RATE_NO_RESPONSE;
		return VSCMI_DEFER;
	}
	status = vscmi_vote_for_level(call, vscmi_param64(call, 8));
	if (status == SCMI_SUCCESS && call->delayed) {
		vscmi_put32(call, call->view->id);
		vscmi_put64(call, vscmi_clock_rate(call->view->host));
	}
	return status;
}

static s32 vscmi_clock_rate_get(struct vscmi_call *call)
{
	vscmi_put64(call, vscmi_clock_rate(call->view->host));
	return SCMI_SUCCESS;
}

static s32 vscmi_clock_config_set(struct vscmi_call *call)
{
	u32 attributes = vscmi_param(call, 4);
	u32 state = FIELD_GET(SCMI_CLOCK_CONFIG_STATE, attributes);

	if (FIELD_GET(SCMI_CLOCK_CONFIG_EXTENDED, attributes))
		return SCMI_NOT_SUPPORTED;
	if (state > 1 || attributes != state)
		return SCMI_INVALID_PARAMETERS;
	return vscmi_vote_on(call, state);
}

static s32 vscmi_clock_config_get(struct vscmi_call *call)
{
	if (FIELD_GET(SCMI_CLOCK_CONFIG_GET_EXTENDED, vscmi_param(call, 4)))
		return SCMI_NOT_SUPPORTED;
	vscmi_put32(call, 0);
	vscmi_put32(call, vscmi_host_on(call->view->host));
	vscmi_put32(call, 0);
	return SCMI_SUCCESS;
}

static s32 vscmi_clock_permissions(struct vscmi_call *call)
{
	vscmi_put32(call, call->view->read_only ?
			  0 : SCMI_CLOCK_STATE_ALLOWED | SCMI_CLOCK_RATE_ALLOWED);
	return SCMI_SUCCESS;
}

static s32 vscmi_clock_rate_notify(struct vscmi_call *call)
{
	return vscmi_subscribe(call, VSCMI_CLOCK_RATE_CHANGED);
}

static s32 vscmi_clock_requested_notify(struct vscmi_call *call)
{
	return vscmi_subscribe(call, VSCMI_CLOCK_RATE_CHANGE_REQUESTED);
}

static size_t vscmi_clock_event(struct vscmi_view *view, unsigned int id,
				u32 agent, u8 *payload)
{
	u64 rate = id == VSCMI_CLOCK_RATE_CHANGED ?
		   vscmi_clock_rate(view->host) : READ_ONCE(view->asked);

	put_unaligned_le32(agent, payload);
	put_unaligned_le32(view->id, payload + 4);
	put_unaligned_le64(rate, payload + 8);
	return 16;
}

static const struct vscmi_msg vscmi_clock_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_clock_protocol_attributes },
	[SCMI_CLOCK_ATTRIBUTES] = {
		.run = vscmi_clock_attributes,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_CLOCK_DESCRIBE_RATES] = {
		.run = vscmi_clock_rates,
		.min = 8,
		.resource = VSCMI_AT(0),
	},
	[SCMI_CLOCK_RATE_SET] = {
		.run = vscmi_clock_rate_set,
		.min = 16,
		.resource = VSCMI_AT(4),
		.value = VSCMI_AT(8),
		.wide = true,
		.flags = VSCMI_CHANGE,
	},
	[SCMI_CLOCK_RATE_GET] = {
		.run = vscmi_clock_rate_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	/* Without the extended configuration, up to version 2. */
	[SCMI_CLOCK_CONFIG_SET] = {
		.run = vscmi_clock_config_set,
		.min = 8,
		.max = 12,
		.resource = VSCMI_AT(0),
		.value = VSCMI_AT(4),
		.flags = VSCMI_CHANGE,
	},
	[SCMI_CLOCK_NAME_GET] = {
		.run = vscmi_name_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_CLOCK_RATE_NOTIFY] = {
		.run = vscmi_clock_rate_notify,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_CLOCK_RATE_CHANGE_REQUESTED_NOTIFY] = {
		.run = vscmi_clock_requested_notify,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_CLOCK_CONFIG_GET] = {
		.run = vscmi_clock_config_get,
		.min = 8,
		.resource = VSCMI_AT(0),
	},
	[SCMI_CLOCK_GET_PERMISSIONS] = {
		.run = vscmi_clock_permissions,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
};

const struct vscmi_proto vscmi_clock = {
	.id = SCMI_PROTOCOL_CLOCK,
	.version = SCMI_VERSION_CLOCK,
	.kind = DEVHOST_SCMI_CLOCK,
	.msgs = vscmi_clock_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_clock_msgs),
	.event = vscmi_clock_event,
};
