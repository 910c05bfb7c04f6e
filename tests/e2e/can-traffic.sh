#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two guests, one with split and one with packed rings, and the host on one bus: each sends frames of
# every kind, each checks every frame of the two others: all there, in order, once.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
count=${COUNT:-20000}

plan 10
need "bus" bus_virtual vbus0
need "guest with split rings" sh -c 'devhostctl create g1'
need "device with split rings" device g1/can0 vbus0 ring=split
need "guest with packed rings" sh -c 'devhostctl create g2'
need "device with packed rings" device g2/can0 vbus0
spawn g2 guest_up g2 --packed
need "split guest boots, can0 is up" guest_up g1
need "packed guest boots, can0 is up" join g2

# shellcheck disable=SC2317 # called through check
rings() {
	local packed=$((1 << 34)) features
	features=$(busctl get-property org.devhost1 "/org/devhost1/guest/$1/can0" \
		org.devhost1.Device DriverFeatures | cut -d' ' -f2)
	echo "negotiated $features"
	[ $((features & packed)) = "$2" ]
}
check "g1 negotiated split rings" rings g1 0
check "g2 negotiated packed rings" rings g2 $((1 << 34))

# streams: 1 of the host, 2 of g1, 3 of g2; receivers of each are numbered 0 and 1, the sender's own
# echo is checked too, without reports
spawn c1g1 in_guest g1 canload check can0 --tag 1 --count "$count" --receiver 0
spawn c1g2 in_guest g2 canload check can0 --tag 1 --count "$count" --receiver 1
spawn c2h canload check vbus0 --tag 2 --count "$count" --receiver 0
spawn c2g2 in_guest g2 canload check can0 --tag 2 --count "$count" --receiver 1
spawn c3h canload check vbus0 --tag 3 --count "$count" --receiver 0
spawn c3g1 in_guest g1 canload check can0 --tag 3 --count "$count" --receiver 1
spawn own in_guest g1 canload check can0 --tag 2 --count "$count" --no-ack
eventually 60 grep -q listening "$log/own"
spawn s1 canload send vbus0 --tag 1 --count "$count" --receivers 2
spawn s2 in_guest g1 canload send can0 --tag 2 --count "$count" --receivers 2
spawn s3 in_guest g2 canload send can0 --tag 3 --count "$count" --receivers 2
check "$count frames of each reach the two others, in order, once; none comes back" \
	join s1 s2 s3 c1g1 c1g2 c2h c2g2 c3h c3g1 own
devhostctl stats g1/can0 | sed 's/^/# /'
finish
