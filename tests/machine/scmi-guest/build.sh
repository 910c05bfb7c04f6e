#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the base root: a guest kernel with a device tree and the upstream SCMI drivers, the module
# that puts the platform into the tree, and the agent, into /build/images/scmi.
set -e
here=/src/tests/machine/scmi-guest
work=/build/images/work
out=/build/images/scmi
export DEBIAN_FRONTEND=noninteractive

apt-get -q update
apt-get -qy install --no-install-recommends flex bison bc
rm -rf $work $out
mkdir -p $work/deb $work/module $out
cd $work/deb
apt-get -q download linux-source-6.12
dpkg-deb --fsys-tarfile linux-source-6.12_*.deb |
	tar -xO ./usr/src/linux-source-6.12.tar.xz |
	tar -xJ -C $work --exclude='*/arch/[!x]*/*.[chS]' --exclude='*/arch/[!x]*/boot/*' \
		--exclude='*/Documentation/[!K]*' \
		--exclude='*/drivers/gpu/drm/amd/include/*' --exclude='*/tools/testing/*'
rm -rf $work/deb
cd $work/linux-source-6.12
make -s tinyconfig
scripts/kconfig/merge_config.sh -m .config $here/config
make -s olddefconfig
grep '^CONFIG_' $here/config | while read -r line; do
	grep -qx "$line" .config || { echo "the kernel does not take $line"; exit 1; }
done
make -s "-j$(nproc)" bzImage modules
cp $here/kmod/* $work/module
make -s M=$work/module modules

cp arch/x86/boot/bzImage $out/vmlinuz
cp $work/module/*.ko $out/
gcc -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -static -o $out/agent /src/tests/machine/guest/agent.c
cd /
rm -rf $work
