#!/usr/bin/env python3
"""A phone under a service manager: it says when it is ready, feeds the
watchdog while it turns, says when it leaves; links open in it."""
import configparser
import os
import shutil
import signal
import socket
import subprocess
import time

from home import Skip, check, main

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir)


class Manager:
    """the service manager's end of sd_notify"""

    def __init__(self, path, abstract=False):
        self.name = ("@" if abstract else "") + path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + path if abstract else path)

    def word(self, want, timeout=20):
        """until a message has this line -> how many came before"""
        end, n = time.monotonic() + timeout, 0
        while True:
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            if want in self.sock.recv(4096).decode().splitlines():
                return n
            n += 1


def service(lab, manager, **env):
    return subprocess.Popen(
        [lab.program, "-l", "udp:127.0.0.1", "-A", "null", "--auto-answer", "--json"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir, "NOTIFY_SOCKET": manager.name, **env})


def test_ready(lab):
    """it listens when it says so; it leaves cleanly"""
    for abstract in (False, True):
        m = Manager(lab.path("notify%d" % abstract), abstract)
        p = service(lab, m)
        check(m.word("READY=1") == 0, "something came before")
        r = subprocess.run([lab.program, "status"], env={**os.environ, "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir},
                           capture_output=True, text=True, timeout=20)
        check(r.returncode == 0 and "auto-answer" in r.stdout and "on" in r.stdout, "%s%s", r.stdout, r.stderr)
        p.send_signal(signal.SIGTERM)
        m.word("STOPPING=1")
        out, _ = p.communicate(timeout=20)
        check(p.returncode == 0, "%d %s", p.returncode, out)


def test_watchdog(lab):
    """fed twice in its time; a phone that stands still does not feed it"""
    m = Manager(lab.path("notify"))
    p = service(lab, m, WATCHDOG_USEC="400000")
    m.word("READY=1")
    for _ in range(4):
        m.word("WATCHDOG=1")
    os.kill(p.pid, signal.SIGSTOP)
    m.sock.settimeout(0.1)
    try:
        while True:
            m.sock.recv(4096)
    except (socket.timeout, BlockingIOError):
        pass
    m.sock.settimeout(1)
    try:
        m.sock.recv(4096)
        fed = True
    except socket.timeout:
        fed = False
    os.kill(p.pid, signal.SIGCONT)
    check(not fed, "fed by a phone that stands still")
    m.word("WATCHDOG=1")
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=20)
    check(p.returncode == 0, "%d", p.returncode)


def test_not_ours(lab):
    """a watchdog of another process, a manager that is not there"""
    m = Manager(lab.path("notify"))
    p = service(lab, m, WATCHDOG_USEC="200000", WATCHDOG_PID="1")
    m.word("READY=1")
    m.sock.settimeout(1)
    try:
        text = m.sock.recv(4096)
        check(False, "%s", text)
    except socket.timeout:
        pass
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=20)
    m.name = lab.path("nobody")
    p = service(lab, m)
    time.sleep(0.5)
    check(p.poll() is None, "it ended")
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=20)
    check(p.returncode == 0, "%d", p.returncode)


def test_unit(lab):
    """the unit that is installed says what the program does"""
    c = configparser.ConfigParser(strict=False, interpolation=None)
    c.optionxform = str
    c.read(os.path.join(TOP, "share", "offhook.service"))
    check(c["Service"]["Type"] == "notify" and "WatchdogSec" in c["Service"], "%s", dict(c["Service"]))
    check(c["Service"]["ExecStart"].split()[0] == "offhook", "ExecStart")


def test_links(lab):
    """the desktop entry is a good one, for three kinds of links"""
    path = os.path.join(TOP, "share", "offhook.desktop")
    c = configparser.ConfigParser(strict=True, interpolation=None)
    c.optionxform = str
    c.read(path)
    e = c["Desktop Entry"]
    check(set(e["MimeType"].strip(";").split(";")) == {"x-scheme-handler/" + s for s in ("sip", "sips", "tel")}, "%s",
          e["MimeType"])
    check(e["Exec"] == "offhook dial %u", "%s", e["Exec"])
    if not shutil.which("desktop-file-validate"):
        raise Skip("desktop-file-validate not installed")
    r = subprocess.run(["desktop-file-validate", path], capture_output=True, text=True)
    check(r.returncode == 0, "%s", r.stdout)


if __name__ == "__main__":
    main(globals())
