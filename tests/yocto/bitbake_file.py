# SPDX-License-Identifier: Apache-2.0
"""Reads recipes as BitBake does, as far as those of meta-devhost need it: everything that is not
understood is an error. Classes are not read; what they set is in DEFAULTS."""

import os
import re
import subprocess
import types

ASSIGNMENT = re.compile(
    r"""(?:export\s+)?(?P<name>[\w${}@.:/+-]+?)(?P<flag>\[[\w-]+\])?\s*
        (?P<how>\?\?=|\?=|:=|\+=|=\+|\.=|=\.|=)\s*(?P<quote>["'])(?P<value>.*)(?P=quote)\s*$""", re.X)
FUNCTION = re.compile(r"(?P<python>python\s+)?(?P<name>[\w${}:-]*)\s*\(\s*\)\s*\{$")
DIRECTIVE = re.compile(r"(?P<word>inherit|require|include)\s+(?P<what>.+)$")

DEFAULTS = {
    "prefix": "/usr", "exec_prefix": "/usr", "bindir": "/usr/bin", "sbindir": "/usr/sbin",
    "libdir": "/usr/lib", "nonarch_libdir": "/usr/lib", "nonarch_base_libdir": "/usr/lib",
    "systemd_unitdir": "/usr/lib/systemd", "datadir": "/usr/share", "docdir": "/usr/share/doc",
    "mandir": "/usr/share/man", "sysconfdir": "/etc", "PV": "1.0", "BP": "${BPN}-${PV}",
    "UNPACKDIR": "/unpack", "S": "${UNPACKDIR}/${BP}", "MACHINE_ARCH": "qemuarm64",
    "TARGET_ARCH": "aarch64", "DISTRO_FEATURES": "systemd usrmerge polkit devhost",
    "PACKAGES": "${PN}-src ${PN}-dbg ${PN}-staticdev ${PN}-dev ${PN}-doc ${PN}-locale "
                "${PACKAGE_BEFORE_PN} ${PN}",
    "PACKAGE_BEFORE_PN": "",
    "FILES:${PN}": "${bindir}/* ${sbindir}/* ${sysconfdir} ${datadir}/${BPN} ${libdir}/${BPN}/*",
    "FILES:${PN}-doc": "${docdir} ${mandir}",
}


class SyntaxWrong(Exception):
    """A line that BitBake would not take, or that is beyond this reader."""


def _contains(variable, wanted, yes, no, d):
    have = set((d.getVar(variable) or "").split())
    return yes if set(wanted.split()) <= have else no


def _filter(variable, wanted, d):
    have = (d.getVar(variable) or "").split()
    return " ".join(word for word in wanted.split() if word in have)


