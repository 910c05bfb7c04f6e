# SPDX-License-Identifier: Apache-2.0
"""tests/run: all suites, with one row for each test."""

import argparse
import sys
import time
import traceback

import host
import layers
import suite_bench
import suite_lint
import suite_unit
import suite_vm
from results import FAIL, PASS, Results

SUITES = ["unit", "lint", "selftest", "e2e", "bench"]
BOOTS = [["unit"], ["lint"], ["selftest", "e2e"], ["bench"]]  # suites that share one
PROGRAMS = ["selftest", "e2e"]  # suites whose programs can be asked for one by one
TIERS = {
    "quick": ["unit", "lint", "selftest"],
    "full": SUITES,
    "soak": SUITES,
}


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="tests/run", description="Build everything, then run suites or tiers of suites. "
        "quick: unit, lint and selftest on one kernel; full (default): all suites on both "
        "kernels; soak: the same, for longer.")
    parser.add_argument("what", nargs="*", metavar="TIER|SUITE|SUITE/PROGRAM", default=[],
                        help=f"of {', '.join([*TIERS, *SUITES])}; or one program that --list "
                        "names, such as selftest/rings")
    parser.add_argument("--list", action="store_true", help="name suites and their programs")
    parser.add_argument("--kernel", action="append", help="only this one: 6.12 or 7.2")
    parser.add_argument("--skip", action="append", default=[], metavar="SUITE/PROGRAM",
                        help="leave out a program of a suite that is run whole")
    options = parser.parse_args(argv)
    for word in options.what:
        if word not in TIERS and word not in SUITES and word.split("/")[0] not in PROGRAMS:
            parser.error(f"no tier or suite is called {word}")
    return options


def show_list(layer):
    for suite in SUITES:
        print(suite)
        if suite in ("selftest", "e2e", "bench"):
            for name in suite_vm.names(layer, suite):
                print(f"  {suite}/{name}")
        elif suite == "unit":
            suite_unit.show(layer)


def programs(suite, what):
    """The programs of a suite that were asked for; none where it is the whole suite."""
    return [word.split("/", 1)[1] for word in what if word.startswith(f"{suite}/")]


def run_suites(suites, results, layer, kernels, options, what):
    """One suite, or those that share a boot."""
    if suites == ["unit"]:
        suite_unit.unit(results, layer)
    elif suites == ["lint"]:
        suite_lint.lint(results, layer, kernels, quick="quick" in what)
    elif suites == ["bench"]:
        suite_bench.bench(results, layer, kernels[0])
    else:
        suite_vm.run(results, layer, kernels, "soak" in what,
                     {suite: programs(suite, what) for suite in suites}, options.skip)


def main(argv):
    options = parse(argv)
    what = options.what or ["full"]
    wanted = {suite for word in what for suite in TIERS.get(word, [word.split("/")[0]])}
    whole = wanted - {word.split("/")[0] for word in what if "/" in word}
    results, layer = Results(), None
    started = time.monotonic()
    try:
        host.install_packages()
        layer = layers.ensure(want_images="e2e" in whole or "e2e/scmi-guest" in what)
    except host.SetupError as problem:
        results.add("build", "device-host", FAIL, time.monotonic() - started, str(problem))
    if options.list and layer:
        show_list(layer)
        return 0
    if layer:
        results.add("build", "device-host", PASS, time.monotonic() - started)
        known = layers.kernels(layer)
        kernels = options.kernel or (list(known)[:1] if what == ["quick"] else list(known))
        for kernel in kernels:
            if kernel not in known:
                raise host.SetupError(f"no kernel {kernel}: there are {', '.join(known)}")
        for suites in filter(None, ([s for s in boot if s in wanted] for boot in BOOTS)):
            host.say(f"suite {' and '.join(suites)}")
            try:
                run_suites(suites, results, layer, kernels, options, what)
            except Exception:  # pylint: disable=broad-except
                results.add(suites[0], "suite", FAIL, 0, traceback.format_exc())
            for suite in suites:
                if not results.ran(suite):
                    results.add(suite, "suite", FAIL, 0, "it ran nothing")
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
