/* SPDX-License-Identifier: GPL-2.0-only */
/* The overlays, as the build puts them into the module. */
#ifndef _SCMI_BOARD_H
#define _SCMI_BOARD_H

#include <linux/types.h>

extern u8 __dtbo_several_begin[];
extern u8 __dtbo_several_end[];
extern u8 __dtbo_single_begin[];
extern u8 __dtbo_single_end[];

#endif /* _SCMI_BOARD_H */
