#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Runs what the tutorial and the how-to pages have in boxes for the device host (```sh), a row for each
heading, in the order of the page."""

import re
import subprocess
import sys
from pathlib import Path

PAGES = Path("/opt/devhost-tests/docs")
TIMEOUT = 600  # of a heading, in seconds; a guest boots in one minute
BOX = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CLEAN = """
for guest in $(ls /run/devhost-guest 2>/dev/null); do devhost-guest kill $guest; done
rm -f /etc/devhost/guests.d/*.toml /etc/devhost/mixers.d/*.toml /etc/devhost/power.toml
systemctl restart devhostd
for guest in ivi cluster gateway apps; do devhostctl remove $guest; done
for link in vehicle0 body0; do ip link delete $link; done
modprobe -r snd-aloop vicodec scmi_providers
"""


def boxes(page):
    """Of each heading, all that is typed below it."""
    text, title, parts, end = page.read_text(), page.stem, {}, 0
    for match in sorted([*BOX.finditer(text), *HEADING.finditer(text)], key=lambda m: m.start()):
        if match.start() < end:
            continue  # a comment in a box looks like a heading
        if match.re is HEADING:
            title = match[1]
            continue
        end = match.end()
        if match[1] == "sh":
            parts.setdefault(title, []).append(match[2])
    return [(title, "\n".join(part)) for title, part in parts.items()]


def script(box):
    """What a page says must fail has to: "! command" alone would end no script."""
    return re.sub(r"^! (.*)$", r'if \1; then echo "this should have failed"; exit 1; fi', box, flags=re.MULTILINE)


def run(box):
    """What was said, where it went wrong, else None."""
    command = ["timeout", str(TIMEOUT), "bash", "-xeuo", "pipefail", "-c", script(box)]
    done = subprocess.run(command, cwd="/root", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return f"{done.stdout}status {done.returncode}" if done.returncode else None


def main(wanted):
    pages = [page for page in [PAGES / "tutorial.md", *sorted((PAGES / "howto").glob("*.md"))]
             if not wanted or page.stem in wanted]
    rows = [(page, title, box) for page in pages for title, box in boxes(page)]
    print(f"TAP version 13\n1..{len(rows)}", flush=True)
    failed, last = 0, None
    for number, (page, title, box) in enumerate(rows, 1):
        if last not in (None, page):
            subprocess.run(["bash", "-c", CLEAN], capture_output=True, check=False)
        last = page
        said = run(box)
        if said:
            failed += 1
            print("\n".join(f"# {line}" for line in said.splitlines()))
        print(f"{'not ok' if said else 'ok'} {number} {page.stem}: {title}", flush=True)
    subprocess.run(["bash", "-c", CLEAN], capture_output=True, check=False)
    return 1 if failed or not rows else 0


sys.exit(main(sys.argv[1:]))
