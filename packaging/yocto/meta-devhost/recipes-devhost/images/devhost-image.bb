# SPDX-License-Identifier: Apache-2.0
SUMMARY = "A device host that runs its guests in QEMU"
LICENSE = "Apache-2.0"

inherit core-image features_check

REQUIRED_DISTRO_FEATURES = "devhost systemd"

IMAGE_INSTALL = "\
    packagegroup-core-boot \
    packagegroup-devhost \
    packagegroup-devhost-vmm \
    ${CORE_IMAGE_EXTRA_INSTALL} \
"
