# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Sources of the kernel modules of the virtio device host"
DESCRIPTION = "For targets that build kernel modules themselves: the sources below /usr/src, laid out \
as dkms wants them, and the command devhost-build-modules for those without dkms."
SECTION = "kernel"
LICENSE = "GPL-2.0-only & Apache-2.0"
LIC_FILES_CHKSUM = "\
    file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263 \
    file://LICENSES/Apache-2.0.txt;md5=3b83ef96387f14655fc854ddc3c6bd57 \
"

require recipes-devhost/devhost/devhost.inc

DEVHOST_PARTS = "Kbuild LICENSES kernel packaging/dkms"
SRC_URI += "file://devhost-build-modules"

# As kernel-devsrc is.
PACKAGE_ARCH = "${MACHINE_ARCH}"
INHIBIT_DEFAULT_DEPS = "1"

DEVHOST_MODULE_SOURCE = "${prefix}/src/devhost-${DEVHOST_VERSION}"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
	install -d ${D}${DEVHOST_MODULE_SOURCE}/packaging/dkms ${D}${sbindir}
	cp -r --no-preserve=ownership ${S}/Kbuild ${S}/kernel ${D}${DEVHOST_MODULE_SOURCE}
	install -m 0755 ${S}/packaging/dkms/check-kernel ${D}${DEVHOST_MODULE_SOURCE}/packaging/dkms
	sed 's:#MODULE_VERSION#:${DEVHOST_VERSION}:' ${S}/packaging/dkms/dkms.conf \
		>${D}${DEVHOST_MODULE_SOURCE}/dkms.conf
	sed 's:@DEVHOST_MODULE_SOURCE@:${DEVHOST_MODULE_SOURCE}:' ${UNPACKDIR}/devhost-build-modules \
		>${D}${sbindir}/devhost-build-modules
	chmod 0755 ${D}${sbindir}/devhost-build-modules
}

FILES:${PN} = "${DEVHOST_MODULE_SOURCE} ${sbindir}/devhost-build-modules"

RDEPENDS:${PN} = "kernel-devsrc kmod packagegroup-core-buildessential pahole"
