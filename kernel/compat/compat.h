/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel differences. The code elsewhere is written for the newest kernel; this
 * folder is all that mainline would not take. This header is force-included by
 * Kbuild; those below include/ stand before the kernel's own and wrap them.
 */
#ifndef _DEVHOST_COMPAT_H
#define _DEVHOST_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "devhost needs Linux 6.12 or newer: it relies on struct_ops in modules (6.9) and on the BTF base of modules (6.11)."
#endif

#endif /* _DEVHOST_COMPAT_H */
