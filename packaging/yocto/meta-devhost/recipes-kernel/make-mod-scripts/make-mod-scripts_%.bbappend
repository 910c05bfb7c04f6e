# SPDX-License-Identifier: Apache-2.0
# What makes the BTF of modules is built there, where the kernel has BTF.
DEPENDS += "${@bb.utils.contains('DISTRO_FEATURES', 'devhost', 'elfutils-native zlib-native', '', d)}"
