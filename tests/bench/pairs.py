"""pairs - two of a kind in a call over a bad network: what a user hears.

Both phones run with their default settings, send the same speech from a file
and adapt to what the other one reports, as they would by themselves. We are the
network between: we bring them together (the offer of the one, asked for by an
INVITE without one, is answered by the other) and carry their RTP and RTCP, both
ways with the same share lost, of the same packets by number for every phone.
What is heard is the loudspeaker: a file where a phone can have one, else what
its virtual sound card plays. The first LEAD seconds, in which nobody knows of
the loss yet, are said but not scored. Of both ends the mean counts.
"""
import array
import contextlib
import json
import os
import random
import re
import select
import shutil
import socket
import subprocess
import threading
import time
import wave

import peers
import sip

HERE = os.path.dirname(os.path.abspath(__file__))
CARD = os.path.join(HERE, "..", "tools", "virtual-sound")
LEAD = 14                            # s: two reports of RTCP and what follows from them
SPARED = 50                          # packets that nothing happens to

# title: share lost, mean length of a run
NETS = {"good": (0, 1), "loss 5 %": (5, 1), "loss 10 %": (10, 1), "loss 20 %": (20, 1), "bursts 5 %": (5, 3),
        "bursts 10 %": (10, 3)}
QUICK = ("loss 10 %", "bursts 10 %")
CODECS = {"pcmu": "G.711", "opus": "Opus"}


def targets(mean):
    """-> figures as bench.py has them"""
    out = {}
    for title in CODECS.values():
        for net in NETS:
            for how in ("", " twice"):
                begin = "pair, %s%s, %s: " % (title, how, net)
                out[begin + "STOI"] = ("", mean, "more", -0.005, 0)
                out[begin + "missing"] = ("ms", mean, "low", 1.5, 1.0)
                out[begin + "bytes a second"] = ("", mean, None, 0, 0)
    return out


class Way:
    """one direction of one call: the sound packets it loses, by their number"""

    def __init__(self, loss, burst, seed):
        self.loss, self.leave = loss / 100, 1 / burst
        self.random, self.lost, self.first, self.bytes = random.Random(seed), [], None, 0

    def loses(self, data):
        if data[0] >> 6 != 2:                                   # DTLS, STUN
            return False
        if 192 <= data[1] <= 223:                               # RTCP
            return random.random() < self.loss
        number = int.from_bytes(data[2:4], "big")
        if self.first is None:
            self.first = number
        at = (number - self.first) & 0xffff
        while at < 0x8000 and len(self.lost) <= at:
            bad, u = self.lost[-1] if self.lost else False, self.random.random()
            enter = self.leave * self.loss / (1 - self.loss)
            self.lost.append(len(self.lost) >= SPARED and (u >= self.leave if bad and self.leave < 1 else
                                                           u < (enter if self.leave < 1 else self.loss)))
        return at < 0x8000 and self.lost[at]


