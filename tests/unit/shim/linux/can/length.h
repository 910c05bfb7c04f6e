/* SPDX-License-Identifier: Apache-2.0 */
#include "../netdevice.h"

unsigned int can_frame_bits(bool is_fd, bool is_eff, bool bitstuff, bool intermission,
			    size_t data_len);
