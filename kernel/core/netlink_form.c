// SPDX-License-Identifier: GPL-2.0-only
/*
 * What netlink messages tell of guests, devices and statistics.
 *
 * A form is a snapshot. It is filled without dev->lock, which may be held where
 * an event comes from, so what changes under it is read once.
 */
#include <net/genetlink.h>

#include "core.h"

static int devhost_put_u64(struct sk_buff *msg, int attr, u64 value, int pad)
{
	return nla_put_u64_64bit(msg, attr, value, pad);
}

/* One nest a verdict, in @attr. */
static int devhost_put_verdicts(struct sk_buff *msg, int attr,
				const u64 *verdicts)
{
	struct nlattr *nest;
	unsigned int kind;

	for (kind = 0; kind < __DEVHOST_VERDICT_NUM; kind++) {
		nest = nla_nest_start(msg, attr);
		if (!nest ||
		    nla_put_u32(msg, DEVHOST_A_VERDICT_KIND, kind) ||
		    devhost_put_u64(msg, DEVHOST_A_VERDICT_COUNT, verdicts[kind],
				    DEVHOST_A_VERDICT_PAD))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}

	return 0;
}

static void devhost_add_verdicts(const struct devhost_device *dev, u64 *verdicts)
{
	unsigned int kind;

	for (kind = 0; kind < __DEVHOST_VERDICT_NUM; kind++)
		verdicts[kind] += atomic64_read(&dev->verdicts[kind]);
}

static int devhost_put_limit(struct sk_buff *msg, unsigned int limit, u64 value)
{
	return devhost_put_u64(msg, limit, value, DEVHOST_A_LIMIT_PAD);
}

/* What a guest may have, what it has, and what it was refused. */
static int devhost_put_limits(struct sk_buff *msg, struct devhost_guest *guest)
{
	struct nlattr *nest;
	unsigned int i;

	nest = nla_nest_start(msg, DEVHOST_A_GUEST_LIMITS);
	if (!nest)
		return -EMSGSIZE;
	for (i = DEVHOST_A_LIMIT_DEVICES; i < DEVHOST_A_LIMIT_PAD; i++)
		if (guest->limits.max[i] &&
		    devhost_put_limit(msg, i, guest->limits.max[i]))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);

	nest = nla_nest_start(msg, DEVHOST_A_GUEST_USE);
	if (!nest)
		return -EMSGSIZE;
	for (i = DEVHOST_A_LIMIT_DEVICES; i < DEVHOST_A_LIMIT_PAD; i++)
		if (devhost_put_limit(msg, i, devhost_quota_use(guest, i)))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);

	nest = nla_nest_start(msg, DEVHOST_A_GUEST_REFUSED);
	if (!nest)
		return -EMSGSIZE;
	for (i = DEVHOST_A_LIMIT_DEVICES; i < DEVHOST_A_LIMIT_PAD; i++)
		if (devhost_put_limit(msg, i, atomic64_read(&guest->refused[i])))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);

	return 0;
}

static int devhost_put_guest(struct sk_buff *msg, struct devhost_guest *guest)
{
	u64 verdicts[__DEVHOST_VERDICT_NUM];
	struct devhost_device *dev;

	lockdep_assert_held(&devhost_lock);
	memcpy(verdicts, guest->verdicts, sizeof(verdicts));
	list_for_each_entry(dev, &guest->devices, list)
		devhost_add_verdicts(dev, verdicts);

	if (nla_put_string(msg, DEVHOST_A_GUEST_NAME, guest->name) ||
	    nla_put_u32(msg, DEVHOST_A_GUEST_ID, guest->id) ||
	    nla_put_u32(msg, DEVHOST_A_GUEST_DEVICES, guest->num_devices) ||
	    devhost_put_u64(msg, DEVHOST_A_GUEST_PINNED,
			    atomic64_read(&guest->pinned), DEVHOST_A_GUEST_PAD) ||
	    devhost_put_u64(msg, DEVHOST_A_GUEST_EXPORTED,
			    atomic64_read(&guest->exported),
			    DEVHOST_A_GUEST_PAD))
		return -EMSGSIZE;
	if (rcu_access_pointer(guest->policy) &&
	    nla_put_u32(msg, DEVHOST_A_GUEST_POLICY, guest->policy_seq))
		return -EMSGSIZE;
	if (devhost_put_limits(msg, guest))
		return -EMSGSIZE;

	return devhost_put_verdicts(msg, DEVHOST_A_GUEST_VERDICT, verdicts);
}

static int devhost_put_backend(struct sk_buff *msg, struct devhost_device *dev)
{
	struct nlattr *nest;
	int ret;

	if (!dev->class->ops->fill)
		return 0;
	nest = nla_nest_start(msg, DEVHOST_A_DEV_BACKEND);
	if (!nest)
		return -EMSGSIZE;
	ret = dev->class->ops->fill(dev, msg);
	if (ret)
		return ret;
	nla_nest_end(msg, nest);

	return 0;
}

