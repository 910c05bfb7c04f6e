// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: puts an SCMI platform into the device tree, which makes the
 * kernel's own drivers use it, and drives a device that has a clock, a power
 * domain, a performance domain, a reset line and a supply of it. Files of the
 * platform device "consumer" say what the driver does. A driver of SCMI's own
 * watches a sensor for it.
 */
#include <linux/clk.h>
#include <linux/clk-provider.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/pm_runtime.h>
#include <linux/regulator/consumer.h>
#include <linux/reset.h>
#include <linux/scmi_protocol.h>

extern u8 __dtbo_scmi_guest_begin[];
extern u8 __dtbo_scmi_guest_end[];

/**
 * struct consumer - the device
 * @clk: its clock
 * @power: stands for its power domain
 * @perf: stands for its performance domain
 * @reset: its reset line
 * @vdd: its supply
 */
struct consumer {
	struct clk *clk;
	struct device *power;
	struct device *perf;
	struct reset_control *reset;
	struct regulator *vdd;
};

/* The sensor that is watched, and how. */
#define WATCHED_SENSOR	"zone"

static const struct scmi_sensor_proto_ops *watch_ops;
static struct scmi_protocol_handle *watch_ph;
static u32 watch_id;
static unsigned long watch_crossed;

static int watch_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct scmi_sensor_trip_point_report *report = data;

	if (report->sensor_id == watch_id)
		WRITE_ONCE(watch_crossed, watch_crossed + 1);
	return NOTIFY_OK;
}

static struct notifier_block watch_nb = { .notifier_call = watch_notify };

static int watch_probe(struct scmi_device *sdev)
{
	const struct scmi_handle *handle = sdev->handle;
	const struct scmi_sensor_info *info;
	u32 i;

	watch_ops = handle->devm_protocol_get(sdev, SCMI_PROTOCOL_SENSOR, &watch_ph);
	if (IS_ERR(watch_ops))
		return PTR_ERR(watch_ops);
	for (i = 0; i < watch_ops->count_get(watch_ph); i++) {
		info = watch_ops->info_get(watch_ph, i);
		if (info && !strcmp(info->name, WATCHED_SENSOR))
			break;
	}
	watch_id = i;
	return handle->notify_ops->devm_event_notifier_register(sdev, SCMI_PROTOCOL_SENSOR,
								SCMI_EVENT_SENSOR_TRIP_POINT_EVENT,
								&watch_id, &watch_nb);
}

static const struct scmi_device_id watch_ids[] = {
	{ SCMI_PROTOCOL_SENSOR, "watch" },
	{ }
};

static struct scmi_driver watch_driver = {
	.name = "scmi-watch",
	.probe = watch_probe,
	.id_table = watch_ids,
};

/* Tell when the first trip point, @value, is crossed. */
static int watch_set(unsigned long value)
{
	return watch_ph ? watch_ops->trip_point_config(watch_ph, watch_id, 0, value) : -ENODEV;
}

/* A file that does something with a number, and says what is so. */
#define CONSUMER_ATTR(_name, _get, _set)				\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct consumer *c __maybe_unused = dev_get_drvdata(dev);	\
									\
	return sysfs_emit(buf, "%ld\n", (long)(_get));			\
}									\
static ssize_t _name##_store(struct device *dev,			\
			     struct device_attribute *attr,		\
			     const char *buf, size_t count)		\
{									\
	struct consumer *c __maybe_unused = dev_get_drvdata(dev);	\
	unsigned long value;						\
	int err = kstrtoul(buf, 0, &value);				\
									\
	if (!err)							\
		err = (_set);						\
	return err < 0 ? err : count;					\
}									\
static DEVICE_ATTR_RW(_name)

static int consumer_clk(struct consumer *c, bool on)
{
	if (on)
		return clk_prepare_enable(c->clk);
	clk_disable_unprepare(c->clk);
	return 0;
}

static int consumer_power(struct consumer *c, bool on)
{
	return on ? pm_runtime_resume_and_get(c->power) :
		    pm_runtime_put_sync(c->power);
}

