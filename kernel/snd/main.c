// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device class: virtio sound devices, virtio 1.4 section 5.14.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vhost_snd.h"

/* Threads for what sleeps: as many streams can be started at once. */
#define VHOST_SND_HELPERS	4

/* What is the host's to do: giving back files of cards, silencing them. */
struct workqueue_struct *vhost_snd_wq;

/* For interrupts and the like. */
void vhost_snd_raise(struct vhost_snd *vs, unsigned int event)
{
	rcu_read_lock();
	if (READ_ONCE(vs->live))
		devhost_raise(vs->dev, event);
	rcu_read_unlock();
}

static struct devhost_vq *vhost_snd_stream_vq(const struct vhost_snd_stream *stream)
{
	return devhost_vq(stream->vs->dev,
			  stream->direction == DEVHOST_SND_PLAYBACK ?
			  VIRTIO_SND_VQ_TX : VIRTIO_SND_VQ_RX);
}

/**
 * vhost_snd_wake - the PCM of a stream says that something happened
 * @stream: the stream
 *
 * Context: Any.
 */
void vhost_snd_wake(struct vhost_snd_stream *stream)
{
	struct vhost_snd *vs = stream->vs;

	rcu_read_lock();
	if (READ_ONCE(vs->live)) {
		/* First the queue: the stream may find something in it. */
		if (READ_ONCE(stream->polling))
			devhost_vq_poll(vhost_snd_stream_vq(stream));
		set_bit(stream->id, &vs->woken);
		devhost_raise(vs->dev, VHOST_SND_EVENT_PCM);
	}
	rcu_read_unlock();
}

/**
 * vhost_snd_feed - look into a stream's queue, then tell the stream
 * @stream: the stream; vhost_snd_stream_filled() is called
 *
 * Context: The worker.
 */
void vhost_snd_feed(struct vhost_snd_stream *stream)
{
	/* Both for the next pass, which sees to queues first. */
	devhost_vq_poll(vhost_snd_stream_vq(stream));
	devhost_raise(stream->vs->dev, VHOST_SND_EVENT_FILLED);
}

void vhost_snd_card_gone(struct vhost_snd *vs)
{
	queue_work(vhost_snd_wq, &vs->lost);
}

/* Have every stream and every card looked at. */
static void vhost_snd_look(struct vhost_snd *vs)
{
	u32 i;

	for (i = 0; i < vs->num_streams; i++)
		set_bit(i, &vs->woken);
	vhost_snd_raise(vs, VHOST_SND_EVENT_PCM);
	vhost_snd_raise(vs, VHOST_SND_EVENT_CARD);
}

/* Let go of what is gone. */
static void vhost_snd_lose(struct vhost_snd *vs)
{
	u32 i;

	lockdep_assert_held(&vs->lock);
	for (i = 0; i < vs->num_streams; i++) {
		struct vhost_snd_stream *stream = &vs->streams[i];

		if (stream->pcm && vhost_snd_pcm_gone(stream->pcm))
			vhost_snd_stream_lose(stream);
	}
	for (i = 0; i < vs->num_controls; i++) {
		struct vhost_snd_control *control = &vs->controls[i];

		if (control->card && vhost_snd_card_is_gone(control->card))
			vhost_snd_ctl_lose(control);
	}
}

static void vhost_snd_lost(struct work_struct *work)
{
	struct vhost_snd *vs = container_of(work, struct vhost_snd, lost);

	mutex_lock(&vs->lock);
	if (vs->serving)
		vhost_snd_look(vs);
	else
		vhost_snd_lose(vs);
	mutex_unlock(&vs->lock);
}

static int vhost_snd_create(struct devhost_device *dev, struct nlattr **tb,
			    struct netlink_ext_ack *extack)
{
	struct vhost_snd *vs = devhost_priv(dev);
	int err;

	vs->dev = dev;
	mutex_init(&vs->lock);
	INIT_WORK(&vs->lost, vhost_snd_lost);
	err = vhost_snd_config_create(vs, tb, extack);
	if (err) {
		vhost_snd_config_destroy(vs);
		mutex_destroy(&vs->lock);
	}
	return err;
}

static void vhost_snd_destroy(struct devhost_device *dev)
{
	struct vhost_snd *vs = devhost_priv(dev);

	vhost_snd_config_destroy(vs);
	mutex_destroy(&vs->lock);
}

static int vhost_snd_set(struct devhost_device *dev, struct nlattr **tb,
			 struct netlink_ext_ack *extack)
{
	return vhost_snd_config_set(devhost_priv(dev), tb, extack);
}

static int vhost_snd_fill(struct devhost_device *dev, struct sk_buff *msg)
{
	return vhost_snd_config_fill(devhost_priv(dev), msg);
}

