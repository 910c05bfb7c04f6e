#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# modules-setup.sh [RELEASE...]: inside the root: our modules for these kernels, or for all there are.
set -e
if [ $# = 0 ]; then
	for dir in /lib/modules/*/; do
		[ ! -L "$dir/build-later" ] || mv "$dir/build-later" "$dir/build"
		set -- "$@" "$(basename "$dir")"
	done
fi
# apt goes on when dkms passes a kernel over; here each must have its modules
for release; do
	dkms autoinstall -k "$release"
	for module in devhost vhost_can vhost_snd vhost_scmi vhost_video virtio_video; do
		if ! find "/lib/modules/$release/updates" -name "$module.ko*" 2>/dev/null | grep -q .; then
			dkms status
			cat /var/lib/dkms/devhost*/*/build/make.log 2>/dev/null || true
			echo "dkms has not built $module for $release" >&2
			exit 1
		fi
	done
	depmod "$release"
done
