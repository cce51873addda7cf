#!/usr/bin/env python3
"""soak.py - the long checks, with the figures they give

  soak.py --offhook PROGRAM [--fuzz BUILD] [--only PART]...

fuzz         every fuzz target for 60 s (BUILD: configured with -Dfuzz=true)
tone         ten minutes of a steady tone through a virtual sound card, one
             core kept busy
calls        100 000 calls by SIPp: none fails, memory comes back
rotation     100 000 that are answered, cancelled, rejected, redirected and
             abandoned in rotation, as callee and as caller: memory is where
             the first thousand left it
lossy        200 of each kind over a link that loses a tenth of SIP
concurrent   300 calls at once for a minute: every packet and all speech back
deb          the Debian package is made; what is in it works by itself
chroot       Debian 13 with its libre: builds there, passes unit, arch, e2e

Ends with the counts; exit 1 if one failed.
"""
import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "bench"))

import bench  # noqa: E402
import peers  # noqa: E402


class Skip(Exception):
    pass


def run(argv, timeout, **env):
    """-> (exit code, output), the output shown as it comes"""
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                         env={**os.environ, **env})
    limit, lines = threading.Timer(timeout, p.terminate), []
    limit.start()
    try:
        for line in p.stdout:
            lines.append(line)
            print("  | " + line, end="", flush=True)
        return p.wait(60), "".join(lines)
    finally:
        limit.cancel()
        if p.poll() is None:
            p.kill()
            p.wait()


def figure(text, *args):
    print("  " + text % args, flush=True)


def fuzz(a):
    if not a.fuzz:
        raise Skip("no build with fuzz targets (--fuzz)")
    code, out = run(["meson", "test", "-C", a.fuzz, "--no-rebuild", "--suite", "fuzz", "--print-errorlogs"], 3600,
                    OFFHOOK_FUZZ_SECONDS="60")
    log = os.path.join(a.fuzz, "meson-logs", "testlog.txt")
    with open(log, encoding="utf-8", errors="replace") as f:
        runs = [int(n) for n in re.findall(r"stat::number_of_executed_units: *(\d+)", f.read())]
    figure("%d targets, %d inputs", len(runs), sum(runs))
    return code == 0


def tone(a):
    script = os.path.join(HERE, "..", "integration", "soundcard.py")
    code, _ = run([sys.executable, script, "--offhook", a.offhook, "tone_through_the_card"], 900,
                  OFFHOOK_TONE_SECONDS=a.tone)
    if code == 77:
        raise Skip("no virtual sound card")
    return code == 0


def state(p):
    return p.memory() + (len(os.listdir("/proc/%d/fd" % p.pid)), len(os.listdir("/proc/%d/task" % p.pid)))


