// SPDX-License-Identifier: GPL-2.0-only
/* Frequencies of all processors: 1, 2, 3 GHz, while a test wants a driver for them. */
#include <linux/cpufreq.h>

#include "scmi_providers.h"

static struct cpufreq_frequency_table prov_freqs[] = {
	{ .frequency = 1000000 },
	{ .frequency = 2000000 },
	{ .frequency = 3000000 },
	{ .frequency = CPUFREQ_TABLE_END },
};

/* The same, as another driver might list them. */
static struct cpufreq_frequency_table prov_freqs_down[] = {
	{ .frequency = 3000000 },
	{ .frequency = CPUFREQ_ENTRY_INVALID },
	{ .frequency = 2000000 },
	{ .frequency = 1000000 },
	{ .frequency = CPUFREQ_TABLE_END },
};

enum { PROV_NO_DRIVER, PROV_UP, PROV_DOWN };

static struct prov_knobs prov_cpu_knobs;
static DEFINE_PER_CPU(unsigned int, prov_cpu_freq);
static DEFINE_MUTEX(prov_cpu_lock); /* prov_cpu_driven */
static u64 prov_cpu_driven;

static int prov_cpu_init(struct cpufreq_policy *policy)
{
	per_cpu(prov_cpu_freq, policy->cpu) = prov_freqs[0].frequency;
	policy->freq_table = prov_cpu_driven == PROV_DOWN ? prov_freqs_down :
							     prov_freqs;
	policy->cpuinfo.transition_latency = 1000;
	return 0;
}

static int prov_cpu_target(struct cpufreq_policy *policy, unsigned int index)
{
	int err = prov_change(&prov_cpu_knobs);

	if (err)
		return err;
	policy->cur = policy->freq_table[index].frequency;
	WRITE_ONCE(per_cpu(prov_cpu_freq, policy->cpu), policy->cur);
	return 0;
}

static unsigned int prov_cpu_get(unsigned int cpu)
{
	return READ_ONCE(per_cpu(prov_cpu_freq, cpu));
}

/*
 * Nobody is notified of a change: the processor runs as before, and who counts
 * time with its cycles (KVM for its guests) must not reckon with another rate.
 */
static struct cpufreq_driver prov_cpu_driver = {
	.name = "scmi_providers",
	.flags = CPUFREQ_ASYNC_NOTIFICATION,
	.init = prov_cpu_init,
	.verify = cpufreq_generic_frequency_table_verify,
	.target_index = prov_cpu_target,
	.get = prov_cpu_get,
};

static int prov_driver_get(void *data, u64 *value)
{
	*value = READ_ONCE(prov_cpu_driven);
	return 0;
}

static int prov_driver_set(void *data, u64 value)
{
	int err = 0;

	if (value > PROV_DOWN)
		return -EINVAL;
	mutex_lock(&prov_cpu_lock);
	if (prov_cpu_driven && value != prov_cpu_driven)
		cpufreq_unregister_driver(&prov_cpu_driver);
	swap(value, prov_cpu_driven);
	if (prov_cpu_driven && value != prov_cpu_driven)
		err = cpufreq_register_driver(&prov_cpu_driver);
	if (err)
		prov_cpu_driven = PROV_NO_DRIVER;
	mutex_unlock(&prov_cpu_lock);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(prov_driver_fops, prov_driver_get, prov_driver_set, "%llu\n");

void prov_cpufreq_init(void)
{
	debugfs_create_file("driver", 0600, prov_dir("cpu", &prov_cpu_knobs),
			    NULL, &prov_driver_fops);
}
