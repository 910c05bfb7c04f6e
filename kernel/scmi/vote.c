// SPDX-License-Identifier: GPL-2.0-only
/*
 * Votes: what guests want of a resource, and what they make it do.
 *
 * A guest has one vote a resource, which it replaces: enabling twice is
 * enabling once, and there is nothing to be counted, to wrap or to leak. Votes
 * change under host->lock, whoever changed one applies all of them under
 * host->apply. A vote that can't be applied is taken back.
 */
#include <linux/timekeeping.h>

#include "vhost_scmi.h"

/* What the votes make of the resource; with host->lock. */
static struct vscmi_state vscmi_votes_decide(const struct vscmi_host *host,
					     struct vscmi_tally *tally)
{
	const struct vscmi_view *view;

	lockdep_assert_held(&host->lock);
	*tally = (struct vscmi_tally){};
	list_for_each_entry(view, &host->views, list)
		vscmi_tally_add(tally, &view->vote);
	return vscmi_arbitrate(tally, host->ceiling, host->base, host->levels,
			       host->num_levels);
}

static bool vscmi_state_same(const struct vscmi_state *a,
			     const struct vscmi_state *b)
{
	return a->on == b->on && a->level == b->level;
}

/* Guests and manager hear of the new state; with host->apply. */
static void vscmi_votes_tell(struct vscmi_host *host,
			     const struct vscmi_state *was, struct vscmi *cause)
{
	struct vscmi_view *view;
	int event = -1;

	if (host->kind == DEVHOST_SCMI_POWER && was->on != host->now.on)
		event = 0;
	else if (host->kind == DEVHOST_SCMI_PERF && was->level != host->now.level)
		event = 1;
	/* A clock tells of its rate by its notifier. */
	if (event >= 0) {
		spin_lock(&host->lock);
		list_for_each_entry(view, &host->views, list)
			vscmi_event_raise(view, event, 0, cause);
		spin_unlock(&host->lock);
	}
	list_for_each_entry(view, &host->views, list)
		vscmi_tell(view);
}

static int vscmi_set_level(struct vscmi_host *host, u64 level)
{
	int err;

	if (level == host->now.level || !host->ops->set_level)
		return 0;
	err = host->ops->set_level(host, level);
	if (err)
		return err;
	spin_lock(&host->lock);
	host->now.level = level;
	spin_unlock(&host->lock);
	return 0;
}

static int vscmi_set_on(struct vscmi_host *host, bool on)
{
	int err;

	if (on == host->now.on || !host->ops->set_on)
		return 0;
	err = host->ops->set_on(host, on);
	if (err)
		return err;
	spin_lock(&host->lock);
	host->now.on = on;
	spin_unlock(&host->lock);
	return 0;
}

/* The level is right before it is on, and stays so until it is off. */
static int vscmi_votes_apply_for(struct vscmi_host *host, struct vscmi *cause)
{
	struct vscmi_state want, was;
	struct vscmi_tally tally;
	int err;

	lockdep_assert_held(&host->apply);
	spin_lock(&host->lock);
	want = vscmi_votes_decide(host, &tally);
	was = host->now;
	spin_unlock(&host->lock);
	if (vscmi_state_same(&want, &was))
		return 0;

	if (want.on) {
		err = vscmi_set_level(host, want.level);
		if (!err)
			err = vscmi_set_on(host, true);
	} else {
		err = vscmi_set_on(host, false);
		if (!err)
			err = vscmi_set_level(host, want.level);
	}
	if (!vscmi_state_same(&host->now, &was))
		vscmi_votes_tell(host, &was, cause);
	return err;
}

/**
 * vscmi_votes_apply - make a resource do what the votes say
 * @host: the resource
 *
 * Context: Process context, sleeps as long as the resource does.
 * Return: 0 or an error.
 */
int vscmi_votes_apply(struct vscmi_host *host)
{
	int err;

	mutex_lock(&host->apply);
	err = vscmi_votes_apply_for(host, NULL);
	mutex_unlock(&host->apply);
	return err;
}

/* Changes a vote; false where the device was reset since the command came. */
static bool vscmi_vote_change(struct vscmi_call *call, unsigned int what,
			      const struct vscmi_vote *vote)
{
	struct vscmi_view *view = call->view;
	struct vscmi_vote *mine = &view->vote;

	lockdep_assert_held(&view->host->lock);
	if (!vscmi_current(call))
		return false;
	if (what & VSCMI_VOTE_ON)
		mine->on = vote->on;
	if (what & VSCMI_VOTE_LEVEL)
		mine->level = vote->level;
	if (what & VSCMI_VOTE_MIN)
		mine->min = vote->min;
	if (what & VSCMI_VOTE_MAX)
		mine->max = vote->max;
	return true;
}

