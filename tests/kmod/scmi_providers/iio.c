// SPDX-License-Identifier: GPL-2.0-only
/* An IIO channel: vbat, millivolts that a test sets. */
#include <linux/iio/driver.h>
#include <linux/iio/iio.h>
#include <linux/iio/machine.h>
#include <linux/module.h>

#include "scmi_providers.h"

static struct prov_knobs prov_iio_knobs;
static u32 prov_iio_mv = 12000;

static int prov_iio_read(struct iio_dev *indio_dev,
			 const struct iio_chan_spec *channel, int *val,
			 int *val2, long mask)
{
	int err = prov_change(&prov_iio_knobs);

	*val = READ_ONCE(prov_iio_mv);
	return err ?: IIO_VAL_INT;
}

static const struct iio_info prov_iio_info = {
	.read_raw = prov_iio_read,
};

static const struct iio_chan_spec prov_iio_channels[] = {
	{
		.type = IIO_VOLTAGE,
		.indexed = 1,
		.info_mask_separate = BIT(IIO_CHAN_INFO_PROCESSED),
		.datasheet_name = "vbat",
	},
};

int prov_iio_init(void)
{
	static struct iio_map maps[] = {
		IIO_MAP("vbat", PROV_CONSUMER, "vbat"),
		{ }
	};
	struct iio_dev *indio_dev;
	struct dentry *dir;
	int err;

	indio_dev = iio_device_alloc(&prov_source->dev, 0);
	if (!indio_dev)
		return -ENOMEM;
	indio_dev->name = "scmi_prov";
	indio_dev->info = &prov_iio_info;
	indio_dev->channels = prov_iio_channels;
	indio_dev->num_channels = ARRAY_SIZE(prov_iio_channels);
	err = iio_map_array_register(indio_dev, maps);
	if (err)
		goto err_free;
	err = iio_device_register(indio_dev);
	if (err)
		goto err_maps;
	dir = prov_dir("vbat", &prov_iio_knobs);
	debugfs_create_u32("mv", 0600, dir, &prov_iio_mv);
	return 0;

err_maps:
	iio_map_array_unregister(indio_dev);
err_free:
	iio_device_free(indio_dev);
	return err;
}
