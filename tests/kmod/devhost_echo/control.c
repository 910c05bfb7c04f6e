// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queue "control", with which a test tells the device what to do, and queue
 * "supply", which it makes the device fill.
 */
#include <devhost/policy.h>

#include "echo.h"

#define ECHO_SUPPLY_MAX		65536
#define ECHO_STALL_MS_MAX	60000

static size_t echo_supply_form(struct echo *echo)
{
	struct echo_supply *msg = (struct echo_supply *)echo->buffer;
	u32 i;

	msg->sequence = cpu_to_le32(echo->supply_next);
	msg->length = cpu_to_le32(echo->supply_length);
	for (i = 0; i < echo->supply_length; i++)
		msg->data[i] = echo->supply_next + i;
	return sizeof(*msg) + echo->supply_length;
}

/* Messages go out for as long as there are buffers. */
void echo_supply(struct echo *echo)
{
	struct devhost_vq *vq = devhost_vq(echo->dev, ECHO_VQ_SUPPLY);

	while (echo->supply_left) {
		struct devhost_chain *chain = devhost_vq_pop(vq);

		if (!chain)
			return;
		if (devhost_chain_write(chain, echo->buffer,
					echo_supply_form(echo))) {
			devhost_chain_reject(chain);
			continue;
		}
		devhost_chain_complete(chain);
		echo_count(echo, ECHO_COUNT_SUPPLIED, 1);
		echo->supply_next++;
		echo->supply_left--;
	}
}

static bool echo_op_stall(struct echo *echo, const u32 *arg)
{
	struct echo_stall *stall;

	if (arg[0] >= ARRAY_SIZE(echo->stall) || arg[1] > ECHO_STALL_MS_MAX)
		return false;
	stall = &echo->stall[arg[0]];
	stall->ms = arg[1];
	stall->times = arg[2];
	return true;
}

static bool echo_op_late_mode(struct echo *echo, const u32 *arg)
{
	if (arg[0] > ECHO_LATE_HOLD)
		return false;
	if (arg[0] == ECHO_LATE_REVERSE &&
	    (arg[1] < 2 || arg[1] > ARRAY_SIZE(echo->kept)))
		return false;
	echo->late_mode = arg[0];
	echo->batch = arg[1];
	devhost_raise(echo->dev, ECHO_EVENT_LATE);
	return true;
}

static bool echo_op_supply(struct echo *echo, const u32 *arg)
{
	if (echo->supply_left || arg[0] > ECHO_SUPPLY_MAX ||
	    arg[1] > ECHO_BUFFER_SIZE)
		return false;
	echo->supply_left = arg[0];
	echo->supply_length = arg[1];
	echo->supply_next = arg[2];
	echo_supply(echo);
	return true;
}

static bool echo_op_count(struct echo *echo, u32 which, u64 *value)
{
	if (which < ECHO_COUNTERS && which != ECHO_COUNT_BEGUN)
		*value = echo->counts[which];
	else if (which == ECHO_COUNT_KEPT)
		*value = echo->num_kept;
	else if (which == ECHO_COUNT_WAITING)
		*value = echo->supply_left;
	else if (which == ECHO_COUNT_DROPPED)
		*value = atomic_read(&echo->dropped);
	else if (which == ECHO_COUNT_WRITES)
		*value = echo_config_writes(echo);
	else
		return false;
	return true;
}

static bool echo_op_policy_can(struct echo *echo, const u32 *arg)
{
	struct devhost_policy_can frame = {
		.can_id = arg[0],
		.bits = arg[2] >> 8,
		.direction = arg[1] & ECHO_POLICY_TO_GUEST ? DEVHOST_TO_GUEST :
							     DEVHOST_TO_HOST,
		.flags = arg[1],
		.len = arg[2],
	};

	return devhost_policy_can(echo->dev, &frame);
}

static bool echo_op(struct echo *echo, u32 op, const u32 *arg, u64 *value)
{
	switch (op) {
	case ECHO_OP_NOP:
		*value = devhost_features(echo->dev);
		return true;
	case ECHO_OP_CONFIG_CHANGE:
		*value = echo_config_change(echo);
		return true;
	case ECHO_OP_BREAK:
		devhost_broken(echo->dev, "the driver asked for it");
		return true;
	case ECHO_OP_STALL:
		return echo_op_stall(echo, arg);
	case ECHO_OP_REJECT:
		echo->rejects = arg[0];
		return true;
	case ECHO_OP_ECHO_MODE:
		if (arg[0] > ECHO_MODE_PIECES)
			return false;
		echo->mode = arg[0];
		return true;
	case ECHO_OP_LATE_MODE:
		return echo_op_late_mode(echo, arg);
	case ECHO_OP_LATE_RELEASE:
		if (arg[1] > ECHO_ORDER_ODD_FIRST)
			return false;
		*value = echo_late_release(echo, arg[0], arg[1]);
		return true;
	case ECHO_OP_SUPPLY:
		if (!echo_op_supply(echo, arg))
			return false;
		*value = echo->supply_left;
		return true;
	case ECHO_OP_COUNT:
		return echo_op_count(echo, arg[0], value);
	case ECHO_OP_POLICY_CAN:
		*value = echo_op_policy_can(echo, arg);
		return true;
	case ECHO_OP_HOLD:
		return echo_op_hold(echo, arg);
	case ECHO_OP_HELD:
		return echo_op_held(echo, arg[0], value);
	case ECHO_OP_PUT:
		return echo_op_put(echo);
	case ECHO_OP_EXPORT:
		return echo_op_export(echo, arg[0], value);
	case ECHO_OP_LOOK:
		return echo_op_look(echo, arg[0], value);
	case ECHO_OP_ASK:
		return echo_op_ask(echo, arg[0], arg[1], value);
	default:
		return false;
	}
}

enum devhost_answer echo_answer(struct devhost_chain *chain, bool ok, u64 value)
{
	struct echo_control_in in = {
		.status = cpu_to_le32(ok ? ECHO_OK : ECHO_ERROR),
		.value = cpu_to_le64(value),
	};

	return devhost_chain_write(chain, &in, sizeof(in)) ? DEVHOST_REJECT :
							     DEVHOST_COMPLETE;
}

enum devhost_answer echo_control(struct echo *echo, struct devhost_chain *chain)
{
	struct echo_control_out out;
	u64 value = 0;
	u32 arg[3];
	unsigned int i;
	bool ok;

	if (devhost_chain_writable(chain) < sizeof(struct echo_control_in) ||
	    devhost_chain_read(chain, &out, sizeof(out)))
		return DEVHOST_REJECT;
	for (i = 0; i < ARRAY_SIZE(arg); i++)
		arg[i] = le32_to_cpu(out.arg[i]);
	if (out.op == cpu_to_le32(ECHO_OP_SLEEP))
		return echo_op_sleep(echo, arg[0], chain);
	ok = echo_op(echo, le32_to_cpu(out.op), arg, &value);
	return echo_answer(chain, ok, value);
}
