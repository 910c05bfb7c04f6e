#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The device host's HDA card, whose output lands in a WAV outside of it: what a guest's aplay leaves
# there is what the host's own does, each sample, without a gap.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/opt/devhost-tests/bin
seconds=${LENGTH:-60}
wav=/mnt/logs/hda.wav
kind=(-t raw -f S16_LE -r 48000 -c 2)
frames=$((seconds * 48000))

plan 7

report() {
	devhostctl stats g1/snd0 | grep counter
	tail -n 8 /proc/asound/Intel/pcm0p/sub0/{status,hw_params}
	ls -l $wav
}

file=/etc/devhost/guests.d/g1.toml
# shellcheck disable=SC2329 # by the trap
put_back() {
	rm -f "$file"
	no_guest g1
	eventually 20 modprobe -r snd_hda_intel
} >/dev/null 2>&1
trap put_back EXIT

card() {
	modprobe snd_hda_intel && eventually 60 test -e /proc/asound/Intel/pcm0p
}
need "the host's card" card

# in_wav SEED OFFSET: what is in the WAV from there on
in_wav() {
	sndload check S16_LE 2 "$frames" "$1" "$wav" "$2"
}
# QEMU writes whole blocks of 4096 bytes; what it still keeps is of the silence at the end
size() {
	local size
	size=$(stat -c %s $wav)
	echo $((size < 44 ? 44 : size))
}

host() {
	local offset
	offset=$(size)
	sndload make S16_LE 2 "$frames" 1 48000 >"$log/noise" &&
		aplay -q -D hw:Intel,0 "${kind[@]}" -B 1000000 "$log/noise" && in_wav 1 "$offset"
}
check "the host plays $seconds s: each sample is in the WAV, no gap" host

cat >$file <<'T'
[[device]]
name = "snd0"
class = "snd"

[[device.snd.stream]]
pcm = "hw:Intel,0"
direction = "playback"

[policy.snd.playback]
default = "allow"
T
reload() {
	devhostctl reload && eventually 20 test -e /dev/devhost/g1/snd0
}
need "the guest comes from its file" reload
card_up() {
	devhost-guest start g1 --device /dev/devhost/g1/snd0 && in_guest g1 modprobe virtio_snd &&
		eventually 20 in_guest g1 test -e /dev/snd/pcmC0D0p
}
need "the guest boots, with its card" card_up
in_guest g1 sh -c "sndload make S16_LE 2 $frames 2 48000 >/tmp/noise"
offset=$(size)
check "the guest plays $seconds s" in_guest g1 aplay -D hw:0,0 "${kind[@]}" /tmp/noise
check "each sample is in the WAV, no gap" in_wav 2 "$offset"
never_late() {
	devhostctl stats g1/snd0 | tee "$log/stats"
	! grep -E '(underruns|io_errors|recoveries): *[1-9]' "$log/stats"
}
check "nobody was late" never_late
devhost-guest stop g1
finish
