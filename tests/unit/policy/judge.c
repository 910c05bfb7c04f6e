/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

__u64 judge_clock;

static void lock(struct bpf_spin_lock *lock)
{
    while (__sync_lock_test_and_set(&lock->val, 1))
        ;
}

static void unlock(struct bpf_spin_lock *lock)
{
    __sync_lock_release(&lock->val);
}

#define can_policy_now() __atomic_load_n(&judge_clock, __ATOMIC_RELAXED)
#define can_policy_lock lock
#define can_policy_unlock unlock
#include "can_policy_match.h"

int judge(const struct can_policy *policy, struct can_policy_state *state,
          const struct devhost_policy_can *frame)
{
    return can_policy_judge(policy, &policy->rules[frame->direction], state, frame);
}
