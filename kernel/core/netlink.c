// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family: the interface of the daemon.
 *
 * All of it is for the host's administrator: what guests have and do is nobody
 * else's business. Commands run in parallel; devhost_lock is all they share.
 */
#include <linux/log2.h>
#include <net/genetlink.h>

#include "core.h"

static int devhost_check_name(const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	if (devhost_name_valid(nla_data(attr)))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "a name has 1 to 31 of A-Z a-z 0-9 _ - and starts with a letter or digit");
	return -EINVAL;
}

#define DEVHOST_NAME							\
	NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, devhost_check_name,	\
			       DEVHOST_NAME_SIZE - 1)
/* The module that is asked for has a short name. */
#define DEVHOST_CLASS_NAME						\
	NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, devhost_check_name, 15)
#define DEVHOST_FLAG	{ .type = NLA_FLAG }

/* What each command takes. */
static const struct nla_policy devhost_guest_name_attrs[] = {
	[DEVHOST_A_GUEST_NAME] = DEVHOST_NAME,
};

static const struct netlink_range_validation devhost_limit_memory = {
	.min = DEVHOST_LIMIT_MEMORY_MIN,
	.max = DEVHOST_LIMIT_MEMORY_MAX,
};

static const struct netlink_range_validation devhost_limit_bytes = {
	.min = DEVHOST_LIMIT_BYTES_MIN,
	.max = DEVHOST_LIMIT_BYTES_MAX,
};

static const struct nla_policy devhost_limit_attrs[] = {
	[DEVHOST_A_LIMIT_DEVICES] =
		NLA_POLICY_RANGE(NLA_U64, 1, DEVHOST_LIMIT_DEVICES_MAX),
	[DEVHOST_A_LIMIT_QUEUES] =
		NLA_POLICY_RANGE(NLA_U64, 1, DEVHOST_LIMIT_QUEUES_MAX),
	[DEVHOST_A_LIMIT_RING_SIZE] =
		NLA_POLICY_RANGE(NLA_U64, 2, DEVHOST_VQ_SIZE_MAX),
	[DEVHOST_A_LIMIT_MEMORY] =
		NLA_POLICY_FULL_RANGE(NLA_U64, &devhost_limit_memory),
	[DEVHOST_A_LIMIT_IN_FLIGHT] =
		NLA_POLICY_RANGE(NLA_U64, 1, DEVHOST_LIMIT_IN_FLIGHT_MAX),
	[DEVHOST_A_LIMIT_IN_FLIGHT_BYTES] =
		NLA_POLICY_FULL_RANGE(NLA_U64, &devhost_limit_bytes),
};

static const struct nla_policy devhost_guest_set_attrs[] = {
	[DEVHOST_A_GUEST_NAME] = DEVHOST_NAME,
	[DEVHOST_A_GUEST_LIMITS] = NLA_POLICY_NESTED(devhost_limit_attrs),
};

static const struct nla_policy devhost_guest_del_attrs[] = {
	[DEVHOST_A_GUEST_NAME] = DEVHOST_NAME,
	[DEVHOST_A_GUEST_FORCE] = DEVHOST_FLAG,
};

static const struct nla_policy devhost_dev_new_attrs[] = {
	[DEVHOST_A_DEV_GUEST] = DEVHOST_NAME,
	[DEVHOST_A_DEV_NAME] = DEVHOST_NAME,
	[DEVHOST_A_DEV_CLASS] = DEVHOST_CLASS_NAME,
	[DEVHOST_A_DEV_FEATURES_MASK] = { .type = NLA_U64 },
	[DEVHOST_A_DEV_VQ_SIZE_MAX] =
		NLA_POLICY_RANGE(NLA_U32, 2, DEVHOST_VQ_SIZE_MAX),
	[DEVHOST_A_DEV_POLICY_REQUIRED] = DEVHOST_FLAG,
	[DEVHOST_A_DEV_BACKEND] = { .type = NLA_NESTED },
};

