// SPDX-License-Identifier: GPL-2.0-only
/*
 * Voltage domain protocol: a supply is on while any guest has it on, at the
 * highest voltage that any guest has set.
 */
#include "vhost_scmi.h"

static s32 vscmi_voltage_attributes(struct vscmi_call *call)
{
	vscmi_put32(call, vscmi_count(call));
	return SCMI_SUCCESS;
}

static s32 vscmi_voltage_domain(struct vscmi_call *call)
{
	u32 attributes = vscmi_if_p2a(call, SCMI_VOLTAGE_ASYNC);

	if (vscmi_long_name(call->view))
		attributes |= SCMI_VOLTAGE_EXTENDED_NAME;
	vscmi_put32(call, attributes);
	vscmi_put_name(call, call->view->name, SCMI_SHORT_NAME_SIZE);
	return SCMI_SUCCESS;
}

static bool vscmi_voltage_valid(const struct vscmi_view *view, u64 level)
{
	return level >= view->min && level <= view->max;
}

/* A range, where the levels are too many to be listed. */
static s32 vscmi_voltage_range(struct vscmi_call *call)
{
	const struct vscmi_view *view = call->view;

	if (vscmi_param(call, 4))
		return SCMI_OUT_OF_RANGE;
	vscmi_put32(call, 3 | SCMI_VOLTAGE_LEVELS_RANGE);
	vscmi_put32(call, view->min);
	vscmi_put32(call, view->max);
	vscmi_put32(call, view->host->step);
	return SCMI_SUCCESS;
}

static s32 vscmi_voltage_levels(struct vscmi_call *call)
{
	const struct vscmi_host *host = call->view->host;
	u32 skip = vscmi_param(call, 4);
	unsigned int num = 0, put = 0;
	unsigned int room, i;

	if (!host->levels)
		return vscmi_voltage_range(call);
	for (i = 0; i < host->num_levels; i++)
		num += vscmi_voltage_valid(call->view, host->levels[i]);
	if (skip > num)
		return SCMI_OUT_OF_RANGE;
	if (call->room < 8)
		return SCMI_PROTOCOL_ERROR;
	room = min((call->room - 4) / 4, num - skip);
	vscmi_put32(call, room | (num - skip - room) << 16);
	for (i = 0; i < host->num_levels && put < room; i++) {
		if (!vscmi_voltage_valid(call->view, host->levels[i]))
			continue;
		if (skip) {
			skip--;
			continue;
		}
		vscmi_put32(call, host->levels[i]);
		put++;
	}
	return SCMI_SUCCESS;
}

static s32 vscmi_voltage_config_set(struct vscmi_call *call)
{
	u32 config = vscmi_param(call, 4);

	if (config & ~SCMI_VOLTAGE_MODE)
		return SCMI_INVALID_PARAMETERS;
	if (config != SCMI_VOLTAGE_MODE_ON && config != SCMI_VOLTAGE_MODE_OFF)
		return SCMI_INVALID_PARAMETERS;
	return vscmi_vote_on(call, config == SCMI_VOLTAGE_MODE_ON);
}

static s32 vscmi_voltage_config_get(struct vscmi_call *call)
{
	bool on;

	if (!call->helper)
		return VSCMI_DEFER;
	on = vscmi_host_on(call->view->host);
	vscmi_put32(call, on ? SCMI_VOLTAGE_MODE_ON : SCMI_VOLTAGE_MODE_OFF);
	return SCMI_SUCCESS;
}

static s32 vscmi_voltage_read(struct vscmi_call *call, s64 *level)
{
	struct vscmi_host *host = call->view->host;

	return vscmi_status(host->ops->read(host, level));
}

static s32 vscmi_voltage_level_set(struct vscmi_call *call)
{
	u32 flags = vscmi_param(call, 4);
	/* Signed; what is below 0 is far beyond what any supply has. */
	u32 level = vscmi_param(call, 8);
	s64 real = 0;
	s32 status;

	if (flags & ~SCMI_VOLTAGE_LEVEL_ASYNC)
		return SCMI_INVALID_PARAMETERS;
	if (!vscmi_voltage_valid(call->view, level))
		return SCMI_OUT_OF_RANGE;
	if (flags && !call->helper) {
		if (!call->vs->p2a)
			return SCMI_NOT_SUPPORTED;
		call->delayed = true;
		return VSCMI_DEFER;
	}
	status = vscmi_vote_for_level(call, level);
	if (status == SCMI_SUCCESS && call->delayed)
		status = vscmi_voltage_read(call, &real);
	if (status == SCMI_SUCCESS && call->delayed) {
		vscmi_put32(call, call->view->id);
		vscmi_put32(call, real);
	}
	return status;
}

static s32 vscmi_voltage_level_get(struct vscmi_call *call)
{
	s64 level = 0;
	s32 status;

	if (!call->helper)
		return VSCMI_DEFER;
	status = vscmi_voltage_read(call, &level);
	vscmi_put32(call, level);
	return status;
}

static const struct vscmi_msg vscmi_voltage_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_voltage_attributes },
	[SCMI_VOLTAGE_DOMAIN_ATTRIBUTES] = {
		.run = vscmi_voltage_domain,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_VOLTAGE_DESCRIBE_LEVELS] = {
		.run = vscmi_voltage_levels,
		.min = 8,
		.resource = VSCMI_AT(0),
	},
	[SCMI_VOLTAGE_CONFIG_SET] = {
		.run = vscmi_voltage_config_set,
		.min = 8,
		.resource = VSCMI_AT(0),
		.value = VSCMI_AT(4),
		.flags = VSCMI_CHANGE,
	},
	[SCMI_VOLTAGE_CONFIG_GET] = {
		.run = vscmi_voltage_config_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_VOLTAGE_LEVEL_SET] = {
		.run = vscmi_voltage_level_set,
		.min = 12,
		.resource = VSCMI_AT(0),
		.value = VSCMI_AT(8),
		.flags = VSCMI_CHANGE,
	},
	[SCMI_VOLTAGE_LEVEL_GET] = {
		.run = vscmi_voltage_level_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_VOLTAGE_DOMAIN_NAME_GET] = {
		.run = vscmi_name_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
};

const struct vscmi_proto vscmi_voltage = {
	.id = SCMI_PROTOCOL_VOLTAGE,
	.version = SCMI_VERSION_VOLTAGE,
	.kind = DEVHOST_SCMI_VOLTAGE,
	.msgs = vscmi_voltage_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_voltage_msgs),
};
