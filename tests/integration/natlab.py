"""natlab - phones behind routers, each in a network namespace of its own, and a
net between them with servers. Needs root.

   phone i (10.0.i.2) - router i (203.0.113.1i) - net (203.0.113.1, .2)

SIP (port 5060) passes as if there were no routers; of all other packets a
router does what its kind does:
   cone        one port for all destinations, and lets in whoever comes there
   restricted  ... whoever has an address that the phone has sent to
   port        ... whoever has an address and port that the phone has sent to
   symmetric   a port of its own for each destination
   noudp       no UDP at all
IPv6 has no NAT, but a firewall that lets in what answers what went out."""
import json
import os
import subprocess
import sys
import threading
import time

from lab import Failed, Program, Skip, check, need

SERVER, SERVER2, PASSWORD = "203.0.113.1", "203.0.113.2", "open sesame"
SERVER6 = "2001:db8:f::1"
HERE = os.path.dirname(os.path.abspath(__file__))
_count = [0]


def run(*argv, stdin=None):
    r = subprocess.run(argv, capture_output=True, text=True, timeout=30, input=stdin)
    check(not r.returncode, "%s: %s", " ".join(argv), r.stderr.strip())
    return r.stdout


def address(i, v6=False):
    return "2001:db8:%d::2" % i if v6 else "10.0.%d.2" % i


def outer(i):
    return "203.0.113.%d" % (10 + i)


class Net:
    """kinds: of router 1, 2 ..."""

    def __init__(self, lab, kinds):
        if os.geteuid():
            raise Skip("network namespaces need root")
        need("ip", "nft")
        _count[0] += 1
        self.tag = "ohn%d-%d" % (os.getpid(), _count[0])
        self.names, self.kinds = [], list(kinds)
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def ns(self, name):
        return "%s-%s" % (self.tag, name)

    def inside(self, name):
        return ("ip", "netns", "exec", self.ns(name))

    def ip(self, name, *lines):
        run("ip", "-n", self.ns(name), "-batch", "-", stdin="\n".join(lines) + "\n")

    def nft(self, name, rules):
        r = subprocess.run([*self.inside(name), "nft", "-f", "-"], input=rules, capture_output=True, text=True, timeout=20)
        check("syntax error" not in r.stderr, "%s", r.stderr)
        if r.returncode:
            raise Skip("no NAT can be made: " + r.stderr.strip())

    def add(self, name):
        r = subprocess.run(["ip", "netns", "add", self.ns(name)], capture_output=True, text=True, timeout=20)
        if r.returncode:
            raise Skip("no network namespace can be made: " + r.stderr.strip())
        self.names.append(name)

    def build(self):
        self.add("net")
        self.ip("net", "link set lo up", "link add br0 type bridge", "addr add %s/24 dev br0" % SERVER,
                "addr add %s/24 dev br0" % SERVER2, "addr add %s/64 dev br0 nodad" % SERVER6, "link set br0 up",
                "route add default dev br0")                             # a relay ends when it has none
        for i, kind in enumerate(self.kinds, 1):
            self.build_one(i, kind)

    def build_one(self, i, kind):
        router, phone = "r%d" % i, "p%d" % i
        self.add(router)
        self.add(phone)
        for name in (router, phone):
            run(*self.inside(name), "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=%d" %
                (name == router), "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        self.ip("net", "link add %s type veth peer name wan netns %s" % (router, self.ns(router)),
                "link set %s master br0" % router, "link set %s up" % router)
        self.ip(router, "link set lo up", "link add lan type veth peer name eth0 netns " + self.ns(phone),
                "addr add %s/24 dev wan" % outer(i), "addr add 10.0.%d.1/24 dev lan" % i,
                "addr add 2001:db8:f::%d/64 dev wan nodad" % (10 + i), "addr add 2001:db8:%d::1/64 dev lan nodad" % i,
                "link set wan up", "link set lan up")
        self.ip(phone, "link set lo up", "addr add %s/24 dev eth0" % address(i),
                "addr add %s/64 dev eth0 nodad" % address(i, True), "link set eth0 up",
                "route add default via 10.0.%d.1" % i, "route add default via 2001:db8:%d::1" % i)
        others = [k for k in range(1, len(self.kinds) + 1) if k != i]
        if others:
            self.ip(router, *["route add 10.0.%d.0/24 via %s" % (k, outer(k)) for k in others],
                    *["route add 2001:db8:%d::/64 via 2001:db8:f::%d" % (k, 10 + k) for k in others])
        self.ip("net", "route add 2001:db8:%d::/64 via 2001:db8:f::%d" % (i, 10 + i))
        to = address(i)
        pre = {"cone": 'iifname "wan" udp dport != 5060 dnat to ' + to,
               "restricted": 'iifname "wan" ip saddr @seen udp dport != 5060 dnat to ' + to}.get(kind, "")
        out = {"restricted": 'oifname "wan" udp dport != 5060 add @seen { ip daddr timeout 60s }',
               "noudp": "meta l4proto udp drop"}.get(kind, "")
        self.nft(router, """table ip nat {
                set seen { type ipv4_addr; flags dynamic,timeout; timeout 60s; }
                chain mapped { }
                chain mapped_out { }
                chain pre { type nat hook prerouting priority -100;
                    jump mapped
                    %s
                }
                chain post { type nat hook postrouting priority 100;
                    oifname "wan" udp sport 5060 accept
                    oifname "wan" udp dport 5060 accept
                    jump mapped_out
                    oifname "wan" masquerade %s
                }
                chain forward { type filter hook forward priority 0;
                    %s
                    iifname "wan" ct state established,related accept
                    iifname "wan" ct status dnat accept
                    iifname "wan" udp dport 5060 accept
                    iifname "wan" drop
                }
                chain input { type filter hook input priority 0;
                    iifname "wan" ct state established,related accept
                    iifname "wan" drop
                }
            }
            table ip6 fw {
                chain forward { type filter hook forward priority 0;
                    iifname "wan" ct state established,related accept
                    iifname "wan" udp dport 5060 accept
                    iifname "wan" meta l4proto icmpv6 accept
                    iifname "wan" drop
                }
            }""" % (pre, "fully-random" if kind == "symmetric" else "", out))

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", self.ns(name)], capture_output=True, timeout=20, check=False)


