#!/usr/bin/env python3
"""pace.py - is the media thread in time, however many calls there are?

  pace.py --offhook PROGRAM [--calls 300] [--codec pcmu] [--seconds 20]

One offhook, pinned to one core, sends back what it hears to as many calls as
another one, on the other core, makes. Each prints what its engine counted:
turns, those that began 10 ms late or later, the latest one; and the CPU that
the echo took. Nothing here passes or fails.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time


def ticks(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


class Phone:
    def __init__(self, program, folder, name, core, codec):
        home = os.path.join(folder, name)
        os.makedirs(home)
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.proc = subprocess.Popen(
                ["taskset", "-c", str(core), program, "--new", "-j", "-q", "-c", home, "-l", "udp:127.0.0.1", "-A", "null",
                 "-s", "codecs=" + codec], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=1,
                env={**os.environ, "HOME": home})

    def say(self, line):
        self.proc.stdin.write(line + "\n")

    def reply(self):
        for line in self.proc.stdout:
            o = json.loads(line)
            if "reply" in o:
                return o
        sys.exit("a phone ended; its log: " + self.log)

    def command(self, line):
        self.say(line)
        return self.reply()

    def end(self):
        try:
            self.say("quit")
            self.proc.stdin.close()
            self.proc.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            self.proc.kill()
            self.proc.wait()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--offhook", required=True)
    p.add_argument("--calls", type=int, default=300)
    p.add_argument("--codec", default="pcmu")
    p.add_argument("--seconds", type=int, default=20)
    args = p.parse_args()
    folder = tempfile.mkdtemp(prefix="pace-")
    phones = []
    try:
        program = os.path.abspath(args.offhook)
        echo = Phone(program, folder, "echo", 0, args.codec)
        phones.append(echo)
        echo.command("listen --echo")
        uri = "sip:x@" + echo.command("status")["listeners"][0]["address"]
        caller = Phone(program, folder, "caller", 1, args.codec)
        phones.append(caller)
        rate = 50
        caller.say("dial %s --calls %d --rate %d --concurrent %d --for %d" % (
            uri, args.calls, rate, args.calls, args.seconds + args.calls // rate + 5))
        while len([c for c in echo.command("status")["calls"] if c["state"] == "active"]) < args.calls:
            time.sleep(0.5)
        before, cpu, at = echo.command("status"), ticks(echo.proc.pid), time.monotonic()
        time.sleep(args.seconds)
        after, cpu, took = echo.command("status"), ticks(echo.proc.pid) - cpu, time.monotonic() - at
        turns = after["media_cycles"] - before["media_cycles"]
        missed = after["media_missed"] - before["media_missed"]
        print("%d echo calls (%s) on one core for %.0f s: %d turns, %d began 10 ms late or later; the latest one ever %.1f ms; "
              "%.0f %% of the core" % (args.calls, args.codec, took, turns, missed, after["media_worst_ms"], 100 * cpu / took))
    finally:
        for ph in phones:
            ph.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
