#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A guest's own virtio_video, v4l2-ctl and v4l2-compliance on the host's codec: each bit as the same
# programs get it from the codec itself; resolutions that change, drain, seek, loop; a device that
# goes away while it decodes.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"
frames=${FRAMES:-$([ -n "$DEVHOST_SOAK" ] && echo 300 || echo 60)}
share=/var/tmp/e2e-video

plan 24

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
	for row in $(seq 24); do
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

# noise WIDTH HEIGHT COUNT FILE [SEED]: frames that move, with something new in each
noise() {
	python3 - "$@" <<'P'
import random, sys
width, height, count = map(int, sys.argv[1:4])
random.seed(sys.argv[5:])
with open(sys.argv[4], "wb") as out:
    for n in range(count):
        line = bytes(32 + (x + 4 * n) % width * 160 // width for x in range(width))
        luma = bytearray(line * height)
        for y in range(8):
            at = random.randrange(height) * width
            luma[at:at + width] = random.randbytes(width)
        out.write(luma)
        out.write(bytes(96 + x * 64 // width for x in range(width)) * (height // 2))
P
}

# encode NODE WIDTH HEIGHT IN OUT, and decode NODE IN OUT; in_guest before them runs them there
encode() {
	v4l2-ctl -d "$1" --set-fmt-video-out "width=$2,height=$3,pixelformat=YU12" \
		--stream-mmap --stream-out-mmap --stream-from "$4" --stream-to "$5"
}
decode() {
	v4l2-ctl -d "$1" --stream-mmap --stream-out-mmap --stream-from "$2" --stream-to "$3" "${@:4}"
}
guest_encode() {
	in_guest g1 v4l2-ctl -d "$1" --set-fmt-video-out "width=$2,height=$3,pixelformat=YU12" \
		--stream-mmap --stream-out-mmap --stream-from "/mnt/share/$4" --stream-to "/mnt/share/$5"
}
guest_decode() {
	in_guest g1 v4l2-ctl -d "$1" --stream-mmap --stream-out-mmap --stream-from "/mnt/share/$2" \
		--stream-to "/mnt/share/$3" "${@:4}"
}
guest_loops() {
	in_guest g1 v4l2-ctl -d "$1" --stream-mmap --stream-out-mmap --stream-loop \
		--stream-from "/mnt/share/$2"
}
same() { # FILE FILE: which are not empty
	ls -l "$share/$1" "$share/$2"
	[ -s "$share/$1" ] && cmp "$share/$1" "$share/$2"
}

complies() {
	in_guest g1 v4l2-compliance -d "$1" >"$log/compliance"
	local status=$?
	grep -v ': OK' "$log/compliance"
	[ "$status" = 0 ] && grep -q 'Succeeded: [1-9][0-9]*, Failed: 0' "$log/compliance"
}
check "the decoder complies" complies "$decoder"
check "the encoder complies" complies "$encoder"

# each bit
need "frames" noise 1280 720 "$frames" "$share/in.yuv"
need "the host encodes" encode "$host_encoder" 1280 720 "$share/in.yuv" "$share/host.fwht"
check "the guest encodes $frames frames 1280x720" guest_encode "$encoder" 1280 720 in.yuv guest.fwht
check "each bit is the same" same host.fwht guest.fwht
rm -f "$share/in.yuv" # all of it is in memory
need "the host decodes" decode "$host_decoder" "$share/host.fwht" "$share/host.yuv"
check "the guest decodes" guest_decode "$decoder" host.fwht guest.yuv
check "each bit is the same, to the last frame" same host.yuv guest.yuv
whole() {
	[ "$(stat -c %s "$share/guest.yuv")" = $((1280 * 720 * 3 * frames / 2)) ]
}
check "the drain has brought all frames" whole
rm -f "$share/guest.yuv" "$share/host.yuv"

# resolutions that change
changing() {
	local n=0 size
	for size in "640 480" "800 608" "640 480"; do
		# shellcheck disable=SC2086
		noise $size 12 "$share/part.yuv" &&
			encode "$host_encoder" $size "$share/part.yuv" "$share/part$n.fwht" || return
		n=$((n + 1))
	done
	cat "$share"/part[012].fwht >"$share/parts.fwht"
	decode "$host_decoder" "$share/parts.fwht" "$share/host-parts.yuv"
}
need "a stream whose resolution changes twice" changing
check "the guest decodes it" guest_decode "$decoder" parts.fwht guest-parts.yuv
check "each bit is the same through both changes" same host-parts.yuv guest-parts.yuv

# loop: the stream begins again at its end, and is left in its middle
loops() {
	guest_decode "$decoder" part0.fwht loop.yuv --stream-loop --stream-count=40 || return
	decode "$host_decoder" "$share/part0.fwht" "$share/once.yuv" || return
	python3 - "$share/once.yuv" "$share/loop.yuv" <<'P'
import sys
once, loop = (open(name, "rb").read() for name in sys.argv[1:])
frame = 640 * 480 * 3 // 2
print(len(once) // frame, len(loop) // frame)
assert len(once) == 12 * frame and len(loop) >= 36 * frame
assert all(loop[n * frame:(n + 1) * frame] in
           (once[n % 12 * frame:(n % 12 + 1) * frame],) for n in range(36))
P
}
check "a loop plays over and over" loops

# seek
seeks() {
	noise 640 480 12 "$share/part.yuv" other &&
		encode "$host_encoder" 640 480 "$share/part.yuv" "$share/other.fwht" &&
		decode "$host_decoder" "$share/other.fwht" "$share/other.yuv" || return
	in_guest g1 v4l2seek "$decoder" /mnt/share/part0.fwht /mnt/share/other.fwht \
		/mnt/share/sought.yuv && same other.yuv sought.yuv
}
check "after a seek the frames are those of the new place" seeks

# a file that is closed in the middle, a reader that is killed
killed() {
	spawn reader guest_loops "$decoder" host.fwht
	sleep 3
	in_guest g1 pkill -KILL v4l2-ctl
	join reader
	guest_decode "$decoder" part0.fwht again.yuv && same once.yuv again.yuv
}
check "a program that is killed leaves nothing in the way of the next" killed

# the device goes away
goes() {
	spawn reader guest_loops "$decoder" host.fwht
	sleep 3
	devhostctl remove g1/dec
}
check "the device is taken away while it decodes" goes
ends() {
	wait "$(cat "$log/reader.pid")"
	echo "status $?"
	in_guest g1 pgrep v4l2-ctl && return 1
	in_guest g1 dmesg | grep -i -e 'blocked for' -e warning -e 'bug:' && return 1
	true
}
check "who read from it is told, and nothing hangs" ends
check "the encoder works on" guest_encode "$encoder" 640 480 part.yuv after.fwht
check "the driver can be unloaded" in_guest g1 rmmod virtio_video
check "the guest ends without a complaint of its kernel" devhost-guest stop g1
finish
