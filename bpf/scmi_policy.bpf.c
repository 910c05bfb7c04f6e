// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one guest may ask of its SCMI platforms.
 *
 * There is an ordered list of rules; the first that matches a command allows or
 * denies it, and where none matches the default does. An allowed command must
 * set nothing to a value out of its rule's range, and fit the token buckets of
 * its rule and of the guest.
 */
#include "policy.bpf.h"

#include "scmi_policy_match.h"

const struct scmi_policy scmi_policy SEC(".rodata.scmi") __weak;
const struct scmi_policy_names scmi_policy_names SEC(".rodata.scmi_names")
	__weak;

/* Static, so that user space cannot map it: it holds a lock. */
static struct scmi_policy_state commands SEC(".data.scmi");

SEC("struct_ops/scmi")
int BPF_PROG(scmi, const struct devhost_policy_scmi *command)
{
	return policy_answer(scmi_policy_judge(&scmi_policy, &commands,
					       command));
}
