#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# base-setup.sh essential|kernels ROOT: mmdebstrap hooks of the base root.
set -e
root=$2

essential() {
	# kernels are booted with the bench machine's own initrd
	chroot "$root" dpkg-divert --local --rename --add /usr/sbin/update-initramfs
	ln -sf /bin/true "$root/usr/sbin/update-initramfs"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
}

kernels() {
	export DEBIAN_FRONTEND=noninteractive
	# the newest 7.2 of the backports; a suite that has moved on gives what it has now
	release=$(chroot "$root" apt-cache pkgnames linux-image-7.2. |
		sed -n 's/^linux-image-\(7\.2\.[0-9]*+deb[0-9]*-amd64\)$/\1/p' | sort -V | tail -n1)
	if [ -z "$release" ]; then
		echo "the backports have no kernel 7.2 any more; taking their current one" >&2
		release=$(chroot "$root" apt-cache show linux-image-amd64/trixie-backports |
			sed -n 's/^Depends: linux-image-\([^ ,]*\).*/\1/p' | head -n1)
	fi
	version=$(chroot "$root" apt-cache show "linux-image-$release" |
		sed -n 's/^Version: //p' | sort -V | tail -n1)
	chroot "$root" apt-get -qy install --no-install-recommends -t trixie-backports \
		"linux-image-$release" "linux-headers-$release"

	# of the sources: the guest's virtio_can driver and the kernel's style checker
	source=linux-source-$(echo "$release" | cut -d. -f1-2)
	chroot "$root" sh -ec '
		source=$1 version=$2
		cd /tmp
		apt-get -q download "$source=$version"
		mkdir -p /usr/src/devhost-bench
		dpkg-deb --fsys-tarfile "$source"_*.deb |
			tar -xO "./usr/src/$source.tar.xz" |
			tar -xJ -C /usr/src/devhost-bench --strip-components=1 \
				"$source/drivers/net/can/virtio_can.c" \
				"$source/include/uapi/linux/virtio_can.h" \
				"$source/scripts/checkpatch.pl" \
				"$source/scripts/spelling.txt" \
				"$source/scripts/const_structs.checkpatch"
		rm -f "$source"_*.deb' sh "$source" "$version"
}

"$1"
