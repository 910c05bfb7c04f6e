# SPDX-License-Identifier: Apache-2.0
"""The rate of the time stamp counter that TCG shows its guests: the host's own.

A guest calibrates it against emulated timers, and on a busy host it may come out several times too
slow; then all the guest's clocks run that much too fast. It is told instead.
"""

import ctypes
import mmap
import platform
import time

ICOUNT_KHZ = 1_000_000  # shift=0: a nanosecond, and a tick, an instruction
_RDTSC = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"  # rdtsc; shl $32,%rdx; or %rdx,%rax; ret


def host_khz():
    """Ticks a millisecond; None where the host has another kind of counter."""
    if platform.machine() != "x86_64":
        return None
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(_RDTSC)
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))

    def sample():
        # the tightest of a few looks at both clocks
        looks = []
        for _ in range(20):
            before = time.monotonic_ns()
            ticks = rdtsc()
            after = time.monotonic_ns()
            looks.append((after - before, (before + after) // 2, ticks))
        return min(looks)[1:]

    start_ns, start_ticks = sample()
    time.sleep(0.2)
    end_ns, end_ticks = sample()
    return (end_ticks - start_ticks) * 1_000_000 // (end_ns - start_ns)
