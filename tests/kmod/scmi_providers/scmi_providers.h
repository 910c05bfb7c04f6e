/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scmi_providers: clocks, resets, domains, supplies, sensors for tests;
 * README.md
 *
 *   main.c       the module: its devices and debugfs
 *   clk.c ...    one kind of provider each
 *   caller.c     a consumer of clocks
 */
#ifndef _SCMI_PROVIDERS_H
#define _SCMI_PROVIDERS_H

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/platform_device.h>

/* The device at which consumers look names up, and the one that provides. */
#define PROV_CONSUMER	"scmi_prov"
#define PROV_SOURCE	"scmi_prov-src"
#define PROV_PERF	"scmi_prov-perf"

/**
 * struct prov_knobs - what a test makes an instance do
 * @delay_ms: how long each change takes, sleeping; 0 ends those under way
 * @fail: changes fail while it is not 0
 * @changes: how many there were
 */
struct prov_knobs {
	u32 delay_ms;
	u32 fail;
	u32 changes;
};

/* A change: takes its time, fails or not. */
static inline int prov_change(struct prov_knobs *knobs)
{
	u32 delay = READ_ONCE(knobs->delay_ms);
	unsigned long end = jiffies + msecs_to_jiffies(delay);

	WRITE_ONCE(knobs->changes, knobs->changes + 1);
	while (READ_ONCE(knobs->delay_ms) && time_before_eq(jiffies, end))
		msleep(min(delay, 10u));
	return READ_ONCE(knobs->fail) ? -EIO : 0;
}

/* main.c */
extern struct platform_device *prov_consumer;
extern struct platform_device *prov_source;
extern struct platform_device *prov_perf;
struct dentry *prov_dir(const char *name, struct prov_knobs *knobs);

int prov_clk_init(void);
int prov_reset_init(void);
int prov_power_init(void);
int prov_regulator_init(void);
int prov_thermal_init(void);
int prov_iio_init(void);
int prov_hwmon_init(void);
int prov_devfreq_init(void);
void prov_cpufreq_init(void);

/* caller.c */
struct clk_hw;
void prov_caller_add(struct clk_hw *hw, struct dentry *dir);

#endif /* _SCMI_PROVIDERS_H */
