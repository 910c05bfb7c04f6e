// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one guest may send to, and is given from, its CAN buses.
 *
 * Each direction has an ordered list of rules; the first that matches a frame
 * allows or denies it, and where none matches the direction's default does. An
 * allowed frame must also fit the token buckets of its rule and of the guest.
 * What the guest sends must not be more urgent than its lowest identifier.
 *
 * An instance never changes: the rules are constants that the verifier sees, so
 * what a guest's rules don't use is not in the program. Changing the policy is
 * loading another instance and swapping it in with a link update.
 */
#include "policy.bpf.h"

#include "can_policy_match.h"

const struct can_policy can_policy __weak;

/* Static, so that user space cannot map them: they hold a lock. */
static struct can_policy_state transmit SEC(".data.transmit");
static struct can_policy_state receive SEC(".data.receive");

SEC("struct_ops/can")
int BPF_PROG(can, const struct devhost_policy_can *frame)
{
	int verdict;

	if (frame->direction == DEVHOST_TO_HOST)
		verdict = can_policy_judge(&can_policy,
					   &can_policy.rules[CAN_POLICY_TRANSMIT],
					   &transmit, frame);
	else
		verdict = can_policy_judge(&can_policy,
					   &can_policy.rules[CAN_POLICY_RECEIVE],
					   &receive, frame);
	return policy_answer(verdict);
}
