// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sensors that are watched for a guest. All of it is the worker's, but for the
 * readings themselves, which are the helpers', and the timer.
 */
#include <linux/bitfield.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/slab.h>

#include "watch.h"

/* Bounds of the interval between readings, in milliseconds. */
#define VSCMI_WATCH_MIN		100
#define VSCMI_WATCH_DEFAULT	1000
#define VSCMI_WATCH_MAX		(3600 * 1000)

/* The interval is seconds times a power of ten. */
static unsigned long vscmi_watch_interval(const struct vscmi_watch *watch)
{
	s32 exponent = sign_extend32(FIELD_GET(SCMI_SENSOR_CONFIG_EXPONENT,
					       watch->config), 4);
	u64 ms = FIELD_GET(SCMI_SENSOR_CONFIG_INTERVAL, watch->config) * 1000ULL;

	if (!ms)
		return msecs_to_jiffies(VSCMI_WATCH_DEFAULT);
	for (; exponent > 0 && ms < VSCMI_WATCH_MAX; exponent--)
		ms *= 10;
	for (; exponent < 0 && ms; exponent++)
		ms = div_u64(ms, 10);
	return msecs_to_jiffies(clamp(ms, VSCMI_WATCH_MIN, VSCMI_WATCH_MAX));
}

static void vscmi_watch_raise(struct vscmi_view *view, unsigned int event)
{
	spin_lock(&view->host->lock);
	vscmi_event_raise(view, event, 0, NULL);
	spin_unlock(&view->host->lock);
}

/* Which way a value has passed a trip point. */
static u32 vscmi_trip_crossed(const struct vscmi_trip *trip, s64 was, s64 is)
{
	if (was < trip->value && is >= trip->value)
		return trip->events & SCMI_SENSOR_TRIP_POSITIVE;
	if (was >= trip->value && is < trip->value)
		return trip->events & SCMI_SENSOR_TRIP_NEGATIVE;
	return 0;
}

static void vscmi_watch_value(struct vscmi_watch *watch, s64 value)
{
	bool tripped = false;
	unsigned int i;

	for (i = 0; watch->valid && i < VSCMI_TRIPS; i++) {
		struct vscmi_trip *trip = &watch->trips[i];

		trip->crossed |= vscmi_trip_crossed(trip, watch->value, value);
		tripped |= trip->crossed;
	}
	watch->value = value;
	watch->valid = true;
	if (tripped)
		vscmi_watch_raise(watch->view, 0);
	if (watch->config & SCMI_SENSOR_CONFIG_ENABLE)
		vscmi_watch_raise(watch->view, 1);
}

static void vscmi_watch_run(struct devhost_job *job)
{
	struct vscmi_watch *watch = container_of(job, struct vscmi_watch, job);
	struct vscmi_host *host = watch->view->host;

	watch->err = host->ops->read(host, &watch->read);
}

static void vscmi_watch_done(struct devhost_device *dev, struct devhost_job *job)
{
	struct vscmi_watch *watch = container_of(job, struct vscmi_watch, job);

	WRITE_ONCE(watch->busy, false);
	if (!watch->err)
		vscmi_watch_value(watch, watch->read);
}

static void vscmi_watch_drop(struct devhost_job *job)
{
	struct vscmi_watch *watch = container_of(job, struct vscmi_watch, job);

	WRITE_ONCE(watch->busy, false);
}

static bool vscmi_watched(struct vscmi_view *view)
{
	return READ_ONCE(view->subscribed);
}

static void vscmi_watch_read(struct vscmi_watch *watch)
{
	struct vscmi_host *host = watch->view->host;

	if (host->source == DEVHOST_SCMI_SOURCE_PUSHED) {
		u32 pushes = READ_ONCE(host->pushes);

		if (pushes != watch->pushes && !host->ops->read(host, &watch->read))
			vscmi_watch_value(watch, watch->read);
		watch->pushes = pushes;
		return;
	}
	/* A reading of a past start may still be under way. */
	if (READ_ONCE(watch->busy) || time_before(jiffies, watch->due))
		return;
	watch->due = jiffies + vscmi_watch_interval(watch);
	watch->busy = true;
	if (devhost_submit(watch->view->vs->dev, &watch->job))
		watch->busy = false;
}

/**
 * vscmi_watch_poll - look at the sensors that are watched
 * @vs: the device
 *
 * Context: The worker.
 */
