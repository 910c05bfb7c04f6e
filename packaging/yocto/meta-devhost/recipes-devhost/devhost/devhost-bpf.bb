# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Policy programs of the virtio device host"
DESCRIPTION = "eBPF programs that enforce what a guest may do. They are compiled once and run \
everywhere: what they know of the kernel and of the module devhost is relocated from their BTF when \
devhostd loads them, so that nothing of the kernel is needed to build them."
SECTION = "base"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263"

require devhost.inc

DEVHOST_PARTS = "LICENSES bpf kernel/include/uapi"

DEPENDS = "clang-native llvm-native libbpf"

inherit cmake

OECMAKE_SOURCEPATH = "${S}/bpf"

# clang builds for the byte order of the machine that it runs on.
COMPATIBLE_HOST = "(x86_64|aarch64).*-linux"

# The BTF of the objects is what they are loaded by.
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"

FILES:${PN} = "${nonarch_libdir}/devhost/bpf"
