#!/usr/bin/env python3
"""SIP over TLS with programs nobody here wrote: Kamailio as registrar and
proxy, openssl's client at our door, baresip. Whoever is not whom we meant is
refused, with words that say why."""
import os
import re
import socket
import ssl
import stat
import struct
import subprocess
import threading
import time

import sound
from authority import Authority, pins
from kamailio import DOMAIN, Kamailio
from lab import check, main, need, ports
from names import Dns
from peers import Baresip

USERS = {"alice": "secret", "bob": "bobpw"}
NAMES = "DNS:%s,IP:127.0.0.1" % DOMAIN


def server(lab, ca, *switches, names=NAMES, issue=None, **kw):
    return Kamailio(lab, "tls", "auth", *switches, users=USERS, certificate=ca.issue(names, **(issue or {})), **kw)


def up(phone, **kw):
    return phone.event("account.state", state="registered", timeout=20, **kw)


def phone(lab, ca, s, user, *params, name=None, args=(), scheme="sip"):
    return lab.offhook("-s", "tls-ca=" + ca.path, *args, "-a", s.tls_account(user, USERS[user], *params, scheme=scheme),
                       name=name or user)


def talk(caller, callee, whom, by_callee=False):
    caller.command("dial " + whom)
    callee.event("call.state", state="incoming", timeout=20)
    callee.command("answer")
    caller.event("call.state", state="active", timeout=20)
    callee.event("call.state", state="active", timeout=20)
    caller.event("call.quality", timeout=20)
    check(caller.event("call.media", again=True)["security"] != "none", "sound in plain")
    (callee if by_callee else caller).command("hangup")
    for p in (caller, callee):
        end = p.event("call.state", state="ended", timeout=20)
        check(end["cause"] == "none", "%s", end)


def test_calls(lab):
    """two phones, both over TLS, register with a password and call each other"""
    ca = Authority(lab)
    s = server(lab, ca, "proxy_auth")
    a, b = phone(lab, ca, s, "alice", args=("-t",)), phone(lab, ca, s, "bob")
    e = up(a)
    check(e["server"] == "127.0.0.1:%d" % s.tls_port and e["transport"] == "tls", "%s", e)
    up(b)
    r = a.command("status")["accounts"][0]
    check(r["transport"] == "tls" and r["state"] == "registered", "%s", r)
    binding, = s.registered("alice")
    check(binding["Address"].endswith(";transport=tls"), "%s", binding)
    s.wait_line(r"REGISTER alice by tls ")
    talk(a, b, "bob")
    talk(b, a, "alice", by_callee=True)
    check("SIP/2.0/TLS 127.0.0.1" in a.stderr(), "no Via over TLS\n%s", a.stderr()[-3000:])
    a.quit(), b.quit()
    a.exit(), b.exit()
    s.registered("alice", 0)


def test_sips(lab):
    """an account with a sips: address is reached by sips:, and calls so"""
    ca = Authority(lab)
    s = server(lab, ca)
    a = phone(lab, ca, s, "alice", scheme="sips", args=("-t",))
    b = phone(lab, ca, s, "bob", scheme="sips", args=("-t",))
    up(a), up(b)
    binding, = s.registered("alice")
    check(binding["Address"].startswith("sips:alice@127.0.0.1:"), "%s", binding)
    talk(a, b, "sips:bob@" + DOMAIN)
    check(re.search(r"INVITE sips:bob@", b.stderr()), "%s", b.stderr()[-3000:])
    check(re.search(r"Contact: <sips:bob@", b.stderr()), "%s", b.stderr()[-3000:])


class Relay:
    """Passes bytes between a phone and a server, until it is cut"""

    def __init__(self, port):
        self.server, self.pairs = port, []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.door.accept()
            far = socket.create_connection(("127.0.0.1", self.server))
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    @staticmethod
    def _pass(a, b):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for pair in self.pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []


