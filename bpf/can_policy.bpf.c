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
#include "devhost.bpf.h"

#include "can_policy_match.h"

char _license[] SEC("license") = "GPL";

const volatile struct can_policy can_policy;
const volatile struct can_policy_names can_policy_names SEC(".rodata.names");

/* Static, so that user space cannot map them: they hold a lock. */
static struct can_policy_state transmit SEC(".data.transmit");
static struct can_policy_state receive SEC(".data.receive");

static __always_inline int
judge(const volatile struct can_policy_rules *rules,
      struct can_policy_state *state, const struct devhost_policy_can *frame)
{
	__u32 key = can_policy_key(frame->can_id, frame->flags);
	enum can_policy_taken taken = CAN_POLICY_TAKEN;
	__u32 device = 1, limit;
	__u64 index;
	__u8 action;

	if ((rules->lowest[0] | rules->lowest[1]) &&
	    can_policy_too_urgent(rules, key)) {
		__sync_fetch_and_add(&state->priority, 1);
		return DEVHOST_VERDICT_DENY;
	}
	if (can_policy.devices) {
		device = can_policy_device(&can_policy, frame->device);
		if (!device) {
			__sync_fetch_and_add(&state->unknown_device, 1);
			return DEVHOST_VERDICT_DENY;
		}
	}

	index = can_policy_find(rules, key, device);
	action = rules->action[index];
	if (!(action & CAN_POLICY_ALLOW)) {
		__sync_fetch_and_add(&state->rule[index].dropped, 1);
		return DEVHOST_VERDICT_DENY;
	}

	limit = action & CAN_POLICY_LIMIT;
	if (limit | rules->limit) {
		__u32 bits = frame->bits;
		__u64 now = bpf_ktime_get_ns();

		bpf_spin_lock(&state->lock);
		taken = can_policy_take(rules, state, index, limit, bits, now);
		bpf_spin_unlock(&state->lock);
	}
	if (taken == CAN_POLICY_TAKEN) {
		__sync_fetch_and_add(&state->rule[index].passed, 1);
		return DEVHOST_VERDICT_ALLOW;
	}
	__sync_fetch_and_add(&state->rule[index].dropped, 1);
	if (taken == CAN_POLICY_GUEST_FULL)
		__sync_fetch_and_add(&state->guest_limit, 1);
	return DEVHOST_VERDICT_LIMIT;
}

SEC("struct_ops/can")
int BPF_PROG(can, const struct devhost_policy_can *frame)
{
	if (frame->direction == DEVHOST_TO_HOST)
		return judge(&can_policy.rules[CAN_POLICY_TRANSMIT], &transmit,
			     frame);
	return judge(&can_policy.rules[CAN_POLICY_RECEIVE], &receive, frame);
}

SEC(".struct_ops.link")
struct devhost_policy_ops policy = {
	.can = (void *)can,
};
