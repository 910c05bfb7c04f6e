// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost_echo: a virtio device with nothing behind it, to test the core with.
 */
#include <linux/slab.h>

#include "echo.h"

static void echo_set_tag(struct echo *echo, struct nlattr **tb)
{
	if (!tb[ECHO_A_TAG])
		return;
	spin_lock(&echo->lock);
	echo->tag = nla_get_u32(tb[ECHO_A_TAG]);
	spin_unlock(&echo->lock);
}

static int echo_create(struct devhost_device *dev, struct nlattr **tb,
		       struct netlink_ext_ack *extack)
{
	struct echo *echo = devhost_priv(dev);

	echo->dev = dev;
	spin_lock_init(&echo->lock);
	echo->buffer = kmalloc(ECHO_MESSAGE_SIZE, GFP_KERNEL);
	if (!echo->buffer)
		return -ENOMEM;
	echo->in_order = tb[ECHO_A_IN_ORDER];
	echo_set_tag(echo, tb);
	echo_serve_create(echo);
	return 0;
}

static void echo_destroy(struct devhost_device *dev)
{
	struct echo *echo = devhost_priv(dev);

	kfree(echo->buffer);
}

u32 echo_config_change(struct echo *echo)
{
	u32 changes;

	spin_lock(&echo->lock);
	changes = ++echo->changes;
	spin_unlock(&echo->lock);
	devhost_config_changed(echo->dev);
	return changes;
}

u32 echo_config_writes(struct echo *echo)
{
	return READ_ONCE(echo->writes);
}

static int echo_set(struct devhost_device *dev, struct nlattr **tb,
		    struct netlink_ext_ack *extack)
{
	struct echo *echo = devhost_priv(dev);

	if (tb[ECHO_A_IN_ORDER]) {
		NL_SET_ERR_MSG(extack, "the order is chosen at creation");
		return -EINVAL;
	}
	echo_set_tag(echo, tb);
	echo_config_change(echo);
	return 0;
}

static int echo_fill(struct devhost_device *dev, struct sk_buff *msg)
{
	struct echo *echo = devhost_priv(dev);

	if (nla_put_u32(msg, ECHO_A_TAG, READ_ONCE(echo->tag)) ||
	    (echo->in_order && nla_put_flag(msg, ECHO_A_IN_ORDER)))
		return -EMSGSIZE;
	return 0;
}

static u64 echo_features(struct devhost_device *dev)
{
	struct echo *echo = devhost_priv(dev);

	return echo->in_order ? BIT_ULL(VIRTIO_F_IN_ORDER) : 0;
}

static int echo_start(struct devhost_device *dev)
{
	echo_count(devhost_priv(dev), ECHO_COUNT_STARTS, 1);
	return 0;
}

static void echo_stop(struct devhost_device *dev)
{
	struct echo *echo = devhost_priv(dev);

	echo_count(echo, ECHO_COUNT_STOPS, 1);
	echo_serve_reset(echo);
	echo_op_put(echo);
}

static void echo_suspend(struct devhost_device *dev)
{
	struct echo *echo = devhost_priv(dev);

	echo_count(echo, ECHO_COUNT_SUSPENDS, 1);
	echo_late_release(echo, 0, ECHO_ORDER_FIFO);
	devhost_flush(dev);
}

static void echo_resume(struct devhost_device *dev)
{
	echo_count(devhost_priv(dev), ECHO_COUNT_RESUMES, 1);
	/* A timer may have ended while nobody listened. */
	devhost_raise(dev, ECHO_EVENT_RESUME + ECHO_VQ_ECHO);
	devhost_raise(dev, ECHO_EVENT_RESUME + ECHO_VQ_LATE);
}

static enum devhost_answer echo_request(struct devhost_device *dev,
					struct devhost_vq *vq,
					struct devhost_chain *chain)
{
	struct echo *echo = devhost_priv(dev);

	if (devhost_vq_index(vq) == ECHO_VQ_CONTROL)
		return echo_control(echo, chain);
	return echo_serve(echo, devhost_vq_index(vq), chain);
}

static void echo_refill(struct devhost_device *dev, struct devhost_vq *vq)
{
	struct echo *echo = devhost_priv(dev);

	echo_count(echo, ECHO_COUNT_REFILLS, 1);
	echo_supply(echo);
}

