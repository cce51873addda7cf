#!/usr/bin/env python3
"""bench.py - offhook and the other phones on this machine, side by side.

  bench.py --offhook PROGRAM [--quick] [--only PART]... [--over tcp|tls] [--registered] [--json FILE]

Each phone runs on CPU 0, the tools on the others; all traffic is on loopback
and no sound card is used. The phones take turns, several rounds of each part,
so that what else the machine does meets all of them; of times the median of
all rounds counts, of CPU the least, of rates the most. A ratio is offhook's
figure to that of the best other phone, measured in the same run: compare
nothing else. The limit of Opus is what its coders cost at a stretch, always in
the cache; bare coders are as many as there are calls, and wait as those do for
packets; to both comes what the kernel needs. Which other phones: see peers.py. Parts: start, register,
latency, rate, held, g711, srtp, opus, delay, quality, pairs, asked, growth, control, capture.
Held is what one more call costs while others are up. Quality is speech over bad
networks, each round another speech and other packets that are lost: how
intelligible it comes back (STOI), how much is missing, how often and how far
the delay moves (speech.c, score.c, stoi.c); hear.py tells it without calls, of offhook alone. Pairs is what two of a kind
hear of each other with their default settings over such networks (pairs.py). Registered means that each phone has an
account at the tool, with a password, and is called over that connection. Many
calls come from SIPp, or from storm.c over TLS and to who has registered. Asked, control and capture are of offhook alone:
what it is worth to ask for what is lost (hear.py; PROGRAM in a build directory), what
programs that listen to it cost (control.py).
"""
import argparse
import contextlib
import csv
import json
import os
import random
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import control
import pairs
import peers
import sip

HERE = os.path.dirname(os.path.abspath(__file__))


def quantile(values, q):
    v = sorted(values)
    return v[min(len(v) - 1, round(q * (len(v) - 1)))]


def p99(values):
    return quantile(values, 0.99)


median = statistics.median

# figure: (unit, what counts of its samples, better, must, aim); better "low"
# or "high" compares with the best other phone as a ratio, "more" by what it is
# above it, "most" and "least" are limits by themselves
TARGETS = {
    "start to first OPTIONS answered": ("ms", median, "low", 1.5, 1.2),
    "start to first OPTIONS answered, least": ("ms", min, "low", 1.5, 1.2),
    "start to registered": ("ms", median, "low", 1.5, 1.2),
    "idle: wake-ups": ("/s", min, "most", 10, 0),
    "idle: CPU": ("%", min, "most", 0.05, 0.005),
    "idle: anonymous memory": ("kB", median, "low", 3, 1.5),
    "idle: resident memory": ("kB", median, None, 0, 0),
    "INVITE to 200, median": ("ms", median, "low", 1.3, 1.0),
    "INVITE to 200, p99": ("ms", p99, "low", 2.0, 1.0),
    "dial to INVITE, median": ("ms", median, "low", 1.3, 1.0),
    "dial to INVITE, p99": ("ms", p99, None, 0, 0),
    "200 to ACK, median": ("ms", median, "low", 1.3, 1.0),
    "200 to ACK, p99": ("ms", p99, None, 0, 0),
    "calls per second": ("/s", max, "high", 0.5, 1.0),
    "CPU per call at 100/s": ("ms", min, "low", 1.3, 0.8),
    "CPU per call, 1 call up": ("ms", min, "low", 1.3, 0.8),
    "CPU per call, 200 calls up": ("ms", min, "low", 1.3, 0.8),
    "CPU per call, 500 calls up": ("ms", min, "low", 1.3, 0.8),
    "CPU per call, 500 up to 1 up": ("x", min, "most", 1.3, 1.1),
    "INVITE to 200, 500 calls up, p99": ("ms", min, None, 0, 0),
    "memory kept per finished call": ("kB", median, "low", 1.0, 0.3),
    "memory kept per later call": ("kB", median, "most", 0.5, 0.05),
}
for _n in (1, 10, 50, 100, 200, 300):
    must, aim = (1.2, 0.7) if _n == 1 else (1.0, 0.6)
    TARGETS["G.711 x %d: CPU per call-second" % _n] = ("ms", min, "low", must, aim)
    TARGETS["G.711 x %d: packets back" % _n] = ("%", median, "least", 99.5, 99.95)
    TARGETS["G.711 x %d: speech back" % _n] = ("%", median, "least", 99.5, 99.5)
    TARGETS["G.711 x %d: memory per call" % _n] = ("kB", median, "low" if _n == 100 else None, 1.5, 0.8)
    TARGETS["G.711 x %d: memory after" % _n] = ("kB", median, None, 0, 0)
