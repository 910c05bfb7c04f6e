/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The decisions of can_policy.bpf.c. Plain C, so that the unit tests run the
 * very same code natively. Whoever includes it has defined before:
 *
 *	struct devhost_policy_can	the frame
 *	can_policy_now()		nanoseconds that never go back
 *	can_policy_lock(), can_policy_unlock()	on a struct bpf_spin_lock
 */
#ifndef _CAN_POLICY_MATCH_H
#define _CAN_POLICY_MATCH_H

#include <linux/devhost.h>
#include <linux/stddef.h>

#include "can_policy.h"

static __always_inline __u32 can_policy_key(__u32 can_id, __u8 flags)
{
	return can_id | (__u32)flags << CAN_POLICY_KEY_SHIFT;
}

/* The bit of a device in struct can_policy_match, 0 if it is not known. */
static __always_inline __u32
can_policy_device(const struct can_policy *policy, __u32 device)
{
	__u32 i;

	for (i = 0; i < policy->devices && i < CAN_POLICY_DEVICES; i++) {
		if (policy->device[i] == device)
			return 1U << i;
	}
	return 0;
}

/* Whether the frame would win over everything that the guest may send. */
static __always_inline int
can_policy_too_urgent(const struct can_policy_rules *rules, __u32 key)
{
	__u32 id = key & CAN_POLICY_KEY_ID;

	if (key & CAN_POLICY_KEY_EXTENDED)
		return id < rules->lowest[1];
	return id < rules->lowest[0];
}

/* The first rule that matches; at the latest the default. */
static __always_inline __u64
can_policy_find(const struct can_policy_rules *rules, __u32 key,
		__u32 device)
{
	__u32 base = key & CAN_POLICY_KEY_ID;
	__u64 i;

	if (key & CAN_POLICY_KEY_EXTENDED)
		i = rules->start[1][base >> CAN_POLICY_BASE_SHIFT];
	else
		i = rules->start[0][base & (CAN_POLICY_BASES - 1)];

	for (; i < CAN_POLICY_RULES; i++) {
		const struct can_policy_match *m = &rules->match[i];

		if ((key & m->mask) - m->first <= m->span &&
		    m->devices & device)
			return i;
	}
	return CAN_POLICY_RULES;
}

/*
 * Let time pay off debt. Time may seem to go back: another CPU took its time
 * stamp later and the lock earlier; then nothing is paid.
 */
static __always_inline void
can_policy_pay(const struct can_policy_bucket *bucket,
	       struct can_policy_level *level, __u64 now)
{
	__u64 elapsed, paid;

	if (now <= level->time)
		return;
	elapsed = now - level->time;
	level->time = now;
	if (elapsed >= bucket->empty_ns) {
		level->debt = 0;
		return;
	}
	/* below capacity + rate: no overflow */
	paid = elapsed * bucket->rate;
	level->debt = level->debt > paid ? level->debt - paid : 0;
}

static __always_inline int
can_policy_fits(const struct can_policy_bucket *bucket,
		const struct can_policy_level *level, __u64 cost)
{
	return level->debt + cost <= bucket->capacity;
}

enum can_policy_taken {
	CAN_POLICY_TAKEN,
	CAN_POLICY_RULE_FULL,
	CAN_POLICY_GUEST_FULL,
};

/*
 * Charge a frame to the buckets of its rule and of the guest: to all or to
 * none. The caller holds the lock.
 */
