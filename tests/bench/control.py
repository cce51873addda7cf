"""control - what programs that listen cost: many clients of the control socket
while many calls run, figures for monitors, captures, the log. Only of offhook:
no other phone has them.
"""
import glob
import json
import os
import socket
import subprocess
import time

import sip

CALLS, CLIENTS, LINES = 100, 100, 20000


class Busy:
    """a phone that answers, and one that has called it CALLS times"""

    def __init__(self, bench, program, *more, calls=CALLS):
        import peers
        self.bench, self.calls = bench, calls
        self.phone = bench.phone(peers.Offhook, program, "answer", "pcmu", calls + 5)
        self.phone.more = ["-A", "tone:440", "-s", "hold-others=no"] + list(more)
        self.phone.up()
        # its threads may run side by side, as they do where nobody measures
        for task in os.listdir("/proc/%d/task" % self.phone.pid):
            os.sched_setaffinity(int(task), range(os.cpu_count()))
        self.socket = glob.glob(os.path.join(self.phone.dir, "offhook", "*.sock"))[0]
        self.other = subprocess.Popen(
            [program, "-q", "--new", "-l", "udp:127.0.0.1", "-s", "control=no", "-A", "tone:440", "-s",
             "codecs=pcmu", "-s", "hold-others=no", "-s", "max-calls=0"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, text=True, env={**os.environ, "HOME": bench.dir, "XDG_CONFIG_HOME": bench.dir})

    def dial(self):
        for _ in range(self.calls):
            self.other.stdin.write("dial %s\n" % self.phone.uri)
        self.other.stdin.flush()
        end = time.monotonic() + 60
        while self.figures()['offhook_calls{state="active"}'] < self.calls:
            if time.monotonic() > end:
                raise RuntimeError("not all calls are answered")
            time.sleep(0.2)

    def hang_up(self):
        self.other.stdin.write("quit\n")
        self.other.stdin.flush()
        self.other.wait(30)
        time.sleep(1)

    def ask(self, line):
        """a line of its own connection -> the reply"""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(self.socket)
            s.sendall(line.encode() + b"\n")
            return json.loads(s.makefile("rb").readline())

    def figures(self):
        out = {}
        for row in self.ask("metrics")["text"].splitlines():
            if row and row[0] != "#":
                name, _, value = row.rpartition(" ")
                out[name] = float(value)
        return out

    def cpu_second(self, seconds):
        """-> CPU of a second of each call, ms"""
        cpu, began = self.phone.cpu(), time.monotonic()
        time.sleep(seconds)
        return 1000 * (self.phone.cpu() - cpu) / (time.monotonic() - began) / self.calls

    def close(self):
        if self.other.poll() is None:
            self.other.kill()
        self.other.wait()
        self.bench.done(self.phone)


def mark(q):
    q.stdin.write("mark\n")
    q.stdin.flush()
    return json.loads(q.stdout.readline())


def lines_a_second(busy, count):
    """requests one behind the other, each answered"""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(busy.socket)
        began, sent, got = time.monotonic(), 0, 0
        data = b"".join(b'{"id":%d,"command":"print","args":{"text":"x"}}\n' % i for i in range(count))
        s.setblocking(False)
        while got < count:
            try:
                if sent < len(data):
                    sent += s.send(data[sent:sent + 65536])
            except BlockingIOError:
                pass
            try:
                got += s.recv(1 << 18).count(b"\n")
            except BlockingIOError:
                sip.select.select([s], [s] if sent < len(data) else [], [], 10)
        return count / (time.monotonic() - began)


def clients(bench, put, program, quick):
    """events to many, while calls come, run and go"""
    b = Busy(bench, program)
    q = subprocess.Popen([os.path.join(bench.dir, "follow"), b.socket, str(CLIENTS)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
    try:
        if q.stdout.readline() != "ready\n":
            raise RuntimeError("no clients")
        put("control: lines a second, idle", "offhook", lines_a_second(b, LINES))
        mark(q)
        b.dial()
        come = mark(q)
        before = b.figures()
        time.sleep(5 if quick else 15)
        run = mark(q)
        put("control: lines a second, with calls", "offhook", lines_a_second(b, LINES))
        mark(q)
        after = b.figures()
        b.hang_up()
        go = mark(q)
    finally:
        q.kill()
        q.wait()
        b.close()
    for name, r in (("calls come", come), ("calls run", run), ("calls go", go)):
        put("control: event to client, %s, median" % name, "offhook", r["median_ms"])
        put("control: event to client, %s, p99" % name, "offhook", r["p99_ms"])
    put("control: lines to clients", "offhook", run["lines_per_s"])
    late = "offhook_media_cycles_late_total"
    put("control: late media cycles", "offhook", after[late] - before[late])


def capture(bench, put, program, quick):
    """what is kept, written and told of a call"""
    seconds = 4 if quick else 8
    b = Busy(bench, program)
    try:
        b.dial()
        time.sleep(2)
        plain = b.cpu_second(seconds)
        b.ask("pcap %s" % os.path.join(bench.dir, "all.pcapng"))
        both = b.cpu_second(seconds)
        r = b.ask("pcap stop")
        b.ask("pcap %s --decrypt" % os.path.join(bench.dir, "clear.pcapng"))
        clear = b.cpu_second(seconds)
        b.ask("pcap stop")
        if r["packets"] < 50 * CALLS * seconds:
            raise RuntimeError("only %d packets were captured" % r["packets"])
        put("capture: packets lost", "offhook", r["lost"])
        put("capture: CPU per call-second", "offhook", both - plain)
        put("capture: CPU per call-second, decrypted", "offhook", clear - plain)
        began = time.monotonic()
        for _ in range(50):
            b.ask("metrics")
        put("metrics: time to print", "offhook", 1000 * (time.monotonic() - began) / 50)
    finally:
        b.close()
