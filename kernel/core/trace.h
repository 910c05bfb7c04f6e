/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the device host: /sys/kernel/tracing/events/devhost. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM devhost

#if !defined(_DEVHOST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DEVHOST_TRACE_H

#include <linux/tracepoint.h>

#include "core.h"

DECLARE_EVENT_CLASS(devhost_vq,
	TP_PROTO(const struct devhost_vq *vq),
	TP_ARGS(vq),
	TP_STRUCT__entry(
		__string(guest, vq->dev->guest->name)
		__string(device, vq->dev->name)
		__field(unsigned int, vq)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(device);
		__entry->vq = vq->index;
	),
	TP_printk("%s.%s vq=%u", __get_str(guest), __get_str(device),
		  __entry->vq)
);

/* The driver notified a queue; may fire in the context of an interrupt. */
DEFINE_EVENT(devhost_vq, devhost_kick,
	TP_PROTO(const struct devhost_vq *vq),
	TP_ARGS(vq)
);

/* The driver is notified of returned chains. */
DEFINE_EVENT(devhost_vq, devhost_notify,
	TP_PROTO(const struct devhost_vq *vq),
	TP_ARGS(vq)
);

/* A chain was taken. */
TRACE_EVENT(devhost_pop,
	TP_PROTO(const struct devhost_vq *vq, const struct devhost_chain *chain),
	TP_ARGS(vq, chain),
	TP_STRUCT__entry(
		__string(guest, vq->dev->guest->name)
		__string(device, vq->dev->name)
		__field(unsigned int, vq)
		__field(u16, id)
		__field(u32, readable)
		__field(u32, writable)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(device);
		__entry->vq = vq->index;
		__entry->id = chain->id;
		__entry->readable = chain->readable;
		__entry->writable = chain->writable;
	),
	TP_printk("%s.%s vq=%u id=%u readable=%u writable=%u",
		  __get_str(guest), __get_str(device), __entry->vq,
		  __entry->id, __entry->readable, __entry->writable)
);

/* A chain was returned. */
TRACE_EVENT(devhost_push,
	TP_PROTO(const struct devhost_vq *vq, u16 id, u32 len),
	TP_ARGS(vq, id, len),
	TP_STRUCT__entry(
		__string(guest, vq->dev->guest->name)
		__string(device, vq->dev->name)
		__field(unsigned int, vq)
		__field(u16, id)
		__field(u32, len)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(device);
		__entry->vq = vq->index;
		__entry->id = id;
		__entry->len = len;
	),
	TP_printk("%s.%s vq=%u id=%u len=%u", __get_str(guest),
		  __get_str(device), __entry->vq, __entry->id, __entry->len)
);

/* The device was reset. */
TRACE_EVENT(devhost_reset,
	TP_PROTO(const struct devhost_device *dev, u8 status),
	TP_ARGS(dev, status),
	TP_STRUCT__entry(
		__string(guest, dev->guest->name)
		__string(device, dev->name)
		__field(u8, status)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(device);
		__entry->status = status;
	),
	TP_printk("%s.%s status=%#x", __get_str(guest), __get_str(device),
		  __entry->status)
);

/* The device needs a reset. */
TRACE_EVENT(devhost_broken,
	TP_PROTO(const struct devhost_device *dev, const char *reason),
	TP_ARGS(dev, reason),
	TP_STRUCT__entry(
		__string(guest, dev->guest->name)
		__string(device, dev->name)
		__string(reason, reason)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(device);
		__assign_str(reason);
	),
	TP_printk("%s.%s %s", __get_str(guest), __get_str(device),
		  __get_str(reason))
);

/*
 * A policy refused an item: a CAN identifier, for instance. Or, verdict audit,
 * it would have, and the item was served.
 */
TRACE_EVENT(devhost_policy_deny,
	TP_PROTO(const struct devhost_device *dev, unsigned int direction,
		 u32 item, unsigned int verdict),
	TP_ARGS(dev, direction, item, verdict),
	TP_STRUCT__entry(
		__string(guest, dev->guest->name)
		__string(device, dev->name)
		__field(unsigned int, direction)
		__field(u32, item)
		__field(unsigned int, verdict)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(device);
		__entry->direction = direction;
		__entry->item = item;
		__entry->verdict = verdict;
	),
	TP_printk("%s.%s %s item=%#x verdict=%s", __get_str(guest),
		  __get_str(device),
		  __print_symbolic(__entry->direction,
				   { DEVHOST_TO_HOST, "to-host" },
				   { DEVHOST_TO_GUEST, "to-guest" }),
		  __entry->item,
		  __print_symbolic(__entry->verdict,
				   { DEVHOST_VERDICT_DENY, "deny" },
				   { DEVHOST_VERDICT_LIMIT, "limit" },
				   { DEVHOST_VERDICT_NONE, "none" },
				   { DEVHOST_VERDICT_INVALID, "invalid" },
				   { DEVHOST_VERDICT_AUDIT, "audit" }))
);

