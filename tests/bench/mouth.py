#!/usr/bin/env python3
"""mouth.py - from mouth to ear, through two virtual sound cards and a call.

  mouth.py --offhook PROGRAM [--codec pcmu] [--latency 40ms] [--seconds 12]
           [--first 4]

What one phone's microphone hears and what the other one's loudspeaker plays
are the two channels of one PulseAudio sink, so that one recording has both on
one clock. A burst of a tone is said into the first every 700 ms; how long
after it the same burst is in the second channel is the delay, in which there
is the packet time, what the codec looks ahead, the buffers of both devices
(as PortAudio tells them), and what is left: ours. Each codec and setting is a
line; the phones' own figures stand beside it.

Also, from the phones' logs: how long it took to open the devices. And from the
answer to the first sound: somebody talks all the time while the call is made
(so many times, with the devices closed before it and with the devices still
open), and it is heard so long after the call was active; the recording's clock
is known to some 20 ms.
Nothing here passes or fails.
"""
import argparse
import array
import datetime
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave

HERE = os.path.dirname(os.path.abspath(__file__))
CARD = os.path.join(HERE, "..", "tools", "virtual-sound")
RATE = 48000
LOOK_AHEAD = {"opus": 6.5, "g722": 1.4, "pcmu": 0, "pcma": 0, "l16": 0}


def bursts(path, seconds):
    x = array.array("h")
    for n in range(round(seconds * RATE)):
        at = n % round(0.7 * RATE)
        x.append(round(12000 * math.sin(2 * math.pi * 1000 * at / RATE)) if at < RATE // 25 else 0)
    with wave.open(path, "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", ""))
        w.writeframes(x.tobytes())


def onsets(x):
    """-> samples at which something loud begins after 300 ms of quiet"""
    out, quiet = [], 0
    for n, v in enumerate(x):
        if abs(v) > 1500:
            if quiet > 0.3 * RATE:
                out.append(n)
            quiet = 0
        else:
            quiet += 1
    return out


