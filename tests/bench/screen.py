#!/usr/bin/env python3
"""screen.py - what the full-screen phone costs, and how soon a key is on it.

  screen.py --offhook PROGRAM [--size 200x60] [--seconds 10] [--codec pcmu]

A terminal of our own (a pty that is read at once), 1 000 contacts, 10 000
calls in the history, and a call to another offhook with a tone both ways:

  key to screen   from the byte of a key to the last byte of the paint that
                  shows it, for every page
  a paint         CPU, as the phone's own log tells it
  meters          CPU of the phone with a call on the screen, less that of the
                  same call while no screen is there
  wake-ups        with nothing to show, a second

Prints a line a figure.  Nothing here passes or fails.
"""
import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ticks(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def wakes(pid):
    n = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, tid), encoding="ascii") as f:
            n += sum(int(x.split()[1]) for x in f if x.startswith("voluntary_ctxt"))
    return n


class Screen:
    """the phone on a pty"""

    def __init__(self, program, folder, size, *args):
        w, h = size
        self.pid, self.fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", h, w, 0, 0))
            env = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": folder, "PATH": os.environ["PATH"],
                   "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder + "/state",
                   "COLORFGBG": "15;0"}
            os.execve(program, [program, *args], env)
        os.set_blocking(self.fd, False)
        self.seen = b""

    def read(self, quiet, limit=10.0):
        """until nothing came for `quiet` seconds. -> (bytes, when the last ones came)"""
        data, last, end = b"", time.perf_counter(), time.perf_counter() + limit
        while time.perf_counter() < end:
            if not select.select([self.fd], [], [], quiet)[0]:
                break
            try:
                data += os.read(self.fd, 1 << 20)
            except OSError:
                break
            last = time.perf_counter()
        self.seen = (self.seen + data)[-1 << 20:]
        return data, last

    def wait(self, pattern, limit=20.0):
        end = time.monotonic() + limit
        while not re.search(pattern, re.sub(rb"\033\[[0-9;?]*[a-zA-Z]", b"", self.seen)):
            if time.monotonic() > end:
                raise SystemExit("the screen does not show %r" % pattern)
            self.read(0.05, 0.3)

    def key(self, data, quiet=0.03):
        """-> ms from the key to the end of what it changed, or None: nothing changed"""
        start = time.perf_counter()
        os.write(self.fd, data)
        got, last = self.read(quiet)
        return (last - start) * 1e3 if got else None

    def phone(self):
        """the process behind the one that holds the terminal"""
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True).stdout
        return int(out.split()[0])


def tell(what, value, unit):
    print("%-46s %9.2f %s" % (what, value, unit), flush=True)


def key_times(s, what, keys, rounds=40):
    v = []
    for i in range(rounds):
        ms = s.key(keys[i % len(keys)])
        if ms is not None:
            v.append(ms)
    v.sort()
    if v:
        tell("key to screen, %s: median" % what, statistics.median(v), "ms")
        tell("key to screen, %s: p95" % what, v[int(len(v) * 0.95) - 1], "ms")


def kept(folder):
    os.makedirs(folder + "/.config/offhook")
    os.makedirs(folder + "/state/offhook")
    with open(folder + "/.config/offhook/contacts", "w", encoding="ascii") as f:
        f.writelines("Person %d = sip:p%d@company%d.example\n" % (i, i, i % 37) for i in range(1000))
    with open(folder + "/.config/offhook/accounts", "w", encoding="ascii") as f:
        f.write("# none\n")
    with open(folder + "/state/offhook/history", "w", encoding="ascii") as f:
        for i in range(10000):
            f.write('{"time":"2026-11-%02dT%02d:%02d:00.000Z","direction":"out","outcome":"answered","peer":'
                    '"sip:p%d@company%d.example","duration_ms":%d,"codec":"opus","mos":4.3,"text":"It is over."}\n'
                    % (1 + i // 1440 % 28, i // 60 % 24, i % 60, i % 1200, i % 37, 1000 * i))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--offhook", required=True)
    p.add_argument("--size", default="200x60")
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--codec", default="opus", help="of the call (default: opus)")
    o = p.parse_args()
    size = tuple(map(int, o.size.split("x")))
    program = os.path.abspath(o.offhook)
    folder, ports = tempfile.mkdtemp(prefix="offhook-screen-"), (free_port(), free_port())
    peer, s, phone = None, None, 0
    try:
        kept(folder)
        os.makedirs(folder + "/peer")
        peer = subprocess.Popen([program, "-c", folder + "/peer", "-l", "udp:127.0.0.1:%d" % ports[0], "-A", "tone:1000",
                                 "--auto-answer"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, env={**os.environ, "HOME": folder,
                                                                "XDG_RUNTIME_DIR": folder + "/peer",
                                                                "XDG_STATE_HOME": folder + "/peer"})
        s = Screen(program, folder, size, "-A", "tone:440", "-s", "codecs=" + o.codec, "-l", "udp:127.0.0.1:%d" % ports[1], "-v", "--log",
                   folder + "/log")
        s.wait(rb"no calls")
        s.read(1.0)
        phone = s.phone()

        before, start = wakes(phone), time.monotonic()
        time.sleep(o.seconds)
        tell("wake-ups with nothing to show", (wakes(phone) - before) / (time.monotonic() - start), "/s")

        key_times(s, "home", [b"\033[B", b"\033[A"])
        for name, key in (("history, 10 000 calls", b"H"), ("people, 1 000 contacts", b"P"), ("settings", b","),
                          ("help", b"?")):
            s.key(key, 0.2)
            key_times(s, name, [b"\033[6~", b"\033[B", b"\033[5~"])
        s.key(b"g", 0.2)
        s.key(b"H", 0.2)
        s.key(b"/", 0.2)
        key_times(s, "search in 10 000 calls", [b"p", b"1", b"\025", b"e"])
        s.key(b"\033", 0.2)
        s.key(b"g", 0.2)
        s.key(b"d", 0.2)
        key_times(s, "dial, completion", [b"p", b"e", b"\025", b"dial p"])
        s.key(b"\033", 0.2)

        os.write(s.fd, b"d127.0.0.1:%d\r" % ports[0])
        s.wait(rb"ACTIVE")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            s.read(0.02, 0.5)
        before, start = ticks(phone), time.monotonic()
        while time.monotonic() - start < o.seconds:
            s.read(0.02, 0.5)
        shown = (ticks(phone) - before) / (time.monotonic() - start)
        os.write(s.fd, b"D")
        time.sleep(1)
        before, start = ticks(phone), time.monotonic()
        time.sleep(o.seconds)
        hidden = (ticks(phone) - before) / (time.monotonic() - start)
        tell("CPU in a call, on the screen", 100 * shown, "%")
        tell("CPU in a call, without a screen", 100 * hidden, "%")
        tell("CPU of the screen with meters", 100 * (shown - hidden), "%")
        os.kill(phone, signal.SIGTERM)
        while os.path.exists("/proc/%d" % phone):
            time.sleep(0.05)
        phone = 0
        with open(folder + "/log", encoding="utf-8", errors="replace") as f:
            for n, each, most in re.findall(r"painted (\d+) times, by (\d+) us of CPU each, (\d+) at most", f.read()):
                tell("a paint at %s: mean of %s" % (o.size, n), int(each) / 1e3, "ms of CPU")
                tell("a paint at %s: most" % o.size, int(most) / 1e3, "ms of CPU")
    finally:
        if peer:
            peer.terminate()
            peer.wait(20)
        if phone:
            os.kill(phone, signal.SIGKILL)
        if s:
            os.close(s.fd)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
