#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A guest's own virtio_snd, aplay, arecord and amixer on the host's cards: each sample as it was
# played, both ways; short periods; control elements and a jack; QEMU killed while it plays.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/opt/devhost-tests/bin
cable=/proc/asound/Loopback

plan 51

report() {
	devhostctl stats g1/snd0 | grep counter
	journalctl -b -u devhostd -n 5 -o short-monotonic --no-pager
	grep -H state: "$cable"/pcm*/sub*/status
	in_guest g1 dmesg | tail -n 5
}

file=/etc/devhost/guests.d/g1.toml
# shellcheck disable=SC2329 # by the trap
put_back() {
	local i
	for i in host_monitor arecord; do
		[ -e "$log/$i.pid" ] && kill "$(cat "$log/$i.pid")"
	done
	rm -f "$file"
	no_guest g1
	modprobe -r snd-aloop snd-dummy
} >/dev/null 2>&1
trap put_back EXIT

cards() {
	modprobe -r snd-aloop snd-dummy 2>/dev/null
	# Linux's driver in the guest takes a negative value for a large one
	modprobe snd-aloop pcm_substreams=8 && modprobe snd-dummy mixer_volume_level_min=0 &&
		eventually 20 test -e "$cable" -a -e /proc/asound/Dummy
}
need "the host's cards" cards

# Kinds of sound. A cable of snd-aloop stays with what it was set to first as long as one of its ends
# is open, so each has its own two: guest's PCM n, host's substream n.
kinds="S16_LE 48000 2
S32_LE 44100 1
S24_LE 96000 2
FLOAT_LE 48000 6
S16_LE 48000 8"

stream() { # PCM DIRECTION NODE
	printf '[[device.snd.stream]]\npcm = "%s"\ndirection = "%s"\nnode = %s\n\n' "$@"
}

# configure RING
configure() {
	local n
	{
		printf '[[device]]\nname = "snd0"\nclass = "snd"\nring = "%s"\n' "$1"
		for n in 0 1 2 3 4; do
			stream "hw:Loopback,0,$n" playback "$n"
			stream "hw:Loopback,0,$n" capture "$n"
		done
		cat <<'T'
[[device.snd.jack]]
# headphones
default_config = 0x0221101f
capabilities = 0x04
connected = false

[[device.snd.control]]
card = "Dummy"
name = "Master Volume"
role = "volume"

[[device.snd.control]]
card = "Dummy"
name = "Master Capture Switch"
direction = "capture"
role = "mute"

[[device.snd.control]]
card = "Dummy"
name = "External I/O Box"

[[device.snd.control]]
card = "Dummy"
name = "Line Volume"
role = "volume"
read_only = true

[policy.snd.playback]
default = "allow"

[policy.snd.capture]
default = "allow"

[policy.snd.control]
default = "allow"
volume_max = 80
T
	} >"$file"
	devhostctl reload && eventually 20 test -e /dev/devhost/g1/snd0
}
need "the guest comes from its file" configure split

# card_up [OPTION...]: the guest with its card
card_up() {
	devhost-guest start g1 --device /dev/devhost/g1/snd0 "$@" &&
		in_guest g1 modprobe virtio_snd pcm_periods_max=256 &&
		eventually 20 in_guest g1 test -e /dev/snd/pcmC0D4c
}

rings() {
	local packed=$((1 << 34)) features
	features=$(busctl get-property org.devhost1 /org/devhost1/guest/g1/snd0 \
		org.devhost1.Device DriverFeatures | cut -d' ' -f2)
	echo "negotiated $features"
	[ $((features & packed)) = "$1" ]
}

state_of() { # PCM/SUBSTREAM
	sed -n 's/^state: //p' "$cable/$1/status"
}
runs() { [ "$(state_of "$1")" = RUNNING ]; }

