/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arbitration: what a resource of the host does is a pure function of what
 * the guests want of it, of the manager's ceiling, and of the level that it
 * has when nobody wants anything.
 *
 *   on/off       on while anybody wants it on and there is no ceiling of 0
 *   rate, level  the highest that anybody wants, within the ceiling
 */
#ifndef _VHOST_SCMI_ARBITRATE_H
#define _VHOST_SCMI_ARBITRATE_H

#include <linux/limits.h>
#include <linux/types.h>

#define VSCMI_NO_CEILING	U64_MAX

/**
 * struct vscmi_vote - what one guest wants of one resource
 * @on: it is to be on
 * @level: rate or level, 0 where it does not matter
 * @min: the least that suits, 0 where anything does
 * @max: the most that suits, U64_MAX where anything does
 * @since: when that last changed, in nanoseconds of CLOCK_BOOTTIME
 */
struct vscmi_vote {
	bool on;
	u64 level;
	u64 min;
	u64 max;
	u64 since;
};

#define VSCMI_NO_VOTE	((struct vscmi_vote){ .max = U64_MAX })

/**
 * struct vscmi_tally - votes counted so far
 * @on: somebody wants it on
 * @level: the highest that anybody wants, 0 where nobody does
 * @holders: how many have a vote
 */
struct vscmi_tally {
	bool on;
	u64 level;
	u32 holders;
};

/**
 * struct vscmi_state - what a resource of the host does
 * @on: the device host holds it on
 * @level: the device host has set it to; 0 where it has no levels
 */
struct vscmi_state {
	bool on;
	u64 level;
};

/* The level that a guest wants, within the limits that it set itself; 0: none */
static inline u64 vscmi_vote_level(const struct vscmi_vote *vote)
{
	u64 level = vote->level;

	if (level < vote->min)
		level = vote->min;
	return level > vote->max ? vote->max : level;
}

static inline bool vscmi_vote_held(const struct vscmi_vote *vote)
{
	return vote->on || vscmi_vote_level(vote);
}

static inline void vscmi_tally_add(struct vscmi_tally *tally,
				   const struct vscmi_vote *vote)
{
	u64 level = vscmi_vote_level(vote);

	tally->on |= vote->on;
	if (level > tally->level)
		tally->level = level;
	tally->holders += vscmi_vote_held(vote);
}

/* Of @levels, ascending: the least that is enough, else the highest allowed. */
static inline u64 vscmi_level_fit(const u64 *levels, unsigned int num,
				  u64 level, u64 ceiling)
{
	u64 fit = levels[0];
	unsigned int i;

	for (i = 0; i < num && levels[i] <= ceiling; i++) {
		fit = levels[i];
		if (fit >= level)
			break;
	}
	return fit;
}

/**
 * vscmi_arbitrate - what a resource is to do
 * @tally: all votes
 * @ceiling: the manager's, VSCMI_NO_CEILING where there is none
 * @base: the level when nobody wants one
 * @levels: the levels that there are, ascending; NULL where all are
 * @num: number of @levels
 *
 * Return: the state.
 */
static inline struct vscmi_state
vscmi_arbitrate(const struct vscmi_tally *tally, u64 ceiling, u64 base,
		const u64 *levels, unsigned int num)
{
	struct vscmi_state state = {
		.on = tally->on && ceiling,
		.level = tally->level ? tally->level : base,
	};

	if (!state.level)
		return state;
	if (state.level > ceiling && ceiling)
		state.level = ceiling;
	if (levels)
		state.level = vscmi_level_fit(levels, num, state.level, ceiling);
	return state;
}

#endif /* _VHOST_SCMI_ARBITRATE_H */
