# SPDX-License-Identifier: Apache-2.0
"""Suites that run inside the device host: selftest and e2e."""

import os
from concurrent.futures import ThreadPoolExecutor

import agent
import console
import layers
import qemu
from host import say
from results import SKIP
from tap import Tap

TESTS = "/opt/devhost-tests"
DEVICES = ["-device", "intel-iommu", "-device", "edu"]  # selftest/dmabuf wants DMA behind an IOMMU
OWN_MACHINE = ["e2e/packages.sh"]  # which leaves nothing of ours for others
LAST = ["selftest/host_down"]  # after which the machine is good for nothing
QUIET_MACHINE = ["e2e/snd-duplex.sh"]  # which compares what is late, after all others have ended
SEVERAL_GUESTS = ["e2e/can-traffic.sh", "e2e/docs.py"]  # which Debian's QEMU does not stand
# what is younger than 5 s or only just lost its last pointer is not reported by the first scan
LEAKS = """cd /sys/kernel/debug
sleep 6
echo scan >kmemleak && echo scan >kmemleak && cat kmemleak
echo clear >kmemleak"""
# Selftests deal with the kernel alone. For each device that they make, udev and the daemon do several
# times its work; in the soak tier they do.
ALONE = ["systemctl", "stop", "devhostd.service", "systemd-udevd-control.socket",
         "systemd-udevd-kernel.socket", "systemd-udevd.service"]
TIMEOUT = {"selftest": (1200, 3600), "e2e": (1500, 7200)}  # of a program, in seconds; soak, sanitizer


class Runner:
    """Runs programs that print TAP, in as few boots as they allow."""

    def __init__(self, results, layer, kernel, soak, minutes):
        self.results, self.layer, self.kernel, self.soak = results, layer, kernel, soak
        self.minutes = minutes or 0
        self.environment = ["env", f"DEVHOST_KERNEL={kernel}",
                            *(["DEVHOST_SOAK=1"] if soak else []),
                            *([f"DEVHOST_MINUTES={minutes}"] if minutes else [])]
        self.offset = 0
        self.alone = False

    def run(self, programs):
        """All (suite, program); one that kills or hangs the device host costs a new boot. Selftests
        come after e2e: they end what that needs."""
        programs = [program for program in programs if self._can(*program)]
        left = sorted((p for p in programs if "/".join(p) not in OWN_MACHINE),
                      key=lambda program: ("/".join(program) in LAST, program[0] == "selftest"))
        while left:
            self._boot(left)
        for program in programs:
            if "/".join(program) in OWN_MACHINE:
                self._boot([program])

    def _can(self, suite, program):
        if f"{suite}/{program}" in SEVERAL_GUESTS and not layers.emulator(self.layer.stack()[-1], wanted=False):
            self.results.add(suite, f"{self.kernel}/{program}", SKIP, 0, "the emulator could not be built")
            return False
        return True

    def _boot(self, left):
        """Run what is left, until the machine can't be used any more."""
        machine = qemu.Machine(self.layer, self.kernel, qemu_args=DEVICES)
        say(f"{self.kernel}: booting; logs in {machine.dir}")
        self.offset, self.alone = 0, self.soak
        with machine:
            if self.kernel == "sanitizer":
                self._leaks(machine)  # those of the boot
            while left:
                if not self._one(machine, *left.pop(0)):
                    break

    def _one(self, machine, suite, program):
        """Run one; false when the machine can't be used any more."""
        tap = Tap(self.results, suite, f"{self.kernel}/{program}")
        lines = Lines(tap.feed)
        usable, status, complaint = True, 0, ""
        timeout = TIMEOUT[suite][self.soak or self.kernel == "sanitizer"] + 60 * self.minutes
        try:
            if suite == "selftest" and not self.alone:
                machine.run(ALONE, timeout=timeout)
                self.alone = True
            status = machine.run([*self.environment, f"{TESTS}/{suite}/{program}"],
                                 timeout=timeout, output=lines.take)
        except TimeoutError:
            usable, complaint = False, f"not done after {timeout} s"
        except agent.AgentError as error:
            usable, complaint = False, str(error)
        lines.end()
        if usable and self.kernel == "sanitizer":
            complaint = self._leaks(machine)
        splat = self._new_splat(machine)
        if splat:
            usable = False
            complaint = f"{splat}\nkernel splat; the log is {machine.console}\n{complaint}"
        tap.end(status, complaint)
        return usable

    def _leaks(self, machine):
        """What kmemleak finds, and the end of it: the next program is not blamed."""
        found = []
        try:
            machine.run(["sh", "-c", LEAKS], timeout=600, output=lambda _, data: found.append(data))
        except (TimeoutError, agent.AgentError) as error:
            return f"looking for leaks: {error}"
        return b"".join(found).decode(errors="replace")

    def _new_splat(self, machine):
        text = machine.console.read_text(errors="replace")
        new, self.offset = text[self.offset:], len(text)
        return console.splat(new)


class Lines:
    """Cuts the agent's output into lines."""

    def __init__(self, sink):
        self.sink = sink
        self.rest = b""

    def take(self, _, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.sink(line.decode(errors="replace").rstrip("\r"))

    def end(self):
        if self.rest:
            self.take(1, b"\n")


def run(results, layer, soak, wanted, minutes=None):
    """The programs that are wanted on each kernel: {kernel: [(suite, program)]}. A device host waits
    about half of its time, so there is one for each processor. @minutes is for programs that
    last as long as they are told to."""
    quiet = [(kernel, program) for kernel, programs in wanted.items() for program in programs
             if "/".join(program) in QUIET_MACHINE]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(Runner(results, layer, kernel, soak, minutes).run,
                                 [program for program in programs if (kernel, program) not in quiet])
                     for kernel, programs in wanted.items()]:
            done.result()
    for kernel, program in quiet:
        Runner(results, layer, kernel, soak, minutes).run([program])


def names(layer, suite):
    root = layer.stack()[0].root / TESTS.lstrip("/") / suite
    return sorted(p.name for p in root.glob("*")
                  if p.is_file() and p.stat().st_mode & 0o111 and not p.name.startswith("."))
