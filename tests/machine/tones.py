# SPDX-License-Identifier: Apache-2.0
"""How loud given tones are in what a sound card played."""

import array
import math
import statistics
import wave

HEADER = 44
RATE, CHANNELS = 48000, 2
BLOCK = RATE // 10


def cut(source, target):
    """Cut the silence off both ends of what QEMU wrote, whose header it may not have finished.
    Returns the samples of the first channel, or None where nothing was played."""
    samples = array.array("h")
    data = source.read_bytes()[HEADER:] if source.exists() else b""
    samples.frombytes(data[:len(data) // (2 * CHANNELS) * 2 * CHANNELS])
    heard = [i for i, sample in enumerate(samples) if sample]
    if not heard:
        return None
    first, last = heard[0] // CHANNELS * CHANNELS, (heard[-1] // CHANNELS + 1) * CHANNELS
    samples = samples[first:last]
    with wave.open(str(target), "wb") as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return samples[::CHANNELS]


def _level(block, hertz):
    """Of one tone, by Goertzel's algorithm, in dB of full scale."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    one = two = 0.0
    for sample in block:
        one, two = sample + turn * one - two, one
    power = one * one + two * two - turn * one * two
    amplitude = 2 * math.sqrt(max(power, 0)) / len(block) / 32768
    return 20 * math.log10(max(amplitude, 1e-6))


def levels(samples, tones):
    """[dB of each tone], ten a second."""
    starts = range(0, len(samples) - BLOCK + 1, BLOCK)
    return [[_level(samples[start:start + BLOCK], hertz) for hertz in tones] for start in starts]


def ducked(rows, heard=-45):
    """Of rows of music and chime: seconds of each alone or both, and by how many dB the music is
    quieter under the chime."""
    alone = [music for music, chime in rows if music > heard and chime < heard - 20]
    under = [music for music, chime in rows if music > heard and chime > heard]
    quieter = statistics.median(alone) - statistics.median(under) if alone and under else 0
    return len(alone) / 10, len(under) / 10, quieter
