// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "devhost_mix": mixers come and go.
 */
#include <net/genetlink.h>

#include "vhost_snd_mix.h"

static struct genl_family mix_family;

static const struct netlink_range_validation mix_fds = { .max = S32_MAX };

static const struct netlink_range_validation mix_rates = {
	.min = 5512,
	.max = 384000,
};

static const struct netlink_range_validation mix_periods_us = {
	.min = 500,
	.max = 100000,
};

static const struct nla_policy mix_policy[DEVHOST_MIX_A_MAX + 1] = {
	/* An id of a card. */
	[DEVHOST_MIX_A_NAME] = { .type = NLA_NUL_STRING,
				 .len = sizeof_field(struct snd_card, id) - 1 },
	[DEVHOST_MIX_A_PLAYBACK_FD] = NLA_POLICY_FULL_RANGE(NLA_U32, &mix_fds),
	[DEVHOST_MIX_A_CAPTURE_FD] = NLA_POLICY_FULL_RANGE(NLA_U32, &mix_fds),
	[DEVHOST_MIX_A_RATE] = NLA_POLICY_FULL_RANGE(NLA_U32, &mix_rates),
	[DEVHOST_MIX_A_CHANNELS] = NLA_POLICY_RANGE(NLA_U32, 1,
						    DEVHOST_MIX_CHANNELS_MAX),
	[DEVHOST_MIX_A_FORMAT] =
		NLA_POLICY_MAX(NLA_U32, (__force u32)SNDRV_PCM_FORMAT_LAST),
	[DEVHOST_MIX_A_PERIOD] = NLA_POLICY_FULL_RANGE(NLA_U32, &mix_periods_us),
	[DEVHOST_MIX_A_PERIODS] = NLA_POLICY_RANGE(NLA_U32, 2,
						   DEVHOST_MIX_PERIODS_MAX),
	[DEVHOST_MIX_A_PORT] = { .type = NLA_NUL_STRING,
				 .len = DEVHOST_MIX_PORT_NAME_MAX },
};

static bool mix_setup_has(const struct mix_setup *setup, const char *port)
{
	u32 i;

	for (i = 0; i < setup->num_ports; i++)
		if (!strcmp(setup->ports[i], port))
			return true;
	return false;
}

static int mix_setup_ports(struct mix_setup *setup, struct genl_info *info)
{
	const struct nlattr *attr;
	const char *port;
	int left;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, left) {
		if (nla_type(attr) != DEVHOST_MIX_A_PORT)
			continue;
		port = nla_data(attr);
		if (setup->num_ports == DEVHOST_MIX_PORTS_MAX || !*port ||
		    mix_setup_has(setup, port)) {
			NL_SET_ERR_MSG_ATTR_FMT(info->extack, attr,
						"a mixer has up to %u ports, each with a name of its own",
						DEVHOST_MIX_PORTS_MAX);
			return -EINVAL;
		}
		setup->ports[setup->num_ports++] = port;
	}
	return 0;
}

static int mix_setup_fd(const struct genl_info *info, int attr)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : -1;
}

static int mix_setup_read(struct mix_setup *setup, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;

	*setup = (struct mix_setup){ .format = -1 };
	if (GENL_REQ_ATTR_CHECK(info, DEVHOST_MIX_A_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, DEVHOST_MIX_A_RATE) ||
	    GENL_REQ_ATTR_CHECK(info, DEVHOST_MIX_A_CHANNELS) ||
	    GENL_REQ_ATTR_CHECK(info, DEVHOST_MIX_A_PERIOD) ||
	    GENL_REQ_ATTR_CHECK(info, DEVHOST_MIX_A_PERIODS) ||
	    GENL_REQ_ATTR_CHECK(info, DEVHOST_MIX_A_PORT))
		return -EINVAL;
	setup->name = nla_data(tb[DEVHOST_MIX_A_NAME]);
	setup->rate = nla_get_u32(tb[DEVHOST_MIX_A_RATE]);
	setup->channels = nla_get_u32(tb[DEVHOST_MIX_A_CHANNELS]);
	setup->period_us = nla_get_u32(tb[DEVHOST_MIX_A_PERIOD]);
	setup->periods = nla_get_u32(tb[DEVHOST_MIX_A_PERIODS]);
	if (tb[DEVHOST_MIX_A_FORMAT])
		setup->format = nla_get_u32(tb[DEVHOST_MIX_A_FORMAT]);
	setup->fd[SNDRV_PCM_STREAM_PLAYBACK] =
		mix_setup_fd(info, DEVHOST_MIX_A_PLAYBACK_FD);
	setup->fd[SNDRV_PCM_STREAM_CAPTURE] =
		mix_setup_fd(info, DEVHOST_MIX_A_CAPTURE_FD);
	if (setup->fd[0] < 0 && setup->fd[1] < 0) {
		NL_SET_ERR_MSG(info->extack,
			       "a mixer needs a PCM of the host at least");
		return -EINVAL;
	}
	return mix_setup_ports(setup, info);
}

