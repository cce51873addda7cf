#!/usr/bin/env python3
"""Names: where calls go by what a real name server says (dnsmasq, on a port of
its own), what `resolve` tells of it, and what happens when a server is dead."""
import os
import socket
import subprocess
import sys
import threading
import time

from lab import Program, Skip, check, main, need, ports, wait_port
from scenario import called, done, ok, recv, response, ringing

ZONE = """
naptr-record=full.example,10,50,s,SIP+D2T,,_sip._tcp.full.example
naptr-record=full.example,20,50,s,SIP+D2U,,_sip._udp.full.example
naptr-record=full.example,5,50,s,SIP+D2S,,_sip._sctp.full.example
naptr-record=safe.example,5,50,s,SIPS+D2T,,_sips._tcp.safe.example
naptr-record=safe.example,10,50,s,SIP+D2U,,_sip._udp.full.example
srv-host=_sips._tcp.safe.example,b.example,5076
host-record=safe.example,127.0.0.5
srv-host=_sip._tcp.full.example,a.example,5071,10,60
srv-host=_sip._tcp.full.example,b.example,5072,20,40
srv-host=_sip._udp.full.example,a.example,5073,10,60
srv-host=_sip._udp.plain.example,a.example,5074
srv-host=_sip._tcp.plain.example,b.example,5075
host-record=plain.example,127.0.0.4
host-record=bare.example,127.0.0.3
host-record=six.example,::1
host-record=a.example,127.0.0.1
host-record=b.example,127.0.0.2
txt-record=text.example,nothing else
srv-host=_sip._udp.lost.example,nowhere.example,5060
srv-host=_sip._udp.away.example
naptr-record=3.2.1.9.4.e164.example,10,50,u,E2U+sip,!^\\+49(.*)$!sip:\\1@bare.example!
naptr-record=4.2.1.9.4.e164.example,10,50,u,E2U+sip,!^(((((x{255}){255}){255}){255}){255}|[0-9]!sip:a@bare.example!
"""

# what is asked -> where it goes, or the token of the error and a word of it
TABLE = (
    # NAPTR: the first transport that is spoken here, its SRV by priority
    ("sip:bob@full.example", "tcp:127.0.0.1:5071 tcp:127.0.0.2:5072"),
    ("sip:bob@full.example --transport udp", "udp:127.0.0.1:5073"),
    ("'sip:bob@full.example;transport=udp'", "udp:127.0.0.1:5073"),
    ("sip:bob@safe.example", "tls:127.0.0.2:5076"),
    # TLS without records: its usual port
    ("sip:bob@bare.example --transport tls", "tls:127.0.0.3:5061"),
    # no NAPTR: SRV of all that is spoken
    ("sip:bob@plain.example", "udp:127.0.0.1:5074 tcp:127.0.0.2:5075"),
    ("'sip:bob@plain.example;transport=tcp'", "tcp:127.0.0.2:5075"),
    # a port is given: no SRV
    ("sip:bob@plain.example:5099", "udp:127.0.0.4:5099"),
    ("'sip:bob@plain.example:5099;transport=TCP'", "tcp:127.0.0.4:5099"),
    # neither NAPTR nor SRV
    ("sip:bob@bare.example", "udp:127.0.0.3:5060"),
    ("'sip:bob@x.example;maddr=bare.example'", "udp:127.0.0.3:5060"),
    ("'sip:bob@x.example;maddr=127.0.0.9'", "udp:127.0.0.9:5060"),
    ("sip:127.0.0.8", "udp:127.0.0.8:5060"),
    ("sip:bob@localhost", "udp:127.0.0.1:5060"),
    # a number
    ("+49123", "udp:127.0.0.3:5060"),
    ("tel:+49-123", "udp:127.0.0.3:5060"),
    ("+49124", ("no-such-host", "not listed")),
    ("+49999", ("no-such-host", "not listed")),
    # it cannot be
    ("sip:bob@none.example", ("no-such-host", "there is no such name: none.example")),
    ("sip:bob@text.example", ("no-such-host", "this name has no address: text.example")),
    ("sip:bob@lost.example", ("no-such-host", "there is no such name: nowhere.example (for lost.example)")),
    ("sip:bob@away.example", ("no-such-host", "away.example has no SIP service over UDP")),
    ("sip:bob@six.example:5060", ("network", "no way to six.example")),
)


