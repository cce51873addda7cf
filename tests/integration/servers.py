#!/usr/bin/env python3
"""Servers of every kind between the phones: two domains with a proxy each,
found by DNS SRV (the trapezoid of RFC 3261 section 4), a redirect server, a
proxy that forks, a presence server. Kamailio is all of them; baresip is a
back-to-back user agent.

Domains are looked up as everywhere, at the name server of /etc/resolv.conf:
the tests run in namespaces of their own where that is a dnsmasq of theirs.
Root is needed for that."""
import os
import re
import subprocess
import sys
import tempfile

import sound
from authority import Authority
from kamailio import Kamailio
from lab import Program, check, main, need, wait_port
from peers import Baresip, Linphonec

ATLANTA, BILOXI = "127.0.1.1", "127.0.1.2"
USERS = {"alice": "secret", "bob": "bobpw", "carol": "carolpw", "dave": "davepw"}
ZONE = """
srv-host=_sip._udp.atlanta.test,proxy.atlanta.test,5080
srv-host=_sip._tcp.atlanta.test,proxy.atlanta.test,5080
srv-host=_sip._udp.biloxi.test,proxy.biloxi.test,5090
srv-host=_sip._tcp.biloxi.test,proxy.biloxi.test,5090
host-record=proxy.atlanta.test,%s
host-record=proxy.biloxi.test,%s
""" % (ATLANTA, BILOXI)
# where a server has TLS; some phones then want nothing else
SECURE = """
srv-host=_sips._tcp.atlanta.test,proxy.atlanta.test,5081
srv-host=_sips._tcp.biloxi.test,proxy.biloxi.test,5091
"""
OURS, THEIRS = 440, 1000         # Hz


def dns(lab, more=""):
    need("dnsmasq")
    conf = lab.file("dns.conf", "no-resolv\nno-hosts\nno-daemon\nlog-queries\nlog-facility=-\nuser=\ngroup=\npid-file=\n"
                    "local=/test/\nbind-interfaces\nlisten-address=127.0.0.1\nport=53\n" + ZONE + more)
    d = Program(lab, "dns", ["dnsmasq", "-C", conf])
    wait_port("127.0.0.1", 53)
    return d


def domains(lab, *switches, ca=None):
    dns(lab, SECURE if ca else "")
    return [Kamailio(lab, "auth", "proxy_auth", "dns", *switches, users=USERS, name=name, host=host, port=port,
                     domain=name + ".test", certificate=ca and ca.issue("DNS:%s.test,DNS:proxy.%s.test" % (name, name)))
            for name, host, port in (("atlanta", ATLANTA, 5080), ("biloxi", BILOXI, 5090))]


def phone(lab, user, domain, *params, args=(), scheme="sip", **kw):
    """registered at its domain, which only its name leads to"""
    account = ";".join((scheme + ":%s@%s.test" % (user, domain), "password=" + USERS[user]) + params)
    p = lab.offhook("-a", account, *args, name=user, transports=("udp", "tcp"), **kw)
    p.event("account.state", state="registered", timeout=15)
    return p


def talk(caller, callee, target, by_callee=False):
    caller.command("dial " + target)
    callee.event("call.state", state="incoming")
    callee.command("answer")
    for p in (caller, callee):
        p.event("call.state", state="active")
        p.command("wait call active")
    caller.command("sleep 500ms")
    (callee if by_callee else caller).command("hangup")
    for p in (caller, callee):
        end = p.event("call.state", state="ended")
        check(end["cause"] == "none", "%s", end)


def last(phone, method):
    """the head of the last such request that it received or sent"""
    text = phone.stderr()
    at = max(text.rfind("%s %s:" % (method, scheme)) for scheme in ("sip", "sips"))
    check(at >= 0, "no %s came\n%s", method, text[-3000:])
    return text[at:].split("\n\n")[0].split("\r\n\r\n")[0]


def vias(phone, method):
    return sum(line.strip().lower().startswith("via:") for line in last(phone, method).splitlines())