def delays(path):
    with wave.open(path) as w:
        x = array.array("h")
        data = w.readframes(w.getnframes())
        x.frombytes(data[:len(data) // 4 * 4])
    said, heard = onsets(x[0::2]), onsets(x[1::2])
    out = []
    for s in said:
        after = [h for h in heard if s <= h < s + 0.6 * RATE]
        if after:
            out.append((after[0] - s) * 1000 / RATE)
    return out


class Phone:
    def __init__(self, program, folder, name, env, *args):
        home = os.path.join(folder, name)
        os.makedirs(home, exist_ok=True)
        self.log = open(os.path.join(folder, name + ".log"), "w", encoding="utf-8")
        self.proc = subprocess.Popen([program, "--new", "-j", "-vv", "-c", home, "-l", "udp:127.0.0.1", *args], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, bufsize=1,
                                     env={**os.environ, **env, "HOME": home})
        self.seen = []

    def until(self, seconds, wanted):
        """the first object from now on that is wanted"""
        os.set_blocking(self.proc.stdout.fileno(), True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            line = self.proc.stdout.readline()
            if not line:
                break
            o = json.loads(line)
            self.seen.append(o)
            if wanted(o):
                return o
        sys.exit("a phone did not say what was awaited; its log: " + self.log.name)

    def command(self, line, seconds=30):
        self.proc.stdin.write(line + "\n")
        return self.until(seconds, lambda o: "reply" in o)

    def end(self):
        try:
            self.proc.stdin.write("quit\n")
            self.proc.stdin.close()
            self.proc.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.proc.kill()
            self.proc.wait()


def card(folder):
    out = subprocess.run([CARD, "start", "-d", folder, "mouth", "ear"], capture_output=True, text=True, timeout=60, check=True)
    env = dict(x[len("export "):].split("=", 1) for x in out.stdout.splitlines())
    env = {k: v.strip("'") for k, v in env.items()}

    def load(*args):
        subprocess.run(["pactl", "load-module", *args], env={**os.environ, **env}, check=True, timeout=20,
                       stdout=subprocess.DEVNULL)

    load("module-null-sink", "sink_name=world", "rate=%d" % RATE, "channels=2", "norewinds=1",
         "channel_map=front-left,front-right")
    for name, side in (("said", "front-left"), ("heard", "front-right")):
        load("module-remap-sink", "sink_name=" + name, "master=world", "channels=1", "channel_map=mono",
             "master_channel_map=" + side, "remix=no")
    load("module-remap-source", "source_name=says", "master=world.monitor", "channels=1", "channel_map=mono",
         "master_channel_map=front-left", "remix=no")
    with open(os.path.join(folder, "asound.conf"), "a", encoding="ascii") as f:
        f.write("pcm.near { type asym playback.pcm { type pulse device mouth_spk } capture.pcm { type pulse device says }\n"
                "hint { show on description near } }\n"
                "pcm.far { type asym playback.pcm { type pulse device heard } capture.pcm { type pulse device ear_mic }\n"
                "hint { show on description far } }\n")
    return env


def measure(args, env, folder, codec, latency, extra):
    opts = ["-s", "codecs=" + codec, "-s", "audio-latency=" + latency, "-s", "echo-cancel=no", "-s", "noise-suppress=no",
            "-s", "echo-limiter=off"] + extra
    b = Phone(args.offhook, folder, "far", env, "-A", "portaudio:far", "--auto-answer", *opts)
    uri = b.command("status")["listeners"][0]["address"]
    a = Phone(args.offhook, folder, "near", env, "-A", "portaudio:near", *opts)
    try:
        a.command("dial sip:x@" + uri)
        a.until(20, lambda o: o.get("event") == "call.state" and o["state"] == "active")
        a.command("sleep 2")
        wav = os.path.join(folder, "world.wav")
        rec = subprocess.Popen(["parecord", "-d", "world.monitor", "--channels=2", "--channel-map=front-left,front-right",
                                "--rate=%d" % RATE, "--format=s16le", "--file-format=wav", "--latency-msec=20", wav],
                               env={**os.environ, **env})
        say = os.path.join(folder, "say.wav")
        bursts(say, args.seconds)
        subprocess.run(["paplay", "-d", "said", say], env={**os.environ, **env}, timeout=args.seconds + 20, check=False)
        near, far = a.command("stats"), b.command("stats")
        rec.terminate()
        rec.wait(10)
        ms = delays(wav)
    finally:
        a.end()
        b.end()
    if not ms:
        print("%-5s %-6s nothing was heard" % (codec, latency))
        return
    both = said(folder, "near")[0] + said(folder, "far")[1]
    mid = statistics.median(ms)
    packet = far.get("packet_ms", 20)
    ours = mid - packet - LOOK_AHEAD[codec] - both
    print("%-5s %-6s mouth to ear %6.1f ms (%.1f to %.1f, %d bursts) = packet %g + look-ahead %g + devices %d + ours %.1f" % (
        codec, latency, mid, min(ms), max(ms), len(ms), packet, LOOK_AHEAD[codec], both, ours))
    print("             told: microphone %s, loudspeaker %s, jitter buffer %s ms; devices open after %s and %s ms" % (
        near.get("mic_ms"), far.get("speaker_ms"), far.get("delay_ms"), said(folder, "near")[2], said(folder, "far")[2]))


class Recorder(threading.Thread):
    """the world as it goes by, and when it did"""

    def __init__(self, env):
        super().__init__(daemon=True)
        self.proc = subprocess.Popen(["parec", "-d", "world.monitor", "--channels=2", "--channel-map=front-left,front-right",
                                      "--rate=%d" % RATE, "--format=s16le", "--latency-msec=20"], stdout=subprocess.PIPE,
                                     env={**os.environ, **env})
        self.data, self.began = bytearray(), float("inf")
        self.start()

    def run(self):
        while chunk := os.read(self.proc.stdout.fileno(), 65536):
            self.data += chunk
            # the chunk that waited least tells when the first sample was
            self.began = min(self.began, time.time() - len(self.data) / (4 * RATE))

    def heard(self):
        """-> when the second channel first had something loud, None: never"""
        self.proc.terminate()
        self.proc.wait(10)
        self.join(10)
        x = array.array("h")
        x.frombytes(bytes(self.data[:len(self.data) // 4 * 4]))
        first = next((n for n, v in enumerate(x[1::2]) if abs(v) > 1500), None)
        return None if first is None else self.began + first / RATE


def first_sound(args, env, folder, codec, extra):
    # a busy tone at the end of a call would be the first sound of the next
    opts = ["-s", "codecs=" + codec, "-s", "echo-cancel=no", "-s", "noise-suppress=no", "-s", "echo-limiter=off", "-s",
            "tones=off"] + extra
    b = Phone(args.offhook, folder, "called", env, "-A", "portaudio:far", "--auto-answer", *opts)
    uri = b.command("status")["listeners"][0]["address"]
    a = Phone(args.offhook, folder, "calling", env, "-A", "portaudio:near", *opts)
    say = os.path.join(folder, "steady.wav")
    with wave.open(say, "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", ""))
        w.writeframes(array.array("h", (round(12000 * math.sin(2 * math.pi * n / 48)) for n in range(RATE))).tobytes() *
                      round(30 + 12 * args.first))
    talker = subprocess.Popen(["paplay", "-d", "said", say], env={**os.environ, **env})
    try:
        for name, pause in (("closed", 4), ("open", 0.5)):
            ms = []
            for turn in range(args.first + 1):
                time.sleep(pause)
                rec = Recorder(env)
                time.sleep(0.3)
                a.command("dial sip:x@" + uri)
                e = a.until(20, lambda o: o.get("event") == "call.state" and o["state"] == "active")
                active = datetime.datetime.fromisoformat(e["time"].replace("Z", "+00:00")).timestamp()
                a.command("sleep 1500ms")
                heard = rec.heard()
                a.command("hangup")
                a.until(20, lambda o: o.get("event") == "call.state" and o["state"] == "ended")
                # the first with open devices follows one with closed ones
                if heard is not None and (turn or pause > 1):
                    ms.append((heard - active) * 1000)
            if ms:
                print("%-5s first sound %4.0f ms after the answer (%.0f to %.0f, %d calls), devices %s before" % (
                    codec, statistics.median(ms), min(ms), max(ms), len(ms), name))
    finally:
        talker.kill()
        talker.wait()
        a.end()
        b.end()


def said(folder, name):
    """-> what PortAudio says of microphone and loudspeaker, and how long it took to open them; ms"""
    with open(os.path.join(folder, name + ".log"), encoding="utf-8") as f:
        found = re.search(r"latency (\d+) and (\d+) ms, open after (\d+) ms", f.read())
    return tuple(map(int, found.groups())) if found else (0, 0, 0)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--offhook", required=True)
    p.add_argument("--codec", action="append")
    p.add_argument("--latency", action="append")
    p.add_argument("--seconds", type=float, default=12)
    p.add_argument("--first", type=int, default=4)
    p.add_argument("--set", action="append", default=[])
    args = p.parse_args()
    args.offhook = os.path.abspath(args.offhook)
    folder = tempfile.mkdtemp(prefix="mouth-")
    try:
        env = card(os.path.join(folder, "card"))
        extra = [w for s in args.set for w in ("-s", s)]
        for latency in args.latency or ["40ms"]:
            for codec in args.codec or ["pcmu", "opus"]:
                measure(args, env, folder, codec, latency, extra)
        for codec in args.codec or ["pcmu", "opus"]:
            first_sound(args, env, folder, codec, extra)
    finally:
        subprocess.run([CARD, "stop", "-d", os.path.join(folder, "card")], timeout=20, check=False)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
