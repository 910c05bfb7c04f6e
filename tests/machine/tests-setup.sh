#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the root: test programs, test modules and scripts into /opt/devhost-tests.
set -e
target=/opt/devhost-tests
mkdir -p $target/bin $target/e2e $target/selftest $target/bench

# the build directory of the packages, with the tests added
build=/build/tree/build/deb
cd /build/tree
cmake -S . -B $build -DBUILD_TESTING=ON
cmake --build $build -j "$(nproc)"
cmake --install $build/tests

if [ -d /build/tree/tests/e2e ]; then
	find /build/tree/tests/e2e -maxdepth 1 -type f ! -name CMakeLists.txt -exec cp {} $target/e2e/ \;
fi

# test modules, against the symbols of our own
for dir in /lib/modules/*/; do
	release=$(basename "$dir")
	work=/build/kbuild/$release
	mkdir -p "$work/tests"
	rm -rf "$work/tests/kmod"
	cp -rp /build/tree/tests/kmod "$work/tests/" 2>/dev/null || continue
	symbols=
	if [ -e /build/tree/Kbuild ]; then
		cp -rpu /build/tree/Kbuild /build/tree/kernel "$work/"
		make -C "$dir/build" M="$work" "-j$(nproc)" modules
		symbols=$work/Module.symvers
	fi
	for module in "$work"/tests/kmod/*/; do
		[ -e "$module/Kbuild" ] || [ -e "$module/Makefile" ] || continue
		make -C "$dir/build" M="${module%/}" KBUILD_EXTRA_SYMBOLS="$symbols" modules
		find "$module" -name '*.ko' -exec \
			install -D -m 644 -t "/lib/modules/$release/updates/devhost-tests" {} \;
	done
	depmod "$release"
done
