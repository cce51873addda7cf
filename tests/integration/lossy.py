#!/usr/bin/env python3
"""SIP over a link that loses a tenth of its packets and takes 100 ms each way:
everything ends in a right state on both sides. OFFHOOK_LOSSY: how many of each
kind (20). Root and /dev/net/tun are needed: the link joins two namespaces.

The tests, the server, bob and carol are on one side, alice on the other."""
import os
import subprocess
import sys

from kamailio import Kamailio
from lab import check, main, ports

HERE = os.path.dirname(os.path.abspath(__file__))
LINK = os.path.join(HERE, os.pardir, "tools", "bad-network")
FAR, NEAR = "10.77.0.1", "10.77.0.2"
COUNT = int(os.environ.get("OFFHOOK_LOSSY", "20"))
USERS = {"alice": "secret"}
SIP = "udp:20000-32000"          # where the lab's ports are
MEDIA = ("-s", "media-ports=40000-49998")
LONG = 60                        # a transaction has 32 s, a call several


def far(lab, *args, name="alice"):
    return lab.offhook(*MEDIA, *args, name=name, host=FAR, port=ports(1, NEAR), audio="silence",
                       wrap=("ip", "netns", "exec", os.environ["OFFHOOK_FAR"])).ready()


def near(lab, name, *args):
    return lab.offhook(*MEDIA, "--auto-answer", *args, name=name, host=NEAR, audio="silence").ready()


def over(phone, call, **fields):
    end = phone.event("call.state", timeout=LONG, call=call, state="ended", **fields)
    # hung up at once, when its ACK is still on the way: nothing was heard
    check(end["cause"] in ("none", "no-media"), "%s: %s", phone.name, end)


def idle(*phones):
    for p in phones:
        left = p.command("calls")["calls"]
        check(not left, "%s still has %s", p.name, left)


def up(caller, callee, n):
    caller.command("dial " + callee.uri, LONG)
    caller.event("call.state", timeout=LONG, call=n, state="active")
    callee.event("call.state", timeout=LONG, call=n, state="active")


def test_register(lab):
    """the server and the phone agree each time"""
    server = Kamailio(lab, "auth", users=USERS, host=NEAR)
    a = far(lab, "-a", server.account("alice", "secret"))
    a.event("account.state", timeout=LONG, again=True, state="registered")
    for _ in range(COUNT):
        server.registered("alice", 1)
        a.command("unregister", LONG)
        a.event("account.state", timeout=LONG, state="off")
        server.registered("alice", 0)
        a.command("register", LONG)
        a.event("account.state", timeout=LONG, state="registered")


def test_call(lab):
    """by turns: who calls, who hangs up"""
    a, b = far(lab), near(lab, "bob")
    a.command("auto-answer on")
    for n in range(1, COUNT + 1):
        caller, callee = ((a, b), (b, a))[n % 2]
        up(caller, callee, n)
        (caller, callee)[n // 2 % 2].command("hangup", LONG)
        over(caller, n), over(callee, n)
        idle(a, b)


def test_hold(lab):
    """the peer learns of each hold and each resume, from both sides"""
    a, b = far(lab), near(lab, "bob")
    up(a, b, 1)
    for n in range(COUNT):
        us, them = ((a, b), (b, a))[n % 2]
        us.command("hold", LONG)
        them.event("call.hold", timeout=LONG, remote=True)
        us.command("resume", LONG)
        them.event("call.hold", timeout=LONG, remote=False)
    a.command("hangup", LONG)
    over(a, 1), over(b, 1)
    idle(a, b)


def test_transfer(lab):
    """alice hands bob to carol, and has no call left"""
    a, b, c = far(lab), near(lab, "bob"), near(lab, "carol")
    for n in range(COUNT):
        a.command("dial " + b.uri, LONG)
        a.event("call.state", timeout=LONG, call=n + 1, state="active")
        b.event("call.state", timeout=LONG, direction="in", state="active")
        a.command("transfer " + c.uri, LONG)
        over(a, n + 1)
        new = b.event("call.state", timeout=LONG, direction="out", state="active")["call"]
        c.event("call.state", timeout=LONG, call=n + 1, state="active")
        b.event("call.state", timeout=LONG, again=True, direction="in", state="ended", call=new - 1)
        b.command("hangup %d" % new, LONG)
        c.event("call.state", timeout=LONG, call=n + 1, state="ended")
        idle(a, b, c)


def joined():
    """this program once more, with the link"""
    if os.geteuid() or not os.path.exists("/dev/net/tun"):
        print("skipped: needs root and /dev/net/tun")
        sys.exit(77)
    names = ["offhook-%s-%d" % (side, os.getpid()) for side in ("far", "near")]
    r = subprocess.run([LINK, "--ns-a", names[0], "--ns-b", names[1], "--loss", "10", "--delay", "100", "--match", SIP,
                        "--", "ip", "netns", "exec", names[1], sys.executable, os.path.abspath(__file__)] + sys.argv[1:],
                       env=dict(os.environ, OFFHOOK_FAR=names[0]))
    sys.exit(r.returncode)


for test in (test_register, test_call, test_hold, test_transfer):
    test.limit = 60 + 20 * COUNT

if __name__ == "__main__":
    if "OFFHOOK_FAR" not in os.environ:
        joined()
    main(globals())
