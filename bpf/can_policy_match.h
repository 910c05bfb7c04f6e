/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The decisions of can_policy.bpf.c. Plain C, so that the unit tests run the
 * very same code natively. Whoever includes it has defined before:
 *
 *	struct devhost_policy_can	the frame
 *
 * and what policy_match.h wants.
 */
#ifndef _CAN_POLICY_MATCH_H
#define _CAN_POLICY_MATCH_H

#include "can_policy.h"
#include "policy_match.h"

static __always_inline __u32 can_policy_key(__u32 can_id, __u8 flags)
{
	return can_id | (__u32)flags << CAN_POLICY_KEY_SHIFT;
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
		base >>= CAN_POLICY_BASE_SHIFT;
	i = rules->start[key >> CAN_POLICY_KEY_SHIFT][base & (CAN_POLICY_BASES - 1)];

	for (; i < POLICY_RULES; i++) {
		const struct can_policy_match *m = &rules->match[i];

		if ((key & m->mask) - m->first <= m->span &&
		    m->devices & device)
			return i;
	}
	return POLICY_RULES;
}

/*
 * Charge a frame to the buckets of its rule and of the guest: to all or to
 * none. The caller holds the lock.
 */
static __always_inline enum policy_taken
can_policy_take(const struct can_policy_rules *rules,
		struct can_policy_state *state, __u64 index, __u32 limit,
		__u32 bits, __u64 now)
{
	const __u64 frame_cost = POLICY_TOKEN;
	const __u64 bits_cost = bits * POLICY_TOKEN;
	const __u32 guest = rules->limit;
	const struct policy_bucket *bucket = rules->bucket[index];
	struct policy_level *level = state->level[index];

	if (limit & CAN_POLICY_LIMIT_FRAMES) {
		policy_pay(&bucket[CAN_POLICY_FRAMES],
			   &level[CAN_POLICY_FRAMES], now);
		if (!policy_fits(&bucket[CAN_POLICY_FRAMES],
				 &level[CAN_POLICY_FRAMES], frame_cost))
			return POLICY_RULE_FULL;
	}
	if (limit & CAN_POLICY_LIMIT_BITS) {
		policy_pay(&bucket[CAN_POLICY_BITS],
			   &level[CAN_POLICY_BITS], now);
		if (!policy_fits(&bucket[CAN_POLICY_BITS],
				 &level[CAN_POLICY_BITS], bits_cost))
			return POLICY_RULE_FULL;
	}
	if (guest & CAN_POLICY_LIMIT_FRAMES) {
		policy_pay(&rules->guest[CAN_POLICY_FRAMES],
			   &state->guest[CAN_POLICY_FRAMES], now);
		if (!policy_fits(&rules->guest[CAN_POLICY_FRAMES],
				 &state->guest[CAN_POLICY_FRAMES],
				 frame_cost))
			return POLICY_GUEST_FULL;
	}
	if (guest & CAN_POLICY_LIMIT_BITS) {
		policy_pay(&rules->guest[CAN_POLICY_BITS],
			   &state->guest[CAN_POLICY_BITS], now);
		if (!policy_fits(&rules->guest[CAN_POLICY_BITS],
				 &state->guest[CAN_POLICY_BITS], bits_cost))
			return POLICY_GUEST_FULL;
	}

	if (limit & CAN_POLICY_LIMIT_FRAMES)
		level[CAN_POLICY_FRAMES].debt += frame_cost;
	if (limit & CAN_POLICY_LIMIT_BITS)
		level[CAN_POLICY_BITS].debt += bits_cost;
	if (guest & CAN_POLICY_LIMIT_FRAMES)
		state->guest[CAN_POLICY_FRAMES].debt += frame_cost;
	if (guest & CAN_POLICY_LIMIT_BITS)
		state->guest[CAN_POLICY_BITS].debt += bits_cost;
	return POLICY_TAKEN;
}

static __always_inline int
can_policy_judge(const struct can_policy *policy,
		 const struct can_policy_rules *rules,
		 struct can_policy_state *state,
		 const struct devhost_policy_can *frame)
{
	__u32 key = can_policy_key(frame->can_id, frame->flags);
	enum policy_taken taken = POLICY_TAKEN;
	__u32 device = 1, limit;
	__u64 index;
	__u8 action;

	if ((rules->lowest[0] | rules->lowest[1]) &&
	    can_policy_too_urgent(rules, key)) {
		policy_count(&state->priority);
		return DEVHOST_VERDICT_DENY;
	}
	if (policy->devices.count) {
		device = policy_device(&policy->devices, frame->device);
		if (!device) {
			policy_count(&state->unknown_device);
			return DEVHOST_VERDICT_DENY;
		}
	}

	index = can_policy_find(rules, key, device);
	action = rules->action[index];
	if (!(action & POLICY_ALLOW)) {
		policy_count(&state->rule[index].dropped);
		return DEVHOST_VERDICT_DENY;
	}

	limit = action & CAN_POLICY_LIMIT;
	if (limit | rules->limit) {
		__u32 bits = frame->bits;
		__u64 now = policy_now();

		policy_lock(&state->lock);
		taken = can_policy_take(rules, state, index, limit, bits, now);
		policy_unlock(&state->lock);
	}
	return policy_settle(taken, &state->rule[index],
			     &state->guest_limit);
}

#endif /* _CAN_POLICY_MATCH_H */
