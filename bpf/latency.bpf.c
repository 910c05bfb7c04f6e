// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long guests' requests take, by the core's tracepoints: histograms for
 * each queue. Loaded while somebody looks at them; it costs nothing else.
 */
#include "devhost.bpf.h"
#include "latency.h"

#define LATENCY_QUEUES	1024
#define LATENCY_TAKEN	16384

struct devhost_device {
	__u32 id;
} __attribute__((preserve_access_index));

struct devhost_vq {
	struct devhost_device *dev;
	unsigned int index;
} __attribute__((preserve_access_index));

struct devhost_chain {
	__u16 id;
} __attribute__((preserve_access_index));

/* A request that was taken; after a reset its id means another one. */
struct latency_chain {
	struct latency_queue queue;
	__u32 resets;
	__u32 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LATENCY_QUEUES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct latency_queue);
	__type(value, struct latency_counts);
} counts SEC(".maps");

/* The first notification that the worker has not followed yet. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LATENCY_QUEUES);
	__type(key, struct latency_chain);
	__type(value, __u64);
} kicked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LATENCY_TAKEN);
	__type(key, struct latency_chain);
	__type(value, __u64);
} taken SEC(".maps");

/* By device. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LATENCY_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} resets SEC(".maps");

static const struct latency_counts none;

static struct latency_chain chain_of(const struct devhost_vq *vq, __u32 id)
{
	struct latency_chain key = {
		.queue = { .device = vq->dev->id, .queue = vq->index },
		.id = id,
	};
	const __u32 *seen = bpf_map_lookup_elem(&resets, &key.queue.device);

	key.resets = seen ? *seen : 0;
	return key;
}

static struct latency_counts *counts_of(const struct latency_queue *queue)
{
	struct latency_counts *found = bpf_map_lookup_elem(&counts, queue);

	if (found)
		return found;
	bpf_map_update_elem(&counts, queue, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&counts, queue);
}

static void count(__u64 *slots, __u64 since)
{
	__u32 slot = latency_slot(bpf_ktime_get_ns() - since);

	if (slot < LATENCY_SLOTS)
		__sync_fetch_and_add(&slots[slot], 1);
}

/* Verifiers since 6.12 take arguments of tracepoints for pointers that may be NULL. */
SEC("tp_btf/devhost_kick")
int BPF_PROG(kick, const struct devhost_vq *vq)
{
	struct latency_chain key;
	__u64 now = bpf_ktime_get_ns();

	if (!vq)
		return 0;
	key = chain_of(vq, 0);
	bpf_map_update_elem(&kicked, &key, &now, BPF_NOEXIST);
	return 0;
}

/* One that found no room and went back is taken again, and has waited since. */
SEC("tp_btf/devhost_pop")
int BPF_PROG(pop, const struct devhost_vq *vq, const struct devhost_chain *chain)
{
	__u64 now = bpf_ktime_get_ns();
	struct latency_counts *to;
	struct latency_chain key;
	const __u64 *since;

	if (!vq || !chain)
		return 0;
	key = chain_of(vq, 0);
	since = bpf_map_lookup_elem(&kicked, &key);
	if (since) {
		to = counts_of(&key.queue);
		if (to)
			count(to->wait, *since);
		bpf_map_delete_elem(&kicked, &key);
	}
	key.id = chain->id;
	bpf_map_update_elem(&taken, &key, &now, BPF_NOEXIST);
	return 0;
}

SEC("tp_btf/devhost_push")
int BPF_PROG(push, const struct devhost_vq *vq, __u16 id, __u32 len)
{
	struct latency_counts *to;
	struct latency_chain key;
	const __u64 *since;

	if (!vq)
		return 0;
	key = chain_of(vq, id);
	since = bpf_map_lookup_elem(&taken, &key);
	if (!since)
		return 0;
	to = counts_of(&key.queue);
	if (to)
		count(to->service, *since);
	bpf_map_delete_elem(&taken, &key);
	return 0;
}

SEC("tp_btf/devhost_reset")
int BPF_PROG(reset, const struct devhost_device *dev, __u8 status)
{
	const __u32 *seen;
	__u32 device, next;

	if (!dev)
		return 0;
	device = dev->id;
	seen = bpf_map_lookup_elem(&resets, &device);
	next = seen ? *seen + 1 : 1;
	bpf_map_update_elem(&resets, &device, &next, BPF_ANY);
	return 0;
}

char _license[] SEC("license") = "GPL";