def test_connection_ends(lab):
    """somebody between us and the server cuts the connection: we come back by
    another, with the session of before, and are called by it"""
    ca = Authority(lab)
    s = server(lab, ca)
    relay = Relay(s.tls_port)
    a = lab.offhook("-vv", "-s", "tls-ca=" + ca.path, "-a", "sip:alice@%s;outbound=127.0.0.1:%d;transport=tls;"
                    "password=secret" % (DOMAIN, relay.port), name="alice")
    up(a)
    before, = s.registered("alice")
    # one that is lost as soon as it stands counts as failed
    time.sleep(10.5)
    relay.cut()
    e = a.event("account.state", state="failed", timeout=30)
    check(e["cause"] == "transport" and e["next_ms"] == 0, "%s", e)
    # a busy relay may cut the next one too, which is then tried again later
    a.event("account.state", state="registered", timeout=90)
    after, = s.registered("alice")
    check(before["Address"] != after["Address"], "%s", after)
    check(re.search(r"TLSv1.\d, \S+, resumed", a.stderr()), "the session is not resumed\n%s", a.stderr()[-3000:])
    b = phone(lab, ca, s, "bob")
    up(b)
    talk(b, a, "alice")


test_connection_ends.limit = 180


def refused(lab, account, *args, words=(), not_words=()):
    """a registration and a call end with exit code 9 and these words"""
    base = ["-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "--json"] + list(args) + ["-a", account]
    for what in (["register"], ["dial", "sip:bob@" + DOMAIN]):
        code, out, err = lab.run(*base, *what)
        text = out + err
        check(code == 9, "%s: exit %d, not 9\n%s", what, code, text)
        for w in words:
            check(w in text, "%s does not say '%s'\n%s", what, w, text)
        for w in not_words:
            check(w not in text, "%s says '%s'\n%s", what, w, text)
    return text


def seen_nothing(s):
    check(not any("REGISTER" in x for x in s.lines), "it was told something\n%s", s.tail())


def test_wrong_name(lab):
    ca = Authority(lab)
    s = server(lab, ca, names="DNS:other.test,DNS:*.test,IP:127.0.0.9", issue={"subject": "127.0.0.1"})
    refused(lab, s.tls_account("alice", "secret"), "-s", "tls-ca=" + ca.path,
            words=["the certificate of 127.0.0.1 is refused: it is for other.test, *.test, 127.0.0.9",
                   "subject CN=127.0.0.1", "issuer CN=Test Authority"])
    seen_nothing(s)


def test_expired(lab):
    ca = Authority(lab)
    s = server(lab, ca, issue={"past": "2020-02-01 12:00:00", "days": 30})
    refused(lab, s.tls_account("alice", "secret"), "-s", "tls-ca=" + ca.path,
            words=["expired since 2020-03-02", "subject CN=" + DOMAIN, "issuer CN=Test Authority"])
    seen_nothing(s)


def test_unknown_authority(lab):
    ca, other = Authority(lab), Authority(lab, "Another One")
    s = server(lab, ca)
    for args in (["-s", "tls-ca=" + other.path], []):
        refused(lab, s.tls_account("alice", "secret"), *args,
                words=["unknown issuer: CN=Test Authority", "subject CN=" + DOMAIN])
    seen_nothing(s)


def test_self_signed(lab):
    """refused, unless it is the one that is pinned, or nobody is to be asked"""
    s = Kamailio(lab, "tls", "auth", users=USERS)
    refused(lab, s.tls_account("alice", "secret"), words=["self-signed", "subject CN=" + DOMAIN])
    seen_nothing(s)
    whole, key = pins(s.ca)
    for i, pin in enumerate((whole, key)):
        p = lab.offhook("-a", s.tls_account("alice", "secret", "tls-verify=no", "tls-pin=" + pin), name="pinned%d" % i)
        up(p)
        check("nobody is verified" not in p.stderr(), "%s", p.stderr())
    p = lab.offhook("-a", s.tls_account("alice", "secret", "tls-verify=no"), name="open")
    up(p)
    check("nobody is verified" in p.stderr(), "it does not warn\n%s", p.stderr())


def test_pins(lab):
    ca = Authority(lab)
    s = server(lab, ca)
    wrong = "0123456789abcdef" * 4
    text = refused(lab, s.tls_account("alice", "secret", "tls-pin=" + wrong), "-s", "tls-ca=" + ca.path,
                   words=["neither it nor its key is of tls-pin", "its key is sha256//"])
    refused(lab, s.tls_account("alice", "secret", "tls-pin=" + wrong, "tls-verify=no"),
            words=["neither it nor its key is of tls-pin"])
    seen_nothing(s)
    # what it says is what is to be pinned
    pin = re.search(r"its key is (sha256//[A-Za-z0-9+/]{43}=)", text).group(1)
    p = phone(lab, ca, s, "alice", "tls-pin=" + pin.replace("+", "%2B").replace("=", "%3D"))
    up(p)
    # a good pin does not make up for a bad chain
    refused(lab, s.tls_account("alice", "secret", "tls-pin=" + pins(os.path.join(s.folder, "cert.pem"))[1]),
            words=["unknown issuer"])


def test_no_tls(lab):
    """the port of something else"""
    s = Kamailio(lab, "auth", users=USERS)
    refused(lab, "sip:alice@%s;outbound=%s;transport=tls;password=secret" % (DOMAIN, s.address),
            "-s", "sip-timeout=5s", words=["127.0.0.1:%d" % s.port])


def test_client_certificate(lab):
    """who we are, where that is asked for"""
    ca, clients = Authority(lab), Authority(lab, "Phones")
    s = server(lab, ca, "mutual", client_ca=clients.path)
    refused(lab, s.tls_account("alice", "secret"), "-s", "tls-ca=" + ca.path, words=["certificate of ours"])
    cert, key = clients.issue("DNS:alice.test", subject="alice")
    p = phone(lab, ca, s, "alice", "tls-cert=" + cert, "tls-key=" + key)
    up(p)
    # one whose key is another's is told at the start
    _, other = clients.issue("DNS:bob.test", subject="bob")
    code, out, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "-a", s.tls_account(
        "alice", "secret", "tls-cert=" + cert, "tls-key=" + other), "register")
    check(code == 2 and "is not the key of tls-cert" in err, "%d\n%s\n%s", code, out, err)
    code, out, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "-s", "tls-ca=/nowhere/ca.pem", "accounts")
    check(code == 2 and "tls-ca /nowhere/ca.pem: No such file" in err, "%d\n%s\n%s", code, out, err)


