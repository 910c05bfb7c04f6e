// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest has: given once, when its device is created.
 *
 * Ids are the guest's own, dense from 0 for each kind. What it has not got has
 * no id: a foreign resource and one that does not exist are the same number,
 * beyond the last.
 */
#include <linux/nospec.h>
#include <linux/slab.h>

#include "vhost_scmi.h"

static const struct netlink_range_validation vscmi_any_level = {
	.min = 1,
	.max = U64_MAX,
};

static const struct nla_policy
vscmi_resource_policy[DEVHOST_A_SCMI_RES_MAX + 1] = {
	[DEVHOST_A_SCMI_RES_KIND] = NLA_POLICY_MAX(NLA_U32,
						   __DEVHOST_SCMI_KINDS - 1),
	[DEVHOST_A_SCMI_RES_NAME] = { .type = NLA_NUL_STRING,
				      .len = DEVHOST_SCMI_NAME_SIZE - 1 },
	[DEVHOST_A_SCMI_RES_HOST] = { .type = NLA_NUL_STRING,
				      .len = DEVHOST_SCMI_NAME_SIZE - 1 },
	[DEVHOST_A_SCMI_RES_DEVICE] = { .type = NLA_NUL_STRING,
					.len = DEVHOST_SCMI_NAME_SIZE - 1 },
	[DEVHOST_A_SCMI_RES_SOURCE] = NLA_POLICY_MAX(NLA_U32,
						     __DEVHOST_SCMI_SOURCES - 1),
	[DEVHOST_A_SCMI_RES_READ_ONLY] = { .type = NLA_FLAG },
	[DEVHOST_A_SCMI_RES_LEVEL_MIN] = NLA_POLICY_FULL_RANGE(NLA_U64,
							 &vscmi_any_level),
	[DEVHOST_A_SCMI_RES_LEVEL_MAX] = NLA_POLICY_FULL_RANGE(NLA_U64,
							 &vscmi_any_level),
	[DEVHOST_A_SCMI_RES_TYPE] = NLA_POLICY_MAX(NLA_U32, 0xff),
	[DEVHOST_A_SCMI_RES_SCALE] = NLA_POLICY_RANGE(NLA_S32, -16, 15),
};

/* Limits that the guest has, within what there is. */
static int vscmi_view_limits(struct vscmi_view *view, struct nlattr **tb,
			     struct netlink_ext_ack *extack)
{
	const struct vscmi_host *host = view->host;

	view->min = host->min;
	view->max = host->max;
	if (tb[DEVHOST_A_SCMI_RES_LEVEL_MIN])
		view->min = max(view->min,
				nla_get_u64(tb[DEVHOST_A_SCMI_RES_LEVEL_MIN]));
	if (tb[DEVHOST_A_SCMI_RES_LEVEL_MAX])
		view->max = min(view->max,
				nla_get_u64(tb[DEVHOST_A_SCMI_RES_LEVEL_MAX]));
	if (view->min > view->max) {
		NL_SET_ERR_MSG_FMT(extack, "%s: no level within its limits, it has %llu .. %llu",
				   host->name, host->min, host->max);
		return -ERANGE;
	}
	return 0;
}

static struct vscmi_host *vscmi_view_host(struct nlattr **tb,
					  struct netlink_ext_ack *extack)
{
	struct nlattr *device = tb[DEVHOST_A_SCMI_RES_DEVICE];
	struct nlattr *source = tb[DEVHOST_A_SCMI_RES_SOURCE];

	if (!tb[DEVHOST_A_SCMI_RES_KIND] || !tb[DEVHOST_A_SCMI_RES_HOST]) {
		NL_SET_ERR_MSG(extack, "a resource needs its kind and the host's name");
		return ERR_PTR(-EINVAL);
	}
	return vscmi_host_get(nla_get_u32(tb[DEVHOST_A_SCMI_RES_KIND]),
			      source ? nla_get_u32(source) :
				       DEVHOST_SCMI_SOURCE_DEFAULT,
			      nla_data(tb[DEVHOST_A_SCMI_RES_HOST]),
			      device ? nla_data(device) : NULL, extack);
}

static void vscmi_view_name(struct vscmi_view *view, struct nlattr **tb)
{
	if (tb[DEVHOST_A_SCMI_RES_NAME])
		nla_strscpy(view->name, tb[DEVHOST_A_SCMI_RES_NAME],
			    sizeof(view->name));
	else
		strscpy(view->name, view->host->name);
}

