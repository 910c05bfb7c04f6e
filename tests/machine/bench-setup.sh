#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inside the root: the bench layer; of another architecture's root where TARGET says so.
set -e
root=${TARGET:-}
machine=/src/tests/machine
bench=$root/usr/lib/devhost-bench
mkdir -p "$bench/modules"

"${CROSS_COMPILE:-}gcc" -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -static -o "$bench/agent" $machine/guest/agent.c
install -m 755 $machine/guest/guest-init "$bench/"
install -m 644 $machine/agent.py $machine/arch.py $machine/console.py $machine/initrd.py \
	$machine/guest/guest_machine.py $machine/guest/guest_run.py "$bench/"
python3 -m compileall -q "$bench"
install -m 755 $machine/guest/devhost-guest "$root/usr/bin/devhost-guest"

# the guests' virtio_can, for kernels that lack it; the driver is the newest kernel's
for dir in "$root"/lib/modules/*/; do
	release=$(basename "$dir")
	if find "$dir/kernel" -name 'virtio_can.ko*' | grep -q .; then
		continue
	fi
	work=/tmp/virtio_can-$release
	mkdir -p "$work/include/linux"
	cp /usr/src/devhost-bench/drivers/net/can/virtio_can.c "$work"
	cp /usr/src/devhost-bench/include/uapi/linux/virtio_can.h "$work/include/linux"
	headers=/usr/src/linux-headers-${release%-*}-common
	if ! grep -q 'struct data_bittiming_params' "$headers/include/linux/can/dev.h"; then
		# older kernels keep the data bit timing in can_priv itself
		sed -i 's/can\.fd\.data_bittiming/can.data_bittiming/' "$work/virtio_can.c"
	fi
	printf 'obj-m := virtio_can.o\nccflags-y := -I$(src)/include\n' >"$work/Kbuild"
	make -C "/lib/modules/$release/build" M="$work" "-j$(nproc)" modules
	install -D -m 644 "$work/virtio_can.ko" "$bench/modules/$release/virtio_can.ko"
done

# the host's virtual codec and what it is built on, for kernels that lack them; each is its kernel's
for dir in "$root"/lib/modules/*/; do
	release=$(basename "$dir")
	if find "$dir/kernel" -name 'vicodec.ko*' | grep -q .; then
		continue
	fi
	work=/tmp/vicodec-$release
	# the sources are one for all architectures
	media=$(echo "/usr/src/devhost-bench/${release%-*}"-*/drivers/media)
	mkdir -p "$work/mem2mem" "$work/vicodec"
	cp "$media"/test-drivers/vicodec/*.[ch] "$work/vicodec"
	if find "$dir/kernel" -name 'v4l2-mem2mem.ko*' | grep -q .; then
		printf 'obj-m := vicodec/\n' >"$work/Kbuild"
	else
		cp "$media/v4l2-core/v4l2-mem2mem.c" "$work/mem2mem"
		printf 'obj-m := mem2mem/ vicodec/\n' >"$work/Kbuild"
	fi
	printf 'obj-m := v4l2-mem2mem.o\n' >"$work/mem2mem/Kbuild"
	printf 'obj-m := vicodec.o\nvicodec-y := vicodec-core.o codec-fwht.o codec-v4l2-fwht.o\n' \
		>"$work/vicodec/Kbuild"
	make -C "/lib/modules/$release/build" M="$work" "-j$(nproc)" modules
	install -D -m 644 -t "$dir/updates/devhost-bench" "$work"/*/*.ko
done

# the system: a console for people, quick to boot, nothing that disturbs measuring
sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
echo devhost >"$root/etc/hostname"
printf '127.0.0.1 localhost devhost\n' >"$root/etc/hosts"
: >"$root/etc/fstab"
printf 'PATH=/opt/devhost-tests/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' >"$root/etc/environment"
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/opt/devhost-tests/bin"
printf '[Journal]\nStorage=volatile\nForwardToConsole=no\n' >"$root/etc/systemd/journald.conf.d/bench.conf"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	e2scrub_reap.service fstrim.timer getty@tty1.service systemd-timesyncd.service \
	systemd-networkd.service systemd-networkd-wait-online.service systemd-pstore.service \
	ldconfig.service systemd-update-done.service systemd-journal-catalog-update.service \
	systemd-update-utmp.service systemd-random-seed.service systemd-hwdb-update.service \
	modprobe@drm.service systemd-remount-fs.service keyboard-setup.service \
	console-setup.service systemd-rfkill.socket serial-getty@ttyS0.service serial-getty@ttyAMA0.service \
	systemd-firstboot.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

cat >"$root/etc/systemd/system/bench-agent.service" <<'UNIT'
[Unit]
Description=Bench agent
After=dbus.socket multi-user.target

[Service]
ExecStart=/usr/lib/devhost-bench/agent
Environment=PATH=/opt/devhost-tests/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
WorkingDirectory=/root
Restart=always
LimitMEMLOCK=infinity
LimitCORE=infinity
TasksMax=infinity
KillMode=process
Delegate=yes

[Install]
WantedBy=bench.target
UNIT
cat >"$root/etc/systemd/system/bench.target" <<'UNIT'
[Unit]
Description=Device host with the bench agent
Requires=multi-user.target
After=multi-user.target
AllowIsolate=yes
UNIT
systemctl --root="${root:-/}" enable bench-agent.service
systemctl --root="${root:-/}" set-default bench.target
for tty in ttyS1 ttyAMA1; do
	mkdir -p "$root/etc/systemd/system/serial-getty@$tty.service.d"
	cat >"$root/etc/systemd/system/serial-getty@$tty.service.d/autologin.conf" <<'UNIT'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I $TERM
UNIT
done

for dir in "$root"/lib/modules/*/; do
	depmod -b "${root:-/}" "$(basename "$dir")"
done
