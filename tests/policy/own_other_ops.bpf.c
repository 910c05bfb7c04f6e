// SPDX-License-Identifier: GPL-2.0-only
/* A struct_ops that is none of ours: congestion control of the host's TCP. */
#include "devhost.bpf.h"

char _license[] SEC("license") = "GPL";

struct sock;

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	char name[16];
} __attribute__((preserve_access_index));

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(ssthresh, struct sock *sk)
{
	return 1;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops congestion = {
	.ssthresh = (void *)ssthresh,
	.name = "devhost_test",
};