def trapezoid(lab, *params):
    domains(lab)
    a = phone(lab, "alice", "atlanta", "outbound=atlanta.test", *params)
    b = phone(lab, "bob", "biloxi", "outbound=biloxi.test", *params, args=("-t",))
    talk(a, b, "sip:bob@biloxi.test")
    # hers, her proxy's, his proxy's; the BYE goes the same way
    check(vias(b, "INVITE") == 3, "%d hops", vias(b, "INVITE"))
    check(vias(b, "BYE") == 3, "%d hops", vias(b, "BYE"))
    talk(b, a, "sip:alice@atlanta.test")
    talk(a, b, "sip:bob@biloxi.test", by_callee=True)


def test_trapezoid(lab):
    trapezoid(lab)


def test_trapezoid_tcp(lab):
    trapezoid(lab, "transport=tcp")


def test_trapezoid_sips(lab):
    """sips: from end to end: phones and proxies meet over TLS alone, and hers is shown to be whom she meant"""
    ca = Authority(lab)
    domains(lab, "tls", ca=ca)
    a, b = (phone(lab, user, domain, "outbound=%s.test" % domain, "transport=tls", scheme="sips",
                  args=("-t", "-s", "tls-ca=" + ca.path)) for user, domain in (("alice", "atlanta"), ("bob", "biloxi")))
    for caller, callee, whom, by_callee in ((a, b, "sips:bob@biloxi.test", False), (b, a, "sips:alice@atlanta.test", True)):
        talk(caller, callee, whom, by_callee)
        check(caller.event("call.media", again=True)["security"] != "none", "sound in plain")
        for method in ("INVITE", "ACK"):
            hops = re.findall(r"^\s*Via: (\S+)", last(callee, method), re.M | re.I)
            check(hops == 3 * ["SIP/2.0/TLS"], "%s: %s", method, hops)
        check(last(callee, "INVITE").startswith("INVITE sips:"), "%s", last(callee, "INVITE"))
    # a server that shows another's certificate is none of hers
    stranger = lab.offhook("-a", "sips:alice@biloxi.test;password=x;outbound=127.0.1.1:5081;transport=tls", "-s",
                           "tls-ca=" + ca.path, name="stranger")
    stranger.event("tls.refused", timeout=20)


def test_nobody(lab):
    """an unknown user and an unknown domain, by way of our own proxy"""
    domains(lab)
    a = phone(lab, "alice", "atlanta", "outbound=atlanta.test")
    for target, code in (("sip:nobody@biloxi.test", (404,)), ("sip:bob@nowhere.test", (404, 478, 480, 500, 502))):
        a.command("dial " + target)
        end = a.event("call.state", state="ended", timeout=20)
        check(end["code"] in code, "%s: %s", target, end)


def heard(path, hz, what):
    rate, x = sound.read(path)
    h = sound.Heard(rate, x, hz)
    check(h.seconds > 1.5 and h.purity > 0.85, "%s: %s", what, h)


def strangers(lab, kind, form):
    """a phone of somebody else in the other domain: both call, both hear"""
    rate, channels, name = form
    _, biloxi = domains(lab)
    source = sound.write_tone(lab.path("theirs.wav"), THEIRS, 60, rate, channels)
    peer = kind(lab, source, codec=name, account=("carol@biloxi.test", USERS["carol"]))
    biloxi.registered("carol", timeout=20)
    a = phone(lab, "alice", "atlanta", args=("-s", "record-layout=them", "--auto-answer"), audio="tone:%d" % OURS)
    for n, outgoing in enumerate((True, False)):
        if outgoing:
            a.command("dial sip:carol@biloxi.test")
        else:
            peer.dial("sip:alice@atlanta.test")
        a.event("call.state", state="active", timeout=20)
        peer.established()
        path = lab.path("ours%d.wav" % n)
        a.command("record " + path)
        a.command("sleep 3", timeout=15)
        a.command("record stop")
        a.event("record.done")
        if outgoing:
            peer.hangup()
        else:
            a.command("hangup")
        end = a.event("call.state", state="ended", timeout=15)
        check(end["cause"] == "none", "%s", end)
        peer.closed()
        heard(path, THEIRS, "what we heard")
        heard(peer.recording(), OURS, "what they heard")


