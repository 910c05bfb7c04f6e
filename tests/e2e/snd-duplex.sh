#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Full duplex with periods of 5 ms, by a guest's aplay and arecord and by the host's own: the guest is late
# no more often. Nothing else may use the machine.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"
seconds=${DUPLEX:-60}
[ -z "$DEVHOST_SOAK" ] || seconds=600

plan 6

report() {
	devhostctl stats g1/snd0 | grep counter
	journalctl -b -u devhostd -n 5 -o short-monotonic --no-pager
	in_guest g1 dmesg | tail -n 5
}

need "the guest comes from its file" sound_guest playback capture
need "a guest with its card" sound_guest_up pcm_periods_max=256

# what the programs are told
xruns() {
	cat "$log/$1p" "$log/$1c" | grep -c 'run!!!'
}
# shellcheck disable=SC2054
pair=(-q -t raw -f S16_LE -r 48000 -c 2 --period-time=5000 "--buffer-time=${BUFFER:-400000}"
	-d "$seconds")
native() {
	spawn nativec arecord "${pair[@]}" -D hw:Loopback,0,6 /dev/null
	spawn nativep aplay "${pair[@]}" -D hw:Loopback,0,6 /dev/zero
	join nativec nativep
}
guest() {
	spawn guestc in_guest g1 arecord "${pair[@]}" -D hw:0,0 /dev/null
	spawn guestp in_guest g1 aplay "${pair[@]}" -D hw:0,0 /dev/zero
	join guestc guestp
}
counted() {
	devhostctl stats g1/snd0 | awk '/underruns|overruns/ { n += $NF } END { print n + 0 }'
}
check "the host, $seconds s" native
check "the guest, $seconds s" guest
late=$(counted)
echo "# late: host $(xruns native) times, guest $(xruns guest) times, its device $late times"
check "the guest is late no more often" test "$(xruns guest)" -le "$(xruns native)"
check "nor by the count of its device" test "$late" -le "$(xruns native)"

finish
