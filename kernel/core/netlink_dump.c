// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dumps of guests, devices, statistics and resources over netlink.
 */
#include <net/genetlink.h>

#include "core.h"

/*
 * Where a dump stands. Lists are in the order of ids, which are never used
 * again, so it goes on behind the last one whatever was removed meanwhile.
 */
struct devhost_dump {
	u32 only;	/* of this guest, 0 for all */
	u32 guest;	/* last one dumped */
	u32 device;	/* last one dumped, of that guest */
	u32 only_device;	/* of this device, 0 for all */
	u32 resource;	/* next one, of the device behind @device */
};

static struct devhost_dump *devhost_dump(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct devhost_dump) > sizeof(cb->ctx));
	return (struct devhost_dump *)cb->ctx;
}

int devhost_guest_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct devhost_dump *dump = devhost_dump(cb);
	struct devhost_guest *guest;
	int ret = 0;

	mutex_lock(&devhost_lock);
	list_for_each_entry(guest, &devhost_guests, list) {
		if (guest->id <= dump->guest)
			continue;
		ret = devhost_form_guest(skb, genl_info_dump(cb), NLM_F_MULTI,
					 guest);
		if (ret)
			break;
		dump->guest = guest->id;
	}
	mutex_unlock(&devhost_lock);

	return ret;
}

/* Dumps of devices and statistics may be limited to one guest. */
static int devhost_dump_start(struct netlink_callback *cb, int attr,
			      int guest_attr, int max)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct nlattr *tb[DEVHOST_A_DEV_MAX + 1];
	struct devhost_guest *guest;
	int ret;

	cb->min_dump_alloc = DEVHOST_MSG_SIZE;
	if (!info->attrs[attr])
		return 0;
	ret = nla_parse_nested(tb, max, info->attrs[attr], NULL, info->extack);
	if (ret || !tb[guest_attr])
		return ret;

	mutex_lock(&devhost_lock);
	guest = devhost_guest_find(nla_data(tb[guest_attr]));
	if (guest)
		devhost_dump(cb)->only = guest->id;
	mutex_unlock(&devhost_lock);
	if (!guest) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[guest_attr], "no such guest");
		return -ENOENT;
	}

	return 0;
}

static int devhost_dump_guest(struct sk_buff *skb, struct netlink_callback *cb,
			      struct devhost_guest *guest,
			      devhost_device_form *form)
{
	struct devhost_dump *dump = devhost_dump(cb);
	struct devhost_device *dev;
	int ret;

	if (guest->id != dump->guest) {
		dump->guest = guest->id;
		dump->device = 0;
	}
	list_for_each_entry(dev, &guest->devices, list) {
		if (!dev->registered || dev->id <= dump->device)
			continue;
		ret = form(skb, genl_info_dump(cb), NLM_F_MULTI, dev);
		if (ret)
			return ret;
		dump->device = dev->id;
	}

	return 0;
}

static int devhost_dump_devices(struct sk_buff *skb,
				struct netlink_callback *cb,
				devhost_device_form *form)
{
	struct devhost_dump *dump = devhost_dump(cb);
	struct devhost_guest *guest;
	int ret = 0;

	mutex_lock(&devhost_lock);
	list_for_each_entry(guest, &devhost_guests, list) {
		if (guest->id < dump->guest ||
		    (dump->only && guest->id != dump->only))
			continue;
		ret = devhost_dump_guest(skb, cb, guest, form);
		if (ret)
			break;
	}
	mutex_unlock(&devhost_lock);

	return ret;
}

int devhost_dev_get_start(struct netlink_callback *cb)
{
	return devhost_dump_start(cb, DEVHOST_A_DEV, DEVHOST_A_DEV_GUEST,
				  DEVHOST_A_DEV_MAX);
}

int devhost_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return devhost_dump_devices(skb, cb, devhost_form_device);
}

int devhost_stats_get_start(struct netlink_callback *cb)
{
	return devhost_dump_start(cb, DEVHOST_A_STATS, DEVHOST_A_STATS_GUEST,
				  DEVHOST_A_STATS_MAX);
}

int devhost_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return devhost_dump_devices(skb, cb, devhost_form_stats);
}

/* Of one device where the request names one beside its guest. */
int devhost_resource_get_start(struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct nlattr *tb[DEVHOST_A_RESOURCE_MAX + 1];
	struct devhost_device *dev;
	int ret;

	ret = devhost_dump_start(cb, DEVHOST_A_RESOURCE,
				 DEVHOST_A_RESOURCE_GUEST,
				 DEVHOST_A_RESOURCE_MAX);
	if (ret || !devhost_dump(cb)->only)
		return ret;
	ret = nla_parse_nested(tb, DEVHOST_A_RESOURCE_MAX,
			       info->attrs[DEVHOST_A_RESOURCE], NULL,
			       info->extack);
	if (ret || !tb[DEVHOST_A_RESOURCE_DEV])
		return ret;

	mutex_lock(&devhost_lock);
	dev = devhost_device_lookup(nla_data(tb[DEVHOST_A_RESOURCE_GUEST]),
				    nla_data(tb[DEVHOST_A_RESOURCE_DEV]),
				    info->extack);
	if (IS_ERR(dev))
		ret = PTR_ERR(dev);
	else
		devhost_dump(cb)->only_device = dev->id;
	mutex_unlock(&devhost_lock);

	return ret;
}

/* All resources of one device, from where the dump stands. */
static int devhost_dump_resources(struct sk_buff *skb,
				  struct netlink_callback *cb,
				  struct devhost_device *dev)
{
	struct devhost_dump *dump = devhost_dump(cb);
	int ret;

	if (dump->only_device && dev->id != dump->only_device)
		return 0;
	do {
		ret = devhost_form_resource(skb, genl_info_dump(cb), NLM_F_MULTI,
					    dev, dump->resource);
		if (!ret)
			dump->resource++;
	} while (!ret);
	if (ret != -ENOENT)
		return ret;
	dump->resource = 0;

	return 0;
}

int devhost_resource_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct devhost_dump *dump = devhost_dump(cb);
	struct devhost_guest *guest;
	struct devhost_device *dev;
	int ret = 0;

	mutex_lock(&devhost_lock);
	list_for_each_entry(guest, &devhost_guests, list) {
		if (guest->id < dump->guest ||
		    (dump->only && guest->id != dump->only))
			continue;
		if (guest->id != dump->guest) {
			dump->guest = guest->id;
			dump->device = 0;
			dump->resource = 0;
		}
		list_for_each_entry(dev, &guest->devices, list) {
			if (!dev->registered || dev->id <= dump->device)
				continue;
			ret = devhost_dump_resources(skb, cb, dev);
			if (ret)
				goto out;
			dump->device = dev->id;
		}
	}
out:
	mutex_unlock(&devhost_lock);

	return ret;
}
