# SPDX-License-Identifier: Apache-2.0
"""The lint suite: style and static checks, each a row; the tools run in the device host's root."""

import re
import subprocess

import host
import layers
from host import TOP
from results import SKIP

OURS = ["kernel", "manager", "tools", "bpf", "udev", "packaging", "tests", "docs", ".ci",
        "Kbuild", "CMakeLists.txt", "README.md", "CONTRIBUTING.md", "SECURITY.md"]
CHECKPATCH = ("/usr/src/devhost-bench/scripts/checkpatch.pl --no-tree --strict -q --terse "
              "--show-types --max-line-length=100 --no-summary -f "
              "--ignore FILE_PATH_CHANGES,CONST_STRUCT,UNCOMMENTED_DEFINITION")
# what one place is there for: telling versions apart, wrapping macros; the shape of tracepoints
CHECKPATCH_FINE = re.compile(
    r"kernel/compat/.*:(LINUX_VERSION_CODE|CONSTANT_COMPARISON|LONG_LINE|MACRO_ARG_\w+):"
    r"|tests/kmod/.*:ALLOC_WITH_SIZEOF:"
    r"|/trace\.h:.*:(PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE):")


def _files(*suffixes, below=tuple(OURS)):
    return [p for p in host.source_files(below)
            if p.name.endswith(suffixes) and not p.is_symlink()]


def _src(paths):
    return [f"/src/{p.relative_to(TOP)}" for p in paths]


