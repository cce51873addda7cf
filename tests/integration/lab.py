"""lab - what the integration tests share: ports, programs, sound.

A test file defines functions named test_*, each taking a Lab, and ends with
`lab.main(globals())`. Every program a test starts is ended with it, every
wait has a bound, every port is claimed, so that all files can run side by
side. Python's standard library only.
"""
import argparse
import fcntl
import inspect
import json
import os
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import documented
import scenario

SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|WARNING: ThreadSanitizer")


class Skip(Exception):
    """the test cannot run here; says why"""


class Failed(Exception):
    """what was seen and what should have been"""


def check(ok, text, *args):
    if not ok:
        raise Failed(text % args if args else text)


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Skip("%s is not installed" % p)


# --- ports ------------------------------------------------------------------

_claims = []


def _free(port, host, family):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as s:
            if kind == socket.SOCK_STREAM:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((host, port))
            except OSError:
                return False
    return True


def ports(count=1, host="127.0.0.1"):
    """The first of `count` ports in a row (an even one) that are free, UDP
    and TCP, and that no other test takes: below the ephemeral ones, locked
    until this process ends."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    folder = os.path.join(tempfile.gettempdir(), "offhook-ports-%d" % os.getuid())
    os.makedirs(folder, exist_ok=True)
    for _ in range(500):
        first = random.randrange(20000, 32000 - count, 2)
        held = []
        for port in range(first, first + count):
            f = open(os.path.join(folder, str(port)), "w", encoding="ascii")
            held.append(f)
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                break
            if not _free(port, host, family):
                break
        else:
            _claims.extend(held)
            return first
        for f in held:
            f.close()
    raise Skip("no free ports")


_running = []          # every program that was started


# --- a program ----------------------------------------------------------------

class Program:
    """A child with its output as a growing list of lines"""

    def __init__(self, lab, name, argv, env=None, cwd=None, merge=True):
        self.lab, self.name, self.argv = lab, name, argv
        self.lines, self.news = [], threading.Condition()
        self.errors = open(lab.path(name + ".err"), "wb+")
        self.proc = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd or lab.dir,
            stderr=subprocess.STDOUT if merge else self.errors,
            env={**os.environ, "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir, **(env or {})}, start_new_session=True)
        self.done = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        lab.programs.append(self)
        _running.append(self)

    def _read(self):
        for raw in self.proc.stdout:
            with self.news:
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\r\n"))
                self.news.notify_all()
        with self.news:
            self.done = True
            self.news.notify_all()

    def say(self, text):
        try:
            self.proc.stdin.write((text + "\n").encode())
            self.proc.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise Failed("%s ended before '%s'\n%s" % (self.name, text, self.tail()))

    def end_of_input(self):
        self.proc.stdin.close()

    def wait_line(self, pattern, timeout=10, since=0):
        """-> (match, index of the line); looks at lines from `since` on"""
        rx, end, i = re.compile(pattern), time.monotonic() + timeout, since
        with self.news:
            while True:
                while i < len(self.lines):
                    m = rx.search(self.lines[i])
                    i += 1
                    if m:
                        return m, i
                left = end - time.monotonic()
                if left <= 0 or self.done:
                    break
                self.news.wait(left)
        raise Failed("%s did not say /%s/ in %g s\n%s" % (self.name, pattern, timeout, self.tail()))

    def exit(self, timeout=20):
        """-> exit code"""
        try:
            code = self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed("%s still runs after %g s\n%s" % (self.name, timeout, self.tail()))
        self.reader.join(5)
        return code

    def stderr(self):
        self.errors.flush()
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")

    def tail(self):
        out = "\n".join("    | " + x for x in self.lines[-25:])
        err = "\n".join("    ! " + x for x in self.stderr().splitlines()[-25:])
        return out + ("\n" + err if err else "")

    def quit(self):
        self.proc.send_signal(signal.SIGTERM)

    def stop(self):
        if self.proc.poll() is None:
            try:
                self.quit()
                self.proc.wait(5)
            except (OSError, ValueError, Failed, subprocess.TimeoutExpired):
                self.proc.kill()
                self.proc.wait()
        self.reader.join(5)
        if self.proc.stdin and not self.proc.stdin.closed:
            try:
                self.proc.stdin.close()
            except OSError:
                pass


class Offhook(Program):
    """Our program under --json: lines in, replies and events out"""

    def __init__(self, lab, *args, name="offhook", host="127.0.0.1", transports=("udp",), audio="null",
                 port=None, wrap=(), **kw):
        self.port, self.host = port or ports(1, host), host
        shown = "[%s]" % host if ":" in host else host
        self.uri = "sip:phone@%s:%d" % (shown, self.port)
        self.folder = lab.path(name + ".d")
        os.makedirs(self.folder, exist_ok=True)
        self.seen = 0
        argv = list(wrap) + [lab.program, "-c", self.folder, "-A", audio, "--json"]
        for t in transports:
            argv += ["-l", "%s:%s:%d" % (t, shown, self.port)]
        super().__init__(lab, name, argv + list(args), merge=False, **kw)

    def objects(self):
        with self.news:
            return [json.loads(x) for x in self.lines]

    def ready(self, timeout=20):
        """it answers commands, so it listens"""
        self.reply("status", timeout)
        return self

    def reply(self, line, timeout=10):
        """run a command line -> its reply, good or bad"""
        with self.news:
            at = len(self.lines)
        self.say(line)
        _, i = self.wait_line(r'^\{"reply":', timeout, at)
        r = json.loads(self.lines[i - 1])
        text = documented.wrong(self.lab.program, line, r)
        check(not text, "'%s': %s\n%s", line, text, r)
        return r

    def command(self, line, timeout=10):
        r = self.reply(line, timeout)
        check(r.get("ok"), "'%s' failed: %s", line, r)
        return r

    def event(self, name, timeout=10, again=False, **fields):
        """the next event of that name with these fields; again: look at all"""
        end, i = time.monotonic() + timeout, 0 if again else self.seen
        with self.news:
            while True:
                while i < len(self.lines):
                    o = json.loads(self.lines[i])
                    i += 1
                    if o.get("event") == name and all(o.get(k) == v for k, v in fields.items()):
                        if not again:
                            self.seen = i
                        return o
                left = end - time.monotonic()
                if left <= 0 or self.done:
                    break
                self.news.wait(left)
        raise Failed("no event %s %s in %g s\n%s" % (name, fields, timeout, self.tail()))

    def digits(self):
        return "".join(o["digit"] for o in self.objects() if o.get("event") == "call.dtmf")

    def stop(self):
        super().stop()
        m = SANITIZER.search(self.stderr())
        check(not m, "%s: %s\n%s", self.name, m and m.group(0), self.stderr()[-6000:])
        check(self.proc.returncode >= 0 or self.proc.returncode in (-signal.SIGKILL,),
              "%s died of signal %d\n%s", self.name, -self.proc.returncode, self.tail())
        check(self.proc.returncode != -signal.SIGKILL, "%s did not end in 5 s\n%s", self.name, self.tail())


# --- SIPp -----------------------------------------------------------------------

class Sipp(Program):
    """SIPp with a list of steps (scenario.py) or a scenario of its own (sn=);
    to: whom it calls, else it is called"""

    def __init__(self, lab, steps=None, *args, sn=None, to=None, host="127.0.0.1", transport="u1", calls=1,
                 timeout=60, name=None, port=None, **kw):
        need("sipp")
        self.port, self.media = port or ports(1, host), ports(4, host)
        shown = "[%s]" % host if ":" in host else host
        self.uri = "sip:test@%s:%d" % (shown, self.port)
        name = name or "sipp"
        how = ["-sn", sn] if sn else ["-sf", lab.file(name + ".xml", scenario.build(steps))]
        # SIPp draws its screen on stdout; what it complains about is on stderr
        argv = ["sipp"] + how + ["-i", shown, "-p", str(self.port), "-mp", str(self.media), "-t", transport,
                                 "-m", str(calls), "-nostdin", "-timeout", "%ds" % timeout, "-timeout_error",
                                 "-trace_err", "-error_file", lab.path(name + ".log"),
                                 "-trace_msg", "-message_file", lab.path(name + ".msg")]
        super().__init__(lab, name, argv + list(args) + ([to] if to else []), merge=False, **kw)
        if not to:
            wait_port(host, self.port, "t" in transport)

    def well(self, timeout=60):
        """it ends, with every call gone as the scenario says"""
        code = self.exit(timeout)
        if code:
            texts = []
            for end in (".log", ".msg"):
                path = self.lab.path(self.name + end)
                if os.path.exists(path):
                    with open(path, encoding="utf-8", errors="replace") as f:
                        texts.append(f.read()[-6000:])
            raise Failed("%s ended with %d\n%s\n%s" % (self.name, code, self.stderr()[-1500:], "\n".join(texts)))


def wait_port(host, port, tcp=False, timeout=20):
    """until somebody listens there"""
    table = "/proc/net/%s%s" % ("tcp" if tcp else "udp", "6" if ":" in host else "")
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        with open(table, encoding="ascii") as f:
            if re.search(r":%04X [0-9A-F]+:0000 (0A|07) " % port, f.read()):
                return
        time.sleep(0.02)
    raise Failed("nobody listens on %s %d" % (host, port))


# --- the lab ----------------------------------------------------------------------

class Lab:
    def __init__(self, program, folder):
        self.program, self.dir, self.programs = program, folder, []

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def file(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def offhook(self, *args, **kw):
        return Offhook(self, *args, **kw)

    def sipp(self, *args, **kw):
        return Sipp(self, *args, **kw)

    def run(self, *args, timeout=60, stdin=None, wrap=()):
        """offhook to its end -> (exit code, stdout, stderr)"""
        os.makedirs(self.path("run.d"), exist_ok=True)
        r = subprocess.run([*wrap, self.program, "-c", self.path("run.d")] + list(args), timeout=timeout, input=stdin or "",
                           capture_output=True, text=True, cwd=self.dir,
                           env=dict(os.environ, HOME=self.dir, XDG_RUNTIME_DIR=self.dir))
        check(not SANITIZER.search(r.stderr), "sanitizer:\n%s", r.stderr[-6000:])
        check(r.returncode >= 0, "died of signal %d\n%s", -r.returncode, r.stderr[-3000:])
        return r.returncode, r.stdout, r.stderr

    def close(self):
        """end everything; the first thing that is wrong with an end is raised"""
        wrong = None
        for p in reversed(self.programs):
            try:
                p.stop()
            except Failed as e:
                wrong = wrong or e
        self.programs = []
        if wrong:
            raise wrong


def _abort(*_):
    """meson's time limit: the children must not outlive us"""
    for program in _running:
        program.proc.kill()
    os._exit(143)


