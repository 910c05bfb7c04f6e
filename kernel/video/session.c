// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session: an open file of the codec, what it makes of a stream's commands,
 * and what wakes it. A session that fails is closed and answers nothing but
 * errors; the driver may destroy the stream and create another.
 */
#include <linux/slab.h>
#include <media/v4l2-event.h>

#include "vhost_video.h"

static int vhost_video_session_wake(struct wait_queue_entry *entry,
				    unsigned int mode, int flags, void *key)
{
	struct vhost_video_wait *wait =
		container_of(entry, struct vhost_video_wait, entry);
	struct vhost_video_session *session = wait->session;

	set_bit(0, &session->woken);
	rcu_read_lock();
	if (READ_ONCE(session->vv->live))
		devhost_raise(session->vv->dev, VHOST_VIDEO_EVENT_CODEC);
	rcu_read_unlock();
	return 0;
}

/* What a codec calls for each source of its wake-ups while it is polled. */
struct vhost_video_poll {
	poll_table table;
	struct vhost_video_session *session;
};

static void vhost_video_session_listen(struct file *file,
				       wait_queue_head_t *head,
				       poll_table *table)
{
	struct vhost_video_poll *poll =
		container_of(table, struct vhost_video_poll, table);
	struct vhost_video_session *session = poll->session;
	struct vhost_video_wait *wait;

	if (WARN_ON_ONCE(session->num_waits == VHOST_VIDEO_WAITS))
		return;
	wait = &session->waits[session->num_waits++];
	wait->session = session;
	wait->head = head;
	init_waitqueue_func_entry(&wait->entry, vhost_video_session_wake);
	add_wait_queue(head, &wait->entry);
}

static void vhost_video_session_poll(struct vhost_video_session *session)
{
	struct vhost_video_poll poll = { .session = session };

	init_poll_funcptr(&poll.table, vhost_video_session_listen);
	vfs_poll(session->node.file, &poll.table);
}

/**
 * vhost_video_session_read - see what the codec has made of a queue
 * @session: the session, open
 * @queue: the queue
 *
 * A codec may prefer raw formats that drivers know nothing of; it is asked for
 * another one then.
 *
 * Context: Process context, sleeps.
 * Return: 0 or an error.
 */
int vhost_video_session_read(struct vhost_video_session *session,
			     enum vhost_video_queue queue)
{
	struct vhost_video_node *node = &session->node;
	const struct vhost_video_params other = {
		.format = session->vv->caps[queue].formats[0].format,
	};
	int err;

	err = vhost_video_params_read(node, queue, &session->params[queue]);
	if (err != -EOPNOTSUPP || queue != vhost_video_raw(node))
		return err;
	err = vhost_video_params_write(node, queue, &other);
	return err ?: vhost_video_params_read(node, queue,
					      &session->params[queue]);
}

/*
 * What a decoder's output is changes by itself; once there is room for frames
 * the driver is told first.
 */
static int vhost_video_session_reread(struct vhost_video_session *session)
{
	int err = vhost_video_session_read(session, VHOST_VIDEO_INPUT);

	if (err || (!session->node.encoder &&
		    session->allocated[VHOST_VIDEO_OUTPUT]))
		return err;
	return vhost_video_session_read(session, VHOST_VIDEO_OUTPUT);
}

/* The coded side of a stream is its own for good. */
static int vhost_video_session_coded(struct vhost_video_session *session)
{
	const struct vhost_video_params params = { .format = session->format };

	return vhost_video_params_write(&session->node,
					vhost_video_coded_queue(&session->node),
					&params);
}

static u32 vhost_video_session_open(struct vhost_video_session *session)
{
	struct vhost_video_node *node = &session->node;
	struct vhost_video *vv = session->vv;
	int err;

	mutex_lock(&vv->node_lock);
	err = vhost_video_node_again(node, &vv->node);
	mutex_unlock(&vv->node_lock);
	if (err)
		return VIRTIO_VIDEO_RESP_ERR_OUT_OF_MEMORY;
	vhost_video_session_poll(session);
	if ((!node->encoder &&
	     vhost_video_subscribe(node, V4L2_EVENT_SOURCE_CHANGE)) ||
	    vhost_video_session_coded(session) ||
	    vhost_video_session_reread(session)) {
		vhost_video_session_close(session);
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	}
	return 0;
}

/**
 * vhost_video_session_close - let go of the codec
 * @session: the session; its lock is held
 *
 * When it returns, the codec touches none of the stream's memory.
 *
 * Context: Process context, sleeps.
 */
