#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A guest's own virtio_video, v4l2-ctl and v4l2-compliance on the host's codec: each bit as the same
# programs get it from the codec itself; resolutions that change, drain, seek, loop; a device that
# goes away while it decodes.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"
frames=${FRAMES:-$([ -n "$DEVHOST_SOAK" ] && echo 300 || echo 60)}
share=/var/tmp/e2e-video

plan 25

report() {
	devhostctl stats g1/dec | grep counter
	devhostctl stats g1/enc | grep counter
	journalctl -b -u devhostd -n 5 -o short-monotonic --no-pager
	in_guest g1 dmesg | tail -n 10
}

# shellcheck disable=SC2329 # by the trap
put_back() {
	no_guest g1
	rm -rf "$share"
} >/dev/null 2>&1
trap put_back EXIT

if ! modprobe vicodec 2>/dev/null; then
	for row in $(seq 25); do
		skip "the kernel has no vicodec" "video, row $row"
	done
	finish
fi
mkdir -p "$share"

# of_host encoder|decoder: the codec's node
of_host() {
	local name
	for name in /sys/class/video4linux/video*/name; do
		if grep -q "stateful-$1" "$name"; then
			echo "/dev/$(basename "$(dirname "$name")")"
		fi
	done
}
host_encoder=$(of_host encoder)
host_decoder=$(of_host decoder)

devices() {
	devhostctl create g1 && devhostctl create g1/dec video_decoder codec=vicodec policy_required=false &&
		devhostctl create g1/enc video_encoder codec=vicodec policy_required=false &&
		eventually 20 test -e /dev/devhost/g1/dec -a -e /dev/devhost/g1/enc
}
need "a decoder and an encoder on the host's codec" devices

guest_up_video() {
	devhost-guest start g1 --mem 512M --share "$share" --device /dev/devhost/g1/dec \
		--device /dev/devhost/g1/enc &&
		in_guest g1 modprobe virtio_video &&
		eventually 60 in_guest g1 test -e /dev/video1
}
need "the guest boots, its driver finds both" guest_up_video

# of_guest encoder|decoder: the node
of_guest() {
	in_guest g1 sh -c '
	for node in /dev/video*; do
		v4l2-ctl -d "$node" --list-formats | grep -q FWHT && is=encoder || is=decoder
		[ $is = '"$1"' ] && echo "$node"
	done'
}
encoder=$(of_guest encoder)
decoder=$(of_guest decoder)
check "an encoder and a decoder" test -n "$encoder" -a -n "$decoder" -a "$encoder" != "$decoder"

