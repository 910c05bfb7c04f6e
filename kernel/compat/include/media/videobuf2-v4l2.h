/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels where a queue's driver says how its lock is let go of (6.12). */
#ifndef _DEVHOST_COMPAT_VIDEOBUF2_V4L2_H
#define _DEVHOST_COMPAT_VIDEOBUF2_V4L2_H

#include_next <media/videobuf2-v4l2.h>

#ifdef DEVHOST_HAVE_VB2_WAIT
#define COMPAT_VB2_WAIT_OPS				\
	.wait_prepare = vb2_ops_wait_prepare,		\
	.wait_finish = vb2_ops_wait_finish,
#else
#define COMPAT_VB2_WAIT_OPS
#endif

#endif /* _DEVHOST_COMPAT_VIDEOBUF2_V4L2_H */