static const struct nla_policy devhost_dev_del_attrs[] = {
	[DEVHOST_A_DEV_GUEST] = DEVHOST_NAME,
	[DEVHOST_A_DEV_NAME] = DEVHOST_NAME,
	[DEVHOST_A_DEV_FORCE] = DEVHOST_FLAG,
};

static const struct nla_policy devhost_dev_get_attrs[] = {
	[DEVHOST_A_DEV_GUEST] = DEVHOST_NAME,
	[DEVHOST_A_DEV_NAME] = DEVHOST_NAME,
};

static const struct nla_policy devhost_dev_set_attrs[] = {
	[DEVHOST_A_DEV_GUEST] = DEVHOST_NAME,
	[DEVHOST_A_DEV_NAME] = DEVHOST_NAME,
	[DEVHOST_A_DEV_FEATURES_MASK] = { .type = NLA_U64 },
	[DEVHOST_A_DEV_BACKEND] = { .type = NLA_NESTED },
};

static const struct nla_policy devhost_dev_dump_attrs[] = {
	[DEVHOST_A_DEV_GUEST] = DEVHOST_NAME,
};

static const struct nla_policy devhost_stats_get_attrs[] = {
	[DEVHOST_A_STATS_GUEST] = DEVHOST_NAME,
	[DEVHOST_A_STATS_DEV] = DEVHOST_NAME,
};

static const struct nla_policy devhost_stats_dump_attrs[] = {
	[DEVHOST_A_STATS_GUEST] = DEVHOST_NAME,
};

static const struct nla_policy devhost_resource_dump_attrs[] = {
	[DEVHOST_A_RESOURCE_GUEST] = DEVHOST_NAME,
	[DEVHOST_A_RESOURCE_DEV] = DEVHOST_NAME,
};

static const struct nla_policy devhost_resource_get_attrs[] = {
	[DEVHOST_A_RESOURCE_GUEST] = DEVHOST_NAME,
	[DEVHOST_A_RESOURCE_DEV] = DEVHOST_NAME,
	[DEVHOST_A_RESOURCE_INDEX] = { .type = NLA_U32 },
};

static const struct nla_policy devhost_guest_name_policy[] = {
	[DEVHOST_A_GUEST] = NLA_POLICY_NESTED(devhost_guest_name_attrs),
};

static const struct nla_policy devhost_guest_set_policy[] = {
	[DEVHOST_A_GUEST] = NLA_POLICY_NESTED(devhost_guest_set_attrs),
};

static const struct nla_policy devhost_guest_del_policy[] = {
	[DEVHOST_A_GUEST] = NLA_POLICY_NESTED(devhost_guest_del_attrs),
};

static const struct nla_policy devhost_dev_new_policy[] = {
	[DEVHOST_A_DEV] = NLA_POLICY_NESTED(devhost_dev_new_attrs),
};

static const struct nla_policy devhost_dev_del_policy[] = {
	[DEVHOST_A_DEV] = NLA_POLICY_NESTED(devhost_dev_del_attrs),
};

static const struct nla_policy devhost_dev_get_policy[] = {
	[DEVHOST_A_DEV] = NLA_POLICY_NESTED(devhost_dev_get_attrs),
};

static const struct nla_policy devhost_dev_set_policy[] = {
	[DEVHOST_A_DEV] = NLA_POLICY_NESTED(devhost_dev_set_attrs),
};

static const struct nla_policy devhost_dev_dump_policy[] = {
	[DEVHOST_A_DEV] = NLA_POLICY_NESTED(devhost_dev_dump_attrs),
};

static const struct nla_policy devhost_stats_get_policy[] = {
	[DEVHOST_A_STATS] = NLA_POLICY_NESTED(devhost_stats_get_attrs),
};

static const struct nla_policy devhost_stats_dump_policy[] = {
	[DEVHOST_A_STATS] = NLA_POLICY_NESTED(devhost_stats_dump_attrs),
};

