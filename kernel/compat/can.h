/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CAN socket buffers: what CAN knows of a buffer stands in its headroom (6.12)
 * or in an skb extension (7.2).
 */
#ifndef _DEVHOST_COMPAT_CAN_H
#define _DEVHOST_COMPAT_CAN_H

#include <linux/can/core.h>
#include <linux/can/skb.h>
#include <linux/skbuff.h>

/**
 * compat_can_alloc_skb - a buffer for one CAN frame
 * @size: CAN_MTU or CANFD_MTU
 * @gfp: as for any allocation
 *
 * Each frame is cloned once for its echo, so the buffer brings the clone along.
 *
 * Context: As @gfp says.
 * Return: an empty buffer with room for @size bytes, or NULL.
 */
static inline struct sk_buff *compat_can_alloc_skb(unsigned int size, gfp_t gfp)
{
	struct sk_buff *skb;

#ifdef DEVHOST_HAVE_CAN_SKB_EXT
	skb = alloc_skb_fclone(size, gfp);
	if (!skb)
		return NULL;
	if (!can_skb_ext_add(skb)) {
		kfree_skb(skb);
		return NULL;
	}
#else
	skb = alloc_skb_fclone(sizeof(struct can_skb_priv) + size, gfp);
	if (!skb)
		return NULL;
	can_skb_reserve(skb);
	can_skb_prv(skb)->skbcnt = 0;
#endif
	return skb;
}

/* The interface on which a buffer from compat_can_alloc_skb() first appears. */
static inline void compat_can_set_iif(struct sk_buff *skb, int ifindex)
{
#ifdef DEVHOST_HAVE_CAN_SKB_EXT
	can_skb_ext_find(skb)->can_iif = ifindex;
#else
	can_skb_prv(skb)->ifindex = ifindex;
#endif
}

/* Give a buffer from compat_can_alloc_skb() its id; returns it, never 0. */
static inline u32 compat_can_set_uid(struct sk_buff *skb)
{
#ifdef DEVHOST_HAVE_CAN_SKB_EXT
	struct can_skb_ext *ext = can_skb_ext_find(skb);

	can_set_skb_uid(ext);
	return ext->can_skb_uid;
#else
	can_set_skb_uid(skb);
	return can_skb_prv(skb)->skbcnt;
#endif
}

/* The id of a buffer that PF_CAN delivers; its echo has the same. */
static inline u32 compat_can_uid(struct sk_buff *skb)
{
#ifdef DEVHOST_HAVE_CAN_SKB_EXT
	struct can_skb_ext *ext = can_skb_ext_find(skb);

	return ext ? ext->can_skb_uid : 0;
#else
	return can_skb_prv(skb)->skbcnt;
#endif
}

#endif /* _DEVHOST_COMPAT_CAN_H */
