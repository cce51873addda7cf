#!/usr/bin/env python3
"""The phone's network changes under it: another address, another way, and back.
Two network namespaces joined by two cables: the phone in one, Kamailio and the
other phone in the other, reached by either cable. Needs root."""
import os
import subprocess
import time

import sound
from authority import Authority
from kamailio import DOMAIN, Kamailio
from lab import Program, Skip, check, main, need

USERS = {"alice": "secret", "bob": "bobpw"}
SERVER, BOB = "10.91.9.9", "10.91.9.8"
WAYS = (("10.91.1.2", "10.91.1.1"), ("10.91.2.2", "10.91.2.1"))     # ours, theirs

_count = [0]


class Net:
    """the two namespaces; `go(way)` is what happens when a laptop goes from
    one network to the other"""

    def __init__(self, lab):
        need("ip")
        if os.getuid():
            raise Skip("network namespaces are made by root only")
        _count[0] += 1
        stem = "oh%d-%d" % (os.getpid(), _count[0])
        self.inside, self.outside = stem + "a", stem + "b"
        try:
            self.ip("netns", "add", self.inside)
        except subprocess.CalledProcessError as e:
            raise Skip("network namespaces cannot be made here: %s" % e.stderr.decode().strip())
        lab.programs.append(self)
        self.ip("netns", "add", self.outside)
        for ns in (self.inside, self.outside):
            self.ip("-n", ns, "link", "set", "lo", "up")
        for i, (ours, theirs) in enumerate(WAYS):
            self.ip("-n", self.inside, "link", "add", "w%d" % i, "type", "veth", "peer", "name", "w%d" % i,
                    "netns", self.outside)
            self.ip("-n", self.outside, "addr", "add", theirs + "/24", "dev", "w%d" % i)
            for ns in (self.inside, self.outside):
                self.ip("-n", ns, "link", "set", "w%d" % i, "up")
        for a in (SERVER, BOB):
            self.ip("-n", self.outside, "addr", "add", a + "/32", "dev", "lo")
        self.way = None
        self.go(0)

    @staticmethod
    def ip(*args):
        subprocess.run(["ip"] + list(args), check=True, capture_output=True, timeout=20)

    def go(self, way):
        ours, theirs = WAYS[way]
        if self.way is not None:
            self.leave()
        self.ip("-n", self.inside, "addr", "add", ours + "/24", "dev", "w%d" % way)
        self.ip("-n", self.inside, "route", "replace", "default", "via", theirs)
        self.way = way

    def leave(self):
        self.ip("-n", self.inside, "addr", "del", WAYS[self.way][0] + "/24", "dev", "w%d" % self.way)
        self.way = None

    # as a program of the lab: ends last
    def stop(self):
        for ns in (self.inside, self.outside):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True, timeout=20, check=False)

    def tail(self):
        return ""

    name = "namespaces"


def wrap(ns):
    return ["ip", "netns", "exec", ns]


def server(lab, net, *switches, **kw):
    return Kamailio(lab, "auth", *switches, users=USERS, host=SERVER, port=5060, wrap=wrap(net.outside), **kw)


def alice(lab, net, account, *args):
    p = lab.offhook(*args, "-a", account, name="alice", transports=(), port=5060, wrap=wrap(net.inside))
    return registered(p)


def bob(lab, net, s, *args):
    p = lab.offhook(*args, "-a", s.account("bob", "bobpw"), name="bob", host=BOB, port=5060, wrap=wrap(net.outside))
    return registered(p)


def registered(p, timeout=20):
    p.event("account.state", state="registered", timeout=timeout)
    return p


def call(caller, callee, whom):
    caller.command("dial " + whom)
    callee.event("call.state", state="incoming", timeout=20)
    callee.command("answer")
    for p in (caller, callee):
        p.event("call.state", state="active", timeout=20)


def sound_flows(p, timeout=20):
    """more comes than a moment ago"""
    first = p.event("call.quality", timeout=timeout)["packets_received"]
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if p.event("call.quality", timeout=timeout)["packets_received"] > first + 20:
            return
    check(False, "nothing more is heard\n%s", p.tail())


