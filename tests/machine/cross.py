# SPDX-License-Identifier: Apache-2.0
"""The arm64 device host's disk, built on another architecture: nothing of it runs while it is made.

base           Debian arm64 with its kernel, unpacked
cross          cross compilers, arm64 libraries, the kernel's headers, the emulator, on top of the
               native base root; it is never booted
bench, product, tests
               as those of layers.py, built in cross into a stack of their own
"""

import shutil

import arch
import host
import layers
import mirror


ARCH = arch.ARM64
HOST_PACKAGES = "the device host"  # its heading in packages.list
SCRIPTS = "tests/machine/arm64"
TREE = "tree-arm64"
# a root without maintainer scripts has no links of its own yet
MERGED_USR = 'for d in bin lib sbin; do mkdir -p "$1/usr/$d" && ln -s "usr/$d" "$1/$d"; done'


class CrossLayer(layers.Layer):
    arch = ARCH

    def __init__(self, name, key, below, tools=None):
        super().__init__(ARCH.layer(name), key, below)
        self.tools = tools

    def native(self):
        return self.tools.stack()


def _packages():
    """Those of the native device host, but for the emulator and the kernel."""
    packages = []
    for part, names in layers.package_parts().items():
        if part.startswith(HOST_PACKAGES):
            packages += [name for name in names if not name.startswith("linux-headers-")]
    native = arch.AMD64
    return [name.replace(native.emulator_package, ARCH.emulator_package)
            .replace(f"-{native.name}", f"-{ARCH.name}") for name in packages]


def _base(native):
    def fill(layer):
        sources = layer.dir / "sources.list"
        sources.write_text(mirror.sources(layers.SUITE))
        host.run(["unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=extract",
                  "--format=directory", f"--architectures={ARCH.name}",
                  "--include=?essential", "--include=" + ",".join(packages),
                  "--aptopt=Apt::Install-Recommends false",
                  *(f"--aptopt={option}" for option in mirror.apt_options()),
                  f"--setup-hook={MERGED_USR}", layers.SUITE, layer.root, sources],
                 log=layer.log)
        for path in (layer.root / "usr/share/doc", layer.root / "usr/share/locale"):
            shutil.rmtree(path, ignore_errors=True)
        layers.in_root(native.stack(), None, [
            "/bin/sh", f"/src/{SCRIPTS}/base-setup.sh", _inside(layer.root)], log=layer.log)

    packages = _packages()
    layer = CrossLayer("base", host.content_key([f"{SCRIPTS}/base-setup.sh"], layers.SUITE, packages),
                       None)
    return layers.build(layer, layer.name, fill, "4G", "unpacking Debian arm64 (a minute, once)")


def _tools(native, base):
    def fill(layer):
        layers.in_root(native.stack(), layer.dir, [
            "/bin/sh", f"/src/{SCRIPTS}/cross-setup.sh", *layers.kernels(base).values()],
            log=layer.log)

    layer = layers.Layer(ARCH.layer("cross"), host.content_key(
        [f"{SCRIPTS}/cross-setup.sh"], native.key, base.key), native)
    return layers.build(layer, layer.name, fill, None,
                        "installing cross compilers and the arm64 emulator")


def _inside(path):
    """A path below build/, as it is in a root."""
    return "/build/" + str(path.relative_to(host.BUILD))


def _build(name, below, tools, sources, script, size, what, prepare=None):
    """A layer that a script of the tools makes; it sees the stack as /target."""
    def fill(layer):
        if prepare:
            prepare(layer)
        lowers = ":".join(_inside(la.root) for la in below.stack())
        layers.in_root(tools.stack(), None, [
            "/bin/sh", f"/src/{SCRIPTS}/in-target.sh", lowers, _inside(layer.dir),
            f"/src/tests/machine/{script}"], log=layer.log)

    sources = [*sources, f"tests/machine/{script}", f"{SCRIPTS}/in-target.sh"]
    layer = CrossLayer(name, host.content_key(sources, tools.key, layers.built_on(below).key),
                       below, tools)
    return layers.build(layer, TREE if prepare is _sync else layer.name, fill, size, what)


def _sync(_):
    host.sync_tree(layers.test_sources() + ["cmake"], host.BUILD / TREE)


def ensure(upto="tests"):
    """Build what is missing of the layers up to one; returns the topmost."""
    layers.directories()
    native = layers.base()
    layer = _base(native)
    tools = layer.tools = _tools(native, layer)
    makers = {
        "bench": lambda below: _build(
            "bench", below, tools, layers.BENCH_SOURCES, "bench-setup.sh", "1G",
            "building the arm64 bench layer", lambda la: layers.initrds(la, below)),
        "product": lambda below: _build(
            "product", below, tools, layers.PRODUCT_SOURCES, "arm64/product-setup.sh", "1G",
            "building packages and modules for arm64", _sync),
        "tests": lambda below: _build(
            "tests", below, tools, layers.test_sources() + ["cmake"], "tests-setup.sh", "1G",
            "building the tests for arm64", _sync),
    }
    for name in layers.ORDER[1:layers.ORDER.index(upto) + 1]:
        layer = makers.get(name, lambda below: below)(layer)
    return layer
