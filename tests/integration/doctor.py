#!/usr/bin/env python3
"""`doctor` beside programs that nobody here wrote: kamailio's kind of server
(SIPp), a TLS server of openssl, coturn behind and without a NAT."""
import json
import os
import re
import socket
import subprocess
import threading

from lab import check, main, need, ports, wait_port


def visit(lab, *args, code=None, more=()):
    """-> the rows of the reply by area, the reply"""
    # no sound card, and no plugins that leak
    os.environ["ALSA_CONFIG_PATH"] = lab.file("asound.conf", "pcm.nothing { type hw card 99 }\n")
    port = ports()
    got, out, err = lab.run("-l", "127.0.0.1:%d" % port, "-A", "null", "--json", *args,
                            "doctor", "--quick", *more)
    r = [json.loads(x) for x in out.splitlines() if x.startswith('{"reply"')][-1]
    check(code is None or got == code, "exit code %s\n%s\n%s", got, out, err)
    areas = {}
    for c in r["checks"]:
        areas.setdefault(c["area"], []).append(c)
    return areas, r


def test_alone(lab):
    """no account: what is of this machine is looked at"""
    areas, _ = visit(lab, code=0)
    check({"config", "listen", "clock", "sound"} <= set(areas), "%s", areas)
    check(areas["config"][0]["verdict"] == "pass" and areas["listen"][0]["verdict"] == "pass", "%s", areas)
    check("127.0.0.1" in areas["listen"][0]["text"], "%s", areas)


class Server(threading.Thread):
    """a SIP server on UDP: answers(method) -> status line and headers"""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.sock = answer, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
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
            keep = [x + (";tag=1" if x.startswith("To:") else "") for x in keep]
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


def test_name(lab):
    areas, r = visit(lab, "-a", "sip:me@no-such-name.invalid;register=no", "-s", "resolve-timeout=3s", code=1)
    check(areas["dns"][0]["verdict"] == "fail" and "no-such-name.invalid" in areas["dns"][0]["text"], "%s", areas)
    check("udp" not in areas, "%s", areas)


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


def certificate(lab, days="30", name="localhost"):
    need("openssl")
    cert, key = lab.path("cert.pem"), lab.path("key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", days, "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:%s,IP:127.0.0.1" % name,
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def tls_server(lab, cert, key):
    port = ports()
    p = subprocess.Popen(["openssl", "s_server", "-quiet", "-cert", cert, "-key", key, "-accept", "127.0.0.1:%d" % port],
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


def test_stun_silent(lab):
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("127.0.0.1", 0))
    areas, _ = visit(lab, code=0, more=["--stun", "127.0.0.1:%d" % deaf.getsockname()[1]])
    check(areas["nat"][0]["verdict"] == "warn" and areas["nat"][0]["advice"], "%s", areas)


def test_people(lab):
    os.environ["ALSA_CONFIG_PATH"] = lab.file("asound.conf", "pcm.nothing { type hw card 99 }\n")
    code, out, _ = lab.run("-l", "udp:127.0.0.1", "-A", "null", "doctor", "--quick")
    check(code == 0 and "pass  config" in out and "checks passed" in out, "%s", out)


if __name__ == "__main__":
    main(globals())