/*
 * A limit of the guest refused something, or makes a queue wait. Without a
 * device where one was to be made.
 */
TRACE_EVENT(devhost_quota,
	TP_PROTO(const struct devhost_guest *guest,
		 const struct devhost_device *dev, unsigned int limit,
		 u64 wanted, u64 max),
	TP_ARGS(guest, dev, limit, wanted, max),
	TP_STRUCT__entry(
		__string(guest, guest->name)
		__string(device, dev ? dev->name : "")
		__field(unsigned int, limit)
		__field(u64, wanted)
		__field(u64, max)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(device);
		__entry->limit = limit;
		__entry->wanted = wanted;
		__entry->max = max;
	),
	TP_printk("%s.%s %s wanted=%llu max=%llu", __get_str(guest),
		  __get_str(device),
		  __print_symbolic(__entry->limit,
				   { DEVHOST_A_LIMIT_DEVICES, "devices" },
				   { DEVHOST_A_LIMIT_QUEUES, "queues" },
				   { DEVHOST_A_LIMIT_RING_SIZE, "ring_size" },
				   { DEVHOST_A_LIMIT_MEMORY, "memory" },
				   { DEVHOST_A_LIMIT_IN_FLIGHT, "in_flight" },
				   { DEVHOST_A_LIMIT_IN_FLIGHT_BYTES, "in_flight_bytes" }),
		  __entry->wanted, __entry->max)
);

DECLARE_EVENT_CLASS(devhost_buffer,
	TP_PROTO(const struct devhost_guest *guest, const void *buffer,
		 size_t len),
	TP_ARGS(guest, buffer, len),
	TP_STRUCT__entry(
		__string(guest, guest->name)
		__field(const void *, buffer)
		__field(size_t, len)
	),
	TP_fast_assign(
		__assign_str(guest);
		__entry->buffer = buffer;
		__entry->len = len;
	),
	TP_printk("%s buffer=%p len=%zu", __get_str(guest), __entry->buffer,
		  __entry->len)
);

/* Guest memory became a dma-buf. */
DEFINE_EVENT(devhost_buffer, devhost_buffer_export,
	TP_PROTO(const struct devhost_guest *guest, const void *buffer,
		 size_t len),
	TP_ARGS(guest, buffer, len)
);

/* Nobody has the dma-buf any more. */
DEFINE_EVENT(devhost_buffer, devhost_buffer_release,
	TP_PROTO(const struct devhost_guest *guest, const void *buffer,
		 size_t len),
	TP_ARGS(guest, buffer, len)
);

DECLARE_EVENT_CLASS(devhost_buffer_dma,
	TP_PROTO(const struct devhost_guest *guest, const void *buffer,
		 size_t len, struct device *importer, unsigned int segments),
	TP_ARGS(guest, buffer, len, importer, segments),
	TP_STRUCT__entry(
		__string(guest, guest->name)
		__string(importer, dev_name(importer))
		__field(const void *, buffer)
		__field(size_t, len)
		__field(unsigned int, segments)
	),
	TP_fast_assign(
		__assign_str(guest);
		__assign_str(importer);
		__entry->buffer = buffer;
		__entry->len = len;
		__entry->segments = segments;
	),
	TP_printk("%s buffer=%p len=%zu importer=%s segments=%u",
		  __get_str(guest), __entry->buffer, __entry->len,
		  __get_str(importer), __entry->segments)
);

/* A device of the host sees a dma-buf from now on, in that many segments. */
DEFINE_EVENT(devhost_buffer_dma, devhost_buffer_map,
	TP_PROTO(const struct devhost_guest *guest, const void *buffer,
		 size_t len, struct device *importer, unsigned int segments),
	TP_ARGS(guest, buffer, len, importer, segments)
);

/* It does not see it any more. */
DEFINE_EVENT(devhost_buffer_dma, devhost_buffer_unmap,
	TP_PROTO(const struct devhost_guest *guest, const void *buffer,
		 size_t len, struct device *importer, unsigned int segments),
	TP_ARGS(guest, buffer, len, importer, segments)
);

#endif /* _DEVHOST_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
