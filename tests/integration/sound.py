"""sound - make tones, look for them in recordings. Standard library only."""
import array
import math
import os
import wave


def write_tone(path, hz, seconds, rate=48000, channels=1, level=8000):
    """hz is a whole number, so after rate / gcd samples it starts anew"""
    step, turn = 2 * math.pi * hz / rate, array.array("h")
    for n in range(rate // math.gcd(rate, hz)):
        turn.extend([round(level * math.sin(step * n))] * channels)
    samples = round(seconds * rate) * channels
    x = turn * (samples // len(turn) + 1)
    with wave.open(path, "wb") as w:
        w.setparams((channels, 2, rate, 0, "NONE", ""))
        w.writeframes(x[:samples].tobytes())
    return path


def write_speech(path, turns, silent=0):
    """the speech that lies with the phone, that often, behind so many seconds of silence"""
    with wave.open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sounds", "speech.wav")) as f, \
            wave.open(path, "wb") as out:
        out.setparams(f.getparams())
        out.writeframes(bytes(2 * silent * f.getframerate()) + f.readframes(f.getnframes()) * turns)
    return path


def read(path, channel=0):
    """-> (rate, samples of one channel); a header that was not finished is
    read as far as there are samples"""
    with open(path, "rb") as f:
        data = f.read()
    at, rate, channels = 12, 0, 1
    while at + 8 <= len(data):
        kind, size = data[at:at + 4], int.from_bytes(data[at + 4:at + 8], "little")
        if kind == b"fmt ":
            channels = int.from_bytes(data[at + 10:at + 12], "little")
            rate = int.from_bytes(data[at + 12:at + 16], "little")
        if kind == b"data":
            body = data[at + 8:at + 8 + size] if size else data[at + 8:]
            x = array.array("h")
            x.frombytes(body[:len(body) // 2 * 2])
            return rate, x[channel::channels]
        at += 8 + size + (size & 1)
    return rate, array.array("h")


def power(x, rate, hz):
    """(power of the tone, power of all), both of the mean square (Goertzel)"""
    c = 2 * math.cos(2 * math.pi * hz / rate)
    s1 = s2 = total = 0.0
    for v in x:
        s1, s2 = v + c * s1 - s2, s1
        total += v * v
    n = max(1, len(x))
    return 2 * (s1 * s1 + s2 * s2 - c * s1 * s2) / (n * n), total / n


def dbfs(mean_square):
    return 10 * math.log10(max(mean_square, 1e-3) / (32768.0 * 32768.0 / 2))


class Heard:
    """How a tone stands in a recording, looked at in windows of 20 ms

    purity    share of the sound that is the tone, in the windows that have it
    level     dBFS of the tone in those windows (a full sine is 0)
    seconds   how long it was heard from the first to the last such window
    gaps      [(second, length in seconds)] inside of that without the tone
    """

    def __init__(self, rate, x, hz):
        step = max(1, rate // 50)
        marks, levels, pure = [], [], []
        for at in range(0, len(x) - step + 1, step):
            tone, total = power(x[at:at + step], rate, hz)
            heard = total > 100 * 100 / 2 and tone > 0.5 * total
            marks.append(heard)
            if heard:
                levels.append(tone)
                pure.append(tone / total)
        self.rate, self.length = rate, len(x) / rate if rate else 0
        self.first = marks.index(True) if True in marks else None
        self.seconds, self.gaps, self.level, self.purity = 0.0, [], -99.0, 0.0
        if self.first is None:
            return
        last = len(marks) - 1 - marks[::-1].index(True)
        self.seconds = (last - self.first + 1) * step / rate
        self.level = dbfs(sorted(levels)[len(levels) // 2])
        self.purity = sorted(pure)[len(pure) // 2]
        begin = None
        for i in range(self.first, last + 1):
            if not marks[i] and begin is None:
                begin = i
            elif marks[i] and begin is not None:
                self.gaps.append((begin * step / rate, (i - begin) * step / rate))
                begin = None

    def __str__(self):
        return "%.2f s recorded, tone for %.2f s at %.1f dBFS, purity %.2f, %d gaps (%.0f ms)" % (
            self.length, self.seconds, self.level, self.purity, len(self.gaps), 1000 * sum(g for _, g in self.gaps))


def heard(path, hz, channel=0):
    return Heard(*read(path, channel), hz)
