#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# QEMU dies by SIGKILL under traffic, again and again: nothing leaks, the next guest works.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
rounds=${ROUNDS:-10}
[ -z "$DEVHOST_SOAK" ] || rounds=200

plan 8
need "bus" bus_virtual vbus0
need "guest" sh -c 'devhostctl create g1'
need "device" device g1/can0 vbus0

# the smallest guest: nothing but the driver and a sender
cat >"$log/init" <<'I'
for m in can can-dev can-raw virtio_can; do /bin/busybox insmod /m/$m.ko; done
/bin/busybox ip link set can0 up
exec /bin/canload flood can0 --tag 2
I

daemon_fds() {
	find "/proc/$(systemctl show -P MainPID devhostd)/fd" -type l | wc -l
}

# what files' pages take is no loss, and MemAvailable counts a part of it as one
unused() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/MemFree/ { print $2 }' /proc/meminfo
}

# shellcheck disable=SC2317
leaks() {
	local pinned fds open
	# the kernel frees what the dead process had after its last thread has gone
	eventually 30 sh -c '[ "$(devhostctl --json show g1/can0 | grep -c idle)" -gt 0 ]' || return
	pinned=$(busctl get-property org.devhost1 /org/devhost1/guest/g1 org.devhost1.Guest PinnedMemory)
	fds=$(daemon_fds)
	open=$(pgrep -c '^vhost-' || true)
	echo "pinned $pinned, fds of devhostd $fds, vhost workers $open" | tee "$log/leaks"
	[ "${pinned#* }" = 0 ] && [ "$open" = 0 ] && [ "$fds" -le "${1:-1000}" ]
}

canload flood vbus0 --tag 3 --gap 1000 &
flood=$!
free_before=$(unused)
killed=0
first_fds=
for round in $(seq "$rounds"); do
	devhost-guest boot k1 --device /dev/devhost/g1/can0 --init "$log/init" \
		--file "/opt/devhost-tests/bin/canload" --mem 96M || break
	# under traffic: frames of the guest arrive at the bus
	timeout 120 candump -n 200 vbus0,200:700 >/dev/null || { devhost-guest console k1; break; }
	devhost-guest kill k1
	killed=$((killed + 1))
	[ -n "$first_fds" ] || first_fds=$(daemon_fds)
	echo "# round $round"
done
kill $flood
ok $((killed != rounds)) "killed $killed of $rounds times under traffic"
check "no page stays pinned, no worker, no fd" leaks "$first_fds"
# less than a guest's; what the kernel keeps for itself grows by some pages
# shellcheck disable=SC2317
all_back() {
	[ $((free_before - $(unused))) -lt $((64 * 1024)) ]
}
check "no guest's memory is lost" eventually 30 all_back
echo "# memory unused: before $free_before kB, after $(unused) kB"
need "the next guest boots" guest_up g1
spawn receive canload check vbus0 --tag 2 --count 2000
spawn send in_guest g1 canload send can0 --tag 2 --count 2000
check "and works" join send receive
finish
