#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the root: build our packages from the tree and install them, as a user would.
set -e
cd /build/tree
export DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc)"
# without clean: what has not changed since the last time is not compiled again
dpkg-buildpackage -b -nc -uc -us -ui -d
mkdir -p /build/packages
rm -f /build/packages/*
mv /build/devhost*_* /build/packages/
# for tests of upgrade and removal
install -D -m 644 -t /usr/lib/devhost-bench/packages /build/packages/*.deb
DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends /build/packages/*.deb

# apt goes on when dkms passes a kernel over; here both must have their modules
for dir in /lib/modules/*/; do
	release=$(basename "$dir")
	for module in devhost vhost_can vhost_snd vhost_scmi vhost_video virtio_video; do
		if ! find "$dir/updates" -name "$module.ko*" 2>/dev/null | grep -q .; then
			dkms status
			cat /var/lib/dkms/devhost*/*/build/make.log 2>/dev/null || true
			echo "dkms has not built $module for $release" >&2
			exit 1
		fi
	done
	depmod "$release"
done
