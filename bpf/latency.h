/* SPDX-License-Identifier: GPL-2.0-only */
/* Histograms of latencies: what latency.bpf.c counts and devhostd reads. */
#ifndef _LATENCY_H
#define _LATENCY_H

#include <linux/types.h>

/* Four slots for each power of two nanoseconds, to about 18 minutes. */
#define LATENCY_SLOTS 160

struct latency_queue {
	__u32 device;
	__u32 queue;
};

struct latency_counts {
	__u64 wait[LATENCY_SLOTS];	/* from a notification to the first request */
	__u64 service[LATENCY_SLOTS];	/* from a request to its answer */
};

/* The number of the highest bit; BPF has no instruction for it. */
static inline __u32 latency_log2(__u64 value)
{
	__u32 log = 0;

	for (__u32 step = 32; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			log += step;
		}
	}
	return log;
}

static inline __u32 latency_slot(__u64 ns)
{
	__u32 log, slot;

	if (ns < 4)
		return ns;
	log = latency_log2(ns);
	slot = 4 * (log - 1) + ((ns >> (log - 2)) & 3);
	return slot < LATENCY_SLOTS ? slot : LATENCY_SLOTS - 1;
}

/* The shortest latency of a slot, in nanoseconds. */
static inline __u64 latency_lower(__u32 slot)
{
	return slot < 4 ? slot : (__u64)(4 + slot % 4) << (slot / 4 - 1);
}

#endif /* _LATENCY_H */
