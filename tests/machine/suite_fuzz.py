# SPDX-License-Identifier: Apache-2.0
"""The fuzz suite: each program of tests/fuzz for some seconds, natively in the device host's root."""

import re
import shlex
import subprocess
import time

import host
import layers
from host import TOP
from results import FAIL, PASS

SOURCES = TOP / "tests/fuzz"
CORPUS = SOURCES / "corpus"
OUT = host.BUILD / "fuzz"  # the programs, what they found, what they learned
MAKE = "/build/fuzz/make"
SECONDS, SOAK_SECONDS = 5, 60  # of one program
# what was freed is watched for a while only: there is little memory, and much is freed
ASAN = "quarantine_size_mb=8:malloc_context_size=3"
_FUZZER = re.compile(r"^fuzzer\((\w+)", re.M)


def targets():
    return _FUZZER.findall((SOURCES / "CMakeLists.txt").read_text())


def _in_root(layer, script):
    return layers.in_root_live(layer.stack(), ["nice", "sh", "-c", script],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace")


def _build(layer, names):
    """With clang, whatever the rest of the tree is built with."""
    process = _in_root(layer, f"cmake -S /src/tests/fuzz -B {MAKE} -G Ninja "
                       "-DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ && "
                       f"ninja -C {MAKE} {' '.join(names)}")
    output, _ = process.communicate()
    return output if process.returncode else ""


def _command(target, seconds):
    """What gates a change, the shortest run, begins the same each time; the others go on where the last one was."""
    gates = seconds == SECONDS
    learned = f"/tmp/{target}" if gates else f"/build/fuzz/learned/{target}"
    seed = " -seed=1" if gates else ""
    words = " -dict=/src/tests/fuzz/toml.dict" if target.endswith("_file") else ""
    return (f"mkdir -p {learned} && ASAN_OPTIONS={ASAN} {MAKE}/{target} "
            f"-max_total_time={seconds} -timeout=25 -rss_limit_mb=1024 -max_len=4096{seed}{words} "
            f"-print_final_stats=1 -artifact_prefix=/build/fuzz/{target}- {learned} /src/tests/fuzz/corpus/{target}")


def _found(target, output):
    """What a failed row says: the finding, and how to have it again."""
    written = re.findall(r"Test unit written to /build/fuzz/(\S+)", output)
    lines = [output[-6000:]]
    for name in written:
        lines += [f"the input is build/fuzz/{name}; once more:",
                  f"    tests/run fuzz/{target} --input build/fuzz/{name}"]
    return "\n".join(lines)


def _one(results, layer, target, seconds):
    started = time.monotonic()
    process = _in_root(layer, _command(target, seconds))
    output, _ = process.communicate()
    (OUT / f"{target}.log").write_text(output)
    taken = time.monotonic() - started
    stats = dict(re.findall(r"^stat::(\w+):\s+(\d+)", output, re.M))
    if process.returncode or "number_of_executed_units" not in stats:
        results.add("fuzz", target, FAIL, taken, _found(target, output))
        return
    covered = re.findall(r"cov: (\d+)", output)
    text = (f"{stats['number_of_executed_units']} executions, "
            f"{stats['average_exec_per_sec']} a second, {covered[-1] if covered else '?'} edges")
    results.add("fuzz", target, PASS, taken, text)
    print(f"        {text}", flush=True)


def again(results, layer, target, path):
    """One input, as a finding's row says."""
    inside = f"/src/{path.resolve().relative_to(TOP)}"
    process = _in_root(layer, f"{MAKE}/{target} {shlex.quote(inside)}")
    output, _ = process.communicate()
    results.add("fuzz", f"{target}/{path.name}", FAIL if process.returncode else PASS, 0,
                output[-6000:])


def fuzz(results, layer, names=None, minutes=None, soak=False, path=None):
    names = names or targets()
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    complaint = _build(layer, names)
    results.add("fuzz", "build", FAIL if complaint else PASS, time.monotonic() - started,
                complaint)
    if complaint:
        return
    for target in names:
        if path:
            again(results, layer, target, path)
        else:
            seconds = int(minutes * 60) if minutes else SOAK_SECONDS if soak else SECONDS
            _one(results, layer, target, seconds)
