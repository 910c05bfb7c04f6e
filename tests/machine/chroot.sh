#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chroot.sh ROOT UPPER LOWERS CMD...: runs CMD in ROOT, an overlay of the layers LOWERS (the topmost
# first) that writes to UPPER ("-": the writes are lost), in namespaces that end with it.
# The tree is at /src (read-only), its build/ directory at /build.
set -e
root=$1 upper=$2 lowers=$3
shift 3
top=$(readlink -f "$(dirname "$0")/../..")

mount --make-rprivate /
if [ "$upper" = - ]; then
	upper=$root.scratch
	mkdir -p "$upper"
	mount -t tmpfs scratch "$upper"
fi
mkdir -p "$root" "$upper/root" "$upper/work"
options=lowerdir=$lowers,upperdir=$upper/root,workdir=$upper/work
options=$options,redirect_dir=off,metacopy=off,index=off
if ! mount -t overlay layers "$root" -o "$options"; then
	echo "this file system carries no overlay: put the tree on ext4, xfs or tmpfs" >&2
	exit 1
fi
mkdir -p "$root/src" "$root/build"
mount --bind "$top" "$root/src"
mount -o remount,bind,ro "$root/src"
mount --bind "$top/build" "$root/build"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmp "$root/tmp"
mkdir -p "$root/run"
exec chroot "$root" /usr/bin/env -i PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
	LANG=C.UTF-8 CCACHE_DIR=/build/cache/ccache CCACHE_SLOPPINESS=pch_defines,time_macros \
	CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