def test_names(lab):
    """RFC 5922: the certificate must name the domain that was asked for, not
    the machine that the name service sends us to"""
    ca = Authority(lab)
    s = server(lab, ca, names="DNS:" + DOMAIN)
    t = server(lab, ca, names="DNS:sip1.evil.example", name="evil")
    dns = Dns(lab, """
srv-host=_sips._tcp.%s,sip1.%s,%d
host-record=sip1.%s,127.0.0.1
naptr-record=evil.example,10,50,s,SIPS+D2T,,_sips._tcp.evil.example
srv-host=_sips._tcp.evil.example,sip1.evil.example,%d
host-record=sip1.evil.example,127.0.0.1
""" % (DOMAIN, DOMAIN, s.tls_port, DOMAIN, t.tls_port))
    a = lab.offhook("-s", "dns-servers=" + dns.server, "-s", "tls-ca=" + ca.path,
                    "-a", "sips:alice@%s;password=secret" % DOMAIN)
    up(a)
    r = a.command("resolve sips:bob@" + DOMAIN)
    check([(x["transport"], x["port"]) for x in r["targets"]] == [("tls", s.tls_port)], "%s", r)
    r = a.command("resolve sip:bob@evil.example")
    check([(x["transport"], x["port"]) for x in r["targets"]] == [("tls", t.tls_port)], "%s", r)
    code, out, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "-s", "dns-servers=" + dns.server,
                             "-s", "tls-ca=" + ca.path, "dial", "sips:bob@evil.example")
    check(code == 9 and "evil.example is refused: it is for sip1.evil.example" in out + err, "%d\n%s\n%s", code, out, err)


