// SPDX-License-Identifier: GPL-2.0-only
/* A policy that brings a program of another type. */
#include "devhost.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/can")
int BPF_PROG(can, const struct devhost_policy_can *frame)
{
	return DEVHOST_VERDICT_ALLOW;
}

SEC("socket")
int stowaway(void *context)
{
	return 0;
}

SEC(".struct_ops.link")
struct devhost_policy_ops policy = {
	.can = (void *)can,
};