/* What is so as long as the device exists. */
static int devhost_put_identity(struct sk_buff *msg, struct devhost_device *dev)
{
	if (nla_put_string(msg, DEVHOST_A_DEV_GUEST, dev->guest->name) ||
	    nla_put_string(msg, DEVHOST_A_DEV_NAME, dev->name) ||
	    nla_put_u32(msg, DEVHOST_A_DEV_ID, dev->id) ||
	    nla_put_string(msg, DEVHOST_A_DEV_CLASS, dev->class->name) ||
	    nla_put_u32(msg, DEVHOST_A_DEV_VIRTIO_ID, dev->class->virtio_id) ||
	    nla_put_string(msg, DEVHOST_A_DEV_VDPA, dev_name(&dev->vdpa.dev)) ||
	    nla_put_u32(msg, DEVHOST_A_DEV_VQ_SIZE_MAX, dev->vq_size_max) ||
	    nla_put_u32(msg, DEVHOST_A_DEV_VQS, dev->class->num_vqs))
		return -EMSGSIZE;
	if (dev->policy_required &&
	    nla_put_flag(msg, DEVHOST_A_DEV_POLICY_REQUIRED))
		return -EMSGSIZE;

	return 0;
}

static int devhost_put_state(struct sk_buff *msg, struct devhost_device *dev,
			     pid_t worker)
{
	const char *reason = READ_ONCE(dev->reason);
	u8 status = READ_ONCE(dev->status);

	/* As the driver reads it. */
	if (status && READ_ONCE(dev->needs_reset))
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;

	if (nla_put_u32(msg, DEVHOST_A_DEV_STATE, devhost_vdpa_state(dev)) ||
	    nla_put_u8(msg, DEVHOST_A_DEV_STATUS, status) ||
	    devhost_put_u64(msg, DEVHOST_A_DEV_FEATURES,
			    devhost_vdpa_features(dev), DEVHOST_A_DEV_PAD) ||
	    devhost_put_u64(msg, DEVHOST_A_DEV_DRIVER_FEATURES,
			    READ_ONCE(dev->driver_features), DEVHOST_A_DEV_PAD) ||
	    devhost_put_u64(msg, DEVHOST_A_DEV_FEATURES_MASK,
			    READ_ONCE(dev->features_mask), DEVHOST_A_DEV_PAD))
		return -EMSGSIZE;
	if (reason && nla_put_string(msg, DEVHOST_A_DEV_REASON, reason))
		return -EMSGSIZE;
	if (worker && nla_put_u32(msg, DEVHOST_A_DEV_WORKER, worker))
		return -EMSGSIZE;

	return devhost_put_backend(msg, dev);
}

static int devhost_put_vq(struct sk_buff *msg, const struct devhost_vq *vq)
{
	const struct devhost_ring *ring = &vq->ring;

	/* The worker counts on meanwhile. */
	if (nla_put_u32(msg, DEVHOST_A_VQ_INDEX, vq->index) ||
	    nla_put_string(msg, DEVHOST_A_VQ_NAME,
			   vq->dev->class->vqs[vq->index].name) ||
	    devhost_put_u64(msg, DEVHOST_A_VQ_KICKS, atomic64_read(&vq->kicks),
			    DEVHOST_A_VQ_PAD) ||
	    devhost_put_u64(msg, DEVHOST_A_VQ_POPPED,
			    READ_ONCE(vq->total.popped) + READ_ONCE(ring->popped),
			    DEVHOST_A_VQ_PAD) ||
	    devhost_put_u64(msg, DEVHOST_A_VQ_PUSHED,
			    READ_ONCE(vq->total.pushed) + READ_ONCE(ring->pushed),
			    DEVHOST_A_VQ_PAD) ||
	    devhost_put_u64(msg, DEVHOST_A_VQ_NOTIFIED, READ_ONCE(vq->notified),
			    DEVHOST_A_VQ_PAD) ||
	    devhost_put_u64(msg, DEVHOST_A_VQ_MALFORMED,
			    READ_ONCE(vq->total.malformed) +
			    READ_ONCE(ring->malformed),
			    DEVHOST_A_VQ_PAD) ||
	    nla_put_u32(msg, DEVHOST_A_VQ_INFLIGHT, READ_ONCE(ring->inflight)))
		return -EMSGSIZE;

	return 0;
}

static int devhost_put_vqs(struct sk_buff *msg, struct devhost_device *dev)
{
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < dev->class->num_vqs; i++) {
		nest = nla_nest_start(msg, DEVHOST_A_STATS_VQ);
		if (!nest || devhost_put_vq(msg, &dev->vqs[i]))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}

	return 0;
}

static int devhost_put_counters(struct sk_buff *msg, struct devhost_device *dev)
{
	const struct devhost_class *class = dev->class;
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < class->num_counters; i++) {
		nest = nla_nest_start(msg, DEVHOST_A_STATS_COUNTER);
		if (!nest ||
		    nla_put_string(msg, DEVHOST_A_COUNTER_NAME,
				   class->counters[i]) ||
		    devhost_put_u64(msg, DEVHOST_A_COUNTER_VALUE,
				    atomic64_read(&dev->counters[i]),
				    DEVHOST_A_COUNTER_PAD))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}

	return 0;
}