# noise.py WIDTH HEIGHT COUNT [SEED]: frames that move, with something new in each
cat >"$share/noise.py" <<'P'
import random, sys
width, height, count = map(int, sys.argv[1:4])
random.seed(" ".join(sys.argv[1:]))
out = sys.stdout.buffer
for n in range(count):
    line = bytes(32 + (x + 4 * n) % width * 160 // width for x in range(width))
    luma = bytearray(line * height)
    for y in range(8):
        at = random.randrange(height) * width
        luma[at:at + width] = random.randbytes(width)
    out.write(luma)
    out.write(bytes(96 + x * 64 // width for x in range(width)) * (height // 2))
P

# What follows runs on the host and in the guest, with the node of each. A guest reads and writes the
# host's files slowly, so frames are made and judged where they are.
cat >"$share/video.sh" <<'S'
set -e -o pipefail
share=$1 node=$2
shift 2
stream=(v4l2-ctl -d "$node" --stream-mmap --stream-out-mmap)
encode() { # WIDTH HEIGHT COUNT OUT [SEED]
	python3 "$share/noise.py" "$1" "$2" "$3" ${5:+"$5"} |
		"${stream[@]}" --set-fmt-video-out "width=$1,height=$2,pixelformat=YU12" \
			--stream-from - --stream-to "$4"
	sum <"$4"
}
decode() { # IN
	"${stream[@]}" --stream-from "$1" --stream-to - | sum
}
sum() { # of what there is, and how much
	tee >(wc -c >&2) | sha256sum | cut -d' ' -f1
}
"$@"
S
on_host() { # ENCODER|DECODER CMD...
	bash "$share/video.sh" "$share" "$@"
}
on_guest() {
	in_guest g1 bash /mnt/share/video.sh /mnt/share "$@"
}
# note NAME CMD...: what it says of what it has made
note() {
	local name=$1
	shift
	"$@" >"$log/sum.$name" && [ -s "$log/sum.$name" ]
}
same() { # NAME NAME
	head "$log/sum.$1" "$log/sum.$2"
	cmp "$log/sum.$1" "$log/sum.$2"
}

complies() {
	# what fails is told on stderr
	in_guest g1 v4l2-compliance -d "$1" >"$log/compliance" 2>&1
	local status=$?
	grep -v ': OK' "$log/compliance"
	[ "$status" = 0 ] && grep -q 'Succeeded: [1-9][0-9]*, Failed: 0' "$log/compliance"
}
check "the decoder complies" complies "$decoder"
check "the encoder complies" complies "$encoder"
# largest NODE ARGUMENT WIDTH/HEIGHT: what comes of a size beyond all
largest() {
	in_guest g1 v4l2-ctl -d "$1" "$2=width=4294967295,height=4294967295" >"$log/size"
	cat "$log/size"
	grep -q "Width/Height *: $3\$" "$log/size"
}
size=$(v4l2-ctl -d "$host_encoder" --try-fmt-video-out width=65536,height=65536 |
	sed -n 's:.*Width/Height *\: *::p')
check "a size beyond all becomes the largest there is" \
	largest "$encoder" --try-fmt-video-out "$size"

# each bit
film=(encode 1280 720 "$frames")
need "the host encodes" note host-coded on_host "$host_encoder" "${film[@]}" "$share/film.fwht"
check "the guest encodes $frames frames 1280x720" \
	note guest-coded on_guest "$encoder" "${film[@]}" /tmp/film.fwht
check "each bit is the same" same host-coded guest-coded
need "the host decodes" note host-film on_host "$host_decoder" decode "$share/film.fwht"
check "the guest decodes" note guest-film on_guest "$decoder" decode /tmp/film.fwht
check "each bit is the same, to the last frame" same host-film guest-film
whole() {
	on_guest "$decoder" decode /tmp/film.fwht 2>&1 | tee /dev/stderr |
		grep -qx $((1280 * 720 * 3 * frames / 2))
}
check "the drain has brought all frames" whole

# resolutions that change
changing() {
	local n=0 size
	for size in "640 480" "800 608" "640 480"; do
		# shellcheck disable=SC2086
		on_host "$host_encoder" encode $size 12 "$share/part$n.fwht" $n || return
		n=$((n + 1))
	done
	cat "$share"/part[012].fwht >"$share/parts.fwht"
	note host-parts on_host "$host_decoder" decode "$share/parts.fwht" &&
		note host-part0 on_host "$host_decoder" decode "$share/part0.fwht" &&
		note host-part2 on_host "$host_decoder" decode "$share/part2.fwht"
}
need "a stream whose resolution changes twice" changing
check "the guest decodes it" note guest-parts on_guest "$decoder" decode /mnt/share/parts.fwht
check "each bit is the same through both changes" same host-parts guest-parts

# loop: the stream begins again at its end, and is left in its middle
guest_loops() { # ARGUMENT...
	in_guest g1 sh -c 'cp /mnt/share/part0.fwht /tmp
	node=$1
	shift
	exec v4l2-ctl -d "$node" --stream-mmap --stream-out-mmap --stream-loop \
		--stream-from /tmp/part0.fwht "$@"' sh "$decoder" "$@"
}
decoded() {
	devhostctl stats g1/dec | awk '/counter\.frames/ { print $NF }'
}
more_decoded() { [ "$(decoded)" -gt "$1" ]; }
# reading: a program loops, and has frames
reading() {
	local before
	before=$(decoded)
	spawn reader guest_loops
	eventually 60 more_decoded "$before"
}
loops() {
	local size=$((640 * 480 * 3 * 12 / 2)) round
	guest_loops --stream-to /tmp/loop.yuv --stream-count=40 || return
	for round in 0 1 2; do
		note "round$round" in_guest g1 sh -c "tail -c +$((size * round + 1)) /tmp/loop.yuv |
			head -c $size | sha256sum | cut -d' ' -f1" &&
			same host-part0 "round$round" || return
	done
}
check "a loop plays over and over" loops

# seek, with the first stream's frames under way
sought() {
	note sought in_guest g1 sh -c 'cp /mnt/share/part2.fwht /tmp && v4l2seek "$1" \
		/tmp/part0.fwht /tmp/part2.fwht /tmp/sought.yuv && sha256sum </tmp/sought.yuv |
		cut -d" " -f1' sh "$decoder" && same host-part2 sought
}
check "after a seek the frames are those of the new place" sought

# a reader is killed
killed() {
	reading || return
	in_guest g1 pkill -KILL v4l2-ctl || return
	join reader && return 1 # it would have gone on
	note again on_guest "$decoder" decode /tmp/part0.fwht && same host-part0 again
}
check "a program that is killed leaves nothing in the way of the next" killed

# the codec goes away under a reader, and is back; from here on the host's nodes are others
has_codec() { # YES|NO
	devhostctl --json show g1/dec >"$log/show"
	cat "$log/show"
	[ "$1" = "$(grep -q '/dev/video' "$log/show" && echo yes || echo no)" ]
}
codec_back() {
	local driver=/sys/bus/platform/drivers/vicodec
	has_codec yes || return
	reading || return
	echo vicodec.0 >"$driver/unbind" || return
	eventually 30 sh -c "! kill -0 $(cat "$log/reader.pid")" || return
	eventually 10 has_codec no || return
	echo vicodec.0 >"$driver/bind" || return
	eventually 10 has_codec yes || return
	note back on_guest "$decoder" decode /tmp/part0.fwht && same host-part0 back
}
check "a codec that goes and is back is the guest's again" codec_back

# the device goes away
taken() {
	local since
	reading || return
	since=$SECONDS
	# it says that the VMM has it open still; the device serves nothing more
	devhostctl --force remove g1/dec
	# it gives up after 2 s without a frame, and whatever it asks for then is waited for 10 s, once
	eventually 60 sh -c "! kill -0 $(cat "$log/reader.pid")" || return
	echo "the reader was told after $((SECONDS - since)) s"
	in_guest g1 dmesg | tail -n 5
	[ $((SECONDS - since)) -lt 30 ] || return
	in_guest g1 pgrep v4l2-ctl && return 1
	note none on_guest "$decoder" decode /tmp/part0.fwht
	! cmp -s "$log/sum.none" "$log/sum.host-part0"
}
check "the device is taken away while it decodes: who reads from it is told" taken
quiet() {
	! in_guest g1 dmesg | grep -i -e 'blocked for' -e warning: -e 'bug:'
}
check "nothing hangs" quiet
check "the encoder works on" on_guest "$encoder" encode 640 480 12 /tmp/after.fwht
check "the driver can be unloaded" in_guest g1 rmmod virtio_video
check "the guest ends without a complaint of its kernel" devhost-guest stop g1
finish
