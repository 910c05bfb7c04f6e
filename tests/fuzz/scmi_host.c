/* SPDX-License-Identifier: Apache-2.0 */
/* The host that the SCMI fuzzer's commands are about: resources that do as they are told, or fail. */
#include <linux/slab.h>

#include "vhost_scmi.h"
#include "watch.h"

#include "scmi_host.h"

#define KINDS __DEVHOST_SCMI_KINDS
#define EACH 2

static struct {
	struct vscmi vs;
	struct vscmi_host hosts[KINDS * EACH];
	struct vscmi_view views[KINDS * EACH];
	struct vscmi_view *table[KINDS * EACH];
	/* Another guest's view of each resource, which votes as well. */
	struct vscmi_view others[KINDS * EACH];
	struct vscmi other;
	u64 levels[9];
	s64 reading;
	int err;
} fuzz;

static int fuzz_set_on(struct vscmi_host *host, bool on)
{
	return fuzz.err;
}

static int fuzz_set_level(struct vscmi_host *host, u64 level)
{
	host->actual = level;
	return fuzz.err;
}

static int fuzz_read(struct vscmi_host *host, s64 *value)
{
	*value = fuzz.reading;
	return fuzz.err;
}

static int fuzz_pulse(struct vscmi_host *host)
{
	return fuzz.err;
}

static const struct vscmi_host_ops fuzz_ops = {
	.set_on = fuzz_set_on,
	.set_level = fuzz_set_level,
	.read = fuzz_read,
	.pulse = fuzz_pulse,
};

static void fuzz_host(unsigned int i, u8 shape)
{
	struct vscmi_host *host = &fuzz.hosts[i];

	host->kind = i / EACH;
	host->ops = &fuzz_ops;
	host->min = 1000;
	host->max = 9000;
	host->step = 500;
	host->base = shape & 1 ? 3000 : 0;
	host->now.level = host->base;
	host->ceiling = VSCMI_NO_CEILING;
	/* Performance levels are always listed. */
	if (host->kind == DEVHOST_SCMI_PERF ||
	    (host->kind == DEVHOST_SCMI_VOLTAGE && i % EACH)) {
		host->levels = fuzz.levels;
		host->num_levels = ARRAY_SIZE(fuzz.levels);
	}
	if (host->kind == DEVHOST_SCMI_SENSOR && i % EACH)
		host->source = DEVHOST_SCMI_SOURCE_PUSHED;
	INIT_LIST_HEAD(&host->views);
}

static int fuzz_view(unsigned int i, u8 shape)
{
	struct vscmi_view *view = &fuzz.views[i];
	struct vscmi_view *other = &fuzz.others[i];

	view->vs = &fuzz.vs;
	view->host = &fuzz.hosts[i];
	view->index = i;
	view->id = i % EACH;
	view->read_only = i % EACH && shape & 2;
	view->min = shape & 4 ? 2000 : 1000;
	view->max = shape & 8 ? view->min : 8000;
	view->vote = VSCMI_NO_VOTE;
	/* One short name, one that is as long as it can be. */
	memset(view->name, 'n', i % EACH ? sizeof(view->name) - 1 : 4);
	list_add_tail(&view->list, &view->host->views);
	*other = *view;
	other->vs = &fuzz.other;
	list_add_tail(&other->list, &other->host->views);
	fuzz.table[i] = view;
	return view->host->kind == DEVHOST_SCMI_SENSOR ?
	       vscmi_watch_create(view) : 0;
}

int scmi_create(struct devhost_device *dev, bool p2a, bool system, u8 shape)
{
	struct vscmi *vs = &fuzz.vs;
	unsigned int i;
	int err;

	memset(&fuzz, 0, sizeof(fuzz));
	for (i = 0; i < ARRAY_SIZE(fuzz.levels); i++)
		fuzz.levels[i] = 1000 * (i + 1);
	vs->dev = dev;
	vs->p2a = p2a;
	vs->system_power = system;
	vs->live = true;
	vs->views = fuzz.table;
	vs->num_views = KINDS * EACH;
	memcpy(vs->agent, "guest", 6);
	for (i = 0; i < KINDS; i++) {
		vs->first[i] = i * EACH;
		/* Some kinds may be absent. */
		vs->num[i] = shape & 16 && i % 2 ? 0 : EACH;
	}
	fuzz.other.dev = dev;
	for (i = 0; i < KINDS * EACH; i++) {
		fuzz_host(i, shape);
		err = fuzz_view(i, shape);
		if (err)
			return err;
	}
	return vscmi_event_create(vs);
}

