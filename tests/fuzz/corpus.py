#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the corpora that are bytes: good requests and known bad ones, as the fuzzers read them.
Those that are text (guest_file, mixer_file, records) are written by hand. Run it after a change of a
fuzzer's input: tests/fuzz/corpus.py"""

from pathlib import Path
from struct import pack

CORPUS = Path(__file__).resolve().parent / "corpus"
NEXT, WRITE, INDIRECT, AVAIL, USED = 1, 2, 4, 0x80, 0x8000


def save(target, name, *parts):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(b"".join(parts))


def descriptor(area, offset, length, a, b):
    """As RingFuzz::descriptor() reads it."""
    data = bytes([area, offset, length, a & 0xff, b & 0xff])
    if a & 0xff >= 0x80 or b & 0xff >= 0x40:
        data += bytes([a >> 8, b >> 8])
    return data


def put(area, offset, length, a, b, table=0, index=0):
    return b"\x00" + descriptor(area, offset, length, a, b) + bytes([table, index])


def ring():
    pop, push, notify = b"\x06", b"\x0a\x00\x00", b"\x0b\x00"
    kicks = b"\x0b\x01\x0b\x02"
    read, write, span, skip, rewind = (bytes([8, 0, how, n]) for how, n in (
        (0, 8), (1, 8), (2, 4), (4, 2), (5, 0)))
    # areas 0 to 2 are the ring's, 3 to 8 are data
    request = put(3, 0, 16, NEXT, 1, index=0) + put(4, 0, 32, WRITE, 0, index=1)
    serve = pop + read + span + rewind + write + skip + push + notify + kicks
    table = (put(3, 0, 8, NEXT, 1, table=4, index=0) + put(6, 0, 8, WRITE, 0, table=4, index=1)
             + put(4, 0, 32, INDIRECT, 0, index=2))
    for flags in (0, 2, 4, 6):
        save("ring", f"split-{flags}", bytes([flags, 3, 0, 0]), request, b"\x03\x00", serve,
             table, b"\x03\x02", serve)
        offer = b"\x03" + descriptor(3, 0, 16, 5, NEXT) + b"\x03" + descriptor(4, 0, 8, 5, WRITE)
        save("ring", f"packed-{flags}", bytes([flags | 1, 7, 0, 0]), offer, serve,
             put(3, 0, 8, 0, 0, table=4), put(6, 0, 8, 0, WRITE, table=4, index=1),
             b"\x03" + descriptor(4, 0, 32, 3, INDIRECT), serve)
    loop = put(3, 0, 16, NEXT, 1, index=0) + put(3, 0, 16, NEXT, 0, index=1)
    save("ring", "loop", bytes([4, 3, 0, 0]), loop, b"\x03\x00", pop, notify)
    save("ring", "jump", bytes([2, 3, 0xfe, 0xff]), request, b"\x05", pack("<H", 40000), pop,
         b"\x0d\x00\x02\x00", pop)
    # over seams: 300 bytes of three regions, and memory that moves meanwhile
    seams = b"\x00" + bytes([4, 0, 0xf0]) + pack("<I", 300) + bytes([WRITE, 0, 0, 0])
    save("ring", "seams", bytes([0, 3, 0, 0]), seams, b"\x03\x00", pop, b"\x0c\x00\x00",
         write, b"\x0c\x01\x01\x00", write, push)
    save("ring", "race", bytes([4, 3, 0, 0]), table, b"\x0c\x02\x01\x00\x08\x04\xff\xff\xff\xff",
         b"\x03\x02", pop, read, push)


def request(what, *words, room=136, first=None, more=0, flags=0):
    """A request to a video device and room for its answer."""
    body = pack(f"<{1 + len(words)}I", what, *words)
    first = len(body) if first is None else first
    head = bytes([flags | (2 if more else 0)]) + (pack("<H", more) if more else b"")
    return head + bytes([room, first]) + body[:first]


