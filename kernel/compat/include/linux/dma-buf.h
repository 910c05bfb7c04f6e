/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels before 6.13 name a namespace of symbols without quotes. */
#ifndef _DEVHOST_COMPAT_DMA_BUF_H
#define _DEVHOST_COMPAT_DMA_BUF_H

#include_next <linux/dma-buf.h>
#include <linux/module.h>

#undef MODULE_IMPORT_NS
#define MODULE_IMPORT_NS(ns) MODULE_INFO(import_ns, ns)

#endif /* _DEVHOST_COMPAT_DMA_BUF_H */
