#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the root: build our packages from the tree and install them, as a user would.
set -e
cd /build/tree
export DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc)"
# what is told to debuggers would be stripped
export DEB_CFLAGS_STRIP=-g DEB_CXXFLAGS_STRIP=-g
# without clean: what has not changed since the last time is not compiled again
dpkg-buildpackage -b -nc -uc -us -ui -d
mkdir -p /build/packages
rm -f /build/packages/*
mv /build/devhost*_* /build/packages/
# for tests of upgrade and removal
install -D -m 644 -t /usr/lib/devhost-bench/packages /build/packages/*.deb

# modules for Debian's own kernel; those for others are a layer of their own
first=$(dpkg-query -W -f '${Depends}' linux-image-amd64 | sed 's/^linux-image-\([^ ,]*\).*/\1/')
for dir in /lib/modules/*/; do
	[ "$(basename "$dir")" = "$first" ] || mv "$dir/build" "$dir/build-later"
done
# dkms runs depmod after each package, seconds each time: once at the end will do
mkdir /tmp/bin
ln -s /bin/true /tmp/bin/depmod
PATH=/tmp/bin:$PATH DEBIAN_FRONTEND=noninteractive \
	apt-get -qy install --no-install-recommends /build/packages/*.deb

sh /src/tests/machine/modules-setup.sh "$first"
