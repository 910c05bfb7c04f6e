/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <linux/virtio_snd.h>

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

#define policy_now() __atomic_load_n(&judge_clock, __ATOMIC_RELAXED)
#define policy_lock lock
#define policy_unlock unlock
#define policy_forget(value) (value)
#include "can_policy_match.h"
#include "scmi_policy_match.h"
#include "snd_policy_match.h"
#include "video_policy_match.h"

int judge(const struct can_policy *policy, struct can_policy_state *state,
          const struct devhost_policy_can *frame)
{
    return can_policy_judge(policy, &policy->rules[frame->direction], state, frame);
}

int judge_snd(const struct snd_policy *policy, struct snd_policy_state *state,
              const struct devhost_policy_snd *request)
{
    return snd_policy_judge(policy, state, request);
}

int judge_scmi(const struct scmi_policy *policy, struct scmi_policy_state *state,
               const struct devhost_policy_scmi *command)
{
    return scmi_policy_judge(policy, state, command);
}

int judge_video(const struct video_policy *policy, struct video_policy_state *state,
                const struct devhost_policy_video *request)
{
    return video_policy_judge(policy, state, request);
}

int judge_answer(__u32 given, int verdict)
{
    return policy_verdict(given, verdict);
}
