# SPDX-License-Identifier: Apache-2.0
"""What in a kernel log is a failure, whatever the exit status of the command says."""

import re

SPLAT = re.compile(
    r"WARNING: |\bBUG: |KASAN|UBSAN|kmemleak|Call Trace|Oops|general protection fault"
    r"|possible (recursive|circular) locking|inconsistent lock state|blocked for more than"
    r"|rcu: INFO: .* detected .*stall|refcount_t|Kernel panic|unregister_netdevice: waiting"
    r"|list_(add|del) corruption|Bad page state|scheduling while atomic|unable to handle")
# said by stock kernels under emulation
KNOWN = re.compile(
    r"clocksource|hrtimer: interrupt took|RETBleed|Spectre|MDS CPU bug|TAA CPU bug"
    r"|MMIO Stale Data|taints kernel|Unpatched return thunk"
    r"|kmemleak: (Kernel memory leak detector|[0-9]+ new suspected)")
CONTEXT = 40


def splat(text):
    """The first kernel splat in a log, with what follows it; None in a clean log."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if SPLAT.search(line) and not KNOWN.search(line):
            return "\n".join(lines[max(0, number - 3):number + CONTEXT])
    return None
