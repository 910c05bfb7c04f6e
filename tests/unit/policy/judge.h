/* SPDX-License-Identifier: Apache-2.0 */
/* The decisions of the BPF programs, with a clock that the tests set. */
#ifndef JUDGE_H
#define JUDGE_H

#include <linux/types.h>

#include "can_policy.h"
#include "scmi_policy.h"
#include "snd_policy.h"
#include "video_policy.h"

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

enum devhost_policy_snd_request {
    DEVHOST_POLICY_SND_PARAMS,
    DEVHOST_POLICY_SND_START,
    DEVHOST_POLICY_SND_CONTROL,
};

struct devhost_policy_snd {
    __s64 value;
    __s64 min;
    __s64 max;
    __u32 guest;
    __u32 device;
    __u32 item;
    __u32 rate;
    __u32 format;
    __u32 channels;
    __u32 period_us;
    __u32 buffer_us;
    __u32 running;
    __u32 role;
    __u8 request;
    __u8 direction;
};

#define SCMI_NO_RESOURCE 0xffffffff

struct devhost_policy_scmi {
    __u32 guest;
    __u32 device;
    __u32 resource;
    __u8 protocol;
    __u8 message;
    __u64 value;
};

enum devhost_policy_video_request {
    DEVHOST_POLICY_VIDEO_CREATE,
    DEVHOST_POLICY_VIDEO_PARAMS,
    DEVHOST_POLICY_VIDEO_RESOLUTION,
    DEVHOST_POLICY_VIDEO_BITRATE,
};

struct devhost_policy_video {
    __u32 guest;
    __u32 device;
    __u32 stream;
    __u32 format;
    __u32 width;
    __u32 height;
    __u32 rate;
    __u32 bitrate;
    __u32 streams;
    __u8 request;
    __u8 encoder;
};

/* One for all threads. */
extern __u64 judge_clock;

/* These return enum devhost_verdict. */
int judge(const struct can_policy *policy, struct can_policy_state *state,
          const struct devhost_policy_can *frame);
int judge_snd(const struct snd_policy *policy, struct snd_policy_state *state,
              const struct devhost_policy_snd *request);
int judge_scmi(const struct scmi_policy *policy, struct scmi_policy_state *state,
               const struct devhost_policy_scmi *command);
int judge_video(const struct video_policy *policy, struct video_policy_state *state,
                const struct devhost_policy_video *request);

/* What the kernel is told of such a verdict by a policy with those POLICY_* flags. */
int judge_answer(__u32 given, int verdict);

#ifdef __cplusplus
}
#endif

#endif
