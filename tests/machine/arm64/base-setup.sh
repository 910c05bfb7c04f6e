#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# base-setup.sh ROOT: inside the native root: what maintainer scripts would have done in the unpacked
# arm64 root, as far as the device host needs it, by tools that need not run there.
set -e
root=$1

# users and groups
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
sed 's/^\([^:]*\):[^:]*:/\1:x:/' "$root/usr/share/base-passwd/passwd.master" >"$root/etc/passwd"
sed 's/^\([^:]*\):.*/\1:*:20000:0:99999:7:::/' "$root/etc/passwd" >"$root/etc/shadow"
chmod 640 "$root/etc/shadow"
systemd-sysusers --root="$root"

# files that belong to no package; those of PAM are the same on all architectures
cp /etc/nsswitch.conf "$root/etc/"
cp /etc/pam.d/common-* "$root/etc/pam.d/"
cp "$root/usr/share/base-files/profile" "$root/etc/"
[ -e "$root/usr/bin/awk" ] || ln -s mawk "$root/usr/bin/awk"
rm -f "$root/etc/resolv.conf" "$root/etc/machine-id"
systemd-machine-id-setup --root="$root"
systemd-tmpfiles --root="$root" --create --prefix=/var --prefix=/etc
systemd-hwdb --root="$root" update

helper=$root/usr/lib/dbus-1.0/dbus-daemon-launch-helper
if [ -e "$helper" ]; then
	chown "0:$(sed -n 's/^messagebus:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")" "$helper"
	chmod 4754 "$helper"
fi

for dir in "$root"/lib/modules/*/; do
	depmod -b "$root" "$(basename "$dir")"
done
