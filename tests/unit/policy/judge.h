/* SPDX-License-Identifier: Apache-2.0 */
/* The decisions of bpf/can_policy.bpf.c, with a clock that the tests set. */
#ifndef JUDGE_H
#define JUDGE_H

#include <linux/types.h>

#include "can_policy.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FRAME_EXTENDED 0x01
#define FRAME_FD 0x02
#define FRAME_RTR 0x04

struct devhost_policy_can {
    __u32 guest;
    __u32 device;
    __u32 can_id;
    __u32 bits;
    __u8 direction;
    __u8 flags;
    __u8 len;
};

/* One for all threads. */
extern __u64 judge_clock;

/* Returns enum devhost_verdict. */
int judge(const struct can_policy *policy, struct can_policy_state *state,
          const struct devhost_policy_can *frame);

#ifdef __cplusplus
}
#endif

#endif
