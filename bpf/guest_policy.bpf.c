// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy of a guest: one instance, and a program for each class of devices.
 *
 * What a guest's policy says nothing about, the manager takes out of the
 * instance before it is loaded: the call is left out, so that the kernel
 * refuses, and neither its program nor its maps are made.
 */
#include "can_policy.bpf.c"
#include "scmi_policy.bpf.c"
#include "snd_policy.bpf.c"
#include "video_policy.bpf.c"

char _license[] SEC("license") = "GPL";

SEC(".struct_ops.link")
struct devhost_policy_ops policy = {
	.can = (void *)can,
	.snd = (void *)snd,
	.scmi = (void *)scmi,
	.video = (void *)video,
};