class Network(threading.Thread):
    """what lies between the two ends of some calls"""

    def __init__(self):
        super().__init__(daemon=True)
        self.ways, self.sockets, self.targets, self.over = {}, [], {}, False

    def call(self, loss, burst, seed):
        """-> ports, one for each end to send to: what comes at one goes out of the other"""
        ends = [self.pair(), self.pair()]
        for i, way in enumerate(Way(loss, burst, 2 * seed + k) for k in (0, 1)):
            for kind in (0, 1):
                self.ways[ends[i][kind]] = (way, ends[1 - i][kind])
        return ends

    def pair(self):
        while True:
            s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in (0, 1)]
            try:
                port = 2 * random.randrange(18000, 24000)
                for k in (0, 1):
                    s[k].bind(("127.0.0.1", port + k))
            except OSError:
                for x in s:
                    x.close()
                continue
            self.sockets += s
            return tuple(s)

    def to(self, end, media):
        """what goes to that end goes there"""
        self.targets[end[0]], self.targets[end[1]] = media, (media[0], media[1] + 1)

    def run(self):
        while not self.over:
            for s in select.select(self.sockets, [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    data = s.recv(4096)
                    way, out = self.ways[s]
                    to = self.targets.get(out)
                    if data and data[0] >> 6 == 2 and not 192 <= data[1] <= 223:
                        way.bytes += len(data) + 28             # with UDP and IP
                    if to and data and not way.loses(data):
                        out.sendto(data, to)

    def close(self):
        self.over = True
        self.join(5)
        for s in self.sockets:
            s.close()


def moved(body, end):
    """the same SDP, with its sound on the way through that end"""
    port = end[0].getsockname()[1]
    keep = [x for x in body.split("\r\n") if not re.match(r"a=(candidate|ice-|end-of-cand|remote-cand)", x)]
    text = re.sub(r"(?m)^m=audio \d+", "m=audio %d" % port, "\r\n".join(keep))
    return re.sub(r"(?m)^a=rtcp:\d+[^\r\n]*", "a=rtcp:%d" % (port + 1), text)


def together(one, other, ends, network):
    """a call between the two, through the network -> its two legs and their sockets"""
    socks = [sip.Socket(), sip.Socket()]
    a, b = sip.Call(socks[0], one.uri, one.to), sip.Call(socks[1], other.uri, other.to)
    a.sent = socks[0].send(a.request("INVITE", 1, sip.token()), a.to)
    m = a.response("INVITE", 10)
    if not m or m.code >= 300 or not m.media():
        raise RuntimeError("%s makes no offer (%s)" % (one.name, m.code if m else "no answer"))
    a.remote = m["to"]
    contact = re.search(r"<([^>]+)>", m["contact"])
    a.target = contact.group(1) if contact else a.uri
    network.to(ends[0], m.media())
    # each end is told the port of ours that it is to send to
    if not b.invite(moved(m.body, ends[1]), 10) or not b.media:
        raise RuntimeError("%s refuses the offer of its like (%d)" % (other.name, b.code))
    network.to(ends[1], b.media)
    socks[0].send(a.request("ACK", 1, sip.token(), moved(b.body, ends[0])), a.to)
    return [(a, socks[0]), (b, socks[1])]


def envelope(path):
    """of 10 ms each: how loud it is"""
    with wave.open(path) as w:
        n, x = w.getframerate() // 100, array.array("h")
        data = w.readframes(w.getnframes())
    x.frombytes(data[:len(data) // 2 * 2])
    return [sum(map(abs, x[i:i + n:8])) for i in range(0, len(x) - n, n)]


def place(ref, got):
    """-> after how many s of the recording the reference begins"""
    a, b = envelope(ref), envelope(got)
    mean = sum(a) / max(1, len(a))
    a = [(i, v - mean) for i, v in enumerate(a)][::2]
    # who repeats itself is not taken for what was said before
    first, last = (round(100 * (LEAD + x)) for x in (-2, 8))
    best = max(range(first, last), key=lambda at: sum(v * b[i + at] for i, v in a if i + at < len(b)))
    return best / 100


def score(bench, ref, got, rate, name):
    """-> what score.c finds, of the part of the recording that is the reference"""
    same, cut = ("%s/%s.%s.wav" % (bench.dir, name, x) for x in ("same", "cut"))
    subprocess.run(["sox", "-D", got, "-r", str(rate), "-c", "1", "-b", "16", same], check=True, capture_output=True)
    at = place(ref, same)
    subprocess.run(["sox", "-D", same, cut, "trim", str(max(0, at - 0.5))], check=True, capture_output=True)
    out = subprocess.run([os.path.join(bench.dir, "score"), ref, cut], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


class Ears:
    """what phones play that have no file for it"""

    def __init__(self, folder, names):
        self.folder, self.recorders = folder, []
        text = subprocess.run([CARD, "start", "-d", folder, *names], capture_output=True, text=True, timeout=60, check=True).stdout
        env = dict(x[len("export "):].split("=", 1) for x in text.splitlines())
        self.env = {k: v.strip("'") for k, v in env.items()}

    def record(self, name, path):
        self.recorders.append(subprocess.Popen(
            ["parecord", "-d", name + "_spk.monitor", "--channels=1", "--rate=48000", "--format=s16le", "--file-format=wav", path],
            env={**os.environ, **self.env}))

    def silence(self):
        for q in self.recorders:
            q.terminate()
            q.wait(10)
        self.recorders = []

    def close(self):
        self.silence()
        subprocess.run([CARD, "stop", "-d", self.folder], timeout=30, check=False, stdout=subprocess.DEVNULL)


def speech(bench, codec):
    """-> (said: LEAD seconds and the talk; the talk alone, to compare with)"""
    talk, rate = bench.talk(), 16000 if codec == "opus" else 8000
    lead, said, ref = (os.path.join(bench.dir, x + ".wav") for x in ("lead", "said", "ref"))
    subprocess.run(["sox", "-D", talk, lead, "trim", "1.2", str(LEAD)], check=True)
    subprocess.run(["sox", "-D", lead, talk, said, "pad", "0", "3"], check=True)
    subprocess.run(["sox", "-D", talk, "-r", str(rate), ref], check=True)
    return said, ref, rate


def seconds(path):
    with wave.open(path) as w:
        return w.getnframes() / w.getframerate()


def run(bench, put, kind, program):
    if kind is peers.Baresip and not (shutil.which("pulseaudio") and shutil.which("parecord")):
        raise RuntimeError("needs PulseAudio to be heard")
    for codec in CODECS:
        for twice in ((False, True) if kind is peers.Offhook else (False,)):
            hear(bench, put, kind, program, codec, twice)


def hear(bench, put, kind, program, codec, twice):
    """one pair for each network, all at once"""
    nets = {k: v for k, v in NETS.items() if not bench.quick or k in QUICK}
    said, ref, rate = speech(bench, codec)
    mine, network, phones, calls, ears = [], Network(), [], [], None
    names = ["p%s%d" % (x, i) for i in range(len(nets)) for x in "ab"]
    try:
        if kind is peers.Baresip:
            ears = Ears(os.path.join(bench.dir, "card"), names)
        for i, (loss, burst) in enumerate(nets.values()):
            mine.append(network.call(loss, burst, 100 * bench.round + i))
        network.start()
        for name in names:
            p = bench.phone(kind, program, "pair", codec)
            p.pair = peers.Pair(said, os.path.join(bench.dir, name + ".wav"), twice, name, ears.env if ears else {})
            p.up()
            phones.append(p)
        for i in range(len(nets)):
            for p in phones[2 * i:2 * i + 2] if ears else ():
                ears.record(p.pair.device, p.pair.heard)
            calls += together(phones[2 * i], phones[2 * i + 1], mine[i], network)
        attend(calls, seconds(said) + 2)
        for call, _ in calls:
            call.bye(0.5)
    finally:
        for p in phones:
            if p in bench.running:
                bench.done(p)
        if ears:
            ears.close()
        network.close()
        for _, s in calls:
            s.close()
    for i, net in enumerate(nets):
        got = [score(bench, ref, os.path.join(bench.dir, names[2 * i + k] + ".wav"), rate, names[2 * i + k]) for k in (0, 1)]
        ways = {network.ways[e[0]][0] for e in mine[i]}
        each = sum(w.bytes for w in ways) / len(ways) / seconds(said)
        # the others have but one way: both of ours are measured by it
        for how in (" twice",) if twice else ("",) if kind is peers.Offhook else ("", " twice"):
            begin = "pair, %s%s, %s: " % (CODECS[codec], how, net)
            put(begin + "STOI", kind.name, *(g["stoi"] for g in got))
            put(begin + "missing", kind.name, *(g["gap_ms"] for g in got))
            put(begin + "bytes a second", kind.name, each)


def attend(calls, for_seconds):
    """answer what the phones ask while they talk"""
    end = time.monotonic() + for_seconds
    while time.monotonic() < end:
        for _, s in calls:
            m = s.receive(0)
            while m:
                if m.method == "INVITE" or m.method == "UPDATE":
                    s.send(sip.response(m, 488, "Not Acceptable Here", s), m.source)
                else:
                    s.other(m)
                m = s.receive(0)
        time.sleep(0.05)