def test_proxy_by_address(lab):
    """a proxy that has proved its name and calls itself by its address in
    Record-Route is the same one when it has to be connected to again"""
    ca = Authority(lab)
    certificate = ca.issue("DNS:" + DOMAIN)
    s = Kamailio(lab, "tls", "auth", users=USERS, certificate=certificate)
    dns = Dns(lab, "srv-host=_sips._tcp.%s,sip1.%s,%d\nhost-record=sip1.%s,127.0.0.1\n" % (
        DOMAIN, DOMAIN, s.tls_port, DOMAIN))
    a = lab.offhook("-s", "dns-servers=" + dns.server, "-s", "tls-ca=" + ca.path,
                    "-a", "sip:alice@%s;transport=tls;password=secret" % DOMAIN, name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    a.command("dial bob")
    b.event("call.state", state="incoming", timeout=20)
    b.command("answer")
    a.event("call.state", state="active", timeout=20)
    s.stop()
    Kamailio(lab, "tls", "auth", users=USERS, certificate=certificate, port=s.port, name="again")
    a.command("hangup")
    end = b.event("call.state", state="ended", timeout=40)
    check(end["cause"] == "none" and end["by"] == "remote", "%s", end)


def test_no_way_down(lab):
    """a server that offers TLS first and cannot prove itself is not talked to
    in plain next"""
    ca = Authority(lab)
    s = server(lab, ca, names="DNS:other.test")
    dns = Dns(lab, """
naptr-record=%s,10,50,s,SIPS+D2T,,_sips._tcp.%s
naptr-record=%s,20,50,s,SIP+D2U,,_sip._udp.%s
srv-host=_sips._tcp.%s,sip1.%s,%d
srv-host=_sip._udp.%s,sip1.%s,%d
host-record=sip1.%s,127.0.0.1
""" % (DOMAIN, DOMAIN, DOMAIN, DOMAIN, DOMAIN, DOMAIN, s.tls_port, DOMAIN, DOMAIN, s.port, DOMAIN))
    refused(lab, "sip:alice@%s;password=secret" % DOMAIN, "-s", "tls-ca=" + ca.path, "-s", "dns-servers=" + dns.server,
            words=["the certificate of %s is refused: it is for other.test" % DOMAIN])
    seen_nothing(s)


def test_system_authorities(lab):
    """without tls-ca: those of the system"""
    ca = Authority(lab)
    s = server(lab, ca)
    p = lab.offhook("-a", s.tls_account("alice", "secret"), env={"SSL_CERT_FILE": ca.path})
    up(p)


def test_baresip(lab):
    """both ways, with sound; its key and certificate in one file"""
    ca = Authority(lab)
    cert, key = ca.issue("IP:127.0.0.1", subject="peer")
    both = lab.path("baresip.pem")
    with open(both, "w", encoding="ascii") as f:
        for path in (key, cert):
            with open(path, encoding="ascii") as g:
                f.write(g.read())
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), 1000, 60, 8000), certificate=both)
    p = listener(lab, "-s", "tls-ca=" + ca.path)
    p.command("dial sips:peer@127.0.0.1:%d" % (peer.port + 1))
    p.event("call.state", state="active", timeout=20)
    check(p.event("call.quality", timeout=20) and p.event("call.quality", timeout=20)["packets_received"] > 10, "no sound")
    p.command("hangup")
    end = p.event("call.state", state="ended", timeout=20)
    check(end["cause"] == "none", "%s", end)

    p.command("auto-answer on")
    peer.command("dial", "sip:phone@127.0.0.1:%d;transport=tls" % p.port)
    p.event("call.state", state="active", timeout=20)
    check(p.event("call.quality", timeout=20) and p.event("call.quality", timeout=20)["packets_received"] > 10, "no sound")
    peer.command("hangup")
    end = p.event("call.state", state="ended", timeout=20)
    check(end["by"] == "remote", "%s", end)


