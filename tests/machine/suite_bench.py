# SPDX-License-Identifier: Apache-2.0
"""The bench suite: programs that print JSON lines, in one boot whose clock counts instructions."""

import json

import agent
import host
import qemu
from host import say
from results import FAIL, PASS
from suite_vm import TESTS, Lines, names

FIELDS = ("name", "metric", "unit", "value", "native", "ratio")


def _row(line):
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "name" in row and "value" in row else None


def bench(results, layer, kernel, wanted=()):
    """Every line of output that is a JSON object with our fields is a figure. Of all programs where
    none is named."""
    figures = []
    machine = qemu.Machine(layer, kernel, icount=True)
    say(f"bench-{kernel}: booting; logs in {machine.dir}")
    with machine:
        for program in names(layer, "bench"):
            if not wanted or program in wanted:
                _one(results, machine, f"bench/{program}", figures)
    path = host.BUILD / "bench.json"
    path.write_text(json.dumps([{f: row.get(f) for f in FIELDS} for row in figures], indent=1) + "\n")
    if figures:
        _print(figures)


def _one(results, machine, program, figures):
    said, before = [], len(figures)

    def take(line):
        row = _row(line)
        if row:
            figures.append(row)
            results.add("bench", f"{row['name']}/{row.get('metric', '')}", PASS)
        else:
            said.append(line)

    lines, complaint = Lines(take), ""
    try:
        status = machine.run([f"{TESTS}/{program}"], timeout=900, output=lines.take)
        lines.end()
        if status:
            complaint = f"{program} ended with status {status}"
        elif len(figures) == before:
            complaint = f"{program} printed no figure"
    except (TimeoutError, agent.AgentError) as error:
        complaint = f"{program}: {error or 'timed out'}"
    if not complaint and machine.splat():
        complaint = machine.splat()
    if complaint:
        results.add("bench", program.removeprefix("bench/"), FAIL, 0, "\n".join([*said, complaint]))


def _print(figures):
    width = 2 + max(len(row["name"]) for row in figures)
    print(f"{'name':{width}}{'metric':26}{'value':>12}{'native':>12}{'ratio':>8}  unit")
    for row in figures:
        native, ratio = row.get("native"), row.get("ratio")
        print(f"{row['name']:{width}}{row.get('metric', ''):26}{row['value']:12.1f}"
              f"{native if native is not None else '-':>12}"
              f"{f'{ratio:.3f}' if ratio is not None else '-':>8}  {row.get('unit', '')}")