TARGETS["Opus x 1: CPU of the whole program"] = ("ms", min, "low", 1.0, 0.9)
for _n in (1, 10, 20):
    TARGETS["Opus x %d: CPU per call-second" % _n] = ("ms", min, "low", 1.0, 0.9)
    TARGETS["Opus x %d: CPU to the limit" % _n] = ("x", min, "most" if _n > 1 else None, 1.4, 1.2)
    TARGETS["Opus x %d: CPU to bare coders" % _n] = ("x", min, "most", 1.4, 1.2)
    TARGETS["Opus x %d: packets back" % _n] = ("%", median, "least", 99.5, 99.95)
    TARGETS["Opus x %d: memory per call" % _n] = ("kB", median, "low" if _n == 10 else None, 1.0, 0.6)

# title: what the network does (speech.c), and how much better than the best
# other phone STOI is to be
PCMU = {
    "good": ("", 0),
    "loss 1 %": ("loss=1", .005),
    "loss 5 %": ("loss=5", .005),
    "loss 10 %": ("loss=10", .01),
    "loss 20 %": ("loss=20", .01),
    "bursts 5 %": ("loss=5,burst=3", 0),
    "bursts 10 %": ("loss=10,burst=3", 0),
    "jitter 20": ("jitter=20", 0),
    "jitter 50": ("jitter=50", 0),
    "jitter 100": ("jitter=100", 0),
    "jitter 100 that ends": ("jitter=100,until=16", 0),
    "stalls of 200": ("jitter=200,spike=1", 0),
    "reordered, twice": ("reorder=2,dup=2", 0),
    "loss 5 %, jitter 50": ("loss=5,jitter=50", 0),
}
OPUS = {k: PCMU[k] for k in ("good", "loss 1 %", "loss 5 %", "loss 10 %", "loss 20 %", "bursts 10 %", "jitter 50", "stalls of 200")}
RED = {k: PCMU[k] for k in ("good", "loss 5 %", "loss 10 %", "loss 20 %", "bursts 10 %")}
NETS = {"pcmu": PCMU, "red": RED, "opus": OPUS, "opusred": RED}
TITLES = {"pcmu": "G.711", "red": "G.711 twice", "opus": "Opus, FEC", "opusred": "Opus twice, FEC"}
BACK = {"red": 1, "opusred": 3}       # how many packets later each comes once more (RFC 2198)
FEC = 10                             # %, what the sender of Opus expects
CLEAR = 0.998                        # STOI: nothing is heard of it any more

for _codec, _title in TITLES.items():
    for _net, (_, more) in NETS[_codec].items():
        more = more if _codec == "pcmu" else 0
        TARGETS["%s, %s: STOI" % (_title, _net)] = ("", statistics.mean, "more", -0.005, more)
        TARGETS["%s, %s: missing" % (_title, _net)] = ("ms", statistics.mean, "low", 1.5, 1.0)
        TARGETS["%s, %s: shifts" % (_title, _net)] = ("", statistics.mean, "most" if "jitter" in _net and "ends" not in _net and "loss" not in _net else None, 4, 2)
        TARGETS["%s, %s: delay at the end" % (_title, _net)] = ("ms", statistics.mean, "low" if "jitter" in _net else None, 1.3, 1.0)
ASKED = ["%s, loss %d %%, RTT %d" % (c, n, rtt) for c in ("G.711", "Opus, FEC") for n in (5, 10) for rtt in (20, 40)]
for _begin in ASKED:
    TARGETS[_begin + ": STOI"] = ("", statistics.mean, None, 0, 0)
    TARGETS[_begin + ", asked: STOI"] = ("", statistics.mean, None, 0, 0)
    TARGETS[_begin + ", asked: STOI more"] = ("", statistics.mean, "least", 0, .003)
    TARGETS[_begin + ", asked: delay at the end"] = ("ms", statistics.mean, None, 0, 0)
TARGETS.update(pairs.targets(statistics.mean))
TARGETS["SRTP x 100: CPU per call-second"] = ("ms", min, None, 0, 0)
TARGETS["SRTP x 100: CPU to plain"] = ("x", min, "most", 1.3, 1.15)
TARGETS["delay added, no jitter"] = ("ms", median, "low", 2.0, 1.0)
TARGETS["delay added, jitter 50"] = ("ms", median, "low", 1.3, 1.05)

for _when in ("calls come", "calls run", "calls go"):
    TARGETS["control: event to client, %s, median" % _when] = ("ms", median, "most", 2.0, 1.0)
    TARGETS["control: event to client, %s, p99" % _when] = ("ms", median, "most", 10.0, 2.0)
TARGETS.update({
    "control: lines to clients": ("/s", max, None, 0, 0),
    "control: lines a second, idle": ("/s", max, "least", 1000, 20000),
    "control: lines a second, with calls": ("/s", max, "least", 1000, 10000),
    "control: late media cycles": ("", min, "most", 0, 0),
    "capture: packets lost": ("", max, "most", 0, 0),
    "capture: CPU per call-second": ("ms", min, "most", 0.5, 0.2),
    "capture: CPU per call-second, decrypted": ("ms", min, "most", 0.5, 0.2),
    "metrics: time to print": ("ms", min, "most", 5, 1),
})

