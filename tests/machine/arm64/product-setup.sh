#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the cross root: what docs/cross.md tells an integrator to do, into the arm64 root.
set -e
cd "$TREE"
cmake -S . -B "build/$BUILD" -G Ninja --toolchain cmake/aarch64-linux-gnu.cmake \
	-DCMAKE_INSTALL_PREFIX=/usr -DBUILD_TESTING=OFF
cmake --build "build/$BUILD"
DESTDIR=$TARGET cmake --install "build/$BUILD"
systemd-sysusers --root="$TARGET"
systemctl --root="$TARGET" enable devhostd.service devhost-apply.service

for dir in "$TARGET"/lib/modules/*/; do
	release=$(basename "$dir")
	work=/build/kbuild/$release
	mkdir -p "$work"
	cp -rpu Kbuild kernel "$work/"
	for guest in "" /kernel/guest; do
		make -C "/lib/modules/$release/build" M="$work$guest" W=1 "-j$(nproc)" modules
	done
	for module in devhost vhost_can vhost_snd vhost_snd_mix vhost_scmi vhost_video \
		kernel/guest/virtio_video; do
		to=$dir/updates/dkms/${module##*/}.ko
		install -D -m 644 "$work/$module.ko" "$to"
		"${CROSS_COMPILE}strip" -g "$to"
	done
	depmod -b "$TARGET" "$release"
done
