// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may do: the struct_ops type that policies implement, and the
 * verdicts asked of them.
 *
 * A guest has one policy. It is attached, replaced and detached by pointer, so
 * that each item is judged by one whole policy: the old one, the new one, or,
 * where there is none, by the device's policy_required.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/rcupdate.h>

#include "core.h"

static bool devhost_policy_available;

static bool devhost_policy_is_valid_access(int off, int size,
					   enum bpf_access_type type,
					   const struct bpf_prog *prog,
					   struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

/* Without btf_struct_access() programs only read what they are given. */
static const struct bpf_verifier_ops devhost_policy_verifier_ops = {
	.get_func_proto = bpf_base_func_proto,
	.is_valid_access = devhost_policy_is_valid_access,
};

/* Called only where the module's BTF is there and fits. */
static int devhost_policy_btf(struct btf *btf)
{
	devhost_policy_available = true;
	return 0;
}

/* Policies are asked in softirq. */
static int devhost_policy_check_member(const struct btf_type *t,
				       const struct btf_member *member,
				       const struct bpf_prog *prog)
{
	return prog->sleepable ? -EINVAL : 0;
}

static int devhost_policy_init_member(const struct btf_type *t,
				      const struct btf_member *member,
				      void *kdata, const void *udata)
{
	const struct devhost_policy_ops *from = udata;
	struct devhost_policy_ops *to = kdata;

	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct devhost_policy_ops, guest):
		to->guest = from->guest;
		return 1;
	default:
		return 0;
	}
}

static int devhost_policy_validate(void *kdata)
{
	const struct devhost_policy_ops *ops = kdata;

	return ops->guest ? 0 : -EINVAL;
}

static void devhost_policy_put_in_force(struct devhost_guest *guest,
					const struct devhost_policy_ops *ops)
{
	struct devhost_device *dev;

	lockdep_assert_held(&devhost_lock);
	rcu_assign_pointer(guest->policy, ops);
	if (ops)
		guest->policy_seq++;
	list_for_each_entry(dev, &guest->devices, list)
		devhost_wake(dev, DEVHOST_PENDING_POLICY);
	devhost_netlink_guest_event(guest, DEVHOST_CMD_POLICY_CHANGE_NTF);
}

/* Whether it is this one that is in force. */
static bool devhost_policy_is(const struct devhost_guest *guest,
			      const struct devhost_policy_ops *ops)
{
	return guest && rcu_access_pointer(guest->policy) == ops;
}

static int devhost_policy_reg(void *kdata, struct bpf_link *link)
{
	const struct devhost_policy_ops *ops = kdata;
	struct devhost_guest *guest;
	int ret = 0;

	/* What has no link can't be replaced, only removed: that leaves a gap. */
	if (!link)
		return -EOPNOTSUPP;

	mutex_lock(&devhost_lock);
	guest = devhost_guest_find_id(ops->guest);
	if (!guest)
		ret = -ENOENT;
	else if (!devhost_policy_is(guest, NULL))
		ret = -EEXIST;
	else
		devhost_policy_put_in_force(guest, ops);
	mutex_unlock(&devhost_lock);

	return ret;
}

static void devhost_policy_unreg(void *kdata, struct bpf_link *link)
{
	const struct devhost_policy_ops *ops = kdata;
	struct devhost_guest *guest;

	/* The guest may be gone before the policy is. */
	mutex_lock(&devhost_lock);
	guest = devhost_guest_find_id(ops->guest);
	if (devhost_policy_is(guest, ops))
		devhost_policy_put_in_force(guest, NULL);
	mutex_unlock(&devhost_lock);

	synchronize_rcu();
}

static int devhost_policy_update(void *kdata, void *old_kdata,
				 struct bpf_link *link)
{
	const struct devhost_policy_ops *old = old_kdata;
	const struct devhost_policy_ops *ops = kdata;
	struct devhost_guest *guest;
	int ret = 0;

	if (ops->guest != old->guest)
		return -EINVAL;

	mutex_lock(&devhost_lock);
	guest = devhost_guest_find_id(ops->guest);
	if (devhost_policy_is(guest, old))
		devhost_policy_put_in_force(guest, ops);
	else
		ret = -ENOENT;
	mutex_unlock(&devhost_lock);

	/* When the caller is told, nothing is judged by the old one any more. */
	if (!ret)
		synchronize_rcu();

	return ret;
}

/* Never called: gives the calls their types for control-flow integrity. */
static int devhost_policy_can_stub(const struct devhost_policy_can *frame)
{
	return DEVHOST_VERDICT_DENY;
}

static int devhost_policy_snd_stub(const struct devhost_policy_snd *request)
{
	return DEVHOST_VERDICT_DENY;
}

static int devhost_policy_scmi_stub(const struct devhost_policy_scmi *command)
{
	return DEVHOST_VERDICT_DENY;
}

static int devhost_policy_video_stub(const struct devhost_policy_video *request)
{
	return DEVHOST_VERDICT_DENY;
}

static struct devhost_policy_ops devhost_policy_stubs = {
	.can = devhost_policy_can_stub,
	.snd = devhost_policy_snd_stub,
	.scmi = devhost_policy_scmi_stub,
	.video = devhost_policy_video_stub,
};

static struct bpf_struct_ops devhost_policy_type = {
	.verifier_ops = &devhost_policy_verifier_ops,
	.init = devhost_policy_btf,
	.check_member = devhost_policy_check_member,
	.init_member = devhost_policy_init_member,
	.validate = devhost_policy_validate,
	.reg = devhost_policy_reg,
	.unreg = devhost_policy_unreg,
	.update = devhost_policy_update,
	.cfi_stubs = &devhost_policy_stubs,
	.owner = THIS_MODULE,
	.name = "devhost_policy_ops",
};

