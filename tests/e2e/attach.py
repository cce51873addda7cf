#!/usr/bin/env python3
"""The screen comes and goes, the phone and its calls stay: detach, attach,
a lost terminal, another one that takes over, links that open in the phone."""
import os
import signal
import subprocess
import time

from home import check, main
from screen import Screen
from terminal import Terminal


def run(lab, *words, timeout=60):
    r = subprocess.run([lab.program, "-c", lab.path("conf.d")] + list(words), capture_output=True, text=True,
                       timeout=timeout, stdin=subprocess.DEVNULL,
                       env={**os.environ, "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir, "XDG_STATE_HOME": lab.path("state"),
                            "XDG_CONFIG_HOME": lab.path("conf")})
    return r.returncode, r.stdout, r.stderr


def attached(lab, name, *args):
    s = Terminal(lab, [lab.program, "-c", lab.path("conf.d")] + list(args), name=name)
    s.wait(r"^ offhook ")
    return s


def test_detach(lab):
    """in mid-call, by key and by command; sound and SIP go on meanwhile"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    s = Screen(lab)
    phone = s.phone()
    s.dial(other.uri)
    s.wait("ACTIVE")
    s.keys("D")
    check(s.ended() == 0, "exit code")
    check("[detached" in s.text(), "%s", s.text())
    check(os.path.exists("/proc/%d" % phone), "the phone has ended")
    before = other.command("stats")["packets_received"]
    time.sleep(1)
    check(other.command("stats")["packets_received"] - before > 30, "no sound without the screen")
    code, out, err = run(lab, "calls")
    check(code == 0 and "active" in out, "%d %s%s", code, out, err)
    s.run([lab.program, "-c", lab.path("conf.d"), "attach"])
    s.wait("ACTIVE")
    code, out, err = run(lab, "detach")
    check(code == 0, "%s%s", out, err)
    check(s.ended() == 0, "exit code")
    code, out, err = run(lab, "detach")
    check(code == 1 and "already" in err, "%d %s%s", code, out, err)
    s.run([lab.program, "-c", lab.path("conf.d"), "attach"])
    s.wait("ACTIVE")
    s.keys("h")
    other.event("call.state", state="ended", timeout=20)
    s.keys("q")
    s.wait(r". quit")
    s.keys("Enter")
    check(s.ended() == 0, "exit code")
    end = time.monotonic() + 10
    while os.path.exists("/proc/%d" % phone):
        check(time.monotonic() < end, "the phone still runs")
        time.sleep(0.05)
    code, out, err = run(lab, "attach")
    check(code == 2 and "terminal" in err, "%d %s%s", code, out, err)
    s.run([lab.program, "-c", lab.path("conf.d"), "attach"])
    s.wait("no-phone")
    check(s.ended() == 1, "exit code")


def test_lost(lab):
    """a terminal that dies ends no call; the screen comes back elsewhere"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    s = Screen(lab)
    s.dial(other.uri)
    s.wait("ACTIVE")
    os.kill(int(s.tmux("display", "-p", "#{pid}")), signal.SIGKILL)
    time.sleep(0.5)
    check(other.command("calls")["calls"][0]["state"] == "active", "the call has ended")
    t = attached(lab, "t", "attach")
    t.wait("ACTIVE")
    t.size(100, 30)
    t.wait(r"^─{100}$")


def test_take_over(lab):
    """offhook alone shows the phone that runs; the terminal before is left"""
    s = Screen(lab)
    t = attached(lab, "t")
    s.wait("another terminal has the phone now")
    check(s.ended() == 0, "exit code")
    t.keys("q")
    t.wait(r". quit")
    t.keys("Enter")
    check(t.ended() == 0, "exit code")


def test_daemon(lab):
    """a phone that never had a screen is given one"""
    os.makedirs(lab.path("conf.d"), exist_ok=True)
    p = subprocess.Popen([lab.program, "-c", lab.path("conf.d"), "-A", "null", "-l", "udp:127.0.0.1", "--auto-answer",
                          "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                         env={**os.environ, "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir, "XDG_STATE_HOME": lab.path("state"),
                              "XDG_CONFIG_HOME": lab.path("conf")})
    for _ in range(200):
        code, out, err = run(lab, "-q", "ctl", "status")
        if code == 0:
            break
        time.sleep(0.05)
    s = attached(lab, "s", "attach")
    s.keys("D")
    check(s.ended() == 0, "exit code")
    code, out, err = run(lab, "status")
    check(code == 0 and "auto-answer" in out, "%s%s", out, err)
    p.send_signal(signal.SIGTERM)
    out, _ = p.communicate(timeout=20)
    check(p.returncode == 0 and "\033" not in out, "%d %r", p.returncode, out)


def test_startup_error(lab):
    """what keeps the phone from starting is told on the terminal, with its exit code"""
    other = lab.offhook(audio="null").ready()
    s = Terminal(lab, [lab.program, "-c", lab.dir, "-A", "null", "-l", "udp:127.0.0.1:%d" % other.port], name="s")
    s.wait("port-taken")
    check(s.ended() == 9, "exit code")
    s.run([lab.program, "-c", lab.dir, "-s", "nonsense=1", "-l", "udp:127.0.0.1"])
    s.wait("bad-config")
    check(s.ended() == 2, "exit code")


def test_link(lab):
    """what the desktop entry runs, while a phone is on the screen"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    s = Screen(lab)
    p = subprocess.Popen([lab.program, "-c", lab.path("conf.d"), "dial", other.uri], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env={**os.environ, "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir, "XDG_STATE_HOME": lab.path("state"),
                              "XDG_CONFIG_HOME": lab.path("conf")})
    s.wait("ACTIVE")
    s.press("h", "ACTIVE", gone=True)
    out, _ = p.communicate(timeout=20)
    check(p.returncode == 0 and "ended" in out, "%d %s", p.returncode, out)


if __name__ == "__main__":
    main(globals())
