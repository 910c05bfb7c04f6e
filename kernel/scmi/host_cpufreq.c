// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performance of the host's processors: guests ask for the least frequency,
 * the governor rules above that.
 *
 * A policy may come and go with its driver or its processors; what is asked of
 * it is asked again when it is back.
 */
#include <linux/cpufreq.h>
#include <linux/pm_qos.h>
#include <linux/slab.h>

#include "vhost_scmi.h"

/**
 * struct vscmi_cpufreq - a processor
 * @cpu: its number
 * @lock: @policy, @level
 * @nb: tells of policies
 * @bound: there is a policy, and @qos is asked of it
 * @qos: what is asked
 * @level: in kHz, 0 for nothing
 */
struct vscmi_cpufreq {
	unsigned int cpu;
	struct mutex lock; /* the policy */
	struct notifier_block nb;
	bool bound;
	struct freq_qos_request qos;
	u32 level;
};

static int vscmi_cpufreq_bind(struct vscmi_cpufreq *vcpu,
			      struct cpufreq_policy *policy)
{
	int err = 0;

	mutex_lock(&vcpu->lock);
	if (!vcpu->bound) {
		err = freq_qos_add_request(&policy->constraints, &vcpu->qos,
					   FREQ_QOS_MIN, vcpu->level);
		vcpu->bound = err >= 0;
	}
	mutex_unlock(&vcpu->lock);
	return min(err, 0);
}

static void vscmi_cpufreq_unbind(struct vscmi_cpufreq *vcpu)
{
	mutex_lock(&vcpu->lock);
	if (vcpu->bound)
		freq_qos_remove_request(&vcpu->qos);
	vcpu->bound = false;
	mutex_unlock(&vcpu->lock);
}

static int vscmi_cpufreq_notify(struct notifier_block *nb, unsigned long event,
				void *data)
{
	struct vscmi_cpufreq *vcpu = container_of(nb, struct vscmi_cpufreq, nb);
	struct cpufreq_policy *policy = data;

	if (!cpumask_test_cpu(vcpu->cpu, policy->related_cpus))
		return NOTIFY_DONE;
	if (event == CPUFREQ_CREATE_POLICY)
		vscmi_cpufreq_bind(vcpu, policy);
	else if (event == CPUFREQ_REMOVE_POLICY)
		vscmi_cpufreq_unbind(vcpu);
	return NOTIFY_DONE;
}

static int vscmi_cpufreq_levels(struct vscmi_host *host,
				const struct cpufreq_policy *policy)
{
	const struct cpufreq_frequency_table ends[] = {
		{ .frequency = policy->cpuinfo.min_freq },
		{ .frequency = policy->cpuinfo.max_freq },
		{ .frequency = CPUFREQ_TABLE_END },
	};
	const struct cpufreq_frequency_table *pos, *table;
	unsigned int num = 0;
	int err;

	/* Of a driver without a table, the two ends. */
	table = policy->freq_table ? policy->freq_table : ends;
	cpufreq_for_each_valid_entry(pos, table)
		num++;
	err = vscmi_host_levels_alloc(host, num);
	if (err)
		return err;
	cpufreq_for_each_valid_entry(pos, table)
		host->levels[host->num_levels++] = pos->frequency;
	return vscmi_host_levels_done(host);
}

static int vscmi_cpufreq_get(struct vscmi_host *host,
			     struct netlink_ext_ack *extack)
{
	struct cpufreq_policy *policy;
	struct vscmi_cpufreq *vcpu;
	int err;

	vcpu = kzalloc_obj(*vcpu);
	if (!vcpu)
		return -ENOMEM;
	mutex_init(&vcpu->lock);
	vcpu->nb.notifier_call = vscmi_cpufreq_notify;
	err = -EINVAL;
	if (strncmp(host->name, "cpu", 3) ||
	    kstrtouint(host->name + 3, 10, &vcpu->cpu) ||
	    vcpu->cpu >= nr_cpu_ids)
		goto err_free;
	err = cpufreq_register_notifier(&vcpu->nb, CPUFREQ_POLICY_NOTIFIER);
	if (err)
		goto err_free;
	policy = cpufreq_cpu_get(vcpu->cpu);
	err = policy ? vscmi_cpufreq_levels(host, policy) : -ENODEV;
	if (!err)
		err = vscmi_cpufreq_bind(vcpu, policy);
	if (policy)
		cpufreq_cpu_put(policy);
	if (err)
		goto err_notifier;
	host->priv = vcpu;
	return 0;

err_notifier:
	cpufreq_unregister_notifier(&vcpu->nb, CPUFREQ_POLICY_NOTIFIER);
err_free:
	kfree(vcpu);
	return err;
}

static void vscmi_cpufreq_put(struct vscmi_host *host)
{
	struct vscmi_cpufreq *vcpu = host->priv;

	cpufreq_unregister_notifier(&vcpu->nb, CPUFREQ_POLICY_NOTIFIER);
	vscmi_cpufreq_unbind(vcpu);
	kfree(vcpu);
}

static int vscmi_cpufreq_set_level(struct vscmi_host *host, u64 level)
{
	struct vscmi_cpufreq *vcpu = host->priv;
	int err = 0;

	mutex_lock(&vcpu->lock);
	if (vcpu->bound)
		err = freq_qos_update_request(&vcpu->qos, level);
	if (err >= 0)
		vcpu->level = level;
	mutex_unlock(&vcpu->lock);
	return min(err, 0);
}

static int vscmi_cpufreq_read(struct vscmi_host *host, s64 *value)
{
	struct vscmi_cpufreq *vcpu = host->priv;

	*value = cpufreq_quick_get(vcpu->cpu);
	if (!*value)
		*value = host->min;
	return 0;
}

const struct vscmi_host_ops vscmi_host_cpufreq = {
	.get = vscmi_cpufreq_get,
	.put = vscmi_cpufreq_put,
	.set_level = vscmi_cpufreq_set_level,
	.read = vscmi_cpufreq_read,
};
