"""sip - a SIP endpoint that is just enough to measure one: on loopback, over
UDP, TCP or TLS, nothing is sent twice. Over UDP receive times are the kernel's, so
that Python's own delay is in no figure."""
import itertools
import os
import random
import re
import select
import socket
import ssl
import struct
import subprocess
import time

SO_TIMESTAMPNS = 35
_count = itertools.count(random.randrange(1 << 28))


def token():
    return "%x%07x" % (next(_count), random.randrange(1 << 28))


class Message:
    SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}

    def __init__(self, data, source, time_ns):
        head, _, self.body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        self.source, self.time_ns, self.headers = source, time_ns, {}
        words = first.split(" ", 2)
        self.code = int(words[1]) if words[0] == "SIP/2.0" else 0
        self.method = "" if self.code else words[0]
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.setdefault(self.SHORT.get(name, name), []).append(value.strip())

    def __getitem__(self, name):
        return self.headers.get(name, [""])[0]

    def to_what(self):
        """method of the transaction"""
        return self["cseq"].split(" ")[-1]

    def media(self):
        """-> (address, port) of the first audio stream"""
        ip, m = re.search(r"^c=IN IP4 (\S+)", self.body, re.M), re.search(r"^m=audio (\d+)", self.body, re.M)
        return (ip.group(1), int(m.group(1))) if ip and m else None


class Socket:
    via, param = "UDP", ""

    def __init__(self):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.s.bind(("127.0.0.1", 0))
        self.port = self.s.getsockname()[1]
        self.here = "127.0.0.1:%d" % self.port

    def send(self, text, to):
        """-> when, ns"""
        data, now = text.encode(), time.time_ns()
        self.s.sendto(data, to)
        return now

    def receive(self, seconds):
        """-> Message, or None when none comes in that time"""
        if seconds < 0 or not select.select([self.s], [], [], seconds)[0]:
            return None
        data, extra, _, source = self.s.recvmsg(65536, 64)
        now = time.time_ns()
        for level, kind, value in extra:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                s, ns = struct.unpack("qq", value[:16])
                now = s * 10 ** 9 + ns
        return Message(data, source, now)

    def drain(self):
        """answer and forget what still comes"""
        while True:
            m = self.receive(0)
            if not m:
                return
            self.other(m)

    def other(self, m):
        if m.method and m.method != "ACK":
            self.send(response(m, 200, "OK", self), m.source)

    def close(self):
        self.s.close()


class Stream(Socket):
    """the same over TCP: whom we send to is connected to, who connects is
    heard"""
    via, param = "TCP", ";transport=tcp"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.here = "127.0.0.1:%d" % self.port
        self.links = {}               # (address, port) -> [socket, bytes]

    def send(self, text, to):
        if to not in self.links:
            self.links[to] = [self.opened(socket.create_connection(to, 5), False), b""]
        now = time.time_ns()
        self.links[to][0].sendall(text.encode())
        return now

    def opened(self, s, here):
        """what goes over the stream goes in between: TLS"""
        del here
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def whole(self):
        """-> a message that is complete, or None"""
        for source, link in self.links.items():
            link[1] = link[1].lstrip(b"\r\n")
            head, end, body = link[1].partition(b"\r\n\r\n")
            size = re.search(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d+)", head, re.M | re.I)
            n = int(size.group(1)) if size else 0
            if end and len(body) >= n:
                link[1] = body[n:]
                return Message(head + end + body[:n], source, time.time_ns())
        return None

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while True:
            m = self.whole()
            left = end - time.monotonic()
            if m or left < 0:
                return m
            files = {x[0]: k for k, x in self.links.items()}
            for s in select.select([self.listener, *files], [], [], left)[0]:
                if s is self.listener:
                    got, source = s.accept()
                    self.links[source] = [self.opened(got, True), b""]
                    continue
                data = s.recv(65536)
                while data and getattr(s, "pending", int)():    # of TLS, which the poll does not see
                    data += s.recv(65536)
                self.links[files[s]][1] += data
                if not data:
                    del self.links[files[s]]
                    s.close()

    def close(self):
        for s, _ in self.links.values():
            s.close()
        self.listener.close()


class Secure(Stream):
    """the same over TLS; who connects is not asked for a certificate, whom we
    connect to is not verified: that is the phones' work, which is measured"""
    via, param = "TLS", ";transport=tls"
    client = server = certificate = None

    @classmethod
    def prepare(cls, folder):
        """make the one certificate that both sides show"""
        cls.certificate = os.path.join(folder, "tls.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
                        cls.certificate, "-out", cls.certificate + ".crt", "-subj", "/CN=bench", "-addext",
                        "subjectAltName=IP:127.0.0.1,DNS:bench"], check=True, capture_output=True)
        with open(cls.certificate + ".crt", encoding="ascii") as f, open(cls.certificate, "a", encoding="ascii") as g:
            g.write(f.read())
        cls.client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        cls.client.check_hostname = False
        cls.client.verify_mode = ssl.CERT_NONE
        cls.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.server.load_cert_chain(cls.certificate)

    def opened(self, s, here):
        return (self.server if here else self.client).wrap_socket(super().opened(s, here), server_side=here)


