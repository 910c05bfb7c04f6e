#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# devhost-vdpa-check passes with devices of each class, as the user whose VMM they are for; where a VMM
# could not use them, it says why.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

plan 16

# shellcheck disable=SC2329 # by the trap
put_back() {
	no_guest g1
	modprobe -r snd-dummy vicodec scmi_providers
} >/dev/null 2>&1
trap put_back EXIT

# other NAME CLASS KEY=VALUE...: a device without a policy
other() {
	local name=$1 class=$2
	shift 2
	devhostctl create "g1/$name" "$class" policy_required=false "$@" &&
		eventually 20 test -e "/dev/devhost/g1/$name"
}

# as_vmm MEMLOCK DEVICE [OPTION...]
as_vmm() {
	local memlock=$1 device=$2
	shift 2
	systemd-run --quiet --pipe --wait --uid=nobody -p LimitMEMLOCK="$memlock" -- \
		devhost-vdpa-check "$@" "/dev/devhost/g1/$device" 2>&1 | tee "$log/said"
	return "${PIPESTATUS[0]}"
}

# passes DEVICE WHAT: with that, it says of itself, and nothing is skipped
passes() {
	as_vmm infinity "$1" && grep -q "$2" "$log/said" && ! grep -q SKIP "$log/said"
}

# fails WHY CMD...
fails() {
	local why=$1
	shift
	! "$@" && grep -q "$why" "$log/said"
}

need "bus" bus_virtual vbus0
need "a guest whose VMM is nobody's" devhostctl create g1 user=nobody
need "CAN" device g1/can0 vbus0
check "CAN passes" passes can0 "virtio id 36, 3 queues of up to 1024"
need "CAN with small split rings" other can1 can interface=vbus0 ring=split vq_size_max=64
check "the packed ring is skipped where there is none" sh -c \
	"devhost-vdpa-check /dev/devhost/g1/can1 >$log/split && grep -c SKIP $log/split | grep -qx 2"
need "a host's card" modprobe snd-dummy
need "sound" other snd0 snd 'stream=[{pcm="hw:Dummy,0", direction="playback"}]'
check "sound passes" passes snd0 "virtio id 25, 4 queues"
need "providers" modprobe scmi_providers
need "SCMI" other scmi0 scmi 'resource=[{kind="clock",host="clk0",device="scmi_prov"}]'
check "SCMI passes" passes scmi0 "virtio id 32, 2 queues"
if modprobe vicodec 2>/dev/null; then
	need "video" other dec video_decoder codec=vicodec
	check "video passes" passes dec "virtio id 31, 2 queues"
else
	skip "the kernel has no vicodec" "video"
	skip "the kernel has no vicodec" "video passes"
fi
check "too small a RLIMIT_MEMLOCK is named" fails "RLIMIT_MEMLOCK is 1 MiB" as_vmm 1M can0 --memory 8
spawn holder sh -c "exec sleep 60 3<>/dev/devhost/g1/can0"
check "so is a VMM that has the device" eventually 20 fails "a VMM has the device" as_vmm infinity can0
kill "$(cat "$log/holder.pid")"
finish
