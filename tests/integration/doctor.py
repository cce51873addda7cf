#!/usr/bin/env python3
"""`doctor` beside programs that nobody here wrote: kamailio's kind of server
(SIPp), a TLS server of openssl, coturn behind and without a NAT."""
import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from email.utils import formatdate

from lab import check, main, need, ports, wait_port
from names import Dns
from natlab import SERVER, SERVER2, Gateway, address, outer, turn_options, turn_server, within


# no sound card, and no plugins that leak; of this process, which ends after all of them
NO_CARD = tempfile.NamedTemporaryFile("w", suffix=".conf")
NO_CARD.write("pcm.nothing { type hw card 99 }\n")
NO_CARD.flush()
os.environ["ALSA_CONFIG_PATH"] = NO_CARD.name


def visit(lab, *args, code=None, more=(), wrap=(), host="127.0.0.1", listen=None):
    """-> the rows of the reply by area, the reply"""
    where = listen if listen is not None else "%s:%d" % (host, ports())
    got, out, err = lab.run(*(("-l", where) if where else ()), "-A", "null", "--json", *args,
                            "doctor", "--quick", *more, wrap=wrap)
    r = [json.loads(x) for x in out.splitlines() if x.startswith('{"reply"')][-1]
    check(code is None or got == code, "exit code %s\n%s\n%s", got, out, err)
    areas = {}
    for c in r["checks"]:
        check(c["verdict"] in ("pass", "note") or c.get("advice"), "nothing to do about %s", c)
        areas.setdefault(c["area"], []).append(c)
    return areas, r


def test_alone(lab):
    """no account: what is of this machine is looked at"""
    areas, _ = visit(lab, code=0)
    check({"config", "listen", "clock", "sound"} <= set(areas), "%s", areas)
    check(areas["config"][0]["verdict"] == "pass" and areas["listen"][0]["verdict"] == "pass", "%s", areas)
    check("127.0.0.1" in areas["listen"][0]["text"], "%s", areas)
    # there is no sound card; whether NTP runs is the machine's affair
    check(areas["sound"][0]["verdict"] == "warn" and areas["sound"][0]["advice"], "%s", areas)
    c = areas["clock"][0]
    check(c["verdict"] == "pass" and re.search(r"kept by NTP, within \d+ ms", c["text"]) or
          c["verdict"] == "warn" and "NTP" in c["advice"], "%s", c)
    check(areas["nat"][0]["verdict"] == "note" and "--stun" in areas["nat"][0]["advice"], "%s", areas)


def wants(areas, area, verdict, text, advice=""):
    check(any(c["verdict"] == verdict and text in c["text"] and advice in c.get("advice", "") for c in areas.get(area, [])),
          "no %s of %s: '%s' '%s' in %s", verdict, area, text, advice, areas)