def video():
    stream, source, sink = 7, 0x100, 0x101
    answer = b"\x01" + pack("<BII", 1, 4096, 64)
    entries = b"\x02" + pack("<QIQI", 0x10000, 4096, 0xfffffffffffff000, 4096)
    plain = (sink, 3, 1280, 720, 4, 32, 0, 0, 1280, 720, 25, 2, 921600, 1280, 460800, 1280)
    cases = {
        "capability": request(0x100, 0, source, 0),
        "create": request(0x101, stream, 0, 0, 0x1002, *[0] * 17),
        "create-objects": request(0x101, stream, 1, 1, 0x1006, *[0] * 17, flags=1),
        "destroy": request(0x102, stream),
        "resource": request(0x104, stream, source, 42, 1, 1, *[0] * 8, 3, *[0] * 7, more=3),
        "resource-overflow": request(0x104, stream, source, 42, 1, 3, *[0] * 8, 0x80000000,
                                     0x80000000, 2, *[0] * 5, more=2),
        "queue": request(0x105, stream, sink, 42, 0, 0, 1, 1000, *[0] * 8),
        "clear": request(0x107, stream, sink, 0),
        "get-params": request(0x108, stream, sink, 0),
        "get-params-no-room": request(0x108, stream, sink, 0, room=20),
        "set-params": request(0x109, stream, *plain, *[0] * 12),
        "set-params-ext": request(0x10e, stream, *plain, *[0] * 12, 1, 0, flags=1),
        "query-control": request(0x10a, stream, 2, 0, 0x1002, 0),
        "get-control": request(0x10b, stream, 1, 0),
        "set-control": request(0x10c, stream, 1, 0, 500000, 0),
        "no-room": request(0x102, stream, room=7),
        "short": request(0x105, stream, sink, 42, first=11),
    }
    for name, data in cases.items():
        save("video", name, data, answer, entries)


def message(data, room, piece=63):
    """What devhost_device::request() reads."""
    return bytes([room, piece, len(data)]) + data


def scmi():
    def command(protocol, number, *words, room=136, piece=63):
        header = number | protocol << 10 | 5 << 18
        return b"\x00" + message(pack(f"<{1 + len(words)}I", header, *words), room, piece)

    buffer = b"\x04" + message(b"", 64)
    run, tick, reset = b"\x05", b"\x06\x0e\x0e\x0e", b"\xf7"
    base = b"".join(command(0x10, n, 0, 0) for n in range(0xd))
    base += command(0x10, 0) + command(0x10, 1) + command(0x10, 2, 3) + command(0x10, 6, 0) \
        + command(0x10, 7, 1) + command(0x10, 8, 1) + command(0x10, 9, 1)
    starts = {"plain": 0, "p2a": 3, "shapes": 0x7f, "denied": 3}
    for name, flags in starts.items():
        verdicts = 0x55 if name == "denied" else 0
        save("scmi", f"base-{name}", bytes([flags, verdicts]), base, run, buffer)
    both = bytes([3, 0])
    power = [(3, 0), (4, 0, 0, 0x40000000), (4, 0, 0, 0), (5, 0), (6, 0, 1), (7, 0, 1), (8, 0)]
    system = [(3, 1, 1), (4,), (5, 1)]
    perf = [(3, 0), (4, 0, 0), (4, 1, 3), (5, 0, 8000, 2000), (6, 0), (7, 0, 4000), (8, 0),
            (9, 0, 1), (10, 0, 1), (12, 0)]
    clock = [(3, 0), (4, 0, 0), (5, 0, 0, 4000, 0), (5, 1, 0, 5000, 0), (6, 0), (7, 0, 1),
             (8, 0), (9, 0, 1), (10, 0, 1), (11, 0, 0)]
    sensor = [(3, 0), (4, 0, 1), (5, 0, 3, 500, 0), (6, 0, 0), (6, 1, 1), (7, 0, 0), (8, 0),
              (9, 0, 0x00010203), (9, 1, 1), (10, 0, 1), (11, 1, 1), (12, 0)]
    lines = [(3, 0), (4, 0, 1, 0), (4, 0, 2, 0), (4, 0, 5, 0), (5, 0, 1), (6, 0)]
    voltage = [(3, 0), (4, 0, 0), (4, 1, 2), (5, 0, 7), (6, 0), (7, 0, 0, 4000), (7, 0, 1, 4000),
               (8, 0), (9, 0)]
    for protocol, messages in ((0x11, power), (0x12, system), (0x13, perf), (0x14, clock),
                               (0x15, sensor), (0x16, lines), (0x17, voltage)):
        good = b"".join(command(protocol, *m) for m in [(0,), (1,), (2, 3), *messages])
        hosts = b"\x07\x00\x02" + pack("<Q", 3000) + b"\x07\x05\x03" + pack("<Q", 9001) \
            + b"\x07\x02\x07" + pack("<Q", 600)
        save("scmi", f"protocol-{protocol:x}", both, buffer, good[:1800], run, tick, hosts,
             buffer * 3, run, reset, good[:600])
        split = b"".join(command(protocol, *m, room=12 + 8 * i, piece=0)
                         for i, m in enumerate(messages))
        save("scmi", f"pieces-{protocol:x}", both, split, run, buffer, b"\x07\x03\x00",
             pack("<Q", 1), split, run)
    # the second of each kind, which may be one to be looked at only
    second = command(0x11, 4, 0, 1, 0x40000000) + command(0x13, 5, 1, 8000, 2000) \
        + command(0x13, 7, 1, 4000) + command(0x14, 5, 0, 1, 4000, 0) + command(0x14, 7, 1, 1) \
        + command(0x16, 4, 1, 1, 0) + command(0x17, 5, 1, 7) + command(0x17, 7, 1, 0, 4000)
    for name, flags in (("second", 3), ("second-read-only", 0x0b), ("second-narrow", 0x33)):
        save("scmi", name, bytes([flags, 0]), second[:1000], run, second[:1000], run)