def listener(lab, *args, name="offhook", **kw):
    return lab.offhook(*args, transports=("tls",), name=name, **kw).ready()


OPTIONS = ("OPTIONS sip:phone@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
           "From: <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:phone@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
           "Contact: <sip:x@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n")


def s_client(port, *args, say=OPTIONS, timeout=20):
    """-> what openssl's client prints, our answer among it"""
    p = subprocess.Popen(["openssl", "s_client", "-connect", "127.0.0.1:%d" % port] + list(args),
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        os.write(p.stdin.fileno(), say.replace("\r\n", "\n").replace("\n", "\r\n").encode())
        out = b""
        while b"SIP/2.0 200" not in out:
            got = os.read(p.stdout.fileno(), 65536)
            if not got:
                break
            out += got
        return out.decode("utf-8", "replace")
    finally:
        p.stdin.close()
        try:
            p.wait(timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        p.stdout.close()


def test_our_door(lab):
    """openssl's client at our listener: versions, the certificate we show"""
    need("openssl")
    p = listener(lab)
    m = re.search(r"tls-pin is sha256//(\S+)", p.stderr())
    check(m, "it does not tell its pin\n%s", p.stderr())
    for version in ("-tls1_2", "-tls1_3"):
        out = s_client(p.port, version)
        check("SIP/2.0 200 OK" in out and "SIP/2.0/TLS" in out, "%s\n%s", version, out)
    out = s_client(p.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    check("SIP/2.0" not in out, "TLS 1.1 is taken\n%s", out)
    q = lab.offhook("-s", "tls-min=1.3", transports=("tls",), name="strict").ready()
    check("SIP/2.0 200" not in s_client(q.port, "-tls1_2"), "TLS 1.2 is taken")
    check("SIP/2.0 200" in s_client(q.port), "TLS 1.3 is not taken")

    ca = Authority(lab)
    cert, key = ca.issue("IP:127.0.0.1")
    q = listener(lab, "-s", "tls-cert=" + cert, "-s", "tls-key=" + key, name="named")
    out = s_client(q.port, "-CAfile", ca.path, "-verify_return_error", "-verify_ip", "127.0.0.1")
    check("Verify return code: 0 (ok)" in out and "SIP/2.0 200" in out, "%s", out)
    # sips: without TLS below it is refused; with it it is for us
    check("SIP/2.0 200" in s_client(q.port, say=OPTIONS.replace("OPTIONS sip:", "OPTIONS sips:")), "sips:")


def test_between_phones(lab):
    """without a server: the caller makes sure of whom it calls"""
    ca = Authority(lab)
    cert, key = ca.issue("IP:127.0.0.1")
    b = listener(lab, "-s", "tls-cert=" + cert, "-s", "tls-key=" + key, name="callee")
    a = lab.offhook("-s", "tls-ca=" + ca.path, name="caller")
    talk(a, b, "sips:phone@127.0.0.1:%d" % b.port)
    talk(a, b, "'sip:phone@127.0.0.1:%d;transport=tls'" % b.port, by_callee=True)
    # one that made its certificate itself, by its pin
    c = listener(lab, name="self")
    pin = re.search(r"tls-pin is (sha256//\S+)", c.stderr()).group(1)
    d = lab.offhook("-s", "tls-verify=no", "-s", "tls-pin=" + pin, name="pinning")
    talk(d, c, "sips:phone@127.0.0.1:%d" % c.port)
    code, out, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "dial", "sips:phone@127.0.0.1:%d" % c.port)
    check(code == 9 and "self-signed" in out + err, "%d\n%s\n%s", code, out, err)


def test_ipv6(lab):
    """the certificate names the address; one that names another does not do"""
    ca = Authority(lab)
    cert, key = ca.issue("IP:::1")
    b = listener(lab, "-s", "tls-cert=" + cert, "-s", "tls-key=" + key, name="callee", host="::1")
    a = lab.offhook("-s", "tls-ca=" + ca.path, name="caller", host="::1")
    talk(a, b, "sips:phone@[::1]:%d" % b.port)
    talk(a, b, "'sip:phone@[::1]:%d;transport=tls'" % b.port, by_callee=True)
    cert, key = ca.issue("IP:::2")
    c = listener(lab, "-s", "tls-cert=" + cert, "-s", "tls-key=" + key, name="another", host="::1")
    a.command("dial sips:phone@[::1]:%d" % c.port)
    end = a.event("call.state", state="ended", timeout=20)
    check(end["cause"] == "transport" and "certificate of ::1 is refused" in end["reason"], "%s", end)


class Recorder(Relay):
    """a relay that keeps what passed, each way, as a capture has it"""

    def __init__(self, port):
        self.lock, self.said = threading.Lock(), []
        super().__init__(port)

    def _accept(self):
        while True:
            near, _ = self.door.accept()
            far = socket.create_connection(("127.0.0.1", self.server))
            for a, b, up in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._note, args=(a, b, near.getpeername()[1], up), daemon=True).start()

    def _note(self, a, b, who, up):
        class Noted:
            """of a socket what _pass needs of it"""
            @staticmethod
            def recv(n):
                data = a.recv(n)
                with self.lock:
                    self.said.append((who, up, data))
                return data
            shutdown = a.shutdown
        self._pass(Noted, b)

    def write(self, path):
        """a pcap file of TCP segments, with the handshake of each connection"""
        seqs = {}
        with self.lock, open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))

            def put(who, up, flags, data=b""):
                mine, theirs = seqs[who, up], seqs[who, not up]
                ends = (who, self.port) if up else (self.port, who)
                tcp = struct.pack(">HHIIBBHHH", *ends, mine, theirs, 0x50, flags, 0xffff, 0, 0) + data
                home = socket.inet_aton("127.0.0.1")
                ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + home + home
                f.write(struct.pack("<IIII", 0, 0, len(ip + tcp), len(ip + tcp)) + ip + tcp)
                seqs[who, up] += len(data) + (flags & 2) // 2

            for who, up, data in self.said:
                if (who, up) not in seqs:
                    seqs[who, True] = seqs[who, False] = 1000
                    put(who, True, 0x02), put(who, False, 0x12), put(who, True, 0x10)
                for i in range(0, len(data), 1400):
                    put(who, up, 0x18, data[i:i + 1400])