struct mix_answer {
	struct sk_buff *msg;
	u32 portid;
	u32 seq;
	int flags;
};

static int mix_show(const struct mix *mix, void *data)
{
	const bool play = mix_has(mix, SNDRV_PCM_STREAM_PLAYBACK);
	const bool record = mix_has(mix, SNDRV_PCM_STREAM_CAPTURE);
	const struct mix_host *host = &mix->hosts[!play];
	const struct mix_answer *answer = data;
	struct sk_buff *msg = answer->msg;
	void *head;
	u32 i;

	head = genlmsg_put(msg, answer->portid, answer->seq, &mix_family,
			   answer->flags, DEVHOST_MIX_CMD_GET);
	if (!head)
		return -EMSGSIZE;
	if (nla_put_string(msg, DEVHOST_MIX_A_NAME, mix->card->id) ||
	    nla_put_u32(msg, DEVHOST_MIX_A_CARD, mix->card->number) ||
	    nla_put_u32(msg, DEVHOST_MIX_A_RATE, mix->rate) ||
	    nla_put_u32(msg, DEVHOST_MIX_A_CHANNELS, mix->channels) ||
	    nla_put_u32(msg, DEVHOST_MIX_A_PERIOD, host->period) ||
	    nla_put_u32(msg, DEVHOST_MIX_A_PERIODS, host->buffer / host->period) ||
	    (play && nla_put_flag(msg, DEVHOST_MIX_A_PLAYBACK)) ||
	    (record && nla_put_flag(msg, DEVHOST_MIX_A_CAPTURE)))
		goto err;
	for (i = 0; i < mix->num_ports; i++)
		if (nla_put_string(msg, DEVHOST_MIX_A_PORT, mix->ports[i].name))
			goto err;
	genlmsg_end(msg, head);
	return 0;

err:
	genlmsg_cancel(msg, head);
	return -EMSGSIZE;
}

static int mix_new(struct sk_buff *skb, struct genl_info *info)
{
	struct mix_answer answer = {
		.portid = info->snd_portid,
		.seq = info->snd_seq,
	};
	struct mix_setup setup;
	int err;

	err = mix_setup_read(&setup, info);
	if (err)
		return err;
	answer.msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!answer.msg)
		return -ENOMEM;
	err = mix_create(&setup, info->extack, mix_show, &answer);
	if (err) {
		nlmsg_free(answer.msg);
		return err;
	}
	return genlmsg_reply(answer.msg, info);
}

static int mix_del(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, DEVHOST_MIX_A_NAME))
		return -EINVAL;
	return mix_delete(nla_data(info->attrs[DEVHOST_MIX_A_NAME]));
}

static int mix_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct mix_answer answer = {
		.msg = skb,
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
	};
	unsigned int first = cb->args[0];
	int err;

	err = mix_each(&first, mix_show, &answer);
	cb->args[0] = first;
	return skb->len ?: err;
}

static const struct genl_ops mix_genl_ops[] = {
	{
		.cmd = DEVHOST_MIX_CMD_NEW,
		.flags = GENL_ADMIN_PERM,
		.doit = mix_new,
	},
	{
		.cmd = DEVHOST_MIX_CMD_DEL,
		.flags = GENL_ADMIN_PERM,
		.doit = mix_del,
	},
	{
		.cmd = DEVHOST_MIX_CMD_GET,
		.flags = GENL_ADMIN_PERM,
		.dumpit = mix_dump,
	},
};

static struct genl_family mix_family __ro_after_init = {
	.name = DEVHOST_MIX_GENL_NAME,
	.version = DEVHOST_MIX_GENL_VERSION,
	.maxattr = DEVHOST_MIX_A_MAX,
	.policy = mix_policy,
	.ops = mix_genl_ops,
	.n_ops = ARRAY_SIZE(mix_genl_ops),
	.resv_start_op = DEVHOST_MIX_CMD_UNSPEC + 1,
	.parallel_ops = true,
	.module = THIS_MODULE,
};

int mix_netlink_init(void)
{
	return genl_register_family(&mix_family);
}

void mix_netlink_exit(void)
{
	genl_unregister_family(&mix_family);
}
