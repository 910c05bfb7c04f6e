#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The packages are upgraded, removed and installed again under traffic, and purged at the end: no frame
# is lost, the policy holds, the guest's VM notices nothing; afterwards nothing is left.
# What dkms would compile was compiled when the device host was made: that takes too long here.
# shellcheck disable=SC2317 # most of it is called through check
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

packages=${PACKAGES:-/usr/lib/devhost-bench/packages}
release=$(uname -r)
old=$(dpkg-query -W -f '${Version}' devhost)
next=$old.1
export DEBIAN_FRONTEND=noninteractive

# What would take minutes here and is not ours: depmod looks at each module of each kernel, man-db at
# each page.
small_machine() {
	local dir
	for dir in "/var/lib/dkms/devhost/$old"/*-*/; do
		dir=$(basename "$dir")
		[ "$dir" = "$release" ] && continue
		rm -rf "/var/lib/dkms/devhost/$old/$dir" "/var/lib/dkms/devhost/kernel-$dir-"* \
			"/lib/modules/$dir/updates/dkms" "/boot/config-$dir"
	done
	mkdir "$log/kernel" && cd "/lib/modules/$release/kernel" || return
	cp -r --parents drivers/{vhost,vdpa,net/can,media/v4l2-core} net/can sound/core "$log/kernel" || return
	cd / && mount --bind "$log/kernel" "/lib/modules/$release/kernel" || return
	rm -f /var/lib/man-db/auto-update
}

# repack PACKAGE VERSION: as it is, with a version of its own
repack() {
	local dir=$log/$1-$2 source
	dpkg-deb -R "$packages/$1"_*.deb "$dir" || return
	sed -i "s/^Version: .*/Version: $2/; s/(= $old)/(= $2)/" "$dir/DEBIAN/control"
	rm "$dir/DEBIAN/md5sums"
	source=$dir/usr/src/devhost-$old
	if [ -d "$source" ]; then
		sed -i "s/^DKMS_VERSION=.*/DKMS_VERSION=$2/" "$dir/DEBIAN/postinst" "$dir/DEBIAN/prerm"
		sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$2\"/; s|^MAKE\[0\]=.*|MAKE[0]=\"cp $log/modules/*.ko .\"|" \
			"$source/dkms.conf"
		[ "$2" = "$old" ] || mv "$source" "$dir/usr/src/devhost-$2"
	fi
	dpkg-deb -Znone -b "$dir" "$log/$1.deb"
}

# shellcheck disable=SC2317 # called through check
repack_all() {
	local module
	mkdir "$log/modules"
	for module in "/lib/modules/$release/updates/dkms"/*.ko.xz; do
		xz -dc "$module" >"$log/modules/$(basename "$module" .xz)" || return
	done
	repack devhost "$next" && repack devhost-dkms "$next"
}

# own_key: dkms signs with it what it builds from now on
own_key() {
	mkdir "$log/key" && python3 -B "$(dirname "$0")/module_key.py" make "$log/key" "throw-away" &&
		printf 'mok_signing_key=%s\nmok_certificate=%s\n' "$log/key/key.pem" "$log/key/certificate.der" \
			>/etc/dkms/framework.conf.d/own-key.conf
}

signed_modules() {
	local modules=("/lib/modules/$release/updates/dkms"/{devhost,vhost_{can,scmi,snd,snd_mix,video}}.ko*)
	python3 -B "$(dirname "$0")/module_key.py" check "$log/key" "${modules[@]}" &&
		modinfo -F signer devhost | grep -x "throw-away"
}

# apt_get NAME WORD...: what it said is in $log/NAME
apt_get() {
	local said=$log/$1
	shift
	apt-get -y "$@" >"$said" 2>&1 || { cat "$said"; return 1; }
}

# what a user would see of it; counters move on, the rest is what must be the same
state() {
	devhostctl --json show g1 && devhostctl --json show g1/can0 && devhostctl --json policy show g1 &&
		devhostctl --json list && busctl tree --list org.devhost1
}

# what must not notice anything: the policy's link, modules, QEMU and the device's own thread in it
kernel_state() {
	local pid=$(devhost-guest pid g1)
	bpftool -j link show pinned /sys/fs/bpf/devhost/g1/link | grep -o '"\(map_\)\?id":[0-9]*' || return
	stat -c '%n %i' /sys/module/{devhost,vhost_can}/coresize || return
	[ -n "$pid" ] && grep -sH '^dh-g1.can0$' /proc/"$pid"/task/*/comm | grep .
}

user_files() {
	systemctl is-enabled devhost-apply.service
	find /etc/devhost /etc/systemd/system/devhostd.service.d -type f -exec sha256sum {} + | sort
}

# rounds of checked traffic both ways, until $log/enough is there
traffic() {
	local round=0
	until [ -e "$log/enough" ]; do
		spawn receive canload check vbus0 --tag 2 --count 200
		spawn receive2 in_guest g1 canload check can0 --tag 3 --count 200
		spawn send2 canload send vbus0 --tag 3 --count 200 --gap 20000
		spawn send in_guest g1 canload send can0 --tag 2 --count 200 --gap 20000
		join send receive send2 receive2 || return
		round=$((round + 1))
		echo "$round" >"$log/rounds"
	done
}

# a guest that tries what it may not, all the time; says how often
forbidden_frames='n=0
until [ -e /tmp/enough ]; do cansend can0 0AD#01 && n=$((n + 1)); sleep 1; done
echo $n'

more_rounds() {
	local wanted=$(($(cat "$log/rounds") + 2))
	eventually 120 sh -c "[ \$(cat $log/rounds) -ge $wanted ]"
}

