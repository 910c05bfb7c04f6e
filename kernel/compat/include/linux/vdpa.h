/* SPDX-License-Identifier: GPL-2.0-only */
/* vDPA before map operations, and who is cache coherent. */
#ifndef _DEVHOST_COMPAT_VDPA_H
#define _DEVHOST_COMPAT_VDPA_H

#include_next <linux/vdpa.h>

#include <linux/dma-mapping.h>
#include <linux/dma-map-ops.h>

#ifndef DEVHOST_HAVE_VDPA_MAP_OPS
#undef vdpa_alloc_device
#define vdpa_alloc_device(dev_struct, member, parent, config, map, ngroups,  \
			  nas, name, use_va)				     \
	container_of(__vdpa_alloc_device(parent, config, ngroups, nas,	     \
					 sizeof(dev_struct) +		     \
					 BUILD_BUG_ON_ZERO(offsetof(	     \
						 dev_struct, member)),	     \
					 name, use_va),			     \
		     dev_struct, member)
#endif

/*
 * The host's own driver (virtio_vdpa) maps its rings for the vDPA device
 * itself. We read them with the CPU: they must stay cacheable.
 */
static inline void devhost_vdpa_set_dma_dev(struct vdpa_device *vdpa)
{
	struct device *dev = &vdpa->dev;

	dev->dma_mask = &dev->coherent_dma_mask;
	/* 64 bits need no negotiation where no bus is in between. */
	if (dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)))
		dev_warn(dev, "no 64-bit DMA mask\n");
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU_ALL)
#ifdef DEVHOST_HAVE_DMA_COHERENT_FLAG
	dev_set_dma_coherent(dev);
#else
	dev->dma_coherent = true;
#endif
#endif
#ifdef DEVHOST_HAVE_VDPA_MAP_OPS
	vdpa->vmap.dma_dev = dev;
#else
	vdpa->dma_dev = dev;
#endif
}

#endif /* _DEVHOST_COMPAT_VDPA_H */
