#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The device host is suspended as far as its devices while a guest plays: by the driver library on
# both kinds of rings, then by a real guest's aplay. 9p does not come back from a suspend, so what
# the machine shares is let go of meanwhile.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"
tests=/opt/devhost-tests
driver=/sys/bus/virtio/drivers/9pnet_virtio
sleeper=/sys/module/suspend/parameters/pm_test_delay
cd / || exit

if ! [ -e /sys/power/pm_test ]; then
	echo "1..0 # SKIP this kernel has no /sys/power/pm_test"
	exit
fi
plan 10

report() {
	devhostctl stats g1/snd0 | grep counter
	cat /proc/asound/Loopback/pcm0p/sub0/status
	journalctl -b -u devhostd -n 5 -o short-monotonic --no-pager
	in_guest g1 dmesg | tail -n 5
}

shared=() # TAG OPTIONS of each mount, then its device
devices=()
let_go() {
	local where options device
	while read -r _ where _ options _; do
		shared+=("$(basename "$where") $options")
		umount -l "$where" || return
	done < <(grep ' 9p ' /proc/mounts)
	for device in "$driver"/virtio*; do
		devices+=("$(basename "$device")")
		basename "$device" >"$driver/unbind" || return
	done
}
take_back() {
	local device tag options
	for device in "${devices[@]}"; do
		[ -e "$driver/$device" ] || echo "$device" >"$driver/bind" || return
	done
	while read -r tag options; do
		[ -z "$tag" ] || mountpoint -q "/mnt/$tag" ||
			mount -t 9p -o "$options" "$tag" "/mnt/$tag" || return
	done < <(printf '%s\n' "${shared[@]}")
}

# shellcheck disable=SC2329 # by the trap
put_back() {
	take_back
	systemctl start devhostd
} >/dev/null 2>&1
trap put_back EXIT

echo 2 >"$sleeper"
suspend() {
	local status=0
	echo devices >/sys/power/pm_test && echo freeze >/sys/power/state || status=$?
	echo none >/sys/power/pm_test
	return "$status"
}

need "what is shared is let go of" let_go

by_the_driver_library() {
	systemctl stop devhostd &&
		DEVHOST_PM_TEST=1 "$tests/selftest/snd_host" "snd: the host is suspended while a guest plays" &&
		systemctl start devhostd
}
check "a guest plays on, by the driver library" by_the_driver_library

need "the guest comes from its file" sound_guest playback
need "a real guest with its card" sound_guest_up pcm_buffer_ms=4000 pcm_periods_max=64

runs() { grep -q 'state: RUNNING' /proc/asound/Loopback/pcm0p/sub0/status; }
played() {
	devhostctl stats g1/snd0 | awk '/tx_frames/ { n = $NF } END { print n + 0 }'
}
plays_on() { [ "$(played)" -gt "$before" ]; }
# shellcheck disable=SC2054
sound=(aplay -q -t raw -f S16_LE -r 48000 -c 2 -D hw:0,0)
# ALSA in the guest, whose clock goes on, gives up after 1.1 times the buffer without a period
plays() {
	spawn aplay in_guest g1 "${sound[@]}" --buffer-time=4000000 --period-time=100000 -d 12 /dev/zero
	eventually 20 runs
}
check "its aplay runs" plays
check "the host is suspended and comes back" suspend
before=$(played)
check "the guest plays on" eventually 20 plays_on
ended() {
	join aplay && [ "$(played)" -ge $((12 * 48000)) ]
}
check "its aplay comes to its end, nothing left out" ended
check "another one plays" in_guest g1 "${sound[@]}" -d 2 /dev/zero
check "what is shared is there again" take_back

finish