static u64 vhost_snd_features(struct devhost_device *dev)
{
	const struct vhost_snd *vs = devhost_priv(dev);

	return vs->num_controls ? BIT_ULL(VIRTIO_SND_F_CTLS) : 0;
}

static int vhost_snd_start(struct devhost_device *dev)
{
	struct vhost_snd *vs = devhost_priv(dev);
	int err;
	u32 i;

	err = vhost_snd_xfer_start(vs);
	if (err)
		return err;
	mutex_lock(&vs->lock);
	vhost_snd_lose(vs);
	for (i = 0; i < vs->num_streams; i++) {
		struct vhost_snd_stream *stream = &vs->streams[i];

		if (!stream->pcm)
			continue;
		vhost_snd_pcm_refresh(stream->pcm);
		stream->caps = stream->pcm->caps;
		vhost_snd_caps_limit(stream, &stream->caps);
	}
	/* The driver asks for all that is, and is told of what changes. */
	for (i = 0; i < vs->num_controls; i++)
		vs->controls[i].changed = 0;
	vs->jacks_changed = 0;
	vs->woken = 0;
	vs->serving = true;
	WRITE_ONCE(vs->live, true);
	mutex_unlock(&vs->lock);
	/* What went or came while nobody was told of it. */
	vhost_snd_look(vs);
	return 0;
}

static void vhost_snd_stop(struct devhost_device *dev)
{
	struct vhost_snd *vs = devhost_priv(dev);
	u32 i;

	WRITE_ONCE(vs->live, false);
	synchronize_rcu();
	mutex_lock(&vs->lock);
	vs->serving = false;
	vs->jobs = 0;
	for (i = 0; i < vs->num_streams; i++) {
		struct vhost_snd_stream *stream = &vs->streams[i];
		struct vhost_snd_pcm *pcm = xchg(&stream->offered, NULL);

		vhost_snd_stream_reset(stream);
		if (pcm)
			vhost_snd_stream_install(stream, pcm);
	}
	vhost_snd_ctl_offered(vs);
	vhost_snd_xfer_stop(vs);
	vhost_snd_lose(vs);
	mutex_unlock(&vs->lock);
}

/*
 * A PCM that plays goes on, with silence soon; the host may suspend it. Another
 * that is given meanwhile waits for the worker, like requests.
 */
static void vhost_snd_hold(struct devhost_device *dev)
{
	struct vhost_snd *vs = devhost_priv(dev);
	u32 i;

	do {
		for (i = 0; i < vs->num_streams; i++) {
			vhost_snd_stream_filled(&vs->streams[i]);
			vhost_snd_stream_next(&vs->streams[i]);
		}
		devhost_flush(dev);
	} while (vs->jobs);
}

/* All that is kept goes back. */
static void vhost_snd_suspend(struct devhost_device *dev)
{
	struct vhost_snd *vs = devhost_priv(dev);
	u32 i;

	vhost_snd_hold(dev);
	for (i = 0; i < vs->num_streams; i++)
		vhost_snd_xfer_flush(&vs->streams[i], VIRTIO_SND_S_OK);
	mutex_lock(&vs->lock);
	vs->serving = false;
	mutex_unlock(&vs->lock);
}

static void vhost_snd_resume(struct devhost_device *dev)
{
	struct vhost_snd *vs = devhost_priv(dev);

	mutex_lock(&vs->lock);
	vs->serving = true;
	mutex_unlock(&vs->lock);
	vhost_snd_look(vs);
	vhost_snd_raise(vs, VHOST_SND_EVENT_JACK);
}

static enum devhost_answer vhost_snd_request(struct devhost_device *dev,
					     struct devhost_vq *vq,
					     struct devhost_chain *chain)
{
	struct vhost_snd *vs = devhost_priv(dev);

	switch (devhost_vq_index(vq)) {
	case VIRTIO_SND_VQ_TX:
		return vhost_snd_xfer(vs, chain, DEVHOST_SND_PLAYBACK);
	case VIRTIO_SND_VQ_RX:
		return vhost_snd_xfer(vs, chain, DEVHOST_SND_CAPTURE);
	default:
		return vhost_snd_control_request(vs, chain);
	}
}

static void vhost_snd_refill(struct devhost_device *dev, struct devhost_vq *vq)
{
	vhost_snd_event_flush(devhost_priv(dev));
}

static void vhost_snd_work(struct devhost_device *dev, unsigned long events)
{
	struct vhost_snd *vs = devhost_priv(dev);
	unsigned long woken;
	u32 i;

	if (events & BIT(VHOST_SND_EVENT_PCM)) {
		woken = xchg(&vs->woken, 0);
		for_each_set_bit(i, &woken, vs->num_streams)
			vhost_snd_stream_run(&vs->streams[i], true);
	}
	if (events & BIT(VHOST_SND_EVENT_FILLED))
		for (i = 0; i < vs->num_streams; i++)
			vhost_snd_stream_filled(&vs->streams[i]);
	if (events & BIT(VHOST_SND_EVENT_OFFER)) {
		for (i = 0; i < vs->num_streams; i++)
			vhost_snd_stream_next(&vs->streams[i]);
		vhost_snd_ctl_offered(vs);
		vhost_snd_event_flush(vs);
	}
	if (events & BIT(VHOST_SND_EVENT_CARD))
		vhost_snd_ctl_event(vs);
	if (events & BIT(VHOST_SND_EVENT_JACK))
		vhost_snd_event_flush(vs);
}