static const struct nla_policy devhost_resource_get_policy[] = {
	[DEVHOST_A_RESOURCE] = NLA_POLICY_NESTED(devhost_resource_get_attrs),
};

static const struct nla_policy devhost_resource_dump_policy[] = {
	[DEVHOST_A_RESOURCE] = NLA_POLICY_NESTED(devhost_resource_dump_attrs),
};

/*
 * Takes the nest @attr apart, which the policies above have checked, and makes
 * sure of the names that the command needs.
 */
static int devhost_parse(const struct genl_info *info, int attr,
			 struct nlattr **tb, int max, int need1, int need2)
{
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, attr))
		return -EINVAL;
	ret = nla_parse_nested(tb, max, info->attrs[attr], NULL, info->extack);
	if (ret)
		return ret;
	if (NL_REQ_ATTR_CHECK(info->extack, info->attrs[attr], tb, need1) ||
	    NL_REQ_ATTR_CHECK(info->extack, info->attrs[attr], tb, need2))
		return -EINVAL;

	return 0;
}

static int devhost_parse_guest(const struct genl_info *info, struct nlattr **tb)
{
	return devhost_parse(info, DEVHOST_A_GUEST, tb, DEVHOST_A_GUEST_MAX,
			     DEVHOST_A_GUEST_NAME, DEVHOST_A_GUEST_NAME);
}

static int devhost_parse_dev(const struct genl_info *info, struct nlattr **tb)
{
	return devhost_parse(info, DEVHOST_A_DEV, tb, DEVHOST_A_DEV_MAX,
			     DEVHOST_A_DEV_GUEST, DEVHOST_A_DEV_NAME);
}

/* What @nest does not have is not limited. */
static int devhost_parse_limits(const struct nlattr *nest,
				struct devhost_limits *limits,
				struct netlink_ext_ack *extack)
{
	struct nlattr *tb[DEVHOST_A_LIMIT_MAX + 1];
	unsigned int i;
	int ret;

	memset(limits, 0, sizeof(*limits));
	if (!nest)
		return 0;
	ret = nla_parse_nested(tb, DEVHOST_A_LIMIT_MAX, nest, NULL, extack);
	if (ret)
		return ret;
	for (i = DEVHOST_A_LIMIT_DEVICES; i < DEVHOST_A_LIMIT_PAD; i++)
		if (tb[i])
			limits->max[i] = nla_get_u64(tb[i]);
	if (limits->max[DEVHOST_A_LIMIT_RING_SIZE] &&
	    !is_power_of_2(limits->max[DEVHOST_A_LIMIT_RING_SIZE])) {
		NL_SET_ERR_MSG_ATTR(extack, tb[DEVHOST_A_LIMIT_RING_SIZE],
				    "ring size is not a power of two");
		return -EINVAL;
	}

	return 0;
}

/* Takes @msg, made before anything was changed. */
static int devhost_answer_guest(struct sk_buff *msg, struct genl_info *info,
				const char *name)
{
	struct devhost_guest *guest;
	int ret;

	mutex_lock(&devhost_lock);
	guest = devhost_guest_find(name);
	if (guest) {
		ret = devhost_form_guest(msg, info, 0, guest);
	} else {
		NL_SET_ERR_MSG_FMT(info->extack, "no guest %s", name);
		ret = -ENOENT;
	}
	mutex_unlock(&devhost_lock);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}

	return genlmsg_reply(msg, info);
}

/* The same for a device, in the form that @form gives it. */
static int devhost_answer_dev(struct sk_buff *msg, struct genl_info *info,
			      const char *guest, const char *name,
			      devhost_device_form *form)
{
	struct devhost_device *dev;
	int ret;

	mutex_lock(&devhost_lock);
	dev = devhost_device_lookup(guest, name, info->extack);
	ret = IS_ERR(dev) ? PTR_ERR(dev) : form(msg, info, 0, dev);
	mutex_unlock(&devhost_lock);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}

	return genlmsg_reply(msg, info);
}

