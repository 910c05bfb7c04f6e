// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests and their devices: creation, removal, lookup.
 *
 * A device is on its guest's list as long as its name is taken. Its flags tell
 * the rest: it is made until @registered is set, removed once @dying is set,
 * and whoever sets @dying does the removal, so that it is done once: over our
 * netlink, by the vdpa core ("vdpa dev del"), or at module exit.
 */
#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "core.h"

/* Far more than a machine has; what they cost stays bounded. */
#define DEVHOST_GUESTS_MAX	256

static unsigned int devhost_num_guests;	/* devhost_lock */
static u32 devhost_last_guest_id;	/* devhost_lock */
static u32 devhost_last_device_id;	/* devhost_lock */

bool devhost_name_valid(const char *name)
{
	size_t len;

	if (!isascii(name[0]) || !isalnum(name[0]))
		return false;
	for (len = 1; name[len]; len++) {
		if (!isascii(name[len]) ||
		    (!isalnum(name[len]) && name[len] != '_' && name[len] != '-'))
			return false;
	}

	return len < DEVHOST_NAME_SIZE;
}

/* Ids are never used again; 0, which is none, when they are used up. */
static u32 devhost_next_id(u32 *last)
{
	return *last == U32_MAX ? 0 : ++*last;
}

struct devhost_guest *devhost_guest_find(const char *name)
{
	struct devhost_guest *guest;

	lockdep_assert_held(&devhost_lock);
	list_for_each_entry(guest, &devhost_guests, list) {
		if (!strcmp(guest->name, name))
			return guest;
	}

	return NULL;
}

struct devhost_guest *devhost_guest_find_id(u32 id)
{
	struct devhost_guest *guest;

	lockdep_assert_held(&devhost_lock);
	list_for_each_entry(guest, &devhost_guests, list) {
		if (guest->id == id)
			return guest;
	}

	return NULL;
}

void devhost_guest_put(struct devhost_guest *guest)
{
	if (refcount_dec_and_test(&guest->refs))
		kfree(guest);
}

static int devhost_guest_add(struct devhost_guest *guest,
			     struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&devhost_lock);
	if (devhost_guest_find(guest->name)) {
		NL_SET_ERR_MSG_FMT(extack, "guest %s exists", guest->name);
		return -EEXIST;
	}
	if (devhost_num_guests == DEVHOST_GUESTS_MAX) {
		NL_SET_ERR_MSG(extack, "too many guests");
		return -ENOSPC;
	}
	guest->id = devhost_next_id(&devhost_last_guest_id);
	if (!guest->id) {
		NL_SET_ERR_MSG(extack, "guest ids are used up, reload devhost");
		return -ENOSPC;
	}
	list_add_tail(&guest->list, &devhost_guests);
	devhost_num_guests++;
	devhost_netlink_guest_event(guest, DEVHOST_CMD_GUEST_NEW_NTF);

	return 0;
}

int devhost_guest_new(const char *name, const struct devhost_limits *limits,
		      struct netlink_ext_ack *extack)
{
	struct devhost_guest *guest;
	int ret;

	if (!devhost_name_valid(name)) {
		NL_SET_ERR_MSG(extack, "not a name for a guest");
		return -EINVAL;
	}
	guest = kzalloc(sizeof(*guest), GFP_KERNEL);
	if (!guest)
		return -ENOMEM;
	INIT_LIST_HEAD(&guest->devices);
	refcount_set(&guest->refs, 1);
	strscpy(guest->name, name);
	guest->limits = *limits;

	mutex_lock(&devhost_lock);
	ret = devhost_guest_add(guest, extack);
	mutex_unlock(&devhost_lock);
	if (ret)
		kfree(guest);

	return ret;
}

/* The device of that name, whatever its flags. */
static struct devhost_device *
devhost_device_named(struct devhost_guest *guest, const char *name)
{
	struct devhost_device *dev;

	lockdep_assert_held(&devhost_lock);
	list_for_each_entry(dev, &guest->devices, list) {
		if (!strcmp(dev->name, name))
			return dev;
	}

	return NULL;
}

struct devhost_device *devhost_device_find(struct devhost_guest *guest,
					   const char *name)
{
	struct devhost_device *dev = devhost_device_named(guest, name);

	return dev && dev->registered ? dev : NULL;
}

