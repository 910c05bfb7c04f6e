/* SPDX-License-Identifier: Apache-2.0 */
/* The helpers for legacy rings are not C++. */
#define VIRTIO_RING_NO_LEGACY
#include_next <linux/virtio_ring.h>