# plays N FORMAT RATE CHANNELS SECONDS [OPTION...]: what the guest plays is what the host hears
plays() {
	local n=$1 format=$2 rate=$3 channels=$4 frames=$(($3 * $5)) status=0
	shift 5
	seed=$((seed + 1))
	spawn arecord arecord -q -D "hw:Loopback,1,$n" -t raw -f "$format" -r "$rate" -c "$channels" \
		-B 4000000 "$log/heard"
	eventually 20 runs "pcm1c/sub$n" || status=1
	in_guest g1 sh -ec "
		sndload make $format $channels $frames $seed $rate >/tmp/noise
		aplay -q -D hw:0,$n -t raw -f $format -r $rate -c $channels ${*:--B 1000000} /tmp/noise" ||
		status=1
	kill -INT "$(cat "$log/arecord.pid")"
	wait "$(cat "$log/arecord.pid")"
	rm "$log/arecord.pid"
	cat "$log/arecord"
	sndload check "$format" "$channels" "$frames" "$seed" "$log/heard" || status=1
	rm -f "$log/heard"
	return "$status"
}

# records N FORMAT RATE CHANNELS SECONDS [OPTION...]: what the host plays is what the guest hears
records() {
	local n=$1 format=$2 rate=$3 channels=$4 frames=$(($3 * $5)) status=0
	shift 5
	seed=$((seed + 1))
	sndload make "$format" "$channels" "$frames" "$seed" "$rate" >"$log/noise"
	spawn recorder in_guest g1 arecord -q -D "hw:0,$n" -t raw -f "$format" -r "$rate" -c "$channels" \
		"${@:--B1000000}" /tmp/heard
	eventually 20 runs "pcm0c/sub$n" || status=1
	aplay -q -D "hw:Loopback,1,$n" -t raw -f "$format" -r "$rate" -c "$channels" -B 4000000 \
		"$log/noise" || status=1
	in_guest g1 pkill -INT arecord
	join recorder
	in_guest g1 sndload check "$format" "$channels" "$frames" "$seed" /tmp/heard || status=1
	in_guest g1 rm /tmp/heard
	return "$status"
}
seed=0

# split rings
need "the guest boots, with its card" card_up
check "it has split rings" rings 0
n=0
while read -r -u 3 format rate channels; do
	check "plays $format, $rate Hz, $channels channels: each sample" \
		plays $n "$format" "$rate" "$channels" 2
	check "records $format, $rate Hz, $channels channels: each sample" \
		records $n "$format" "$rate" "$channels" 2
	n=$((n + 1))
done 3<<<"$kinds"

# QEMU is killed
fds() {
	find "/proc/$(systemctl show -P MainPID devhostd)/fd" -type l | wc -l
}
idle() {
	devhostctl --json show g1/snd0 | grep -q idle
}
nothing_left() {
	local pinned
	eventually 30 idle || return
	pinned=$(busctl get-property org.devhost1 /org/devhost1/guest/g1 org.devhost1.Guest PinnedMemory)
	echo "pinned $pinned, workers $(pgrep -lc '^vhost-'), fds $(fds), before $before"
	[ "$pinned" = "t 0" ] && ! pgrep '^vhost-' && [ "$(fds)" -le "$before" ] &&
		eventually 20 grep -q 'no setup' "$cable/pcm0p/sub0/hw_params"
}
before=$(fds)
spawn player in_guest g1 aplay -q -D hw:0,0 -t raw -f S16_LE -r 48000 -c 2 /dev/zero
check "it plays" eventually 20 runs pcm0p/sub0
check "QEMU is killed" devhost-guest kill g1
wait "$(cat "$log/player.pid")"
check "no page, no worker, no file, no parameter is left" nothing_left
check "the device can be removed" devhostctl remove g1/snd0
check "its PCM is closed" eventually 20 grep -qx closed $cable/pcm0p/sub0/status
check "and comes again from the file" configure any

# packed rings
need "the guest boots again" card_up --packed
check "it has packed rings" rings $((1 << 34))
check "plays 10 s: each sample" plays 0 S16_LE 48000 2 10
check "records 10 s: each sample" records 0 S16_LE 48000 2 10
# 200 ms of buffer are less than an emulated guest stands still now and then
check "plays with periods of 1 ms: each sample" \
	plays 0 S16_LE 48000 2 2 --period-time=1000 --buffer-time=400000
