// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device class: SCMI platforms, virtio 1.4 section 5.17.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vhost_scmi.h"

/* Commands of one guest that sleep at the same time. */
#define VSCMI_HELPERS	4

static void vscmi_agent_name(struct vscmi *vs, const struct nlattr *name)
{
	if (name)
		nla_strscpy(vs->agent, name, sizeof(vs->agent));
	else
		strscpy(vs->agent, devhost_guest_name(vs->dev));
}

static int vscmi_create(struct devhost_device *dev, struct nlattr **tb,
			struct netlink_ext_ack *extack)
{
	struct vscmi *vs = devhost_priv(dev);
	int err;

	vs->dev = dev;
	vscmi_agent_name(vs, tb[DEVHOST_A_SCMI_AGENT]);
	vs->system_power = nla_get_flag(tb[DEVHOST_A_SCMI_SYSTEM_POWER]);
	timer_setup(&vs->timer, vscmi_watch_timer, 0);
	spin_lock_init(&vs->event_lock);
	vscmi_tell_create(vs);
	err = vscmi_view_create(vs, tb[DEVHOST_A_SCMI_RESOURCES], extack);
	if (err)
		return err;
	err = vscmi_event_create(vs);
	if (err)
		vscmi_view_destroy(vs);
	return err;
}

static void vscmi_destroy(struct devhost_device *dev)
{
	struct vscmi *vs = devhost_priv(dev);

	vscmi_view_destroy(vs);
	vscmi_event_destroy(vs);
}

