/* SPDX-License-Identifier: GPL-2.0-only */
/* What policy_match.h wants, as BPF has it. */
#ifndef _POLICY_BPF_H
#define _POLICY_BPF_H

#include "devhost.bpf.h"

#include "can_policy.h"

#define policy_now()		bpf_ktime_get_ns()
#define policy_lock(lock)	bpf_spin_lock(lock)
#define policy_unlock(lock)	bpf_spin_unlock(lock)

/* Not static: such a function is verified by itself. */
__weak __noinline __u32 policy_forget(__u32 value)
{
	asm volatile("" : "+r"(value));
	return value;
}

/* Of all parts. Weak, or the compiler would take the zeroes here for the values. */
SEC(".rodata.names") const struct can_policy_names can_policy_names __weak;

/* Every part's program returns by it. */
#define policy_answer(verdict)	policy_verdict(can_policy_names.given, verdict)

#endif /* _POLICY_BPF_H */
