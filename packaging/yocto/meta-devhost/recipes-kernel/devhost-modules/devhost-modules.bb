# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Kernel modules of the virtio device host"
DESCRIPTION = "Modules that serve CAN, sound and SCMI to virtual machines as virtio devices, through \
the kernel's own vhost-vdpa interface. Each module gets a package of its own, such as \
kernel-module-vhost-can; this one depends on all that the kernel has the subsystems for."
SECTION = "kernel"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263"

require recipes-devhost/devhost/devhost.inc

DEVHOST_PARTS = "Kbuild LICENSES kernel packaging/dkms"

inherit module

# Gives the modules their BTF, which policies need.
DEPENDS += "pahole-native"

# The tree has a Kbuild and no Makefile: the kernel's own is called.
EXTRA_OEMAKE += "-C ${STAGING_KERNEL_DIR} M=${S}"
MAKE_TARGETS = "modules"

DEVHOST_KERNEL_MIN = "6.12"

# As with dkms: a kernel that is too old or lacks what everything needs ends the build here, what the
# modules can do without is said.
do_configure:append() {
	oldest=$(printf '%s\n' "${DEVHOST_KERNEL_MIN}" "${KERNEL_VERSION}" | sort -V | head -n 1)
	if [ "$oldest" != "${DEVHOST_KERNEL_MIN}" ]; then
		bbfatal "kernel ${KERNEL_VERSION} is older than ${DEVHOST_KERNEL_MIN}"
	fi
	if ! sh ${S}/packaging/dkms/check-kernel "${KERNEL_VERSION}" "${STAGING_KERNEL_BUILDDIR}" \
		2>${T}/check-kernel.txt; then
		bbfatal "$(cat ${T}/check-kernel.txt)"
	fi
	if [ -s ${T}/check-kernel.txt ]; then
		bbwarn "$(cat ${T}/check-kernel.txt)"
	fi
}
