// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performance domain protocol: a domain has the highest level that any guest
 * asks for. Levels are kHz, which is what guests make of them.
 */
#include "vhost_scmi.h"

enum {
	VSCMI_PERF_LIMITS_CHANGED,
	VSCMI_PERF_LEVEL_CHANGED,
};

#define VSCMI_PERF_LEVEL_SIZE	20

/* First of the host's levels that the guest has, and how many it has. */
static unsigned int vscmi_perf_levels(const struct vscmi_view *view,
				      unsigned int *first)
{
	const struct vscmi_host *host = view->host;
	unsigned int num = 0;
	unsigned int i;

	*first = 0;
	for (i = 0; i < host->num_levels; i++) {
		if (host->levels[i] < view->min)
			*first = i + 1;
		else if (host->levels[i] <= view->max)
			num++;
	}
	return num;
}

static u64 vscmi_perf_top(const struct vscmi_view *view)
{
	unsigned int first;
	unsigned int num = vscmi_perf_levels(view, &first);

	return num ? view->host->levels[first + num - 1] : view->max;
}

static bool vscmi_perf_level_valid(const struct vscmi_view *view, u64 level)
{
	return level >= view->min && level <= view->max;
}

static s32 vscmi_perf_attributes(struct vscmi_call *call)
{
	vscmi_put32(call, vscmi_count(call));
	/* No statistics. */
	vscmi_put64(call, 0);
	vscmi_put32(call, 0);
	return SCMI_SUCCESS;
}

static s32 vscmi_perf_domain(struct vscmi_call *call)
{
	struct vscmi_view *view = call->view;
	u32 top = vscmi_perf_top(view);
	u32 flags = 0;

	if (!view->read_only)
		flags |= SCMI_PERF_SET_LIMITS | SCMI_PERF_SET_LEVEL;
	flags |= vscmi_if_p2a(call, SCMI_PERF_LIMIT_NOTIFY |
				    SCMI_PERF_LEVEL_NOTIFY);
	if (vscmi_long_name(view))
		flags |= SCMI_PERF_EXTENDED_NAME;
	vscmi_put32(call, flags);
	/* As often as it likes. */
	vscmi_put32(call, 0);
	/* The sustained frequency and its level: that gives a level its unit. */
	vscmi_put32(call, top);
	vscmi_put32(call, top);
	vscmi_put_name(call, view->name, SCMI_SHORT_NAME_SIZE);
	return SCMI_SUCCESS;
}

static s32 vscmi_perf_describe(struct vscmi_call *call)
{
	unsigned int first, num, room, i;
	struct vscmi_view *view = call->view;
	u32 skip = vscmi_param(call, 4);

	num = vscmi_perf_levels(view, &first);
	if (skip > num)
		return SCMI_OUT_OF_RANGE;
	if (call->room < 4 + VSCMI_PERF_LEVEL_SIZE)
		return SCMI_PROTOCOL_ERROR;
	room = (call->room - 4) / VSCMI_PERF_LEVEL_SIZE;
	num -= skip;
	room = min(room, num);
	vscmi_put32(call, room | (num - room) << 16);
	for (i = 0; i < room; i++) {
		u32 level = view->host->levels[first + skip + i];

		vscmi_put32(call, level);
		/* What it costs, and how long it takes, is not known. */
		vscmi_put32(call, 0);
		vscmi_put32(call, 0);
		vscmi_put32(call, level);
		vscmi_put32(call, skip + i);
	}
	return SCMI_SUCCESS;
}

static s32 vscmi_perf_limits_set(struct vscmi_call *call)
{
	u32 upper = vscmi_param(call, 4);
	u32 lower = vscmi_param(call, 8);
	struct vscmi_vote vote = {
		.min = lower,
		.max = upper ? upper : U64_MAX,
	};

	/* 0 leaves a limit as it is; one of them has to be there. */
	if (!upper && !lower)
		return SCMI_INVALID_PARAMETERS;
	if (vote.min > vote.max)
		return SCMI_INVALID_PARAMETERS;
	if ((upper && !vscmi_perf_level_valid(call->view, upper)) ||
	    (lower && !vscmi_perf_level_valid(call->view, lower)))
		return SCMI_OUT_OF_RANGE;
	return vscmi_vote(call, (upper ? VSCMI_VOTE_MAX : 0) |
				(lower ? VSCMI_VOTE_MIN : 0), &vote);
}

