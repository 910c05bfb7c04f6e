// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's codec: a V4L2 node that the daemon has opened, since opening is
 * where permissions are checked. Each stream opens the same node again, with
 * the daemon's credentials, for that is what makes a codec do several things at
 * a time.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <media/v4l2-ioctl.h>

#include "vhost_video.h"

/* Multi-planar where the device has both: newer drivers care more for that. */
static int vhost_video_node_take(struct vhost_video_node *node,
				 struct file *file)
{
	struct inode *inode = file_inode(file);
	struct video_device *vdev;

	if (!S_ISCHR(inode->i_mode) || imajor(inode) != VIDEO_MAJOR)
		return -ENOTTY;
	vdev = video_devdata(file);
	if (!vdev || !video_is_registered(vdev))
		return -ENODEV;
	if (vdev->vfl_type != VFL_TYPE_VIDEO || vdev->vfl_dir != VFL_DIR_M2M ||
	    !test_bit(V4L2_FL_USES_V4L2_FH, &vdev->flags) || !vdev->ioctl_ops)
		return -EINVAL;
	node->fh = file->private_data;
	if (!node->fh || !node->fh->m2m_ctx ||
	    !(vdev->device_caps & V4L2_CAP_STREAMING))
		return -EINVAL;
	if (vdev->device_caps & V4L2_CAP_VIDEO_M2M_MPLANE)
		node->mplane = true;
	else if (!(vdev->device_caps & V4L2_CAP_VIDEO_M2M))
		return -EINVAL;
	node->vdev = vdev;
	node->file = file;
	return 0;
}

/**
 * vhost_video_node_open - take the codec that an open file is
 * @node: zeroed
 * @fd: descriptor of the current task
 * @encoder: what it is to be
 * @extack: where to say what is wrong with it
 *
 * Context: Process context of whoever sent the descriptor.
 * Return: 0 or an error.
 */
int vhost_video_node_open(struct vhost_video_node *node, int fd, bool encoder,
			  struct netlink_ext_ack *extack)
{
	struct file *file = fget(fd);
	int err;

	if (!file) {
		NL_SET_ERR_MSG_FMT(extack, "%d is not an open file", fd);
		return -EBADF;
	}
	err = -EINVAL;
	if ((file->f_flags & O_ACCMODE) == O_RDWR)
		err = vhost_video_node_take(node, file);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack,
				   "file %d is not a codec's, open to read and write",
				   fd);
		fput(file);
		return err;
	}
	node->encoder = encoder;
	return 0;
}

/**
 * vhost_video_node_again - open the same node once more
 * @node: zeroed
 * @from: the node
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_video_node_again(struct vhost_video_node *node,
			   const struct vhost_video_node *from)
{
	struct file *file;
	int err;

	file = dentry_open(&from->file->f_path,
			   O_RDWR | O_NONBLOCK | O_CLOEXEC | O_LARGEFILE,
			   from->file->f_cred);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = vhost_video_node_take(node, file);
	if (!err && node->vdev != from->vdev)
		err = -ENODEV;
	if (err) {
		node->file = NULL;
		__fput_sync(file);
		return err;
	}
	node->encoder = from->encoder;
	return 0;
}

/**
 * vhost_video_node_swap - have the one be what the other was
 * @node: a node
 * @with: another one, of the same direction
 *
 * Context: Process context; nobody looks at either.
 */
void vhost_video_node_swap(struct vhost_video_node *node,
			   struct vhost_video_node *with)
{
	swap(node->file, with->file);
	swap(node->vdev, with->vdev);
	swap(node->fh, with->fh);
	swap(node->mplane, with->mplane);
}

/**
 * vhost_video_node_close - close a node
 * @node: the node; does nothing where it is not open
 *
 * The driver lets go of everything before this returns.
 *
 * Context: Process context, sleeps.
 */
void vhost_video_node_close(struct vhost_video_node *node)
{
	if (!node->file)
		return;
	__fput_sync(node->file);
	node->file = NULL;
}

/**
 * vhost_video_node_type - V4L2's name for a queue
 * @node: the node
 * @queue: the queue
 *
 * Context: Any.
 * Return: enum v4l2_buf_type. What the driver puts in, V4L2 calls output.
 */
u32 vhost_video_node_type(const struct vhost_video_node *node,
			  enum vhost_video_queue queue)
{
	if (queue == VHOST_VIDEO_INPUT)
		return node->mplane ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE :
				      V4L2_BUF_TYPE_VIDEO_OUTPUT;
	return node->mplane ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE :
			      V4L2_BUF_TYPE_VIDEO_CAPTURE;
}
