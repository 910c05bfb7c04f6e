#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""meta-devhost without BitBake: that its recipes can be read, that what they name is there, and that
they install what the Debian packages do.

layer_test.py [--debian LIST]: LIST has the files of the installed packages, as dpkg -L prints them.
"""

import argparse
import collections
import fnmatch
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import bitbake_file

TOP = pathlib.Path(__file__).resolve().parents[2]
LAYER = TOP / "packaging/yocto/meta-devhost"
KMETA = LAYER / "recipes-kernel/linux/files/devhost-kmeta/features/devhost"
DEPENDENCIES = "# What the above depend on."
# Of Debian's own making, or below another name there.
DEBIAN_ONLY = re.compile(r"/\.$|/usr/share/doc/[^/]+($|/(changelog|copyright))|/usr/share/lintian(/|$)"
                         r"|/lib/modules/|/var/")

LEFT_OVER = re.compile(r"\.(o|ko|mod|mod\.c|cmd|pyc|swp)$|/(__pycache__|\.tmp_versions)/|/\.[^/]+$")


def read(name):
    return (TOP / name).read_text()


def files_of(name):
    """The files below a part of the tree, without leftovers of builds."""
    path = TOP / name
    found = [path] if path.is_file() else path.rglob("*")
    return {str(p.relative_to(TOP)) for p in found if p.is_file() and not LEFT_OVER.search(str(p))}


BUILT = "${CMAKE_CURRENT_BINARY_DIR}"


class CMake:
    """What the CMakeLists.txt of the tree install; conditions are taken to hold."""

    LISTS = ("bpf/CMakeLists.txt", "manager/CMakeLists.txt", "packaging/CMakeLists.txt",
             "docs/man/CMakeLists.txt", "tools/vdpa-check/CMakeLists.txt")

    def __init__(self, options=()):
        self.variables = {
            "CMAKE_INSTALL_SBINDIR": "sbin", "CMAKE_INSTALL_BINDIR": "bin",
            "CMAKE_INSTALL_DATADIR": "share", "CMAKE_INSTALL_MANDIR": "share/man",
            "CMAKE_INSTALL_DOCDIR": "share/doc/devhost", "CMAKE_INSTALL_FULL_SYSCONFDIR": "/etc",
            "PROJECT_SOURCE_DIR": ".",
        }
        self.given = dict(re.fullmatch(r"-D(\w+)(?::\w+)?=(.*)", o).groups() for o in options)
        self.files, self.sources = {}, set()      # installed path: its CMakeLists.txt
        self.copies = {}                          # file in a build directory: what it is a copy of
        for name in self.LISTS:
            self._read(name)

    def _expand(self, text):
        return re.sub(r"\$\{(\w+)\}", lambda m: self.variables.get(m[1], m[0]), text)

    def _read(self, name):
        text = re.sub(r"#[^\n]*", "", read(name))
        here = str(pathlib.PurePath(name).parent)
        for variable, value in re.findall(r'set\((\w+)\s+"([^"]*)"\s+CACHE', text):
            self.variables[variable] = self.given.get(variable, value)
        self.variables["CMAKE_CURRENT_SOURCE_DIR"] = here
        for variable, value in re.findall(rf"set\((\w+)\s+({re.escape(BUILT)}\S*)\s+CACHE", text):
            self.variables[variable] = value
        for source, copy in re.findall(r"configure_file\((\S+)\s+(\S+)\s+COPYONLY\)", text):
            self.copies[self._expand(copy)] = os.path.normpath(f"{here}/{source}")
        for variable, pattern in re.findall(r"file\(GLOB\s+(\w+)\s+CONFIGURE_DEPENDS\s+(\S+)\)", text):
            found = sorted(TOP.glob(self._expand(pattern)))
            self.variables[variable] = " ".join(str(p.relative_to(TOP / here)) for p in found)
        for kind, what, where in re.findall(
                r"install\((FILES|TARGETS|DIRECTORY)\s+(.*?)\s*DESTINATION\s+([^\s)]+)\s*\)",
                text, re.S):
            self._install(name, here, kind, self._expand(what).split(), self._expand(where))
        if len(re.findall(r"\binstall\(", text)) != len(re.findall(r"\bDESTINATION\b", text)):
            raise ValueError(f"{name}: an install() without DESTINATION")

    def _install(self, name, here, kind, what, where):
        base = pathlib.PurePath("/usr") / where
        if kind == "DIRECTORY" and not what:
            self.files[f"{base}/"] = name
        for word in what:
            if kind == "DIRECTORY" and word.startswith(BUILT):
                for copy, source in self.copies.items():
                    if copy.startswith(f"{word}/"):
                        inside = pathlib.PurePath(copy).relative_to(pathlib.PurePath(word).parent)
                        self.files[str(base / inside)] = name
                        self.sources.add((name, source))
                continue
            if kind == "DIRECTORY":
                for source in sorted(files_of(f"{here}/{word}")):
                    self.files[str(base / pathlib.PurePath(source).relative_to(here))] = name
                    self.sources.add((name, source))
                continue
            self.files[str(base / pathlib.PurePath(word).name)] = name
            if kind == "FILES" and BUILT not in word:
                source = word.removeprefix("./") if word.startswith("./") else f"{here}/{word}"
                self.sources.add((name, source))


class Layer:
    def __init__(self):
        self.complaints = []
        self.files = {}
        for path in sorted([*LAYER.rglob("*.bb"), *LAYER.rglob("*.bbappend")]):
            try:
                self.files[path.name] = bitbake_file.File(path, LAYER, {"DEVHOST_TREE": str(TOP)})
            except bitbake_file.SyntaxWrong as error:
                self.say(str(error))
        self.recipes = {f.name: f for name, f in self.files.items() if name.endswith(".bb")}

    def say(self, text):
        self.complaints.append(text)

    def same(self, what, have, want):
        """Two sets are one; says what only one of them has."""
        for name in sorted(set(have) - set(want)):
            self.say(f"{what}: {name} is too much")
        for name in sorted(set(want) - set(have)):
            self.say(f"{what}: {name} is missing")


def check_conf(layer):
    """layer.conf says what it has to, and the documentation says the same."""
    text = (LAYER / "conf/layer.conf").read_text()
    for variable in ("BBFILE_COLLECTIONS", "BBFILE_PATTERN_devhost", "BBFILE_PRIORITY_devhost",
                     "LAYERVERSION_devhost", "LAYERDEPENDS_devhost", "LAYERSERIES_COMPAT_devhost"):
        if not re.search(rf'^{variable} \+?= "[^"]+"$', text, re.M):
            layer.say(f"layer.conf: {variable} is not set")
    for series in re.search(r'LAYERSERIES_COMPAT_devhost = "(.*)"', text)[1].split():
        for page in ("docs/yocto.md", "packaging/yocto/meta-devhost/README.md"):
            if series not in read(page):
                layer.say(f"{page} does not know {series}")
    for path in LAYER.rglob("*"):
        if path.suffix in (".bb", ".bbappend", ".inc", ".conf", ".cfg", ".scc") \
                and "SPDX-License-Identifier: Apache-2.0" not in path.read_text()[:200]:
            layer.say(f"{path.relative_to(LAYER)}: no SPDX-License-Identifier")


def check_sources(layer):
    """Files that recipes take are there, and all that their build needs is among them."""
    for recipe in layer.files.values():
        paths = [pathlib.Path(p) for p in (recipe.getVar("FILESEXTRAPATHS") or "").split(":") if p]
        paths += [recipe.path.parent / d for d in (recipe.name, "files")]
        for uri in recipe.words("SRC_URI"):
            name = uri.removeprefix("file://").split(";")[0]
            if not uri.startswith("file://") or not any((p / name).exists() for p in paths):
                layer.say(f"{recipe.path.name}: {uri} is not there")
        parts = set().union(*(files_of(p) for p in recipe.words("DEVHOST_PARTS")))
        for entry in recipe.words("LIC_FILES_CHKSUM"):
            name, _, md5 = entry.removeprefix("file://").partition(";md5=")
            if name not in parts:
                layer.say(f"{recipe.name}: its licence {name} is not among its sources")
            elif hashlib.md5((TOP / name).read_bytes()).hexdigest() != md5:
                layer.say(f"{recipe.name}: the checksum of {name} is another")
            if pathlib.PurePath(name).stem not in (recipe.getVar("LICENSE") or ""):
                layer.say(f"{recipe.name}: {name} is not its LICENSE")
    for name, lists in (("devhost", CMake.LISTS[1:] + ("CMakeLists.txt",)),
                        ("devhost-bpf", CMake.LISTS[:1])):
        parts = set().union(*(files_of(p) for p in layer.recipes[name].words("DEVHOST_PARTS")))
        wanted = set(lists) | {source for at, source in CMake().sources if at in lists}
        for source in sorted(wanted - parts):
            layer.say(f"{name}: {source} is installed and not among its sources")


def check_versions(layer):
    """One version, one oldest kernel, one set of modules."""
    version = re.search(r"^project\(devhost VERSION (\S+)", read("CMakeLists.txt"), re.M)[1]
    for name in ("devhost", "devhost-bpf", "devhost-modules", "devhost-guest-modules",
                 "devhost-source"):
        if layer.recipes[name].getVar("PV") != version:
            layer.say(f"{name}: PV is not {version}")
    for name, conf in (("devhost-modules", "dkms.conf"), ("devhost-guest-modules", "guest.conf")):
        minimum = re.search(r'BUILD_EXCLUSIVE_KERNEL_MIN="(.*)"', read(f"packaging/dkms/{conf}"))[1]
        if layer.recipes[name].getVar("DEVHOST_KERNEL_MIN") != minimum:
            layer.say(f"{name}: DEVHOST_KERNEL_MIN is not {minimum}")


def check_guest(layer):
    """The guests' driver has all that it includes, as in its Debian package."""
    parts = set().union(*(files_of(p) for p in
                          layer.recipes["devhost-guest-modules"].words("DEVHOST_PARTS")))
    parts = {p for p in parts if p.startswith("kernel/")}
    rules = re.findall(r"^\t((?:cp|install) .*)", read("packaging/debian/rules").replace("\\\n", " "),
                       re.M)
    copied = [word for line in rules if "$(GUEST_SOURCE)/kernel" in line for word in line.split()
              if word.startswith("kernel/")]
    layer.same("devhost-guest-modules, sources", parts, set().union(*map(files_of, copied)))
    # Where kernel/guest/Kbuild has the compiler look.
    places = ("kernel/guest", "kernel/video", "kernel/compat")
    for path in sorted(p for p in parts if p.startswith(places[:2]) and p.endswith((".c", ".h"))):
        for header in re.findall(r'^#include "(.*)"', read(path), re.M):
            if not parts & {f"{place}/{header}" for place in places}:
                layer.say(f"devhost-guest-modules: {path}: {header} is not among its sources")


