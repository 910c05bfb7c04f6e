#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cross-setup.sh RELEASE...: inside the native root: what builds for arm64, and what emulates it.
set -e
export DEBIAN_FRONTEND=noninteractive
dpkg --add-architecture arm64
apt-get -q update
apt-get -qy install --no-install-recommends crossbuild-essential-arm64 qemu-system-arm \
	libbpf-dev:arm64 libcap-dev:arm64 libelf-dev:arm64 libnl-3-dev:arm64 libnl-genl-3-dev:arm64 \
	libnl-route-3-dev:arm64 libsystemd-dev:arm64 libtomlplusplus-dev:arm64 zlib1g-dev:arm64

# Kernel headers by hand: as packages they want the compiler that runs on arm64. What runs while modules
# are built, linux-kbuild, is the native one.
cd /tmp
for release; do
	abi=${release%-arm64}
	apt-get -qy install --no-install-recommends "linux-kbuild-$abi" "linux-headers-$abi-common"
	apt-get -q download "linux-headers-$release:arm64"
	dpkg-deb -x linux-headers-"$release"_*.deb headers
	mkdir -p "/lib/modules/$release"
	cp -a headers/usr/src/. /usr/src/
	ln -sfn "/usr/src/linux-headers-$release" "/lib/modules/$release/build"
	rm -r headers linux-headers-"$release"_*.deb
done
