# SPDX-License-Identifier: Apache-2.0
"""This machine: paths, progress, commands, locks, content keys, Debian packages."""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

MACHINE = Path(__file__).resolve().parent
TOP = MACHINE.parent.parent
BUILD = TOP / "build"
CACHE = BUILD / "cache"
STARTED = time.monotonic()

# exit statuses of the bench machine itself, apart from those of the commands it runs
SETUP_FAILED, SPLAT, VM_DIED, TIMED_OUT = 96, 97, 98, 124

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "unshare": "util-linux",
    "xz": "xz-utils",
}


class SetupError(Exception):
    """Something on this machine is missing or failed; the text says what to do."""


def say(text):
    """Progress goes to stderr, so that stdout is the command's alone."""
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", file=sys.stderr, flush=True)


def run(argv, log=None, progress=None, **kwargs):
    """Run a command of the set-up; its output goes to a log file, shown when it fails. Where it takes
    long, progress(text of the log) has a line to say of it."""
    argv = [str(a) for a in argv]
    if log is None:
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                                text=True, errors="replace", check=False, **kwargs)
        output = result.stdout + result.stderr
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w") as out:
            with _repeated(lambda: progress and say(progress(log.read_text(errors="replace")))):
                result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out,
                                        stderr=subprocess.STDOUT, check=False, **kwargs)
        output = log.read_text(errors="replace") if result.returncode else ""
    if result.returncode:
        tail = "\n".join(output.splitlines()[-60:])
        where = f"; the whole log is {log}" if log else ""
        raise SetupError(f"{tail}\n{' '.join(argv[:6])} failed ({result.returncode}){where}")
    return output


@contextlib.contextmanager
def _repeated(task, seconds=30):
    """Do something now and then, meanwhile."""
    done = threading.Event()

    def loop():
        while not done.wait(seconds):
            task()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def install_packages():
    """Install what the set-up needs on this machine, where it is missing."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    os.environ["PATH"] = path
    missing = {package for tool, package in PACKAGES.items()
               if not any(os.access(f"{d}/{tool}", os.X_OK) for d in path.split(":"))}
    if not list(Path("/usr/share/keyrings").glob("debian-archive-trixie-*")):
        missing.add("debian-archive-keyring")
    if not missing:
        return
    say(f"installing {' '.join(sorted(missing))}")
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run(["apt-get", "-q", "update"], env=env)
    run(["apt-get", "-qy", "install", "--no-install-recommends", *sorted(missing)], env=env)


@contextlib.contextmanager
def locked(name, unless):
    """Hold a lock file below build/cache, unless there is nothing to do; bench commands may run
    at once."""
    if unless():
        yield
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another command that builds ({name})")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def source_files(paths):
    """The files below the given paths of the tree, sorted, without leftovers of builds."""
    skipped = {".git", "__pycache__", "build"}
    suffixes = (".o", ".ko", ".mod", ".mod.c", ".cmd", ".pyc", ".swp")
    for path in paths:
        path = TOP / path
        if path.is_symlink() or path.is_file():
            yield path
            continue
        for base, dirs, files in os.walk(path):
            dirs[:] = sorted(d for d in dirs if d not in skipped)
            yield from (Path(base) / f for f in sorted(files) if not f.endswith(suffixes))


def content_key(paths, *more):
    """A key that changes when the content of any of these files changes."""
    digest = hashlib.sha256(repr(more).encode())
    for path in source_files(paths):
        if path.is_symlink():
            content = os.readlink(path).encode()
        else:
            content = path.read_bytes() + bytes([path.stat().st_mode & 0o111 != 0])
        digest.update(str(path.relative_to(TOP)).encode() + b"\0")
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


def sync_tree(paths, target):
    """Make target a copy of these paths of the tree; what has not changed keeps its time, so that
    builds there are incremental. Builds below target/build stay."""
    wanted = set()
    for path in source_files(paths):
        name = path.relative_to(TOP)
        wanted.add(name)
        copy = target / name
        if path.is_symlink():
            if not copy.is_symlink():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.symlink_to(os.readlink(path))
            continue
        content = path.read_bytes()
        if not copy.exists() or copy.read_bytes() != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        copy.chmod(path.stat().st_mode & 0o777)
    for base, dirs, files in os.walk(target):
        if Path(base) == target and "build" in dirs:
            dirs.remove("build")
        for name in files:
            copy = Path(base) / name
            if copy.relative_to(target) not in wanted:
                copy.unlink()
