/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the decisions of all parts have in common. Plain C, so that the unit
 * tests run the very same code natively. Whoever includes it has defined before:
 *
 *	policy_now()			nanoseconds that never go back
 *	policy_lock(), policy_unlock()	on a struct bpf_spin_lock
 *	policy_forget()			its argument, of which the verifier then
 *					knows nothing: what follows a search is
 *					verified once, not for each of its ends
 */
#ifndef _POLICY_MATCH_H
#define _POLICY_MATCH_H

#include <linux/devhost.h>
#include <linux/stddef.h>

#include "can_policy.h"
#include "policy.h"

/* The bit of a device in the rules, 0 if it is not known. */
static __always_inline __u32
policy_device(const struct policy_devices *devices, __u32 device)
{
	__u32 i;

	for (i = 0; i < devices->count && i < POLICY_DEVICES; i++) {
		if (devices->id[i] == device)
			return 1U << i;
	}
	return 0;
}

/*
 * Let time pay off debt. Time may seem to go back: another CPU took its time
 * stamp later and the lock earlier; then nothing is paid.
 */
static __always_inline void
policy_pay(const struct policy_bucket *bucket, struct policy_level *level,
	   __u64 now)
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
policy_fits(const struct policy_bucket *bucket,
	    const struct policy_level *level, __u64 cost)
{
	return level->debt + cost <= bucket->capacity;
}

/* Whose bucket was empty, if any. */
enum policy_taken {
	POLICY_TAKEN,
	POLICY_RULE_FULL,
	POLICY_GUEST_FULL,
};

static __always_inline void policy_count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/* What becomes of an item that rules allow, and its verdict. */
static __always_inline int
policy_settle(enum policy_taken taken, struct policy_counter *rule,
	      __u64 *guest_limit)
{
	if (taken == POLICY_TAKEN) {
		policy_count(&rule->passed);
		return DEVHOST_VERDICT_ALLOW;
	}
	policy_count(&rule->dropped);
	if (taken == POLICY_GUEST_FULL)
		policy_count(guest_limit);
	return DEVHOST_VERDICT_LIMIT;
}

/*
 * What the kernel is told: in audit mode an item that was judged, and counted,
 * as one to be refused is served.
 */
static __always_inline int policy_verdict(__u32 given, int verdict)
{
	if (verdict != DEVHOST_VERDICT_ALLOW && given & POLICY_AUDIT)
		return DEVHOST_VERDICT_AUDIT;
	return verdict;
}

#endif /* _POLICY_MATCH_H */
