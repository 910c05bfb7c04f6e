/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels where file handles are not told their file (6.12). */
#ifndef _DEVHOST_COMPAT_V4L2_FH_H
#define _DEVHOST_COMPAT_V4L2_FH_H

#include_next <media/v4l2-fh.h>

#ifndef DEVHOST_HAVE_V4L2_FH_FILE
#include <linux/fs.h>

static inline struct v4l2_fh *file_to_v4l2_fh(struct file *file)
{
	return file->private_data;
}

static inline void devhost_v4l2_fh_add(struct v4l2_fh *fh, struct file *file)
{
	file->private_data = fh;
	v4l2_fh_add(fh);
}

static inline void devhost_v4l2_fh_del(struct v4l2_fh *fh, struct file *file)
{
	v4l2_fh_del(fh);
	file->private_data = NULL;
}

#define v4l2_fh_add	devhost_v4l2_fh_add
#define v4l2_fh_del	devhost_v4l2_fh_del
#endif

#endif /* _DEVHOST_COMPAT_V4L2_FH_H */