def bound_at(s, address, timeout=20):
    """until the registrar has that address alone"""
    end = time.monotonic() + timeout
    while True:
        found = s.bindings("alice")
        if len(found) == 1 and "@%s:" % address in found[0]["Address"] + ":5060":
            return
        check(time.monotonic() < end, "bound elsewhere: %s", found)
        time.sleep(0.1)


def moves(lab, account, *args, incoming=False, switches=(), theirs=(), **kw):
    net = Net(lab)
    s = server(lab, net, *switches, **kw)
    b = bob(lab, net, s, *theirs)
    a = alice(lab, net, account(s), *args)
    if not args:
        bound_at(s, WAYS[0][0])
    if incoming:
        call(b, a, "alice")
    else:
        call(a, b, "bob")
    sound_flows(b), sound_flows(a)

    for way in (1, 0):
        mark = len(b.lines)
        net.go(way)
        e = a.event("network.changed", timeout=20)
        got = [e]
        while WAYS[way][0] not in got[-1].get("added", "") and len(got) < 4:
            got.append(a.event("network.changed", timeout=20))
        check(WAYS[way][0] in got[-1].get("added", ""), "%s", got)
        check(any(WAYS[1 - way][0] in x.get("removed", "") for x in got), "%s", got)
        registered(a, 40)
        if not args:
            bound_at(s, WAYS[way][0])
        end = time.monotonic() + 30
        while not any('"call.media"' in x and WAYS[way][0] + ":" in x for x in b.lines[mark:]):
            check(time.monotonic() < end, "the other side does not know our new address\n%s\n%s", a.tail(), b.tail())
            time.sleep(0.05)
        for p in (a, b):
            p.seen = len(p.lines)
        sound_flows(b), sound_flows(a)
        r = a.command("status")
        check(any(x["address"].startswith(WAYS[way][0] + ":") for x in r["listeners"]), "%s", r["listeners"])
        check(not any(x["address"].startswith(WAYS[1 - way][0] + ":") for x in r["listeners"]), "%s", r["listeners"])

    # it is one call all the time, and ends as one
    b.command("hangup")
    for p in (a, b):
        end = p.event("call.state", state="ended", timeout=20)
        check(end["cause"] == "none", "%s", end)
    # and the next one finds us
    call(b, a, "alice")
    a.command("hangup")
    b.event("call.state", state="ended", timeout=20)


def test_udp(lab):
    moves(lab, lambda s: s.account("alice", "secret"))


def test_udp_callee(lab):
    moves(lab, lambda s: s.account("alice", "secret"), incoming=True)


def test_tcp(lab):
    moves(lab, lambda s: s.account("alice", "secret", "transport=tcp"))


def test_tls(lab):
    ca = Authority(lab)
    moves(lab, lambda s: s.tls_account("alice", "secret"), "-s", "tls-ca=" + ca.path, switches=("tls",),
          certificate=ca.issue("IP:%s,DNS:%s" % (SERVER, DOMAIN)))


def test_ice(lab):
    """the checks begin anew from the new address"""
    moves(lab, lambda s: s.account("alice", "secret"), "-s", "ice=yes", theirs=("-s", "ice=yes"))


