#!/usr/bin/env python3
"""Ways through NATs: two phones, each behind a router built of network
namespaces, and a server (coturn) on the net between them. Needs root."""
import os
import subprocess
import time

import sound
from lab import Failed, Program, Skip, check, main, need
from phones import OURS, THEIRS, steady

SERVER, PASSWORD = "203.0.113.1", "open sesame"


def run(*argv):
    r = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    check(not r.returncode, "%s: %s", " ".join(argv), r.stderr.strip())


class Net:
    """phone 1 - router 1 - net - router 2 - phone 2, and a server on the net.

    SIP (port 5060) passes as if there were no routers; of all other packets a
    router lets in what answers what went out, from the same address and port.
    symmetric: a port of its own for each destination"""

    def __init__(self, lab, symmetric=()):
        if os.geteuid():
            raise Skip("network namespaces need root")
        need("ip", "nft")
        self.tag = "oh%d" % os.getpid() + lab.dir[-3:]
        self.names = []
        try:
            self.build(symmetric)
        except Exception:
            self.close()
            raise

    def ns(self, name):
        return "%s-%s" % (self.tag, name)

    def inside(self, name):
        return ("ip", "netns", "exec", self.ns(name))

    def build(self, symmetric):
        for name in ("net", "r1", "r2", "p1", "p2"):
            r = subprocess.run(["ip", "netns", "add", self.ns(name)], capture_output=True, text=True)
            if r.returncode:
                raise Skip("no network namespace can be made: " + r.stderr.strip())
            self.names.append(name)
            run(*self.inside(name), "ip", "link", "set", "lo", "up")
        run(*self.inside("net"), "ip", "link", "add", "br0", "type", "bridge")
        run(*self.inside("net"), "ip", "addr", "add", SERVER + "/24", "dev", "br0")
        run(*self.inside("net"), "ip", "link", "set", "br0", "up")
        run(*self.inside("net"), "ip", "route", "add", "default", "dev", "br0")      # a relay ends when it has none
        for i in (1, 2):
            router, phone = "r%d" % i, "p%d" % i
            run("ip", "link", "add", "wan", "netns", self.ns(router), "type", "veth", "peer", "name", router,
                "netns", self.ns("net"))
            run(*self.inside("net"), "ip", "link", "set", router, "master", "br0", "up")
            run("ip", "link", "add", "lan", "netns", self.ns(router), "type", "veth", "peer", "name", "eth0",
                "netns", self.ns(phone))
            for dev, addr in (("wan", "203.0.113.1%d/24" % i), ("lan", "10.0.%d.1/24" % i)):
                run(*self.inside(router), "ip", "addr", "add", addr, "dev", dev)
                run(*self.inside(router), "ip", "link", "set", dev, "up")
            run(*self.inside(router), "ip", "route", "add", "10.0.%d.0/24" % (3 - i), "via", "203.0.113.1%d" % (3 - i))
            run(*self.inside(router), "sysctl", "-qw", "net.ipv4.ip_forward=1")
            run(*self.inside(phone), "ip", "addr", "add", "10.0.%d.2/24" % i, "dev", "eth0")
            run(*self.inside(phone), "ip", "link", "set", "eth0", "up")
            run(*self.inside(phone), "ip", "route", "add", "default", "via", "10.0.%d.1" % i)
            rules = """table ip nat {
                chain post { type nat hook postrouting priority 100;
                    oifname "wan" udp sport 5060 accept
                    oifname "wan" udp dport 5060 accept
                    oifname "wan" masquerade %s
                }
                }
                table ip filter {
                chain forward { type filter hook forward priority 0;
                    iifname "wan" ct state established,related accept
                    iifname "wan" udp dport 5060 accept
                    iifname "wan" drop
                }
                chain input { type filter hook input priority 0;
                    iifname "wan" ct state established,related accept
                    iifname "wan" drop
                }
                }""" % ("fully-random" if i in symmetric else "")
            r = subprocess.run([*self.inside(router), "nft", "-f", "-"], input=rules, capture_output=True, text=True,
                               timeout=20)
            check("syntax error" not in r.stderr, "%s", r.stderr)
            if r.returncode:
                raise Skip("no NAT can be made: " + r.stderr.strip())

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", self.ns(name)], capture_output=True, timeout=20)


