// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sensor protocol: scalar sensors, their trip points and periodic updates.
 *
 * Thermal zones and IIO channels signal nothing that a module could hear of,
 * so a sensor is read from time to time while its guest wants to hear of it.
 * What the manager pushes is looked at when it comes.
 */
#include <linux/bitfield.h>

#include "vhost_scmi.h"
#include "watch.h"

enum {
	VSCMI_SENSOR_TRIPPED,
	VSCMI_SENSOR_UPDATE,
};

#define VSCMI_SENSOR_DESCRIPTION_SIZE	28

static s32 vscmi_sensor_attributes(struct vscmi_call *call)
{
	u32 async = vscmi_if_p2a(call, VSCMI_DELAYED_MAX);

	vscmi_put32(call, vscmi_count(call) | async << 16);
	/* No shared memory. */
	vscmi_put64(call, 0);
	vscmi_put32(call, 0);
	return SCMI_SUCCESS;
}

static void vscmi_sensor_describe(struct vscmi_call *call,
				  const struct vscmi_view *view)
{
	u32 low;

	low = vscmi_if_p2a(call, SCMI_SENSOR_ASYNC | SCMI_SENSOR_UPDATE_NOTIFY |
				 VSCMI_TRIPS);
	if (vscmi_long_name(view))
		low |= SCMI_SENSOR_EXTENDED_NAME;
	vscmi_put32(call, view->id);
	vscmi_put32(call, low);
	vscmi_put32(call, FIELD_PREP(SCMI_SENSOR_TYPE, view->host->type) |
			  FIELD_PREP(SCMI_SENSOR_SCALE, view->host->scale & 0x1f));
	vscmi_put_name(call, view->name, SCMI_SHORT_NAME_SIZE);
}

static s32 vscmi_sensor_description(struct vscmi_call *call)
{
	u32 num = vscmi_count(call);
	u32 skip = vscmi_param(call, 0);
	u32 room, i;

	if (skip >= num)
		return SCMI_OUT_OF_RANGE;
	if (call->room < 4 + VSCMI_SENSOR_DESCRIPTION_SIZE)
		return SCMI_PROTOCOL_ERROR;
	room = (call->room - 4) / VSCMI_SENSOR_DESCRIPTION_SIZE;
	num -= skip;
	room = min(room, num);
	vscmi_put32(call, room | (num - room) << 16);
	for (i = 0; i < room; i++)
		vscmi_sensor_describe(call, vscmi_view_find(call->vs,
							    DEVHOST_SCMI_SENSOR,
							    skip + i));
	return SCMI_SUCCESS;
}

static s32 vscmi_sensor_trip_config(struct vscmi_call *call)
{
	u32 control = vscmi_param(call, 4);
	u32 trip = FIELD_GET(SCMI_SENSOR_TRIP_ID, control);

	if (control & ~(SCMI_SENSOR_TRIP_EVENTS | SCMI_SENSOR_TRIP_ID) ||
	    trip >= VSCMI_TRIPS)
		return SCMI_INVALID_PARAMETERS;
	vscmi_watch_trip(call->view, trip,
			 FIELD_GET(SCMI_SENSOR_TRIP_EVENTS, control),
			 vscmi_param64(call, 8));
	return SCMI_SUCCESS;
}

static s32 vscmi_sensor_subscribe(struct vscmi_call *call, unsigned int event)
{
	s32 status = vscmi_subscribe(call, event);

	if (!status)
		vscmi_watch_begin(call->view);
	return status;
}

static s32 vscmi_sensor_trip_notify(struct vscmi_call *call)
{
	return vscmi_sensor_subscribe(call, VSCMI_SENSOR_TRIPPED);
}

static s32 vscmi_sensor_update_notify(struct vscmi_call *call)
{
	return vscmi_sensor_subscribe(call, VSCMI_SENSOR_UPDATE);
}

static s32 vscmi_sensor_reading(struct vscmi_call *call)
{
	struct vscmi_host *host = call->view->host;
	u32 flags = vscmi_param(call, 4);
	s64 value;
	int err;

	if (flags & ~SCMI_SENSOR_READ_ASYNC)
		return SCMI_INVALID_PARAMETERS;
	if (flags && !call->vs->p2a)
		return SCMI_NOT_SUPPORTED;
	if (!call->helper && (flags ||
			      host->source != DEVHOST_SCMI_SOURCE_PUSHED)) {
		call->delayed = flags;
		return VSCMI_DEFER;
	}
	err = host->ops->read(host, &value);
	if (err)
		return vscmi_status(err);
	if (call->delayed)
		vscmi_put32(call, call->view->id);
	vscmi_put64(call, value);
	/* Readings bear no time. */
	vscmi_put64(call, 0);
	return SCMI_SUCCESS;
}

