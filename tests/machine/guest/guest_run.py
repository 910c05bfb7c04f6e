# SPDX-License-Identifier: Apache-2.0
"""Commands in a guest that runs. Tests give hundreds of them, and under emulation each module that is
imported costs as much as the command: only what this needs."""

import fcntl
import os
import sys
import time

import agent

STATE = "/run/devhost-guest"
PORTS = 6
SETUP_FAILED, SPLAT, VM_DIED, TIMED_OUT = 96, 97, 98, 124


def fail(text, status=SETUP_FAILED):
    print(f"devhost-guest: {text}", file=sys.stderr)
    sys.exit(status)


def _text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def pid_of(name):
    try:
        return int(_text(f"{STATE}/{name}/pid"))
    except (OSError, ValueError):
        return None


def alive(name):
    try:
        stat = _text(f"/proc/{pid_of(name)}/stat")
    except OSError:
        return False
    return "qemu-system" in stat and stat.rsplit(")", 1)[1].split()[0] != "Z"


def _free_session(name):
    """A port of the guest's agent that no other command uses, and the lock that says so."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for number in range(PORTS):
            lock = open(f"{STATE}/{name}/lock{number}", "w", encoding="utf-8")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return agent.Session(f"{STATE}/{name}/exec{number}", lambda: alive(name)), lock
        time.sleep(0.1)
    fail(f"all {PORTS} ports of guest {name} are busy")


def run(name, argv, start_timeout=None, timeout=None):
    session, lock = _free_session(name)
    try:
        return session.run(argv, start_timeout, timeout)
    except TimeoutError:
        print(f"devhost-guest: timed out in guest {name}", file=sys.stderr)
        return TIMED_OUT
    except agent.AgentError as error:
        print(f"devhost-guest: guest {name}: {error}", file=sys.stderr)
        return VM_DIED
    finally:
        session.close()
        lock.close()


def main(argv):
    """NAME [--timeout S] -- CMD..."""
    split = argv.index("--") if "--" in argv else len(argv)
    options, command = argv[:split], argv[split + 1:]
    timeout = None
    if len(options) == 3 and options[1] == "--timeout":
        options, timeout = options[:1], float(options[2])
    if len(options) != 1 or not command:
        fail("run NAME [--timeout S] -- CMD...", 2)
    if not alive(options[0]):
        fail(f"guest {options[0]} does not run", VM_DIED)
    return run(options[0], command, None, timeout)
