#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# in-target.sh LOWERS UPPER SCRIPT: inside the cross root: runs SCRIPT with the layers LOWERS of the
# arm64 root at $TARGET; what is written there goes to UPPER.
set -e
lowers=$1 upper=$2 script=$3
export TARGET=/target CROSS_COMPILE=aarch64-linux-gnu- TREE=/build/tree-arm64 BUILD=arm64
mkdir -p $TARGET "$upper/root" "$upper/work"
mount -t overlay target $TARGET \
	-o "lowerdir=$lowers,upperdir=$upper/root,workdir=$upper/work,redirect_dir=off,metacopy=off,index=off"
exec /bin/sh "$script"
