#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# modules-setup.sh [RELEASE]: inside the root: our modules, which apt has had built for this kernel, or now
# for those that were put off.
set -e

# dkms runs depmod after each package, seconds each time: here once at the end
mkdir -p /tmp/bin
ln -sf /bin/true /tmp/bin/depmod

if [ $# = 0 ]; then
	for later in /lib/modules/*/build-later; do
		mv "$later" "${later%-later}"
		release=$(basename "${later%/*}")
		PATH=/tmp/bin:$PATH dkms autoinstall -k "$release"
		set -- "$@" "$release"
	done
fi
# apt goes on when dkms passes a kernel over; here each must have its modules
may_be_guest=$(echo /usr/src/devhost-guest-*/packaging/dkms/check-guest-kernel)
for release; do
	modules="devhost vhost_can vhost_snd vhost_scmi vhost_video"
	# the sanitizer kernel is a device host only
	if "$may_be_guest" "$release" "/lib/modules/$release/build"; then
		modules="$modules virtio_video"
	fi
	for module in $modules; do
		if ! find "/lib/modules/$release/updates" -name "$module.ko*" 2>/dev/null | grep -q .; then
			dkms status
			cat /var/lib/dkms/devhost*/*/build/make.log 2>/dev/null || true
			echo "dkms has not built $module for $release" >&2
			exit 1
		fi
	done
	depmod "$release"
done