def calls(a):
    b = bench.Bench(a.offhook, a.speech, ["offhook"])
    total, rate = a.calls, 150
    try:
        p = b.phone(peers.Offhook, a.offhook)
        p.up()
        b.sipp(p, rate, total // 10, total / 10 / rate)     # caches fill
        time.sleep(40)
        before = state(p)
        r = b.sipp(p, rate, total, total / rate)
        top = p.memory()[1]
        time.sleep(40)
        after = state(p)
        b.done(p)
    finally:
        b.close()
    figure("%d of %d calls at %d/s, %d messages sent again, %.2f ms of CPU a call", r["ok"], total, rate, r["again"],
           1000 * r["cpu"] / total)
    figure("anonymous memory %d kB before, %d at the end, %d after a pause: %.3f kB a call; descriptors %d, %d; "
           "threads %d, %d", before[1], top, after[1], (after[1] - before[1]) / total, before[2], after[2], before[3],
           after[3])
    return r["ok"] == total and after[1] - before[1] < 2048 and after[2:] == before[2:]


def concurrent(a):
    b = bench.Bench(a.offhook, a.speech, ["offhook"])
    try:
        b.many(peers.Offhook, a.offhook, "pcmu", "G.711", 300, seconds=60)
    finally:
        b.close()
    got = {k.split(": ")[1]: v["offhook"] for k, v in bench.figures().items() if k.startswith("G.711 x 300")}
    return got["packets back"] >= 99.9 and got["speech back"] >= 99.5


def lossy(a):
    script = os.path.join(HERE, "..", "integration", "lossy.py")
    code, _ = run([sys.executable, script, "--offhook", a.offhook, "--jobs", "4"], 4500, OFFHOOK_LOSSY=a.lossy)
    if code == 77:
        raise Skip("no such link here")
    return code == 0


def rotation(a):
    script = os.path.join(HERE, "..", "integration", "growth.py")
    code, _ = run([sys.executable, script, "--offhook", a.offhook, "--jobs", "2"], 4000, OFFHOOK_GROWTH=str(a.calls))
    return code == 0


def chroot(a):
    code, _ = run([os.path.join(HERE, "chroot.sh"), TOP], 3600)
    if code == 77:
        raise Skip("see above")
    return code == 0


WANTED = ("usr/bin/offhook", "usr/lib/systemd/user/offhook.service", "usr/share/applications/offhook.desktop",
          "usr/share/man/man1/offhook.1.gz", "usr/share/man/man5/offhook.conf.5.gz", "usr/share/man/man7/offhook-json.7.gz",
          "usr/share/man/man7/offhook-script.7.gz", "usr/share/bash-completion/completions/offhook",
          "usr/share/zsh/site-functions/_offhook", "usr/share/fish/vendor_completions.d/offhook.fish",
          "usr/share/doc/offhook/copyright", "usr/share/offhook/offhook.schema.json")


def deb(a):
    code, out = run([os.path.join(TOP, "run"), "deb"], 1800)
    if code:
        return False
    package = out.splitlines()[-1].strip()
    needs = subprocess.run(["dpkg-deb", "-f", package, "Depends"], check=True, capture_output=True, text=True).stdout
    figure("%s, %d kB, needs %s", os.path.basename(package), os.path.getsize(package) // 1024, needs.strip())
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        missing = [f for f in WANTED if not os.path.isfile(os.path.join(folder, f))]
        for f in missing:
            figure("not in it: %s", f)
        known = [lib for lib in ("libre", "libportaudio", "libsndfile", "libopus") if lib not in needs]
        for lib in known:
            figure("it does not say that it needs %s", lib)
        # it calls itself: a program, a codec and a file of sound that are all in it
        program, speech = (os.path.join(folder, f) for f in ("usr/bin/offhook", "usr/share/offhook/sounds/speech.wav"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        env = {"HOME": folder, "XDG_RUNTIME_DIR": folder}
        other = subprocess.Popen([program, "--new", "-q", "-l", "udp:127.0.0.1:%d" % port, "-A", "null", "listen", "--calls", "1",
                                  "--until", "1m"], env={**os.environ, **env}, stdin=subprocess.DEVNULL)
        try:
            # the other one is asked again until it listens
            code, _ = run([program, "--new", "-l", "udp:127.0.0.1", "-A", "null", "dial", "sip:me@127.0.0.1:%d" % port, "--redial",
                           "20", "--redial-after", "500ms", "--play", speech, "--for", "2s"], 120, **env)
            code = code or other.wait(70)
        finally:
            other.kill()
            other.wait()
    return code == 0 and not missing and not known


PARTS = (fuzz, tone, calls, rotation, concurrent, lossy, deb, chroot)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--offhook", required=True, metavar="PROGRAM")
    p.add_argument("--fuzz", metavar="BUILD")
    p.add_argument("--only", action="append", choices=[f.__name__ for f in PARTS])
    p.add_argument("--calls", type=int, default=100000)
    p.add_argument("--lossy", default="200", metavar="COUNT")
    p.add_argument("--tone", default="600", metavar="SECONDS")
    p.add_argument("--speech", default=os.path.join(TOP, "sounds", "speech.wav"))
    a = p.parse_args()
    a.offhook = os.path.abspath(a.offhook)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for part in PARTS:
        if a.only and part.__name__ not in a.only:
            continue
        print("== %s" % part.__name__, flush=True)
        began, mine = time.monotonic(), os.sched_getaffinity(0)
        if part in (calls, concurrent) and len(mine) > 1:
            os.sched_setaffinity(0, mine - {0})      # the phone has CPU 0
        try:
            word = "passed" if part(a) else "failed"
        except Skip as e:
            print("  skipped: %s" % e)
            word = "skipped"
        except (RuntimeError, OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as e:
            print("  %s" % e)
            word = "failed"
        os.sched_setaffinity(0, mine)
        counts[word] += 1
        print("== %s: %s, %.0f s" % (part.__name__, word, time.monotonic() - began), flush=True)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
