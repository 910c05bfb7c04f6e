# SPDX-License-Identifier: Apache-2.0
"""tests/run: all suites, with one row for each test."""

import argparse
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import host
import layers
import suite_bench
import suite_fuzz
import suite_lint
import suite_unit
import suite_vm
from results import FAIL, PASS, Results

SUITES = ["unit", "lint", "fuzz", "selftest", "e2e", "bench"]
BESIDE = ["lint"]  # on what the others leave idle: a virtual machine often waits
BOOTS = [["unit"], ["fuzz"], ["selftest", "e2e"], ["bench"]]  # suites that share one
PROGRAMS = ["fuzz", "selftest", "e2e", "bench"]  # suites whose programs can be asked for one by one
LONG = ["e2e/docs.py", "e2e/footprint.sh", "e2e/packages.sh", "e2e/power.sh", "e2e/scmi-guest",
        "e2e/snd-duplex.sh", "e2e/snd-hda.sh", "e2e/video-guest.sh", "e2e/vmm-kill.sh", "selftest/footprint",
        "selftest/soak"]  # by name, or in the soak tier
FULL = ["e2e/snd-duplex.sh"]  # of them; in the full tier
# The full tier has what takes longer on one kernel only; the gate has it on both.
ONE_KERNEL = {
    "6.12": ["e2e/can-controller.sh", "e2e/snd-duplex.sh", "e2e/snd-guest.sh", "selftest/beyond",
             "selftest/can_input", "selftest/life", "selftest/policy", "selftest/policy_store",
             "selftest/quota", "selftest/scmi_input", "selftest/snd", "selftest/snd_host",
             "selftest/snd_input"],
    "7.2": ["e2e/can-traffic.sh", "e2e/daemon-kill.sh", "e2e/vdpa-check.sh", "selftest/can_bus", "selftest/dmabuf",
            "selftest/faults", "selftest/lifecycle", "selftest/notify", "selftest/policy_rules", "selftest/scmi_policy",
            "selftest/scmi_votes", "selftest/snd_mix", "selftest/video", "selftest/video_codec"],
}
SOAK_MINUTES = 2  # of selftest/soak, but in the soak tier
TIERS = {
    "quick": ["unit", "lint", "selftest"],
    "full": [suite for suite in SUITES if suite != "bench"],
    "gate": [suite for suite in SUITES if suite != "bench"],
    "soak": SUITES,
}


def split_kernel(word):
    """A word of the command line, and the kernel it is for or ""."""
    word, _, kernel = word.partition("@")
    return word, kernel


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="tests/run", description="Build everything, then run suites or tiers of suites. "
        "quick: unit, lint and selftest on one kernel; full (default): all suites but bench, each "
        "program on one kernel at least; gate: what a change has to pass, everything on both; "
        "soak: everything, for longer.")
    parser.add_argument("what", nargs="*", metavar="TIER|SUITE|SUITE/PROGRAM[@KERNEL]",
                        default=[],
                        help=f"of {', '.join([*TIERS, *SUITES])}; or one program that --list "
                        "names, such as selftest/rings, or selftest/rings@7.2 for one kernel only")
    parser.add_argument("--list", action="store_true",
                        help="name suites and their programs, as they were built last")
    parser.add_argument("--kernel", action="append", help="only this one: 6.12, 7.2, or sanitizer (which is not one of both)")
    parser.add_argument("--minutes", type=float, metavar="N",
                        help="fuzz each program so long, instead of 5 seconds; the same for "
                        "selftest/soak, instead of 2 minutes (quick: 15 seconds; soak: 30 minutes)")
    parser.add_argument("--input", type=Path, metavar="FILE",
                        help="give a program of the fuzz suite this input only")
    options = parser.parse_args(argv)
    options.what = [split_kernel(word) for word in options.what or ["full"]]
    for word, _ in options.what:
        if word not in TIERS and word not in SUITES and word.split("/")[0] not in PROGRAMS:
            parser.error(f"no tier or suite is called {word}")
        if word.startswith("fuzz/") and word.removeprefix("fuzz/") not in suite_fuzz.targets():
            parser.error(f"no fuzzer is called {word}: {', '.join(suite_fuzz.targets())}")
    if options.input and not (options.input.is_file() and len(options.what) == 1
                              and options.what[0][0].startswith("fuzz/")):
        parser.error("--input wants a file, below the tree, and one fuzz/PROGRAM")
    return options


def show_list():
    """As the last build had them: to build takes minutes."""
    layer = layers.last()
    if layer:
        built = time.strftime("%Y-%m-%d %H:%M", time.localtime(layer.image.stat().st_mtime))
        host.say(f"as built on {built}")
    else:
        host.install_packages()
        layer = layers.ensure()
    for suite in SUITES:
        print(suite)
        if suite in ("selftest", "e2e", "bench"):
            for name in suite_vm.names(layer, suite):
                print(f"  {suite}/{name}")
        elif suite == "unit":
            suite_unit.show(layer)
        elif suite == "fuzz":
            for name in suite_fuzz.targets():
                print(f"  fuzz/{name}")