def turn_server(lab, net, tls=False, v6=False, name="turnserver", ip=SERVER, port=3478, both=False, more=()):
    """coturn on the net; both: on two addresses and ports, so that it can tell what a NAT does (RFC 5780)"""
    need("turnserver")
    lines = ["listening-port=%d" % port, "listening-ip=" + ip, "relay-ip=" + ip, "lt-cred-mech",
             "user=alice:" + PASSWORD, "realm=example.com", "no-cli", "no-dtls", "no-multicast-peers",
             "pidfile=" + lab.path(name + ".pid"), "userdb=" + lab.path(name + ".db"), "log-file=stdout", "simple-log"]
    lines += more
    if both:
        lines += ["listening-ip=" + SERVER2, "alt-listening-port=%d" % (port + 1)]
    if v6:
        lines += ["listening-ip=" + SERVER6, "relay-ip=" + SERVER6]
    if tls:
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-keyout", lab.path("key.pem"), "-out", lab.path("cert.pem"), "-subj", "/CN=turn",
            "-addext", "subjectAltName=IP:" + ip)
        lines += ["tls-listening-port=5349", "cert=" + lab.path("cert.pem"), "pkey=" + lab.path("key.pem")]
    else:
        lines += ["no-tls"]
    p = Program(lab, name, [*net.inside("net"), "turnserver", "-c", lab.file(name + ".conf", "\n".join(lines))])
    p.wait_line("Relay ports initialization done|Total auth threads|IPv4. UDP listener opened", 30)
    return p


def turn_options(lab, how=""):
    return ("ice=yes", "turn-server=alice@" + SERVER + how, "turn-password-file=" + lab.file("password", PASSWORD + "\n"))


def phone(lab, net, i, *options, hz, v6=False, ready=True, **kw):
    args = [x for o in options for x in ("-s", o)]
    p = lab.offhook("-s", "record-layout=them", "-s", "codecs=pcmu", *args, name="phone%d" % i, host=address(i, v6),
                    port=5060, wrap=net.inside("p%d" % i), audio="tone:%d" % hz, **kw)
    return p.ready(40) if ready else p


def chosen(p, seconds=30, **fields):
    """the path that ICE has chosen"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = p.event("call.media", timeout=end - time.monotonic(), **fields).get("path")
        if path:
            return path
    raise Failed("%s: ICE has chosen nothing" % p.name)


def within(lab, kinds, work):
    net = Net(lab, kinds)
    try:
        work(net)
        for p in reversed(lab.programs):
            p.stop()
        lab.programs.clear()
    finally:
        net.close()


def at_once(jobs):
    """functions without arguments, all at the same time; the first failure is raised"""
    wrong = []

    def one(fn):
        try:
            fn()
        except BaseException as e:          # whatever it is, the verdict needs it
            wrong.append(e)
    threads = [threading.Thread(target=one, args=(fn,), daemon=True) for fn in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if wrong:
        raise wrong[0]


class Gateway(Program):
    """a router that maps ports: gateway.py on router i"""

    def __init__(self, lab, net, i, *args):
        super().__init__(lab, "gateway%d" % i, [*net.inside("r%d" % i), sys.executable, os.path.join(HERE, "gateway.py"),
                                                "10.0.%d.1" % i, outer(i), *args])
        self.wait_line("ready", 20)

    def seen(self, what):
        """the requests so far of one kind: map, delete"""
        with self.news:
            return [json.loads(x) for x in self.lines if '"%s"' % what in x]