struct devhost_device *devhost_device_lookup(const char *guest_name,
					     const char *name,
					     struct netlink_ext_ack *extack)
{
	struct devhost_guest *guest = devhost_guest_find(guest_name);
	struct devhost_device *dev;

	if (!guest) {
		NL_SET_ERR_MSG_FMT(extack, "no guest %s", guest_name);
		return ERR_PTR(-ENOENT);
	}
	dev = devhost_device_find(guest, name);
	if (!dev) {
		NL_SET_ERR_MSG_FMT(extack, "no device %s", name);
		return ERR_PTR(-ENOENT);
	}

	return dev;
}

/* Takes the name: nobody but the caller touches the device from now on. */
static struct devhost_device *
devhost_device_reserve(const struct devhost_params *params,
		       struct devhost_class *class,
		       struct netlink_ext_ack *extack)
{
	struct devhost_device *dev;
	struct devhost_guest *guest;
	u32 id;
	int ret;

	lockdep_assert_held(&devhost_lock);
	guest = devhost_guest_find(params->guest);
	if (!guest) {
		NL_SET_ERR_MSG_FMT(extack, "no guest %s", params->guest);
		return ERR_PTR(-ENOENT);
	}
	if (guest->dying) {
		NL_SET_ERR_MSG_FMT(extack, "guest %s is being removed",
				   params->guest);
		return ERR_PTR(-EBUSY);
	}
	if (devhost_device_named(guest, params->name)) {
		NL_SET_ERR_MSG_FMT(extack, "device %s exists", params->name);
		return ERR_PTR(-EEXIST);
	}
	ret = devhost_quota_device(guest, class, extack);
	if (ret)
		return ERR_PTR(ret);
	id = devhost_next_id(&devhost_last_device_id);
	if (!id) {
		NL_SET_ERR_MSG(extack, "device ids are used up, reload devhost");
		return ERR_PTR(-ENOSPC);
	}

	dev = devhost_vdpa_alloc(class, guest, params);
	if (IS_ERR(dev))
		return dev;
	dev->id = id;
	list_add_tail(&dev->list, &guest->devices);
	devhost_quota_add(dev);

	return dev;
}

/* Gives the name back and drops the device with what it holds. */
static void devhost_device_release(struct devhost_device *dev, bool was_known)
{
	struct devhost_class *class = dev->class;
	struct devhost_guest *guest = dev->guest;
	unsigned int i;

	devhost_denials_finish(dev);
	mutex_lock(&devhost_lock);
	list_del(&dev->list);
	devhost_quota_drop(dev);
	for (i = 0; i < __DEVHOST_VERDICT_NUM; i++)
		guest->verdicts[i] += atomic64_read(&dev->verdicts[i]);
	if (was_known)
		devhost_netlink_device_event(dev, DEVHOST_CMD_DEVICE_DEL_NTF);
	mutex_unlock(&devhost_lock);

	devhost_vdpa_put(dev);
	devhost_class_put(class);
}

static struct nlattr **
devhost_backend_parse(const struct devhost_class *class,
		      const struct nlattr *backend,
		      struct netlink_ext_ack *extack)
{
	struct nlattr **tb;
	int ret;

	tb = kcalloc(class->attr_max + 1, sizeof(*tb), GFP_KERNEL);
	if (!tb)
		return ERR_PTR(-ENOMEM);
	if (!backend)
		return tb;

	ret = nla_parse_nested(tb, class->attr_max, backend, class->attr_policy,
			       extack);
	if (ret) {
		kfree(tb);
		return ERR_PTR(ret);
	}
	/* Of an attribute that repeats, tb has the last one only. */
	tb[0] = (struct nlattr *)backend;

	return tb;
}

static int devhost_device_create(struct devhost_device *dev,
				 const struct nlattr *backend,
				 struct netlink_ext_ack *extack)
{
	struct nlattr **tb;
	int ret;

	tb = devhost_backend_parse(dev->class, backend, extack);
	if (IS_ERR(tb))
		return PTR_ERR(tb);
	ret = dev->class->ops->create(dev, tb, extack);
	kfree(tb);

	return ret;
}

/* The device is off the vdpa bus, and the caller is the one who removes it. */
static void devhost_device_finish(struct devhost_device *dev)
{
	bool was_known;

	mutex_lock(&devhost_lock);
	was_known = dev->registered;
	WRITE_ONCE(dev->registered, false);
	mutex_unlock(&devhost_lock);

	devhost_pool_wait(dev);
	dev->class->ops->destroy(dev);
	devhost_device_release(dev, was_known);
}

