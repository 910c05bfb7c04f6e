# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Driver for guests of a virtio device host"
DESCRIPTION = "virtio_video: the virtio-video decoders and encoders that a device host serves, as V4L2 \
codecs of the guest. It is for images of guests; a device host does not need it."
SECTION = "kernel"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263"

require recipes-devhost/devhost/devhost.inc

DEVHOST_PARTS = "\
    LICENSES \
    kernel/compat \
    kernel/guest \
    kernel/video/virtio_video.h \
    kernel/video/virtio_video_formats.h \
    packaging/dkms \
"

inherit module

# The tree has a Kbuild and no Makefile: the kernel's own is called.
EXTRA_OEMAKE += "-C ${STAGING_KERNEL_DIR} M=${S}/kernel/guest"
MAKE_TARGETS = "modules"
MODULES_MODULE_SYMVERS_LOCATION = "kernel/guest"

DEVHOST_KERNEL_MIN = "6.12"

# As with dkms: a kernel that is too old or lacks what the driver needs ends the build here.
do_configure:append() {
	oldest=$(printf '%s\n' "${DEVHOST_KERNEL_MIN}" "${KERNEL_VERSION}" | sort -V | head -n 1)
	if [ "$oldest" != "${DEVHOST_KERNEL_MIN}" ]; then
		bbfatal "kernel ${KERNEL_VERSION} is older than ${DEVHOST_KERNEL_MIN}"
	fi
	if ! sh ${S}/packaging/dkms/check-guest-kernel "${KERNEL_VERSION}" "${STAGING_KERNEL_BUILDDIR}" \
		2>${T}/check-guest-kernel.txt; then
		bbfatal "$(cat ${T}/check-guest-kernel.txt)"
	fi
}