def elsewhere(kernel, kernels):
    """What the full tier has on another kernel than this one."""
    return {program for other in kernels if other != kernel for program in ONE_KERNEL.get(other, [])}


def programs(suite, what, kernel, kernels, layer):
    """The programs of a suite that were asked for, for one kernel."""
    wanted = []
    for word, on in what:
        if suite in (word.split("/")[0], *TIERS.get(word, [])) and \
                (on == kernel or not on and kernel in kernels):
            _, _, program = word.partition("/")
            left_out = set() if word == "soak" else set(LONG)
            if word == "full":
                left_out = left_out - set(FULL) | elsewhere(kernel, kernels)
            wanted += [program] if program else [
                name for name in suite_vm.names(layer, suite) if f"{suite}/{name}" not in left_out]
    return [(suite, program) for program in dict.fromkeys(wanted)]


def named(suite, what):
    """The programs of a suite that were asked for by name; none: all."""
    asked = [word.partition("/") for word, _ in what]
    if any(of in TIERS or of == suite and not program for of, _, program in asked):
        return []
    return sorted({program for of, _, program in asked if of == suite})


def run_suites(suites, results, layer, known, kernels, options, what):
    """One suite, or those that share a boot."""
    host.say(f"suite {' and '.join(suites)}")
    try:
        if suites == ["unit"]:
            suite_unit.unit(results, layer)
        elif suites == ["lint"]:
            suite_lint.lint(results, layer, kernels, not any(word in ("lint", "gate", "soak") for word, _ in what),
                            ("soak", "") in what)
        elif suites == ["fuzz"]:
            suite_fuzz.fuzz(results, layer, named("fuzz", what), options.minutes, ("soak", "") in what,
                            options.input)
        elif suites == ["bench"]:
            suite_bench.bench(results, layer, kernels[0], named("bench", what))
        else:
            suite_vm.run(results, layer, ("soak", "") in what,
                         {kernel: [p for suite in suites
                                   for p in programs(suite, what, kernel, kernels, layer)]
                          for kernel in known},
                         options.minutes or (None if ("soak", "") in what else SOAK_MINUTES))
    except Exception:  # pylint: disable=broad-except
        results.add(suites[0], "suite", FAIL, 0, traceback.format_exc())
    for suite in suites:
        if not results.ran(suite):
            results.add(suite, "suite", FAIL, 0, "it ran nothing")


def main(argv):
    options = parse(argv)
    if options.list:
        show_list()
        return 0
    what = options.what
    words = [word for word, _ in what]
    wanted = {suite for word in words for suite in TIERS.get(word, [word.split("/")[0]])}
    results, layer = Results(), None
    started = time.monotonic()
    try:
        host.install_packages()
        # fuzzers are built from the tree, by what the base has
        layer = layers.ensure("base" if wanted == {"fuzz"} else "tests",
                              want_images="soak" in words or "e2e/scmi-guest" in words,
                              want_emulator="e2e" in wanted,
                              want_sanitizer="sanitizer" in [*(options.kernel or []),
                                                             *(on for _, on in what)])
    except host.SetupError as problem:
        results.add("build", "device-host", FAIL, time.monotonic() - started, str(problem))
    if layer:
        results.add("build", "device-host", PASS, time.monotonic() - started)
        known = layers.kernels(layer)
        both = [kernel for kernel in known if kernel != "sanitizer"]
        kernels = options.kernel or (both[:1] if what == [("quick", "")] else both)
        for kernel in kernels + [on for _, on in what if on]:
            if kernel not in known:
                raise host.SetupError(f"no kernel {kernel}: there are {', '.join(known)}")
        with ThreadPoolExecutor(len(BESIDE)) as beside:
            for suite in BESIDE:
                if suite in wanted:
                    beside.submit(run_suites, [suite], results, layer, known, kernels, options,
                                  what)
            for suites in filter(None, ([s for s in boot if s in wanted] for boot in BOOTS)):
                run_suites(suites, results, layer, known, kernels, options, what)
                results.write(host.BUILD / "results.xml")
    results.write(host.BUILD / "results.xml")
    failed = [f"{suite}/{name}" for suite, name, verdict, *_ in results.rows if verdict == FAIL]
    if failed:
        print("failed:", *failed, sep="\n  ")
    print(results.summary())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    try:
        sys.exit(main(sys.argv[1:]))
    except host.SetupError as problem:
        host.say(str(problem))
        sys.exit(host.SETUP_FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
