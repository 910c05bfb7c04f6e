# SPDX-License-Identifier: Apache-2.0
"""The device host's disk: read-only layers, each cached by the key of what it is made from.

base       Debian with both kernels, their headers, and all tools
images     kernels of guests that Debian has none for; only where a test that needs them is asked for
sanitizer  a kernel that finds mistakes; only where it is asked for, with layers of its own on top
emulator   QEMU for device hosts with guests: no part of the disk
bench      the agent, the guests' initrd and drivers
product    our own packages, installed by apt, their modules built by dkms for Debian's own kernel
modules    the same modules for the other kernels
tests      test modules, programs and scripts in /opt/devhost-tests

A layer is a directory (the upper side of an overlay mount) and an ext4 image of it; the VM stacks
the images the same way. So a changed test rewrites a few megabytes, not the whole disk.
"""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import arch
import host
import initrd
import mirror
from host import CACHE, MACHINE, TOP, run, say

SUITE = "trixie"
SANITIZER_FILES = 2500
EMULATOR_FILES = 1100
PRODUCT_SOURCES = ["Kbuild", "CMakeLists.txt", "kernel", "manager", "tools", "bpf", "udev", "packaging",
                   "debian", "docs/man", "docs/netlink", "LICENSES", "tests/lib"]
TEST_DOCS = ["docs/dbus.md",  # held against the interfaces by a unit test
             "docs/policy.md",  # what it prints is compiled
             "docs/tutorial.md", "docs/howto"]  # what they print is run
ORDER = ["base", "bench", "product", "modules", "tests"]


class Layer:
    arch = arch.AMD64

    def __init__(self, name, key, below):
        self.name, self.key, self.below = name, key, below
        self.dir = CACHE / f"{name}-{key}"
        self.root = self.dir / "root"
        self.image = self.dir / "image"
        self.log = self.dir / "log"

    def stack(self):
        """This layer and those below it, topmost first."""
        return [self, *(self.below.stack() if self.below else [])]

    def native(self):
        """The layers whose programs run on this machine, the emulator among them, topmost first."""
        return self.stack()

    @property
    def ready(self):
        return self.image.exists()

    def finish(self, size):
        """Make its image; without a size an empty one, of a layer that is never booted."""
        partial = self.dir / "image.part"
        partial.unlink(missing_ok=True)
        if not size:
            self.image.touch()
            self._forget_older()
            return
        run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-L", self.name,
             "-d", self.root, partial, size])
        partial.rename(self.image)
        self._forget_older()

    def _forget_older(self):
        kept = 1 if self.name.endswith("base") else 2
        old = sorted((d for d in CACHE.glob(f"{self.name}-*") if d.is_dir() and d != self.dir),
                     key=lambda d: d.stat().st_mtime, reverse=True)
        for directory in old[kept:]:
            shutil.rmtree(directory, ignore_errors=True)


def in_root(layers, upper, argv, log=None, progress=None):
    """Run a command in the stacked layers; what it writes stays in upper, or nowhere."""
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", MACHINE / "chroot.sh",
            host.BUILD / "mnt", upper or "-", ":".join(str(la.root) for la in layers), *argv]
    return run(argv, log=log, progress=progress)


def in_root_live(layers, argv, **kwargs):
    """Like in_root, without keeping writes, with the caller's stdout; returns the process."""
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", MACHINE / "chroot.sh",
            host.BUILD / "mnt", "-", ":".join(str(la.root) for la in layers), *argv]
    return subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, **kwargs)


def _packages():
    return [name for part in package_parts().values() for name in part]


def package_parts():
    """What packages.list has below each of its headings."""
    parts, names = {}, []
    for line in (MACHINE / "packages.list").read_text().splitlines():
        if line.startswith("#"):
            names = parts[line.lstrip("# ")] = []
        elif line:
            names.append(line)
    return parts


def base(beside=lambda layer: None):
    """beside(layer) is called as soon as programs can run in it, before there is an image."""
    files = ["tests/machine/packages.list", "tests/machine/base-setup.sh"]
    layer = Layer("base", host.content_key(files, SUITE), None)
    with host.locked("base", unless=lambda: layer.ready):
        if not layer.ready:
            _build_base(layer)
            beside(layer)
            say("base root done, making its image")
            layer.finish("8G")
            return layer
    beside(layer)
    return layer


