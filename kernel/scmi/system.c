// SPDX-License-Identifier: GPL-2.0-only
/*
 * System power protocol: what a guest asks for is a request to the manager,
 * which decides by the guest's role and tells the guest what comes of it.
 *
 * The last request is kept: a manager that was not there finds it.
 */
#include <linux/timekeeping.h>

#include "vhost_scmi.h"

static s32 vscmi_system_attributes(struct vscmi_call *call)
{
	vscmi_put32(call, 0);
	return SCMI_SUCCESS;
}

static s32 vscmi_system_set(struct vscmi_call *call)
{
	u32 flags = vscmi_param(call, 0);
	u32 state = vscmi_param(call, 4);
	struct vscmi *vs = call->vs;

	if (flags & ~SCMI_SYSTEM_GRACEFUL)
		return SCMI_INVALID_PARAMETERS;
	/* Powering up is for what is not running. */
	if (state > SCMI_SYSTEM_SUSPEND || state == SCMI_SYSTEM_POWER_UP)
		return SCMI_INVALID_PARAMETERS;
	spin_lock(&vs->event_lock);
	vs->request.seq++;
	vs->request.state = state;
	vs->request.flags = flags;
	vs->request.since = ktime_get_boottime_ns();
	spin_unlock(&vs->event_lock);
	vscmi_tell_request(vs);
	return SCMI_SUCCESS;
}

/* Whoever can ask is powered up. */
static s32 vscmi_system_get(struct vscmi_call *call)
{
	vscmi_put32(call, SCMI_SYSTEM_POWER_UP);
	return SCMI_SUCCESS;
}

static s32 vscmi_system_notify(struct vscmi_call *call)
{
	u32 enable = vscmi_param(call, 0);
	struct vscmi *vs = call->vs;

	if (enable > 1)
		return SCMI_INVALID_PARAMETERS;
	spin_lock(&vs->event_lock);
	vs->platform.tell_system = enable;
	spin_unlock(&vs->event_lock);
	/* There may be something to tell already. */
	devhost_raise(vs->dev, VSCMI_EVENT_NOTIFY);
	return SCMI_SUCCESS;
}

static const struct vscmi_msg vscmi_system_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_system_attributes },
	[SCMI_SYSTEM_POWER_STATE_SET] = {
		.run = vscmi_system_set,
		.min = 8,
		.value = VSCMI_AT(4),
	},
	[SCMI_SYSTEM_POWER_STATE_GET] = { .run = vscmi_system_get },
	[SCMI_SYSTEM_POWER_STATE_NOTIFY] = {
		.run = vscmi_system_notify,
		.min = 4,
		.flags = VSCMI_NOTIFY,
	},
};

const struct vscmi_proto vscmi_system = {
	.id = SCMI_PROTOCOL_SYSTEM,
	.version = SCMI_VERSION_SYSTEM,
	.kind = __DEVHOST_SCMI_KINDS,
	.msgs = vscmi_system_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_system_msgs),
};
