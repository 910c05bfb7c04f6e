// SPDX-License-Identifier: GPL-2.0-only
/*
 * The manager hears of votes and requests, but not as often as a guest can make
 * them: one guest must not drown what others have to say.
 */
#include "vhost_scmi.h"

/* At most twenty times a second each. */
#define VSCMI_TELL_DELAY	(HZ / 20)

static void vscmi_tell_work(struct work_struct *work)
{
	struct vscmi *vs = container_of(to_delayed_work(work), struct vscmi, tell);
	unsigned int i;

	if (xchg(&vs->requested, false))
		devhost_power_requested(vs->dev);
	for (i = 0; i < vs->num_views; i++) {
		if (xchg(&vs->views[i]->changed, false))
			devhost_resource_changed(vs->dev, i);
	}
}

/* Before the first of its resources is published. */
void vscmi_tell_create(struct vscmi *vs)
{
	INIT_DELAYED_WORK(&vs->tell, vscmi_tell_work);
}

/* When nobody has anything to tell of the device any more. */
void vscmi_tell_stop(struct vscmi *vs)
{
	cancel_delayed_work_sync(&vs->tell);
}

/**
 * vscmi_tell - tell the manager that a vote, or what comes of it, has changed
 * @view: the resource as a guest has it
 *
 * Context: Any.
 */
void vscmi_tell(struct vscmi_view *view)
{
	/* What is not told yet is told with what has changed by then. */
	if (!xchg(&view->changed, true))
		queue_delayed_work(vscmi_workqueue, &view->vs->tell,
				   VSCMI_TELL_DELAY);
}

/**
 * vscmi_tell_request - tell the manager what the guest asks for
 * @vs: the device
 *
 * Context: Any.
 */
void vscmi_tell_request(struct vscmi *vs)
{
	WRITE_ONCE(vs->requested, true);
	queue_delayed_work(vscmi_workqueue, &vs->tell, VSCMI_TELL_DELAY);
}