def test_baresip(lab):
    strangers(lab, Baresip, (8000, 1, "PCMU"))


def test_linphonec(lab):
    strangers(lab, Linphonec, (8000, 1, "PCMU"))


def test_back_to_back(lab):
    """a back-to-back user agent between two phones: sound and keys both ways, whoever hangs up"""
    args = ("-s", "codecs=pcmu", "-s", "record-layout=them")
    b = lab.offhook("--auto-answer", *args, name="b", audio="tone:%d" % THEIRS).ready()
    between = Baresip(lab, None, between=b.port)
    a = lab.offhook(*args, name="a", audio="tone:%d" % OURS).ready()
    for n, (first, other) in enumerate(((a, b), (b, a)), 1):
        a.command("dial sip:in@127.0.0.1:%d" % between.port)
        for p in (a, b):
            p.event("call.state", call=n, state="active", timeout=30)
            p.command("record " + lab.path("%s%d.wav" % (p.name, n)))
        a.command("sleep 3", timeout=30)
        a.command("dtmf 5")
        b.event("call.dtmf", digit="5", timeout=30)
        for p in (a, b):
            p.command("record stop")
            p.event("record.done", timeout=30)
        first.command("hangup")
        for p in (a, b):
            end = p.event("call.state", call=n, state="ended", timeout=30)
            check(end["cause"] == "none", "%s: %s", p.name, end)
        heard(lab.path("a%d.wav" % n), THEIRS, "what the caller heard")
        heard(lab.path("b%d.wav" % n), OURS, "what the other one heard")


def test_redirect_server(lab):
    """302 to where he is: asked about, followed, or the end"""
    dns(lab)
    s = Kamailio(lab, "auth", "redirect_calls", users=USERS, name="atlanta", host=ATLANTA, port=5080,
                 domain="atlanta.test")
    b = phone(lab, "bob", "atlanta")
    a = phone(lab, "alice", "atlanta", args=("-s", "redirects=follow"))
    talk(a, b, "sip:bob@atlanta.test")
    a.command("set redirects deny")
    a.command("dial sip:bob@atlanta.test")
    end = a.event("call.state", state="ended")
    check(end["code"] == 302, "%s", end)
    check(s.bindings("bob"), "he is gone")


def test_forking(lab):
    """he has two phones: both ring, one answers, the other is told to stop"""
    dns(lab)
    s = Kamailio(lab, "auth", "proxy_auth", users=USERS, name="atlanta", host=ATLANTA, port=5080, domain="atlanta.test")
    desk = phone(lab, "bob", "atlanta")
    pocket = lab.offhook("-a", "sip:bob@atlanta.test;password=bobpw", name="pocket")
    pocket.event("account.state", state="registered", timeout=15)
    s.registered("bob", 2)
    a = phone(lab, "alice", "atlanta")
    for answers, stops in ((desk, pocket), (pocket, desk)):
        a.command("dial sip:bob@atlanta.test")
        for p in (desk, pocket):
            p.event("call.state", state="incoming")
        answers.command("answer")
        a.event("call.state", state="active")
        end = stops.event("call.state", state="ended")
        # answered elsewhere is no missed call (RFC 3326)
        check(end["cause"] in ("elsewhere", "canceled", "cancelled"), "%s", end)
        a.command("hangup")
        end = answers.event("call.state", state="ended")
        check(end["cause"] == "none", "%s", end)
        a.event("call.state", state="ended")
    # one is busy, the other answers all the same; 603 would speak for both
    a.command("dial sip:bob@atlanta.test")
    for p in (desk, pocket):
        p.event("call.state", state="incoming")
    desk.command("reject --code 486")
    pocket.command("answer")
    a.event("call.state", state="active")
    a.command("hangup")
    a.event("call.state", state="ended")