def _build_base(layer):
    shutil.rmtree(layer.dir, ignore_errors=True)
    layer.dir.mkdir(parents=True)
    say("building the base root: Debian packages (some minutes, once)")
    sources = layer.dir / "sources.list"
    sources.write_text(mirror.sources(SUITE))
    setup = MACHINE / "base-setup.sh"
    # its mounts end with it, however it ends
    argv = ["unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
            "--include=" + ",".join(_packages()),
            "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--dpkgopt=path-exclude=/usr/share/man/??/*",
            "--aptopt=Apt::Install-Recommends false",
            *(f"--aptopt={option}" for option in mirror.apt_options()),
            f"--essential-hook={setup} essential \"$1\"",
            f"--customize-hook={setup} kernels \"$1\"",
            SUITE, layer.root, sources]
    run(argv, log=layer.log)


def kernels(layer):
    """The kernel releases in the root: {"6.12": release, "7.2": release}, and "sanitizer"."""
    releases = {}
    for below in reversed(layer.stack()):
        if below.name in (layer.arch.layer("base"), "sanitizer"):
            for directory in sorted((below.root / "usr/lib/modules").iterdir()):
                name = "sanitizer" if below.name == "sanitizer" else \
                    ".".join(directory.name.split(".")[:2])
                releases[name] = directory.name
    return releases


def kernel_root(layer, release):
    """The root of the layer that brings a kernel."""
    return next(la.root for la in layer.stack() if (la.root / f"boot/vmlinuz-{release}").exists())


def _sync(_):
    """What is built from sources is built in one copy of the tree, so that objects are shared."""
    host.sync_tree(PRODUCT_SOURCES + TEST_DOCS + ["tests"], host.BUILD / "tree")


def built_on(below):
    """The layer that builds on top of one depend on: some only add files that no build reads, and a
    change there rebuilds no others."""
    while below.name in ("images", below.arch.layer("bench")):
        below = below.below
    return below


def _layer(name, below, sources):
    key = host.content_key(sources + ["tests/machine/chroot.sh"], built_on(below).key)
    return Layer(name, key, below)


def _build(name, below, sources, script, size, what, prepare=None):
    def fill(layer):
        if prepare:
            prepare(layer)
        if script:
            in_root(below.stack(), layer.dir, ["/bin/sh", f"/src/tests/machine/{script}"],
                    log=layer.log)

    return build(_layer(name, below, sources), "tree" if prepare is _sync else name, fill, size, what)


def build(layer, lock, fill, size, what):
    """Have fill(layer) fill it, where that has not been done."""
    with host.locked(lock, unless=lambda: layer.ready):
        if layer.ready:
            return layer
        shutil.rmtree(layer.dir, ignore_errors=True)
        layer.dir.mkdir(parents=True)
        say(what)
        fill(layer)
        shutil.rmtree(layer.dir / "work", ignore_errors=True)
        layer.finish(size)
    return layer


def images(below, wanted):
    """Built beside the layer, which is to have the results only; None where nobody wants it built
    and it is not there."""
    sources = ["tests/machine/scmi-guest", "tests/machine/linux-source.sh",
               "tests/machine/initrd.py", "tests/machine/guest/agent.c"]

    if not wanted and not _layer("images", below, sources).ready:
        return None

    def prepare(layer):
        in_root(below.stack(), None, ["/bin/sh", "/src/tests/machine/scmi-guest/build.sh"],
                log=layer.log)
        made = host.BUILD / "images/scmi"
        initrd.make_image(below.root, made, MACHINE / "scmi-guest/init",
                          layer.root / "usr/lib/devhost-bench/images/scmi")

    return _build("images", below, sources, None, "256M",
                  "building a guest kernel with SCMI (some minutes, once)", prepare=prepare)


def sanitizer(below):
    """Built beside the layer, as it needs tools that the device host is not to have."""
    def progress(log):
        done = sum(line.lstrip().startswith("CC ") for line in log.splitlines())
        return f"the sanitizer kernel: {done} of about {SANITIZER_FILES} files compiled"

    def prepare(layer):
        in_root(below.stack(), None, ["/bin/sh", "/src/tests/machine/sanitizer/build.sh"],
                log=layer.log, progress=progress)
        (host.BUILD / "images/sanitizer").rename(layer.root)

    return _build("sanitizer", below, ["tests/machine/sanitizer", "tests/machine/linux-source.sh"],
                  None, "1G", "building the sanitizer kernel (15 to 40 minutes, once)",
                  prepare=prepare)