new_daemon() {
	local now=$(systemctl show -P MainPID devhostd)
	echo "process $now after $pid, version $(dpkg-query -W -f '${Version}' devhost)"
	[ "$now" != 0 ] && [ "$now" != "$pid" ] && [ "/proc/$now/exe" -ef /usr/sbin/devhostd ] &&
		[ "$(dpkg-query -W -f '${Version}' devhost)" = "$next" ] && devhostctl status
}

seen() {
	"$1" >"$log/$1.before" && cat "$log/$1.before"
}

same() {
	"$1" >"$log/$1.now" && diff "$log/$1.before" "$log/$1.now"
}

new_modules() {
	ls -d /var/lib/dkms/devhost/[0-9]* "/usr/src/devhost-$next/dkms.conf" && modinfo -n vhost_can &&
		[ "$(echo /var/lib/dkms/devhost/[0-9]*)" = "/var/lib/dkms/devhost/$next" ]
}

without_daemon() {
	! pgrep -x devhostd && ! busctl list | grep -F org.devhost1 && [ ! -e /usr/sbin/devhostd ]
}

all_dropped() { [ "$(forbidden)" = "$(cat "$log/sent")" ]; }

nothing_passed() {
	cat "$log/forbidden"
	echo "sent $(cat "$log/sent"), the rule dropped $(forbidden)"
	[ ! -s "$log/forbidden" ] && [ "$(cat "$log/sent")" -gt 30 ] && all_dropped
}

nothing_left() {
	{
		find /etc /usr /var/lib /var/cache /sys/fs/bpf /dev /boot -xdev -name '*devhost*' \
			! -name '*devhost-guest*' ! -path '/usr/*/devhost-bench*' ! -path '*/devhost-tests*' \
			! -path '/dev/virtio-ports/*'
		find /run -name '*devhost*' ! -path '/run/devhost-guest*' ! -path "$log*" ! -path '/run/udev/*' \
			! -path '/run/systemd/units/*'
		find "/lib/modules/$release/updates" -name 'vhost_*' ! -path '*/devhost-tests/*'
		grep -rl 'org\.devhost1\|devhostd' /etc /usr/share/dbus-1 /usr/lib/systemd /run/systemd
		getent group devhost
		dpkg-query -W -f '${Package} ${Status}\n' devhost devhost-dkms
		systemctl list-units --all --plain --no-legend 'devhost*'
		pgrep -al devhostd
		busctl list | grep -F org.devhost1
		lsmod | grep -w '^devhost\|^vhost_can\|^vhost_snd\|^vhost_snd_mix\|^vhost_scmi\|^vhost_video'
		ls /sys/bus/vdpa/devices
	} 2>/dev/null >"$log/left"
	cat "$log/left"
	[ ! -s "$log/left" ]
}

plan 32
need "packages of a higher version" repack_all
check "dkms is given a key to sign with" own_key
need "bus" bus_virtual vbus0
mkdir -p /etc/systemd/system/devhostd.service.d
printf '[Service]\nNice=-1\n' >/etc/systemd/system/devhostd.service.d/own.conf
systemctl -q disable devhost-apply.service
{ echo '# mine'; restricted_guest; } >/etc/devhost/guests.d/g1.toml
need "the guest comes from its file" systemctl reload devhostd
need "its device is there" eventually 20 test -e /dev/devhost/g1/can0
need "guest boots, can0 is up" guest_up g1
need "a small machine" small_machine
for what in state kernel_state user_files; do
	need "before: $what" seen $what
done
candump -L vbus0,0ad:800007ff >"$log/forbidden" 2>&1 &
dump=$!
echo 0 >"$log/rounds"
spawn traffic traffic
spawn sent in_guest g1 sh -c "$forbidden_frames"
need "traffic flows" more_rounds

pid=$(systemctl show -P MainPID devhostd)
check "apt upgrades both packages" apt_get upgrade install "$log/devhost.deb" "$log/devhost-dkms.deb"
check "traffic goes on" more_rounds
check "the daemon is a new one, of the new version" new_daemon
check "the new modules are there for the next time" new_modules
check "they are signed with the key" signed_modules
check "it is said that the loaded ones stay" grep "modules that are loaded stay" "$log/upgrade"
check "policy, modules, VM and worker are what they were" same kernel_state
check "the state on D-Bus is what it was" same state
check "files and settings of the user are kept" same user_files

check "apt removes both packages" apt_get remove remove devhost devhost-dkms
check "daemon and files are gone" without_daemon
check "it is said that guest and modules are in use" \
	grep -z "guest g1 is in use.*in use, so they stay loaded .*: vhost_can devhost" "$log/remove"
check "traffic goes on" more_rounds
check "policy, modules, VM and worker are what they were" same kernel_state
touch /etc/dkms/no-autoinstall # the modules are loaded, and dkms takes a minute
check "apt installs both packages" apt_get again install "$log/devhost.deb" "$log/devhost-dkms.deb"
check "the state on D-Bus is what it was" same state

in_guest g1 touch /tmp/enough
touch "$log/enough"
check "no frame was lost, all in order" join traffic sent
eventually 20 all_dropped # the guest has sent the last one, and its device may not have looked yet
sleep 1
kill $dump
check "no forbidden frame passed, all were counted" nothing_passed
pid=$(devhost-guest pid g1)
devhost-guest kill g1
check "the VM has ended" eventually 20 test ! -e "/proc/$pid"
check "apt purges both packages" apt_get purge purge devhost devhost-dkms
rm -rf /etc/systemd/system/devhostd.service.d
systemctl daemon-reload
check "nothing is left" nothing_left
finish