static u32 vscmi_u32_or_0(const struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static int vscmi_announce(struct vscmi *vs, const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	static const struct nla_policy policy[] = {
		[DEVHOST_A_SCMI_ANNOUNCE_STATE] = { .type = NLA_U32 },
		[DEVHOST_A_SCMI_ANNOUNCE_FLAGS] = { .type = NLA_U32 },
		[DEVHOST_A_SCMI_ANNOUNCE_TIMEOUT] = { .type = NLA_U32 },
	};
	struct nlattr *tb[DEVHOST_A_SCMI_ANNOUNCE_MAX + 1];
	int err;

	err = nla_parse_nested(tb, DEVHOST_A_SCMI_ANNOUNCE_MAX, attr, policy,
			       extack);
	if (err)
		return err;
	if (!tb[DEVHOST_A_SCMI_ANNOUNCE_STATE]) {
		NL_SET_ERR_MSG(extack, "an announcement needs a state");
		return -EINVAL;
	}
	if (!vs->system_power) {
		NL_SET_ERR_MSG(extack, "the device has no system power protocol");
		return -EOPNOTSUPP;
	}
	vscmi_event_announce(vs, nla_get_u32(tb[DEVHOST_A_SCMI_ANNOUNCE_STATE]),
			     vscmi_u32_or_0(tb[DEVHOST_A_SCMI_ANNOUNCE_FLAGS]),
			     vscmi_u32_or_0(tb[DEVHOST_A_SCMI_ANNOUNCE_TIMEOUT]));
	return 0;
}

static int vscmi_ceiling(struct vscmi *vs, const struct nlattr *attr,
			 struct netlink_ext_ack *extack)
{
	static const struct nla_policy policy[] = {
		[DEVHOST_A_SCMI_CEILING_KIND] =
			NLA_POLICY_MAX(NLA_U32, __DEVHOST_SCMI_KINDS - 1),
		[DEVHOST_A_SCMI_CEILING_ID] = { .type = NLA_U32 },
		[DEVHOST_A_SCMI_CEILING_LEVEL] = { .type = NLA_U64 },
	};
	struct nlattr *tb[DEVHOST_A_SCMI_CEILING_MAX + 1];
	struct nlattr *level;
	struct vscmi_view *view = NULL;
	int err;

	err = nla_parse_nested(tb, DEVHOST_A_SCMI_CEILING_MAX, attr, policy,
			       extack);
	if (err)
		return err;
	if (tb[DEVHOST_A_SCMI_CEILING_KIND] && tb[DEVHOST_A_SCMI_CEILING_ID])
		view = vscmi_view_find(vs,
				       nla_get_u32(tb[DEVHOST_A_SCMI_CEILING_KIND]),
				       nla_get_u32(tb[DEVHOST_A_SCMI_CEILING_ID]));
	if (!view) {
		NL_SET_ERR_MSG(extack, "no such resource");
		return -ENOENT;
	}
	level = tb[DEVHOST_A_SCMI_CEILING_LEVEL];
	vscmi_ceiling_set(view->host,
			  level ? nla_get_u64(level) : VSCMI_NO_CEILING);
	return 0;
}

static int vscmi_reading(struct vscmi *vs, const struct nlattr *attr,
			 struct netlink_ext_ack *extack)
{
	static const struct nla_policy policy[] = {
		[DEVHOST_A_SCMI_READING_ID] = { .type = NLA_U32 },
		[DEVHOST_A_SCMI_READING_VALUE] = { .type = NLA_S64 },
	};
	struct nlattr *tb[DEVHOST_A_SCMI_READING_MAX + 1];
	struct vscmi_view *view = NULL;
	int err;

	err = nla_parse_nested(tb, DEVHOST_A_SCMI_READING_MAX, attr, policy,
			       extack);
	if (err)
		return err;
	if (tb[DEVHOST_A_SCMI_READING_ID] && tb[DEVHOST_A_SCMI_READING_VALUE])
		view = vscmi_view_find(vs, DEVHOST_SCMI_SENSOR,
				       nla_get_u32(tb[DEVHOST_A_SCMI_READING_ID]));
	if (!view || view->host->source != DEVHOST_SCMI_SOURCE_PUSHED) {
		NL_SET_ERR_MSG(extack, "no such sensor whose values are pushed");
		return -ENOENT;
	}
	vscmi_watch_push(view, nla_get_s64(tb[DEVHOST_A_SCMI_READING_VALUE]));
	return 0;
}

static int vscmi_set(struct devhost_device *dev, struct nlattr **tb,
		     struct netlink_ext_ack *extack)
{
	struct vscmi *vs = devhost_priv(dev);
	int err = 0;

	if (tb[DEVHOST_A_SCMI_AGENT] || tb[DEVHOST_A_SCMI_RESOURCES] ||
	    tb[DEVHOST_A_SCMI_SYSTEM_POWER]) {
		NL_SET_ERR_MSG(extack, "what a guest has is given at creation");
		return -EOPNOTSUPP;
	}
	if (tb[DEVHOST_A_SCMI_ANNOUNCE])
		err = vscmi_announce(vs, tb[DEVHOST_A_SCMI_ANNOUNCE], extack);
	if (!err && tb[DEVHOST_A_SCMI_CEILING])
		err = vscmi_ceiling(vs, tb[DEVHOST_A_SCMI_CEILING], extack);
	if (!err && tb[DEVHOST_A_SCMI_READING])
		err = vscmi_reading(vs, tb[DEVHOST_A_SCMI_READING], extack);
	return err;
}

static int vscmi_fill_request(struct sk_buff *msg,
			      const struct vscmi_request *request)
{
	struct nlattr *nest = nla_nest_start(msg, DEVHOST_A_SCMI_REQUEST);

	if (!nest ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_REQUEST_STATE, request->state) ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_REQUEST_FLAGS, request->flags) ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_REQUEST_SEQ, request->seq) ||
	    nla_put_u64_64bit(msg, DEVHOST_A_SCMI_REQUEST_SINCE, request->since,
			      DEVHOST_A_SCMI_REQUEST_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int vscmi_fill(struct devhost_device *dev, struct sk_buff *msg)
{
	struct vscmi *vs = devhost_priv(dev);
	struct vscmi_request request;

	spin_lock(&vs->event_lock);
	request = vs->request;
	spin_unlock(&vs->event_lock);
	if (nla_put_string(msg, DEVHOST_A_SCMI_AGENT, vs->agent) ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_NUM_RESOURCES, vs->num_views) ||
	    (vs->system_power && nla_put_flag(msg, DEVHOST_A_SCMI_SYSTEM_POWER)))
		return -EMSGSIZE;
	return request.seq ? vscmi_fill_request(msg, &request) : 0;
}

static int vscmi_fill_resource(struct devhost_device *dev, struct sk_buff *msg,
			       unsigned int index)
{
	struct vscmi *vs = devhost_priv(dev);
	int err;

	if (index >= vs->num_views)
		return -ENOENT;
	err = vscmi_view_fill(vs->views[index], msg);
	if (err)
		return err;
	return vscmi_votes_fill(vs->views[index], msg);
}

static u64 vscmi_features(struct devhost_device *dev)
{
	return BIT_ULL(VIRTIO_SCMI_F_P2A_CHANNELS);
}

static int vscmi_start(struct devhost_device *dev)
{
	struct vscmi *vs = devhost_priv(dev);

	vs->p2a = devhost_has_feature(dev, VIRTIO_SCMI_F_P2A_CHANNELS);
	WRITE_ONCE(vs->live, true);
	return 0;
}

/*
 * From the moment that a vote is withdrawn, commands of this start that are
 * still under way can't put it back: they see the new generation.
 */
static void vscmi_stop(struct devhost_device *dev)
{
	struct vscmi *vs = devhost_priv(dev);

	WRITE_ONCE(vs->live, false);
	WRITE_ONCE(vs->generation, vs->generation + 1);
	vscmi_view_reset(vs);
	vscmi_watch_reset(vs);
	vscmi_votes_withdraw(vs);
	vscmi_dispatch_reset(vs);
	vscmi_event_reset(vs);
}

/*
 * What helpers have is waited for, as long as it takes. A command that waits for
 * room is read again.
 */