/* There is no way back, nor need for one: the type goes with the module. */
int devhost_policy_init(void)
{
	int ret;

	ret = register_bpf_struct_ops(&devhost_policy_type, devhost_policy_ops);
	if (ret || !devhost_policy_available)
		pr_warn("no policies: the module has no BTF that fits this kernel; devices that require a policy serve nothing\n");

	return 0;
}

void devhost_policy_detach(struct devhost_guest *guest)
{
	lockdep_assert_held(&devhost_lock);
	RCU_INIT_POINTER(guest->policy, NULL);
}

/* What a policy may say; the other verdicts are the kernel's own. */
static bool devhost_policy_may_say(unsigned int verdict)
{
	return verdict <= DEVHOST_VERDICT_LIMIT ||
	       verdict == DEVHOST_VERDICT_AUDIT;
}

/*
 * What becomes of an item of which the policy in force, if any, said @verdict.
 * Counts the verdict, except where no policy is attached and none required.
 * Devices know nothing of audit mode: to them it is leave.
 */
static enum devhost_verdict devhost_policy_settle(struct devhost_device *dev,
						  bool attached,
						  unsigned int verdict,
						  enum devhost_item_kind kind,
						  const void *item)
{
	if (!attached) {
		if (!dev->policy_required)
			return DEVHOST_VERDICT_ALLOW;
		verdict = DEVHOST_VERDICT_NONE;
	} else if (!devhost_policy_may_say(verdict)) {
		verdict = DEVHOST_VERDICT_INVALID;
	}
	atomic64_inc(&dev->verdicts[verdict]);
	if (unlikely(verdict != DEVHOST_VERDICT_ALLOW))
		devhost_denied(dev, verdict, kind, item);

	return verdict == DEVHOST_VERDICT_AUDIT ? DEVHOST_VERDICT_ALLOW :
						  verdict;
}

/**
 * devhost_policy_can - ask the guest's policy about a CAN frame
 * @dev: the device
 * @frame: the frame; guest and device are filled in here
 *
 * Context: Any up to softirq.
 * Return: true if the frame may pass.
 */
bool devhost_policy_can(struct devhost_device *dev,
			struct devhost_policy_can *frame)
{
	const struct devhost_policy_ops *ops;
	unsigned int verdict = DEVHOST_VERDICT_DENY;

	rcu_read_lock();
	ops = rcu_dereference(dev->guest->policy);
	if (ops && ops->can) {
		frame->guest = dev->guest->id;
		frame->device = dev->id;
		verdict = ops->can(frame);
	}
	rcu_read_unlock();

	return devhost_policy_settle(dev, ops, verdict, DEVHOST_ITEM_CAN,
				     frame) == DEVHOST_VERDICT_ALLOW;
}
EXPORT_SYMBOL_GPL(devhost_policy_can);

/**
 * devhost_policy_snd - ask the guest's policy about a request to a sound device
 * @dev: the device
 * @request: the request; guest and device are filled in here
 *
 * Context: Any up to softirq.
 * Return: true if it may be served.
 */
bool devhost_policy_snd(struct devhost_device *dev,
			struct devhost_policy_snd *request)
{
	const struct devhost_policy_ops *ops;
	unsigned int verdict = DEVHOST_VERDICT_DENY;

	rcu_read_lock();
	ops = rcu_dereference(dev->guest->policy);
	if (ops && ops->snd) {
		request->guest = dev->guest->id;
		request->device = dev->id;
		verdict = ops->snd(request);
	}
	rcu_read_unlock();

	return devhost_policy_settle(dev, ops, verdict, DEVHOST_ITEM_SND,
				     request) == DEVHOST_VERDICT_ALLOW;
}
EXPORT_SYMBOL_GPL(devhost_policy_snd);

/**
 * devhost_policy_scmi - ask the guest's policy about an SCMI command
 * @dev: the device
 * @command: the command; guest and device are filled in here
 *
 * Counts the verdict, except where no policy is attached and none required.
 *
 * Context: Any up to softirq.
 * Return: the verdict; all but DEVHOST_VERDICT_ALLOW refuse.
 */
enum devhost_verdict devhost_policy_scmi(struct devhost_device *dev,
					 struct devhost_policy_scmi *command)
{
	const struct devhost_policy_ops *ops;
	unsigned int verdict = DEVHOST_VERDICT_DENY;

	rcu_read_lock();
	ops = rcu_dereference(dev->guest->policy);
	if (ops && ops->scmi) {
		command->guest = dev->guest->id;
		command->device = dev->id;
		verdict = ops->scmi(command);
	}
	rcu_read_unlock();

	return devhost_policy_settle(dev, ops, verdict, DEVHOST_ITEM_SCMI,
				     command);
}
EXPORT_SYMBOL_GPL(devhost_policy_scmi);

/**
 * devhost_policy_video - ask the guest's policy about a request to a video device
 * @dev: the device
 * @request: the request; guest and device are filled in here
 *
 * Context: Any up to softirq.
 * Return: true if it may be served.
 */
bool devhost_policy_video(struct devhost_device *dev,
			  struct devhost_policy_video *request)
{
	const struct devhost_policy_ops *ops;
	unsigned int verdict = DEVHOST_VERDICT_DENY;

	rcu_read_lock();
	ops = rcu_dereference(dev->guest->policy);
	if (ops && ops->video) {
		request->guest = dev->guest->id;
		request->device = dev->id;
		verdict = ops->video(request);
	}
	rcu_read_unlock();

	return devhost_policy_settle(dev, ops, verdict, DEVHOST_ITEM_VIDEO,
				     request) == DEVHOST_VERDICT_ALLOW;
}
EXPORT_SYMBOL_GPL(devhost_policy_video);
