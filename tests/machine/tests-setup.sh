#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the root: test programs, test modules and scripts into /opt/devhost-tests; of another
# architecture's root where TARGET says so.
set -e
root=${TARGET:-}
tree=${TREE:-/build/tree}
target=$root/opt/devhost-tests
mkdir -p "$target/bin" "$target/e2e" "$target/selftest" "$target/bench"

# the build directory of the packages, with the tests added
build=$tree/build/${BUILD:-deb}
cd "$tree"
cmake -S . -B "$build" -G Ninja -DBUILD_TESTING=ON
cmake --build "$build" -j "$(nproc)"
DESTDIR=$root cmake --install "$build/tests"

cp -r "$tree/docs" "$target/docs"
if [ -d "$tree/tests/e2e" ]; then
	find "$tree/tests/e2e" -maxdepth 1 -type f ! -name CMakeLists.txt -exec cp {} "$target/e2e/" \;
fi

# test modules, against the symbols of our own: as dkms has built them, or by hand for another architecture
for dir in "$root"/lib/modules/*/; do
	release=$(basename "$dir")
	headers=/lib/modules/$release/build
	work=/build/kbuild/$release
	set -- "$root"/var/lib/dkms/devhost/*/"$release"/*/module/Module.symvers
	[ -e "$1" ] || set -- "$work/Module.symvers"
	mkdir -p "$work/tests"
	rm -rf "$work/tests/kmod"
	cp -rp "$tree/tests/kmod" "$work/tests/"
	cp -rpu "$tree/kernel" "$work/"
	for module in "$work"/tests/kmod/*/; do
		make -C "$headers" M="${module%/}" KBUILD_EXTRA_SYMBOLS="$1" "-j$(nproc)" modules
		find "$module" -name '*.ko' -exec \
			install -D -m 644 -t "$dir/updates/devhost-tests" {} \;
	done
	depmod -b "${root:-/}" "$release"
done
