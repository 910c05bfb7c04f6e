/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels without allocation by type. */
#ifndef _DEVHOST_COMPAT_SLAB_H
#define _DEVHOST_COMPAT_SLAB_H

#include_next <linux/slab.h>

#ifndef kmalloc_obj
#define kmalloc_obj(obj) ({						\
	typeof(obj) *__new = kmalloc(sizeof(obj), GFP_KERNEL);		\
	__new;								\
})
#endif

#ifndef kzalloc_obj
#define kzalloc_obj(obj) ({						\
	typeof(obj) *__new = kzalloc(sizeof(obj), GFP_KERNEL);		\
	__new;								\
})
#endif

#endif /* _DEVHOST_COMPAT_SLAB_H */
