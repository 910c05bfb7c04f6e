# SPDX-License-Identifier: Apache-2.0
"""tests/vm: the bench machine's command line."""

import argparse
import subprocess
import sys

import agent
import arch
import cross
import host
import layers
import qemu
from host import say

USAGE = """\
  tests/vm exec [OPTION]... -- CMD...   boot a device host, run CMD in it as root
  tests/vm shell [OPTION]...            the same for people: a console (Ctrl-A X ends it)
  tests/vm image                        build what is missing, boot nothing
  tests/vm root -- CMD...               run CMD natively in the device host's root"""


def parse(argv):
    parser = argparse.ArgumentParser(prog="tests/vm", usage="\n" + USAGE)
    parser.add_argument("action", choices=["exec", "shell", "image", "root"])
    parser.add_argument("--kernel", default="6.12",
                        help="6.12 (default), 7.2, or sanitizer")
    parser.add_argument("--arch", choices=sorted(arch.ALL), default=arch.AMD64.name,
                        help="of the device host; arm64 is built across and has 6.12 alone")
    parser.add_argument("--share", help="a directory that appears at /mnt/share")
    parser.add_argument("--qemu-arg", action="append", default=[], metavar="A",
                        help="one more argument for QEMU")
    parser.add_argument("--icount", action="store_true",
                        help="one CPU whose clock counts instructions")
    parser.add_argument("--base", action="store_true",
                        help="without our packages and tests")
    parser.add_argument("--no-tests", action="store_true", help="without our tests")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for CMD")
    if "--" in argv:
        split = argv.index("--")
        options = parser.parse_args(argv[:split])
        options.command = argv[split + 1:]
    else:
        options = parser.parse_args(argv)
        options.command = []
    if options.action in ("exec", "root") and not options.command:
        parser.error("no command given")
    return options


def execute(machine, options):
    try:
        status = machine.run(options.command, timeout=options.timeout)
    except TimeoutError:
        say(f"timed out; the kernel's log is {machine.console}")
        status = host.TIMED_OUT
    except agent.AgentError as error:
        say(f"{error}; the kernel's log is {machine.console}")
        status = host.VM_DIED
    splat = machine.splat()
    if splat:
        print(splat, file=sys.stderr)
        say(f"KERNEL SPLAT in the device host (see above and {machine.console}); "
            f"the command's status was {status}")
        return host.SPLAT
    return status


def main(argv):
    options = parse(argv)
    host.install_packages()
    upto = "bench" if options.base else "modules" if options.no_tests else "tests"
    if options.arch == arch.ARM64.name:
        if options.icount or options.kernel == "sanitizer":
            raise host.SetupError("the arm64 device host has no --icount and no sanitizer kernel")
        layer = cross.ensure(upto)
    else:
        layer = layers.ensure(upto, want_sanitizer=options.kernel == "sanitizer")
    if options.action == "image":
        say("the image is ready")
        return 0
    if options.action == "root":
        return layers.in_root_live(layer.native(), options.command).wait()
    interactive = options.action == "shell"
    machine = qemu.Machine(layer, options.kernel, options.share, options.qemu_arg,
                           options.icount, interactive)
    say(f"booting kernel {options.kernel}; logs in {machine.dir}")
    with machine:
        if interactive:
            return machine.process.wait()
        return execute(machine, options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (host.SetupError, subprocess.CalledProcessError) as problem:
        say(str(problem))
        sys.exit(host.SETUP_FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