SOCKETS = {"udp": Socket, "tcp": Stream, "tls": Secure}


def registrar(sock, seconds):
    """ask for a password once, then take what comes -> (when it came in ns,
    what it is called by, whence)"""
    end = time.monotonic() + seconds
    while True:
        m = sock.receive(end - time.monotonic())
        if not m:
            raise RuntimeError("nobody registered")
        if m.method != "REGISTER":
            sock.other(m)
            continue
        text = response(m, 200, "OK", sock) if m["authorization"] else response(m, 401, "Unauthorized", sock)
        extra = "Contact: %s;expires=300" % m["contact"] if m["authorization"] else \
            'WWW-Authenticate: Digest realm="bench", nonce="%s", algorithm=MD5' % token()
        sock.send(re.sub(r"Contact: <sip:bench@[^>]*>", lambda _: extra, text), m.source)
        if m["authorization"]:
            return m.time_ns, re.search(r"<([^>]+)>", m["contact"]).group(1), m.source


def sdp(port, codec="pcmu", fec=0):
    lines = {"pcmu": ("0", "a=rtpmap:0 PCMU/8000"),
             "red": ("0 121", "a=rtpmap:0 PCMU/8000\r\na=rtpmap:121 red/8000\r\na=fmtp:121 0/0"),
             "opusred": ("96 121", "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=%d\r\na=rtpmap:121 red/48000/2\r\n"
                         "a=fmtp:121 96/96" % (fec > 0)),
             "opus": ("96", "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=%d" % (fec > 0))}[codec]
    return ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\n%s\r\n"
            "a=ptime:20\r\na=sendrecv\r\n" % (port, *lines))


def response(m, code, phrase, sock, tag="bench", body=""):
    to = m["to"] if "tag=" in m["to"] else m["to"] + ";tag=" + tag
    lines = ["SIP/2.0 %d %s" % (code, phrase)]
    lines += ["Via: " + v for v in m.headers.get("via", [])]
    lines += ["Record-Route: " + v for v in m.headers.get("record-route", [])]
    lines += ["From: " + m["from"], "To: " + to, "Call-ID: " + m["call-id"], "CSeq: " + m["cseq"],
              "Contact: <sip:bench@%s%s>" % (sock.here, sock.param)]
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join(lines + ["Content-Length: %d" % len(body), "", body])


class Call:
    """One call from us; after invite(): code, media, and times in ns"""

    def __init__(self, sock, uri, to):
        self.sock, self.uri, self.to = sock, uri, to
        self.call_id, self.tag = token() + "@bench", token()
        self.remote, self.target = "<%s>" % uri, uri
        self.code, self.media, self.body, self.sent, self.first, self.final = 0, None, "", 0, 0, 0

    def request(self, method, number, branch, body=""):
        lines = ["%s %s SIP/2.0" % (method, self.target),
                 "Via: SIP/2.0/%s %s;branch=z9hG4bK%s;rport" % (self.sock.via, self.sock.here, branch),
                 "Max-Forwards: 70",
                 "From: <sip:bench@%s>;tag=%s" % (self.sock.here, self.tag), "To: " + self.remote,
                 "Call-ID: " + self.call_id, "CSeq: %d %s" % (number, method),
                 "Contact: <sip:bench@%s%s>" % (self.sock.here, self.sock.param)]
        if body:
            lines.append("Content-Type: application/sdp")
        return "\r\n".join(lines + ["Content-Length: %d" % len(body), "", body])

    def response(self, method, seconds):
        """the final response to that method, noting the first one"""
        end = time.monotonic() + seconds
        while True:
            m = self.sock.receive(end - time.monotonic())
            if not m:
                return None
            if not m.code or m["call-id"] != self.call_id or m.to_what() != method:
                self.sock.other(m)
                continue
            self.first = self.first or m.time_ns
            if m.code >= 200:
                return m

    def invite(self, body, seconds=5):
        branch = token()
        self.sent = self.sock.send(self.request("INVITE", 1, branch, body), self.to)
        m = self.response("INVITE", seconds)
        if not m:
            return False
        self.final, self.code, self.remote, self.media, self.body = m.time_ns, m.code, m["to"], m.media(), m.body
        if m.code < 300:
            contact = re.search(r"<([^>]+)>", m["contact"])
            self.target, branch = contact.group(1) if contact else self.uri, token()
        self.sock.send(self.request("ACK", 1, branch), self.to)
        return m.code < 300

    def bye(self, seconds=3):
        """-> ns until its 200, or None"""
        sent = self.sock.send(self.request("BYE", 2, token()), self.to)
        m = self.response("BYE", seconds)
        return m.time_ns - sent if m else None


def options(sock, uri, to, seconds):
    """ask once -> when the 200 came (ns), or None"""
    c = Call(sock, uri, to)
    sock.send(c.request("OPTIONS", 1, token()), to)
    m = sock.receive(seconds)
    return m.time_ns if m and m.code == 200 and m.to_what() == "OPTIONS" else None
