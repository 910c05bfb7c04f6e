/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a board without device tree gives consumers their resets: in tables (6.12)
 * or in software nodes (7.2).
 */
#ifndef _DEVHOST_COMPAT_RESET_H
#define _DEVHOST_COMPAT_RESET_H

#include <linux/reset-controller.h>
#include <linux/slab.h>

/* For good: no kernel takes an entry back. The consumer has a software node, too. */
static inline int compat_reset_lookup(const char *provider, unsigned int index,
				      const char *consumer, const char *name)
{
#ifdef DEVHOST_HAVE_RESET_LOOKUP
	const struct reset_control_lookup entry =
		RESET_LOOKUP(provider, index, consumer, name);
	struct reset_control_lookup *lookup;

	lookup = kmemdup(&entry, sizeof(entry), GFP_KERNEL);
	if (!lookup)
		return -ENOMEM;
	reset_controller_add_lookup(lookup, 1);
#endif
	return 0;
}

#endif /* _DEVHOST_COMPAT_RESET_H */
