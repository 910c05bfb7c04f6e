#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# System power with the real systemd and logind: each role, a guest that is silent, requests that
# contradict each other, the host's own suspend, devhostd killed in every phase, a thermal ceiling, a
# sensor of hwmon.
# Guests are agents of the driver library. The machine stays up: poweroff.target and reboot.target
# are empty ones, so logind goes through all of it and comes back.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

agent=$(command -v scmi-agent || echo /opt/devhost-tests/bin/scmi-agent)
knobs=/sys/kernel/debug/scmi_providers

plan 103

# What a failure needs to be told from: the decision, and what led to it.
report() {
	devhostctl power
	journalctl -b -u devhostd -u systemd-logind -n 30 -o short-monotonic --no-pager
}

state_of() {
	busctl get-property org.devhost1 /org/devhost1/power org.devhost1.Power "$1" | cut -d' ' -f2-
}

guest_state() {
	busctl get-property org.devhost1 "/org/devhost1/guest/$1" org.devhost1.GuestPower "$2" |
		cut -d' ' -f2-
}

is() { [ "$(state_of "$1")" = "$2" ]; }
guest_is() { [ "$(guest_state "$1" "$2")" = "$3" ]; }
heard() { grep -qx "$2" "$log/$1.out"; }
unheard() { ! heard "$@"; }
said() { # NAME LINE... : in this order, others may be between
	local name=$1 pattern
	shift
	pattern=$(printf '%s.*' "$@")
	tr '\n' ' ' <"$log/$name.out" | grep -q "$pattern"
}
restarted() {
	[ "$(systemctl show -P MainPID devhostd)" != "$1" ] &&
		[ "$(systemctl show -P MainPID devhostd)" != 0 ] && devhostctl status
}
# What signals have told of the host's state since mark, in this order and nothing else
mark() {
	marked=$(wc -l <"$log/story")
	before=$(now)
}
went() {
	[ "$(tail -n +$((marked + 1)) "$log/story" | grep '^devhost ' | grep -o 'CurrentState=[a-z]*' |
		uniq | tr '\n' ' ')" = "$(printf 'CurrentState=%s ' "$@")" ]
}
# signalled PATTERN: one of them since mark was about the host and had that
signalled() { tail -n +$((marked + 1)) "$log/story" | grep -q "^devhost .*$1"; }
passed() { tail -n 1 "$log/$1" 2>/dev/null || echo 0; }
passed_since() { [ "$(passed "$1")" -gt "$2" ]; }

# guest NAME [KEY=VALUE...]: with a clock, a fan that hwmon knows, and the right to ask
guest() {
	local name=$1
	shift
	systemctl stop "$name.service" 2>/dev/null
	no_guest "$name" &&
		devhostctl create "$name" unit="$name.service" "$@" &&
		devhostctl create "$name/scmi0" scmi policy_required=false \
			'resource=[{kind="clock",host="clk0",device="scmi_prov"},{kind="sensor",host="prov/fan1",source="hwmon"}]' &&
		eventually 60 test -e "/dev/devhost/$name/scmi0"
}

# vm NAME ANSWER: its agent, as the unit that the guest names
vm() {
	systemctl stop "$1.service" 2>/dev/null
	systemctl reset-failed "$1.service" 2>/dev/null
	rm -f "$log/$1.fifo" "$log/$1.out"
	mkfifo "$log/$1.fifo"
	systemd-run --quiet --unit="$1.service" -p LimitMEMLOCK=infinity \
		-p StandardOutput="file:$log/$1.out" \
		"$agent" "/dev/devhost/$1/scmi0" "$log/$1.fifo" "$2" &&
		eventually 60 grep -qx ready "$log/$1.out" &&
		eventually 60 guest_is "$1" CurrentState '"running"'
}

tell() {
	local name=$1
	shift
	echo "$*" >"$log/$name.fifo"
}

now() {
	awk '{ print int($1 * 1000) }' /proc/uptime
}

kill_daemon() {
	local pid
	pid=$(systemctl show -P MainPID devhostd)
	kill -9 "$pid"
	eventually 60 restarted "$pid"
}

