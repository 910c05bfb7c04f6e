#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the cross root: what docs/cross.md tells an integrator to do, into the arm64 root.
set -e
cd "$TREE"
cmake -S . -B "build/$BUILD" -G Ninja --toolchain cmake/aarch64-linux-gnu.cmake \
	-DCMAKE_INSTALL_PREFIX=/usr -DBUILD_TESTING=OFF
cmake --build "build/$BUILD"
DESTDIR=$TARGET cmake --install "build/$BUILD"

# the libraries that they want and the device host does not have
libraries=/usr/lib/${CROSS_COMPILE%-}
set -- "$TARGET"/usr/sbin/devhostd "$TARGET"/usr/bin/devhostctl
while [ $# -gt 0 ]; do
	copied=
	for name in $(readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u); do
		if [ ! -e "$TARGET$libraries/$name" ] && [ ! -e "$TARGET/usr/lib/$name" ]; then
			cp -L "$libraries/$name" "$TARGET$libraries/"
			copied="$copied $TARGET$libraries/$name"
		fi
	done
	# shellcheck disable=SC2086
	set -- $copied
done

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