/* From a tenth of a second to an hour, in tenths of a second. */
static s32 vscmi_sensor_intervals(struct vscmi_call *call)
{
	const u32 tenth = 1 << 5 | (-1 & 0x1f);

	if (vscmi_param(call, 4))
		return SCMI_OUT_OF_RANGE;
	vscmi_put32(call, 3 | SCMI_SENSOR_INTERVALS_SEGMENTED);
	vscmi_put32(call, tenth);
	vscmi_put32(call, 3600 << 5);
	vscmi_put32(call, tenth);
	return SCMI_SUCCESS;
}

static s32 vscmi_sensor_config_get(struct vscmi_call *call)
{
	vscmi_put32(call, vscmi_watch_config(call->view));
	return SCMI_SUCCESS;
}

static s32 vscmi_sensor_config_set(struct vscmi_call *call)
{
	const u32 known = SCMI_SENSOR_CONFIG_ENABLE | SCMI_SENSOR_CONFIG_ROUND |
			  SCMI_SENSOR_CONFIG_EXPONENT |
			  SCMI_SENSOR_CONFIG_INTERVAL;
	u32 config = vscmi_param(call, 4);

	if (config & SCMI_SENSOR_CONFIG_TIMESTAMP)
		return SCMI_NOT_SUPPORTED;
	if (config & ~known)
		return SCMI_INVALID_PARAMETERS;
	vscmi_watch_configure(call->view, config);
	return SCMI_SUCCESS;
}

static size_t vscmi_sensor_event(struct vscmi_view *view, unsigned int id,
				 u32 agent, u8 *payload)
{
	put_unaligned_le32(agent, payload);
	put_unaligned_le32(view->id, payload + 4);
	if (id == VSCMI_SENSOR_TRIPPED) {
		u32 tripped;

		if (!vscmi_watch_tripped(view, &tripped))
			return 0;
		put_unaligned_le32(tripped, payload + 8);
		return 12;
	}
	put_unaligned_le64(view->watch->value, payload + 8);
	put_unaligned_le64(0, payload + 16);
	return 24;
}

/* There may be more trip points that were passed. */
static bool vscmi_sensor_sent(struct vscmi_view *view, unsigned int id)
{
	return id == VSCMI_SENSOR_TRIPPED && vscmi_watch_told(view);
}

static const struct vscmi_msg vscmi_sensor_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_sensor_attributes },
	[SCMI_SENSOR_DESCRIPTION_GET] = {
		.run = vscmi_sensor_description,
		.min = 4,
	},
	[SCMI_SENSOR_TRIP_POINT_NOTIFY] = {
		.run = vscmi_sensor_trip_notify,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_SENSOR_TRIP_POINT_CONFIG] = {
		.run = vscmi_sensor_trip_config,
		.min = 16,
		.resource = VSCMI_AT(0),
		.value = VSCMI_AT(8),
		.wide = true,
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_SENSOR_READING_GET] = {
		.run = vscmi_sensor_reading,
		.min = 8,
		.resource = VSCMI_AT(0),
	},
	[SCMI_SENSOR_LIST_UPDATE_INTERVALS] = {
		.run = vscmi_sensor_intervals,
		.min = 8,
		.resource = VSCMI_AT(0),
	},
	[SCMI_SENSOR_CONFIG_GET] = {
		.run = vscmi_sensor_config_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_SENSOR_CONFIG_SET] = {
		.run = vscmi_sensor_config_set,
		.min = 8,
		.resource = VSCMI_AT(0),
		.value = VSCMI_AT(4),
	},
	[SCMI_SENSOR_CONTINUOUS_UPDATE_NOTIFY] = {
		.run = vscmi_sensor_update_notify,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_SENSOR_NAME_GET] = {
		.run = vscmi_name_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
};

const struct vscmi_proto vscmi_sensor = {
	.id = SCMI_PROTOCOL_SENSOR,
	.version = SCMI_VERSION_SENSOR,
	.kind = DEVHOST_SCMI_SENSOR,
	.msgs = vscmi_sensor_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_sensor_msgs),
	.event = vscmi_sensor_event,
	.sent = vscmi_sensor_sent,
};