# shellcheck disable=SC2329 # by the trap
put_back() {
	local name
	for name in g1 g2 g3; do
		systemctl stop "$name.service"
		no_guest "$name"
	done
	echo none >/sys/power/pm_test
	rm -rf /usr/lib/systemd/system-sleep/e2e /run/systemd/system/{poweroff,reboot}.target /etc/devhost/power.toml \
		/run/systemd/system/e2e-{again,poweroff,reboot}.service /run/systemd/system/devhostd.service.d/fast.conf
	systemctl daemon-reload
	systemctl reload devhostd
} >/dev/null 2>&1
trap put_back EXIT

stub() {
	rm -f "/run/systemd/system/$1.target"
	printf '[Unit]\nDescription=%s, not really\nDefaultDependencies=no\nStopWhenUnneeded=yes\nWants=%s\n' \
		"$1" "e2e-$1.service" >"/run/systemd/system/$1.target"
	printf 'awk "{ print int(\\$1 * 1000) }" /proc/uptime >>%s\n' "$log/$1" >"$log/mark-$1"
	printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sh %s\n' \
		"$log/mark-$1" >"/run/systemd/system/e2e-$1.service"
	systemctl daemon-reload
}

# The same for suspend, which systemd-sleep announces before it is done.
stub_suspend() {
	mkdir -p /usr/lib/systemd/system-sleep
	printf '#!/bin/sh\n[ "$1" != pre ] || awk "{ print int(\\$1 * 1000) }" /proc/uptime >>%s\n' \
		"$log/suspend" >/usr/lib/systemd/system-sleep/e2e
	chmod 755 /usr/lib/systemd/system-sleep/e2e
}

stub_suspend
stub poweroff
stub reboot
printf '[Service]\nType=oneshot\nExecStart=/bin/touch %s/again\n' "$log" \
	>/run/systemd/system/e2e-again.service
mkdir -p /run/systemd/system/devhostd.service.d
printf '[Service]\nRestartSec=1\n' >/run/systemd/system/devhostd.service.d/fast.conf
cat >/etc/devhost/power.toml <<'T'
total_ms = 120000
retry_after_ms = 10000
[[thermal]]
zone = "prov-zone"
above = 90000
below = 80000
kind = "clock"
host = "clk0"
level = 20000000
T
systemctl daemon-reload
need "providers" modprobe scmi_providers
need "logind runs" sh -c 'systemctl restart systemd-logind && systemctl is-active systemd-logind'
need "logind waits long enough" sh -c \
	'[ $(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager InhibitDelayMaxUSec | cut -d" " -f2) -ge 60000000 ]'
need "devhostd takes the limits" systemctl restart devhostd
need "devhostd makes logind wait" eventually 60 sh -c 'systemd-inhibit --list | grep -q devhostd'
devhostctl monitor >"$log/story" 2>&1 &
monitor=$!

# roles
need "a guest that may do nothing" guest g1 power.role=deny
need "its agent" vm g1 ask
tell g1 ask 0
check "deny: its request is refused" eventually 60 guest_is g1 LimitingReason '"denied"'
check "deny: the host is on" is CurrentState '"on"'
check "deny: and nothing is to come" is EffectiveState '"on"'

need "two that vote" guest g1 power.role=vote
need "the second one" guest g2 power.role=vote
vm g1 ask
vm g2 exit
mark
tell g1 ask 0
check "vote: one of two does not do it" eventually 60 is LimitingReason '"votes"'
check "vote: it is shown who wants what" sh -c 'devhostctl power | grep -q "g1 *vote *running *off"'
tell g2 ask 0
check "vote: both do" eventually 60 passed_since poweroff "$before"
check "vote: the host is back" eventually 60 is CurrentState '"on"'
check "vote: who asked hears of its end" eventually 60 heard g1 "told 3"
check "vote: signals tell it in order" eventually 60 went acting leaving on
spawn worker devhostctl power vote on "is at work" -- sleep 600
eventually 60 sh -c 'devhostctl power | grep -q "is at work"'
mark
tell g1 ask 1
tell g2 ask 1
check "vote: a local one keeps the host on" eventually 60 guest_is g2 LimitingReason '"votes"'
pkill -P "$(cat "$log/worker.pid")" sleep
check "vote: it goes when that is given up" eventually 60 passed_since reboot "$before"
check "vote: the host is back" eventually 60 is CurrentState '"on"'

