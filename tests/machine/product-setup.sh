#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the root: build our packages from the tree and install them, as a user would.
set -e
rm -rf /tmp/package
mkdir -p /tmp/package/devhost
cd /src
for path in Kbuild CMakeLists.txt CMakePresets.json kernel manager bpf udev packaging debian docs LICENSES; do
	[ ! -e "$path" ] || cp -r "$path" /tmp/package/devhost/
done
cd /tmp/package/devhost
# headers of a specific kernel satisfy what the package asks of a user's machine by name
export DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc)"
dpkg-buildpackage -b -uc -us -ui -d
mkdir -p /build/packages
rm -f /build/packages/*.deb
cp /tmp/package/*.deb /build/packages/
DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends /tmp/package/*.deb

# apt goes on when dkms passes a kernel over; here both must have their modules
for dir in /lib/modules/*/; do
	release=$(basename "$dir")
	for module in devhost vhost_can; do
		if ! find "$dir/updates" -name "$module.ko*" 2>/dev/null | grep -q .; then
			dkms status
			cat /var/lib/dkms/devhost/*/build/make.log 2>/dev/null || true
			echo "dkms has not built $module for $release" >&2
			exit 1
		fi
	done
	depmod "$release"
done
rm -rf /tmp/package