def test_files(lab):
    """a configuration that has become wrong, passwords that others may read"""
    phone = lab.offhook().ready()
    for name, text, mode in (("offhook.conf", "frob = 1\n", 0o600), ("accounts", "", 0o644)):
        with open(os.path.join(phone.folder, name), "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(os.path.join(phone.folder, name), mode)
    r = phone.reply("doctor --quick", timeout=60)
    areas = {"config": [c for c in r["checks"] if c["area"] == "config"]}
    check(not r["ok"] and r["error"] == "doctor-failed", "%s", r)
    wants(areas, "config", "fail", "offhook.conf line 1", "config check")
    wants(areas, "config", "warn", "others may read", "chmod 600")
    os.chmod(os.path.join(phone.folder, "accounts"), 0o600)
    os.unlink(os.path.join(phone.folder, "offhook.conf"))
    r = phone.command("doctor --quick", timeout=60)
    check([c["verdict"] for c in r["checks"] if c["area"] == "config"] == ["pass"], "%s", r)


def test_usual_port(lab):
    """another program has it"""
    host = "127.77.%d.%d" % (os.getpid() >> 8 & 0xff, os.getpid() & 0xff or 1)
    socks = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
    for s in socks:
        s.bind((host, 5060))
    socks[1].listen()
    code, out, err = lab.run("-l", host, "-A", "null", "--json", "doctor", "--quick")
    r = [json.loads(x) for x in out.splitlines() if x.startswith('{"reply"')][-1]
    check(code == 0, "%d\n%s", code, err)
    wants({"listen": [c for c in r["checks"] if c["area"] == "listen"]}, "listen", "warn", host, "another program")


class Server(threading.Thread):
    """a SIP server on UDP: answers(method) -> status line and headers"""

    def __init__(self, answer, via=""):
        super().__init__(daemon=True)
        self.answer, self.via, self.sock = answer, via, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                data, who = self.sock.recvfrom(65535)
            except OSError:
                return
            lines = data.decode().split("\r\n")
            keep = [x for x in lines if re.match(r"(Via|From|To|Call-ID|CSeq):", x)]
            keep = [x + (";tag=1" if x.startswith("To:") else self.via if x.startswith("Via:") else "") for x in keep]
            text = "\r\n".join(["SIP/2.0 " + self.answer(lines[0].split()[0])] + keep + ["Content-Length: 0", "", ""])
            self.sock.sendto(text.encode(), who)


def test_server(lab):
    """a server on UDP that answers, not on TCP; its clock is off"""
    s = Server(lambda method: "200 OK\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\nUser-Agent: the-server")
    areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;register=no" % s.port, code=0)
    check(areas["udp"][0]["verdict"] == "pass" and "the-server" in areas["udp"][0]["text"], "%s", areas)
    check(areas["tcp"][0]["verdict"] == "note" and areas["dns"][0]["verdict"] == "pass", "%s", areas)
    check(any(c["verdict"] == "warn" and "from the server" in c["text"] for c in areas["clock"]), "%s", areas)


def test_nobody(lab):
    """nobody there: it fails, says what to do, and so does the exit code"""
    areas, r = visit(lab, "-a", "sip:me@127.0.0.1:%d;register=no" % ports(), code=1)
    check(r["error"] == "doctor-failed" and areas["udp"][0]["verdict"] == "fail" and areas["udp"][0]["advice"], "%s", r)


def test_seen(lab):
    """a server that sees another address; a transport that this phone does not speak"""
    s = Server(lambda method: "200 OK", via=";received=198.51.100.7;rport=4711")
    areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;register=no" % s.port, code=0, listen="udp:127.0.0.1")
    wants(areas, "nat", "note", "this server sees us as 198.51.100.7:4711")
    wants(areas, "tcp", "note", "TCP is not spoken here")


def test_nowhere(lab):
    """no way out, no router, firewalls that say nothing, no network"""
    def work(net):
        def here(*args, **kw):
            areas, _ = visit(lab, *args, wrap=net.inside("p1"), host=address(1), **kw)
            return areas
        net.nft("p1", "table ip t { chain c { type filter hook output priority 0; ip daddr %s drop; }; }" % SERVER)
        wants(here(code=0, more=["--stun", SERVER]), "nat", "warn", "no answer by STUN, and none by TCP", "another one")
        net.ip("p1", "route del default")
        wants(here(code=0, more=["--stun", SERVER2]), "nat", "warn", "STUN cannot be tried: Network is unreachable",
              "is there a network?")
        net.ip("p1", "route add 192.0.0.0/24 dev eth0")
        wants(here("-s", "port-mapping=auto", code=0), "router", "warn", "no router", "port-mapping off")
        phone = lab.offhook(transports=(), port=5060, wrap=net.inside("p1"), audio="null").ready()
        net.ip("p1", "link set eth0 down", "addr flush dev eth0", "addr flush dev lo", "link set lo down")
        end = time.monotonic() + 40                     # it waits until changes of the network have come to rest
        while "it listens nowhere" not in json.dumps(phone.reply("doctor --quick", timeout=60)) and time.monotonic() < end:
            phone.reply("sleep 500ms", 20)
        r = phone.reply("doctor --quick", timeout=60)
        wants({"listen": r["checks"]}, "listen", "fail", "it listens nowhere", "is there a network?")
    within(lab, ("cone",), work)


CLOCK = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
int adjtimex(struct timex *tx)
{
	const char *s = getenv("CLOCK");
	memset(tx, 0, sizeof(*tx));
	tx->maxerror = s ? atoi(s) : 0;
	tx->status = s ? 0 : STA_UNSYNC;
	return s ? TIME_OK : TIME_ERROR;
}
"""


def test_clock(lab):
    """one that is kept right, and one that is not"""
    need("cc")
    lib = lab.path("clock.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", lib, lab.file("clock.c", CLOCK)], check=True, timeout=60)
    env = ["env", "LD_PRELOAD=" + lib, "ASAN_OPTIONS=verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")]
    areas, _ = visit(lab, code=0, wrap=env)
    wants(areas, "clock", "warn", "nothing keeps this machine's clock right", "NTP")
    areas, _ = visit(lab, code=0, wrap=[*env, "CLOCK=42000"])
    wants(areas, "clock", "pass", "kept by NTP, within 42 ms")


def test_sound_silent(lab):
    """a sound server that takes calls and says nothing"""
    deaf = socket.socket(socket.AF_UNIX)
    deaf.bind(lab.path("pulse"))
    deaf.listen(5)
    conf = lab.file("asound.conf", "pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    areas, _ = visit(lab, code=0, wrap=["env", "PULSE_SERVER=unix:" + lab.path("pulse"), "ALSA_CONFIG_PATH=" + conf,
                                        "ASAN_OPTIONS=detect_leaks=0"])
    wants(areas, "sound", "warn", "", "sound server")


def test_name(lab):
    areas, r = visit(lab, "-a", "sip:me@no-such-name.invalid;register=no", "-s", "resolve-timeout=3s", code=1)
    check(areas["dns"][0]["verdict"] == "fail" and "no-such-name.invalid" in areas["dns"][0]["text"], "%s", areas)
    check("udp" not in areas, "%s", areas)


def test_decision(lab):
    """what the name service was asked on the way to the server, and what was chosen"""
    dns = Dns(lab)
    areas, _ = visit(lab, "-s", "dns-servers=" + dns.server, "-a", "sip:me@full.example;register=no", code=1)
    said = [c["text"] for c in areas["dns"] if c["verdict"] == "note"]
    for word in ("NAPTR full.example", "SRV _sip._tcp.full.example", "A a.example", "127.0.0.1:5071", "127.0.0.2:5072"):
        check(any(word in x for x in said), "no '%s' in\n%s", word, "\n".join(said))
    check("2 targets, first tcp 127.0.0.1:5071" in areas["dns"][0]["text"], "%s", areas["dns"][0])


def test_password(lab):
    """a registrar that does not like the password"""
    s = Server(lambda method: "200 OK" if method != "REGISTER" else
               '401 Unauthorized\r\nWWW-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5')
    areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;password=wrong" % s.port, code=1)
    reg = areas["registration"][0]
    check(reg["verdict"] == "fail" and "401" in reg["text"] and "password" in reg["advice"], "%s", areas)
    check(areas["udp"][0]["verdict"] == "pass", "%s", areas)


def test_registered(lab):
    s = Server(lambda method: "200 OK\r\nContact: <sip:me@127.0.0.1>;expires=300")
    areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;password=right" % s.port, code=0)
    check(areas["registration"][0]["verdict"] == "pass", "%s", areas)


def test_not_registered(lab):
    """it does not want to, or the server does not; clocks that agree"""
    s = Server(lambda method: ("200 OK" if method != "REGISTER" else "503 Come later\r\nRetry-After: 900") +
               "\r\nDate: " + formatdate(time.time(), usegmt=True))
    uri = "sip:me@127.0.0.1:%d" % s.port
    areas, _ = visit(lab, "-a", uri + ";password=right", code=1)
    wants(areas, "registration", "fail", "503 Come later", "ladder")
    check(any(c["verdict"] == "pass" and "from the server" in c["text"] for c in areas["clock"]), "%s", areas)
    areas, _ = visit(lab, "-a", uri + ";register=no", code=0)
    wants(areas, "registration", "note", "does not register")


def certificate(lab, days="30", name="localhost", also=",IP:127.0.0.1"):
    need("openssl")
    cert, key = lab.path("cert.pem"), lab.path("key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", days, "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:%s%s" % (name, also),
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def tls_server(lab, cert, key, *more):
    port = ports()
    p = subprocess.Popen(["openssl", "s_server", "-quiet", "-cert", cert, "-key", key, "-accept", "127.0.0.1:%d" % port, *more],
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_port("127.0.0.1", port, True)
    return p, port


def test_certificate(lab):
    """the chain in plain words: signed by itself, then trusted"""
    cert, key = certificate(lab)
    p, port = tls_server(lab, cert, key)
    try:
        uri = "sip:me@127.0.0.1:%d;register=no;transport=tls" % port
        areas, _ = visit(lab, "-a", uri)
        c = areas["certificate"]
        check(c[0]["verdict"] == "fail" and "self-signed" in c[0]["text"] and c[0]["advice"], "%s", c)
        check(re.search("localhost, signed by localhost, good for (29|30) more days", c[1]["text"]), "%s", c)
        areas, _ = visit(lab, "-a", uri + ";tls-ca=" + cert)
        check(areas["certificate"][0]["verdict"] == "pass" and "TLSv1.3" in areas["certificate"][0]["text"], "%s", areas)
    finally:
        p.kill()
        p.wait()


def openssl(*argv, when=""):
    """when: of what time it is for the program"""
    r = subprocess.run([*(("faketime", "-f", when) if when else ()), "openssl", *argv], capture_output=True, text=True, timeout=60)
    check(r.returncode == 0, "openssl %s: %s", " ".join(argv), r.stderr)


def signed(lab, name, by=None, key="ec", ext="", when="", days="30"):
    """a certificate and its key, signed by another one or itself -> its path without .pem"""
    path = lab.path(name)
    kind = ["-newkey", "rsa:1024"] if key == "weak" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    openssl("req", "-new", *kind, "-nodes", "-subj", "/CN=" + name, "-keyout", path + ".key", "-out", path + ".csr")
    lab.file(name + ".ext", ext or "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    who = ["-CA", by + ".pem", "-CAkey", by + ".key", "-CAcreateserial"] if by else ["-signkey", path + ".key"]
    openssl("x509", "-req", "-in", path + ".csr", "-days", days, "-extfile", path + ".ext", *who, "-out", path + ".pem", when=when)
    return path


def test_certificates(lab):
    """what may be wrong with one and with those who signed it, in plain words"""
    need("faketime", "openssl")
    authority = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    ca = signed(lab, "ca", ext=authority, days="3000", when="-100d")
    between = signed(lab, "between", by=ca, ext=authority)
    over = signed(lab, "over", by=ca, ext=authority, when="-90d")
    cases = (
        ("soon", {"days": "5"}, (), "", ("warn", "good for 127.0.0.1", "renewed")),
        ("others", {"ext": "subjectAltName=DNS:other.example,DNS:second.example"}, (), "",
         ("fail", "it is for other.example, second.example", "name in the account")),
        ("star", {"ext": "subjectAltName=DNS:*.example"}, (), "", ("fail", "it is for *.example", "name in the account")),
        ("old", {"when": "-60d"}, (), "", ("fail", "expired since", "renew")),
        ("young", {"when": "+20d"}, (), "", ("fail", "not valid before", "clock")),
        ("client", {"ext": "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=clientAuth"}, (), "",
         ("fail", "not meant for servers", "for servers")),
        ("weak", {"key": "weak"}, ("-cipher", "DEFAULT:@SECLEVEL=0"), "", ("fail", "key is too short", "another one")),
        ("alone", {"by": between}, (), "", ("fail", "unknown issuer: CN=between", "leaves out")),
        ("whole", {"by": between}, ("-cert_chain", between + ".pem"), "", ("pass", "good for 127.0.0.1", "")),
        ("stale", {"by": over}, ("-cert_chain", over + ".pem"), "", ("fail", "an issuer's has expired since", "renew")),
        ("pinned", {}, (), ";tls-pin=" + "ab" * 32, ("fail", "tls-pin", "in between")),
        ("unseen", {"when": "-60d"}, (), ";tls-verify=no", ("warn", "used all the same", "renew")),
        ("pin-alone", {"when": "-60d"}, (), ";tls-verify=no;tls-pin=" + "ab" * 32, ("fail", "tls-pin", "in between")),
        ("early-tls", {}, ("-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"), "", ("fail", "no version of TLS", "TLS 1.2")))

    def one(name, kw, more, param, want):
        path = signed(lab, name, **{"by": ca, **kw})
        p, port = tls_server(lab, path + ".pem", path + ".key", *more)
        try:
            areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;register=no;transport=tls;tls-ca=%s.pem%s" % (port, ca, param))
            wants(areas, "certificate", *want)
            return areas["certificate"]
        finally:
            p.kill()
            p.wait()
    seen = {c[0]: one(*c) for c in cases}
    # the chain as it is shown, from the server's own on
    for name, i, text in (("old", 1, "1: old, signed by ca, expired 30 days ago"), ("whole", 2, "2: between, signed by ca, good for"),
                          ("young", 1, "1: young, signed by ca, good only from"), ("stale", 2, "2: over, signed by ca, expired 60 days ago")):
        check(seen[name][i]["text"].startswith(text), "%s", seen[name])


def test_no_tls(lab):
    """nobody there, and somebody who speaks in clear"""
    areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;register=no;transport=tls" % ports(), code=1)
    wants(areas, "certificate", "fail", "no TLS there", "5061")
    s = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            c, _ = s.accept()
            with contextlib.suppress(OSError), c:
                c.recv(4096)
                c.sendall(b"SIP/2.0 400 What is that?\r\n\r\n")
    threading.Thread(target=serve, daemon=True).start()
    areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;register=no;transport=tls" % s.getsockname()[1], code=1)
    wants(areas, "certificate", "fail", "does not speak TLS", "5061")


def coturn(lab, port):
    need("turnserver")
    p = subprocess.Popen(["turnserver", "-n", "--listening-ip=127.0.0.1", "--listening-ip=127.0.0.2", "-p", str(port),
                          "--alt-listening-port", str(port + 1), "--no-cli", "--no-tls", "--no-dtls", "--no-auth",
                          "--log-file", lab.path("turn.log"), "--pidfile", lab.path("turn.pid"),
                          "--userdb", lab.path("turn.db")], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    wait_port("127.0.0.1", port)
    return p


def test_no_nat(lab):
    port = ports(2)
    p = coturn(lab, port)
    try:
        areas, _ = visit(lab, code=0, more=["--stun", "127.0.0.1:%d" % port])
        nat = areas["nat"][0]
        check(nat["verdict"] == "pass" and "no NAT" in nat["text"] and "endpoint-independent" in nat["text"], "%s", nat)
    finally:
        p.kill()
        p.wait()


NATS = {
    "cone": ("pass", "mapping is endpoint-independent, filtering is endpoint-independent"),
    "restricted": ("pass", "mapping is endpoint-independent, filtering is address-dependent"),
    "port": ("pass", "mapping is endpoint-independent, filtering is address-and-port-dependent"),
    "symmetric": ("warn", "mapping is address-and-port-dependent, filtering is address-and-port-dependent"),
    "noudp": ("warn", "UDP is blocked by a firewall"),
}


def test_nats(lab):
    """behind each kind of NAT, and behind a firewall that lets no UDP through"""
    def work(net):
        turn_server(lab, net, both=True)
        for i, (kind, (verdict, text)) in enumerate(NATS.items(), 1):
            areas, _ = visit(lab, "-s", "stun-server=" + SERVER, code=0, wrap=net.inside("p%d" % i), host=address(i))
            nat = areas["nat"][0]
            check(nat["verdict"] == verdict and text in nat["text"], "%s: %s", kind, nat)
            check(verdict == "pass" or nat["advice"], "%s", nat)
            check(kind == "noudp" or "seen as " + outer(i) in nat["text"], "%s", nat)
    within(lab, tuple(NATS), work)


def test_ways(lab):
    """a relay that helps, one that does not take the password, a router that
    maps ports, and one that does not"""
    def work(net):
        turn_server(lab, net)
        Gateway(lab, net, 1)
        options = [x for o in turn_options(lab) for x in ("-s", o)]
        areas, _ = visit(lab, *options, "-s", "port-mapping=auto", code=0, wrap=net.inside("p1"), host=address(1))
        check(areas["relay"][0]["verdict"] == "pass" and SERVER in areas["relay"][0]["text"], "%s", areas)
        check(areas["router"][0]["verdict"] == "pass" and outer(1) in areas["router"][0]["text"], "%s", areas)
        lab.file("password", "wrong")
        areas, _ = visit(lab, *options, "-s", "port-mapping=auto", code=1, wrap=net.inside("p2"), host=address(2))
        check(areas["relay"][0]["verdict"] == "fail" and areas["relay"][0]["advice"], "%s", areas)
        check(areas["router"][0]["verdict"] == "warn" and areas["router"][0]["advice"], "%s", areas)
    within(lab, ("port", "port"), work)


def test_ports(lab):
    """a server that is not reached by UDP, but by TCP"""
    def answer(method):
        return "200 OK"
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.bind(("127.0.0.1", 0))
    udp.bind(tcp.getsockname())
    tcp.listen(5)

    def serve():
        while True:
            s, _ = tcp.accept()
            data = s.recv(65535).decode("utf-8", "replace")
            keep = [x for x in data.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", x)]
            s.sendall(("\r\n".join(["SIP/2.0 " + answer("")] + keep + ["Content-Length: 0", "", ""])).encode())
    threading.Thread(target=serve, daemon=True).start()
    areas, _ = visit(lab, "-a", "sip:me@127.0.0.1:%d;register=no" % tcp.getsockname()[1], code=1)
    check(areas["udp"][0]["verdict"] == "fail" and areas["tcp"][0]["verdict"] == "pass", "%s", areas)
    ports_ = areas["ports"][0]
    check(ports_["verdict"] == "warn" and "transport=tcp" in ports_["advice"], "%s", areas)


def test_ports_tls(lab):
    """the same, where it is TLS that passes"""
    cert, key = certificate(lab)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.create_server(("127.0.0.1", 0))
    udp.bind(tcp.getsockname())

    def talk(sock):
        try:
            with context.wrap_socket(sock, server_side=True) as s:
                data = s.recv(65535).decode("utf-8", "replace")
                keep = [x for x in data.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", x)]
                s.sendall(("\r\n".join(["SIP/2.0 200 OK"] + keep + ["Content-Length: 0", "", ""])).encode())
                s.recv(65535)
        except OSError:
            pass

    def serve():
        while True:
            threading.Thread(target=talk, args=(tcp.accept()[0],), daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    areas, _ = visit(lab, "-s", "tls-ca=" + cert, "-a", "sip:me@127.0.0.1:%d;register=no" % tcp.getsockname()[1], code=1)
    check(areas["udp"][0]["verdict"] == "fail" and areas["tls"][0]["verdict"] == "pass", "%s", areas)
    wants(areas, "ports", "warn", "UDP to this server is blocked", "transport=tls")


def test_helpers(lab):
    """servers for NAT that are none, that nobody knows, that cannot be used"""
    areas, _ = visit(lab, code=0, more=["--stun", "127.0.0.1:99999"])
    wants(areas, "nat", "warn", "is no STUN server", "ADDR:PORT")
    areas, _ = visit(lab, "-s", "resolve-timeout=3s", code=0, more=["--stun", "no-such-name.invalid"])
    wants(areas, "nat", "warn", "no STUN server", "check its name")
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("127.0.0.1", 0))
    more = ["--stun", "127.0.0.1:%d" % deaf.getsockname()[1]]
    turn = ["-s", "ice=yes", "-s", "turn-password-file=" + lab.file("password", "x\n")]
    areas, _ = visit(lab, *turn, "-s", "turn-server=me@no-such-name.invalid", "-s", "resolve-timeout=3s", code=1, more=more)
    wants(areas, "relay", "fail", "no-such-name.invalid", "check its name")
    # the two ports that a call may have are taken
    port = ports(2)
    taken = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for i, s in enumerate(taken):
        with contextlib.suppress(OSError):              # somebody else was quicker: as good
            s.bind(("127.0.0.1", port + i))
    areas, _ = visit(lab, *turn, "-s", "turn-server=me@127.0.0.1:9", "-s", "media-ports=%d-%d" % (port, port + 1), code=1,
                     more=more)
    wants(areas, "nat", "fail", "a call would have no port", "media-ports")


def test_whole(lab):
    """with the calls to oneself: either every codec carries speech, or it is told which does not"""
    code, out, err = lab.run("-l", "127.0.0.1:%d" % ports(), "-A", "null", "--json", "doctor", timeout=150)
    r = [json.loads(x) for x in out.splitlines() if x.startswith('{"reply"')][-1]
    codecs = [c for c in r["checks"] if c["area"] == "codecs"]
    verdicts = {c["verdict"] for c in codecs} - {"note"}
    check(code in (0, 1) and verdicts == ({"fail"} if code else {"pass"}), "%d %s\n%s", code, codecs, err[-3000:])
    # a busy machine drops a packet time now and then, and that is what is told
    wants({"codecs": codecs}, "codecs", *(("fail", "in the speech", "selftest") if code else
                                          ("pass", "each codec carries speech and keys")))


def test_stun_silent(lab):
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("127.0.0.1", 0))
    areas, _ = visit(lab, code=0, more=["--stun", "127.0.0.1:%d" % deaf.getsockname()[1]])
    check(areas["nat"][0]["verdict"] == "warn" and areas["nat"][0]["advice"], "%s", areas)


def test_people(lab):
    code, out, _ = lab.run("-l", "udp:127.0.0.1", "-A", "null", "doctor", "--quick")
    check(code == 0 and "pass  config" in out and "checks passed" in out, "%s", out)


test_whole.limit = test_certificates.limit = 200

if __name__ == "__main__":
    main(globals())
