/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a CAN controller driver meets: the parameters of the data phase moved
 * into a structure of their own after 6.12, and the MTU follows the mode.
 */
#ifndef _DEVHOST_COMPAT_CAN_DEV_H
#define _DEVHOST_COMPAT_CAN_DEV_H

#include <linux/can/dev.h>
#include <linux/hrtimer.h>

#ifdef DEVHOST_HAVE_CAN_FD_PARAMS
#define compat_can_fd(priv)	(&(priv)->fd)
#define COMPAT_CAN_CHANGE_MTU	NULL
#else
#define compat_can_fd(priv)	(priv)
#define COMPAT_CAN_CHANGE_MTU	can_change_mtu
#endif

#ifndef DEVHOST_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

#endif /* _DEVHOST_COMPAT_CAN_DEV_H */
