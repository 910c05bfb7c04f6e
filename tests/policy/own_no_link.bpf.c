// SPDX-License-Identifier: GPL-2.0-only
/* Without a link, it could not be replaced. */
#include "devhost.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/can")
int BPF_PROG(can, const struct devhost_policy_can *frame)
{
	return DEVHOST_VERDICT_ALLOW;
}

SEC(".struct_ops")
struct devhost_policy_ops policy = {
	.can = (void *)can,
};
