#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the base root: the sanitizer kernel, its modules and what builds further ones, as the root
# of a layer in /build/images/sanitizer.
set -e
here=/src/tests/machine/sanitizer
work=/build/images/work
out=/build/images/sanitizer
. /src/tests/machine/linux-source.sh

rm -rf $out
linux_source $work
linux_config $here/config
make "-j$(nproc)" bzImage modules

release=$(make -s kernelrelease)
headers=$out/usr/src/linux-headers-$release
install -D -m 644 arch/x86/boot/bzImage "$out/boot/vmlinuz-$release"
install -D -m 644 .config "$out/boot/config-$release"
make -s INSTALL_MOD_PATH=$out/usr INSTALL_MOD_STRIP=1 modules_install
# as in Debian's packages: the headers, the tools, and the types that modules refer to
make -s run-command KBUILD_RUN_COMMAND="scripts/package/install-extmod-build $headers"
# and what modules with a device tree of their own are built with
install -D scripts/dtc/dtc "$headers/scripts/dtc/dtc"
cp .config "$headers/"
strip --strip-debug -o "$headers/vmlinux" vmlinux
ln -sfn "/usr/src/linux-headers-$release" "$out/usr/lib/modules/$release/build"
cd /
rm -rf $work