KERNEL_MS = 1.0                      # of a call-second's packets, both ways

samples = {}                         # figure -> {phone: [value]}


def put(figure, phone, *values):
    samples.setdefault(figure, {}).setdefault(phone, []).extend(values)
    unit, counts = TARGETS[figure][:2]
    print("  %-38s %-10s %10.4g %s" % (figure, phone, counts(values), unit), flush=True)


def figures():
    """-> figure -> {phone: value}"""
    return {f: {k: TARGETS[f][1](v) for k, v in row.items()} for f, row in samples.items()}


def port(count=2):
    """a port that is free, with those behind it"""
    while True:
        p = random.randrange(24000, 29000, 2)
        try:
            for k in range(p, p + count):
                for kind in (sip.socket.SOCK_DGRAM, sip.socket.SOCK_STREAM):
                    with sip.socket.socket(sip.socket.AF_INET, kind) as s:
                        s.bind(("127.0.0.1", k))
            return p
        except OSError:
            continue


def busy(seconds=0.3):
    """-> how much of the machine is in use, %"""
    def read():
        with open("/proc/stat", encoding="ascii") as f:
            v = [int(x) for x in f.readline().split()[1:9]]
        return sum(v), v[3] + v[4]
    (all_0, idle_0), _, (all_1, idle_1) = read(), time.sleep(seconds), read()
    return 100 * (1 - (idle_1 - idle_0) / max(1, all_1 - all_0))


def tell(q, line, begin, seconds):
    """-> what a tool answers to that line, which must begin so"""
    q.stdin.write(line + "\n")
    q.stdin.flush()
    if not select.select([q.stdout], [], [], seconds)[0]:
        raise RuntimeError("no answer to " + line)
    got = q.stdout.readline()
    if not got.startswith(begin):
        raise RuntimeError("%s: %s" % (line, got or "the tool has ended"))
    return got