/* It holds from now on, and others hear that it was asked for. */
static void vscmi_vote_asked(struct vscmi_call *call, unsigned int what,
			     const struct vscmi_vote *vote)
{
	struct vscmi_host *host = call->view->host;
	struct vscmi_view *view;
	u64 asked;

	lockdep_assert_held(&host->lock);
	call->view->vote.since = ktime_get_boottime_ns();
	if (host->kind == DEVHOST_SCMI_POWER && (what & VSCMI_VOTE_ON))
		asked = vote->on;
	else if (host->kind == DEVHOST_SCMI_CLOCK && (what & VSCMI_VOTE_LEVEL))
		asked = vote->level;
	else
		return;
	list_for_each_entry(view, &host->views, list)
		vscmi_event_raise(view, 1, asked, call->vs);
}

/*
 * On the worker: only where the vote changes nothing of the resource, and
 * nobody is at it.
 */
static s32 vscmi_vote_quickly(struct vscmi_call *call, unsigned int what,
			      const struct vscmi_vote *vote)
{
	struct vscmi_host *host = call->view->host;
	struct vscmi_tally tally;
	struct vscmi_state want;
	struct vscmi_vote old;
	s32 status = VSCMI_DEFER;

	if (!mutex_trylock(&host->apply))
		return VSCMI_DEFER;
	spin_lock(&host->lock);
	old = call->view->vote;
	vscmi_vote_change(call, what, vote);
	want = vscmi_votes_decide(host, &tally);
	if (vscmi_state_same(&want, &host->now)) {
		vscmi_vote_asked(call, what, vote);
		status = SCMI_SUCCESS;
	} else {
		call->view->vote = old;
	}
	spin_unlock(&host->lock);
	mutex_unlock(&host->apply);
	if (status == SCMI_SUCCESS)
		vscmi_tell(call->view);
	return status;
}

/**
 * vscmi_vote - a guest wants something of a resource
 * @call: the command, about a resource
 * @what: which parts of @vote count
 * @vote: what it wants
 *
 * Context: The worker, or a helper.
 * Return: a status, or VSCMI_DEFER on the worker.
 */
s32 vscmi_vote(struct vscmi_call *call, unsigned int what,
	       const struct vscmi_vote *vote)
{
	struct vscmi_view *view = call->view;
	struct vscmi_host *host = view->host;
	struct vscmi_vote old;
	bool changed;
	int err;

	if (!call->helper)
		return vscmi_vote_quickly(call, what, vote);

	mutex_lock(&host->apply);
	spin_lock(&host->lock);
	old = view->vote;
	changed = vscmi_vote_change(call, what, vote);
	if (changed)
		vscmi_vote_asked(call, what, vote);
	spin_unlock(&host->lock);
	if (!changed) {
		mutex_unlock(&host->apply);
		return SCMI_BUSY;
	}
	err = vscmi_votes_apply_for(host, call->vs);
	if (err) {
		spin_lock(&host->lock);
		if (vscmi_current(call))
			view->vote = old;
		spin_unlock(&host->lock);
		/* What is left of it, as far as that goes. */
		vscmi_votes_apply_for(host, call->vs);
	}
	vscmi_tell(view);
	mutex_unlock(&host->apply);
	return vscmi_status(err);
}

s32 vscmi_vote_on(struct vscmi_call *call, bool on)
{
	struct vscmi_vote vote = { .on = on };

	return vscmi_vote(call, VSCMI_VOTE_ON, &vote);
}

/* A level is brought within what the guest may ask for. */
s32 vscmi_vote_for_level(struct vscmi_call *call, u64 level)
{
	struct vscmi_vote vote = {
		.level = clamp(level, call->view->min, call->view->max),
	};

	return vscmi_vote(call, VSCMI_VOTE_LEVEL, &vote);
}

/**
 * vscmi_votes_give_up - an agent takes back all that it wants
 * @call: the command
 *
 * Context: A helper.
 * Return: a status.
 */
s32 vscmi_votes_give_up(struct vscmi_call *call)
{
	struct vscmi *vs = call->vs;
	bool valid = true;
	unsigned int i;
	int err = 0;

	for (i = 0; i < vs->num_views && valid; i++) {
		struct vscmi_view *view = vs->views[i];
		struct vscmi_host *host = view->host;
		bool held;
		int ret;

		mutex_lock(&host->apply);
		spin_lock(&host->lock);
		valid = vscmi_current(call);
		held = valid && view->vote.since;
		if (held)
			view->vote = VSCMI_NO_VOTE;
		spin_unlock(&host->lock);
		if (held) {
			ret = vscmi_votes_apply_for(host, vs);
			err = err ?: ret;
			vscmi_tell(view);
		}
		mutex_unlock(&host->apply);
	}
	return valid ? vscmi_status(err) : SCMI_BUSY;
}