# three guests, one silent
need "a master" guest g1 power.role=master
need "one that goes" guest g2 power.budget_ms=60000
need "one that is silent" guest g3 power.budget_ms=10000
vm g1 ask
vm g2 exit
vm g3 never
mark
tell g1 ask 1
check "master: the others are told" eventually 60 heard g3 "told 1"
check "master: the silent one is waited for" eventually 60 signalled 'Waiting=guest g3$'
check "master: the host is left in its budget" eventually 60 passed_since reboot "$before"
spent=$(($(passed reboot) - before))
echo "# three guests, one silent with 10000 ms: $spent ms"
check "master: after the budget, before the total" test $spent -ge 10000 -a $spent -lt 60000
check "the silent one's unit was stopped" eventually 60 sh -c '! systemctl is-active g3.service'
check "it is marked" guest_is g3 Unresponsive true
check "the host is back" eventually 60 is CurrentState '"on"'
check "master: signals tell it in order" eventually 60 went preparing acting leaving on
vm g3 never
check "who starts anew is no longer marked" guest_is g3 Unresponsive false

# emulate
need "one that is emulated" guest g3 power.role=emulate power.emulate_unit=e2e-again.service
vm g3 ask
tell g3 ask 2
check "emulate: its unit is started" eventually 60 test -e "$log/again"
check "emulate: the host is on" is CurrentState '"on"'
systemctl stop g3.service
no_guest g3

# a request, then the opposite
need "one that takes its time" guest g2 power.budget_ms=100000
vm g1 never
vm g2 never
mark
tell g1 ask 0
check "a request: off" eventually 60 heard g2 "told 0"
tell g1 ask 1
check "then another: reboot" eventually 60 said g2 "told 0" "told 1"
check "taken back by an administrator" devhostctl power on
check "which is announced" eventually 60 said g2 "told 0" "told 1" "told 3"
check "the host is on" eventually 60 is CurrentState '"on"'
check "signals tell it in order" eventually 60 went preparing on
check "and it has gone nowhere" sh -c "! [ $(passed poweroff) -gt $before ] && ! [ $(passed reboot) -gt $before ]"

# one that depends on another is told before it
need "one that depends on another" guest g2 power.order=2 power.budget_ms=100000
need "the other" guest g3 power.order=1 power.budget_ms=100000
vm g2 never
vm g3 never
before=$(now)
tell g1 ask 0
check "order: who depends is told" eventually 60 heard g2 "told 0"
check "order: the other is not yet" unheard g3 "told 0"
tell g2 ask 0
check "order: then it is" eventually 60 heard g3 "told 0"
tell g3 ask 0
check "order: then the host is left" eventually 60 passed_since poweroff "$before"
check "the host is back" eventually 60 is CurrentState '"on"'
systemctl stop g3.service
no_guest g3

# devhostd is killed
spawn block devhostctl power block "writes flash" -- sleep 60
eventually 60 sh -c 'devhostctl power | grep -q "writes flash"'
tell g1 ask 0
eventually 60 is LimitingReason '"block"'
check "devhostd is killed while a block keeps the host on" kill_daemon
check "request and block are there again" is LimitingReason '"block"'
vm g2 never
before=$(now)
pkill -P "$(cat "$log/block.pid")" sleep
check "without the block guests are told" eventually 60 heard g2 "told 0"
check "devhostd is killed while they get ready" kill_daemon
check "it goes on where it was" is CurrentState '"preparing"'
tell g2 ask 0
check "and to the end" eventually 60 passed_since poweroff "$before"
check "the host is back" eventually 60 is CurrentState '"on"'

spawn other systemd-inhibit --what=shutdown --mode=delay --who=e2e --why="needs longer" sleep 600
eventually 60 sh -c 'systemd-inhibit --list | grep -q e2e'
vm g2 exit
before=$(now)
tell g1 ask 0
check "logind waits for somebody else" eventually 60 is CurrentState '"leaving"'
check "devhostd is killed while the host leaves" kill_daemon
check "it still does" is CurrentState '"leaving"'
pkill -P "$(cat "$log/other.pid")" sleep
check "to the end" eventually 60 passed_since poweroff "$before"
check "the host is back" eventually 60 is CurrentState '"on"'
check "logind waits for devhostd again" eventually 60 sh -c 'systemd-inhibit --list | grep -q devhostd'

