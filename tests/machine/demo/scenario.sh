#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Inside the device host: what tests/demo shows. Logs go to /mnt/share.
set -e
out=/mnt/share
seconds=12

title() {
	printf '\n== %s\n' "$*"
}

# appears PATH: waits for it, 20 seconds at most
appears() {
	for _ in $(seq 100); do
		[ -e "$1" ] && break
		sleep 0.2
	done
}

title "The device host: $(uname -sr), $(dpkg-query -W devhost)"
modprobe vcan
ip link add dev vehicle0 type vcan
ip link set vehicle0 up
modprobe snd_hda_intel
appears /proc/asound/Intel

title "Two guests and the mixer of the speaker from their files"
mkdir -p /etc/devhost/mixers.d
cp $out/speaker.toml /etc/devhost/mixers.d/
cp $out/cluster.toml $out/telematics.toml /etc/devhost/guests.d/
systemctl reload devhostd
for guest in cluster telematics; do
	for device in can0 snd0; do
		appears /dev/devhost/$guest/$device
		ls -l /dev/devhost/$guest/$device
	done
done
devhostctl status
busctl tree org.devhost1

title "Both boot, with QEMU and KVM, each with a virtio CAN device and a virtio sound card"
start() {
	devhost-guest start "$1" --device "/dev/devhost/$1/can0" --device "/dev/devhost/$1/snd0"
}
start cluster &
start telematics
wait $!
for guest in cluster telematics; do
	devhost-guest run $guest -- ip link set can0 up
	devhost-guest run $guest -- ip -brief link show can0
done

title "Traffic for $seconds seconds, longer where the machine does not keep up"
cat <<'TEXT'
host        0x120 20/s   speed, for everybody
cluster     0x520 10/s   its status, allowed
telematics  0x6a0 50/s   its state, limited to 10/s
telematics  0x0ad  5/s   brakes, denied
TEXT
listeners=()
candump -L vehicle0 >$out/bus.log &
listeners+=($!)
for guest in cluster telematics; do
	devhost-guest run $guest -- candump -L can0 >$out/$guest.log &
	listeners+=($!)
done
for guest in cluster telematics; do
	until devhost-guest run $guest -- pgrep -x candump >/dev/null; do
		sleep 0.5
	done
done
senders=()
devhost-guest run cluster -- cangen can0 -I 520 -L 8 -g 100 -n $((seconds * 10)) &
senders+=($!)
devhost-guest run telematics -- cangen can0 -I 6A0 -L 8 -g 20 -n $((seconds * 50)) &
senders+=($!)
devhost-guest run telematics -- cangen can0 -I 0AD -L 1 -g 200 -n $((seconds * 5)) &
senders+=($!)
cangen vehicle0 -I 120 -L 8 -g 50 -n $((seconds * 20))
wait "${senders[@]}"
sleep 3
# they write what they have when they are told to end
pkill -x candump
for guest in cluster telematics; do
	devhost-guest run $guest -- pkill -x candump
done
wait "${listeners[@]}" || true

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

title "A chime over music: the telematics' music is quieter while the cluster chimes"
# sound GUEST FILE HERTZ SECONDS: its card is there, and the tone that it plays
sound() {
	devhost-guest run "$1" -- sh -c "modprobe virtio_snd &&
		sox -n -r 48000 -b 16 -c 2 /tmp/$2.wav synth $4 sine $3 fade 0.02 $4 0.02 gain -12 &&
		until [ -e /dev/snd/pcmC0D0p ]; do sleep 0.1; done && aplay -l"
}
sound cluster chime 3520 2 &
sound telematics music 220 8
wait $!
devhost-guest run telematics -- aplay -D hw:0,0 /tmp/music.wav &
music=$!
sleep 2
devhost-guest run cluster -- aplay -D hw:0,0 /tmp/chime.wav
wait $music

title "What devhostctl says"
devhostctl policy counters telematics
devhostctl stats telematics/can0
devhostctl stats telematics/snd0
cat /proc/asound/speaker/mix

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
# how long the telematics' frames were on the bus, in seconds, rounded up
span=$(awk '/ 6A0#/ { gsub(/[()]/, ""); if (!first) first = $1; last = $1 }
	END { printf "%d", last - first + 1 }' $out/bus.log)
sent=$((seconds * 50))
allowed=$((span * 10))
expect "all of the host's frames reach the cluster" "$(count cluster 120)" -eq $((seconds * 20))
expect "and telematics" "$(count telematics 120)" -eq $((seconds * 20))
expect "all of the cluster's frames reach the bus" "$(count bus 520)" -eq $((seconds * 10))
expect "and telematics" "$(count telematics 520)" -eq $((seconds * 10))
expect "the denied id never reaches the bus" "$(count bus 0AD)" -eq 0
expect "the limit of 10/s holds for $span s" "$(count bus 6A0)" -le $((allowed + 15))
expect "and lets through what it should" "$(count bus 6A0)" -ge \
	$(((allowed < sent ? allowed : sent) / 2))
devhost-guest stop cluster
devhost-guest stop telematics
exit $status
