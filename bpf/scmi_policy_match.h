/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The decisions of scmi_policy.bpf.c. Plain C, so that the unit tests run the
 * very same code natively. Whoever includes it has defined before:
 *
 *	struct devhost_policy_scmi	the command
 *
 * and what policy_match.h wants.
 */
#ifndef _SCMI_POLICY_MATCH_H
#define _SCMI_POLICY_MATCH_H

#include "policy_match.h"
#include "scmi_policy.h"

static __always_inline int
scmi_policy_has_message(__u32 messages, __u32 message)
{
	return messages == SCMI_POLICY_ALL ||
	       (message < SCMI_POLICY_MESSAGES && messages >> message & 1);
}

/* The first rule that matches; at the latest the default. */
static __always_inline __u64
scmi_policy_find(const struct scmi_policy *policy,
		 const struct devhost_policy_scmi *command, __u32 device)
{
	__u32 protocol = command->protocol;
	__u32 message = command->message;
	__u32 resource = command->resource;
	__u64 i;

	for (i = 0; i < policy->count && i < POLICY_RULES; i++) {
		const struct scmi_policy_match *m = &policy->match[i];

		if ((!m->protocol || m->protocol == protocol) &&
		    scmi_policy_has_message(m->messages, message) &&
		    resource - m->first <= m->span && m->devices & device)
			break;
	}
	return i;
}

/*
 * Charge a command to the buckets of its rule and of the guest: to both or to
 * none. The caller holds the lock.
 */
static __always_inline enum policy_taken
scmi_policy_take(const struct scmi_policy *policy,
		 struct scmi_policy_state *state, __u64 index, __u32 limit,
		 __u64 now)
{
	const struct policy_bucket *bucket = &policy->bucket[index];
	struct policy_level *level = &state->level[index];

	if (limit) {
		policy_pay(bucket, level, now);
		if (!policy_fits(bucket, level, POLICY_TOKEN))
			return POLICY_RULE_FULL;
	}
	if (policy->limit) {
		policy_pay(&policy->guest, &state->guest, now);
		if (!policy_fits(&policy->guest, &state->guest, POLICY_TOKEN))
			return POLICY_GUEST_FULL;
		state->guest.debt += POLICY_TOKEN;
	}
	if (limit)
		level->debt += POLICY_TOKEN;
	return POLICY_TAKEN;
}

static __always_inline int
scmi_policy_judge(const struct scmi_policy *policy,
		  struct scmi_policy_state *state,
		  const struct devhost_policy_scmi *command)
{
	enum policy_taken taken = POLICY_TAKEN;
	__u32 device = 1, limit;
	__u64 index, value;

	if (policy->devices.count) {
		device = policy_device(&policy->devices, command->device);
		device = policy_forget(device);
		if (!device) {
			policy_count(&state->unknown_device);
			return DEVHOST_VERDICT_DENY;
		}
	}

	index = scmi_policy_find(policy, command, device);
	index = policy_forget(index);
	if (index >= POLICY_ENTRIES)
		return DEVHOST_VERDICT_DENY;
	if (!(policy->action[index] & POLICY_ALLOW)) {
		policy_count(&state->rule[index].dropped);
		return DEVHOST_VERDICT_DENY;
	}
	value = command->value;
	if (value < policy->range[index].min ||
	    value > policy->range[index].max) {
		policy_count(&state->rule[index].dropped);
		policy_count(&state->value);
		return DEVHOST_VERDICT_DENY;
	}

	limit = policy->action[index] & SCMI_POLICY_LIMIT;
	if (limit | policy->limit) {
		__u64 now = policy_now();

		policy_lock(&state->lock);
		taken = scmi_policy_take(policy, state, index, limit, now);
		policy_unlock(&state->lock);
	}
	return policy_settle(taken, &state->rule[index],
			     &state->guest_limit);
}

#endif /* _SCMI_POLICY_MATCH_H */