static int devhost_guest_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_GUEST_MAX + 1];
	struct devhost_limits limits;
	struct sk_buff *msg;
	const char *name;
	int ret;

	ret = devhost_parse_guest(info, tb);
	if (ret)
		return ret;
	ret = devhost_parse_limits(tb[DEVHOST_A_GUEST_LIMITS], &limits,
				   info->extack);
	if (ret)
		return ret;
	msg = genlmsg_new(DEVHOST_MSG_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	name = nla_data(tb[DEVHOST_A_GUEST_NAME]);
	ret = devhost_guest_new(name, &limits, info->extack);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}

	return devhost_answer_guest(msg, info, name);
}

static int devhost_guest_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_GUEST_MAX + 1];
	struct devhost_limits limits;
	int ret;

	ret = devhost_parse_guest(info, tb);
	if (ret)
		return ret;
	if (NL_REQ_ATTR_CHECK(info->extack, info->attrs[DEVHOST_A_GUEST], tb,
			      DEVHOST_A_GUEST_LIMITS))
		return -EINVAL;
	ret = devhost_parse_limits(tb[DEVHOST_A_GUEST_LIMITS], &limits,
				   info->extack);
	if (ret)
		return ret;

	return devhost_guest_set(nla_data(tb[DEVHOST_A_GUEST_NAME]), &limits,
				 info->extack);
}

static int devhost_guest_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_GUEST_MAX + 1];
	int ret;

	ret = devhost_parse_guest(info, tb);
	if (ret)
		return ret;

	return devhost_guest_del(nla_data(tb[DEVHOST_A_GUEST_NAME]),
				 nla_get_flag(tb[DEVHOST_A_GUEST_FORCE]),
				 info->extack);
}

static int devhost_guest_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_GUEST_MAX + 1];
	struct sk_buff *msg;
	int ret;

	ret = devhost_parse_guest(info, tb);
	if (ret)
		return ret;
	msg = genlmsg_new(DEVHOST_MSG_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	return devhost_answer_guest(msg, info,
				    nla_data(tb[DEVHOST_A_GUEST_NAME]));
}

static int devhost_dev_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct devhost_params params = {
		.features_mask = U64_MAX,
		.vq_size_max = DEVHOST_VQ_SIZE_MAX,
	};
	struct nlattr *tb[DEVHOST_A_DEV_MAX + 1];
	struct sk_buff *msg;
	int ret;

	ret = devhost_parse_dev(info, tb);
	if (ret)
		return ret;
	if (NL_REQ_ATTR_CHECK(info->extack, info->attrs[DEVHOST_A_DEV], tb,
			      DEVHOST_A_DEV_CLASS))
		return -EINVAL;

	params.guest = nla_data(tb[DEVHOST_A_DEV_GUEST]);
	params.name = nla_data(tb[DEVHOST_A_DEV_NAME]);
	params.class = nla_data(tb[DEVHOST_A_DEV_CLASS]);
	if (tb[DEVHOST_A_DEV_FEATURES_MASK])
		params.features_mask = nla_get_u64(tb[DEVHOST_A_DEV_FEATURES_MASK]);
	if (tb[DEVHOST_A_DEV_VQ_SIZE_MAX])
		params.vq_size_max = nla_get_u32(tb[DEVHOST_A_DEV_VQ_SIZE_MAX]);
	params.policy_required = nla_get_flag(tb[DEVHOST_A_DEV_POLICY_REQUIRED]);
	params.backend = tb[DEVHOST_A_DEV_BACKEND];

	msg = genlmsg_new(DEVHOST_MSG_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	ret = devhost_device_new(&params, info->extack);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}

	return devhost_answer_dev(msg, info, params.guest, params.name,
				  devhost_form_device);
}

static int devhost_dev_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_DEV_MAX + 1];
	int ret;

	ret = devhost_parse_dev(info, tb);
	if (ret)
		return ret;

	return devhost_device_del(nla_data(tb[DEVHOST_A_DEV_GUEST]),
				  nla_data(tb[DEVHOST_A_DEV_NAME]),
				  nla_get_flag(tb[DEVHOST_A_DEV_FORCE]),
				  info->extack);
}