class Dns(Program):
    """dnsmasq that knows a zone and nobody else"""

    def __init__(self, lab, zone=ZONE, name="dns"):
        need("dnsmasq")
        self.port = ports()
        self.server = "127.0.0.1:%d" % self.port
        conf = lab.file(name + ".conf", "no-resolv\nno-hosts\nno-daemon\nlog-queries\nlog-facility=-\nuser=\ngroup=\n"
                        "pid-file=\nlocal-ttl=60\nlocal=/example/\nbind-interfaces\nlisten-address=127.0.0.1\n"
                        "port=%d\n%s" % (self.port, zone))
        super().__init__(lab, name, ["dnsmasq", "-C", conf])
        wait_port("127.0.0.1", self.port)

    def asked(self, what=""):
        with self.news:
            return [x for x in self.lines if "query[" in x and what in x]


def hole(kind=socket.SOCK_DGRAM, host="127.0.0.1"):
    """a port where nobody ever answers -> socket, port"""
    s = socket.socket(socket.AF_INET, kind)
    s.bind((host, 0))
    s.settimeout(0.01)
    return s, s.getsockname()[1]


def drain(s):
    """what came -> list of first lines"""
    out = []
    while True:
        try:
            out.append(s.recv(4096).split(b"\r\n")[0].decode())
        except (socket.timeout, BlockingIOError):
            return out


def phone(lab, dns, *args, **kw):
    server = dns.server if isinstance(dns, Program) else dns
    return lab.offhook("-s", "dns-servers=" + server, "-s", "enum-domain=e164.example", *args,
                       transports=("udp", "tcp"), **kw).ready()


def targets(reply):
    return " ".join("%s:%s:%d" % (t["transport"], t["address"], t["port"]) for t in reply["targets"])


def test_table(lab):
    """every branch of RFC 3263 that a name server can lead us into"""
    p = phone(lab, Dns(lab))
    for what, want in TABLE:
        r = p.reply("resolve " + what)
        if isinstance(want, str):
            check(r["ok"] and targets(r) == want, "%s: %s, not %s", what, r, want)
        else:
            check(not r["ok"] and r["error"] == want[0] and want[1] in r["text"], "%s: %s, not %s", what, r, want)
        check(r["steps"], "%s: no steps", what)


def test_exit_codes(lab):
    """as a COMMAND: lines for people, and the exit code of a call"""
    dns = Dns(lab)
    for what, code, words in (("sip:bob@full.example", 0, ("NAPTR full.example: 3 records", "SRV _sip._tcp.full.example",
                                                           "-> TCP:127.0.0.1:5071 from 127.0.0.1")),
                              ("sip:bob@none.example", 7, ("A none.example: no such name", "there is no such name"))):
        got, out, err = lab.run("-l", "127.0.0.1:%d" % ports(), "-A", "null", "-s", "dns-servers=" + dns.server,
                                "resolve", what)
        check(got == code, "%s: exit code %d\n%s%s", what, got, out, err)
        for w in words:
            check(w in out + err, "%s: '%s' is not in\n%s%s", what, w, out, err)


def test_known(lab):
    """asked once, then known, until it is to be forgotten"""
    dns = Dns(lab)
    p = phone(lab, dns)
    p.command("resolve sip:bob@full.example")
    dns.wait_line(r"query\[A\] b\.example")
    n = len(dns.asked())
    r = p.command("resolve sip:bob@full.example")
    check(len(dns.asked()) == n, "asked again: %s", dns.asked())
    check(all(s["known"] for s in r["steps"] if s["step"] == "answer"), "%s", r)
    p.command("resolve sip:bob@full.example --fresh")
    end = time.monotonic() + 3
    while len(dns.asked()) < 2 * n and time.monotonic() < end:
        time.sleep(0.02)         # its log comes behind its answers
    check(len(dns.asked()) == 2 * n, "not asked again: %d, %d", n, len(dns.asked()))


