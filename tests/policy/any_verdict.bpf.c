// SPDX-License-Identifier: GPL-2.0-only
/* A policy that says whatever the test wants, also what no policy may say. */
#include "devhost.bpf.h"

char _license[] SEC("license") = "GPL";

const volatile int verdict;

SEC("struct_ops/can")
int BPF_PROG(can, const struct devhost_policy_can *frame)
{
	return verdict;
}

SEC(".struct_ops.link")
struct devhost_policy_ops policy = {
	.can = (void *)can,
};
