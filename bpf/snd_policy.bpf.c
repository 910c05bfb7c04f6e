// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one guest may play, record and set on its sound devices.
 *
 * Streams that play, streams that record and control elements each have an
 * ordered list of rules; the first that matches a request allows or denies it,
 * and where none matches the list's default does. What is allowed must keep to
 * the limits of its rule and of its list, which no rule lifts.
 */
#include "policy.bpf.h"

#include <linux/virtio_snd.h>

#include "snd_policy_match.h"

const struct snd_policy snd_policy SEC(".rodata.snd") __weak;
const struct snd_policy_names snd_policy_names SEC(".rodata.snd_names") __weak;

static struct snd_policy_state sounds SEC(".data.snd");

SEC("struct_ops/snd")
int BPF_PROG(snd, const struct devhost_policy_snd *request)
{
	return policy_answer(snd_policy_judge(&snd_policy, &sounds, request));
}