/* Of a sensor, where the kernel does not know it. */
static void vscmi_view_sensor(struct vscmi_host *host, struct nlattr **tb)
{
	if (host->source != DEVHOST_SCMI_SOURCE_PUSHED)
		return;
	if (tb[DEVHOST_A_SCMI_RES_TYPE])
		host->type = nla_get_u32(tb[DEVHOST_A_SCMI_RES_TYPE]);
	if (tb[DEVHOST_A_SCMI_RES_SCALE])
		host->scale = nla_get_s32(tb[DEVHOST_A_SCMI_RES_SCALE]);
}

static struct vscmi_view *vscmi_view_new(struct vscmi *vs, struct nlattr **tb,
					 struct netlink_ext_ack *extack)
{
	struct vscmi_view *view;
	int err;

	view = kzalloc_obj(*view);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->vs = vs;
	view->vote = VSCMI_NO_VOTE;
	view->read_only = nla_get_flag(tb[DEVHOST_A_SCMI_RES_READ_ONLY]);
	view->host = vscmi_view_host(tb, extack);
	if (IS_ERR(view->host)) {
		err = PTR_ERR(view->host);
		goto err_view;
	}
	vscmi_view_name(view, tb);
	vscmi_view_sensor(view->host, tb);
	err = vscmi_view_limits(view, tb, extack);
	if (err)
		goto err_host;
	if (view->host->kind == DEVHOST_SCMI_SENSOR) {
		err = vscmi_watch_create(view);
		if (err)
			goto err_host;
	}
	return view;

err_host:
	vscmi_host_put(view->host);
err_view:
	kfree(view);
	return ERR_PTR(err);
}

static void vscmi_view_free(struct vscmi_view *view)
{
	vscmi_host_put(view->host);
	kfree(view->watch);
	kfree(view);
}

static bool vscmi_view_has(const struct vscmi *vs, const struct vscmi_view *view)
{
	unsigned int i;

	for (i = 0; i < vs->num_views; i++) {
		if (vs->views[i]->host == view->host)
			return true;
	}
	return false;
}

static int vscmi_view_add(struct vscmi *vs, const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[DEVHOST_A_SCMI_RES_MAX + 1];
	struct vscmi_view *view;
	int err;

	err = nla_parse_nested(tb, DEVHOST_A_SCMI_RES_MAX, attr,
			       vscmi_resource_policy, extack);
	if (err)
		return err;
	view = vscmi_view_new(vs, tb, extack);
	if (IS_ERR(view))
		return PTR_ERR(view);
	/* A guest has one vote a resource. */
	if (vscmi_view_has(vs, view)) {
		NL_SET_ERR_MSG_FMT(extack, "%s: given twice", view->host->name);
		vscmi_view_free(view);
		return -EEXIST;
	}
	vs->views[vs->num_views++] = view;
	return 0;
}

/* By kind, those of a kind in the order in which they were given. */
static void vscmi_view_sort(struct vscmi *vs, struct vscmi_view **sorted)
{
	unsigned int kind, i, index = 0;

	for (kind = 0; kind < __DEVHOST_SCMI_KINDS; kind++) {
		vs->first[kind] = index;
		for (i = 0; i < vs->num_views; i++) {
			struct vscmi_view *view = vs->views[i];

			if (view->host->kind != kind)
				continue;
			view->index = index;
			view->id = vs->num[kind]++;
			sorted[index++] = view;
		}
	}
	swap(vs->views, sorted);
	kvfree(sorted);
}

static unsigned int vscmi_view_number(const struct nlattr *resources)
{
	unsigned int num = 0;
	struct nlattr *attr;
	int rem;

	if (!resources)
		return 0;
	nla_for_each_nested(attr, resources, rem)
		num += nla_type(attr) == DEVHOST_A_SCMI_RESOURCES_ITEM;
	return num;
}

static void vscmi_view_drop(struct vscmi *vs)
{
	while (vs->num_views)
		vscmi_view_free(vs->views[--vs->num_views]);
	kvfree(vs->views);
}

/* From here on they count as views of their hosts. */
static void vscmi_view_publish(struct vscmi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->num_views; i++) {
		struct vscmi_host *host = vs->views[i]->host;

		mutex_lock(&host->apply);
		spin_lock(&host->lock);
		list_add_tail(&vs->views[i]->list, &host->views);
		spin_unlock(&host->lock);
		mutex_unlock(&host->apply);
	}
}

/**
 * vscmi_view_create - take the resources of a new device
 * @vs: the device
 * @resources: DEVHOST_A_SCMI_RESOURCES, or NULL
 * @extack: says what is wrong
 *
 * Context: Process context.
 * Return: 0 or an error.
 */