class File:
    """A recipe, or an appendix to one, with what it requires."""

    def __init__(self, path, layer, given=None):
        self.path, self.layer = path, layer
        self.name = path.name.removesuffix(".bbappend").removesuffix(".bb").split("_")[0]
        self.values = dict(DEFAULTS, BPN=self.name, PN=self.name, LAYERDIR=str(layer), **(given or {}))
        self.functions, self.inherited, self.required = {}, [], []
        self.later = []         # VAR:append and VAR:prepend, once everything is read
        self.scope = {"os": os, "d": self, "bb": types.SimpleNamespace(
            utils=types.SimpleNamespace(contains=_contains, filter=_filter))}
        self._read(path)
        for name, kind, value in self.later:
            old = self.values.get(name, "")
            self.values[name] = old + value if kind == "append" else value + old

    def _read(self, path):
        lines = iter(enumerate(path.read_text().splitlines(), 1))
        held = None
        while True:
            number, line = held or next(lines, (0, None))
            held = None
            if line is None:
                return
            where = f"{path.relative_to(self.layer)}:{number}"
            while line.endswith("\\"):
                line = line[:-1] + next(lines, (0, ""))[1]
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("def "):
                held = self._definition(where, line, lines)
            elif match := FUNCTION.match(line):
                self._function(where, match, lines)
            elif match := DIRECTIVE.match(line):
                self._directive(where, path, match)
            elif match := ASSIGNMENT.match(line):
                if match["quote"] in match["value"].replace("\\" + match["quote"], ""):
                    raise SyntaxWrong(f"{where}: a quote within quotes")
                self._assign(where, path, match)
            else:
                raise SyntaxWrong(f"{where}: not understood: {line}")

    def _definition(self, where, line, lines):
        """A Python function; the line that ends it is read again."""
        text, held = [line], None
        for number, line in lines:
            if line and not line[0].isspace():
                held = (number, line)
                break
            text.append(line)
        try:
            exec(compile("\n".join(text), where, "exec"), self.scope)
        except SyntaxError as error:
            raise SyntaxWrong(f"{where}: {error}") from error
        return held

    def _function(self, where, match, lines):
        body = []
        for _, line in lines:
            if line == "}":
                break
            body.append(line)
        else:
            raise SyntaxWrong(f"{where}: the function has no end")
        text = "\n".join(body) + "\n"
        if match["python"]:
            try:
                compile("def f(d):\n" + text, where, "exec")
            except SyntaxError as error:
                raise SyntaxWrong(f"{where}: {error}") from error
        else:
            plain = re.sub(r"\$\{@[^}]*\}", "x", text)
            check = subprocess.run(["sh", "-n"], input=plain, capture_output=True, text=True)
            if check.returncode:
                raise SyntaxWrong(f"{where}: {check.stderr.strip()}")
        self.functions[match["name"]] = text

    def _directive(self, where, path, match):
        words = self.expand(match["what"]).split()
        if match["word"] == "inherit":
            self.inherited += words
            return
        for word in words:
            found = [p for p in (path.parent / word, self.layer / word) if p.exists()]
            if not found and match["word"] == "require":
                raise SyntaxWrong(f"{where}: requires {word}, which is not there")
            for other in found[:1]:
                self.required.append(other)
                self._read(other)

    def _assign(self, where, path, match):
        if match["flag"]:
            return
        self.values["THISDIR"] = str(path.parent)
        name, how = self.expand(match["name"]), match["how"]
        value = self.expand(match["value"]) if how == ":=" else match["value"]
        parts = name.split(":")
        for kind in ("append", "prepend"):
            if kind in parts:
                at = parts.index(kind)
                if set(parts[at + 1:]) - {"class-target"}:
                    return
                self.later.append((":".join(parts[:at]), kind, value))
                return
        key = next((k for k in self.values if self.expand(k) == name), name)
        old = self.values.get(key)
        if how in ("=", ":="):
            self.values[key] = value
        elif how in ("?=", "??="):
            self.values.setdefault(key, value)
        elif how == "+=":
            self.values[key] = f"{old or ''} {value}"
        elif how == "=+":
            self.values[key] = f"{value} {old or ''}"
        elif how == ".=":
            self.values[key] = (old or "") + value
        elif how == "=.":
            self.values[key] = value + (old or "")
        else:
            raise SyntaxWrong(f"{where}: {how}")

    def getVar(self, name):     # as BitBake calls it
        for key, value in self.values.items():
            if key == name or ("${" in key and self.expand(key) == name):
                return self.expand(value)
        return None

    def words(self, name):
        return (self.getVar(name) or "").split()

    def expand(self, text):
        """${@python} and ${VARIABLE}; what nobody set stays as it is."""
        for _ in range(20):
            code = re.search(r"\$\{@(.+?)\}", text)
            if code:
                result = eval(code[1], self.scope)
                text = text[:code.start()] + str(result) + text[code.end():]
                continue
            new = re.sub(r"\$\{([\w:-]+)\}",
                         lambda m: self.values.get(m[1], m[0]), text)
            if new == text:
                return text
            text = new
        raise SyntaxWrong(f"{self.path.name}: {text} does not come to an end")

    def packages(self):
        """Each package with the patterns of its files, in the order in which they take them."""
        return [(p, self.words(f"FILES:{p}")) for p in self.words("PACKAGES")]