static void vscmi_suspend(struct devhost_device *dev)
{
	devhost_flush(dev);
	vscmi_dispatch_reset(devhost_priv(dev));
}

/* Whatever was raised meanwhile went unseen. */
static void vscmi_resume(struct devhost_device *dev)
{
	devhost_raise(dev, VSCMI_EVENT_NOTIFY);
	devhost_raise(dev, VSCMI_EVENT_POLL);
}

static enum devhost_answer vscmi_request(struct devhost_device *dev,
					 struct devhost_vq *vq,
					 struct devhost_chain *chain)
{
	return vscmi_dispatch(devhost_priv(dev), chain);
}

static void vscmi_refill(struct devhost_device *dev, struct devhost_vq *vq)
{
	vscmi_event_deliver(devhost_priv(dev));
}

static void vscmi_work(struct devhost_device *dev, unsigned long events)
{
	struct vscmi *vs = devhost_priv(dev);

	if (events & BIT(VSCMI_EVENT_POLL))
		vscmi_watch_poll(vs);
	if (events & BIT(VSCMI_EVENT_NOTIFY))
		vscmi_event_deliver(vs);
}

/*
 * virtio defines none. But vhost-vdpa refuses to read nothing, and QEMU to attach
 * a device whose configuration it can't read: so there are a few zeroes.
 */
#define VSCMI_CONFIG_SIZE	4

static void vscmi_get_config(struct devhost_device *dev, void *config)
{
}

static const struct devhost_class_ops vscmi_ops = {
	.create = vscmi_create,
	.destroy = vscmi_destroy,
	.set = vscmi_set,
	.fill = vscmi_fill,
	.fill_resource = vscmi_fill_resource,
	.features = vscmi_features,
	.start = vscmi_start,
	.stop = vscmi_stop,
	.suspend = vscmi_suspend,
	.resume = vscmi_resume,
	.request = vscmi_request,
	.refill = vscmi_refill,
	.work = vscmi_work,
	.get_config = vscmi_get_config,
};

static const struct devhost_vq_info vscmi_vqs[VIRTIO_SCMI_VQS] = {
	[VIRTIO_SCMI_CMDQ] = { .name = "cmdq" },
	[VIRTIO_SCMI_EVENTQ] = { .name = "eventq", .supply = true },
};

static const struct nla_policy vscmi_policy[DEVHOST_A_SCMI_MAX + 1] = {
	[DEVHOST_A_SCMI_AGENT] = { .type = NLA_NUL_STRING,
				   .len = SCMI_SHORT_NAME_SIZE - 1 },
	[DEVHOST_A_SCMI_RESOURCES] = { .type = NLA_NESTED },
	[DEVHOST_A_SCMI_SYSTEM_POWER] = { .type = NLA_FLAG },
	[DEVHOST_A_SCMI_ANNOUNCE] = { .type = NLA_NESTED },
	[DEVHOST_A_SCMI_CEILING] = { .type = NLA_NESTED },
	[DEVHOST_A_SCMI_READING] = { .type = NLA_NESTED },
};

static const char * const vscmi_counters[VSCMI_COUNTERS] = {
	[VSCMI_COMMANDS] = "commands",
	[VSCMI_REFUSED] = "refused",
	[VSCMI_DENIED] = "denied",
	[VSCMI_DEFERRED] = "deferred",
	[VSCMI_NOTIFICATIONS] = "notifications",
	[VSCMI_NOTIFICATIONS_MERGED] = "notifications_merged",
	[VSCMI_DELAYED_RESPONSES] = "delayed_responses",
	[VSCMI_EVENTS_TOO_SMALL] = "events_too_small",
};

static struct devhost_class vscmi_class = {
	.name = "scmi",
	.virtio_id = VIRTIO_SCMI_DEVICE_ID,
	.owner = THIS_MODULE,
	.vqs = vscmi_vqs,
	.num_vqs = VIRTIO_SCMI_VQS,
	.helpers = VSCMI_HELPERS,
	.helpers_serve = true,
	.config_size = VSCMI_CONFIG_SIZE,
	.priv_size = sizeof(struct vscmi),
	.attr_policy = vscmi_policy,
	.attr_max = DEVHOST_A_SCMI_MAX,
	.counters = vscmi_counters,
	.num_counters = VSCMI_COUNTERS,
	.ops = &vscmi_ops,
};

static int __init vscmi_init(void)
{
	int err;

	err = vscmi_hosts_init();
	if (err)
		return err;
	err = devhost_register_class(&vscmi_class);
	if (err)
		vscmi_hosts_exit();
	return err;
}
module_init(vscmi_init);

static void __exit vscmi_exit(void)
{
	devhost_unregister_class(&vscmi_class);
	vscmi_hosts_exit();
}
module_exit(vscmi_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("virtio SCMI devices on the host's power resources");
