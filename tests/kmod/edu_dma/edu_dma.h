/* SPDX-License-Identifier: GPL-2.0-only */
/* What other test modules call, where this one is loaded: by symbol_get(). */
#ifndef _EDU_DMA_H
#define _EDU_DMA_H

struct dma_buf;

int edu_dma_import(struct dma_buf *dmabuf);

#endif /* _EDU_DMA_H */