void vhost_video_session_close(struct vhost_video_session *session)
{
	unsigned int i;

	if (!session->node.file)
		return;
	for (i = 0; i < session->num_waits; i++)
		remove_wait_queue(session->waits[i].head,
				  &session->waits[i].entry);
	session->num_waits = 0;
	vhost_video_buffers_clear(session, VHOST_VIDEO_INPUT, true);
	vhost_video_buffers_clear(session, VHOST_VIDEO_OUTPUT, true);
	vhost_video_node_close(&session->node);
}

/* Drivers read back what came of it; a busy codec keeps what it has. */
static u32 vhost_video_session_set_params(struct vhost_video_session *session,
					  const struct vhost_video_request *req)
{
	enum vhost_video_queue queue = req->queue;
	const struct vhost_video_params *params = &req->params;
	bool coded = queue == vhost_video_coded_queue(&session->node);

	if (params->format && coded && params->format != session->format)
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	if (params->format &&
	    !vhost_video_caps_has(&session->vv->caps[queue], params->format))
		return VIRTIO_VIDEO_RESP_ERR_INVALID_PARAMETER;
	/* What is said before each allocation, changed or not. */
	if (!session->allocated[queue] &&
	    vhost_video_params_write(&session->node, queue, params) == -ENODEV)
		session->failed = true;
	if (vhost_video_session_reread(session))
		session->failed = true;
	/* Drivers say it of either queue. */
	if (params->rate) {
		session->params[VHOST_VIDEO_INPUT].rate = params->rate;
		session->params[VHOST_VIDEO_OUTPUT].rate = params->rate;
	}
	/* Which may be more than the driver said of one queue. */
	session->again = session->sized;
	return 0;
}

static u32 vhost_video_session_set_control(struct vhost_video_session *session,
					   u32 id, u32 value)
{
	u32 err = vhost_video_control_set(session, id, value);

	if (!err && id == VIRTIO_VIDEO_CONTROL_BITRATE)
		session->bitrate = value;
	if (!err && id == VIRTIO_VIDEO_CONTROL_BITRATE_PEAK)
		session->peak = value;
	return err;
}

/* More than the codec needs: one is held back to tell the end with. */
static void vhost_video_session_get_params(struct vhost_video_session *session,
					   struct vhost_video_command *cmd)
{
	enum vhost_video_queue queue = cmd->req.queue;
	struct vhost_video_params *params = &cmd->req.params;

	*params = session->params[queue];
	params->min_buffers = 1;
	if (queue == VHOST_VIDEO_OUTPUT)
		params->min_buffers += vhost_video_min_buffers(&session->node);
	params->max_buffers = VHOST_VIDEO_BUFFERS_MAX;
	if (!params->rate)
		params->rate = VHOST_VIDEO_RATE_DEFAULT;
	cmd->answer.params = params;
}

static u32 vhost_video_session_exec(struct vhost_video_session *session,
				    struct vhost_video_command *cmd)
{
	const struct vhost_video_request *req = &cmd->req;

	if (req->type == VHOST_VIDEO_CMD_FAIL)
		session->failed = true;
	if (req->type == VIRTIO_VIDEO_CMD_STREAM_CREATE && !session->failed)
		return vhost_video_session_open(session);
	if (req->type == VIRTIO_VIDEO_CMD_STREAM_DESTROY) {
		vhost_video_session_close(session);
		return 0;
	}
	/* What a driver waits for, whatever became of the stream. */
	if (req->type == VIRTIO_VIDEO_CMD_GET_PARAMS ||
	    req->type == VIRTIO_VIDEO_CMD_GET_PARAMS_EXT) {
		vhost_video_session_get_params(session, cmd);
		return 0;
	}
	if (!session->node.file || session->failed) {
		/* The driver has got back what there was. */
		if (req->type == VIRTIO_VIDEO_CMD_RESOURCE_DESTROY_ALL ||
		    req->type == VIRTIO_VIDEO_CMD_QUEUE_CLEAR)
			return 0;
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	}