def test_keylog(lab):
    """keys for Wireshark: only when asked for, for nobody else to read, and they
    are the ones: with them it reads what went over TLS, without them nothing"""
    need("tshark")
    ca = Authority(lab)
    s = server(lab, ca)
    wire = Recorder(s.tls_port)
    path, pcap = lab.path("keys"), lab.path("wire.pcap")
    p = lab.offhook("-s", "tls-ca=" + ca.path, "-s", "tls-keylog=" + path, "-a",
                    "sip:alice@%s;outbound=127.0.0.1:%d;transport=tls;password=secret" % (DOMAIN, wire.port), name="alice")
    up(p)
    p.quit()
    p.exit()
    with open(path, encoding="ascii") as f:
        text = f.read()
    check(re.search(r"^(CLIENT_RANDOM|CLIENT_TRAFFIC_SECRET_0) [0-9a-f]{64} [0-9a-f]+$", text, re.M), "%s", text)
    mode = stat.S_IMODE(os.stat(path).st_mode)
    check(mode == 0o600, "mode %o", mode)
    check("can read all" in p.stderr(), "it does not warn\n%s", p.stderr())

    def read(*more):
        r = subprocess.run(["tshark", "-n", "-r", pcap, "-d", "tcp.port==%d,tls" % wire.port, "-d", "tls.port==%d,sip" % wire.port,
                            *more, "-Y", "sip", "-T", "fields", "-e", "sip.Request-Line", "-e", "sip.Status-Line",
                            "-e", "sip.from.user"], capture_output=True, text=True, timeout=60,
                           env={**os.environ, "HOME": lab.dir})
        check(r.returncode == 0, "tshark: %s", r.stderr)
        return r.stdout

    wire.write(pcap)
    out = read("-o", "tls.keylog_file:" + path)
    check(out.count("REGISTER sip:%s" % DOMAIN) >= 2 and "401" in out and "200 OK" in out and "alice" in out, "%s", out)
    check(not read(), "it is read without the keys:\n%s", read())