def test_dead_name_service(lab):
    """silent: the wait is bounded and the cause is told; refused: at once"""
    s, port = hole()
    p = phone(lab, "127.0.0.1:%d" % port, "-s", "resolve-timeout=2s")
    before = time.monotonic()
    r = p.reply("dial sip:bob@full.example", 20)
    check(r["ok"], "%s", r)
    e = p.event("call.state", state="ended", timeout=10)
    took = time.monotonic() - before
    check(1.5 < took < 5, "%.1f s", took)
    check(e["cause"] == "resolve" and "no answer from the name service" in e.get("reason", ""), "%s", e)

    # meanwhile others are served
    p.command("dial sip:bob@other.example")
    r = p.command("resolve sip:127.0.0.1")
    check(targets(r) == "udp:127.0.0.1:5060", "%s", r)
    s.close()
    before = time.monotonic()
    r = p.reply("resolve sip:bob@third.example --fresh")
    check(not r["ok"] and "no answer" in r["text"], "%s", r)
    check(time.monotonic() - before < 1.5, "%.1f s", time.monotonic() - before)


def answering(code=200):
    """a server: every call is taken, or refused"""
    if code == 200:
        return [called(), ringing(), ok(), recv("ACK"), recv("BYE", timeout=10000), done()]
    return [called(), response(code, "Not Now"), recv("ACK")]


def zone(first, second, kind="udp"):
    return ("srv-host=_sip._%s.two.example,a.example,%d,10\nsrv-host=_sip._%s.two.example,b.example,%d,20\n"
            "host-record=a.example,127.0.0.2\nhost-record=b.example,127.0.0.1\n" % (kind, first, kind, second))


def talk(p, target, timeout=15):
    """-> seconds until it was answered"""
    before = time.monotonic()
    p.command("dial " + target)
    p.event("call.state", state="active", timeout=timeout)
    took = time.monotonic() - before
    p.command("hangup")
    p.event("call.state", state="ended")
    return took


def dead(p, target):
    return [t["dead"] for t in p.command("resolve " + target)["targets"]]


def test_dead_server_silent(lab):
    """the first server says nothing: the second has the call after 5 s, and
    from then on it comes first"""
    s, port = hole(host="127.0.0.2")
    sipp = lab.sipp(answering(), calls=2)
    p = phone(lab, Dns(lab, zone(port, sipp.port)))
    took = talk(p, "sip:bob@two.example")
    check(4 < took < 10, "%.1f s", took)
    lines = drain(s)
    check(3 <= len(lines) <= 5 and all(x.startswith("INVITE") for x in lines), "%s", lines)
    r = p.command("resolve sip:bob@two.example")
    check([t["dead"] for t in r["targets"]] == [False, True], "%s", r)
    check(r["targets"][1]["address"] == "127.0.0.2" and 0 < r["targets"][1]["dead_ms"] <= 30000, "%s", r)
    took = talk(p, "sip:bob@two.example")
    check(took < 2, "%.1f s", took)
    check(not drain(s), "the dead one was asked again")
    sipp.well()


def test_dead_server_refused(lab):
    """nobody listens on the first server's TCP port: at once"""
    sipp = lab.sipp(answering(), transport="t1", calls=2)
    p = phone(lab, Dns(lab, zone(ports(), sipp.port, "tcp")))
    check(talk(p, "'sip:bob@two.example;transport=tcp'") < 3, "it waited")
    check(dead(p, "'sip:bob@two.example;transport=tcp'") == [False, True], "not remembered")
    check(talk(p, "'sip:bob@two.example;transport=tcp'") < 2, "it waited")
    sipp.well()


