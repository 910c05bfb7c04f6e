# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The virtio device host"
DESCRIPTION = "What a device host consists of, a virtual machine monitor to run guests, and tools to \
look at both."

# The modules are the machine's.
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit packagegroup features_check

REQUIRED_DISTRO_FEATURES = "devhost systemd"

PACKAGES = "${PN} ${PN}-vmm ${PN}-tools"

SUMMARY:${PN} = "The device host itself"
RDEPENDS:${PN} = "\
    devhost \
    devhost-bpf \
    devhost-modules \
"
# Built into some kernels, and modules of others.
RRECOMMENDS:${PN} = "\
    kernel-module-can \
    kernel-module-vdpa \
    kernel-module-vhost-vdpa \
"

SUMMARY:${PN}-vmm = "QEMU, and KVM where it is a module"
RDEPENDS:${PN}-vmm = "qemu-system-${@d.getVar('TARGET_ARCH').replace('_', '-')}"
RRECOMMENDS:${PN}-vmm = "\
    kernel-module-kvm \
    kernel-module-kvm-amd \
    kernel-module-kvm-intel \
"

SUMMARY:${PN}-tools = "Tools to look at guests and at what they are given"
RDEPENDS:${PN}-tools = "\
    bpftool \
    can-utils \
    devhost-examples \
    iproute2 \
"