def test_ice_moves(lab):
    """the relay is asked anew from the new address, the peer is told what it
    gives, and the sound goes on; how long it was away is printed"""
    need("turnserver")
    net = Net(lab)
    s = server(lab, net)
    conf = ("listening-port=3478", "listening-ip=" + SERVER, "relay-ip=" + SERVER, "lt-cred-mech", "user=alice:turnpw",
            "realm=example.com", "no-cli", "no-tls", "no-dtls", "no-multicast-peers", "log-file=stdout", "simple-log",
            "pidfile=" + lab.path("turn.pid"), "userdb=" + lab.path("turn.db"))
    Program(lab, "turnserver", [*wrap(net.outside), "turnserver", "-c", lab.file("turn.conf", "\n".join(conf))])
    b = bob(lab, net, s, "-s", "ice=yes", "-s", "record-layout=them", "-s", "codecs=pcmu")
    a = registered(lab.offhook(
        "-s", "ice=yes", "-s", "stun-server=" + SERVER, "-s", "turn-server=alice@" + SERVER, "-s", "turn-password-file=" +
        lab.file("password", "turnpw\n"), "-t=" + lab.path("trace"), "-a", s.account("alice", "secret"), name="alice",
        transports=(), port=5060, wrap=wrap(net.inside), audio="tone:440"))
    call(a, b, "bob")
    sound_flows(b), sound_flows(a)
    b.command("record " + lab.path("bob.wav"))
    net.go(1)
    end = time.monotonic() + 40
    while "typ relay raddr " + WAYS[1][0] not in open(lab.path("trace"), encoding="utf-8").read():
        check(time.monotonic() < end, "no relay from the new address\n%s", a.tail())
        time.sleep(0.1)
    registered(a, 40)
    for p in (a, b):
        p.seen = len(p.lines)
    sound_flows(b), sound_flows(a)
    b.command("record stop")
    heard = sound.heard(lab.path("bob.wav"), 440)
    print("away for %.2f s: %s" % (sum(g for _, g in heard.gaps), heard))
    check(heard.seconds > 1, "%s", heard)
    b.command("hangup")
    a.event("call.state", state="ended", timeout=20)


def test_rings_there(lab):
    """it rings at the other side when our address goes: answers would go to
    nobody, so it is called again from the new one, and is one call to us"""
    net = Net(lab)
    s = server(lab, net)
    b, a = bob(lab, net, s), alice(lab, net, s.account("alice", "secret"))
    a.command("dial bob")
    first = b.event("call.state", state="incoming", timeout=20)["call"]
    a.event("call.state", state="ringing", timeout=20)
    net.go(1)
    second = b.event("call.state", state="incoming", timeout=40)["call"]
    gone = b.event("call.state", state="ended", call=first, timeout=20, again=True)
    check(gone["cause"] == "cancelled", "%s", gone)
    b.command("answer %d" % second)
    for p in (a, b):
        p.event("call.state", state="active", timeout=20)
    sound_flows(b), sound_flows(a)
    check(not any(o.get("event") == "call.state" and o.get("state") == "ended" for o in a.objects()), "%s", a.tail())
    a.command("hangup")
    b.event("call.state", state="ended", call=second, timeout=20)


def test_rings_here(lab):
    """it rings here when our address goes: the answer leaves from the new one"""
    net = Net(lab)
    s = server(lab, net)
    b, a = bob(lab, net, s), alice(lab, net, s.account("alice", "secret"))
    b.command("dial alice")
    a.event("call.state", state="incoming", timeout=20)
    b.event("call.state", state="ringing", timeout=20)
    net.go(1)
    a.event("network.changed", timeout=20)
    bound_at(s, WAYS[1][0], 40)
    a.command("answer")
    for p in (a, b):
        p.event("call.state", state="active", timeout=20)
    sound_flows(b), sound_flows(a)
    b.command("hangup")
    a.event("call.state", state="ended", timeout=20)


def test_rings_on(lab):
    """the network is gone for good while it rings: the call ends and says why"""
    net = Net(lab)
    s = server(lab, net)
    b, a = bob(lab, net, s), alice(lab, net, s.account("alice", "secret"))
    a.command("dial bob")
    b.event("call.state", state="incoming", timeout=20)
    a.event("call.state", state="ringing", timeout=20)
    net.leave()
    end = a.event("call.state", state="ended", timeout=60)
    check(end["cause"] == "transport" and "network" in end["reason"], "%s", end)


def test_no_network(lab):
    """none at all for a while, then another one"""
    net = Net(lab)
    s = server(lab, net)
    a = alice(lab, net, s.account("alice", "secret"), "-s", "sip-timeout=2s")
    net.leave()
    a.event("network.changed", timeout=20)
    net.go(1)
    registered(a, 60)
    bound_at(s, WAYS[1][0])


if __name__ == "__main__":
    main(globals(), limit=150)