def emulator(below, wanted=True):
    """QEMU with two mistakes less, on this machine; None where nobody wants it built and it is not there."""
    sources = ["tests/machine/emulator"]

    def progress(log):
        done = log.count("Compiling C object")
        return f"the emulator: {done} of about {EMULATOR_FILES} files compiled"

    def prepare(layer):
        in_root(below.stack(), None, ["/bin/sh", "/src/tests/machine/emulator/build.sh"],
                log=layer.log, progress=progress)
        (host.BUILD / "images/emulator").rename(layer.root)

    if not wanted and not _layer("emulator", below, sources).ready:
        return None
    return _build("emulator", below, sources, None, None, "building the emulator (some minutes, once)",
                  prepare=prepare)


BENCH_SOURCES = ["tests/machine/guest", "tests/machine/bench-setup.sh", "tests/machine/arch.py",
                 "tests/machine/initrd.py", "tests/machine/agent.py", "tests/machine/console.py"]


def bench(below):
    layer = _build("bench", below, BENCH_SOURCES, "bench-setup.sh", "1G",
                   "building the bench layer: agent, guest drivers, initrd",
                   prepare=lambda la: initrds(la, below))
    return layer


def initrds(layer, below):
    initrd.make_all(layer, {release: kernel_root(below, release)
                            for release in kernels(below).values()})


def product(below):
    """Our packages; None while the tree has no packaging yet."""
    if not (TOP / "CMakeLists.txt").exists():
        return None
    return _build("product", below, PRODUCT_SOURCES + ["tests/machine/product-setup.sh", "tests/machine/modules-setup.sh"],
                  "product-setup.sh", "2G",
                  "building the packages, installing them by apt, modules by dkms", _sync)


def modules(below):
    return _build("modules", below, ["tests/machine/modules-setup.sh"], "modules-setup.sh", "256M",
                  "building the modules for the other kernels")


def test_sources():
    directories = [p.relative_to(TOP) for p in sorted((TOP / "tests").iterdir())
                   if p.is_dir() and p.name not in ("machine", "fuzz")]
    return PRODUCT_SOURCES + directories + ["tests/CMakeLists.txt", "tests/machine/tests-setup.sh",
                                            *TEST_DOCS]


def tests(below):
    if not (TOP / "tests/CMakeLists.txt").exists():
        return None
    return _build("tests", below, test_sources(), "tests-setup.sh", "2G", "building the tests", _sync)


def directories():
    (host.BUILD / "mnt").mkdir(parents=True, exist_ok=True)
    (CACHE / "ccache").mkdir(parents=True, exist_ok=True)


def ensure(upto="tests", want_images=False, want_sanitizer=False, want_emulator=False):
    """Build what is missing of the layers up to one; returns the topmost."""
    directories()
    with ThreadPoolExecutor(1) as beside:
        made = []
        layer = base(lambda root: want_emulator and made.append(beside.submit(_emulator_or_word, root)))
        layer = images(layer, want_images) or layer
        if want_sanitizer:
            layer = sanitizer(layer)
        for make in (bench, product, modules, tests)[:ORDER.index(upto)]:
            layer = make(layer) or layer
        for done in made:
            done.result()
    return layer


def _emulator_or_word(below):
    try:
        emulator(below)
    except host.SetupError as problem:
        say(f"{problem}; Debian's QEMU is used: guests may hang in it, and two of them soon end the VM")


def last():
    """The topmost layer as it was built last, whatever has changed since; None before that."""
    layer = None
    for name in ORDER:
        built = [d for d in CACHE.glob(f"{name}-*") if (d / "image").exists()]
        if not built:
            return None
        newest = max(built, key=lambda d: (d / "image").stat().st_mtime)
        layer = Layer(name, newest.name.removeprefix(f"{name}-"), layer)
    return layer


def boot_files(layer, kernel):
    """(vmlinuz, initrd) of one kernel version."""
    release = kernels(layer).get(kernel)
    if not release:
        raise host.SetupError(f"no kernel {kernel}: there are {', '.join(kernels(layer))}")
    brought = next(la for la in layer.stack() if la.name == layer.arch.layer("bench"))
    return (kernel_root(layer, release) / f"boot/vmlinuz-{release}",
            brought.root / f"usr/lib/devhost-bench/initrd-{release}")
