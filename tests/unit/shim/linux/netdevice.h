/* SPDX-License-Identifier: Apache-2.0 */
/* As much of interfaces and socket buffers as what looks at CAN frames needs. */
#ifndef DEVHOST_SHIM_NETDEVICE_H
#define DEVHOST_SHIM_NETDEVICE_H

#include <net/if.h>

#include "../device.h"

#ifndef __rcu
#define __rcu
#endif
#define ETH_P_CAN	0x000c
#define ETH_P_CANFD	0x000d
#define cpu_to_be16(v)	((__be16)(((v) & 0xff) << 8 | (v) >> 8))

typedef struct { int counter; } atomic_t;
typedef struct { int unused; } netdevice_tracker;

struct net_device;
struct sock;

struct sk_buff {
	unsigned char *data;
	__be16 protocol;
};

#define rcu_read_lock()		((void)0)
#define rcu_read_unlock()	((void)0)
#define roundup_pow_of_two(n)	((n) < 2 ? 1U : 1U << (32 - __builtin_clz((n) - 1)))

#endif
