#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Inside the device host: what tests/demo shows. Logs go to /mnt/share.
set -e
out=/mnt/share
seconds=20

title() {
	printf '\n== %s\n' "$*"
}

title "The device host: $(uname -sr), $(dpkg-query -W devhost)"
modprobe vcan
ip link add dev vehicle0 type vcan
ip link set vehicle0 up

title "Two guests from their files"
cp /mnt/share/*.toml /etc/devhost/guests.d/
systemctl reload devhostd
for guest in cluster telematics; do
	for _ in $(seq 100); do
		[ -e /dev/devhost/$guest/can0 ] && break
		sleep 0.2
	done
	ls -l /dev/devhost/$guest/can0
done
devhostctl status
busctl tree org.devhost1

title "Both boot, with QEMU and KVM, each with a virtio CAN device"
devhost-guest start cluster --device /dev/devhost/cluster/can0 &
devhost-guest start telematics --device /dev/devhost/telematics/can0
wait $!
for guest in cluster telematics; do
	devhost-guest run $guest -- ip link set can0 up
	devhost-guest run $guest -- ip -brief link show can0
done

title "$seconds seconds of traffic"
cat <<'TEXT'
host        0x120 20/s   speed, for everybody
cluster     0x520 10/s   its status, allowed
telematics  0x6a0 50/s   its state, limited to 10/s
telematics  0x0ad  5/s   brakes, denied
TEXT
candump -L vehicle0 >$out/bus.log &
bus=$!
for guest in cluster telematics; do
	devhost-guest run $guest -- candump -L can0 >$out/$guest.log &
done
sleep 2
devhost-guest run cluster -- timeout $seconds cangen can0 -I 520 -L 8 -g 100 &
devhost-guest run telematics -- timeout $seconds cangen can0 -I 6A0 -L 8 -g 20 &
devhost-guest run telematics -- timeout $seconds cangen can0 -I 0AD -L 1 -g 200 &
timeout $seconds cangen vehicle0 -I 120 -L 8 -g 50 || true
sleep 3
kill $bus

count() {
	grep -c " $2#" "$out/$1.log" || true
}

title "Frames seen"
printf '%-12s %8s %8s %8s %8s\n' "" 120 520 6A0 0AD
for where in bus cluster telematics; do
	printf '%-12s %8s %8s %8s %8s\n' $where "$(count $where 120)" "$(count $where 520)" \
		"$(count $where 6A0)" "$(count $where 0AD)"
done
echo "(a guest sees the echo of its own frames in its own driver)"

title "What devhostctl says"
devhostctl policy counters telematics
devhostctl stats telematics/can0

title "What busctl says"
busctl introspect org.devhost1 /org/devhost1/guest/telematics/can0 org.devhost1.Device
busctl call org.devhost1 /org/devhost1/guest/telematics org.devhost1.Policy GetCounters

title "Checks"
status=0
expect() {
	if test "$2" "$3" "$4"; then
		echo "ok: $1 ($2 $3 $4)"
	else
		echo "FAILED: $1 ($2 $3 $4)"
		status=1
	fi
}
expect "the host's frames reach the cluster" "$(count cluster 120)" -ge $((seconds * 5))
expect "and telematics" "$(count telematics 120)" -eq "$(count bus 120)"
expect "the cluster's frames reach the bus" "$(count bus 520)" -ge $((seconds * 3))
expect "and telematics" "$(count telematics 520)" -eq "$(count bus 520)"
expect "the denied id never reaches the bus" "$(count bus 0AD)" -eq 0
expect "the limit holds" "$(count bus 6A0)" -le $((seconds * 10 + 15))
expect "and lets through what it should" "$(count bus 6A0)" -ge $((seconds * 3))
devhost-guest stop cluster
devhost-guest stop telematics
exit $status