void scmi_destroy(void)
{
	unsigned int i;

	vscmi_event_destroy(&fuzz.vs);
	for (i = 0; i < KINDS * EACH; i++)
		kfree(fuzz.views[i].watch);
}

void scmi_start(void)
{
	fuzz.vs.live = true;
}

/* As the module's stop() does. */
void scmi_stop(void)
{
	struct vscmi *vs = &fuzz.vs;
	unsigned int i;

	vs->live = false;
	vs->generation++;
	vscmi_votes_withdraw(vs);
	for (i = 0; i < vs->num_views; i++)
		vs->views[i]->subscribed = 0;
	vscmi_dispatch_reset(vs);
	vscmi_event_reset(vs);
	vscmi_watch_reset(vs);
}

enum devhost_answer scmi_dispatch(struct devhost_chain *chain)
{
	return vscmi_dispatch(&fuzz.vs, chain);
}

void scmi_events(void)
{
	vscmi_event_deliver(&fuzz.vs);
}

void scmi_time(void)
{
	vscmi_watch_poll(&fuzz.vs);
}

void scmi_host_does(u8 what, u8 which, u64 value)
{
	unsigned int i = which % (KINDS * EACH);

	switch (what % 6) {
	case 0:
		vscmi_ceiling_set(&fuzz.hosts[i], value);
		break;
	case 1:
		fuzz.reading = value;
		break;
	case 2:
		vscmi_watch_push(&fuzz.views[i], value);
		fuzz.reading = value;
		break;
	case 3:
		fuzz.err = value & 1 ? -EIO : value & 2 ? -EINVAL : 0;
		break;
	case 4:
		vscmi_event_announce(&fuzz.vs, value, value >> 8, value >> 16);
		break;
	case 5:
		fuzz.others[i].vote.on = value & 1;
		fuzz.others[i].vote.level = value >> 1;
		vscmi_votes_apply(&fuzz.hosts[i]);
		break;
	}
}

bool scmi_sane(void)
{
	const struct vscmi *vs = &fuzz.vs;
	unsigned int i;

	if (vs->num_delayed > VSCMI_DELAYED_MAX)
		return false;
	for (i = 0; i < vs->num_views; i++) {
		const struct vscmi_view *view = &fuzz.views[i];

		/* A guest wants nothing beyond its limits, nor of what it only sees. */
		if (view->vote.level && (view->vote.level < view->min ||
					 view->vote.level > view->max))
			return false;
		if (view->read_only && (view->vote.since || view->vote.on))
			return false;
		if (!vs->p2a && (view->subscribed || view->pending))
			return false;
	}
	return true;
}

/* What the rest of the module is asked for. */
struct vscmi_view *vscmi_view_find(struct vscmi *vs, enum devhost_scmi_kind kind,
				   u32 id)
{
	return id < vs->num[kind] ? vs->views[vs->first[kind] + id] : NULL;
}

bool vscmi_host_on(struct vscmi_host *host)
{
	return host->now.on;
}

void vscmi_host_work_later(struct vscmi_host *host)
{
	vscmi_votes_apply(host);
}

void vscmi_tell(struct vscmi_view *view)
{
}

void vscmi_tell_request(struct vscmi *vs)
{
}

/* vscmi_votes_fill() is not called. */
int nla_put_flag(struct sk_buff *msg, int type)
{
	return 0;
}

int nla_put_u32(struct sk_buff *msg, int type, u32 value)
{
	return 0;
}

int nla_put_u64_64bit(struct sk_buff *msg, int type, u64 value, int pad)
{
	return 0;
}