def owners(recipe, installed):
    """Which package of a recipe takes a file."""
    def takes(pattern, path):
        while path not in ("/", ""):
            if fnmatch.fnmatchcase(path, pattern.rstrip("/")):
                return True
            path = str(pathlib.PurePath(path).parent)
        return False

    packages = recipe.packages()
    if "systemd" in recipe.inherited:
        units = [f"{recipe.getVar('systemd_unitdir')}/system/{unit}"
                 for unit in recipe.words(f"SYSTEMD_SERVICE:{recipe.name}")]
        packages[-1] = (packages[-1][0], packages[-1][1] + units)
    if "bash-completion" in recipe.inherited:
        packages.insert(-1, (f"{recipe.name}-bash-completion", ["/usr/share/bash-completion"]))
    taken, used = {}, set()
    for path in installed:
        for package, patterns in packages:
            hit = next((p for p in patterns if takes(p, path.rstrip("/"))), None)
            if hit:
                taken[path] = package
                used.add((package, hit))
                break
    return taken, {(p, f) for p, fs in packages for f in fs} - used


def check_manager(layer):
    """What CMake installs goes into packages, as a whole, and where it belongs."""
    for name, lists in (("devhost", CMake.LISTS[1:]), ("devhost-bpf", CMake.LISTS[:1])):
        recipe = layer.recipes[name]
        options = [o for o in recipe.words("EXTRA_OECMAKE") if o.startswith("-DDEVHOST_")]
        known = set(re.findall(r"\b(?:option|set)\((DEVHOST_\w+)",
                               "".join(map(read, CMake.LISTS + ("CMakeLists.txt",)))))
        features = re.findall(r"-D(DEVHOST_\w+)=", recipe.path.read_text())
        for option in sorted(set(features) - known):
            layer.say(f"{name}: CMake knows no {option}")
        installed = {path for path, at in CMake(options).files.items() if at in lists}
        taken, idle = owners(recipe, installed)
        layer.same(f"{name}, packaged", taken, installed)
        usual = {p for key, value in bitbake_file.DEFAULTS.items() if key.startswith("FILES:")
                 for p in recipe.expand(value).split()}
        for package, pattern in sorted(idle):
            if pattern not in usual:
                layer.say(f"{name}: FILES of {package}: nothing is in {pattern}")
        examples = {p for p, package in taken.items() if package == "devhost-examples"}
        if name == "devhost":
            layer.same("devhost-examples", examples, {p for p in installed if "/examples/" in p})
            if any(package.endswith(("-doc", "-dev")) and "/man" not in p
                   for p, package in taken.items()):
                layer.say("devhost: more than manual pages in -doc or -dev")
    recipe = layer.recipes["devhost"]
    layer.same("devhost: SYSTEMD_SERVICE", recipe.words("SYSTEMD_SERVICE:devhost"),
               {p.name for p in (TOP / "packaging/systemd").glob("*.service")})
    groups = re.findall(r"^g (\S+)", read("packaging/sysusers.d/devhost.conf"), re.M)
    layer.same("devhost: GROUPADD_PARAM", recipe.getVar("GROUPADD_PARAM:devhost").split()[1:], groups)


