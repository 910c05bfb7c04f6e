# SPDX-License-Identifier: Apache-2.0
"""In the device host: real guests under QEMU and KVM, with devhost's devices attached."""

import argparse
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import arch
import console
import guest_run
import initrd
from guest_run import PORTS, SPLAT, TIMED_OUT, VM_DIED, alive, fail, pid_of, run

ARCH = arch.here()
BENCH = Path(__file__).parent
IMAGES = BENCH / "images"
STATE = Path(guest_run.STATE)
LOGS = Path("/mnt/logs")
BOOT_TIMEOUT = 400

USAGE = """\
  devhost-guest exec [OPTION]... -- CMD...       boot a guest, run CMD in it, end the guest
  devhost-guest start NAME [OPTION]...           boot a guest that stays
  devhost-guest boot NAME --init SCRIPT [--file F]... [OPTION]...
                                                 the smallest guest: busybox runs SCRIPT as init
                                                 with the files in /bin and CAN modules in /m
  devhost-guest run NAME [--timeout S] -- CMD... run CMD in it; several may run at once
  devhost-guest stop NAME                        end it (kill NAME: with SIGKILL)
  devhost-guest pid NAME                         QEMU's process id
  devhost-guest console NAME                     what the guest's kernel has said"""


def layer_disks():
    """The device host's own read-only disks, lowest layer first; the guest stacks them again."""
    disks = {}
    for serial in Path("/sys/block").glob("vd*/serial"):
        name = serial.read_text().strip()
        if name.startswith("layer"):
            disks[int(name[5:])] = f"/dev/{serial.parent.name}"
    return [disks[n] for n in sorted(disks)]


def log_file(state, name, prefix):
    """A log of a guest, kept outside the device host where that has a place for it."""
    path = (LOGS if LOGS.is_dir() else state) / f"{prefix}-{state.name}.log"
    path.unlink(missing_ok=True)
    (state / name).symlink_to(path)
    return path


def qemu_argv(options, state):
    release = options.kernel or os.uname().release
    log = log_file(state, "console", "guest")
    small = options.action == "boot"
    disks = [] if small or options.image else layer_disks()
    kernel, acpi = f"/boot/vmlinuz-{release}", "on"
    if options.image:
        kernel, acpi = IMAGES / options.image / "vmlinuz", "off"
        ramdisk = IMAGES / options.image / "initrd"
    elif small:
        ramdisk = small_initrd(options, release, state)
    else:
        ramdisk = BENCH / f"initrd-{release}"
    argv = [ARCH.emulator, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            *(word.format(acpi=acpi) for word in ARCH.guest),
            "-accel", "kvm", "-smp", "1", "-m", options.mem,
            "-object", f"memory-backend-memfd,id=m,size={options.mem},share=on",
            "-global", "virtio-mmio.force-legacy=false",
            "-kernel", kernel, "-initrd", ramdisk,
            "-append", f"console={ARCH.console}0 panic=1 mitigations=off "
            f"apparmor=0 ipv6.disable=1 {ARCH.guest_args} "
            f"bench.role=guest bench.layers={len(disks)} {options.append}",
            "-chardev", f"file,id=console,path={log}", "-serial", "chardev:console"]
    for number, disk in enumerate(disks):
        argv += ["-drive", f"file={disk},format=raw,if=none,readonly=on,id=layer{number}",
                 "-device", f"virtio-blk-device,drive=layer{number},serial=layer{number}"]
    if not small:
        argv += ["-device", f"virtio-serial-device,max_ports={PORTS + 1}"]
        for port in range(PORTS):
            argv += ["-chardev",
                     f"socket,id=exec{port},path={state}/exec{port},server=on,wait=off",
                     "-device", f"virtserialport,chardev=exec{port},name=devhost.exec.{port}"]
    if options.share:
        argv += ["-fsdev", f"local,id=share,path={options.share},security_model=none",
                 "-device", "virtio-9p-device,fsdev=share,mount_tag=share"]
    for device in options.device:
        packed = ",packed=on" if options.packed else ""
        argv += ["-device", f"vhost-vdpa-device,vhostdev={os.path.realpath(device)}{packed}"]
    return [str(a) for a in argv + options.qemu_arg]


def small_initrd(options, release, state):
    """The bench initrd with an init script, files and CAN modules behind it."""
    modules = Path("/lib/modules") / release
    cpio = initrd.Cpio()
    cpio.add("small-init", 0o100755, Path(options.init).read_bytes())
    for path in map(Path, options.file):
        cpio.add(f"bin/{path.name}", 0o100755, path.read_bytes())
    ours = BENCH / "modules" / release / "virtio_can.ko"
    names = ["can", "can-dev", "can-raw"] + ([] if ours.exists() else ["virtio_can"])
    for name in names:
        found = next(modules.glob(f"kernel/**/{name}.ko*"))
        cpio.add(f"m/{name}.ko", 0o100644, initrd.plain(found))
    if ours.exists():
        cpio.add("m/virtio_can.ko", 0o100644, ours.read_bytes())
    path = state / "initrd"
    path.write_bytes((BENCH / f"initrd-{release}").read_bytes() + cpio.finish())
    return path