/* The limits that hold for the guest: its own, and what it can have at most. */
static void vscmi_perf_limits(struct vscmi_view *view, u32 *upper, u32 *lower)
{
	struct vscmi_state now;
	struct vscmi_vote vote;

	vscmi_vote_read(view, &vote, &now);
	*lower = max(vote.min, view->min);
	*upper = min3(vote.max, vscmi_perf_top(view),
		      READ_ONCE(view->host->ceiling));
}

static s32 vscmi_perf_limits_get(struct vscmi_call *call)
{
	u32 upper, lower;

	vscmi_perf_limits(call->view, &upper, &lower);
	vscmi_put32(call, upper);
	vscmi_put32(call, lower);
	return SCMI_SUCCESS;
}

static s32 vscmi_perf_level_set(struct vscmi_call *call)
{
	u32 level = vscmi_param(call, 4);

	if (!vscmi_perf_level_valid(call->view, level))
		return SCMI_OUT_OF_RANGE;
	return vscmi_vote_for_level(call, level);
}

static s32 vscmi_perf_level_get(struct vscmi_call *call)
{
	struct vscmi_host *host = call->view->host;
	s64 level;
	int err;

	if (!call->helper)
		return VSCMI_DEFER;
	err = host->ops->read(host, &level);
	if (err)
		return vscmi_status(err);
	vscmi_put32(call, level);
	return SCMI_SUCCESS;
}

static s32 vscmi_perf_notify_limits(struct vscmi_call *call)
{
	return vscmi_subscribe(call, VSCMI_PERF_LIMITS_CHANGED);
}

static s32 vscmi_perf_notify_level(struct vscmi_call *call)
{
	return vscmi_subscribe(call, VSCMI_PERF_LEVEL_CHANGED);
}

static size_t vscmi_perf_event(struct vscmi_view *view, unsigned int id,
			       u32 agent, u8 *payload)
{
	u32 upper, lower;

	put_unaligned_le32(agent, payload);
	put_unaligned_le32(view->id, payload + 4);
	if (id == VSCMI_PERF_LEVEL_CHANGED) {
		put_unaligned_le32(READ_ONCE(view->host->now.level), payload + 8);
		return 12;
	}
	vscmi_perf_limits(view, &upper, &lower);
	put_unaligned_le32(upper, payload + 8);
	put_unaligned_le32(lower, payload + 12);
	return 16;
}

static const struct vscmi_msg vscmi_perf_msgs[] = {
	[SCMI_PROTOCOL_ATTRIBUTES] = { .run = vscmi_perf_attributes },
	[SCMI_PERF_DOMAIN_ATTRIBUTES] = {
		.run = vscmi_perf_domain,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_PERF_DESCRIBE_LEVELS] = {
		.run = vscmi_perf_describe,
		.min = 8,
		.resource = VSCMI_AT(0),
	},
	[SCMI_PERF_LIMITS_SET] = {
		.run = vscmi_perf_limits_set,
		.min = 12,
		.resource = VSCMI_AT(0),
		/* The lower limit: it is what makes the level higher. */
		.value = VSCMI_AT(8),
		.flags = VSCMI_CHANGE,
	},
	[SCMI_PERF_LIMITS_GET] = {
		.run = vscmi_perf_limits_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_PERF_LEVEL_SET] = {
		.run = vscmi_perf_level_set,
		.min = 8,
		.resource = VSCMI_AT(0),
		.value = VSCMI_AT(4),
		.flags = VSCMI_CHANGE,
	},
	[SCMI_PERF_LEVEL_GET] = {
		.run = vscmi_perf_level_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
	[SCMI_PERF_NOTIFY_LIMITS] = {
		.run = vscmi_perf_notify_limits,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_PERF_NOTIFY_LEVEL] = {
		.run = vscmi_perf_notify_level,
		.min = 8,
		.resource = VSCMI_AT(0),
		.flags = VSCMI_NOTIFY,
	},
	[SCMI_PERF_DOMAIN_NAME_GET] = {
		.run = vscmi_name_get,
		.min = 4,
		.resource = VSCMI_AT(0),
	},
};

const struct vscmi_proto vscmi_perf = {
	.id = SCMI_PROTOCOL_PERF,
	.version = SCMI_VERSION_PERF,
	.kind = DEVHOST_SCMI_PERF,
	.msgs = vscmi_perf_msgs,
	.num_msgs = ARRAY_SIZE(vscmi_perf_msgs),
	.event = vscmi_perf_event,
};