static void devhost_device_remove(struct devhost_device *dev)
{
	devhost_vdpa_del(dev);
	devhost_device_finish(dev);
}

/* On the bus: make it known, unless it is to go already. */
static int devhost_device_publish(struct devhost_device *dev)
{
	int ret = 0;

	mutex_lock(&devhost_lock);
	if (dev->dying) {
		ret = -ENODEV;
	} else {
		WRITE_ONCE(dev->registered, true);
		devhost_netlink_device_event(dev, DEVHOST_CMD_DEVICE_NEW_NTF);
	}
	mutex_unlock(&devhost_lock);

	return ret;
}

int devhost_device_new(const struct devhost_params *params,
		       struct netlink_ext_ack *extack)
{
	struct devhost_class *class;
	struct devhost_device *dev;
	int ret;

	if (!devhost_name_valid(params->name)) {
		NL_SET_ERR_MSG(extack, "not a name for a device");
		return -EINVAL;
	}
	if (!is_power_of_2(params->vq_size_max)) {
		NL_SET_ERR_MSG(extack, "queue size is not a power of two");
		return -EINVAL;
	}
	class = devhost_class_get(params->class, extack);
	if (IS_ERR(class))
		return PTR_ERR(class);

	mutex_lock(&devhost_lock);
	dev = devhost_device_reserve(params, class, extack);
	mutex_unlock(&devhost_lock);
	if (IS_ERR(dev)) {
		devhost_class_put(class);
		return PTR_ERR(dev);
	}

	ret = devhost_device_create(dev, params->backend, extack);
	if (ret)
		goto err_release;
	ret = devhost_vdpa_add(dev);
	if (ret) {
		NL_SET_ERR_MSG_FMT(extack, "the vdpa bus refuses it: error %d",
				   ret);
		goto err_destroy;
	}
	ret = devhost_device_publish(dev);
	if (ret) {
		NL_SET_ERR_MSG(extack, "removed while it was created");
		devhost_device_remove(dev);
	}

	return ret;

err_destroy:
	class->ops->destroy(dev);
err_release:
	devhost_device_release(dev, false);
	return ret;
}

/* Makes the caller the one who removes the device, unless it is in use. */
static int devhost_device_claim(struct devhost_device *dev,
				struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&devhost_lock);
	if (!dev->registered || dev->dying) {
		NL_SET_ERR_MSG_FMT(extack, "%s is being %s", dev->name,
				   dev->dying ? "removed" : "created");
		return -EBUSY;
	}
	/*
	 * A VMM that opens it from here on delays the removal until it closes.
	 * To refuse it would be worse: vhost-vdpa's remove() then waits for a
	 * close that never comes.
	 */
	if (devhost_vdpa_in_use(dev)) {
		NL_SET_ERR_MSG_FMT(extack, "%s is in use, stop its VMM first",
				   dev->name);
		return -EBUSY;
	}
	WRITE_ONCE(dev->dying, true);

	return 0;
}

/* A device in use can't be removed, but it can be made to serve no more. */
static void devhost_device_force(struct devhost_device *dev)
{
	lockdep_assert_held(&devhost_lock);
	if (dev->registered && devhost_vdpa_in_use(dev))
		devhost_quiesce(dev, "removed by force",
				DEVHOST_QUIESCE_RESET);
}

int devhost_device_del(const char *guest, const char *name, bool force,
		       struct netlink_ext_ack *extack)
{
	struct devhost_device *dev;
	int ret;

	mutex_lock(&devhost_lock);
	dev = devhost_device_lookup(guest, name, extack);
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
	} else {
		ret = devhost_device_claim(dev, extack);
		if (ret && force)
			devhost_device_force(dev);
	}
	mutex_unlock(&devhost_lock);
	if (ret)
		return ret;

	devhost_device_remove(dev);
	return 0;
}

void devhost_device_del_vdpa(struct devhost_device *dev)
{
	bool mine;

	/*
	 * Whoever removes it already goes on when the vdpa core releases its
	 * lock, and so does whoever creates it and then finds it dying.
	 */
	mutex_lock(&devhost_lock);
	mine = dev->registered && !dev->dying;
	WRITE_ONCE(dev->dying, true);
	mutex_unlock(&devhost_lock);
	if (!mine)
		return;

	_vdpa_unregister_device(&dev->vdpa);
	devhost_device_finish(dev);
}