check "records with periods of 1 ms: each sample" \
	records 0 S16_LE 48000 2 2 --period-time=1000 --buffer-time=400000

# control elements
names() {
	sed -n "s/.*,name='\([^']*\)'.*/\1/p" | sort
}
shows_listed() {
	in_guest g1 amixer -c 0 controls | grep 'iface=MIXER' | names >"$log/shown"
	printf '%s\n' "External I/O Box" "Line Volume" "Master Capture Switch" "Master Volume" |
		diff - "$log/shown"
}
of_host() { amixer -c Dummy cget name="$1" | sed -n 's/^ *: values=//p'; }
of_guest() { in_guest g1 amixer -c 0 cget name="$1" | sed -n 's/^ *: values=//p'; }
host_has() { [ "$(of_host "$1")" = "$2" ]; }
guest_has() { [ "$(of_guest "$1")" = "$2" ]; }
sets() { # NAME VALUE, in the guest
	in_guest g1 amixer -q -c 0 cset name="$1" "$2"
}
refused() {
	local was
	was=$(of_host "$1")
	! sets "$@" && host_has "$1" "$was" && guest_has "$1" "$was"
}
of() { # CMD...: what there is to an element, less its number
	"$@" | tail -n +2
}
same() {
	of amixer -c Dummy cget name="$1" >"$log/of-host"
	of in_guest g1 amixer -c 0 cget name="$1" | diff "$log/of-host" -
}
# alsactl prints whole lines only when it is told to
watches() { # NAME CMD...: alsactl is up
	local name=$1
	shift
	spawn "$name" "$@" stdbuf -oL alsactl monitor
	# shellcheck disable=SC2016
	eventually 20 "$@" sh -c 'ls -l /proc/$(pidof -s alsactl)/fd | grep controlC0'
}
told() { # NAME ELEMENT: since mark
	tail -n "+$((marked + 1))" "$log/$1" | grep -q ",$2,.* VALUE"
}
mark() { # NAME
	marked=$(wc -l <"$log/$1")
}
check "amixer shows the elements that are listed, no other" shows_listed
check "a volume is the host's: range, decibels, value" same "Master Volume"
check "so is a switch" same "Master Capture Switch"
check "and a choice of items" same "External I/O Box"
need "alsactl monitor in the guest" watches guest_monitor in_guest g1
need "alsactl monitor on the host" watches host_monitor env

mark host_monitor
check "the guest sets a volume" sets "Master Volume" 10,20
check "the host has it" host_has "Master Volume" 10,20
check "and who listens there is told" eventually 20 told host_monitor "Master Volume"
check "the guest turns a switch" sets "Master Capture Switch" on,off
check "the host has it" host_has "Master Capture Switch" on,off
check "the guest chooses an item" sets "External I/O Box" 1
check "the host has it" host_has "External I/O Box" 1

mark guest_monitor
check "the host sets a volume" amixer -q -c Dummy cset name="Master Volume" 30,40
check "who listens in the guest is told" eventually 20 told guest_monitor "Master Volume"
check "the guest has it" guest_has "Master Volume" 30,40
mark guest_monitor
check "the host turns a switch" amixer -q -c Dummy cset name="Master Capture Switch" off,on
check "who listens in the guest is told" eventually 20 told guest_monitor "Master Capture Switch"
check "the guest has it" guest_has "Master Capture Switch" off,on
check "a read-only one is refused" refused "Line Volume" 30,30
check "so is a volume that the policy does not allow" refused "Master Volume" 90,90

# a jack
jack() {
	in_guest g1 amixer -c 0 contents | grep -A 2 "iface=CARD.*Jack" | grep -q "values=$1"
}
check "the jack has nothing in it" jack off
mark guest_monitor
check "something is plugged in" devhostctl set g1/snd0 'connected=[true]'
check "the guest has it" eventually 20 jack on
check "and who listens there is told" eventually 20 told guest_monitor "[^,]*Jack"
in_guest g1 pkill alsactl
kill "$(cat "$log/host_monitor.pid")"
devhostctl stats g1/snd0 | sed -n 's/^counter/# &/p'
devhost-guest stop g1
finish
