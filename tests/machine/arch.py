# SPDX-License-Identifier: Apache-2.0
"""What differs between the architectures of device hosts; also used inside of them, for guests."""

import dataclasses
import platform


@dataclasses.dataclass(frozen=True)
class Arch:
    name: str              # Debian's
    machine: str           # the kernel's
    emulator: str
    emulator_package: str
    console: str           # serial lines, without the number
    host: tuple            # of the device host, for QEMU
    kernel_args: str
    guest: tuple           # of guests under KVM
    guest_args: str
    kvm_module: str = ""   # where it is one

    @property
    def gnu(self):
        return f"{self.machine}-linux-gnu"

    def layer(self, name):
        """Of the machine's own architecture, layers have plain names."""
        return name if self is AMD64 else f"{self.name}-{name}"


AMD64 = Arch(
    name="amd64", machine="x86_64",
    emulator="qemu-system-x86_64", emulator_package="qemu-system-x86", console="ttyS",
    # TCG emulates AMD's SVM
    host=("-M", "q35", "-cpu", "max,+svm,+npt"),
    kernel_args="clocksource.verify_n_cpus=0 tsc=reliable no_timer_check",
    # the XSAVE sizes that TCG's CPUID shows a nested guest are wrong: do without, and what needs it
    guest=("-M", "microvm,acpi={acpi},pit=on,pic=on,rtc=on,memory-backend=m",
           "-cpu", "host,-xsave,-avx,-avx2,-fma,-f16c,-vaes,-vpclmulqdq,-pku,-gfni"),
    guest_args="loglevel=5 reboot=t initcall_blacklist=i8042_init,cmos_init,cec_init "
               "tsc=reliable no_timer_check",
    kvm_module="kvm_amd")

ARM64 = Arch(
    name="arm64", machine="aarch64",
    emulator="qemu-system-aarch64", emulator_package="qemu-system-arm", console="ttyAMA",
    # EL2 is emulated; pointers are signed in a way that costs TCG little
    host=("-M", "virt,virtualization=on,gic-version=3", "-cpu", "max,pauth-impdef=on"),
    kernel_args="",
    guest=("-M", "virt,gic-version=3,memory-backend=m", "-cpu", "host"),
    # each character of a PL011 leaves KVM
    guest_args="quiet")

ALL = {arch.name: arch for arch in (AMD64, ARM64)}


def here():
    """The architecture that this runs on."""
    return next(arch for arch in ALL.values() if arch.machine == platform.machine())
