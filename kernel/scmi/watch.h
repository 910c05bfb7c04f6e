/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sensors that are watched for a guest: trip points, periodic updates.
 */
#ifndef _VHOST_SCMI_WATCH_H
#define _VHOST_SCMI_WATCH_H

#include "vhost_scmi.h"

/**
 * struct vscmi_trip - a trip point that a guest has set
 * @events: SCMI_SENSOR_TRIP_POSITIVE, _NEGATIVE
 * @value: where it is
 * @crossed: directions that are to be told of
 */
struct vscmi_trip {
	u32 events;
	s64 value;
	u32 crossed;
};

/**
 * struct vscmi_watch - a sensor that a guest may watch; the worker's
 * @view: the sensor
 * @job: reads it
 * @busy: the job is under way
 * @err: of the job
 * @read: what the job has read
 * @valid: there is a value
 * @value: the last one
 * @pushes: of a sensor that is pushed: how many values there were at the last
 * @due: when to look again, in jiffies
 * @config: as SENSOR_CONFIG_SET left it
 * @trips: the trip points
 */
struct vscmi_watch {
	struct vscmi_view *view;
	struct devhost_job job;
	bool busy;
	int err;
	s64 read;
	bool valid;
	s64 value;
	u32 pushes;
	unsigned long due;
	u32 config;
	struct vscmi_trip trips[VSCMI_TRIPS];
};

void vscmi_watch_trip(struct vscmi_view *view, unsigned int trip, u32 events,
		      s64 value);
void vscmi_watch_begin(struct vscmi_view *view);
u32 vscmi_watch_config(const struct vscmi_view *view);
void vscmi_watch_configure(struct vscmi_view *view, u32 config);
bool vscmi_watch_tripped(const struct vscmi_view *view, u32 *tripped);
bool vscmi_watch_told(struct vscmi_view *view);

#endif /* _VHOST_SCMI_WATCH_H */