class Bench:
    def __init__(self, offhook, speech, only=None, quick=False, over="udp", patience=0.0, registered=False):
        self.quick, self.over, self.dir = quick, over, tempfile.mkdtemp(prefix="bench-")
        self.registered = registered
        self.patience, self.was_busy, self.round = patience, [], 0
        self.phones = [x for x in peers.found(os.path.abspath(offhook)) if not only or x[0].name in only]
        self.running = []
        if over == "tls":
            sip.Secure.prepare(self.dir)
        self.pump_program = os.path.join(self.dir, "pump")
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-std=gnu11", "-o", self.pump_program,
                        os.path.join(HERE, "pump.c"), "-lopus", "-lm"], check=True)
        for name in ("speech", "score", "follow", "storm"):
            libs = ["-lssl", "-lcrypto"] if name == "storm" else ["-lopus", "-lm"]
            parts = ("score", "stoi") if name == "score" else (name,)
            subprocess.run([os.environ.get("CC", "cc"), "-O2", "-std=gnu11", "-o", os.path.join(self.dir, name)]
                           + [os.path.join(HERE, part + ".c") for part in parts] + libs, check=True)
        self.speech, self.said = {}, speech
        for codec, rate in (("pcmu", 8000), ("opus", 48000)):
            self.speech[codec] = os.path.join(self.dir, "speech%d.wav" % rate)
            subprocess.run(["sox", "-D", speech, "-r", str(rate), "-c", "1", "-b", "16", self.speech[codec]], check=True)
        floor = self.bare()
        self.opus_limit = floor["encode_ms"] + floor["decode_ms"] + KERNEL_MS
        print("Opus at complexity %d: %.1f ms coding, %.1f decoding, a second" % (
            peers.COMPLEXITY, floor["encode_ms"], floor["decode_ms"]), flush=True)

    def bare(self, n=1):
        """-> what Opus alone costs, where the phones run"""
        argv = [self.pump_program, "-f", str(peers.COMPLEXITY), "-n", str(n), "-w", self.speech["opus"]]
        with peers.on_first_cpu():
            q = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        with q:
            return json.loads(q.stdout.read())

    def calm(self):
        """wait until nothing else runs, while there is patience left"""
        while True:
            began, now = time.monotonic(), busy()
            if now < 10 or self.patience <= 0:
                self.was_busy.append(now)
                return
            time.sleep(0.5)
            self.patience -= time.monotonic() - began

    def socket(self):
        return sip.SOCKETS[self.over]()

    def phone(self, kind, program, *args, **kw):
        p = kind(program, port(), *args, over=self.over, **kw)
        self.running.append(p)
        return p

    def talking(self, kind, program, *args):
        """-> (phone, socket): it runs and can be called, registered at that socket if it is to be"""
        s = self.socket()
        try:
            p = self.phone(kind, program, *args, registrar=s.here if self.registered else None)
            if self.registered:
                p.start()
                p.called_as(*sip.registrar(s, 15)[1:])
                time.sleep(0.5)
            else:
                p.up()
        except BaseException:
            s.close()
            raise
        return p, s

    def done(self, p):
        p.stop()
        self.running.remove(p)

    def close(self):
        for p in list(self.running):
            p.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- the parts -------------------------------------------------------------

    def start(self, kind, program):
        times = []
        for _ in range(7):
            p = self.phone(kind, program)
            started = p.start()
            times.append((p.ready() - started) / 1e6)
            self.done(p)
        put("start to first OPTIONS answered", kind.name, *times)
        put("start to first OPTIONS answered, least", kind.name, *times)
        p = self.phone(kind, program)
        p.up()
        time.sleep(3)
        seconds = 4 if self.quick else 6
        cpu, woken = p.cpu(), p.wakeups()
        time.sleep(seconds)
        put("idle: wake-ups", kind.name, (p.wakeups() - woken) / seconds)
        put("idle: CPU", kind.name, 100 * (p.cpu() - cpu) / seconds)
        resident, anonymous = p.memory()
        put("idle: anonymous memory", kind.name, anonymous)
        put("idle: resident memory", kind.name, resident)
        self.done(p)

    def register(self, kind, program):
        """until a registrar that asks for a password has been given it"""
        for _ in range(7):
            s = self.socket()
            p = self.phone(kind, program, registrar=s.here)
            try:
                started = p.start()
                put("start to registered", kind.name, (sip.registrar(s, 5)[0] - started) / 1e6)
            finally:
                self.done(p)
                s.close()

    def latency(self, kind, program):
        p, s = self.talking(kind, program)
        rtp, times = sip.Socket(), []
        for _ in range(70):
            c = sip.Call(s, p.uri, p.to)
            if not c.invite(sip.sdp(rtp.port)):
                raise RuntimeError("%s refused a call: %d" % (kind.name, c.code))
            times.append((c.final - c.sent) / 1e6)
            time.sleep(0.03)
            c.bye()
            time.sleep(0.03)
            while rtp.s.recv(2048) if sip.select.select([rtp.s], [], [], 0)[0] else False:
                pass
        self.done(p)
        s.close()
        put("INVITE to 200, median", kind.name, *times)
        put("INVITE to 200, p99", kind.name, *times)

        p, s = self.talking(kind, program, "idle")
        to_invite, to_ack = [], []
        for _ in range(20):
            self.one_call_out(p, s, rtp, to_invite, to_ack)
        self.done(p)
        s.close()
        rtp.close()
        for how in ("median", "p99"):
            put("dial to INVITE, " + how, kind.name, *to_invite)
            put("200 to ACK, " + how, kind.name, *to_ack)

    def one_call_out(self, p, s, rtp, to_invite, to_ack):
        s.drain()
        tag, acked = sip.token(), False
        told = time.time_ns()
        p.dial("sip:b@" + s.here + s.param)
        answered, end = 0, time.monotonic() + 5
        while time.monotonic() < end:
            m = s.receive(end - time.monotonic())
            if not m:
                break
            if m.method == "INVITE" and not answered:
                to_invite.append((m.time_ns - told) / 1e6)
                s.send(sip.response(m, 180, "Ringing", s, tag), m.source)
                time.sleep(0.05)
                answered = s.send(sip.response(m, 200, "OK", s, tag, sip.sdp(rtp.port, p.codec)), m.source)
            elif m.method == "ACK" and answered and not acked:
                to_ack.append((m.time_ns - answered) / 1e6)
                acked = True
                time.sleep(0.1)
                s.drain()
                p.hangup()
            elif m.method == "BYE":
                s.send(sip.response(m, 200, "OK", s, tag), m.source)
                time.sleep(0.1)
                return
            else:
                s.other(m)
        raise RuntimeError("%s: a call did not come to its end" % p.name)

    @contextlib.contextmanager
    def stormed(self, kind, program, sipp=True):
        """-> (phone, what calls it: rate, count, seconds -> dict(ok, again,
        took, cpu)): calls without media, hung up at once; or, with a fourth
        argument "stay", calls that stay, without sipp"""
        if sipp and not self.registered and self.over != "tls":
            p = self.phone(kind, program)
            p.up()
            yield p, lambda *how: self.sipp(p, *how)
            self.done(p)
            return
        q = subprocess.Popen([os.path.join(self.dir, "storm"), self.over, str(sip.Secure.certificate)], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            here = "127.0.0.1:" + q.stdout.readline().split()[1]
            p = self.phone(kind, program, registrar=here if self.registered else None)
            if self.registered:
                p.start()
                tell(q, "register", "registered", 15)
                time.sleep(0.5)
            else:
                p.up()
                tell(q, "to %d %s" % (p.to[1], p.uri), "connected", 5)
            yield p, lambda *how: self.storm(p, q, *how)
            self.done(p)
        finally:
            q.kill()
            q.wait()

    @staticmethod
    def storm(p, q, rate, count, seconds, how="run"):
        cpu = p.cpu()
        r = json.loads(tell(q, "%s %g %d" % (how, rate, count), "{", 3 * seconds + 60))
        return dict(r, cpu=p.cpu() - cpu)

    def sipp(self, p, rate, count, seconds):
        stat = os.path.join(self.dir, "stat.csv")
        cpu, began = p.cpu(), time.monotonic()
        subprocess.run(["sipp", "-sn", "uac", "127.0.0.1:%d" % p.port, "-i", "127.0.0.1", "-s", "bench", "-r", str(rate),
                        "-t", "t1" if self.over == "tcp" else "u1",
                        "-m", str(count), "-d", "0", "-l", "3000", "-nostdin", "-trace_stat", "-stf", stat, "-fd", "1",
                        "-recv_timeout", "8000", "-timeout", "%ds" % (3 * seconds + 12)], cwd=self.dir,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3 * seconds + 60)
        took = time.monotonic() - began
        with open(stat, encoding="ascii", errors="replace") as f:
            last = list(csv.DictReader(f, delimiter=";"))[-1]
        os.unlink(stat)
        return dict(ok=int(last["SuccessfulCall(C)"]), again=int(last["Retransmissions(C)"]), took=took, cpu=p.cpu() - cpu)

    def rate(self, kind, program):
        """raised until a call fails, is repeated or comes late"""
        best, at_100 = 0, None
        with self.stormed(kind, program) as (_, calls):
            for rate in (5, 10, 20, 50, 100, 200, 300, 400, 600, 800, 1000, 1200, 1500, 2000):
                if rate < kind.slowest:
                    continue
                seconds = 3 if self.quick else 6
                r = calls(rate, rate * seconds, seconds)
                good = r["ok"] == rate * seconds and not r["again"] and r["took"] < seconds * 1.03 + 1.2
                if rate == 100:
                    at_100 = 1000 * r["cpu"] / (rate * seconds)
                if not good:
                    break
                best = rate
                time.sleep(1)
        put("calls per second", kind.name, best)
        if at_100:
            put("CPU per call at 100/s", kind.name, at_100)

    def held(self, kind, program):
        """what a call costs beside those that are up already"""
        seconds, up, cost = 3 if self.quick else 6, 0, {}
        with self.stormed(kind, program, sipp=False) as (p, calls):
            for want in (1, 200, 500):
                if want > kind.most:
                    break
                r = calls(100, want - up, (want - up) / 100, "stay")
                if r["ok"] != want - up:
                    raise RuntimeError("%s: %d of %d calls stay" % (kind.name, r["ok"], want - up))
                up = want
                time.sleep(1)
                cpu = p.cpu()
                time.sleep(4)
                cpu = (p.cpu() - cpu) / 4
                r = calls(100, 100 * seconds, seconds)
                if r["ok"] != 100 * seconds:
                    raise RuntimeError("%s: %d of %d calls" % (kind.name, r["ok"], 100 * seconds))
                cost[up] = 1000 * (r["cpu"] - cpu * r["took"]) / (100 * seconds)
                put("CPU per call, %d call%s up" % (up, "s" if up > 1 else ""), kind.name, cost[up])
            if up == 500:
                put("CPU per call, 500 up to 1 up", kind.name, cost[500] / cost[1])
                put("INVITE to 200, 500 calls up, p99", kind.name, r["p99_ms"])

    def growth(self, kind, program):
        """what many calls leave behind once SIP's timers (32 s) are over, and
        whether it grows with a second batch"""
        count, rate = (500, 75) if self.quick else (1500, 75)
        with self.stormed(kind, program) as (p, calls):
            before = p.memory()[1]
            for title in ("memory kept per finished call", "memory kept per later call"):
                calls(rate, count, count / rate)
                time.sleep(40)
                after = p.memory()[1]
                put(title, kind.name, max(0.0, (after - before) / count))
                before = after

    def pump(self, n, *args):
        """-> (process, first port)"""
        first = port(2 * n)
        q = subprocess.Popen([self.pump_program, "-n", str(n), "-p", str(first)] + list(args), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
        if q.stdout.readline() != "ready\n":
            raise RuntimeError("the pump did not start")
        return q, first

    def mark(self, q):
        q.stdin.write("mark\n")
        q.stdin.flush()
        return json.loads(q.stdout.readline())

    def connect(self, p, s, q, i, rtp, codec, fec=0):
        c = sip.Call(s, p.uri, p.to)
        if not c.invite(sip.sdp(rtp, codec, fec)) or not c.media:
            raise RuntimeError("%s: call %d refused (%d)" % (p.name, i + 1, c.code))
        q.stdin.write("to %d %s %d\n" % (i, *c.media))
        q.stdin.flush()
        return c

    def many(self, kind, program, codec, title, n, seconds=None):
        p, s = self.talking(kind, program, "echo", codec, max(n + 5, 20))
        time.sleep(0.5)
        before = p.memory()[1]
        cpu = p.cpu()
        time.sleep(1)
        idle = p.cpu() - cpu
        q, first = self.pump(n, "-c", codec, "-w", self.speech[codec])
        try:
            calls = [self.connect(p, s, q, i, first + 2 * i, codec) for i in range(n)]
            time.sleep(3)
            self.mark(q)
            cpu, began = p.cpu(), time.monotonic()
            time.sleep(seconds or (5 if self.quick else 8))
            used, took = p.cpu() - cpu, time.monotonic() - began
            r, during = self.mark(q), p.memory()[1]
            for c in calls:
                c.bye(0.5)
            time.sleep(2)
            after = p.memory()[1]
        finally:
            q.kill()
            q.wait()
            s.close()
        self.done(p)
        if r["rx"] < r["tx"] / 2:
            raise RuntimeError("%s: %s x %d: only %d of %d packets came back" % (kind.name, title, n, r["rx"], r["tx"]))
        title = "%s x %d: " % (title, n)
        each = 1000 * (used / took - idle) / n
        put(title + "CPU per call-second", kind.name, each)
        if codec == "opus" and kind is peers.Offhook:
            put(title + "CPU to the limit", kind.name, each / self.opus_limit)
            put(title + "CPU to bare coders", kind.name, each / (self.bare(n)["turns_ms"] + KERNEL_MS))
        if title == "Opus x 1: ":        # idle or not, that is what runs in a call
            put(title + "CPU of the whole program", kind.name, 1000 * used / took)
        put(title + "packets back", kind.name, 100 * r["rx"] / max(1, r["tx"]))
        if codec == "pcmu":
            put(title + "speech back", kind.name, 100 * r["loud_rx"] / max(1, r["loud_tx"]))
            put(title + "memory after", kind.name, after - before)
        put(title + "memory per call", kind.name, (during - before) / n)

    def g711(self, kind, program):
        for n in (1, 10, 100) if self.quick else (1, 10, 50, 100, 200, 300):
            self.many(kind, program, "pcmu", "G.711", n)

    def srtp(self, kind, program):
        """calls of another of ours, which runs elsewhere: in plain, and with keys in SDP"""
        n, each = 100, {}
        for way, more in (("plain", ["-s", "media-security=off"]), ("srtp", ["-s", "sdes=always", "-s", "dtls=no"])):
            p = self.phone(kind, program, "echo", "pcmu", n + 5)
            p.more = more
            p.up()
            d = tempfile.mkdtemp(dir=self.dir)
            q = subprocess.Popen([program, "-q", "-c", d, "-l", "udp:127.0.0.1:%d" % port(), "-A", "tone:440", "-s", "codecs=pcmu",
                                  "-s", "hold-others=no"] + more, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, text=True)
            try:
                for _ in range(n):
                    q.stdin.write("dial %s\n" % p.uri)
                q.stdin.flush()
                time.sleep(5)
                cpu, began = p.cpu(), time.monotonic()
                time.sleep(5 if self.quick else 10)
                each[way] = 1000 * (p.cpu() - cpu) / (time.monotonic() - began) / n
            finally:
                q.kill()
                q.wait()
            self.done(p)
        put("SRTP x 100: CPU per call-second", kind.name, each["srtp"])
        put("SRTP x 100: CPU to plain", kind.name, each["srtp"] / each["plain"])

    def opus(self, kind, program):
        for n in (1, 10) if self.quick else (1, 10, 20):
            self.many(kind, program, "opus", "Opus", n)

    def delay(self, kind, program):
        for jitter, title in ((0, "no jitter"), (50, "jitter 50")):
            p, s = self.talking(kind, program, "echo")
            q, first = self.pump(1, "-d", "-j", str(jitter), "-s", str(self.round + 1))
            try:
                c = self.connect(p, s, q, 0, first, "pcmu")
                end = time.monotonic() + (12 if self.quick else 22)
                while time.monotonic() < end:
                    m = s.receive(min(1, end - time.monotonic()))
                    if m:
                        s.other(m)
                delays = self.mark(q)["delays_ms"]
                c.bye(1)
            finally:
                q.kill()
                q.wait()
                s.close()
            self.done(p)
            if not delays:
                raise RuntimeError("%s: no click came back" % kind.name)
            put("delay added, " + title, kind.name, *delays)


    def control(self, kind, program):
        control.clients(self, put, program, self.quick)

    def capture(self, kind, program):
        control.capture(self, put, program, self.quick)

    def pairs(self, kind, program):
        pairs.run(self, put, kind, program)

    def talk(self):
        """-> half a minute of speech, another one each round, as a WAV"""
        path = os.path.join(self.dir, "talk%d.wav" % self.round)
        voices = VOICES[self.round % (len(VOICES) + 1) - 1] if self.round % (len(VOICES) + 1) else ()
        if not shutil.which("espeak-ng"):
            voices = ()
        parts = [self.said] * 3
        for i, voice in enumerate(voices):
            parts[i] = os.path.join(self.dir, "voice%d.wav" % i)
            subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", parts[i], TEXTS[i]], check=True)
        same = []
        for i, part in enumerate(parts):
            same.append(os.path.join(self.dir, "part%d.wav" % i))
            subprocess.run(["sox", "-D", part, "-r", "48000", "-c", "1", "-b", "16", same[i], "norm", "-3"], check=True)
        subprocess.run(["sox", "-D"] + same + [path, "pad", "1.2", "0.5"], check=True)
        return path

    def quality(self, kind, program):
        said = self.talk()
        for codec, title in TITLES.items():
            if codec in BACK and kind is not peers.Offhook:    # RFC 2198 is nobody else's
                continue
            opus = codec.startswith("opus")
            rate = 16000 if opus else 8000
            sent, reference = os.path.join(self.dir, "sent.wav"), os.path.join(self.dir, "reference.wav")
            for path, hz in ((sent, 48000 if opus else 8000), (reference, rate)):
                subprocess.run(["sox", "-D", said, "-r", str(hz), path], check=True)
            for score, net, lost in self.hear(kind, program, codec, sent, reference):
                begin = "%s, %s: " % (title, net)
                put(begin + "STOI", kind.name, score["stoi"])
                put(begin + "missing", kind.name, score["gap_ms"])
                put(begin + "shifts", kind.name, score["shifts"])
                put(begin + "delay at the end", kind.name, score["end_ms"] + lost["offset_ms"])

    def asked(self, kind, program):
        """what it is worth to ask for what is lost (hear.py)"""
        build, path = os.path.dirname(os.path.dirname(program)), os.path.join(self.dir, "asked.json")
        args = [sys.executable, os.path.join(HERE, "hear.py"), "--build", build, "--json", path, "--voices", "2", "--nack", "20", "--nack", "40",
                "--seeds", "1" if self.quick else "3", "--net", "5=loss=5", "--net", "10=loss=10"]
        subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
        with open(path, encoding="utf-8") as f:
            got = json.load(f)
        for codec, nets in got.items():
            for loss, ways in nets.items():
                for rtt in (20, 40):
                    begin = "%s, loss %s %%, RTT %d" % (TITLES[codec], loss, rtt)
                    plain, again = ways["rtt %d" % rtt], ways["rtt %d, asked" % rtt]
                    put(begin + ": STOI", kind.name, *(r["stoi"] for r in plain))
                    put(begin + ", asked: STOI", kind.name, *(r["stoi"] for r in again))
                    put(begin + ", asked: STOI more", kind.name, *(b["stoi"] - a["stoi"] for a, b in zip(plain, again)))
                    put(begin + ", asked: delay at the end", kind.name, *(r["at_end_ms"] for r in again))

    def hear(self, kind, program, codec, sent, reference):
        """one call for each network, all at once -> [(score, network, ...)]"""
        nets, first = NETS[codec], port(2 * len(NETS[codec]))
        p, s = self.talking(kind, program, "echo", codec, len(nets) + 5)
        args = ["-p", str(first), "-w", sent, "-c", codec, "-o", self.dir,
                "-F", str(FEC if codec.startswith("opus") else 0), "-r", str(BACK.get(codec, 0))]
        for what, _ in nets.values():
            args += ["-i", "%s%sseed=%d" % (what, "," if what else "", self.round + 1)]
        q = subprocess.Popen([os.path.join(self.dir, "speech")] + args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            if q.stdout.readline() != "ready\n":
                raise RuntimeError("nothing can be sent")
            calls = [self.connect(p, s, q, i, first + 2 * i, codec, FEC) for i in range(len(nets))]
            while q.poll() is None:
                m = s.receive(0.5)
                if m:
                    s.other(m)
            told = json.loads(q.stdout.read())
            for c in calls:
                c.bye(0.5)
        finally:
            q.kill()
            q.wait()
            s.close()
        self.done(p)
        return [(json.loads(subprocess.run([os.path.join(self.dir, "score"), reference, os.path.join(self.dir, "%d.wav" % i)],
                                           check=True, capture_output=True, text=True).stdout), net, told[i])
                for i, net in enumerate(nets)]


SPEECH = os.path.join(HERE, "..", "..", "sounds", "speech.wav")
# other speech than what comes along
VOICES = (("en-gb+f3", "en-us+m7", "en-us"), ("de+m2", "fr+f2", "es"))
TEXTS = ("The kettle was warm when the guests came down the narrow stairs. Nobody had told them that the last train would be late. "
         "Seven sheep stood by the gate, and one of them would not move.",
         "A letter for you is lying on the shelf beside the radio. The phone rang twice before anyone thought to pick it up. "
         "We should meet on Thursday, a little after three, at the usual place.",
         "Fresh paint takes a day to dry when the weather is damp. Put both chairs back where you found them, and close the window. "
         "The bridge was built by people who had never seen a river.")

# rounds of each part, unless it is quick
PARTS = {"start": 3, "register": 3, "latency": 3, "rate": 2, "held": 2, "g711": 2, "srtp": 2, "opus": 2, "delay": 3, "quality": 3, "pairs": 2, "asked": 1, "growth": 1,
         "control": 2, "capture": 2}


def verdict(figure, row):
    """-> (ratio to the best other, word)"""
    _, _, better, must, aim = TARGETS[figure]
    ours, others = row.get("offhook"), [v for k, v in row.items() if k != "offhook"]
    if ours is None or better is None:
        return "", ""
    if better in ("most", "least"):
        sign = 1 if better == "most" else -1
        return "", "aim" if sign * ours <= sign * aim else "must" if sign * ours <= sign * must else "MISSED"
    if not others:
        return "", ""
    if better == "more":
        more = ours - max(others)
        return "%+.3f" % more, "aim" if more >= aim - 0.0005 or ours >= CLEAR else "must" if more >= must else "MISSED"
    best = min(others) if better == "low" else max(others)
    if best <= 0:
        return "", "aim" if ours <= 0 else ""
    ratio = ours / best
    if better == "high":
        return "%.2f" % ratio, "aim" if ratio >= aim else "must" if ratio >= must else "MISSED"
    return "%.2f" % ratio, "aim" if ratio <= aim else "must" if ratio <= must else "MISSED"


def table(names):
    def text(v):
        return "-" if v is None else "%.0f" % v if v >= 1000 else "%.3g" % v
    rows, got = [["figure", "unit"] + names + ["ratio", "must", "aim", "verdict"]], figures()
    for figure, (unit, _, better, must, aim) in TARGETS.items():
        if figure in got:
            ratio, word = verdict(figure, got[figure])
            sign = {"low": "<= ", "most": "<= ", "high": ">= ", "least": ">= ", "more": ">= "}.get(better)
            limits = [sign + "%g" % x + ("x" if better in ("low", "high") else "") for x in (must, aim)] if sign else ["", ""]
            rows.append([figure, unit] + [text(got[figure].get(n)) for n in names] + [ratio] + limits + [word])
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print("  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())


def turn(b, part, rounds):
    """the phones one after the other, another one first each time -> how many
    times ours failed"""
    wrong, broken = 0, set()
    for b.round in range(rounds):
        first = b.round % len(b.phones)
        for kind, program in b.phones[first:] + b.phones[:first]:
            if kind in broken or not kind.can(part, b.over, b.registered):
                continue
            b.calm()
            try:
                getattr(b, part)(kind, program)
            except (RuntimeError, OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as e:
                wrong += kind is peers.Offhook
                broken.add(kind)
                print("  %s: %s: %s" % (part, kind.name, e), flush=True)
                for left in list(b.running):
                    b.done(left)
    return wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--offhook", required=True, metavar="PROGRAM")
    p.add_argument("--quick", action="store_true", help="one short round: a look, not a measurement")
    p.add_argument("--only", action="append", choices=[*PARTS])
    p.add_argument("--over", choices=sip.SOCKETS, default="udp", help="what SIP goes over")
    p.add_argument("--registered", action="store_true", help="the phones have an account here, and are called by it")
    p.add_argument("--peer", action="append", metavar="NAME", help="only these phones (offhook, baresip, pjsua, linphonec)")
    p.add_argument("--patience", type=float, default=300, metavar="S", help="to wait, in all, for a machine at rest")
    p.add_argument("--speech", metavar="WAV", default=SPEECH)
    p.add_argument("--json", metavar="FILE", help="write the figures and their samples there")
    a = p.parse_args()
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, set(range(1, os.cpu_count())))
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)                 # before whatever else runs, phones and tools alike
    except OSError:
        pass
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # what was started is ended too
    b = Bench(a.offhook, a.speech, a.peer, a.quick, a.over, a.patience, a.registered)
    print("%d CPUs, load %s; SIP over %s%s; phones: %s" % (
        os.cpu_count(), os.getloadavg()[0], a.over, ", registered" if a.registered else "", ", ".join("%s (%s)" % (k.name, x) for k, x in b.phones)), flush=True)
    wrong = 0
    try:
        for part in a.only or PARTS:
            wrong += turn(b, part, 1 if a.quick else PARTS[part])
    finally:
        b.close()
    print("in use before a run: %.0f %% of the machine (median), %.0f %% (most)" % (
        statistics.median(b.was_busy or [0]), max(b.was_busy or [0])))
    table([k.name for k, _ in b.phones])
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump({"figures": figures(), "samples": samples}, f, indent=1)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
