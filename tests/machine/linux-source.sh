# SPDX-License-Identifier: Apache-2.0
# Sourced inside the base root: a kernel of Debian's sources with a configuration of ours.

# linux_source DIRECTORY: unpacks Linux 6.12 there, and goes into it
linux_source() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update
	apt-get -qy install --no-install-recommends flex bison bc
	rm -rf "$1"
	mkdir -p "$1/deb"
	cd "$1/deb"
	apt-get -q download linux-source-6.12
	dpkg-deb --fsys-tarfile linux-source-6.12_*.deb |
		tar -xO ./usr/src/linux-source-6.12.tar.xz |
		tar -xJ -C "$1" --strip-components=1 --exclude='*/arch/[!x]*/*.[chS]' \
			--exclude='*/arch/[!x]*/boot/*' --exclude='*/Documentation/[!K]*' \
			--exclude='*/drivers/gpu/drm/amd/include/*' --exclude='*/tools/testing/*'
	cd "$1"
	rm -rf deb
}

# linux_config FILE: tinyconfig and what the file says, all of which must hold
linux_config() {
	make -s tinyconfig
	scripts/kconfig/merge_config.sh -m .config "$1"
	make -s olddefconfig
	grep '^CONFIG_' "$1" | while read -r line; do
		grep -qxF "$line" .config || { echo "the kernel does not take $line"; exit 1; }
	done
	sed -n 's/^# \(CONFIG_.*\) is not set$/\1/p' "$1" | while read -r option; do
		! grep -q "^$option=" .config || { echo "the kernel insists on $option"; exit 1; }
	done
}