# the host does not go
ln -sf /dev/null /run/systemd/system/poweroff.target
systemctl daemon-reload
vm g2 exit
mark
tell g1 ask 0
check "what fails is tried again" eventually 60 signalled 'Failures=1\>'
check "devhostd is killed between two attempts" kill_daemon
check "what fails three times is not tried again" eventually 120 is CurrentState '"quiesced"'
check "devhostd is killed when that is so" kill_daemon
check "nor then" is CurrentState '"quiesced"'
tell g1 ask 0
check "nor asked for" eventually 60 is LimitingReason '"quiesced"'
stub poweroff
check "until it is reset" devhostctl power reset
before=$(now)
tell g1 ask 0
check "then it is" eventually 60 passed_since poweroff "$before"
check "the host is back" eventually 60 is CurrentState '"on"'

# the host's own suspend, as far as pm_test goes
suspend_possible() {
	echo freezer >/sys/power/pm_test
}
need "pm_test" suspend_possible
vm g2 never
systemctl suspend &
check "suspend: guests are told" eventually 60 heard g2 "told 4"
check "suspend: the host waits for them" is CurrentState '"preparing"'
tell g2 ask 4
check "suspend: guests hear of its end" eventually 60 said g2 "told 4" "asked 4" "told 3"
check "suspend: the host is on" eventually 60 is CurrentState '"on"'

# guests that use their budget: one is ready in its second half, one never is
systemctl stop g1.service
need "one that needs much of its time" guest g2 power.budget_ms=20000
need "one that needs more" guest g3 power.budget_ms=20000
vm g2 10000
vm g3 never
mark
systemctl suspend &
check "suspend: both are told" eventually 60 heard g3 "told 4"
check "suspend: one uses its time" eventually 60 heard g2 "asked 4: 0"
check "suspend: the host is left in its budget" eventually 60 passed_since suspend "$before"
spent=$(($(passed suspend) - before))
echo "# two guests with 20000 ms, one of them silent: $spent ms"
check "suspend: after the budget, before the total" test $spent -ge 20000 -a $spent -lt 60000
check "suspend: who was ready hears of its end" eventually 60 said g2 "told 4" "asked 4" "told 3"
check "suspend: signals tell it in order" eventually 60 went preparing leaving on
check "suspend: the silent one goes on" systemctl is-active g3.service
check "suspend: it is marked" guest_is g3 Unresponsive true
tell g3 ask 4
check "suspend: until it asks for something" eventually 60 guest_is g3 Unresponsive false
systemctl stop g3.service
no_guest g3

# past logind
tell g2 rate 0 30000000
eventually 60 grep -qx 30000000 $knobs/clk0/rate
spawn states device-states # the daemon sleeps as well, and may ask only when it is over
need "past logind: the kernel is heard" eventually 60 grep -qx listening "$log/states"
check "past logind: the machine sleeps" sh -c 'echo mem >/sys/power/state'
stopped() {
	grep '^g2/scmi0 ' "$log/states" | tr '\n' ' ' | grep -q 'g2/scmi0 quiesced g2/scmi0 running'
}
check "past logind: the device was stopped meanwhile" eventually 60 stopped
kill "$(cat "$log/states.pid")"
check "past logind: what its guest wants still counts" grep -qx 30000000 $knobs/clk0/rate
tell g2 rate 0 31000000
check "past logind: it goes on" eventually 60 grep -qx 31000000 $knobs/clk0/rate
systemctl stop g2.service
vm g1 ask

# a ceiling
echo 40000 >$knobs/zone/temp
tell g1 rate 0 50000000
check "a guest holds its maximum" eventually 60 grep -qx 50000000 $knobs/clk0/rate
echo 95000 >$knobs/zone/temp
check "the ceiling takes effect" eventually 60 grep -qx 20000000 $knobs/clk0/rate
check "it is shown why" sh -c 'devhostctl power | grep -q "clock clk0 *20000000 *thermal"'
check "and that it limits the guest" sh -c 'devhostctl power | grep -q "g1 .*50000000 .*ceiling"'
check "devhostd is killed while it is hot" kill_daemon
check "the ceiling is still there" grep -qx 20000000 $knobs/clk0/rate
echo 70000 >$knobs/zone/temp
check "and ends" eventually 60 grep -qx 50000000 $knobs/clk0/rate

# what the kernel can't read itself
reads() {
	tell "$1" read 0
	heard "$1" "value $2"
}
echo 1200 >$knobs/fan/rpm
check "hwmon: a guest reads what the host has" eventually 60 reads g1 1200
echo 1350 >$knobs/fan/rpm
check "hwmon: and what it is later" eventually 60 reads g1 1350

kill $monitor
systemctl stop g1.service g2.service 2>/dev/null
finish