static void vhost_snd_judge(struct devhost_device *dev)
{
	struct vhost_snd *vs = devhost_priv(dev);
	u32 i;

	for (i = 0; i < vs->num_streams; i++)
		vhost_snd_stream_judge(&vs->streams[i]);
}

static void vhost_snd_get_config(struct devhost_device *dev, void *config)
{
	const struct vhost_snd *vs = devhost_priv(dev);
	struct virtio_snd_config *snd_config = config;

	snd_config->jacks = cpu_to_le32(vs->num_jacks);
	snd_config->streams = cpu_to_le32(vs->num_streams);
	snd_config->chmaps = cpu_to_le32(vhost_snd_num_chmaps(vs));
	snd_config->controls = cpu_to_le32(vs->num_controls);
}

static const struct devhost_class_ops vhost_snd_ops = {
	.create = vhost_snd_create,
	.destroy = vhost_snd_destroy,
	.set = vhost_snd_set,
	.fill = vhost_snd_fill,
	.features = vhost_snd_features,
	.start = vhost_snd_start,
	.stop = vhost_snd_stop,
	.suspend = vhost_snd_suspend,
	.hold = vhost_snd_hold,
	.resume = vhost_snd_resume,
	.request = vhost_snd_request,
	.refill = vhost_snd_refill,
	.work = vhost_snd_work,
	.judge = vhost_snd_judge,
	.get_config = vhost_snd_get_config,
};

static const struct devhost_vq_info vhost_snd_vqs[VIRTIO_SND_VQ_MAX] = {
	[VIRTIO_SND_VQ_CONTROL] = { .name = "controlq", .control = true },
	[VIRTIO_SND_VQ_EVENT] = { .name = "eventq", .supply = true },
	[VIRTIO_SND_VQ_TX] = { .name = "txq" },
	[VIRTIO_SND_VQ_RX] = { .name = "rxq" },
};

static const char * const vhost_snd_counters[VHOST_SND_COUNTERS] = {
	[VHOST_SND_TX_FRAMES] = "tx_frames",
	[VHOST_SND_TX_BYTES] = "tx_bytes",
	[VHOST_SND_RX_FRAMES] = "rx_frames",
	[VHOST_SND_RX_BYTES] = "rx_bytes",
	[VHOST_SND_IO_ERRORS] = "io_errors",
	[VHOST_SND_IO_INVALID] = "io_invalid",
	[VHOST_SND_UNDERRUNS] = "underruns",
	[VHOST_SND_OVERRUNS] = "overruns",
	[VHOST_SND_RECOVERIES] = "recoveries",
	[VHOST_SND_REQUESTS_REFUSED] = "requests_refused",
	[VHOST_SND_REQUESTS_DENIED] = "requests_denied",
	[VHOST_SND_EVENTS_DROPPED] = "events_dropped",
	[VHOST_SND_PCMS_LOST] = "pcms_lost",
};

static struct devhost_class vhost_snd_class = {
	.name = "snd",
	.virtio_id = VIRTIO_SND_DEVICE_ID,
	.owner = THIS_MODULE,
	.vqs = vhost_snd_vqs,
	.num_vqs = VIRTIO_SND_VQ_MAX,
	.helpers = VHOST_SND_HELPERS,
	.config_size = sizeof(struct virtio_snd_config),
	.priv_size = sizeof(struct vhost_snd),
	.attr_policy = vhost_snd_policy,
	.attr_max = DEVHOST_A_SND_MAX,
	.counters = vhost_snd_counters,
	.num_counters = VHOST_SND_COUNTERS,
	.ops = &vhost_snd_ops,
};

static int __init vhost_snd_init(void)
{
	int err;

	vhost_snd_wq = alloc_workqueue("vhost_snd", WQ_UNBOUND, 0);
	if (!vhost_snd_wq)
		return -ENOMEM;
	err = devhost_register_class(&vhost_snd_class);
	if (err)
		destroy_workqueue(vhost_snd_wq);
	return err;
}
module_init(vhost_snd_init);

static void __exit vhost_snd_exit(void)
{
	devhost_unregister_class(&vhost_snd_class);
	destroy_workqueue(vhost_snd_wq);
}
module_exit(vhost_snd_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("virtio sound devices on the host's ALSA cards");
