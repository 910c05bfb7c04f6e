# SPDX-License-Identifier: Apache-2.0
"""tests/demo: boots the device host, runs demo/scenario.sh in it, plots what was on the bus and what
the speaker played."""

import argparse
import re
import shutil
import sys

import agent
import host
import layers
import qemu
import tones
from host import MACHINE, say

OUT = host.BUILD / "demo"
IDS = ["120", "520", "6A0", "0AD"]
MUSIC, CHIME = 220, 3520
DUCK = 15  # dB, demo/speaker.toml
FRAME = re.compile(r"^\((\d+\.\d+)\) \S+ ([0-9A-F]+)#")


def frames_per_second(log):
    """[(second, count of each id)] of a candump log."""
    seconds, first = {}, None
    for line in log.read_text(errors="replace").splitlines():
        frame = FRAME.match(line)
        if not frame:
            continue
        time = float(frame.group(1))
        first = first or time
        counts = seconds.setdefault(int(time - first), dict.fromkeys(IDS, 0))
        if frame.group(2) in counts:
            counts[frame.group(2)] += 1
    return [(second, *seconds[second].values()) for second in sorted(seconds)]


def plot(layer):
    rows = frames_per_second(OUT / "bus.log")
    text = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    (OUT / "frames.dat").write_text(text)
    layers.in_root(layer.stack(), None, ["gnuplot", "/src/tests/machine/demo/plot.gnuplot"])


def listen(layer, played):
    """Leaves sound.wav and its spectrogram; whether the music was quieter under the chime."""
    samples = tones.cut(played, OUT / "sound.wav")
    if samples is None:
        say("FAILED: the speaker played nothing")
        return False
    alone, under, quieter = tones.ducked(tones.levels(samples, (MUSIC, CHIME)))
    layers.in_root(layer.stack(), None, ["sox", "/build/demo/sound.wav", "-n", "spectrogram",
                                         "-y", "257", "-o", "/build/demo/sound.png"])
    ok = alone >= 3 and under >= 1 and abs(quieter - DUCK) <= 1
    say(f"{'ok' if ok else 'FAILED'}: music alone for {alone:.1f} s, with the chime for {under:.1f} s, "
        f"{quieter:.1f} dB quieter there")
    return ok


class Both:
    """Passes the output on and keeps it."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def take(self, _, data):
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        self.file.write(data)
        self.file.flush()


def main(argv):
    parser = argparse.ArgumentParser(prog="tests/demo", description=__doc__)
    parser.add_argument("--kernel", default="6.12", help="6.12 (default) or 7.2")
    options = parser.parse_args(argv)
    host.install_packages()
    layer = layers.ensure("product" if options.kernel == "6.12" else "modules", want_emulator=True)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for path in (MACHINE / "demo").iterdir():
        shutil.copy(path, OUT)
    machine = qemu.Machine(layer, options.kernel, share=OUT)
    say(f"booting the device host, kernel {options.kernel}")
    with machine:
        try:
            status = machine.run(["bash", "/mnt/share/scenario.sh"], timeout=500,
                                 output=Both(OUT / "demo.log").take)
        except (TimeoutError, agent.AgentError) as problem:
            say(f"the demo did not end: {problem}")
            status = host.VM_DIED
        splat = machine.splat()
    for log in machine.dir.glob("*.log"):
        shutil.copy(log, OUT)
    if splat:
        print(splat, file=sys.stderr)
        status = host.SPLAT
    if (OUT / "bus.log").exists():
        plot(layer)
    if not listen(layer, machine.dir / "hda.wav") and status == 0:
        status = 1
    say(f"logs, the plot frames.png, sound.wav and its spectrogram sound.png are in {OUT}")
    say("the demo did what it should" if status == 0 else f"THE DEMO FAILED ({status})")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except host.SetupError as problem:
        say(str(problem))
        sys.exit(host.SETUP_FAILED)
    except KeyboardInterrupt:
        sys.exit(130)
