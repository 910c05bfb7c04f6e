# SPDX-License-Identifier: Apache-2.0
"""Suites that run inside the device host: selftest and e2e."""

from concurrent.futures import ThreadPoolExecutor

import agent
import console
import qemu
from host import say
from tap import Tap

TESTS = "/opt/devhost-tests"


class Runner:
    """Runs programs that print TAP, in as few boots as they allow."""

    def __init__(self, results, layer, kernel, suite, environment=()):
        self.results, self.layer, self.kernel = results, layer, kernel
        self.suite = suite
        self.label = f"{suite}-{kernel}"
        self.environment = ["env", f"DEVHOST_KERNEL={kernel}", *environment]
        self.offset = 0

    def programs(self):
        root = self.layer.stack()[0].root / TESTS.lstrip("/") / self.suite
        return sorted(p.name for p in root.glob("*")
                      if p.is_file() and p.stat().st_mode & 0o111 and not p.name.startswith("."))

    def run(self, programs, timeout):
        """All programs; one that kills or hangs the device host costs a new boot."""
        left = list(programs)
        while left:
            machine = qemu.Machine(self.layer, self.kernel)
            say(f"{self.label}: booting; logs in {machine.dir}")
            self.offset = 0
            with machine:
                while left:
                    if not self._one(machine, left.pop(0), timeout):
                        break

    def _one(self, machine, program, timeout):
        """Run one; false when the machine can't be used any more."""
        tap = Tap(self.results, self.suite, f"{self.kernel}/{program}")
        lines = Lines(tap.feed)
        usable, status, complaint = True, 0, ""
        try:
            status = machine.run([*self.environment, f"{TESTS}/{self.suite}/{program}"],
                                 timeout=timeout, output=lines.take)
        except TimeoutError:
            usable, complaint = False, f"not done after {timeout} s"
        except agent.AgentError as error:
            usable, complaint = False, str(error)
        lines.end()
        splat = self._new_splat(machine)
        if splat:
            usable = False
            complaint = f"{splat}\nkernel splat; the log is {machine.console}\n{complaint}"
        tap.end(status, complaint)
        return usable

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


def selftest(results, layer, kernels, soak, only=()):
    _on_each(results, layer, kernels, "selftest", soak, only, 3600 if soak else 1200)


def e2e(results, layer, kernels, soak, only=()):
    _on_each(results, layer, kernels, "e2e", soak, only, 7200 if soak else 1500)


def _on_each(results, layer, kernels, suite, soak, only, timeout):
    """The kernels at the same time: a test mostly waits for one emulated processor."""
    environment = ["DEVHOST_SOAK=1"] if soak else []

    def one(kernel):
        runner = Runner(results, layer, kernel, suite, environment)
        runner.run(only or runner.programs(), timeout)

    with ThreadPoolExecutor(len(kernels)) as pool:
        for done in [pool.submit(one, kernel) for kernel in kernels]:
            done.result()


def names(layer, suite):
    root = layer.stack()[0].root / TESTS.lstrip("/") / suite
    return sorted(p.name for p in root.glob("*") if p.is_file() and p.stat().st_mode & 0o111)
