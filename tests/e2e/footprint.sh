#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What devhost costs with four guests of four devices each and a policy: the time until they are there,
# the daemon's memory, who wakes up while nobody does anything. Times are figures: no row depends
# on them.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

guests="foot1 foot2 foot3 foot4"
directory=/etc/devhost/guests.d
resident_max=12288 # KiB
quiet=${QUIET:-30} # seconds; systemd's watchdog is answered after 90 s first

plan 15

report() {
	journalctl -b -u devhostd -n 10 -o short-monotonic --no-pager
	devhostctl list
}

# shellcheck disable=SC2329 # by the trap
put_back() {
	local guest
	for guest in $guests; do
		rm -f "$directory/$guest.toml"
	done
	systemctl start devhostd && systemctl reload devhostd
	for guest in $guests; do
		no_guest "$guest"
		ip link delete "v$guest"
	done
	modprobe -r snd-aloop vicodec scmi_providers
} >/dev/null 2>&1
trap put_back EXIT

backends() {
	local guest
	modprobe -r snd-aloop 2>/dev/null
	modprobe -a vcan snd-aloop scmi_providers vicodec vhost_can vhost_snd vhost_scmi vhost_video || return
	for guest in $guests; do
		bus_virtual "v$guest" || return
	done
	eventually 20 test -e /proc/asound/Loopback && udevadm settle
}

# file GUEST POLICY-REQUIRED: one device of each class
file() {
	cat <<T
[[device]]
name = "can0"
class = "can"
policy_required = $2

[device.can]
interface = "v$1"

[[device]]
name = "snd0"
class = "snd"
policy_required = $2

[[device.snd.stream]]
pcm = "hw:Loopback,0"
direction = "playback"

[[device.snd.stream]]
pcm = "hw:Loopback,1"
direction = "capture"

[[device]]
name = "scmi0"
class = "scmi"
policy_required = $2

[[device.scmi.resource]]
kind = "clock"
host = "clk0"
device = "scmi_prov"

[[device.scmi.resource]]
kind = "sensor"
host = "prov-zone"

[[device]]
name = "decoder"
class = "video_decoder"
policy_required = $2

[device.video]
codec = "vicodec"
T
}

policy() {
	cat <<'T'

[policy.can.transmit]
default = "deny"
frames_per_second = 500

[[policy.can.transmit.rule]]
name = "status"
verdict = "allow"
range = [0x520, 0x52f]

[policy.can.receive]
default = "allow"

[policy.snd.playback]
default = "allow"
channels_max = 2

[policy.snd.capture]
default = "allow"

[policy.scmi]
default = "allow"

[policy.video.decode]
streams_max = 2

[[policy.video.decode.rule]]
name = "films"
verdict = "allow"
format = "FWHT"
T
}

# files WITH-POLICY
files() {
	local guest
	for guest in $guests; do
		{
			file "$guest" "$1"
			if $1; then policy; fi
		} >"$directory/$guest.toml"
	done
}

no_files() {
	local guest
	for guest in $guests; do
		rm "$directory/$guest.toml"
	done
}

published() {
	[ "$(find /dev/devhost/foot* -type l | wc -l)" = "$1" ]
}

gone() {
	! ls -d /dev/devhost/foot* 2>/dev/null
}

# applied NAME: how long, and what of it was work; the processors are shared with udev, which runs devhostctl for
# each device as well
applied() {
	local start=$EPOCHREALTIME status=0 TIMEFORMAT='%R s, its own work %U s and the kernel'"'"'s %S s'
	{ time devhostctl apply; } 2>"$log/apply" || status=$?
	udevadm settle
	echo "# devhostctl apply, sixteen devices$1: $(tail -n 1 "$log/apply");" \
		"until udev has seen all of them $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms" >&3
	[ "$status" = 0 ] || cat "$log/apply"
	return "$status"
}

of_unit() {
	systemctl show -P "$1" devhostd
}

started() {
	systemctl start devhostd || return
	echo "# devhostd, start to READY$1:" \
		"$((($(of_unit ActiveEnterTimestampMonotonic) - $(of_unit ExecMainStartTimestampMonotonic)) / 1000)) ms," \
		"work of the processors $(($(of_unit CPUUsageNSec) / 1000000)) ms" >&3
}

of_daemon() { # FILE KEY
	awk -v key="$2:" '$1 == key { print $2 }' "/proc/$(of_unit MainPID)/$1"
}

# small WHEN: is it?
small() {
	local resident
	resident=$(of_daemon smaps_rollup Rss)
	echo "# devhostd $1: $resident KiB resident, of them its own $(of_daemon smaps_rollup Private_Dirty) KiB;" \
		"shared among who shares $(of_daemon smaps_rollup Pss) KiB" >&3
	[ "$resident" -gt 0 ] && [ "$resident" -le "$resident_max" ]
}

switches() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$(of_unit MainPID)"/task/*/status
}

# asleep: nobody woke the daemon, nor a thread that serves devices
asleep() {
	local before after threads
	before=$(switches)
	sleep "$quiet"
	after=$(switches)
	threads=$(cat /proc/[0-9]*/comm | grep -c '^d[hj]-')
	echo "# devhostd woke up $((after - before)) times in $quiet s; threads of devices: $threads" >&3
	[ "$after" = "$before" ] && [ "$threads" = 0 ]
}

# asked: clients ask for all that there is
asked() {
	local guest device
	devhostctl list && devhostctl power && devhostctl --json list || return
	for guest in $guests; do
		devhostctl show "$guest" && devhostctl stats "$guest" && devhostctl policy show "$guest" &&
			devhostctl policy counters "$guest" || return
		for device in can0 snd0 scmi0 decoder; do
			devhostctl show "$guest/$device" && devhostctl stats "$guest/$device" || return
		done
	done
}

reloaded() {
	systemctl reload devhostd && eventually 60 "$@"
}

exec 3>&1
need "backends" backends
need "devhostd is stopped" systemctl stop devhostd

files false
need "sixteen devices without a policy" applied ", no policy"
check "are there" published 16
need "devhostd finds them" started ", finds them, no policy"
no_files
need "it takes them away" reloaded gone
systemctl stop devhostd

files true
need "sixteen devices with a policy for each guest" applied ", a policy for each guest"
need "devhostd finds them all the same" started ", finds them and the policies"
sleep 5
check "it is small" small "after its start"
check "it sleeps, so do the devices" asleep
check "it has told all that it knows" asked
check "it is small all the same" small "having told all"
no_files
reloaded gone >/dev/null 2>&1
systemctl stop devhostd
files true
need "it makes all itself" started ", makes the devices and the policies"
check "it is small, having made all itself" small "having made the devices and the policies"
asked >/dev/null 2>&1
sleep 15 # who measures latencies rests 10 s after the last question
check "it sleeps again" asleep
finish
