# SPDX-License-Identifier: Apache-2.0
"""Reads TAP, as kselftests print it, line by line into rows."""

import re
import time

from results import FAIL, PASS, SKIP

_RESULT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*([^#]*)(?:#\s*(.*))?$")
_PLAN = re.compile(r"^1\.\.(\d+)")


class Tap:
    """One program's output: feed() it, then end() says whether the plan was kept."""

    def __init__(self, results, suite, program):
        self.results, self.suite, self.program = results, suite, program
        self.planned = None
        self.seen = 0
        self.failed = 0
        self.notes = []
        self.since = time.monotonic()

    def feed(self, line):
        plan, result = _PLAN.match(line), _RESULT.match(line)
        if plan:
            self.planned = int(plan.group(1))
            if self.planned == 0:
                self._row("all", SKIP, line.partition("#")[2].strip() or "nothing to run")
        elif result:
            bad, number, name, directive = result.groups()
            self.seen += 1
            name = name.strip() or f"test {number or self.seen}"
            if directive and directive.upper().startswith("SKIP"):
                self._row(name, SKIP, directive[4:].strip())
            elif bad and directive and directive.upper().startswith("XFAIL"):
                self._row(name, SKIP, directive)
            else:
                self.failed += bool(bad)
                self._row(name, FAIL if bad else PASS, "\n".join(self.notes))
            self.notes = []
        elif line.strip():
            self.notes.append(line.lstrip("# ") if line.startswith("#") else line)
            del self.notes[:-200]

    def _row(self, name, verdict, text=""):
        now = time.monotonic()
        self.results.add(self.suite, f"{self.program}/{name}", verdict, now - self.since, text)
        self.since = now

    def end(self, status, complaint=""):
        """The program ended; what its TAP did not say is a row of its own."""
        if not complaint:
            if self.planned is None:
                complaint = "it printed no plan"
            elif self.seen != self.planned:
                complaint = f"it planned {self.planned} tests and ran {self.seen}"
            elif status and status != 4 and not self.failed:
                complaint = f"it ended with status {status}"
        if complaint:
            self._row("end", FAIL, "\n".join([*self.notes, complaint]))
