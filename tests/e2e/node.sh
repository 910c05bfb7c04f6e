#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# /dev/devhost/GUEST/DEVICE and its systemd unit follow the vhost-vdpa node, also without the daemon.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

link=/dev/devhost/g1/can0
unit=dev-devhost-g1-can0.device
driver=/sys/bus/vdpa/drivers/vhost_vdpa

# shellcheck disable=SC2317 # called through check
unit_is() {
	[ "$(systemctl is-active "$unit")" = "$1" ]
}

# shellcheck disable=SC2317
published() {
	[ -c "$link" ] && [ "$(stat -Lc %U:%a "$link")" = nobody:600 ] && unit_is active
}

# shellcheck disable=SC2317
withdrawn() {
	! [ -L "$link" ] && unit_is inactive
}

plan 9
need "bus" bus_virtual vbus0
need "a guest whose VMM is nobody's" devhostctl create g1 user=nobody
need "its device" device g1/can0 vbus0
# on a slow machine udev still deals with what was there at boot
udevadm settle --timeout=300
check "its node has a link, an owner and a unit" eventually 20 published
systemctl stop devhostd.service
check "the driver goes" sh -c "echo g1.can0 >$driver/unbind"
check "the link and the unit go with it" eventually 20 withdrawn
check "the driver comes back" sh -c "echo g1.can0 >$driver/bind"
check "so do link, owner and unit" eventually 20 published
rm "$link"
udevadm trigger --action=add --subsystem-match=vdpa
check "udev's trigger mends a link" eventually 20 published
systemctl start devhostd.service
finish
