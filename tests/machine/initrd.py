# SPDX-License-Identifier: Apache-2.0
"""The initrd of device host and guests alike: busybox and the modules that reach the layers."""

import lzma
from pathlib import Path

# in the order in which /init wants them; what is built in is left out
MODULES = ["virtio_mmio", "virtio_blk", "ext4", "overlay"]
SHARE_MODULES = ["9pnet_virtio", "9p"]  # only where directories are shared: they take seconds in a guest


class Cpio:
    """A writer of the kernel's "newc" archives."""

    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def add(self, name, mode, content=b"", rdev=(0, 0)):
        self.inode += 1
        raw = name.encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, *rdev, len(raw), 0]
        self.data += b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        self.data += b"\0" * (-len(self.data) % 4)
        self.data += content
        self.data += b"\0" * (-len(self.data) % 4)

    def finish(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data)


def module_files(modules_dir, names):
    """The files of these modules with their dependencies, in loading order."""
    depends, by_name = {}, {}
    for line in (modules_dir / "modules.dep").read_text().splitlines():
        path, needs = line.split(":")
        depends[path] = needs.split()
        by_name[Path(path).name.split(".")[0].replace("-", "_")] = path
    order = []

    def load(path):
        for need in reversed(depends[path]):
            load(need)
        if path not in order:
            order.append(path)

    builtin = (modules_dir / "modules.builtin").read_text()
    for name in names:
        if name in by_name:
            load(by_name[name])
        elif f"/{name}.ko" not in builtin.replace("-", "_"):
            raise FileNotFoundError(f"{modules_dir} has no module {name}")
    # the aliases are soft dependencies that modules.dep does not know
    for name in ("crc32c_cryptoapi", "crc32c_generic", "libcrc32c"):
        if name in by_name and by_name[name] not in order:
            order.insert(0, by_name[name])
    return [modules_dir / path for path in order]


def plain(path):
    """A module's content, decompressed."""
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def make(busybox, modules_dir, init, target):
    """Write the initrd of one kernel."""
    cpio = Cpio()
    for directory in ("bin", "dev", "proc", "sys", "m", "layers", "upper", "root"):
        cpio.add(directory, 0o040755)
    cpio.add("dev/console", 0o020600, rdev=(5, 1))
    cpio.add("bin/busybox", 0o100755, busybox.read_bytes())
    cpio.add("bin/sh", 0o120777, b"busybox")
    cpio.add("init", 0o100755, init.read_bytes())
    listed = set()
    for listing, wanted in ("modules", MODULES), ("share-modules", SHARE_MODULES):
        paths = [path for path in module_files(modules_dir, wanted) if path not in listed]
        listed.update(paths)
        names = [path.name.split(".")[0] + ".ko" for path in paths]
        for name, path in zip(names, paths):
            cpio.add(f"m/{name}", 0o100644, plain(path))
        cpio.add(listing, 0o100644, "".join(f"{n}\n" for n in names).encode())
    target.parent.mkdir(parents=True, exist_ok=True)
    # decompressing costs more time under emulation than reading
    target.write_bytes(cpio.finish())


def make_all(layer, roots):
    """The initrds of all kernels, {release: root that has its modules}, into a layer."""
    busybox = layer.stack()[-1].root / "usr/bin/busybox"
    for release, root in roots.items():
        make(busybox, root / "usr/lib/modules" / release,
             Path(__file__).parent / "guest/initrd-init",
             layer.root / f"usr/lib/devhost-bench/initrd-{release}")


def make_image(root, made, init, target):
    """A guest's own kernel, and an initrd of busybox, the agent and one module."""
    cpio = Cpio()
    for directory in ("bin", "dev", "proc", "sys", "m", "root", "tmp"):
        cpio.add(directory, 0o040755)
    cpio.add("dev/console", 0o020600, rdev=(5, 1))
    cpio.add("bin/busybox", 0o100755, (root / "usr/bin/busybox").read_bytes())
    cpio.add("bin/sh", 0o120777, b"busybox")
    cpio.add("bin/agent", 0o100755, (made / "agent").read_bytes())
    for module in sorted(made.glob("*.ko")):
        cpio.add(f"m/{module.name}", 0o100644, module.read_bytes())
    cpio.add("init", 0o100755, init.read_bytes())
    target.mkdir(parents=True, exist_ok=True)
    (target / "vmlinuz").write_bytes((made / "vmlinuz").read_bytes())
    (target / "initrd").write_bytes(cpio.finish())