int vscmi_view_create(struct vscmi *vs, const struct nlattr *resources,
		      struct netlink_ext_ack *extack)
{
	unsigned int num = vscmi_view_number(resources);
	struct vscmi_view **sorted;
	struct nlattr *attr;
	int rem, err;

	if (num > DEVHOST_SCMI_RESOURCES_MAX) {
		NL_SET_ERR_MSG(extack, "too many resources");
		return -ENOSPC;
	}
	vs->views = kvcalloc(num + 1, sizeof(*vs->views), GFP_KERNEL);
	sorted = kvcalloc(num + 1, sizeof(*sorted), GFP_KERNEL);
	if (!vs->views || !sorted) {
		err = -ENOMEM;
		goto err_drop;
	}
	if (num) {
		nla_for_each_nested(attr, resources, rem) {
			if (nla_type(attr) != DEVHOST_A_SCMI_RESOURCES_ITEM)
				continue;
			err = vscmi_view_add(vs, attr, extack);
			if (err)
				goto err_drop;
		}
	}
	vscmi_view_sort(vs, sorted);
	vscmi_view_publish(vs);
	return 0;

err_drop:
	kvfree(sorted);
	vscmi_view_drop(vs);
	return err;
}

/**
 * vscmi_view_destroy - undo vscmi_view_create()
 * @vs: the device, with no vote left
 *
 * When it returns, its votes have no effect any more.
 *
 * Context: Process context, sleeps as long as resources do.
 */
void vscmi_view_destroy(struct vscmi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->num_views; i++) {
		struct vscmi_host *host = vs->views[i]->host;

		mutex_lock(&host->apply);
		spin_lock(&host->lock);
		list_del(&vs->views[i]->list);
		spin_unlock(&host->lock);
		mutex_unlock(&host->apply);
		vscmi_votes_apply(host);
	}
	vscmi_tell_stop(vs);
	vscmi_view_drop(vs);
}

/**
 * vscmi_view_reset - forget what the driver has set up
 * @vs: the device, not live
 *
 * When it returns, nobody raises an event for it.
 *
 * Context: Process context.
 */
void vscmi_view_reset(struct vscmi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->num_views; i++) {
		struct vscmi_view *view = vs->views[i];

		spin_lock(&view->host->lock);
		view->subscribed = 0;
		spin_unlock(&view->host->lock);
	}
}

/**
 * vscmi_view_find - what a guest calls by an id
 * @vs: its device
 * @kind: what it is
 * @id: the guest's id
 *
 * Context: Any.
 * Return: the resource, or NULL where it has none of that id.
 */
struct vscmi_view *vscmi_view_find(struct vscmi *vs, enum devhost_scmi_kind kind,
				   u32 id)
{
	if (id >= vs->num[kind])
		return NULL;
	return vs->views[vs->first[kind] + array_index_nospec(id, vs->num[kind])];
}

/* What is so as long as the device exists. */
int vscmi_view_fill(struct vscmi_view *view, struct sk_buff *msg)
{
	const struct vscmi_host *host = view->host;

	if (nla_put_u32(msg, DEVHOST_A_SCMI_RES_KIND, host->kind) ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_RES_ID, view->id) ||
	    nla_put_string(msg, DEVHOST_A_SCMI_RES_NAME, view->name) ||
	    nla_put_string(msg, DEVHOST_A_SCMI_RES_HOST, host->name) ||
	    (host->dev && nla_put_string(msg, DEVHOST_A_SCMI_RES_DEVICE,
					 dev_name(host->dev))) ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_RES_SOURCE, host->source) ||
	    (view->read_only &&
	     nla_put_flag(msg, DEVHOST_A_SCMI_RES_READ_ONLY)))
		return -EMSGSIZE;
	if (host->kind == DEVHOST_SCMI_SENSOR)
		return nla_put_u32(msg, DEVHOST_A_SCMI_RES_TYPE, host->type) ||
		       nla_put_s32(msg, DEVHOST_A_SCMI_RES_SCALE, host->scale) ?
		       -EMSGSIZE : 0;
	if (nla_put_u64_64bit(msg, DEVHOST_A_SCMI_RES_LEVEL_MIN, view->min,
			      DEVHOST_A_SCMI_RES_PAD) ||
	    nla_put_u64_64bit(msg, DEVHOST_A_SCMI_RES_LEVEL_MAX, view->max,
			      DEVHOST_A_SCMI_RES_PAD))
		return -EMSGSIZE;
	return 0;
}