def test_forking_in_turn(lab):
    """his phones have said which comes first (contact-q): the next one rings when the first is busy or silent"""
    dns(lab)
    s = Kamailio(lab, "auth", "proxy_auth", "serial", users=USERS, name="atlanta", host=ATLANTA, port=5080,
                 domain="atlanta.test")
    pocket = phone(lab, "bob", "atlanta", "contact-q=0.3")
    desk = lab.offhook("-a", "sip:bob@atlanta.test;password=bobpw;contact-q=0.9", name="desk")
    desk.event("account.state", state="registered", timeout=15)
    check(sorted(float(x["Q"]) for x in s.registered("bob", 2)) == [0.3, 0.9], "%s", s.bindings("bob"))
    a = phone(lab, "alice", "atlanta")
    for n, busy in enumerate((True, False), 1):
        a.command("dial sip:bob@atlanta.test")
        desk.event("call.state", state="incoming")
        if busy:
            check(len(pocket.command("calls")["calls"]) == 0, "both ring at once")
            desk.command("reject --code 486")
        pocket.event("call.state", state="incoming", timeout=30)
        end = desk.event("call.state", state="ended", call=n)
        check(end["code"] == (486 if busy else 487), "%s", end)
        pocket.command("answer")
        a.event("call.state", state="active")
        a.command("hangup")
        a.event("call.state", state="ended")
        pocket.event("call.state", state="ended")


def test_presence_server(lab):
    """he publishes at the server, she watches there: neither meets the other"""
    dns(lab)
    Kamailio(lab, "auth", "proxy_auth", "presence", users=USERS, name="atlanta", host=ATLANTA, port=5080,
             domain="atlanta.test")
    b = phone(lab, "bob", "atlanta")
    a = phone(lab, "alice", "atlanta")
    b.command("publish away --note 'back at four'")
    n = a.command("subscribe presence sip:bob@atlanta.test")["subscription"]
    a.event("presence", status="open", activity="away", note="back at four", timeout=15)
    b.command("publish open")
    e = a.event("presence", timeout=15)
    check(e["status"] == "open" and not e.get("activity"), "%s", e)
    a.command("unsubscribe %d" % n)
    a.event("subscription.state", state="ended", timeout=15)


ROOM = ("<?xml version='1.0'?><conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='sip:room@atlanta.test'"
        " state='full' version='%d'><users state='full'>%s</users></conference-info>")
USER = ("<user entity='sip:%s@atlanta.test' state='full'><endpoint entity='sip:%s@192.0.2.1'><status>%s</status></endpoint>"
        "</user>")


def test_conference_server(lab):
    """a focus publishes who is in its conference; she is told by the server"""
    dns(lab)
    Kamailio(lab, "auth", "proxy_auth", "presence", users=USERS, name="atlanta", host=ATLANTA, port=5080,
             domain="atlanta.test")
    b = phone(lab, "bob", "atlanta")
    a = phone(lab, "alice", "atlanta")

    def publish(version, *users):
        body = ROOM % (version, "".join(USER % (who, who, how) for who, how in users))
        b.command("request PUBLISH sip:bob@atlanta.test --header 'Event: conference' --header 'Expires: 600' --type"
                  " application/conference-info+xml --body \"%s\"" % body, 20)
    publish(1, ("carol", "connected"))
    a.command("subscribe conference sip:bob@atlanta.test", 20)
    a.event("conference", who="sip:carol@atlanta.test", state="connected", again=True, timeout=15)
    a.command("unsubscribe 1")
    a.event("subscription.state", state="ended", timeout=15)


def isolated():
    """this program once more, where /etc/resolv.conf and port 53 are ours"""
    if os.geteuid():
        print("skipped: needs root for namespaces of its own")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        conf = os.path.join(folder, "resolv.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
        script = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        r = subprocess.run(["unshare", "-m", "-n", "--propagation", "private", "sh", "-c", script, "sh", conf,
                            sys.executable, os.path.abspath(__file__)] + sys.argv[1:],
                           env=dict(os.environ, OFFHOOK_ISOLATED="1"))
    sys.exit(r.returncode)


if __name__ == "__main__":
    if not os.environ.get("OFFHOOK_ISOLATED"):
        isolated()
    main(globals())