static int devhost_put_stats(struct sk_buff *msg, struct devhost_device *dev)
{
	u64 verdicts[__DEVHOST_VERDICT_NUM] = {};

	devhost_add_verdicts(dev, verdicts);
	if (nla_put_string(msg, DEVHOST_A_STATS_GUEST, dev->guest->name) ||
	    nla_put_string(msg, DEVHOST_A_STATS_DEV, dev->name) ||
	    devhost_put_vqs(msg, dev) ||
	    devhost_put_counters(msg, dev))
		return -EMSGSIZE;

	return devhost_put_verdicts(msg, DEVHOST_A_STATS_VERDICT, verdicts);
}

/* A message with the one nest that all messages have. */
struct devhost_form {
	void *header;
	struct nlattr *nest;
};

static int devhost_form_begin(struct devhost_form *form, struct sk_buff *msg,
			      const struct genl_info *info, int flags, int attr)
{
	form->header = __genlmsg_iput(msg, info, flags);
	if (!form->header)
		return -EMSGSIZE;
	form->nest = nla_nest_start(msg, attr);

	return form->nest ? 0 : -EMSGSIZE;
}

/* Finishes the message, or takes back what there is of it. */
static int devhost_form_end(struct devhost_form *form, struct sk_buff *msg,
			    int err)
{
	if (err) {
		genlmsg_cancel(msg, form->header);
		return err;
	}
	nla_nest_end(msg, form->nest);
	genlmsg_end(msg, form->header);

	return 0;
}

int devhost_form_guest(struct sk_buff *msg, const struct genl_info *info,
		       int flags, struct devhost_guest *guest)
{
	struct devhost_form form;
	int ret;

	ret = devhost_form_begin(&form, msg, info, flags, DEVHOST_A_GUEST);
	if (!ret)
		ret = devhost_put_guest(msg, guest);

	return devhost_form_end(&form, msg, ret);
}

int devhost_form_device(struct sk_buff *msg, const struct genl_info *info,
			int flags, struct devhost_device *dev)
{
	struct devhost_form form;
	pid_t worker = 0;
	int ret;

	/* Thread ids are the reader's, and a notification has many. */
	if (!genl_info_is_ntf(info))
		worker = devhost_vdpa_worker(dev);

	ret = devhost_form_begin(&form, msg, info, flags, DEVHOST_A_DEV);
	if (!ret)
		ret = devhost_put_identity(msg, dev);
	/* Of what is gone only the name is left. */
	if (!ret && READ_ONCE(dev->registered))
		ret = devhost_put_state(msg, dev, worker);

	return devhost_form_end(&form, msg, ret);
}

int devhost_form_stats(struct sk_buff *msg, const struct genl_info *info,
		       int flags, struct devhost_device *dev)
{
	struct devhost_form form;
	int ret;

	ret = devhost_form_begin(&form, msg, info, flags, DEVHOST_A_STATS);
	if (!ret)
		ret = devhost_put_stats(msg, dev);

	return devhost_form_end(&form, msg, ret);
}

/* -ENOENT where the device has no resource of that number. */
int devhost_form_resource(struct sk_buff *msg, const struct genl_info *info,
			  int flags, struct devhost_device *dev,
			  unsigned int index)
{
	struct devhost_form form;
	struct nlattr *nest;
	int ret;

	if (!dev->class->ops->fill_resource)
		return -ENOENT;
	ret = devhost_form_begin(&form, msg, info, flags, DEVHOST_A_RESOURCE);
	if (ret)
		goto out;
	if (nla_put_string(msg, DEVHOST_A_RESOURCE_GUEST, dev->guest->name) ||
	    nla_put_string(msg, DEVHOST_A_RESOURCE_DEV, dev->name) ||
	    nla_put_u32(msg, DEVHOST_A_RESOURCE_INDEX, index)) {
		ret = -EMSGSIZE;
		goto out;
	}
	nest = nla_nest_start(msg, DEVHOST_A_RESOURCE_BACKEND);
	ret = nest ? dev->class->ops->fill_resource(dev, msg, index) : -EMSGSIZE;
	if (!ret)
		nla_nest_end(msg, nest);
out:
	return devhost_form_end(&form, msg, ret);
}

int devhost_form_denial(struct sk_buff *msg, const struct genl_info *info,
			const struct devhost_device *dev,
			const struct devhost_denial *denial)
{
	struct devhost_form form;
	int ret;

	ret = devhost_form_begin(&form, msg, info, 0, DEVHOST_A_DENIAL);
	if (!ret)
		ret = nla_put_string(msg, DEVHOST_A_DENIAL_GUEST,
				     dev->guest->name) ?:
		      nla_put_string(msg, DEVHOST_A_DENIAL_DEV, dev->name) ?:
		      nla_put_string(msg, DEVHOST_A_DENIAL_CLASS,
				     dev->class->name) ?:
		      devhost_put_denial(msg, denial);

	return devhost_form_end(&form, msg, ret);
}