class Deaf:
    """Listens and takes nobody: whoever connects waits for ever"""

    def __init__(self, host, port):
        self.s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.s.bind((host, port))
        self.s.listen(0)
        self.waiting = [socket.socket(self.s.family) for _ in range(4)]
        for c in self.waiting:
            c.setblocking(False)
            c.connect_ex((host, port))


def test_other_family(lab):
    """a name leads to IPv6, where nobody takes a connection, and to IPv4: the call is not kept waiting"""
    s = lab.sipp(answering(), transport="t1", calls=2)
    deaf = Deaf("::1", s.port)
    p = lab.offhook("-s", "dns-hosts=two.example=::1,two.example=127.0.0.1", "-l", "tcp:[::1]:%d" % ports(1, "::1"),
                    transports=("udp", "tcp")).ready()
    target = "'sip:bob@two.example:%d;transport=tcp'" % s.port
    check([t["address"] for t in p.command("resolve " + target)["targets"]] == ["::1", "127.0.0.1"], "IPv6 does not come first")
    talk(p, target, 40)
    r = p.command("resolve " + target)
    check([(t["address"], t["dead"]) for t in r["targets"]] == [("127.0.0.1", False), ("::1", True)], "%s", r)
    check("the other family is faster" in r["text"], "%s", r)
    talk(p, target)
    s.well()
    deaf.s.close()
    # nobody listens there: the other one at once
    s = lab.sipp(answering(), transport="t1", name="second")
    target = "'sip:bob@two.example:%d;transport=tcp'" % s.port
    talk(p, target, 40)
    check([t["dead"] for t in p.command("resolve " + target)["targets"]] == [False, True], "not remembered")
    s.well()


# in a network of its own: a name server that never answers what asks for IPv6, then the program
NO_V6 = """
import os, socket, subprocess, sys, threading
for line in ("mount --bind %s /etc/resolv.conf" % sys.argv[1], "ip link set lo up", "ip addr add 192.0.2.1 dev lo"):
    subprocess.run(line.split(), check=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
def serve():
    while True:
        m, who = s.recvfrom(4096)
        end = m.index(b"\\0", 12) + 5
        kind, known = m[end - 3], m[12:end].lower().startswith(b"\\3two")
        if kind != 28:
            found = kind == 1 and known
            s.sendto(m[:2] + (b"\\x85\\x80" if known else b"\\x85\\x83") + b"\\0\\1" + bytes([0, found]) + b"\\0" * 4 + m[12:end]
                     + (b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\x7f\\0\\0\\2" if found else b""), who)
threading.Thread(target=serve, daemon=True).start()
code = subprocess.run(sys.argv[2:]).returncode
sys.stdout.flush()
os._exit(code)
"""


def test_no_answer_for_ipv6(lab):
    """the system's resolver waits for a minute, we do not: IPv4 is asked for beside it"""
    need("unshare", "mount", "ip")
    conf = lab.file("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:2\n")
    own = ["unshare", "--mount", "--net"]
    if os.geteuid() or subprocess.run([*own, "mount", "--bind", conf, "/etc/resolv.conf"], capture_output=True).returncode:
        raise Skip("no network of its own can be made here")
    got, out, err = lab.run("-l", "127.0.0.1:%d" % ports(), "-A", "null", "resolve", "sip:bob@two.example:5071",
                            wrap=[*own, sys.executable, lab.file("no_v6.py", NO_V6), conf])
    check(got == 0 and "UDP:127.0.0.2:5071" in out, "exit code %d\n%s%s", got, out, err)
    # that there is no such name it does not say: both families have to
    got, out, err = lab.run("-l", "127.0.0.1:%d" % ports(), "-A", "null", "-s", "resolve-timeout=2s", "resolve",
                            "sip:bob@none.example:5071", wrap=[*own, sys.executable, lab.path("no_v6.py"), conf])
    check(got != 0 and "no answer from the name service" in out + err, "exit code %d\n%s%s", got, out, err)


