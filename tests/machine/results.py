# SPDX-License-Identifier: Apache-2.0
"""Rows of results: printed as they come, counted at the end, written as JUnit XML."""

import re
import time
import xml.etree.ElementTree as ElementTree

PASS, FAIL, SKIP = "ok", "FAILED", "skipped"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


class Results:
    def __init__(self):
        self.rows = []

    def add(self, suite, name, verdict, seconds=0.0, text=""):
        self.rows.append((suite, name, verdict, seconds, text))
        print(f"{verdict:8}{suite}/{name} ({seconds:.1f} s)", flush=True)
        if verdict == FAIL and text:
            print("\n".join("        " + line for line in text.splitlines()[-40:]), flush=True)
        elif verdict == SKIP and text:
            print(f"        {text}", flush=True)

    def timed(self, suite, name, check):
        """Run check(); what it returns is the complaint, nothing means that all is well."""
        started = time.monotonic()
        try:
            complaint = check()
        except Exception as error:  # pylint: disable=broad-except
            complaint = f"{type(error).__name__}: {error}"
        self.add(suite, name, FAIL if complaint else PASS, time.monotonic() - started,
                 complaint or "")

    def count(self, verdict, suite=None):
        return sum(1 for row in self.rows if row[2] == verdict and suite in (None, row[0]))

    def ran(self, suite):
        return any(row[0] == suite for row in self.rows)

    def summary(self):
        return (f"{self.count(PASS)} passed, {self.count(FAIL)} failed, "
                f"{self.count(SKIP)} skipped")

    def write(self, path):
        root = ElementTree.Element("testsuites")
        for suite in dict.fromkeys(row[0] for row in self.rows):
            rows = [row for row in self.rows if row[0] == suite]
            node = ElementTree.SubElement(
                root, "testsuite", name=suite, tests=str(len(rows)),
                failures=str(sum(row[2] == FAIL for row in rows)),
                skipped=str(sum(row[2] == SKIP for row in rows)),
                time=f"{sum(row[3] for row in rows):.3f}")
            for _, name, verdict, seconds, text in rows:
                case = ElementTree.SubElement(node, "testcase", classname=suite, name=name,
                                              time=f"{seconds:.3f}")
                text = _UNPRINTABLE.sub("?", text)
                if verdict == FAIL:
                    line = (text.splitlines() or ["failed"])[-1]
                    ElementTree.SubElement(case, "failure", message=line[:200]).text = text
                elif verdict == SKIP:
                    ElementTree.SubElement(case, "skipped", message=text[:200])
        path.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
