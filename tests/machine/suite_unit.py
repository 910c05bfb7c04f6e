# SPDX-License-Identifier: Apache-2.0
"""The unit suite: what CTest knows of, run natively in the device host's root."""

import subprocess
import xml.etree.ElementTree as ElementTree

import host
import layers
from results import FAIL, PASS, SKIP

REPORT = host.BUILD / "unit.xml"
BUILD = "/build/tree/build/deb"


def unit(results, layer):
    REPORT.unlink(missing_ok=True)
    log = host.BUILD / "unit.log"
    with open(log, "w") as out:
        layers.in_root_live(layer.stack(), [
            "ctest", "--test-dir", BUILD, "--output-junit", "/build/unit.xml", "-j2",
            "--timeout", "300", "--output-on-failure"], stdout=out, stderr=out).wait()
    if not REPORT.exists():
        results.add("unit", "ctest", FAIL, 0, log.read_text()[-4000:])
        return
    for case in ElementTree.parse(REPORT).getroot().iter("testcase"):
        text = case.findtext("system-out") or ""
        status = case.get("status")
        verdict = PASS if status == "run" else SKIP if status in ("notrun", "disabled") else FAIL
        if verdict == SKIP and "Unable to find executable" in text:
            verdict = FAIL
        results.add("unit", case.get("name"), verdict, float(case.get("time") or 0), text)


def show(layer):
    process = layers.in_root_live(layer.stack(), ["ctest", "--test-dir", BUILD, "-N"],
                                  stdout=subprocess.PIPE, text=True)
    for line in process.communicate()[0].splitlines():
        if line.strip().startswith("Test ") and ":" in line:
            print("  unit/" + line.split(":", 1)[1].strip())
