// SPDX-License-Identifier: GPL-2.0-only
/*
 * ECHO_OP_ASK: the guest's policy is asked about one item of a class, again and
 * again, and nothing is done with it. So a policy's cost can be counted alone.
 */
#include <devhost/policy.h>

#include "echo.h"

#define ECHO_ASK_MAX	100000

static bool echo_ask_can(struct devhost_device *dev,
			 enum devhost_direction direction)
{
	struct devhost_policy_can frame = {
		.can_id = 0x123,
		.bits = 111,
		.direction = direction,
		.len = 8,
	};

	return devhost_policy_can(dev, &frame);
}

static bool echo_ask_snd(struct devhost_device *dev)
{
	struct devhost_policy_snd request = {
		.request = DEVHOST_POLICY_SND_START,
		.direction = DEVHOST_TO_HOST,
		.rate = 48000,
		.channels = 2,
		.period_us = 10000,
		.buffer_us = 40000,
	};

	return devhost_policy_snd(dev, &request);
}

/* CLOCK_RATE_SET of clock 1 to 100 MHz */
static bool echo_ask_scmi(struct devhost_device *dev)
{
	struct devhost_policy_scmi command = {
		.protocol = 0x14,
		.message = 0x5,
		.resource = 1,
		.value = 100000000,
	};

	return devhost_policy_scmi(dev, &command) == DEVHOST_VERDICT_ALLOW;
}

static bool echo_ask_video(struct devhost_device *dev)
{
	struct devhost_policy_video request = {
		.request = DEVHOST_POLICY_VIDEO_RESOLUTION,
		.format = 0x1002, /* VIRTIO_VIDEO_FORMAT_H264 */
		.width = 1280,
		.height = 720,
		.rate = 30,
	};

	return devhost_policy_video(dev, &request);
}

static bool echo_ask_once(struct devhost_device *dev, enum echo_ask item)
{
	switch (item) {
	case ECHO_ASK_CAN_SENT:
		return echo_ask_can(dev, DEVHOST_TO_HOST);
	case ECHO_ASK_CAN_RECEIVED:
		return echo_ask_can(dev, DEVHOST_TO_GUEST);
	case ECHO_ASK_SND:
		return echo_ask_snd(dev);
	case ECHO_ASK_SCMI:
		return echo_ask_scmi(dev);
	case ECHO_ASK_VIDEO:
		return echo_ask_video(dev);
	}
	return false;
}

/* @value: how many of @times it was allowed */
bool echo_op_ask(struct echo *echo, enum echo_ask item, u32 times, u64 *value)
{
	u32 i;

	if (item > ECHO_ASK_VIDEO || times > ECHO_ASK_MAX)
		return false;
	for (i = 0; i < times; i++)
		*value += echo_ask_once(echo->dev, item);
	return true;
}