void vscmi_watch_poll(struct vscmi *vs)
{
	unsigned long now = jiffies;
	unsigned long next = now + msecs_to_jiffies(VSCMI_WATCH_MAX);
	bool timed = false;
	unsigned int i;

	for (i = 0; i < vs->num[DEVHOST_SCMI_SENSOR]; i++) {
		struct vscmi_view *view = vs->views[vs->first[DEVHOST_SCMI_SENSOR] + i];

		if (!vscmi_watched(view)) {
			view->watch->valid = false;
			view->watch->pushes = 0;
			continue;
		}
		vscmi_watch_read(view->watch);
		if (view->host->source == DEVHOST_SCMI_SOURCE_PUSHED)
			continue;
		timed = true;
		if (time_before(view->watch->due, next))
			next = view->watch->due;
	}
	/* One that is late is looked at when it is there. */
	if (timed)
		mod_timer(&vs->timer, time_after(next, now) ?
				      next : now + msecs_to_jiffies(VSCMI_WATCH_MIN));
}

void vscmi_watch_timer(struct timer_list *timer)
{
	struct vscmi *vs = container_of(timer, struct vscmi, timer);

	if (READ_ONCE(vs->live))
		devhost_raise(vs->dev, VSCMI_EVENT_POLL);
}

/**
 * vscmi_watch_push - a sensor that the kernel can't read has a value
 * @view: the sensor as one guest has it; all that have it get the value
 * @value: in the sensor's scale
 *
 * Context: Process context.
 */
void vscmi_watch_push(struct vscmi_view *view, s64 value)
{
	struct vscmi_host *host = view->host;

	spin_lock(&host->lock);
	host->pushed = value;
	host->pushes = max(host->pushes + 1, 1U);
	list_for_each_entry(view, &host->views, list) {
		if (view->subscribed && READ_ONCE(view->vs->live))
			devhost_raise(view->vs->dev, VSCMI_EVENT_POLL);
	}
	spin_unlock(&host->lock);
}

int vscmi_watch_create(struct vscmi_view *view)
{
	struct vscmi_watch *watch = kzalloc_obj(*watch);

	if (!watch)
		return -ENOMEM;
	watch->view = view;
	watch->job.run = vscmi_watch_run;
	watch->job.done = vscmi_watch_done;
	watch->job.drop = vscmi_watch_drop;
	watch->config = SCMI_SENSOR_CONFIG_ENABLE;
	view->watch = watch;
	return 0;
}

/* Forget what the driver has set up; not live, the worker is stopped. */
void vscmi_watch_reset(struct vscmi *vs)
{
	unsigned int i;

	timer_delete_sync(&vs->timer);
	for (i = 0; i < vs->num[DEVHOST_SCMI_SENSOR]; i++) {
		struct vscmi_view *view = vs->views[vs->first[DEVHOST_SCMI_SENSOR] + i];

		view->watch->valid = false;
		view->watch->pushes = 0;
		view->watch->config = SCMI_SENSOR_CONFIG_ENABLE;
		memset(view->watch->trips, 0, sizeof(view->watch->trips));
	}
}

/* A value is needed before a trip point can be passed. */
void vscmi_watch_begin(struct vscmi_view *view)
{
	view->watch->due = jiffies;
	devhost_raise(view->vs->dev, VSCMI_EVENT_POLL);
}

void vscmi_watch_trip(struct vscmi_view *view, unsigned int trip, u32 events,
		      s64 value)
{
	view->watch->trips[trip] = (struct vscmi_trip){
		.events = events,
		.value = value,
	};
}

u32 vscmi_watch_config(const struct vscmi_view *view)
{
	return view->watch->config;
}

void vscmi_watch_configure(struct vscmi_view *view, u32 config)
{
	view->watch->config = config;
	vscmi_watch_begin(view);
}

/* The first trip point that was passed and not told of. */
static struct vscmi_trip *vscmi_watch_first(const struct vscmi_view *view)
{
	struct vscmi_watch *watch = view->watch;
	unsigned int i;

	for (i = 0; i < VSCMI_TRIPS; i++) {
		if (watch->trips[i].crossed)
			return &watch->trips[i];
	}
	return NULL;
}

/* What there is to tell of it: its number and the direction. */
bool vscmi_watch_tripped(const struct vscmi_view *view, u32 *tripped)
{
	const struct vscmi_trip *trip = vscmi_watch_first(view);

	if (!trip)
		return false;
	*tripped = trip - view->watch->trips;
	if (trip->crossed & SCMI_SENSOR_TRIP_POSITIVE)
		*tripped |= SCMI_SENSOR_TRIP_DESC_DIRECTION;
	return true;
}

/* It was told of; whether there is another one. */
bool vscmi_watch_told(struct vscmi_view *view)
{
	struct vscmi_trip *trip = vscmi_watch_first(view);

	if (trip)
		trip->crossed &= trip->crossed & SCMI_SENSOR_TRIP_POSITIVE ?
				 ~SCMI_SENSOR_TRIP_POSITIVE : 0;
	return vscmi_watch_first(view);
}