def _guard(fn, lab, seconds):
    """fn(lab) in a thread of its own, with a time limit"""
    out = queue.Queue()

    def work():
        try:
            fn(lab)
            out.put(None)
        except BaseException as e:       # whatever it is, the verdict needs it
            out.put(e)
    threading.Thread(target=work, daemon=True).start()
    try:
        return out.get(timeout=seconds)
    except queue.Empty:
        return Failed("not done in %d s\n%s" % (seconds, "\n".join(
            "  %s:\n%s" % (p.name, p.tail()) for p in lab.programs)))


def main(names, limit=90):
    p = argparse.ArgumentParser()
    p.add_argument("--offhook", default=os.environ.get("OFFHOOK", "offhook"))
    p.add_argument("--keep", action="store_true", help="keep the work folders")
    p.add_argument("--jobs", type=int, default=1, help="tests at a time")
    p.add_argument("only", nargs="*", help="names of tests, without test_")
    a = p.parse_args()
    program = shutil.which(a.offhook)
    if not program:
        sys.exit("%s: no such program" % a.offhook)
    program = os.path.abspath(program)
    tests = [(n[5:], f) for n, f in names.items() if n.startswith("test_") and inspect.isfunction(f)]
    tests = [t for t in tests if not a.only or t[0] in a.only]
    signal.signal(signal.SIGTERM, _abort)
    counts, lock, todo = {"passed": 0, "failed": 0, "skipped": 0}, threading.Lock(), list(tests)

    def one(name, fn):
        folder = tempfile.mkdtemp(prefix="offhook-%s-" % name)
        lab, start = Lab(program, folder), time.monotonic()
        wrong = None
        try:
            wrong = _guard(fn, lab, getattr(fn, "limit", limit))
        finally:
            try:
                lab.close()
            except Failed as e:
                wrong = wrong or e
        took = time.monotonic() - start
        with lock:
            if wrong is None:
                counts["passed"] += 1
                print("ok      %-28s %5.1f s" % (name, took), flush=True)
            elif isinstance(wrong, Skip):
                counts["skipped"] += 1
                print("skipped %-28s %s" % (name, wrong), flush=True)
            else:
                counts["failed"] += 1
                text = str(wrong) if isinstance(wrong, Failed) else "".join(traceback.format_exception(wrong))
                print("FAILED  %-28s %5.1f s\n%s" % (name, took, text), flush=True)
        if not (a.keep or isinstance(wrong, Failed) and os.environ.get("LAB_KEEP")):
            shutil.rmtree(folder, ignore_errors=True)

    def worker():
        while True:
            with lock:
                if not todo:
                    return
                name, fn = todo.pop(0)
            one(name, fn)

    threads = [threading.Thread(target=worker) for _ in range(a.jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    sys.stdout.flush()
    os._exit(1 if counts["failed"] else 77 if not counts["passed"] else 0)