def test_other_family_udp(lab):
    """nobody is there by IPv6, which only silence tells: the offer that goes to IPv4 names an address of that"""
    s = lab.sipp([called(checks=[("body", "c=IN IP4 127.0.0.1")], timeout=40000), ringing(), ok(), recv("ACK"),
                  recv("BYE", timeout=20000), done()], "-rtp_echo")
    silent = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    silent.bind(("::1", s.port))
    silent.settimeout(0.01)
    p = lab.offhook("-s", "dns-hosts=two.example=::1,two.example=127.0.0.1", "-l", "udp:[::1]:%d" % ports(1, "::1"),
                    "-s", "sip-timeout=4s", audio="tone:440").ready()
    p.command("dial sip:bob@two.example:%d" % s.port)
    p.event("call.state", state="active", timeout=40)
    p.event("call.quality", timeout=30)
    check(p.command("stats 1")["packets_received"] > 0, "no sound came")
    p.command("hangup")
    p.event("call.state", state="ended", timeout=20)
    s.well()
    lines = drain(silent)
    check(lines and all(x.startswith("INVITE") for x in lines), "%s", lines)
    told = [o["state"] for o in p.objects() if o.get("event") == "call.state"]
    check(told == ["calling", "ringing", "active", "ended"], "it was told as two: %s", told)


def test_busy_server(lab):
    """503: the second one has it; the first is not dead"""
    first = lab.sipp(answering(503), host="127.0.0.2", name="first")
    second = lab.sipp(answering(), name="second")
    p = phone(lab, Dns(lab, zone(first.port, second.port)))
    check(talk(p, "sip:bob@two.example") < 3, "it waited")
    check(dead(p, "sip:bob@two.example") == [False, False], "taken for dead")
    first.well()
    second.well()


def test_all_dead(lab):
    """the last cause is told, and how many there were"""
    p = phone(lab, Dns(lab, zone(ports(), ports(), "tcp")))
    p.command("dial 'sip:bob@two.example;transport=tcp'")
    e = p.event("call.state", state="ended")
    check(e["cause"] == "transport" and "refused" in e["reason"] and "the last of 2" in e["reason"], "%s", e)


def test_given_up(lab):
    """nobody answers and the caller hangs up: nothing is sent any more"""
    s, port = hole()
    p = phone(lab, Dns(lab))
    p.command("dial sip:bob@127.0.0.1:%d" % port)
    time.sleep(0.7)
    p.command("hangup")
    drain(s)
    time.sleep(2)
    check(not drain(s), "it went on")


def test_number(lab):
    """a number that is listed is called where it is"""
    sipp = lab.sipp(answering())
    dns = Dns(lab, ZONE.replace("bare.example!", "a.example:%d!" % sipp.port))
    p = phone(lab, dns)
    talk(p, "+49123")
    ended = [o for o in p.objects() if o.get("event") == "call.state" and o["state"] == "active"]
    check(ended[0]["peer"] == "sip:123@a.example:%d" % sipp.port, "%s", ended)
    sipp.well()
    p.command("dial +49999")
    e = p.event("call.state", state="ended")
    check(e["cause"] == "resolve" and "not listed" in e["reason"], "%s", e)


