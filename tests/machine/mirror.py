# SPDX-License-Identifier: Apache-2.0
"""Where Debian packages come from: the mirrors that this machine's apt uses already."""

import shlex
import subprocess
from pathlib import Path

from host import SetupError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def _one_line(text):
    for line in text.splitlines():
        words = shlex.split(line.replace("[", " [ ").replace("]", " ] "), comments=True)
        if not words or words[0] != "deb":
            continue
        if "[" in words:
            words = words[:1] + words[words.index("]") + 1:]
        if len(words) > 3:
            yield words[1], [words[2]], words[3:]


def _deb822(text):
    for paragraph in text.split("\n\n"):
        fields, name = {}, None
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            for uri in fields.get("uris", "").split():
                yield uri, fields.get("suites", "").split(), fields.get("components", "").split()


def _entries(etc):
    yield from _one_line("\n".join(
        p.read_text() for p in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]
        if p.exists()))
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        yield from _deb822(path.read_text())


def _codename():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    return ""


def sources(suite="trixie", etc=Path("/etc/apt")):
    """sources.list of the image: our suite from this machine's own mirrors."""
    here = _codename()
    main = security = None
    for uri, suites, components in _entries(etc):
        if "main" not in components:
            continue
        if here in suites:
            main = main or uri
        if f"{here}-security" in suites:
            security = security or uri
    if not main:
        raise SetupError(f"apt has no source for Debian '{here}': add one to /etc/apt/sources.list")
    wanted = [(main, suite), (main, f"{suite}-updates"), (main, f"{suite}-backports")]
    if security:
        wanted.append((security, f"{suite}-security"))
    return "".join(f"deb [signed-by={KEYRING}] {uri} {name} main\n" for uri, name in wanted)


def apt_options():
    """Proxies, credentials for TLS and checks of this machine's apt, for the image's apt."""
    kept = ("acquire::http::", "acquire::https::", "acquire::check-", "acquire::retries")
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    return [line for line in dump.stdout.splitlines()
            if line.lower().startswith(kept) and not line.endswith('"";')]
