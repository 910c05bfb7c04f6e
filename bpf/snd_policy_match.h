/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The decisions of snd_policy.bpf.c. Plain C, so that the unit tests run the
 * very same code natively. Whoever includes it has defined before:
 *
 *	struct devhost_policy_snd	the request
 *	DEVHOST_POLICY_SND_*		what is requested
 *
 * and what policy_match.h wants.
 */
#ifndef _SND_POLICY_MATCH_H
#define _SND_POLICY_MATCH_H

#include "policy_match.h"
#include "snd_policy.h"

/* The first rule that matches; at the latest the default. */
static __always_inline __u64
snd_policy_find(const struct snd_policy_rules *rules, __u32 item, __u32 kind,
		__u32 device)
{
	__u64 i;

	for (i = 0; i < rules->count && i < POLICY_RULES; i++) {
		const struct snd_policy_match *m = &rules->match[i];

		if (item - m->first <= m->span && m->devices & device &&
		    m->kinds & kind)
			break;
	}
	return i;
}

static __always_inline int
snd_policy_has_rate(const struct snd_policy_limits *limits, __u32 rate)
{
	__u32 i;

	for (i = 0; i < limits->rates && i < SND_POLICY_RATES; i++) {
		if (limits->rate[i] == rate)
			return 1;
	}
	return !limits->rates;
}

/* Whether a control element would be set to more of its range than that. */
static __always_inline int
snd_policy_too_loud(__u32 percent, const struct devhost_policy_snd *request)
{
	/* All of what 64 bits can be, without overflow. */
	__u64 span = (__u64)request->max - (__u64)request->min;
	__u64 whole = span / SND_POLICY_PERCENT;
	__u64 rest = span - whole * SND_POLICY_PERCENT;
	__u64 most = whole * percent + rest * percent / SND_POLICY_PERCENT;

	return (__u64)request->value - (__u64)request->min > most;
}

static __always_inline enum snd_policy_reason
snd_policy_exceeds(const struct snd_policy_limits *limits, int volume,
		   const struct devhost_policy_snd *request)
{
	if (request->request == DEVHOST_POLICY_SND_CONTROL) {
		if (volume && limits->volume_max < SND_POLICY_PERCENT &&
		    snd_policy_too_loud(limits->volume_max, request))
			return SND_POLICY_VOLUME;
		return SND_POLICY_FINE;
	}
	if (request->channels > limits->channels_max)
		return SND_POLICY_CHANNELS;
	if (!snd_policy_has_rate(limits, request->rate))
		return SND_POLICY_RATE;
	if (request->period_us < limits->period_min)
		return SND_POLICY_PERIOD;
	return SND_POLICY_FINE;
}

/* Whether the table's own ceiling is for this element: what makes it louder. */
static __always_inline int
snd_policy_is_volume(const struct devhost_policy_snd *request)
{
	return request->role == VIRTIO_SND_CTL_ROLE_VOLUME ||
	       request->role == VIRTIO_SND_CTL_ROLE_GAIN;
}

static __always_inline int
snd_policy_judge_by(const struct snd_policy *policy,
		    const struct snd_policy_rules *rules,
		    struct snd_policy_counters *counters,
		    const struct devhost_policy_snd *request)
{
	enum snd_policy_reason reason;
	__u32 device = 1, kind = 1;
	__u64 index;

	if (policy->devices.count) {
		device = policy_device(&policy->devices, request->device);
		device = policy_forget(device);
		if (!device) {
			policy_count(&counters->unknown_device);
			return DEVHOST_VERDICT_DENY;
		}
	}
	if (request->request == DEVHOST_POLICY_SND_CONTROL)
		kind <<= (request->role << 1 | request->direction) & 31;

	index = snd_policy_find(rules, request->item, kind, device);
	index = policy_forget(index);
	if (index >= POLICY_ENTRIES)
		return DEVHOST_VERDICT_DENY;
	if (!(rules->action[index] & POLICY_ALLOW)) {
		policy_count(&counters->rule[index].dropped);
		return DEVHOST_VERDICT_DENY;
	}

	reason = snd_policy_exceeds(&rules->limits,
				    snd_policy_is_volume(request), request);
	if (reason == SND_POLICY_FINE)
		reason = snd_policy_exceeds(&rules->limit[index], 1, request);
	if (reason == SND_POLICY_FINE &&
	    request->request == DEVHOST_POLICY_SND_START &&
	    request->running >= rules->streams_max)
		reason = SND_POLICY_STREAMS;
	if (reason == SND_POLICY_FINE) {
		policy_count(&counters->rule[index].passed);
		return DEVHOST_VERDICT_ALLOW;
	}
	policy_count(&counters->rule[index].dropped);
	policy_count(&counters->reason[reason]);
	/* Only this one may be otherwise a moment later. */
	return reason == SND_POLICY_STREAMS ? DEVHOST_VERDICT_LIMIT :
					      DEVHOST_VERDICT_DENY;
}

static __always_inline int
snd_policy_judge(const struct snd_policy *policy,
		 struct snd_policy_state *state,
		 const struct devhost_policy_snd *request)
{
	if (request->request == DEVHOST_POLICY_SND_CONTROL)
		return snd_policy_judge_by(policy,
					   &policy->rules[SND_POLICY_CONTROL],
					   &state->table[SND_POLICY_CONTROL],
					   request);
	if (request->direction == SND_POLICY_PLAYBACK)
		return snd_policy_judge_by(policy,
					   &policy->rules[SND_POLICY_PLAYBACK],
					   &state->table[SND_POLICY_PLAYBACK],
					   request);
	return snd_policy_judge_by(policy, &policy->rules[SND_POLICY_CAPTURE],
				   &state->table[SND_POLICY_CAPTURE], request);
}

#endif /* _SND_POLICY_MATCH_H */