/**
 * vscmi_votes_withdraw - a guest wants nothing any more
 * @vs: its device
 *
 * What that changes is applied soon, by others.
 *
 * Context: Process context.
 */
void vscmi_votes_withdraw(struct vscmi *vs)
{
	unsigned int i;

	for (i = 0; i < vs->num_views; i++) {
		struct vscmi_view *view = vs->views[i];
		struct vscmi_host *host = view->host;
		bool held;

		spin_lock(&host->lock);
		held = view->vote.since;
		view->vote = VSCMI_NO_VOTE;
		spin_unlock(&host->lock);
		if (held) {
			vscmi_tell(view);
			vscmi_host_work_later(host);
		}
	}
}

/* A vote and what the resource does, together. */
void vscmi_vote_read(struct vscmi_view *view, struct vscmi_vote *vote,
		     struct vscmi_state *now)
{
	spin_lock(&view->host->lock);
	*vote = view->vote;
	*now = view->host->now;
	spin_unlock(&view->host->lock);
}

/**
 * vscmi_ceiling_set - the manager limits a resource
 * @host: the resource
 * @ceiling: the highest level, VSCMI_NO_CEILING for none
 *
 * Applied soon, by others.
 *
 * Context: Process context.
 */
void vscmi_ceiling_set(struct vscmi_host *host, u64 ceiling)
{
	struct vscmi_view *view;

	spin_lock(&host->lock);
	WRITE_ONCE(host->ceiling, ceiling);
	list_for_each_entry(view, &host->views, list) {
		if (host->kind == DEVHOST_SCMI_PERF)
			vscmi_event_raise(view, 0, 0, NULL);
		vscmi_tell(view);
	}
	spin_unlock(&host->lock);
	vscmi_host_work_later(host);
}

static u32 vscmi_vote_limit(const struct vscmi_host *host,
			    const struct vscmi_vote *vote)
{
	u64 level = vscmi_vote_level(vote);

	if (vote->on && !host->now.on)
		return DEVHOST_SCMI_LIMIT_CEILING;
	if (level > host->ceiling)
		return DEVHOST_SCMI_LIMIT_CEILING;
	if ((level && host->now.level > level) || (host->now.on && !vote->on))
		return DEVHOST_SCMI_LIMIT_VOTES;
	return DEVHOST_SCMI_LIMIT_NONE;
}

/**
 * vscmi_votes_fill - who wants what of a resource, and what it does
 * @view: the resource as a guest has it
 * @msg: where to put that
 *
 * Context: Process context.
 * Return: 0 or -EMSGSIZE.
 */
int vscmi_votes_fill(struct vscmi_view *view, struct sk_buff *msg)
{
	struct vscmi_host *host = view->host;
	struct vscmi_tally tally;
	struct vscmi_vote vote;
	struct vscmi_state now;
	u64 ceiling;
	u32 limit;

	spin_lock(&host->lock);
	vscmi_votes_decide(host, &tally);
	vote = view->vote;
	now = host->now;
	ceiling = host->ceiling;
	limit = vscmi_vote_limit(host, &vote);
	spin_unlock(&host->lock);

	if ((vote.on && nla_put_flag(msg, DEVHOST_A_SCMI_RES_VOTE_ON)) ||
	    (vscmi_vote_level(&vote) &&
	     nla_put_u64_64bit(msg, DEVHOST_A_SCMI_RES_VOTE_LEVEL,
			       vscmi_vote_level(&vote),
			       DEVHOST_A_SCMI_RES_PAD)) ||
	    (vote.since && nla_put_u64_64bit(msg, DEVHOST_A_SCMI_RES_VOTE_SINCE,
					     vote.since,
					     DEVHOST_A_SCMI_RES_PAD)) ||
	    (now.on && nla_put_flag(msg, DEVHOST_A_SCMI_RES_ON)) ||
	    nla_put_u64_64bit(msg, DEVHOST_A_SCMI_RES_LEVEL, now.level,
			      DEVHOST_A_SCMI_RES_PAD) ||
	    (ceiling != VSCMI_NO_CEILING &&
	     nla_put_u64_64bit(msg, DEVHOST_A_SCMI_RES_CEILING, ceiling,
			       DEVHOST_A_SCMI_RES_PAD)) ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_RES_LIMIT, limit) ||
	    nla_put_u32(msg, DEVHOST_A_SCMI_RES_HOLDERS, tally.holders))
		return -EMSGSIZE;
	return 0;
}