def can():
    def transmit(length, flags, identifier, data=b"", kind=1, reserved=0, room=1, piece=63):
        return b"\x00" + message(pack("<HHBBHII", kind, length, reserved, 0, 0, flags, identifier)
                                 + data, room, piece)

    def bus(identifier, data, is_fd=False):
        size = [*range(9), 12, 16, 20, 24, 32, 48, 64].index(len(data))
        return b"\x03" + bytes([is_fd]) + pack("<IB", identifier, size) + data

    start, stop = (b"\x02" + message(pack("<H", 0x200 + n), 1) for n in (1, 2))
    buffer, small = b"\x04" + message(b"", 80), b"\x04" + message(b"", 18)
    eight, long = bytes(range(8)), bytes(range(64))
    everything = bytes([7, 4, 0])
    frames = transmit(8, 0, 0x123, eight) + transmit(64, 0xc000, 0x1234567, long) \
        + transmit(4, 0x2000, 0x7ff) + transmit(8, 0x8000, 0x1fffffff, eight, piece=0)
    save("can", "transmit", everything, start, frames, stop)
    save("can", "classic", bytes([1, 4, 0]), start, frames)
    save("can", "refused", everything, start, transmit(9, 0, 1, eight + b"x"),
         transmit(65, 0x4000, 1, long + b"x"), transmit(8, 0x6000, 1, eight),
         transmit(8, 0, 0x800, eight), transmit(8, 0, 1, eight[:3]), transmit(0, 1, 1),
         transmit(0, 0, 1, kind=2), transmit(0, 0, 1, reserved=1), transmit(0, 0, 1, room=0))
    save("can", "receive", everything, start, buffer, bus(0x123, eight),
         bus(0x92345678, long, True), buffer, bus(0x40000001, b""), bus(0x20000001, eight),
         small, bus(1, eight) * 6, buffer * 4, b"\x05\x00", start, b"\x05\x02", start)
    save("can", "denied", bytes([7, 0, 0x55]), start, frames, bus(1, eight) * 3, buffer * 2)


def snd():
    def ask(code, *words, room=200, raw=b""):
        data = pack(f"<{1 + len(words)}I", code, *words) + raw
        length = bytes([0, len(data)]) if len(data) < 64 else bytes([63, (len(data) + 3) // 4])
        data += bytes(-len(data) % 4 if len(data) >= 64 else 0)
        return b"\x00" + bytes([room // 8, room % 8]) + length + data + b"\xff"

    def params(stream, size, period, features, channels, form, rate):
        return ask(0x101, stream, size, period, features, raw=bytes([channels, form, rate, 0]))

    every = bytes([0x37, 3, 9, 0, 0])
    infos = b"".join(ask(code, 0, n, size) for code, n, size in (
        (1, 3, 24), (0x100, 2, 32), (0x200, 1, 24), (0x300, 1, 88)))
    save("snd", "infos", every, infos, ask(1, 1, 0xffffffff, 24), ask(0x100, 0, 3, 32),
         ask(1, 0, 1, 24, room=20), ask(1, 0, 0, 24), ask(2, 1, 0, 0), ask(2, 9, 0, 0))
    save("snd", "params", every, params(0, 16384, 4096, 3, 2, 5, 7), params(1, 7, 7, 0, 1, 3, 1),
         params(0, 0, 0, 0, 2, 5, 7), params(0, 3 * 4102, 4102, 0, 2, 5, 7), params(0, 1 << 21, 4096, 0, 2, 5, 7),
         params(0, 16384, 4096, 4, 2, 5, 7), params(2, 16384, 4096, 0, 2, 5, 7),
         params(0, 16384, 4096, 0, 255, 25, 16), ask(0x102, 0), ask(0x104, 1), ask(0x105, 7))
    controls = b"".join(ask(0x302, i, room=1300) + ask(0x303, i, raw=bytes(1224 // 8)) +
                        ask(0x304, i, room=40) + ask(0x301, i, room=1300) for i in range(6))
    save("snd", "controls", every, controls[:3000], b"\x06")
    save("snd", "controls-fail", every, b"\x0f", ask(0x302, 1, room=1300), b"\x06",
         ask(0x301, 3, room=1300), b"\x06\x07", ask(0x302, 1, room=60), ask(0x306, 1))
    save("snd", "nothing", bytes(5), infos, ask(0x302, 0), ask(0x999), ask(1, room=3))


if __name__ == "__main__":
    ring()
    video()
    scmi()
    can()
    snd()
