// SPDX-License-Identifier: GPL-2.0-only
/* A policy of one rule: commands that it is about, and what becomes of them. */
#include "devhost.bpf.h"

char _license[] SEC("license") = "GPL";

/* As the test has it: struct rule. */
const volatile struct {
	__u64 above; /* only where the value is above this */
	__u32 protocol;
	__u32 message;
	__u32 resource;
	__u32 all_resources;
	__s32 verdict;
	__u32 unused;
} rule;

SEC("struct_ops/scmi")
int BPF_PROG(scmi, const struct devhost_policy_scmi *command)
{
	if (command->protocol != rule.protocol ||
	    command->message != rule.message)
		return DEVHOST_VERDICT_ALLOW;
	if (!rule.all_resources && command->resource != rule.resource)
		return DEVHOST_VERDICT_ALLOW;
	if (rule.above && command->value <= rule.above)
		return DEVHOST_VERDICT_ALLOW;
	return rule.verdict;
}

SEC(".struct_ops.link")
struct devhost_policy_ops policy = {
	.scmi = (void *)scmi,
};
