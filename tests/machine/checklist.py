#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which test answers for which bad input, and what came of it: the table of docs/security.md.

usage: checklist.py RESULTS.xml... >>docs/security.md

Results are those that tests/run leaves in build/results.xml; of several the last says what holds. Tests
of kernel modules begin their names with the row that they are for. Rows without a test, and tests that
failed, make it fail.
"""

import collections
import re
import sys
import xml.etree.ElementTree as ElementTree

KERNELS = ["6.12", "7.2", "sanitizer"]
ROWS = {  # of each letter so many
    "D": 16, "P": 4, "N": 5, "S": 10, "C": 10, "A": 10, "M": 9, "V": 5, "B": 6}
ELSEWHERE = [  # tests with names of their own: row, suite, how program/name begins
    ("B1", "unit", "manager.BusTest.HostileNamesAreInvalidArgs"),
    ("B2", "unit", "manager.BusTest.CallerMayDisappear"),
    ("B2", "unit", "manager.PowerService.Holds"),
    ("B3", "unit", "manager.AuthorityTest."),
    ("B3", "unit", "manager.BusTest.UnprivilegedCallerMayOnlyRead"),
    ("B5", "e2e", "daemon-kill.sh/"),
    ("B6", "unit", "policy.Config/BadConfig.IsRefusedWithItsLine"),
]
NOT_APPLICABLE = {"V4": "virtio-video maps nothing of the host's into the guest"}
ROW = re.compile(r"([A-Z]\d+) ")


def cases(path):
    """(suite, kernel or none, program, name, passed, skipped) of each result."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        suite, name = case.get("classname"), case.get("name")
        kernel, _, rest = name.partition("/")
        if kernel not in KERNELS:
            kernel, rest = None, name
        program, _, test = rest.partition("/")
        yield suite, kernel, program, test, case.find("failure") is None, \
            case.find("skipped") is not None


def rows_of(suite, program, test):
    """The rows that a test is for."""
    match = ROW.match(test)
    if match and suite == "selftest":
        return [match[1]]
    return [row for row, where, begin in ELSEWHERE
            if where == suite and f"{program}/{test}".startswith(begin)]


def collect(paths):
    """Results by row and kernel, and the programs of each row."""
    results, programs = collections.defaultdict(dict), collections.defaultdict(set)
    for path in paths:
        for suite, kernel, program, test, passed, skipped in cases(path):
            for row in rows_of(suite, program, test):
                programs[row].add(suite if suite == "unit" else f"{suite}/{program}")
                # unit tests run once, for all kernels
                for each in [kernel] if kernel else KERNELS[:2]:
                    results[row, each][program, test] = "skipped" if skipped else \
                        "passed" if passed else "FAILED"
    return results, programs


def cell(results):
    counts = collections.Counter(results.values())
    return ", ".join(f"{counts[word]} {word}" for word in ("passed", "FAILED", "skipped")
                     if counts[word]) or "not run"


def main(paths):
    results, programs = collect(paths)
    bad = any("FAILED" in of_row.values() for of_row in results.values())
    print("| row | where | " + " | ".join(KERNELS) + " |")
    print("|---|---|" + "---|" * len(KERNELS))
    for row in (f"{letter}{number}" for letter, count in ROWS.items()
                for number in range(1, count + 1)):
        if row in NOT_APPLICABLE:
            print(f"| {row} | {NOT_APPLICABLE[row]} |" + " |" * len(KERNELS))
            continue
        if not programs[row]:
            print(f"{row}: no test", file=sys.stderr)
            bad = True
        cells = " | ".join(cell(results[row, kernel]) for kernel in KERNELS)
        print(f"| {row} | {', '.join(f'`{name}`' for name in sorted(programs[row]))} | {cells} |")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
