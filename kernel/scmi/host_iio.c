// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sensors that are IIO channels of the host.
 */
#include <linux/iio/consumer.h>
#include <linux/iio/types.h>

#include "vhost_scmi.h"

/* IIO's units are thousandths of SCMI's, save what SCMI has no type for. */
static int vscmi_iio_type(enum iio_chan_type type)
{
	switch (type) {
	case IIO_TEMP:
		return SCMI_SENSOR_TYPE_CELSIUS;
	case IIO_VOLTAGE:
		return SCMI_SENSOR_TYPE_VOLT;
	case IIO_CURRENT:
		return SCMI_SENSOR_TYPE_AMPERE;
	case IIO_POWER:
		return SCMI_SENSOR_TYPE_WATT;
	default:
		return -EOPNOTSUPP;
	}
}

static int vscmi_iio_get(struct vscmi_host *host, struct netlink_ext_ack *extack)
{
	struct iio_channel *channel;
	enum iio_chan_type type;
	int err;

	channel = iio_channel_get(host->dev, host->name);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	err = iio_get_channel_type(channel, &type);
	if (!err)
		err = vscmi_iio_type(type);
	if (err < 0) {
		iio_channel_release(channel);
		return err;
	}
	host->type = err;
	host->scale = -3;
	host->priv = channel;
	return 0;
}

static void vscmi_iio_put(struct vscmi_host *host)
{
	iio_channel_release(host->priv);
}

static int vscmi_iio_read(struct vscmi_host *host, s64 *value)
{
	int val, err;

	err = iio_read_channel_processed(host->priv, &val);
	if (err < 0)
		return err;
	*value = val;
	return 0;
}

const struct vscmi_host_ops vscmi_host_iio = {
	.get = vscmi_iio_get,
	.put = vscmi_iio_put,
	.read = vscmi_iio_read,
};
