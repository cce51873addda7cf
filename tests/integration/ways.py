#!/usr/bin/env python3
"""ICE on a machine with several addresses (RFC 8445, 8421): two phones in two
network namespaces joined by two cables, of which one may be cut for sound.
Needs root."""
import os
import subprocess
import time

import sound
from lab import Program, Skip, check, main, need
from peers import MODULES
from phones import OURS, THEIRS, steady

FAR, FAR6 = "10.93.9.9", "2001:db8:93:9::9"          # of the other phone, by either cable
_count = [0]


def near(way, v6=False):
    return "2001:db8:93:%d::2" % way if v6 else "10.93.%d.2" % way


class Net:
    """our side has an address on each cable and would take the first one; the other side has one that is reached by
    both"""

    name = "namespaces"

    def __init__(self, lab):
        need("ip", "nft")
        if os.getuid():
            raise Skip("network namespaces are made by root only")
        _count[0] += 1
        stem = "ohw%d-%d" % (os.getpid(), _count[0])
        self.here, self.there = stem + "a", stem + "b"
        try:
            self.ip("netns", "add", self.here)
        except subprocess.CalledProcessError as e:
            raise Skip("network namespaces cannot be made here: %s" % e.stderr.decode().strip())
        lab.programs.append(self)
        self.ip("netns", "add", self.there)
        for ns in (self.here, self.there):
            subprocess.run(["ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                            "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"], check=True,
                           capture_output=True, timeout=20)
            self.ip("-n", ns, "link", "set", "lo", "up")
        for way in (1, 2):
            dev = "w%d" % way
            self.ip("-n", self.here, "link", "add", dev, "type", "veth", "peer", "name", dev, "netns", self.there)
            for ns in (self.here, self.there):
                self.ip("-n", ns, "link", "set", dev, "up")
            for v6 in (False, True):
                gate = near(way, v6)[:-1] + "1"
                for ns, a in ((self.here, near(way, v6)), (self.there, gate)):
                    self.ip("-n", ns, "addr", "add", a + ("/64" if v6 else "/24"), "dev", dev, *["nodad"] * v6)
                self.ip("-n", self.here, "-6" if v6 else "-4", "route", "add", "default", "via", gate, "dev", dev,
                        "metric", str(100 * way))
        self.ip("-n", self.there, "addr", "add", FAR + "/32", "dev", "lo")
        self.ip("-n", self.there, "addr", "add", FAR6 + "/128", "dev", "lo", "nodad")

    @staticmethod
    def ip(*args):
        subprocess.run(["ip"] + list(args), check=True, capture_output=True, timeout=20)

    def nft(self, rules):
        r = subprocess.run(["ip", "netns", "exec", self.there, "nft", "-f", "-"], input=rules, capture_output=True,
                           text=True, timeout=20)
        if r.returncode:
            raise Skip("no firewall can be made: " + r.stderr.strip())

    def cut(self, what):
        """all but SIP and TCP"""
        self.nft("table inet cut { chain input { type filter hook input priority 0; %s udp dport != 5060 "
                 "counter drop; }; }" % what)

    def mend(self):
        self.nft("delete table inet cut")

    # as a program of the lab: ends last
    def stop(self):
        for ns in (self.here, self.there):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True, timeout=20, check=False)

    def tail(self):
        return ""


def inside(ns):
    return ["ip", "netns", "exec", ns]


def phone(lab, ns, name, hz, *options):
    args = [x for o in ("ice=yes", "record-layout=them", "codecs=pcmu") + options for x in ("-s", o)]
    return lab.offhook("-v", *args, name=name, transports=(), port=5060, wrap=inside(ns), audio="tone:%d" % hz).ready(40)


def two(lab, net, *options, target=FAR):
    theirs, ours = phone(lab, net.there, "theirs", THEIRS), phone(lab, net.here, "ours", OURS, *options)
    theirs.command("auto-answer on")
    ours.command("dial sip:x@%s:5060" % target)
    for p in (ours, theirs):
        p.event("call.state", state="active", timeout=30)
    return ours, theirs


def settled(p, timeout=30):
    """-> the pair that was chosen"""
    end = time.monotonic() + timeout
    while True:
        ways = p.command("ice")
        found = [w for w in ways["pairs"] if w["chosen"]]
        if ways["ice"] == "chosen" and found:
            return found[0]
        check(time.monotonic() < end, "%s has chosen nothing: %s", p.name, ways)
        time.sleep(0.1)


def host(address):
    return address.rsplit(":", 1)[0].strip("[]")


def said(p, text, timeout=20):
    end = time.monotonic() + timeout
    while text not in p.stderr():
        check(time.monotonic() < end, "not said: %s\n%s", text, p.stderr()[-2000:])
        time.sleep(0.1)


def both_hear(lab, ours, theirs):
    for p in (ours, theirs):
        p.command("record " + lab.path(p.name + ".wav"), timeout=20)
    ours.command("sleep 3", timeout=30)
    ours.command("hangup", timeout=20)
    for p in (ours, theirs):
        p.event("call.state", state="ended", timeout=20)
    steady(lab.path("ours.wav"), THEIRS, 2.2, "we heard")
    steady(lab.path("theirs.wav"), OURS, 2.2, "they heard")