class Server(threading.Thread):
    """a registrar over TLS that calls whoever has registered, then cuts the connection while it rings"""

    def __init__(self, cert, back, cut):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*cert)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port, self.back, self.cut, self.called = self.door.getsockname()[1], back, cut, False
        self.start()

    def run(self):
        while True:
            raw, _ = self.door.accept()
            try:
                self.serve(self.context.wrap_socket(raw, server_side=True))
            except OSError:
                pass

    def serve(self, s):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = s.recv(65536)
                if not more:
                    return
                data += more
            head, data = data.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            if " 180 " in lines[0]:
                s.close()
                self.cut.set()
                return
            if not lines[0].startswith("REGISTER"):
                continue
            kept = [x for x in lines if x.split(":")[0] in ("Via", "From", "Call-ID", "CSeq", "Contact")]
            to, = [x for x in lines if x.startswith("To:")]
            s.sendall("\r\n".join(["SIP/2.0 200 OK", to + ";tag=r"] + kept + ["Expires: 3600", "Content-Length: 0", "", ""])
                      .encode())
            contact, = [re.search("<(.*?)>", x).group(1) for x in lines if x.startswith("Contact:")]
            if not self.called:
                self.called = True
                s.sendall(("INVITE %s SIP/2.0\r\nVia: SIP/2.0/TLS back.example:%d;branch=z9hG4bK1\r\nFrom: <sip:t@x>;tag=1\r\n"
                           "To: <sip:phone@127.0.0.1>\r\nCall-ID: by-name\r\nCSeq: 1 INVITE\r\nContact: <sip:t@127.0.0.1:%d;"
                           "transport=tls>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                           % (contact, self.back, self.back)).encode())


def answer_by_name(lab, names):
    """what the name in the Via of a lost connection leads to has a certificate for these names
    -> the phone, and the answer that comes there, or what the handshake says"""
    ca = Authority(lab, "Of The Account")
    far = socket.create_server(("127.0.0.2", 0))
    far.settimeout(60)
    dns = Dns(lab, "host-record=back.example,127.0.0.2\n")
    cut = threading.Event()
    s = Server(ca.issue("IP:127.0.0.1"), far.getsockname()[1], cut)
    p = lab.offhook("-s", "dns-servers=" + dns.server, "-a", "sip:phone@127.0.0.1;registrar=127.0.0.1:%d;transport=tls;"
                    "register=yes;tls-ca=%s" % (s.port, ca.path))
    p.event("call.state", state="incoming", timeout=60)
    check(cut.wait(60), "it does not ring")
    p.command("answer")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ca.issue(names))
    raw, _ = far.accept()
    raw.settimeout(60)
    try:
        c = context.wrap_socket(raw, server_side=True)
        return p, c.recv(65536).decode()
    except OSError as e:
        return p, str(e)


def test_response_by_name(lab):
    """RFC 3263 5: the connection of a server is gone, so our answer goes where
    the name in its Via leads, to who has a certificate for it by the account's own authority"""
    p, got = answer_by_name(lab, "DNS:back.example")
    check(got.startswith("SIP/2.0 200 "), "%s", got)
    check(p.command("calls")["calls"], "the call is gone")


def test_response_to_another_name(lab):
    p, got = answer_by_name(lab, "DNS:other.example,IP:127.0.0.2")
    check("SIP/2.0" not in got, "it was answered: %s", got)
    e = p.event("tls.refused", timeout=60)
    check(e["domain"] == "back.example", "%s", e)


if __name__ == "__main__":
    main(globals(), limit=150)
