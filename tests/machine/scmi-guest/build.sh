#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the base root: a guest kernel with a device tree and the upstream SCMI drivers, the module
# that puts the platform into the tree, and the agent, into /build/images/scmi.
set -e
here=/src/tests/machine/scmi-guest
work=/build/images/work
out=/build/images/scmi
. /src/tests/machine/linux-source.sh

rm -rf $out
mkdir -p $out
linux_source $work
linux_config $here/config
make -s "-j$(nproc)" bzImage modules
mkdir $work/module
cp $here/kmod/* $work/module
make -s M=$work/module modules

cp arch/x86/boot/bzImage $out/vmlinuz
cp $work/module/*.ko $out/
gcc -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -static -o $out/agent /src/tests/machine/guest/agent.c
cd /
rm -rf $work
