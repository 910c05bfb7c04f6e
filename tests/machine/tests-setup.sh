#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the root: test programs, test modules and scripts into /opt/devhost-tests.
set -e
target=/opt/devhost-tests
mkdir -p $target/bin $target/e2e $target/selftest $target/bench

if [ -e /src/CMakeLists.txt ]; then
	source=/src build=/build/cmake/all tests=/build/cmake/all/tests
else
	source=/src/tests build=/build/cmake/tests tests=/build/cmake/tests
fi
cmake -S $source -B $build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	-DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DBUILD_TESTING=ON
cmake --build $build -j "$(nproc)"
cmake --install $tests

if [ -d /src/tests/e2e ]; then
	find /src/tests/e2e -maxdepth 1 -type f ! -name CMakeLists.txt -exec cp {} $target/e2e/ \;
fi

# test modules, against the symbols of our own
for dir in /lib/modules/*/; do
	release=$(basename "$dir")
	work=/build/kbuild/$release
	mkdir -p "$work/tests"
	rm -rf "$work/tests/kmod"
	cp -rp /src/tests/kmod "$work/tests/" 2>/dev/null || continue
	symbols=
	if [ -e /src/Kbuild ]; then
		cp -rpu /src/Kbuild /src/kernel "$work/"
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