static __always_inline enum can_policy_taken
can_policy_take(const struct can_policy_rules *rules,
		struct can_policy_state *state, __u64 index, __u32 limit,
		__u32 bits, __u64 now)
{
	const __u64 frame_cost = CAN_POLICY_TOKEN;
	const __u64 bits_cost = bits * CAN_POLICY_TOKEN;
	const __u32 guest = rules->limit;
	const struct can_policy_bucket *bucket = rules->bucket[index];
	struct can_policy_level *level = state->level[index];

	if (limit & CAN_POLICY_LIMIT_FRAMES) {
		can_policy_pay(&bucket[CAN_POLICY_FRAMES],
			       &level[CAN_POLICY_FRAMES], now);
		if (!can_policy_fits(&bucket[CAN_POLICY_FRAMES],
				     &level[CAN_POLICY_FRAMES], frame_cost))
			return CAN_POLICY_RULE_FULL;
	}
	if (limit & CAN_POLICY_LIMIT_BITS) {
		can_policy_pay(&bucket[CAN_POLICY_BITS],
			       &level[CAN_POLICY_BITS], now);
		if (!can_policy_fits(&bucket[CAN_POLICY_BITS],
				     &level[CAN_POLICY_BITS], bits_cost))
			return CAN_POLICY_RULE_FULL;
	}
	if (guest & CAN_POLICY_LIMIT_FRAMES) {
		can_policy_pay(&rules->guest[CAN_POLICY_FRAMES],
			       &state->guest[CAN_POLICY_FRAMES], now);
		if (!can_policy_fits(&rules->guest[CAN_POLICY_FRAMES],
				     &state->guest[CAN_POLICY_FRAMES],
				     frame_cost))
			return CAN_POLICY_GUEST_FULL;
	}
	if (guest & CAN_POLICY_LIMIT_BITS) {
		can_policy_pay(&rules->guest[CAN_POLICY_BITS],
			       &state->guest[CAN_POLICY_BITS], now);
		if (!can_policy_fits(&rules->guest[CAN_POLICY_BITS],
				     &state->guest[CAN_POLICY_BITS], bits_cost))
			return CAN_POLICY_GUEST_FULL;
	}

	if (limit & CAN_POLICY_LIMIT_FRAMES)
		level[CAN_POLICY_FRAMES].debt += frame_cost;
	if (limit & CAN_POLICY_LIMIT_BITS)
		level[CAN_POLICY_BITS].debt += bits_cost;
	if (guest & CAN_POLICY_LIMIT_FRAMES)
		state->guest[CAN_POLICY_FRAMES].debt += frame_cost;
	if (guest & CAN_POLICY_LIMIT_BITS)
		state->guest[CAN_POLICY_BITS].debt += bits_cost;
	return CAN_POLICY_TAKEN;
}

static __always_inline int
can_policy_judge(const struct can_policy *policy,
		 const struct can_policy_rules *rules,
		 struct can_policy_state *state,
		 const struct devhost_policy_can *frame)
{
	__u32 key = can_policy_key(frame->can_id, frame->flags);
	enum can_policy_taken taken = CAN_POLICY_TAKEN;
	__u32 device = 1, limit;
	__u64 index;
	__u8 action;

	if ((rules->lowest[0] | rules->lowest[1]) &&
	    can_policy_too_urgent(rules, key)) {
		__sync_fetch_and_add(&state->priority, 1);
		return DEVHOST_VERDICT_DENY;
	}
	if (policy->devices) {
		device = can_policy_device(policy, frame->device);
		if (!device) {
			__sync_fetch_and_add(&state->unknown_device, 1);
			return DEVHOST_VERDICT_DENY;
		}
	}

	index = can_policy_find(rules, key, device);
	action = rules->action[index];
	if (!(action & CAN_POLICY_ALLOW)) {
		__sync_fetch_and_add(&state->rule[index].dropped, 1);
		return DEVHOST_VERDICT_DENY;
	}

	limit = action & CAN_POLICY_LIMIT;
	if (limit | rules->limit) {
		__u32 bits = frame->bits;
		__u64 now = can_policy_now();

		can_policy_lock(&state->lock);
		taken = can_policy_take(rules, state, index, limit, bits, now);
		can_policy_unlock(&state->lock);
	}
	if (taken == CAN_POLICY_TAKEN) {
		__sync_fetch_and_add(&state->rule[index].passed, 1);
		return DEVHOST_VERDICT_ALLOW;
	}
	__sync_fetch_and_add(&state->rule[index].dropped, 1);
	if (taken == CAN_POLICY_GUEST_FULL)
		__sync_fetch_and_add(&state->guest_limit, 1);
	return DEVHOST_VERDICT_LIMIT;
}

#endif /* _CAN_POLICY_MATCH_H */