def test_odd_option(lab):
    for value in ("dns.example", "1.2.3.4:99999", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5"):
        code, out, err = lab.run("-s", "dns-servers=" + value, "-A", "null", "status")
        check(code == 2 and "dns-servers must be" in err, "%s: %d %s%s", value, code, out, err)


def test_said(lab):
    """option dns-hosts: such a name leads there and nobody is asked, others are looked up as ever"""
    dns = Dns(lab)
    hosts = "Sip.Example=127.0.0.5,sip.example=127.0.0.6 six.example=::1"
    p = phone(lab, dns, "-s", "dns-hosts=" + hosts)
    for what, want in (("sip:a@SIP.example", "udp:127.0.0.5:5060 udp:127.0.0.6:5060"),
                       ("sip:a@sip.example:5070 --transport tcp", "tcp:127.0.0.5:5070 tcp:127.0.0.6:5070")):
        r = p.command("resolve " + what)
        check(targets(r) == want, "%s: %s", what, r)
    check(p.command("resolve sip:a@plain.example")["targets"], "another name leads nowhere")
    dns.wait_line(r"query\[.*plain\.example", 30)
    check(not dns.asked("sip.example"), "the server was asked: %s", dns.asked())
    for value in ("sip.example", "sip.example=somewhere", "=1.2.3.4", "a_b c=1.2.3.4", "x=1.2.3.4:5060"):
        code, out, err = lab.run("-s", "dns-hosts=" + value, "-l", "udp:127.0.0.1", "-A", "null", "status")
        check(code == 2 and "dns-hosts takes" in err, "%s: %d %s%s", value, code, out, err)


# --- responses (RFC 3263 5) ---------------------------------------------------------

INVITE = ("INVITE sip:phone@127.0.0.1:%(to)d SIP/2.0\r\nVia: SIP/2.0/TCP back.example:%(back)d;branch=z9hG4bK1\r\n"
          "From: <sip:t@back.example>;tag=1\r\nTo: <sip:phone@127.0.0.1>\r\nCall-ID: by-name\r\nCSeq: 1 INVITE\r\n"
          "Contact: <sip:t@127.0.0.1:%(back)d;transport=tcp>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
          "Content-Length: %(len)d\r\n\r\n%(sdp)s")
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


class Registrar:
    """takes every REGISTER while it is open"""

    def __init__(self, is_open=True):
        self.open = is_open
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind(("127.0.0.1", 0))
        self.port = self.s.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            data, peer = self.s.recvfrom(65536)
            if not self.open:
                continue
            lines = data.decode().split("\r\n")
            kept = [x for x in lines if x.split(":")[0] in ("Via", "From", "Call-ID", "CSeq", "Contact")]
            to = [x for x in lines if x.startswith("To:")][0]
            self.s.sendto("\r\n".join(["SIP/2.0 200 OK", to + ";tag=r"] + kept + ["Expires: 3600", "Content-Length: 0",
                                                                                "", ""]).encode(), peer)


def interrupted(lab, registered):
    """an INVITE whose connection ends while it rings, then it is answered -> the phone, where the name leads"""
    near, far = socket.socket(), socket.socket()
    near.bind(("127.0.0.1", 0))         # and nobody listens there
    port = near.getsockname()[1]
    far.bind(("127.0.0.2", port))
    far.listen()
    dns = Dns(lab, "host-record=back.example,127.0.0.2\n")
    account = ["-a", "sip:phone@127.0.0.1;registrar=127.0.0.1:%d" % Registrar().port] if registered else []
    p = phone(lab, dns, "-s", "sip-repeat=50ms", *account)
    if registered:
        p.event("account.state", state="registered")
    s = socket.create_connection(("127.0.0.1", p.port))
    s.sendall((INVITE % dict(to=p.port, back=port, len=len(SDP), sdp=SDP)).encode())
    got = b""
    while b" 180 " not in got:
        got += s.recv(65536)
    s.close()
    p.command("answer")
    return p, far, near


def test_response_by_name(lab):
    """a server's connection is gone: our answer goes where the name in its Via leads"""
    p, far, near = interrupted(lab, True)
    far.settimeout(30)
    c, _ = far.accept()
    c.settimeout(30)
    check(c.recv(65536).startswith(b"SIP/2.0 200 "), "no answer")
    near.close()
    check(p.command("calls")["calls"], "the call is gone")


def test_response_to_stranger(lab):
    """whom a stranger names we do not knock for"""
    p, far, near = interrupted(lab, False)
    p.event("call.state", state="ended", timeout=40)
    far.settimeout(0.01)
    try:
        far.accept()
        check(False, "somebody else was called")
    except socket.timeout:
        pass
    near.close()


if __name__ == "__main__":
    main(globals())