CONSUMER_ATTR(rate, clk_get_rate(c->clk), clk_set_rate(c->clk, value));
CONSUMER_ATTR(clock, __clk_is_enabled(c->clk), consumer_clk(c, value));
CONSUMER_ATTR(domain, pm_runtime_active(c->power), consumer_power(c, value));
CONSUMER_ATTR(perf, !!c->perf, dev_pm_genpd_set_performance_state(c->perf, value));
CONSUMER_ATTR(reset, !!c->reset, reset_control_reset(c->reset));
CONSUMER_ATTR(uv, regulator_get_voltage(c->vdd),
	      regulator_set_voltage(c->vdd, value, value));
CONSUMER_ATTR(trip, READ_ONCE(watch_crossed), watch_set(value));
CONSUMER_ATTR(supply, regulator_is_enabled(c->vdd),
	      value ? regulator_enable(c->vdd) : regulator_disable(c->vdd));

static struct attribute *consumer_attrs[] = {
	&dev_attr_rate.attr,
	&dev_attr_clock.attr,
	&dev_attr_domain.attr,
	&dev_attr_perf.attr,
	&dev_attr_reset.attr,
	&dev_attr_uv.attr,
	&dev_attr_supply.attr,
	&dev_attr_trip.attr,
	NULL
};
ATTRIBUTE_GROUPS(consumer);

static int consumer_attach(struct device *dev, const char *name,
			   struct device **domain)
{
	*domain = dev_pm_domain_attach_by_name(dev, name);
	if (!*domain)
		return -EPROBE_DEFER;
	return PTR_ERR_OR_ZERO(*domain);
}

static int consumer_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct consumer *c;
	int err;

	c = devm_kzalloc(dev, sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->clk = devm_clk_get(dev, NULL);
	if (IS_ERR(c->clk))
		return dev_err_probe(dev, PTR_ERR(c->clk), "clock\n");
	c->reset = devm_reset_control_get_exclusive(dev, NULL);
	if (IS_ERR(c->reset))
		return dev_err_probe(dev, PTR_ERR(c->reset), "reset\n");
	c->vdd = devm_regulator_get_optional(dev, "vdd");
	if (IS_ERR(c->vdd))
		return dev_err_probe(dev, PTR_ERR(c->vdd), "supply\n");
	err = consumer_attach(dev, "power", &c->power);
	if (err)
		return dev_err_probe(dev, err, "power domain\n");
	err = consumer_attach(dev, "perf", &c->perf);
	if (err) {
		dev_pm_domain_detach(c->power, true);
		return dev_err_probe(dev, err, "performance domain\n");
	}
	/* A performance state is asked for while the device runs. */
	err = pm_runtime_resume_and_get(c->perf);
	if (err) {
		dev_pm_domain_detach(c->perf, true);
		dev_pm_domain_detach(c->power, true);
		return err;
	}
	platform_set_drvdata(pdev, c);
	dev_info(dev, "all there\n");
	return 0;
}

static const struct of_device_id consumer_of_match[] = {
	{ .compatible = "devhost,scmi-consumer" },
	{ }
};

static struct platform_driver consumer_driver = {
	.probe = consumer_probe,
	.driver = {
		.name = "scmi-consumer",
		.of_match_table = consumer_of_match,
		.dev_groups = consumer_groups,
		.suppress_bind_attrs = true,
	},
};

/* For good: a guest ends with it. */
static int __init scmi_guest_init(void)
{
	int changeset, err;

	err = platform_driver_register(&consumer_driver);
	if (!err)
		err = scmi_register(&watch_driver);
	if (err)
		return err;
	err = of_overlay_fdt_apply(__dtbo_scmi_guest_begin,
				   __dtbo_scmi_guest_end - __dtbo_scmi_guest_begin,
				   &changeset, NULL);
	if (!err)
		err = of_platform_default_populate(NULL, NULL, NULL);
	if (err)
		pr_err("scmi_guest: no device tree: error %d\n", err);
	return 0;
}
module_init(scmi_guest_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("a guest's device tree with SCMI, and a device that uses it");