	switch (req->type) {
	case VIRTIO_VIDEO_CMD_STREAM_DRAIN:
		return vhost_video_drain(session, cmd);
	case VIRTIO_VIDEO_CMD_RESOURCE_QUEUE:
		return vhost_video_buffer_queue(session, cmd);
	case VIRTIO_VIDEO_CMD_RESOURCE_DESTROY_ALL:
		vhost_video_buffers_clear(session, req->queue, true);
		return 0;
	case VIRTIO_VIDEO_CMD_QUEUE_CLEAR:
		vhost_video_buffers_clear(session, req->queue, false);
		return 0;
	case VIRTIO_VIDEO_CMD_SET_PARAMS:
	case VIRTIO_VIDEO_CMD_SET_PARAMS_EXT:
		return vhost_video_session_set_params(session, req);
	case VIRTIO_VIDEO_CMD_GET_CONTROL:
		return vhost_video_control_get(session, req->control.id,
					       &cmd->answer.value);
	case VIRTIO_VIDEO_CMD_SET_CONTROL:
		return vhost_video_session_set_control(session, req->control.id,
						       req->control.value);
	default:
		return VIRTIO_VIDEO_RESP_ERR_INVALID_OPERATION;
	}
}

/* What is kept in the session comes back later. */
static bool vhost_video_session_keeps(const struct vhost_video_session *session,
				      const struct vhost_video_command *cmd)
{
	return cmd == session->drain;
}

/**
 * vhost_video_session_run - do what the commands say, and see what is done
 * @session: the session, with @commands
 *
 * Context: A job.
 */
void vhost_video_session_run(struct vhost_video_session *session)
{
	struct vhost_video_command *cmd, *next;

	mutex_lock(&session->lock);
	list_for_each_entry_safe(cmd, next, &session->commands, item.list) {
		list_del_init(&cmd->item.list);
		cmd->answer.type = vhost_video_session_exec(session, cmd);
		/* Buffers come back before resources go. */
		if (session->failed)
			vhost_video_session_close(session);
		if (!vhost_video_session_keeps(session, cmd))
			list_add_tail(&cmd->item.list, &session->done);
	}
	if (session->node.file && !session->failed)
		vhost_video_turn(session);
	if (session->failed)
		vhost_video_session_close(session);
	mutex_unlock(&session->lock);
}

/**
 * vhost_video_session_new - the codec's side of a stream, not open yet
 * @vv: the device
 * @format: coded format
 *
 * Context: Process context.
 * Return: the session, or NULL.
 */
struct vhost_video_session *vhost_video_session_new(struct vhost_video *vv,
						    u32 format)
{
	struct vhost_video_session *session = kvzalloc(sizeof(*session),
						       GFP_KERNEL);
	unsigned int queue, i;

	if (!session)
		return NULL;
	kref_init(&session->ref);
	session->vv = vv;
	session->format = format;
	mutex_init(&session->lock);
	INIT_LIST_HEAD(&session->held);
	INIT_LIST_HEAD(&session->commands);
	INIT_LIST_HEAD(&session->done);
	for (queue = 0; queue < VHOST_VIDEO_QUEUES; queue++) {
		for (i = 0; i < VHOST_VIDEO_BUFFERS_MAX; i++) {
			struct vhost_video_slot *slot = &session->slots[queue][i];

			slot->item.kind = VHOST_VIDEO_BUFFER;
			slot->queue = queue;
			slot->index = i;
			INIT_LIST_HEAD(&slot->hold);
			INIT_LIST_HEAD(&slot->item.list);
		}
	}
	return session;
}

static void vhost_video_commands_free(struct list_head *items)
{
	struct vhost_video_item *item, *next;

	list_for_each_entry_safe(item, next, items, list) {
		list_del_init(&item->list);
		if (item->kind == VHOST_VIDEO_COMMAND)
			vhost_video_command_free(container_of(item,
							      struct vhost_video_command,
							      item));
	}
}

/**
 * vhost_video_session_end - the driver is gone: nobody waits for answers
 * @session: the session
 *
 * Context: stop(), or a helper; sleeps until the codec has stopped.
 */
void vhost_video_session_end(struct vhost_video_session *session)
{
	mutex_lock(&session->lock);
	session->failed = true;
	vhost_video_session_close(session);
	vhost_video_commands_free(&session->commands);
	vhost_video_commands_free(&session->done);
	mutex_unlock(&session->lock);
}

static void vhost_video_session_free(struct kref *ref)
{
	struct vhost_video_session *session =
		container_of(ref, struct vhost_video_session, ref);

	mutex_destroy(&session->lock);
	kvfree(session);
}

void vhost_video_session_put(struct vhost_video_session *session)
{
	kref_put(&session->ref, vhost_video_session_free);
}
