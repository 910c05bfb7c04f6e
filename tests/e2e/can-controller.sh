#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A guest on a real controller (simulated): late acknowledgement, back-pressure, bus-off and its end.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
sim=/sys/kernel/debug/candev_sim/csim0

plan 16
need "bus of two controllers" bus_sim 2
need "guest" sh -c 'devhostctl create g1'
need "device" device g1/can0 csim0
need "guest boots, can0 is up" guest_up g1

counter() {
	in_guest g1 cat "/sys/class/net/can0/statistics/$1"
}

# shellcheck disable=SC2317
sent_is() {
	local value
	value=$(counter tx_packets)
	echo "tx_packets of the guest: $value"
	[ "$value" = "$1" ]
}

# shellcheck disable=SC2317
guest_state() {
	in_guest g1 ip -details link show can0 >"$log/state"
	cat "$log/state"
	grep -q "state $1" "$log/state"
}

# late acknowledgement: the guest's driver counts a frame when the bus has had it
echo 1 >$sim/tx_hold
before=$(counter tx_packets)
check "a frame is sent while the bus is held" in_guest g1 cansend can0 123#11
sleep 3
check "it is not acknowledged before the bus had it" sent_is "$before"
echo 0 >$sim/tx_hold
check "it is acknowledged then" eventually 20 sent_is $((before + 1))

# back-pressure: the bus stands still for a while, nothing is lost
spawn receive canload check csim1 --tag 2 --count 3000
spawn send in_guest g1 canload send can0 --tag 2 --count 3000 --window 512
sleep 5
echo 1 >$sim/tx_hold
sleep 5
echo 0 >$sim/tx_hold
check "3000 frames pass a controller that stands still meanwhile, FD too" join send receive

spawn receive in_guest g1 canload check can0 --tag 3 --count 1000
spawn send canload send csim1 --tag 3 --count 1000
check "1000 frames come from another controller" join send receive

# bus-off: config change with its interrupt, START recovers
echo bus-off >$sim/state
check "bus-off reaches the guest" eventually 30 guest_state BUS-OFF
check "restarting the bus" sh -c 'devhostctl restart-bus g1/can0'
check "the controller is active again" eventually 10 grep -q error-active $sim/state
check "the guest restarts its controller" eventually 20 in_guest g1 ip link set can0 type can restart
check "the guest's state follows" eventually 30 guest_state ERROR-ACTIVE
spawn receive canload check csim1 --tag 2 --count 500
spawn send in_guest g1 canload send can0 --tag 2 --count 500
check "500 frames leave the guest after bus-off" join send receive
spawn receive in_guest g1 canload check can0 --tag 3 --count 500
spawn send canload send csim1 --tag 3 --count 500
check "500 frames reach the guest after bus-off" join send receive
finish