def launch(options, name, dies_with_us):
    """Start QEMU; its state directory is /run/devhost-guest/NAME."""
    state = STATE / name
    if alive(name):
        fail(f"guest {name} runs already")
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    for device in options.device:
        if not os.path.exists(device):
            fail(f"{device} does not exist: create the device first")
    if ARCH.kvm_module and not os.path.exists("/dev/kvm"):
        subprocess.run(["modprobe", ARCH.kvm_module], check=True)

    def before_exec():
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
        if dies_with_us:
            pr_set_pdeathsig = 1
            ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        else:
            os.setsid()

    with open(log_file(state, "qemu.log", "qemu"), "w") as log:
        process = subprocess.Popen(qemu_argv(options, state), preexec_fn=before_exec,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    (state / "pid").write_text(str(process.pid))
    return state, process


def explain(name):
    """After a failure: the end of what QEMU and the guest's kernel said."""
    for path in (STATE / name / "qemu.log", STATE / name / "console"):
        if path.exists():
            lines = path.read_text(errors="replace").splitlines()[-25:]
            print(f"-- {path.name} of guest {name}:", *lines, sep="\n", file=sys.stderr)


def check_splat(name, status):
    log = STATE / name / "console"
    text = console.splat(log.read_text(errors="replace")) if log.exists() else None
    if text:
        print(text, f"devhost-guest: KERNEL SPLAT in guest {name}", sep="\n", file=sys.stderr)
        return SPLAT
    return status


def end(name, how):
    pid = pid_of(name)
    if pid and alive(name):
        os.kill(pid, how)
    deadline = time.monotonic() + 60
    while alive(name):
        if time.monotonic() > deadline:
            fail(f"QEMU of guest {name} (process {pid}) does not end")
        time.sleep(0.05)


def cmd_exec(options):
    name = options.name or Path(tempfile.mkdtemp(prefix="exec-", dir=STATE)).name
    _, process = launch(options, name, dies_with_us=True)
    try:
        status = run(name, options.command, BOOT_TIMEOUT, options.timeout)
        if status in (VM_DIED, TIMED_OUT):
            explain(name)
        return check_splat(name, status)
    finally:
        process.kill()
        process.wait()


def cmd_start(options):
    launch(options, options.name, dies_with_us=False)
    status = run(options.name, ["true"], BOOT_TIMEOUT, BOOT_TIMEOUT)
    if status:
        explain(options.name)
        end(options.name, signal.SIGKILL)
    return check_splat(options.name, status)


def cmd_boot(options):
    launch(options, options.name, dies_with_us=False)
    return 0


def cmd_stop(options):
    end(options.name, signal.SIGTERM)
    return check_splat(options.name, 0)


def cmd_kill(options):
    end(options.name, signal.SIGKILL)
    return 0


def cmd_pid(options):
    if not alive(options.name):
        return 1
    print(pid_of(options.name))
    return 0


def cmd_console(options):
    sys.stdout.write((STATE / options.name / "console").read_text(errors="replace"))
    return 0


def parse(argv):
    parser = argparse.ArgumentParser(prog="devhost-guest", usage="\n" + USAGE)
    actions = parser.add_subparsers(dest="action", required=True)
    for action in ("exec", "start", "boot", "stop", "kill", "pid", "console"):
        sub = actions.add_parser(action)
        if action == "exec":
            sub.add_argument("--name")
            sub.add_argument("--timeout", type=float, help="seconds for CMD")
        else:
            sub.add_argument("name")
        if action not in ("exec", "start", "boot"):
            continue
        if action == "boot":
            sub.add_argument("--init", required=True)
            sub.add_argument("--file", action="append", default=[])
        sub.add_argument("--device", action="append", default=[],
                         help="/dev/devhost/GUEST/DEVICE or a vhost-vdpa node; may be repeated")
        sub.add_argument("--packed", action="store_true", help="offer packed rings")
        sub.add_argument("--share", help="a directory that appears at /mnt/share in the guest")
        sub.add_argument("--mem", default="256M")
        sub.add_argument("--kernel", help="a kernel release other than the device host's")
        if action != "boot":
            sub.add_argument("--image", help="a kernel and initrd that are made for one purpose: "
                             "scmi")
        sub.add_argument("--append", default="", help="more of the guest's kernel command line")
        sub.add_argument("--qemu-arg", action="append", default=[])
    command = []
    if "--" in argv:
        split = argv.index("--")
        argv, command = argv[:split], argv[split + 1:]
    options = parser.parse_args(argv)
    options.command = command
    options.image = getattr(options, "image", None)
    if options.action == "exec" and not command:
        parser.error("no command given after --")
    return options


def main(argv):
    STATE.mkdir(exist_ok=True)
    options = parse(argv)
    return globals()[f"cmd_{options.action}"](options)
