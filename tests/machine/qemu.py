# SPDX-License-Identifier: Apache-2.0
"""The device host as a VM of QEMU's TCG; KVM works inside, since TCG emulates AMD's SVM and Arm's EL2."""

import ctypes
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import agent
import arch
import console
import host
import layers
import tsc

BOOT_TIMEOUT, SLOW_BOOT_TIMEOUT = 400, 1500
KERNEL_ARGS = ("loglevel=6 panic=1 net.ifnames=0 mitigations=off nokaslr "
               "systemd.show_status=0 systemd.firstboot=off "
               "rcupdate.rcu_cpu_stall_timeout=180 watchdog_thresh=60 "
               "modprobe.blacklist=snd_hda_intel")
# for the sanitizer kernel; with a timer that is set for each event it stands still now and then
SLOW_KERNEL_ARGS = (" systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900"
                    " highres=off nohz=off")


def emulator(layer):
    """Our QEMU where it has been built, or as the device host's root or the tools beside it have it, run
    in place: the machine is the same on Debian 12 and 13."""
    roots = [la.root for la in layer.native()]
    libraries = ":".join(str(root / "usr/lib/x86_64-linux-gnu") for root in roots)
    programs = roots
    if layer.arch is arch.AMD64 and (made := layers.emulator(layer.stack()[-1], wanted=False)):
        programs = [made.root, *roots]
    binary = next(path for root in programs
                  if (path := root / "usr/bin" / layer.arch.emulator).exists())
    argv = [roots[-1] / "lib64/ld-linux-x86-64.so.2", "--library-path", libraries, binary]
    for root in roots:
        for data in (root / "usr/share/qemu", root / "usr/share/seabios"):
            argv += ["-L", data] if data.exists() else []
    return argv


class Machine:
    """A device host, booted on entry of its with block and killed at the end."""

    def __init__(self, layer, kernel, share=None, qemu_args=(), icount=False, interactive=False):
        self.layer, self.kernel, self.share = layer, kernel, share
        self.qemu_args, self.icount, self.interactive = list(qemu_args), icount, interactive
        self.slow = kernel == "sanitizer"
        self.process = None
        logs = host.BUILD / "vm"
        logs.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%H%M%S")
        self.dir = Path(tempfile.mkdtemp(prefix=f"{kernel}-{stamp}-", dir=logs))
        self.console = self.dir / "console.log"
        self._keep_few(logs)

    @staticmethod
    def _keep_few(logs, kept=40):
        runs = sorted((d for d in logs.iterdir() if d.is_dir()), key=lambda d: d.stat().st_mtime)
        for old in runs[:-kept]:
            shutil.rmtree(old, ignore_errors=True)

    def _argv(self, sockets):
        vmlinuz, initrd = layers.boot_files(self.layer, self.kernel)
        images = [la.image for la in reversed(self.layer.stack())]
        arch = self.layer.arch
        append = f"console={arch.console}0 {KERNEL_ARGS} {arch.kernel_args} bench.layers={len(images)}"
        if self.slow:
            append += SLOW_KERNEL_ARGS
        khz = tsc.ICOUNT_KHZ if self.icount else tsc.host_khz()
        if khz and arch.machine == "x86_64":
            append += f" tsc_early_khz={khz}"
        argv = [*emulator(self.layer), *arch.host, "-m", "4G",
                "-nodefaults", "-display", "none", "-no-reboot",
                "-kernel", vmlinuz, "-initrd", initrd,
                "-serial", f"file:{self.console}",
                "-device", "virtio-rng-pci", "-device", "virtio-serial-pci,max_ports=8"]
        if self.icount:
            argv += ["-accel", "tcg", "-icount", "shift=0,sleep=off"]
        else:
            argv += ["-accel", "tcg,thread=multi", *self._sound_card()]
        argv += ["-smp", 1 if self.icount else 2]
        for number, image in enumerate(images):
            argv += ["-drive", f"file={image},format=raw,if=none,readonly=on,id=layer{number}",
                     "-device", f"virtio-blk-pci,drive=layer{number},serial=layer{number}"]
        shares = {"logs": self.dir, **({"share": self.share} if self.share else {})}
        for tag, path in shares.items():
            argv += ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap",
                     "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        if self.interactive:
            argv += ["-serial", "mon:stdio"]
            append += f" systemd.wants=serial-getty@{arch.console}1.service"
        argv += ["-chardev", f"socket,id=exec0,path={sockets}/exec0,server=on,wait=off",
                 "-device", "virtserialport,chardev=exec0,name=devhost.exec.0"]
        argv += ["-append", append]
        return [str(a) for a in argv + self.qemu_args]

    def _sound_card(self):
        """What it plays is in hda.wav, bit by bit: no volume in the codec, no rate but the file's.
        Its driver is loaded by who uses it."""
        return ["-audiodev", f"wav,id=hda,path={self.dir}/hda.wav,out.frequency=48000",
                "-device", "intel-hda,id=hda",
                "-device", "hda-output,bus=hda.0,audiodev=hda,mixer=off,use-timer=off"]

    def __enter__(self):
        self.sockets = Path(tempfile.mkdtemp(prefix="devhost-"))
        argv = self._argv(self.sockets)
        (self.dir / "command").write_text(" ".join(argv) + "\n")
        stdio = {} if self.interactive else {
            "stdin": subprocess.DEVNULL, "stdout": open(self.dir / "qemu.log", "w"),
            "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(argv, preexec_fn=_die_with_parent, **stdio)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def alive(self):
        return self.process.poll() is None

    def run(self, argv, timeout=None, output=None):
        """Run a command in the device host, once it has booted."""
        session = agent.Session(self.sockets / "exec0", self.alive)
        try:
            return session.run(argv, timeout=timeout, output=output,
                               start_timeout=SLOW_BOOT_TIMEOUT if self.slow else BOOT_TIMEOUT)
        finally:
            session.close()

    def splat(self):
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return console.splat(text)


def _die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