static int devhost_backend_set(struct devhost_device *dev,
			       const struct nlattr *backend,
			       struct netlink_ext_ack *extack)
{
	struct nlattr **tb;
	int ret;

	if (!dev->class->ops->set) {
		NL_SET_ERR_MSG_ATTR(extack, backend,
				    "nothing of this backend can change");
		return -EOPNOTSUPP;
	}
	tb = devhost_backend_parse(dev->class, backend, extack);
	if (IS_ERR(tb))
		return PTR_ERR(tb);

	/* Not while it starts or stops. */
	mutex_lock(&dev->lock);
	ret = dev->class->ops->set(dev, tb, extack);
	mutex_unlock(&dev->lock);
	kfree(tb);

	return ret;
}

int devhost_device_set(const char *guest, const char *name, const u64 *mask,
		       const struct nlattr *backend,
		       struct netlink_ext_ack *extack)
{
	struct devhost_device *dev;
	int ret = 0;

	/* Two changes could not be undone together when the second fails. */
	if (mask && backend) {
		NL_SET_ERR_MSG(extack,
			       "change the feature mask and the backend one at a time");
		return -EINVAL;
	}

	mutex_lock(&devhost_lock);
	dev = devhost_device_lookup(guest, name, extack);
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto out;
	}
	if (mask) {
		ret = devhost_vdpa_set_features_mask(dev, *mask);
		if (ret == -EBUSY)
			NL_SET_ERR_MSG_FMT(extack, "%s is in use, stop its VMM first",
					   dev->name);
	} else if (backend) {
		ret = devhost_backend_set(dev, backend, extack);
	}
	if (!ret)
		devhost_netlink_device_event(dev, DEVHOST_CMD_DEVICE_CHANGE_NTF);
out:
	mutex_unlock(&devhost_lock);
	return ret;
}

/* Claims the guest and all its devices, or none of them. */
static int devhost_guest_claim(struct devhost_guest *guest, bool force,
			       struct netlink_ext_ack *extack)
{
	struct devhost_device *dev;

	lockdep_assert_held(&devhost_lock);
	if (guest->dying) {
		NL_SET_ERR_MSG_FMT(extack, "guest %s is being removed",
				   guest->name);
		return -EBUSY;
	}
	list_for_each_entry(dev, &guest->devices, list) {
		if (devhost_device_claim(dev, extack))
			goto err_unclaim;
	}
	guest->dying = true;

	return 0;

err_unclaim:
	list_for_each_entry_continue_reverse(dev, &guest->devices, list)
		WRITE_ONCE(dev->dying, false);
	if (force) {
		list_for_each_entry(dev, &guest->devices, list)
			devhost_device_force(dev);
	}
	return -EBUSY;
}

/*
 * All is claimed, so nobody else changes the list of devices. The policy goes
 * last: a device that does not require one would be open without it.
 */
static void devhost_guest_remove(struct devhost_guest *guest)
{
	struct devhost_device *dev, *next;

	list_for_each_entry_safe(dev, next, &guest->devices, list)
		devhost_device_remove(dev);

	mutex_lock(&devhost_lock);
	devhost_policy_detach(guest);
	devhost_netlink_guest_event(guest, DEVHOST_CMD_GUEST_DEL_NTF);
	list_del(&guest->list);
	devhost_num_guests--;
	mutex_unlock(&devhost_lock);
	devhost_guest_put(guest);
}

int devhost_guest_del(const char *name, bool force,
		      struct netlink_ext_ack *extack)
{
	struct devhost_guest *guest;
	int ret;

	mutex_lock(&devhost_lock);
	guest = devhost_guest_find(name);
	if (guest) {
		ret = devhost_guest_claim(guest, force, extack);
	} else {
		NL_SET_ERR_MSG_FMT(extack, "no guest %s", name);
		ret = -ENOENT;
	}
	mutex_unlock(&devhost_lock);
	if (ret)
		return ret;

	devhost_guest_remove(guest);
	return 0;
}

/*
 * Nobody can make anything new by now, and every device holds the module of its
 * class, which in turn needs this one: only guests are left.
 */
void devhost_guest_del_all(void)
{
	struct devhost_guest *guest, *next;

	list_for_each_entry_safe(guest, next, &devhost_guests, list) {
		WARN_ON(!list_empty(&guest->devices));
		devhost_guest_remove(guest);
	}
}