static void echo_work(struct devhost_device *dev, unsigned long events)
{
	struct echo *echo = devhost_priv(dev);
	unsigned int i;

	if (events & BIT(ECHO_EVENT_LATE))
		echo_late_event(echo);
	for (i = 0; i < ARRAY_SIZE(echo->stall); i++)
		if (events & BIT(ECHO_EVENT_RESUME + i))
			echo_stall_end(echo, i);
}

static void echo_get_config(struct devhost_device *dev, void *buf)
{
	struct echo *echo = devhost_priv(dev);
	struct echo_config *config = buf;

	config->magic = cpu_to_le32(ECHO_MAGIC);
	spin_lock(&echo->lock);
	config->changes = cpu_to_le32(echo->changes);
	config->writes = cpu_to_le32(echo->writes);
	config->tag = cpu_to_le32(echo->tag);
	memcpy(config->scratch, echo->scratch, sizeof(config->scratch));
	spin_unlock(&echo->lock);
}

static void echo_set_config(struct devhost_device *dev, unsigned int offset,
			    const void *buf, unsigned int len)
{
	const unsigned int start = offsetof(struct echo_config, scratch);
	struct echo *echo = devhost_priv(dev);

	if (offset < start) {
		unsigned int skip = min(len, start - offset);

		offset += skip;
		buf += skip;
		len -= skip;
	}
	if (!len)
		return;
	spin_lock(&echo->lock);
	memcpy(echo->scratch + offset - start, buf, len);
	echo->writes++;
	spin_unlock(&echo->lock);
}

static const struct devhost_class_ops echo_ops = {
	.create = echo_create,
	.destroy = echo_destroy,
	.set = echo_set,
	.fill = echo_fill,
	.features = echo_features,
	.start = echo_start,
	.stop = echo_stop,
	.suspend = echo_suspend,
	.resume = echo_resume,
	.request = echo_request,
	.refill = echo_refill,
	.work = echo_work,
	.lost = echo_lost,
	.get_config = echo_get_config,
	.set_config = echo_set_config,
};

static const struct devhost_vq_info echo_vqs[ECHO_VQS] = {
	[ECHO_VQ_ECHO] = { .name = "echo" },
	[ECHO_VQ_LATE] = { .name = "late" },
	[ECHO_VQ_SUPPLY] = { .name = "supply", .supply = true },
	[ECHO_VQ_CONTROL] = { .name = "control", .control = true },
};

static const struct nla_policy echo_policy[ECHO_A_MAX + 1] = {
	[ECHO_A_TAG] = { .type = NLA_U32 },
	[ECHO_A_IN_ORDER] = { .type = NLA_FLAG },
};

static const char * const echo_counters[ECHO_COUNTERS] = {
	[ECHO_COUNT_STARTS] = "starts",
	[ECHO_COUNT_STOPS] = "stops",
	[ECHO_COUNT_SUSPENDS] = "suspends",
	[ECHO_COUNT_RESUMES] = "resumes",
	[ECHO_COUNT_ECHOED] = "echoed",
	[ECHO_COUNT_ECHOED_BYTES] = "echoed_bytes",
	[ECHO_COUNT_LATE] = "late",
	[ECHO_COUNT_STALLS] = "stalls",
	[ECHO_COUNT_REJECTS] = "rejects",
	[ECHO_COUNT_SUPPLIED] = "supplied",
	[ECHO_COUNT_REFILLS] = "refills",
	[ECHO_COUNT_FORGOTTEN] = "forgotten",
	[ECHO_COUNT_SLEPT] = "slept",
	[ECHO_COUNT_LOST] = "lost",
	[ECHO_COUNT_BEGUN] = "begun",
};

static struct devhost_class echo_class = {
	.name = "echo",
	.virtio_id = ECHO_VIRTIO_ID,
	.owner = THIS_MODULE,
	.vqs = echo_vqs,
	.num_vqs = ECHO_VQS,
	.helpers = 4,
	.config_size = sizeof(struct echo_config),
	.priv_size = sizeof(struct echo),
	.attr_policy = echo_policy,
	.attr_max = ECHO_A_MAX,
	.counters = echo_counters,
	.num_counters = ECHO_COUNTERS,
	.ops = &echo_ops,
};

static int __init echo_init(void)
{
	return devhost_register_class(&echo_class);
}
module_init(echo_init);

static void __exit echo_exit(void)
{
	devhost_unregister_class(&echo_class);
}
module_exit(echo_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test device for the core of devhost");