class Lint:
    def __init__(self, results, layer, kernels, quick, soak):
        self.results, self.layer, self.kernels = results, layer, kernels
        self.quick, self.soak = quick, soak

    def tool(self, argv, is_bad=None):
        """Run a tool in the root, when nothing else wants to; returns its complaints."""
        process = layers.in_root_live(self.layer.stack(), ["chrt", "--idle", "0", *argv], stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, errors="replace")
        output, _ = process.communicate()
        if is_bad:
            return "\n".join(line for line in output.splitlines() if is_bad(line))
        return output or f"status {process.returncode}" if process.returncode else ""

    def run(self):
        rows = {
            "checkpatch": self.checkpatch, "spdx": spdx, "kernel-version-checks": version_checks,
            "shellcheck": self.shellcheck, "codespell": self.codespell,
            "clang-format": self.clang_format, "man-pages": self.man_pages,
            "python": self.python, "schemas": self.schemas, "dkms-conf": self.dkms_conf,
            "dkms-check-kernel": self.dkms_check_kernel, "yocto-layer": self.yocto_layer,
            "clang-tidy": self.clang_tidy, "one-by-one": self.one_by_one,
        }
        for release in layers.kernels(self.layer).values():
            rows[f"module-warnings-{release}"] = lambda r=release: self.modules(r)
        long = ["clang-tidy", "one-by-one", *[name for name in rows if name.startswith("module-")][1:]]
        for name, check in rows.items():
            if self.quick and name in long:
                self.results.add("lint", name, SKIP, 0, "in the gate, or where lint is named")
            else:
                self.results.timed("lint", name, check)

    def checkpatch(self):
        files = _src(_files(".c", ".h", below=["kernel", "tests/kmod", "bpf"]))
        if not files:
            return "no kernel sources found"
        return self.tool(["sh", "-c", 'printf "%s\\0" "$@" | xargs -0 -n 8 -P "$(nproc)" '
                          f"{CHECKPATCH}", "sh", *files],
                         is_bad=lambda line: re.search(r": (ERROR|WARNING|CHECK)", line)
                         and not CHECKPATCH_FINE.search(line))

    def modules(self, release):
        """The modules compile without a word under W=1 and sparse."""
        return self.tool(
            ["sh", "-c", """set -e
work=/tmp/lint
mkdir -p $work
cp -rp /src/Kbuild /src/kernel $work/
make -C /lib/modules/$1/build M=$work W=1 C=2 -j2 modules
make -C /lib/modules/$1/build M=$work/kernel/guest W=1 C=2 -j2 modules
""", "sh", release],
            is_bad=lambda line: ("/tmp/lint/" in line or line.startswith("kernel/"))
            and re.search(r"(warning|error):", line) or re.match(r"make.*\*\*\*|ERROR:", line))

    def shellcheck(self):
        scripts = [p for p in _files("") if p.is_file()
                   and re.match(rb"#!/bin/(ba|da)?sh", p.read_bytes()[:16])]
        return self.tool(["shellcheck", "-x", "-e", "SC1091,SC2016,SC2155", *_src(scripts)])

    def codespell(self):
        return self.tool(["codespell", "-q", "3", "-S", "*.svg,*.png", "-L", "wroker,cann,inforce,parm,hda", *_src(
            [TOP / d for d in OURS if (TOP / d).exists()])])

    def clang_format(self):
        files = _files(".cpp", ".hpp")
        return self.tool(["clang-format", "--dry-run", "-Werror", *_src(files)])

    def clang_tidy(self):
        """In the batches that the packages are compiled in: headers are read once for many files."""
        ours = {p.relative_to(TOP) for p in _files(".cpp", below=["manager", "tools"])}
        batches = {p: set(re.findall(r'#include "/build/tree/(.*)"', p.read_text()))
                   for p in (host.BUILD / "tree/build/deb").rglob("Unity/unity_*.cxx")}
        batches = {p: files for p, files in batches.items() if files & set(map(str, ours))}
        missing = {str(p) for p in ours} - set().union(*batches.values())
        if not ours or missing:
            return f"no batch of the packages' build has {sorted(missing)}"
        # to follow each function to its end takes most of the time
        paths = [] if self.soak else ["-Xclang", "-analyzer-config", "-Xclang", "max-nodes=10000"]
        return self.tool(["run-clang-tidy", "-quiet", "-j2", "-p", "/build/tree/build/deb",
                          "-config-file=/src/.clang-tidy",
                          *(f"-extra-arg={argument}" for argument in paths),
                          *(f"/build/{p.relative_to(host.BUILD)}" for p in sorted(batches))],
                         is_bad=lambda line: re.search(r"(warning|error):", line))

    def one_by_one(self):
        """Each file of the manager and the tools compiles by itself, too."""
        return self.tool(["sh", "-c", """
cmake -S /build/tree -B /tmp/plain -G Ninja -DBUILD_TESTING=OFF -DDEVHOST_BPF=OFF \\
	-DDEVHOST_WERROR=ON -DCMAKE_BUILD_TYPE=None >/tmp/plain.log || { cat /tmp/plain.log; exit 1; }
ninja -C /tmp/plain -t targets all | sed -n 's,^\\([^ ]*\\.cpp\\.o\\):.*,\\1,p' >/tmp/objects
[ -s /tmp/objects ] || { echo "no C++ sources found"; exit 1; }
xargs ninja -C /tmp/plain --quiet </tmp/objects"""])

    def man_pages(self):
        pages = [p for p in _files("") if re.search(r"\.[1-8]$", p.name)]
        if not pages:
            return "no man pages found"
        return self.tool(["mandoc", "-T", "lint", "-W", "warning", *_src(pages)])

    def python(self):
        files = [p for p in _files("") if p.name.endswith(".py")
                 or p.read_bytes()[:22].startswith(b"#!/usr/bin/python3")]
        for path in files:
            compile(path.read_text(), str(path), "exec")
        return ""

    def schemas(self):
        """The schemas are right by JSON Schema's own, and the examples by them."""
        return self.tool(["python3", "-c", """
import json, pathlib, sys, tomllib
from jsonschema import Draft202012Validator

bad = 0
for name, examples in ("guest", "examples"), ("mixer", "examples/mixers"):
    schema = json.loads(pathlib.Path(f"/src/packaging/schema/{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    paths = sorted(pathlib.Path("/src/packaging", examples).glob("*.toml"))
    bad += not paths
    for path in paths:
        for error in Draft202012Validator(schema).iter_errors(tomllib.loads(path.read_text())):
            print(f"{path}: {error.json_path}: {error.message}")
            bad += 1
sys.exit(bool(bad))
"""])

    def dkms_conf(self):
        """What dkms is told to install is exactly what Kbuild builds, for hosts and for guests."""
        for conf, kbuild in ("dkms.conf", "Kbuild"), ("guest.conf", "kernel/guest/Kbuild"):
            named = set(re.findall(r'^\s*BUILT_MODULE_NAME\[\w+\]="(\w+)"',
                                   (TOP / "packaging/dkms" / conf).read_text(), re.M))
            built = set(re.findall(r"^obj-m\s*\+?:?=\s*(\w+)\.o",
                                   (TOP / kbuild).read_text(), re.M))
            if not named or named != built:
                return f"{conf} names {sorted(named)}, {kbuild} builds {sorted(built)}"
        return ""

    def dkms_check_kernel(self):
        """The check accepts our kernels and says what others lack."""
        return self.tool(["sh", "-c", """
check=/src/packaging/dkms/check-kernel
for dir in /lib/modules/*/; do
	release=$(basename "$dir")
	text=$($check "$release" "$dir/build" 2>&1) || { echo "refuses $release: $text"; exit 1; }
	[ -z "$text" ] || { echo "complains of $release: $text"; exit 1; }
	mkdir -p /tmp/lacking
	grep -v -e CONFIG_VDPA= -e CONFIG_BPF_SYSCALL= "$dir/build/.config" >/tmp/lacking/.config
	if text=$($check "$release" /tmp/lacking 2>&1); then
		echo "accepts a kernel without VDPA"; exit 1
	fi
	for word in CONFIG_VDPA "CONFIG_BPF_SYSCALL: policies are not available"; do
		case $text in *"$word"*) ;; *) echo "does not say $word: $text"; exit 1 ;; esac
	done
	modules() {
		kernel_source_dir=$1 bash -c '. /src/packaging/dkms/dkms.conf; echo "${BUILT_MODULE_NAME[*]}"'
	}
	for lack in CONFIG_SND_PCM:vhost_snd CONFIG_VIDEO_DEV:vhost_video; do
		module=${lack#*:}
		grep -v -e "${lack%:*}=" "$dir/build/.config" >/tmp/lacking/.config
		text=$($check "$release" /tmp/lacking 2>&1) || { echo "refuses to do without $module"; exit 1; }
		case $text in *"$module is left out"*) ;; *) echo "does not say so: $text"; exit 1 ;; esac
		case $(modules "$dir/build") in *$module*) ;; *) echo "dkms builds no $module"; exit 1 ;; esac
		case $(modules /tmp/lacking) in *$module*) echo "dkms wants $module"; exit 1 ;; esac
	done
	check_guest=/src/packaging/dkms/check-guest-kernel
	text=$($check_guest "$release" "$dir/build" 2>&1) || { echo "refuses $release: $text"; exit 1; }
	[ -z "$text" ] || { echo "complains of $release: $text"; exit 1; }
	grep -v CONFIG_VIDEOBUF2_DMA_SG= "$dir/build/.config" >/tmp/lacking/.config
	if text=$($check_guest "$release" /tmp/lacking 2>&1); then
		echo "accepts a guest's kernel without VIDEOBUF2_DMA_SG"; exit 1
	fi
	case $text in *CONFIG_VIDEOBUF2_DMA_SG*) ;; *) echo "does not say so: $text"; exit 1 ;; esac
done
"""])

    def yocto_layer(self):
        """meta-devhost can be read, and installs what the Debian packages do."""
        return self.tool(["bash", "-c", "set -o pipefail; dpkg -L devhost devhost-dkms | "
                          "python3 -B /src/tests/yocto/layer_test.py --debian -"])