static int devhost_dev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_DEV_MAX + 1];
	struct sk_buff *msg;
	int ret;

	ret = devhost_parse_dev(info, tb);
	if (ret)
		return ret;
	msg = genlmsg_new(DEVHOST_MSG_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	return devhost_answer_dev(msg, info, nla_data(tb[DEVHOST_A_DEV_GUEST]),
				  nla_data(tb[DEVHOST_A_DEV_NAME]),
				  devhost_form_device);
}

static int devhost_dev_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_DEV_MAX + 1];
	const struct nlattr *mask_attr;
	u64 mask;
	int ret;

	ret = devhost_parse_dev(info, tb);
	if (ret)
		return ret;
	mask_attr = tb[DEVHOST_A_DEV_FEATURES_MASK];
	if (mask_attr)
		mask = nla_get_u64(mask_attr);

	return devhost_device_set(nla_data(tb[DEVHOST_A_DEV_GUEST]),
				  nla_data(tb[DEVHOST_A_DEV_NAME]),
				  mask_attr ? &mask : NULL,
				  tb[DEVHOST_A_DEV_BACKEND], info->extack);
}

static int devhost_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_STATS_MAX + 1];
	struct sk_buff *msg;
	int ret;

	ret = devhost_parse(info, DEVHOST_A_STATS, tb, DEVHOST_A_STATS_MAX,
			    DEVHOST_A_STATS_GUEST, DEVHOST_A_STATS_DEV);
	if (ret)
		return ret;
	msg = genlmsg_new(DEVHOST_MSG_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	return devhost_answer_dev(msg, info, nla_data(tb[DEVHOST_A_STATS_GUEST]),
				  nla_data(tb[DEVHOST_A_STATS_DEV]),
				  devhost_form_stats);
}

static int devhost_resource_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[DEVHOST_A_RESOURCE_MAX + 1];
	struct devhost_device *dev;
	struct sk_buff *msg;
	int ret;

	ret = devhost_parse(info, DEVHOST_A_RESOURCE, tb, DEVHOST_A_RESOURCE_MAX,
			    DEVHOST_A_RESOURCE_GUEST, DEVHOST_A_RESOURCE_DEV);
	if (ret)
		return ret;
	if (NL_REQ_ATTR_CHECK(info->extack, info->attrs[DEVHOST_A_RESOURCE], tb,
			      DEVHOST_A_RESOURCE_INDEX))
		return -EINVAL;
	msg = genlmsg_new(DEVHOST_MSG_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	mutex_lock(&devhost_lock);
	dev = devhost_device_lookup(nla_data(tb[DEVHOST_A_RESOURCE_GUEST]),
				    nla_data(tb[DEVHOST_A_RESOURCE_DEV]),
				    info->extack);
	ret = IS_ERR(dev) ? PTR_ERR(dev) :
	      devhost_form_resource(msg, info, 0, dev,
				    nla_get_u32(tb[DEVHOST_A_RESOURCE_INDEX]));
	mutex_unlock(&devhost_lock);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}

	return genlmsg_reply(msg, info);
}

/* @_attr is the nest that the command takes, the last of @_policy. */
#define DEVHOST_DO(_cmd, _doit, _attr, _policy) {			\
	.cmd = (_cmd),							\
	.flags = GENL_CMD_CAP_DO | GENL_ADMIN_PERM,			\
	.doit = (_doit),						\
	.policy = (_policy),						\
	.maxattr = (_attr),						\
}

#define DEVHOST_DUMP(_cmd, _start, _dumpit, _attr, _policy) {		\
	.cmd = (_cmd),							\
	.flags = GENL_CMD_CAP_DUMP | GENL_ADMIN_PERM,			\
	.start = (_start),						\
	.dumpit = (_dumpit),						\
	.policy = (_policy),						\
	.maxattr = (_attr),						\
}

