// SPDX-License-Identifier: GPL-2.0-only
/* Writes to what it is only given to read. */
#include "devhost.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/can")
int BPF_PROG(can, struct devhost_policy_can *frame)
{
	frame->can_id = 0;
	return DEVHOST_VERDICT_ALLOW;
}

SEC(".struct_ops.link")
struct devhost_policy_ops policy = {
	.can = (void *)can,
};
