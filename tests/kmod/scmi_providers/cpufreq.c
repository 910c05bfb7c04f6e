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

static struct prov_knobs prov_cpu_knobs;
static DEFINE_PER_CPU(unsigned int, prov_cpu_freq);
static DEFINE_MUTEX(prov_cpu_lock); /* prov_cpu_driven */
static bool prov_cpu_driven;

static int prov_cpu_init(struct cpufreq_policy *policy)
{
	per_cpu(prov_cpu_freq, policy->cpu) = prov_freqs[0].frequency;
	policy->freq_table = prov_freqs;
	policy->cpuinfo.transition_latency = 1000;
	return 0;
}

static int prov_cpu_target(struct cpufreq_policy *policy, unsigned int index)
{
	int err = prov_change(&prov_cpu_knobs);

	if (!err)
		WRITE_ONCE(per_cpu(prov_cpu_freq, policy->cpu),
			   prov_freqs[index].frequency);
	return err;
}

static unsigned int prov_cpu_get(unsigned int cpu)
{
	return READ_ONCE(per_cpu(prov_cpu_freq, cpu));
}

static struct cpufreq_driver prov_cpu_driver = {
	.name = "scmi_providers",
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

	mutex_lock(&prov_cpu_lock);
	if (value && !prov_cpu_driven)
		err = cpufreq_register_driver(&prov_cpu_driver);
	else if (!value && prov_cpu_driven)
		cpufreq_unregister_driver(&prov_cpu_driver);
	if (!err)
		prov_cpu_driven = value;
	mutex_unlock(&prov_cpu_lock);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(prov_driver_fops, prov_driver_get, prov_driver_set, "%llu\n");

void prov_cpufreq_init(void)
{
	debugfs_create_file("driver", 0600, prov_dir("cpu", &prov_cpu_knobs),
			    NULL, &prov_driver_fops);
}