def server(lab, net, tls=False):
    need("turnserver")
    lines = ["listening-port=3478", "listening-ip=" + SERVER, "relay-ip=" + SERVER, "lt-cred-mech",
             "user=alice:" + PASSWORD, "realm=example.com", "no-cli", "no-dtls", "no-multicast-peers",
             "pidfile=" + lab.path("turn.pid"), "userdb=" + lab.path("turn.db"), "log-file=stdout", "simple-log"]
    if tls:
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-keyout", lab.path("key.pem"), "-out", lab.path("cert.pem"), "-subj", "/CN=turn",
            "-addext", "subjectAltName=IP:" + SERVER)
        lines += ["tls-listening-port=5349", "cert=" + lab.path("cert.pem"), "pkey=" + lab.path("key.pem")]
    else:
        lines += ["no-tls"]
    p = Program(lab, "turnserver", [*net.inside("net"), "turnserver", "-c", lab.file("turn.conf", "\n".join(lines))])
    p.wait_line("Relay ports initialization done|Total auth threads|IPv4. UDP listener opened", 20)
    return p


def phone(lab, net, i, *options, hz):
    args = [x for o in options for x in ("-s", o)]
    return lab.offhook("-s", "record-layout=them", "-s", "codecs=pcmu", *args, name="phone%d" % i, host="10.0.%d.2" % i,
                       port=5060, wrap=net.inside("p%d" % i), audio="tone:%d" % hz).ready(30)


def chosen(p, seconds=25):
    """the path that ICE has chosen"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = p.event("call.media", timeout=end - time.monotonic()).get("path")
        if path:
            return path
    raise Failed("%s: ICE has chosen nothing" % p.name)


def call(lab, net, *options, path, security="dtls"):
    """phone 1 calls phone 2: by which way, and what each hears"""
    callee = phone(lab, net, 2, *options, hz=THEIRS)
    caller = phone(lab, net, 1, *options, hz=OURS)
    callee.command("auto-answer on")
    caller.command("dial sip:b@10.0.2.2:5060")
    caller.event("call.state", state="active", timeout=20)
    paths = [chosen(p) for p in (caller, callee)]
    # one relay is enough: the other phone sends to it as to anybody
    check(path in paths if path == "relay" else paths == [path] * 2, "paths: %s", paths)
    for p in (caller, callee):
        p.command("record " + lab.path(p.name + ".wav"))
    caller.command("sleep 3", timeout=15)
    stats = caller.command("stats")
    check(stats["security"] == security, "%s", stats)
    caller.command("hangup")
    callee.event("call.state", state="ended", timeout=15)
    steady(lab.path("phone1.wav"), THEIRS, 2.2, "phone 1 heard")
    steady(lab.path("phone2.wav"), OURS, 2.2, "phone 2 heard")
    return caller, callee


def turn_options(lab, how=""):
    return ("ice=yes", "turn-server=alice@" + SERVER + how, "turn-password-file=" + lab.file("password", PASSWORD + "\n"))


def within(lab, symmetric, work):
    net = Net(lab, symmetric)
    try:
        work(net)
        for p in reversed(lab.programs):
            p.stop()
        lab.programs.clear()
    finally:
        net.close()


def test_direct(lab):
    """two NATs that keep a port for all: the phones meet without a relay"""
    def work(net):
        server(lab, net)
        call(lab, net, "ice=yes", "stun-server=" + SERVER, path="direct")
    within(lab, (), work)


def test_symmetric(lab):
    """one NAT takes a port for each destination: nothing but a relay helps"""
    def work(net):
        server(lab, net)
        call(lab, net, *turn_options(lab), path="relay")
    within(lab, (1, 2), work)


def test_relay_over_tcp(lab):
    def work(net):
        server(lab, net)
        call(lab, net, *turn_options(lab, ";transport=tcp"), path="relay")
    within(lab, (1, 2), work)


def test_relay_over_tls(lab):
    """and its certificate is looked at"""
    def work(net):
        server(lab, net, tls=True)
        call(lab, net, *turn_options(lab, ";transport=tls"), "tls-ca=" + lab.path("cert.pem"), path="relay")
    within(lab, (1, 2), work)


def test_wrong_password(lab):
    """it is said, and the call goes on without"""
    def work(net):
        server(lab, net)
        caller, _ = call(lab, net, "ice=yes", "stun-server=" + SERVER, "turn-server=alice@" + SERVER,
                         "turn-password-file=" + lab.file("password", "wrong\n"), path="direct")
        check("does not take the name and password" in caller.stderr(), "nothing said:\n%s", caller.stderr()[-2000:])
    within(lab, (), work)


def test_no_server(lab):
    """servers that do not answer hold nothing up for long"""
    def work(net):
        callee = phone(lab, net, 2, hz=THEIRS)
        caller = phone(lab, net, 1, "stun-server=203.0.113.99", hz=OURS)
        callee.command("auto-answer on")
        caller.command("dial sip:b@10.0.2.2:5060")
        caller.event("call.state", state="active", timeout=20)
        check("STUN server does not answer" in caller.stderr(), "nothing said:\n%s", caller.stderr()[-2000:])
    within(lab, (), work)


if __name__ == "__main__":
    main(globals(), limit=120)