def test_first(lab):
    """all works: the address that the call uses anyway is taken; all are told of, those of both families"""
    ours, theirs = two(lab, Net(lab))
    check(host(settled(ours)["local"]) == near(1), "from elsewhere: %s", settled(ours))
    told = {host(w["remote"]) for w in theirs.command("ice")["pairs"]}
    check({near(w, v6) for w in (1, 2) for v6 in (False, True)} <= told, "told of %s", told)
    both_hear(lab, ours, theirs)


def test_second(lab):
    """only the other cable carries sound: it leaves by that, though the way out is the first one"""
    net = Net(lab)
    net.cut('iifname "w1"')
    ours, theirs = two(lab, net)
    way = settled(ours)
    check(host(way["local"]) == near(2) or host(way["local"]) == near(2, True), "%s", ours.command("ice"))
    said(ours, ", from " + host(way["local"]))
    both_hear(lab, ours, theirs)


def test_broken_v6(lab):
    """SIP by IPv6, whose sound gets nowhere: IPv4 carries it"""
    net = Net(lab)
    net.cut("meta nfproto ipv6")
    ours, theirs = two(lab, net, target="[%s]" % FAR6)
    check(host(settled(ours)["local"]) == near(1), "%s", ours.command("ice"))
    check(host(settled(theirs)["local"]) == FAR, "%s", theirs.command("ice"))
    both_hear(lab, ours, theirs)


def test_broken_v4(lab):
    """and the other way round"""
    net = Net(lab)
    net.cut("meta nfproto ipv4")
    ours, theirs = two(lab, net)
    check(host(settled(ours)["local"]) == near(1, True), "%s", ours.command("ice"))
    both_hear(lab, ours, theirs)


def test_one(lab):
    """who wants no other address told of has none told of; and nothing of ICE is said by who has not asked for it"""
    ours, theirs = two(lab, Net(lab), "ice-addresses=one")
    settled(ours)
    told = {host(w["remote"]) for w in theirs.command("ice")["pairs"]}
    check(told == {near(1)}, "told of %s", told)
    ours.command("hangup")
    ours.event("call.state", state="ended")
    ours.command("set ice no")
    trace = lab.path("trace.txt")
    ours.command("trace " + trace)
    ours.command("dial sip:x@%s:5060" % FAR)
    ours.event("call.state", state="active", timeout=30)
    ours.command("hangup")
    with open(trace, encoding="utf-8") as f:
        text = f.read()
    check("m=audio" in text and "a=candidate" not in text and near(2) not in text and "2001:" not in text,
          "more is told than was asked for:\n%s", text)


def test_gone(lab):
    """the address that the sound leaves from goes, not that of the call: another way is found"""
    net = Net(lab)
    net.cut('iifname "w1"')
    ours, theirs = two(lab, net)
    way = host(settled(ours)["local"])
    net.mend()
    for a in (near(2), near(2, True)):
        net.ip("-n", net.here, "addr", "del", a + ("/64" if ":" in a else "/24"), "dev", "w2")
    end = time.monotonic() + 60
    while host(settled(ours)["local"]) == way:
        check(time.monotonic() < end, "no other way: %s\n%s", ours.command("ice"), ours.tail())
        time.sleep(0.2)
    said(ours, "the address that its sound left from is gone")
    settled(theirs)
    both_hear(lab, ours, theirs)


def baresip(lab, net):
    """a phone that others wrote, with one address"""
    need("baresip")
    modules = next((m for m in MODULES if os.path.isdir(m)), None)
    if not modules:
        raise Skip("baresip's modules not found")
    folder = lab.path("baresip.d")
    os.makedirs(folder)
    config = ["poll_method epoll", "sip_listen %s:5060" % FAR, "rtp_ports 30000-30100", "rtcp_mux yes",
              "audio_source aufile,%s" % sound.write_tone(lab.path("theirs.wav"), THEIRS, 60, 8000, 1),
              "audio_player aubridge,sink", "audio_alert aubridge,alert", "snd_path " + folder, "module_path " + modules]
    config += ["module %s.so" % m for m in ("g711", "aufile", "aubridge", "ice")]
    config += ["module_tmp account.so", "module_app menu.so"]
    with open(os.path.join(folder, "config"), "w", encoding="ascii") as f:
        f.write("\n".join(config) + "\n")
    with open(os.path.join(folder, "accounts"), "w", encoding="ascii") as f:
        f.write("<sip:x@%s>;regint=0;audio_codecs=PCMU;answermode=auto;medianat=ice\n" % FAR)
    Program(lab, "baresip", [*inside(net.there), "baresip", "-4", "-f", folder]).wait_line("baresip is ready", 20)


def test_baresip(lab):
    """only the other cable carries sound, to a phone that nobody here wrote"""
    net = Net(lab)
    net.cut('iifname "w1"')
    baresip(lab, net)
    ours = phone(lab, net.here, "ours", OURS)
    ours.command("dial sip:x@%s:5060" % FAR)
    ours.event("call.state", state="active", timeout=30)
    check(host(settled(ours)["local"]) == near(2), "%s", ours.command("ice"))
    end = time.monotonic() + 30              # it takes its time to begin
    while ours.command("stats")["packets_received"] < 25:
        check(time.monotonic() < end, "no sound: %s", ours.command("stats"))
        time.sleep(0.1)
    ours.command("record " + lab.path("ours.wav"))
    ours.command("sleep 3", timeout=30)
    ours.command("hangup")
    ours.event("call.state", state="ended", timeout=20)
    steady(lab.path("ours.wav"), THEIRS, 2.2, "we heard")


if __name__ == "__main__":
    main(globals())