static const struct genl_split_ops devhost_ops[] = {
	DEVHOST_DO(DEVHOST_CMD_GUEST_NEW, devhost_guest_new_doit,
		   DEVHOST_A_GUEST, devhost_guest_set_policy),
	DEVHOST_DO(DEVHOST_CMD_GUEST_DEL, devhost_guest_del_doit,
		   DEVHOST_A_GUEST, devhost_guest_del_policy),
	DEVHOST_DO(DEVHOST_CMD_GUEST_GET, devhost_guest_get_doit,
		   DEVHOST_A_GUEST, devhost_guest_name_policy),
	{
		.cmd = DEVHOST_CMD_GUEST_GET,
		.flags = GENL_CMD_CAP_DUMP | GENL_ADMIN_PERM,
		.dumpit = devhost_guest_get_dumpit,
	},
	DEVHOST_DO(DEVHOST_CMD_DEVICE_NEW, devhost_dev_new_doit,
		   DEVHOST_A_DEV, devhost_dev_new_policy),
	DEVHOST_DO(DEVHOST_CMD_DEVICE_DEL, devhost_dev_del_doit,
		   DEVHOST_A_DEV, devhost_dev_del_policy),
	DEVHOST_DO(DEVHOST_CMD_DEVICE_GET, devhost_dev_get_doit,
		   DEVHOST_A_DEV, devhost_dev_get_policy),
	DEVHOST_DUMP(DEVHOST_CMD_DEVICE_GET, devhost_dev_get_start,
		     devhost_dev_get_dumpit, DEVHOST_A_DEV,
		     devhost_dev_dump_policy),
	DEVHOST_DO(DEVHOST_CMD_DEVICE_SET, devhost_dev_set_doit,
		   DEVHOST_A_DEV, devhost_dev_set_policy),
	DEVHOST_DO(DEVHOST_CMD_STATS_GET, devhost_stats_get_doit,
		   DEVHOST_A_STATS, devhost_stats_get_policy),
	DEVHOST_DUMP(DEVHOST_CMD_STATS_GET, devhost_stats_get_start,
		     devhost_stats_get_dumpit, DEVHOST_A_STATS,
		     devhost_stats_dump_policy),
	DEVHOST_DO(DEVHOST_CMD_RESOURCE_GET, devhost_resource_get_doit,
		   DEVHOST_A_RESOURCE, devhost_resource_get_policy),
	DEVHOST_DUMP(DEVHOST_CMD_RESOURCE_GET, devhost_resource_get_start,
		     devhost_resource_get_dumpit, DEVHOST_A_RESOURCE,
		     devhost_resource_dump_policy),
	DEVHOST_DO(DEVHOST_CMD_GUEST_SET, devhost_guest_set_doit,
		   DEVHOST_A_GUEST, devhost_guest_set_policy),
};

static const struct genl_multicast_group devhost_groups[] = {
	[DEVHOST_GROUP_EVENTS] = {
		.name = DEVHOST_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[DEVHOST_GROUP_POWER] = {
		.name = DEVHOST_MCGRP_POWER,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[DEVHOST_GROUP_DENIALS] = {
		.name = DEVHOST_MCGRP_DENIALS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family devhost_family __ro_after_init = {
	.name = DEVHOST_GENL_NAME,
	.version = DEVHOST_GENL_VERSION,
	.parallel_ops = true,
	.split_ops = devhost_ops,
	.n_split_ops = ARRAY_SIZE(devhost_ops),
	.mcgrps = devhost_groups,
	.n_mcgrps = ARRAY_SIZE(devhost_groups),
	.module = THIS_MODULE,
};

int devhost_netlink_init(void)
{
	int ret;

	ret = genl_register_family(&devhost_family);
	if (!ret)
		devhost_netlink_events(true);

	return ret;
}

void devhost_netlink_exit(void)
{
	devhost_netlink_events(false);
	genl_unregister_family(&devhost_family);
}
