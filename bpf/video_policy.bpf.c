// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one guest may decode and encode on its video devices.
 *
 * Both have an ordered list of rules; the first that matches a request allows or
 * denies it, and where none matches the list's default does. What is allowed
 * must keep to the limits of its rule and of its list, which no rule lifts.
 */
#include "policy.bpf.h"

#include "video_policy_match.h"

const struct video_policy video_policy SEC(".rodata.video") __weak;
const struct video_policy_names video_policy_names SEC(".rodata.video_names")
	__weak;

static struct video_policy_state videos SEC(".data.video");

SEC("struct_ops/video")
int BPF_PROG(video, const struct devhost_policy_video *request)
{
	return policy_answer(video_policy_judge(&video_policy, &videos,
						request));
}
