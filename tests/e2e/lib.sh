# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For e2e scripts: TAP, device hosts and guests. A script says plan N, then ok/check N times.

number=0
failures=0
log=$(mktemp -d /run/e2e.XXXXXX)

plan() {
	echo "TAP version 13"
	echo "1..$1"
}

# ok STATUS NAME: one result
ok() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		failures=$((failures + 1))
		echo "not ok $number $2"
	fi
}

# check NAME CMD...: runs CMD; what it prints is shown when it fails, and what report() tells,
# where a script has that
check() {
	local name=$1 status=0
	shift
	"$@" >"$log/check" 2>&1 || status=$?
	if [ $status != 0 ]; then
		echo "# status $status of: $*"
		if declare -F report >/dev/null; then
			report >>"$log/check" 2>&1
		fi
		sed 's/^/# /' "$log/check"
	fi
	ok $status "$name"
}

# skip WHY NAME: a result that is not sought
skip() {
	number=$((number + 1))
	echo "ok $number $2 # SKIP $1"
}

# no_guest NAME: it is gone with its devices; a VMM that was killed takes a moment to let go of them
no_guest() {
	devhostctl show "$1" >/dev/null 2>&1 || return 0
	eventually 20 devhostctl remove "$1"
}

# finish: what every script ends with; nothing is left for the next one
finish() {
	local guest
	for guest in /run/devhost-guest/*/; do
		[ -d "$guest" ] && devhost-guest kill "$(basename "$guest")" >/dev/null 2>&1
	done
	rm -f /etc/devhost/guests.d/*.toml
	for guest in g1 g2; do
		no_guest $guest || failures=$((failures + 1))
	done
	ip link delete vbus0 2>/dev/null
	[ "$failures" = 0 ]
	exit
}

# give_up NAME: what the rest needs is not there
give_up() {
	echo "Bail out! $1"
	finish
}

# need NAME CMD...: like check, but the rest makes no sense without it
need() {
	local before=$failures
	check "$@"
	[ "$failures" = "$before" ] || give_up "$1"
}

# eventually SECONDS CMD...: until CMD succeeds
eventually() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || { "$@"; return 1; }
		sleep 0.2
	done
}

# bus_sim [NUM]: simulated controllers csim0 .. on one bus, up and fast
bus_sim() {
	local i
	modprobe -r candev_sim 2>/dev/null
	modprobe candev_sim num="${1:-2}" || return
	for i in $(seq 0 $((${1:-2} - 1))); do
		ip link set "csim$i" type can bitrate 1000000 dbitrate 8000000 fd on restart-ms 0 &&
			ip link set "csim$i" txqueuelen 100 up || return
	done
}

bus_virtual() {
	modprobe vcan && ip link add dev "$1" type vcan && ip link set "$1" up
}

# device GUEST/DEVICE INTERFACE [KEY=VALUE...]: a CAN device without a policy
device() {
	local name=$1 interface=$2
	shift 2
	devhostctl create "$name" can interface="$interface" policy_required=false "$@" &&
		eventually 20 test -e "/dev/devhost/$name"
}

# restricted_guest: a guest's file: can0 on vbus0, where it may send all but 0x0ad
restricted_guest() {
	cat <<'T'
[[device]]
name = "can0"
class = "can"

[device.can]
interface = "vbus0"

[policy.can.transmit]
default = "allow"

[[policy.can.transmit.rule]]
name = "forbidden"
verdict = "deny"
id = 0x0ad

[policy.can.receive]
default = "allow"
T
}

# forbidden: how often that rule has hit
forbidden() {
	devhostctl policy counters g1 | awk '/forbidden/ { n += $NF } END { print n + 0 }'
}

# sound_guest DIRECTION...: guest g1 with snd0, which has a stream of snd-aloop for each
sound_guest() {
	local direction
	modprobe -r snd-aloop 2>/dev/null
	modprobe snd-aloop && eventually 20 test -e /proc/asound/Loopback || return
	{
		printf '[[device]]\nname = "snd0"\nclass = "snd"\n'
		for direction in "$@"; do
			printf '\n[[device.snd.stream]]\npcm = "hw:Loopback,0,0"\ndirection = "%s"\n' "$direction"
		done
		for direction in "$@"; do
			printf '\n[policy.snd.%s]\ndefault = "allow"\n' "$direction"
		done
	} >/etc/devhost/guests.d/g1.toml
	devhostctl reload && eventually 20 test -e /dev/devhost/g1/snd0
}

# sound_guest_up [KEY=VALUE...]: it runs, with its card; parameters of its virtio_snd
sound_guest_up() {
	devhost-guest start g1 --device /dev/devhost/g1/snd0 &&
		in_guest g1 modprobe virtio_snd "$@" &&
		eventually 20 in_guest g1 test -e /dev/snd/pcmC0D0p
}

# guest_up NAME [OPTION...]: a guest with its CAN interface can0 up
guest_up() {
	local name=$1
	shift
	devhost-guest start "$name" --device "/dev/devhost/$name/can0" "$@" &&
		devhost-guest run "$name" -- ip link set can0 up
}

in_guest() {
	local name=$1
	shift
	devhost-guest run "$name" -- "$@"
}

# spawn NAME CMD...: in the background; its output in $log/NAME, joined by `join NAME`
spawn() {
	local name=$1
	shift
	"$@" >"$log/$name" 2>&1 &
	echo $! >"$log/$name.pid"
}

# shellcheck disable=SC2317 # called through check
join() {
	local name status=0
	for name in "$@"; do
		wait "$(cat "$log/$name.pid")" || status=1
		sed "s/^/$name: /" "$log/$name"
	done
	return $status
}
