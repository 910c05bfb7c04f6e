// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifications over netlink. What has no listener costs nothing.
 */
#include <net/genetlink.h>

#include "core.h"

/* The groups exist. Events come before and after. */
static bool devhost_groups_registered;

void devhost_netlink_events(bool on)
{
	WRITE_ONCE(devhost_groups_registered, on);
}

static bool devhost_group_heard(unsigned int group)
{
	return READ_ONCE(devhost_groups_registered) &&
	       genl_has_listeners(&devhost_family, &init_net, group);
}

/* A message for a notification; NULL where nobody listens or memory is short. */
static struct sk_buff *devhost_event_new(struct genl_info *info, u8 cmd,
					 unsigned int group)
{
	if (!devhost_group_heard(group))
		return NULL;
	genl_info_init_ntf(info, &devhost_family, cmd);

	return genlmsg_new(DEVHOST_MSG_SIZE, GFP_KERNEL);
}

static void devhost_event_send(struct sk_buff *msg, unsigned int group, int err)
{
	if (err)
		nlmsg_free(msg);
	else
		genlmsg_multicast(&devhost_family, msg, 0, group, GFP_KERNEL);
}

void devhost_netlink_guest_event(struct devhost_guest *guest, u8 cmd)
{
	struct genl_info info;
	struct sk_buff *msg;

	lockdep_assert_held(&devhost_lock);
	msg = devhost_event_new(&info, cmd, DEVHOST_GROUP_EVENTS);
	if (msg)
		devhost_event_send(msg, DEVHOST_GROUP_EVENTS,
				   devhost_form_guest(msg, &info, 0, guest));
}

static void devhost_device_event(struct devhost_device *dev, u8 cmd,
				 unsigned int group)
{
	struct genl_info info;
	struct sk_buff *msg;

	/* The creation tells how it is by then, and the removal that it is over. */
	if (!READ_ONCE(dev->registered) && cmd != DEVHOST_CMD_DEVICE_DEL_NTF)
		return;
	msg = devhost_event_new(&info, cmd, group);
	if (msg)
		devhost_event_send(msg, group,
				   devhost_form_device(msg, &info, 0, dev));
}

void devhost_netlink_device_event(struct devhost_device *dev, u8 cmd)
{
	devhost_device_event(dev, cmd, DEVHOST_GROUP_EVENTS);
}

/**
 * devhost_power_requested - tell the manager of a request that fill() shows
 * @dev: the device whose guest asks for a system power state
 *
 * Context: Process context.
 */
void devhost_power_requested(struct devhost_device *dev)
{
	devhost_device_event(dev, DEVHOST_CMD_POWER_REQUEST_NTF,
			     DEVHOST_GROUP_POWER);
}
EXPORT_SYMBOL_GPL(devhost_power_requested);

/**
 * devhost_resource_changed - tell listeners that fill_resource() would answer
 *	otherwise
 * @dev: the device
 * @index: of the resource
 *
 * Context: Process context, from create() to destroy().
 */
void devhost_resource_changed(struct devhost_device *dev, unsigned int index)
{
	struct genl_info info;
	struct sk_buff *msg;

	if (!READ_ONCE(dev->registered))
		return;
	msg = devhost_event_new(&info, DEVHOST_CMD_RESOURCE_CHANGE_NTF,
				DEVHOST_GROUP_POWER);
	if (msg)
		devhost_event_send(msg, DEVHOST_GROUP_POWER,
				   devhost_form_resource(msg, &info, 0, dev,
							 index));
}
EXPORT_SYMBOL_GPL(devhost_resource_changed);

bool devhost_netlink_denials_heard(void)
{
	return devhost_group_heard(DEVHOST_GROUP_DENIALS);
}

void devhost_netlink_denial(struct devhost_device *dev,
			    const struct devhost_denial *denial)
{
	struct genl_info info;
	struct sk_buff *msg;

	msg = devhost_event_new(&info, DEVHOST_CMD_POLICY_DENIED_NTF,
				DEVHOST_GROUP_DENIALS);
	if (msg)
		devhost_event_send(msg, DEVHOST_GROUP_DENIALS,
				   devhost_form_denial(msg, &info, dev,
						       denial));
}
