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

# sources RELEASE FILE...: of the source package that the kernel was built from
sources() {
	chroot "$root" sh -ec '
		release=$1
		shift
		version=$(dpkg-query -W -f "\${Version}" "linux-image-$release")
		source=linux-source-$(echo "$release" | cut -d. -f1-2)
		to=/usr/src/devhost-bench/$release
		mkdir -p "$to"
		cd /tmp
		apt-get -q download "$source=$version"
		for file; do
			printf "%s\n" "$source/$file"
		done >files
		dpkg-deb --fsys-tarfile "$source"_*.deb |
			tar -xO "./usr/src/$source.tar.xz" |
			tar -xJ -C "$to" --strip-components=1 -T files
		rm -f "$source"_*.deb files' sh "$@"
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
	chroot "$root" apt-get -qy install --no-install-recommends -t trixie-backports \
		"linux-image-$release" "linux-headers-$release"

	# out of the sources, of each kernel its virtual codec, which Debian does not build; of the
	# newest one, the guest's virtio_can driver and the style checker
	set -- drivers/media/v4l2-core/v4l2-mem2mem.c drivers/media/test-drivers/vicodec
	for image in "$root"/boot/vmlinuz-*; do
		kernel=${image##*/vmlinuz-}
		if [ "$kernel" = "$release" ]; then
			sources "$kernel" "$@" drivers/net/can/virtio_can.c \
				include/uapi/linux/virtio_can.h scripts/checkpatch.pl \
				scripts/spelling.txt scripts/const_structs.checkpatch
		else
			sources "$kernel" "$@"
		fi
	done
	for directory in drivers include scripts; do
		ln -s "$release/$directory" "$root/usr/src/devhost-bench/$directory"
	done
}

"$1"
