#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# devhostd is killed under traffic: no frame is lost, the policy holds, its restart finds all again.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

plan 12
need "bus" bus_virtual vbus0
restricted_guest >/etc/devhost/guests.d/g1.toml
need "the guest comes from its file" sh -c 'systemctl reload devhostd || devhostctl reload'
need "its device is there" eventually 20 test -e /dev/devhost/g1/can0
need "guest boots, can0 is up" guest_up g1

state() {
	# counters move on, the rest is what must be the same
	devhostctl --json show g1 >"$1" && devhostctl --json show g1/can0 >>"$1" &&
		devhostctl --json policy show g1 >>"$1" && devhostctl --json list >>"$1"
}

# shellcheck disable=SC2317
both_denied() { [ "$(forbidden)" = 2 ]; }

# shellcheck disable=SC2317
restarted() {
	[ "$(systemctl show -P MainPID devhostd)" != "$pid" ] && [ "$(systemctl show -P MainPID devhostd)" != 0 ] &&
		devhostctl status
}

# a listener for what must never pass
candump -L vbus0,0ad:800007ff >"$log/forbidden" 2>&1 &
dump=$!
need "state before" state "$log/before"
spawn receive canload check vbus0 --tag 2 --count 8000
spawn send in_guest g1 canload send can0 --tag 2 --count 8000
spawn receive2 in_guest g1 canload check can0 --tag 3 --count 8000
spawn send2 canload send vbus0 --tag 3 --count 8000
sleep 3
pid=$(systemctl show -P MainPID devhostd)
mkdir -p /run/systemd/system/devhostd.service.d
printf '[Service]\nRestartSec=8\n' >/run/systemd/system/devhostd.service.d/slow.conf
systemctl daemon-reload
check "devhostd is killed" kill -9 "$pid"
check "a forbidden frame is sent without devhostd" in_guest g1 cansend can0 0AD#01
check "it restarts" eventually 60 restarted
check "8000 frames each way: none lost, in order" join send receive send2 receive2
check "a forbidden frame is sent after its return" in_guest g1 cansend can0 0AD#02
eventually 20 both_denied # the guest has sent it, and its device may not have looked yet
sleep 1
kill $dump
# shellcheck disable=SC2317
nothing_passed() {
	cat "$log/forbidden"
	echo "the rule dropped $(forbidden)"
	[ ! -s "$log/forbidden" ] && both_denied
}
check "no forbidden frame passed, both were counted" nothing_passed
state "$log/after"
check "its state on D-Bus is what it was" diff "$log/before" "$log/after"
rm -r /run/systemd/system/devhostd.service.d
systemctl daemon-reload
finish