def install_sources(recipe):
    """Runs do_install of devhost-source; returns where its files went."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        unpacked, image = work / "unpack", work / "image"
        for part in recipe.words("DEVHOST_PARTS"):
            for name in files_of(part):
                target = work / "tree" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(TOP / name, target)
        unpacked.mkdir()
        shutil.copy(recipe.path.parent / "files/devhost-build-modules", unpacked)
        recipe.values.update(D=str(image), S=str(work / "tree"), UNPACKDIR=str(unpacked))
        subprocess.run(["sh", "-eu"], input=recipe.expand(recipe.functions["do_install"]),
                       text=True, check=True)
        found = {f"/{p.relative_to(image)}": p.read_text(errors="replace")
                 for p in image.rglob("*") if p.is_file()}
    return found


def check_source_package(layer):
    """The sources for the target are those of devhost-dkms."""
    recipe = layer.recipes["devhost-source"]
    found = install_sources(recipe)
    where = recipe.getVar("DEVHOST_MODULE_SOURCE")
    for path, text in found.items():
        if left := re.search(r"#MODULE_VERSION#|@DEVHOST_\w+@", text):
            layer.say(f"devhost-source: {path}: {left[0]} is left")
    taken, _ = owners(recipe, found)
    layer.same("devhost-source, packaged", taken, found)
    files = {p.removeprefix(where) for p in found if p.startswith(where)}
    want = {f"/{name}" for part in ("Kbuild", "kernel", "packaging/dkms/check-kernel")
            for name in files_of(part)}
    layer.same("devhost-source", files, want | {"/dkms.conf"})
    return found


def check_debian(layer, listed):
    """All that the Debian packages install, the recipes do; and the other way round."""
    want = {re.sub(r"(/man/.*)\.gz$", r"\1", line) for line in listed
            if line and not DEBIAN_ONLY.match(line)}
    want = {p for p in want if not any(q.startswith(p + "/") for q in want)}
    have = set()
    for path in CMake().files:
        have.add(path.rstrip("/"))
    have |= {p for p in check_source_package(layer) if p.startswith("/usr/src/")}
    layer.same("recipes beside the Debian packages", have, want)


def fragment():
    """What the fragment sets or says to be selected, and what it sets for their sake."""
    text, _, rest = (KMETA / "devhost.cfg").read_text().partition(DEPENDENCIES)
    asked = re.findall(r"^(?:# selected )?CONFIG_(\w+)(?:=[ym]|: by )", text, re.M)
    return asked, re.findall(r"^CONFIG_(\w+)=[ym]$", rest, re.M)


def asks(options):
    """What check-kernel and dkms.conf miss in a kernel that has these options only."""
    with tempfile.TemporaryDirectory() as build:
        pathlib.Path(build, ".config").write_text("".join(f"CONFIG_{o}=y\n" for o in options))
        pathlib.Path(build, "vmlinux").touch()
        check = subprocess.run(["sh", TOP / "packaging/dkms/check-kernel", "0", build],
                               capture_output=True, text=True)
    missed = set(re.findall(r"CONFIG_(\w+)", check.stderr))
    exclusive = re.search(r'BUILD_EXCLUSIVE_CONFIG="(.*)"', read("packaging/dkms/dkms.conf"))[1]
    return missed | {o.removeprefix("CONFIG_") for o in exclusive.split()} - set(options)


def check_fragment(layer):
    """The fragment has what check-kernel asks for, each of it and nothing else."""
    asked, needed = fragment()
    for option, times in collections.Counter(asked + needed).items():
        if times > 1:
            layer.say(f"devhost.cfg: CONFIG_{option} is there {times} times")
    for option in sorted(asks(asked)):
        layer.say(f"devhost.cfg: CONFIG_{option} is asked for and missing")
    for option in asked:
        if option not in asks([o for o in asked if o != option]):
            layer.say(f"devhost.cfg: nobody asks for CONFIG_{option}")
    for kconf in re.findall(r"^kconf \S+ (\S+)$", (KMETA / "devhost.scc").read_text(), re.M):
        if not (KMETA / kconf).exists():
            layer.say(f"devhost.scc: {kconf} is not there")


def check_qemu(layer):
    """The patch is whole, and has the ids of all devices that are served."""
    recipe = layer.files["qemu_%.bbappend"]
    name = next(w for w in recipe.words("SRC_URI") if w.endswith(".patch")).removeprefix("file://")
    text = (recipe.path.parent / "qemu" / name).read_text()
    if "Upstream-Status: " not in text or "Signed-off-by: " not in text:
        layer.say("the patch to QEMU says neither where it stands nor who signed it")
    for head in re.finditer(r"^@@ -\d+,(\d+) \+\d+,(\d+) @@.*\n((?:[ +-].*\n|\n)+)", text, re.M):
        body = head[3].splitlines()
        old, new = (sum(not line.startswith(sign) for line in body) for sign in "+-")
        if (old, new) != (int(head[1]), int(head[2])):
            layer.say(f"the patch to QEMU: a hunk of {head[1]} and {head[2]} lines has {old} and {new}")
    ours = set(re.findall(r"\{ (VIRTIO_ID_\w+),", read("kernel/core/vdpa_dev.c")))
    for missing in sorted(ours - set(re.findall(r"^\+.*(VIRTIO_ID_\w+)", text, re.M))):
        layer.say(f"the patch to QEMU has no {missing}")


def check_dependencies(layer):
    """Packages of ours that somebody wants are made by somebody."""
    made = {package for r in layer.recipes.values() for package in r.words("PACKAGES")}
    modules = set(re.findall(r"^obj-m\s*\+=\s*(\w+)\.o",
                             read("Kbuild") + read("kernel/guest/Kbuild"), re.M))
    made |= {"kernel-module-" + module.replace("_", "-") for module in modules}
    for recipe in layer.recipes.values():
        for variable in list(recipe.values):
            if re.match(r"R(DEPENDS|RECOMMENDS)|IMAGE_INSTALL", variable):
                for package in recipe.expand(recipe.values[variable]).split():
                    if "devhost" in package and package not in made:
                        layer.say(f"{recipe.name}: {variable}: nobody makes {package}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--debian", type=argparse.FileType())
    options = parser.parse_args()
    layer = Layer()
    if not layer.complaints:
        for check in (check_conf, check_sources, check_versions, check_guest, check_manager,
                      check_source_package, check_fragment, check_qemu, check_dependencies):
            check(layer)
        if options.debian:
            check_debian(layer, options.debian.read().splitlines())
    print("\n".join(layer.complaints) or f"{len(layer.files)} files of meta-devhost: ok")
    return bool(layer.complaints)


if __name__ == "__main__":
    sys.exit(main())
