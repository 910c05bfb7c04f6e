# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Manager of the virtio device host"
DESCRIPTION = "The daemon devhostd creates and configures the devices that the kernel modules of \
devhost serve to virtual machines, over D-Bus or from files in /etc/devhost/guests.d. devhostctl \
is its command-line client."
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSES/Apache-2.0.txt;md5=3b83ef96387f14655fc854ddc3c6bd57"

require devhost.inc

# bpf and the netlink header are shared with the policy programs and the modules.
DEVHOST_PARTS = "\
    CMakeLists.txt \
    LICENSES \
    bpf \
    docs/man \
    kernel/include/uapi \
    manager \
    packaging/CMakeLists.txt \
    packaging/bash-completion \
    packaging/dbus \
    packaging/examples \
    packaging/logind \
    packaging/modprobe.d \
    packaging/polkit \
    packaging/schema \
    packaging/systemd \
    packaging/sysusers.d \
    tests/lib \
    tools \
    udev \
"

DEPENDS = "libbpf libnl systemd tomlplusplus"

inherit cmake pkgconfig python3native systemd useradd bash-completion features_check

REQUIRED_DISTRO_FEATURES = "systemd"

PACKAGECONFIG ??= "dbus ${@bb.utils.filter('DISTRO_FEATURES', 'polkit', d)}"
# The bus itself; without it the image has another, such as dbus-broker.
PACKAGECONFIG[dbus] = ",,,dbus"
# Without it, root and the group devhost manage the device host.
PACKAGECONFIG[polkit] = "-DDEVHOST_POLKIT=ON,-DDEVHOST_POLKIT=OFF,,polkit"

EXTRA_OECMAKE = "\
    -DBUILD_TESTING=OFF \
    -DDEVHOST_BPF=OFF \
    -DDEVHOST_SYSTEMD_DIR=${systemd_unitdir} \
    -DDEVHOST_UDEV_DIR=${nonarch_base_libdir}/udev \
"

SYSTEMD_SERVICE:${PN} = "devhostd.service devhost-apply.service"

# As sysusers.d/devhost.conf says, but while the image is made.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system devhost"

PACKAGES =+ "${PN}-examples ${PN}-vdpa-check"
SUMMARY:${PN}-examples = "Guests of devhost, examples of their files and policies"
FILES:${PN}-examples = "${docdir}/devhost/examples"
SUMMARY:${PN}-vdpa-check = "Checks a vhost-vdpa device node"
FILES:${PN}-vdpa-check = "${bindir}/devhost-vdpa-check"

FILES:${PN} += "\
    ${nonarch_base_libdir}/udev/rules.d \
    ${nonarch_libdir}/modprobe.d \
    ${nonarch_libdir}/sysusers.d \
    ${systemd_unitdir}/logind.conf.d \
    ${systemd_unitdir}/system-generators \
    ${datadir}/dbus-1 \
    ${datadir}/polkit-1 \
"

RRECOMMENDS:${PN} = "devhost-bpf devhost-modules"