def spdx():
    """Each source file begins with its licence: GPL-2.0-only in kernel and bpf, else Apache-2.0."""
    complaints = []
    kinds = (".c", ".h", ".cpp", ".hpp", ".py", ".sh", ".txt", ".xml", ".conf", ".toml", ".yaml",
             ".service", ".rules", "Kbuild")
    for path in _files(*kinds):
        name = str(path.relative_to(TOP))
        head = path.read_text(errors="replace")[:600]
        found = re.search(r"SPDX-License-Identifier: \(?([\w.-]+)", head)
        gpl = name.startswith(("kernel/", "bpf/", "tests/kmod/", "packaging/dkms/",
                               "tests/machine/scmi-guest/kmod/")) \
            or name == "Kbuild" or name.endswith(".bpf.c")
        wanted = "GPL-2.0-only" if gpl else "Apache-2.0"
        if name.startswith(("docs/netlink/", "docs/bindings/")):
            continue
        if not found:
            complaints.append(f"{name}: no SPDX-License-Identifier")
        elif found.group(1) != wanted:
            complaints.append(f"{name}: {found.group(1)} instead of {wanted}")
    return "\n".join(complaints)


def version_checks():
    """Kernel versions are told apart in kernel/compat only."""
    return "\n".join(
        f"{p.relative_to(TOP)}: tells kernel versions apart" for p in _files(".c", ".h", "Kbuild")
        if not str(p.relative_to(TOP)).startswith("kernel/compat/")
        and re.search(r"LINUX_VERSION_CODE|KERNEL_VERSION\(|CONFIG_\w+_COMPAT_\d", p.read_text()))


def lint(results, layer, kernels, quick=False, soak=False):
    Lint(results, layer, kernels, quick, soak).run()
