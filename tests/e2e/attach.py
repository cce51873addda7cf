#!/usr/bin/env python3
"""The screen comes and goes, the phone and its calls stay: detach, attach,
a lost terminal, another one that takes over, links that open in the phone."""
import os
import signal
import subprocess
import time

from home import Skip, check, main, need
from authority import Authority
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


def desktop(lab):
    """what is installed, as a desktop sees it -> environment of a program that opens links"""
    need("meson", "update-desktop-database", "gio")
    build, root, fakes = os.path.dirname(os.path.dirname(lab.program)), lab.path("root"), lab.path("fakes")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        raise Skip("%s is no build folder" % build)
    r = subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", root], capture_output=True, text=True)
    check(r.returncode == 0, "%s%s", r.stdout, r.stderr)
    entry = [os.path.join(d, f) for d, _, files in os.walk(root) for f in files if f == "offhook.desktop"]
    check(len(entry) == 1, "%s", entry)
    share = os.path.dirname(os.path.dirname(entry[0]))
    subprocess.run(["update-desktop-database", os.path.dirname(entry[0])], check=True, timeout=60)
    # the entry wants a terminal: these hand it what they were given
    os.makedirs(fakes)
    for name, line in (("xdg-terminal-exec", 'exec "$@"'), ("xterm", 'shift; exec "$@"')):
        os.chmod(lab.file("fakes/" + name, "#!/bin/sh\n%s > '%s' 2>&1 < /dev/null\n" % (line, lab.path("link.txt"))), 0o755)
    # the phone's own folder is that of somebody who names none
    os.makedirs(lab.path("conf"), exist_ok=True)
    os.symlink(lab.path("conf.d"), lab.path("conf", "offhook"))
    env = {k: v for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN", "OFFHOOK_", "LD_"))}
    return {**env, "PATH": ":".join((os.path.join(os.path.dirname(share), "bin"), fakes, "/usr/bin:/bin")),
            "XDG_DATA_DIRS": share, "XDG_DATA_HOME": lab.path("data"), "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir,
            "XDG_STATE_HOME": lab.path("state"), "XDG_CONFIG_HOME": lab.path("conf"), "LC_ALL": "C.UTF-8"}


def opened(lab, s, env, uri, peer):
    """gio opens a link: the phone on the screen calls; what the link printed when it is over"""
    r = subprocess.run(["gio", "open", uri], env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    check(r.returncode == 0, "%s: %s%s", uri, r.stdout, r.stderr)
    e = peer.event("call.state", state="active", timeout=30)
    s.wait("ACTIVE", timeout=30)
    s.press("h", "ACTIVE", gone=True)
    peer.event("call.state", state="ended", timeout=30)
    end = time.monotonic() + 30
    while True:
        with open(lab.path("link.txt"), encoding="utf-8") as f:
            text = f.read()
        if "ended" in text:
            return e, text
        check(time.monotonic() < end, "%s: it is not over for who opened it: %s", uri, text)
        time.sleep(0.05)


def test_links(lab):
    """sip:, sips: and tel: open in the phone that is on the screen, by its installed desktop entry"""
    ca = Authority(lab)
    cert, key = ca.issue("IP:127.0.0.1", subject="peer")
    plain = lab.offhook("--auto-answer", name="plain", audio="tone:1000").ready()
    tls = lab.offhook("--auto-answer", "-s", "tls-cert=" + cert, "-s", "tls-key=" + key, name="tls", transports=("tls",),
                      audio="tone:1000").ready()
    s = Screen(lab, "-s", "tls-ca=" + ca.path, "-a", "sip:alice@127.0.0.1:%d;register=no" % plain.port, size=(100, 30))
    env = desktop(lab)
    opened(lab, s, env, plain.uri, plain)
    # hyphens and the like are for people only
    opened(lab, s, env, "tel:+49-30-1234(56)", plain)
    opened(lab, s, env, "sips:bob@127.0.0.1:%d" % tls.port, tls)
    s.keys("H")
    s.wait(r"HISTORY +3 calls")
    s.wait(r"\+4930123456")
    s.picture("links")


if __name__ == "__main__":
    main(globals())
