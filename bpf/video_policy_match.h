/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The decisions of video_policy.bpf.c. Plain C, so that the unit tests run the
 * very same code natively. Whoever includes it has defined before:
 *
 *	struct devhost_policy_video	the request
 *	DEVHOST_POLICY_VIDEO_*		what is requested
 *
 * and what policy_match.h wants.
 */
#ifndef _VIDEO_POLICY_MATCH_H
#define _VIDEO_POLICY_MATCH_H

#include "policy_match.h"
#include "video_policy.h"

static __always_inline int
video_policy_has_format(__u32 formats, __u32 format)
{
	__u32 bit = format - VIDEO_POLICY_FORMAT;

	return formats == VIDEO_POLICY_ANY ||
	       (bit < VIDEO_POLICY_FORMATS && formats >> bit & 1);
}

/* The first rule that matches; at the latest the default. */
static __always_inline __u64
video_policy_find(const struct video_policy_rules *rules, __u32 format,
		  __u32 device)
{
	__u64 i;

	for (i = 0; i < rules->count && i < POLICY_RULES; i++) {
		const struct video_policy_match *m = &rules->match[i];

		if (video_policy_has_format(m->formats, format) &&
		    m->devices & device)
			break;
	}
	return i;
}

/* What is not known is 0, and too much of nothing. */
static __always_inline enum video_policy_reason
video_policy_exceeds(const struct video_policy_limits *limits,
		     const struct devhost_policy_video *request)
{
	__u64 pixels = (__u64)request->width * request->height;
	__u32 rate = request->rate;

	if (request->width > limits->width_max ||
	    request->height > limits->height_max ||
	    pixels > limits->pixels_max)
		return VIDEO_POLICY_SIZE;
	/* Three of 32 bits do not fit: divided, not multiplied. */
	if (rate && pixels > limits->pixels_per_second_max / rate)
		return VIDEO_POLICY_RATE;
	if (request->bitrate > limits->bitrate_max)
		return VIDEO_POLICY_BITRATE;
	return VIDEO_POLICY_FINE;
}

static __always_inline int
video_policy_judge_by(const struct video_policy *policy,
		      const struct video_policy_rules *rules,
		      struct video_policy_counters *counters,
		      const struct devhost_policy_video *request)
{
	enum video_policy_reason reason;
	__u32 device = 1;
	__u64 index;

	if (policy->devices.count) {
		device = policy_device(&policy->devices, request->device);
		device = policy_forget(device);
		if (!device) {
			policy_count(&counters->unknown_device);
			return DEVHOST_VERDICT_DENY;
		}
	}

	index = video_policy_find(rules, request->format, device);
	index = policy_forget(index);
	if (index >= POLICY_ENTRIES)
		return DEVHOST_VERDICT_DENY;
	if (!(rules->action[index] & POLICY_ALLOW)) {
		policy_count(&counters->rule[index].dropped);
		return DEVHOST_VERDICT_DENY;
	}

	reason = video_policy_exceeds(&rules->limits, request);
	if (reason == VIDEO_POLICY_FINE)
		reason = video_policy_exceeds(&rules->limit[index], request);
	if (reason == VIDEO_POLICY_FINE &&
	    request->request == DEVHOST_POLICY_VIDEO_CREATE &&
	    request->streams >= rules->streams_max)
		reason = VIDEO_POLICY_STREAMS;
	if (reason == VIDEO_POLICY_FINE) {
		policy_count(&counters->rule[index].passed);
		return DEVHOST_VERDICT_ALLOW;
	}
	policy_count(&counters->rule[index].dropped);
	policy_count(&counters->reason[reason]);
	/* Only this one may be otherwise a moment later. */
	return reason == VIDEO_POLICY_STREAMS ? DEVHOST_VERDICT_LIMIT :
						DEVHOST_VERDICT_DENY;
}

static __always_inline int
video_policy_judge(const struct video_policy *policy,
		   struct video_policy_state *state,
		   const struct devhost_policy_video *request)
{
	if (request->encoder)
		return video_policy_judge_by(policy,
					     &policy->rules[VIDEO_POLICY_ENCODE],
					     &state->table[VIDEO_POLICY_ENCODE],
					     request);
	return video_policy_judge_by(policy,
				     &policy->rules[VIDEO_POLICY_DECODE],
				     &state->table[VIDEO_POLICY_DECODE],
				     request);
}

#endif /* _VIDEO_POLICY_MATCH_H */
