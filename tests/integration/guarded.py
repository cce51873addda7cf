#!/usr/bin/env python3
"""Encrypted sound and who would like to hear or disturb it: packets that are
forged, said again or cut short, descriptions that end the encryption, and
whether a key is ever written where somebody could read it."""
import base64
import os
import re
import select
import socket
import sys
import time

from lab import Skip, check, main
from phones import OURS, THEIRS, steady
from secure import flows, two

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "bench"))
import sip  # noqa: E402

SUITE = "AES_CM_128_HMAC_SHA1_80"
ALWAYS = ("-s", "sdes=always", "-s", "dtls=no", "-s", "codecs=pcmu")


def port_of(address):
    return int(address.rsplit(":", 1)[1])


def checksum(data):
    n = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def datagram(source, target, payload):
    """UDP over IPv4 on loopback, from a port that is somebody else's"""
    here = socket.inet_aton("127.0.0.1")
    udp = source.to_bytes(2, "big") + target.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
    head = bytes([0x45, 0]) + (28 + len(payload)).to_bytes(2, "big") + bytes([0, 0, 0, 0, 64, 17, 0, 0]) + here * 2
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + udp + payload


class Attacker:
    """hears what goes to a port, and sends there in the name of who sends there"""

    def __init__(self, source, target):
        self.source, self.target = source, target
        try:
            self.ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        except PermissionError as e:
            raise Skip("packets of others are read and sent by root only") from e
        self.ear.bind(("lo", 0x0800))
        self.known = set()                       # heard already, or said by us: the ear hears that, too

    def listen(self, count, seconds=20):
        """-> so many packets from the one to the other, each once"""
        end, found = time.monotonic() + seconds, []
        want = self.source.to_bytes(2, "big") + self.target.to_bytes(2, "big")
        while len(found) < count:
            check(time.monotonic() < end, "only %d packets from %d to %d", len(found), self.source, self.target)
            if not select.select([self.ear], [], [], 1)[0]:
                continue
            data = self.ear.recv(4096)
            at = (data[0] & 15) * 4
            if data[9] == 17 and data[at:at + 4] == want and data[at + 8:] not in self.known:
                found.append(data[at + 8:])
                self.known.add(data[at + 8:])
        return found

    def say(self, payload):
        self.known.add(payload)
        self.mouth.sendto(datagram(self.source, self.target, payload), ("127.0.0.1", 0))

    def close(self):
        self.ear.close()
        self.mouth.close()


def wait_stats(phone, fits, what):
    end = time.monotonic() + 20
    while True:
        st = phone.command("stats")
        if fits(st):
            return st
        check(time.monotonic() < end, "%s: %s", what, st)
        time.sleep(0.1)


def test_attacked(lab):
    """forged, repeated and shortened packets in the name of the other side, half of all that come: counted, dropped,
    and nothing of them is heard"""
    called, caller = two(lab, "sdes=always", "dtls=no", "media-security=require")
    media = caller.event("call.media", again=True)
    flows(caller)
    evil = Attacker(port_of(media["remote"]), port_of(media["local"]))
    for p in (called, caller):
        p.command("record " + lab.path(p.name + ".wav"))
    before = caller.command("stats")
    counts = {"forged": 0, "replayed": 0}
    for n in range(60):
        good = evil.listen(1)[0]
        kind = n % 6
        if kind == 0:
            evil.say(good)
        elif kind == 1:                          # a bit of the sound
            evil.say(good[:40] + bytes([good[40] ^ 1]) + good[41:])
        elif kind == 2:                          # far ahead: no window may follow it
            evil.say(good[:2] + ((int.from_bytes(good[2:4], "big") + 20000) & 0xffff).to_bytes(2, "big") + good[4:])
        elif kind == 3:                          # of another source
            evil.say(good[:8] + b"evil" + good[12:])
        elif kind == 4:                          # cut short
            evil.say(good[:(0, 1, 8, 12, 13, 20, 30, 31, 60, 100)[n // 6]])
        else:                                    # in plain
            evil.say(good[:12] + bytes([0xff]) * 160)
        # a number that was is looked at before its tag
        counts["forged"] += kind in (2, 3)
        counts["replayed"] += kind in (0, 1, 5)
    caller.command("sleep 1", timeout=10)
    after = wait_stats(caller, lambda st: st["forged"] - before["forged"] >= counts["forged"] and
                       st["replayed"] - before["replayed"] >= counts["replayed"], "not counted: %s" % counts)
    check(after["packets_lost"] == 0 and after["packets_discarded"] >= sum(counts.values()), "%s", after)
    evil.close()
    caller.command("hangup")
    called.event("call.state", state="ended")
    steady(lab.path("caller.wav"), THEIRS, 1.8, "the caller heard")
    steady(lab.path("called.wav"), OURS, 1.8, "the called one heard")


def test_forged_reports(lab):
    """a good-bye and figures in the name of the other side, without the key: the call goes on as it was"""
    called, caller = two(lab, "sdes=always", "dtls=no", "media-security=require")
    media = caller.event("call.media", again=True)
    wait_stats(caller, lambda st: "rtt_ms" in st, "no reports")
    before = caller.command("stats")
    mux = 0 if "a=rtcp-mux" in str(caller.command("sdp")["lines"]) else 1
    evil = Attacker(port_of(media["remote"]) + mux, port_of(media["local"]) + mux)
    plain = bytes([0x81, 203, 0, 1]) + b"evil"
    for tail in (b"", b"\x80\0\0\1" + bytes(10), b"\x80\0\0\1" + bytes(16), bytes(14), bytes(40)):
        for _ in range(4):
            evil.say(plain + tail)
    wait_stats(caller, lambda st: st["forged"] > before["forged"], "not counted")
    evil.close()
    for p in (called, caller):
        p.command("record " + lab.path(p.name + ".wav"))
    caller.command("sleep 2", timeout=10)
    caller.command("hangup")
    called.event("call.state", state="ended")
    steady(lab.path("caller.wav"), THEIRS, 1.5, "the caller heard")
    steady(lab.path("called.wav"), OURS, 1.5, "the called one heard")


def test_wrong_fingerprint(lab):
    """whose certificate is not the one that was named is not spoken with: the call ends, and says why"""
    called = lab.offhook("-s", "codecs=pcmu", "-s", "media-security=require", "--auto-answer", audio="tone:700",
                         name="called").ready()
    caller = lab.offhook("-s", "codecs=pcmu", audio="tone:440", name="caller").ready()
    text = lab.file("sdp", "v=0\no=- 1 1 IN {family} {address}\ns=-\nc=IN {family} {address}\nt=0 0\n"
                    "m=audio {port} UDP/TLS/RTP/SAVP 0\na=rtpmap:0 PCMU/8000\na=rtcp-mux\na=setup:actpass\n"
                    "a=fingerprint:sha-256 %s\n" % ":".join(["AB"] * 32))
    caller.command("dial %s --sdp-file %s" % (called.uri, text))
    end = called.event("call.state", state="ended", timeout=40)
    check(end["cause"] == "media" and "certificate" in end["reason"] + called.stderr(), "%s\n%s", end, called.stderr())
    check(called.command("status") is not None and not any(
        e.get("event") == "call.quality" and e.get("packets_received") for e in called.objects()), "sound was heard")


# --- descriptions ----------------------------------------------------------------------------------------------------

def description(port, proto="RTP/SAVP", key=None, version=1, tag=1):
    lines = ["v=0", "o=- 1 %d IN IP4 127.0.0.1" % version, "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
             "m=audio %d %s 0" % (port, proto), "a=rtpmap:0 PCMU/8000"]
    if key:
        lines.append("a=crypto:%d %s inline:%s" % (tag, SUITE, key))
    return "\r\n".join(lines) + "\r\n"


def new_key():
    return base64.b64encode(os.urandom(30)).decode()


class Peer:
    """a phone of ours, and we at the other end"""

    def __init__(self, lab, *args, answers=True):
        self.sip = sip.Socket()
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.port = self.rtp.getsockname()[1]
        self.phone = lab.offhook(*ALWAYS, *args, *["--auto-answer"] * answers, audio="tone:440").ready()
        self.number = 1

    def called(self, body):
        """we call it -> its answer"""
        self.call = sip.Call(self.sip, self.phone.uri, ("127.0.0.1", self.phone.port))
        self.sip.send(self.call.request("INVITE", 1, sip.token(), body), self.call.to)
        m = self.call.response("INVITE", 20)
        check(m, "no answer")
        if m.code < 300:
            self.call.remote = m["to"]
            self.call.target = re.search(r"<([^>]+)>", m["contact"]).group(1)
        self.sip.send(self.call.request("ACK", 1, sip.token()), self.call.to)
        return m

    def again(self, body):
        """a re-INVITE -> its answer"""
        self.number += 1
        self.sip.send(self.call.request("INVITE", self.number, sip.token(), body), self.call.to)
        m = self.call.response("INVITE", 20)
        check(m, "no answer")
        self.sip.send(self.call.request("ACK", self.number, sip.token()), self.call.to)
        return m

    def calls(self, *answers):
        """it calls us: answers are (code, tag, body), sent at once -> the offer"""
        self.phone.command("dial sip:peer@%s" % self.sip.here)
        end = time.monotonic() + 20
        while True:
            m = self.sip.receive(end - time.monotonic())
            check(m, "no call came")
            if m.method == "INVITE":
                break
            self.sip.other(m)
        for code, tag, body in answers:
            self.sip.send(sip.response(m, code, "Said", self.sip, tag, body), m.source)
        return m

    def serve(self, until, seconds=20):
        """answer what comes until one of that method is there -> it"""
        end = time.monotonic() + seconds
        while True:
            m = self.sip.receive(end - time.monotonic())
            check(m, "no %s came", until)
            self.sip.other(m)
            if m.method == until:
                return m

    def close(self):
        self.sip.close()
        self.rtp.close()


def test_ended_by_reinvite(lab):
    """the other side ends the encryption in mid-call: who only prefers it is told, who requires it refuses, and stays
    as it was"""
    for mode, code, left in (("prefer", 200, "none"), ("require", 488, "sdes")):
        p = Peer(lab, "-s", "media-security=" + mode, answers=True)
        m = p.called(description(p.port, key=new_key()))
        check(m.code == 200 and "RTP/SAVP" in m.body and "a=crypto" in m.body, "%d\n%s", m.code, m.body)
        p.phone.event("call.media", security="sdes", again=True, timeout=20)
        m = p.again(description(p.port, "RTP/AVP", version=2))
        check(m.code == code, "%s: %d", mode, m.code)
        if mode == "prefer":
            p.phone.event("call.media", security="none", timeout=20)
            check("has ended the encryption" in p.phone.stderr(), "not said: %s", p.phone.stderr())
        st = p.phone.command("stats")
        check(st["security"] == left, "%s: %s", mode, st)
        p.phone.command("hangup")
        p.close()
        p.phone.stop()
        lab.programs.remove(p.phone)
        os.rename(p.phone.folder, p.phone.folder + "." + mode)


def test_answered_in_plain(lab):
    """an offer that must be encrypted, an answer that is not: no call, and no packet"""
    p = Peer(lab, "-s", "media-security=require", answers=False)
    offer = p.calls((200, "a", description(p.port, "RTP/AVP")))
    check("RTP/SAVP" in offer.body and "RTP/AVP" not in offer.body, "%s", offer.body)
    p.serve("BYE")
    end = p.phone.event("call.state", state="ended", timeout=20)
    check(end["cause"] == "media", "%s", end)
    check(not select.select([p.rtp], [], [], 0)[0], "it has sent sound")
    p.close()


def test_answered_without_key(lab):
    """the profile that was offered, and none of its keys; or a key under a number that was not"""
    for body in (dict(), dict(key=new_key(), tag=77)):
        p = Peer(lab, "-s", "media-security=require", answers=False)
        p.calls((200, "a", description(p.port, **body)))
        p.serve("BYE")
        end = p.phone.event("call.state", state="ended", timeout=20)
        check(end["cause"] == "media", "%s", end)
        check(not select.select([p.rtp], [], [], 0)[0], "it has sent sound")
        p.close()
        p.phone.stop()
        lab.programs.remove(p.phone)
        os.rename(p.phone.folder, p.phone.folder + ".%d" % len(body))


def test_forked_in_plain(lab):
    """one that the call was forked to is heard early, encrypted; another one answers in plain"""
    p = Peer(lab, "-s", "media-security=require", answers=False)
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    m = p.calls()
    tags = re.findall(r"a=crypto:(\d+) " + SUITE + r" ", m.body)
    check(tags, "not offered: %s", m.body)
    for code, tag, body in ((183, "a", description(p.port, key=new_key(), tag=int(tags[0]))),
                            (200, "b", description(other.getsockname()[1], "RTP/AVP"))):
        p.sip.send(sip.response(m, code, "Said", p.sip, tag, body), m.source)
    p.serve("BYE")
    end = p.phone.event("call.state", state="ended", timeout=20)
    check(end["cause"] == "media", "%s", end)
    check(not select.select([other], [], [], 0)[0], "it has sent sound in plain")
    other.close()
    p.close()


def test_key_in_clear(lab):
    """a key that came where everybody reads it is not taken unless the user says so"""
    p = Peer(lab, "-s", "media-security=require", "-s", "sdes=secure")
    m = p.called(description(p.port, key=new_key()))
    check(m.code == 488, "%d\n%s", m.code, m.body)
    p.close()


def test_written_nowhere(lab):
    """the keys of a call, ours and theirs, stand in no log, trace, capture, event, reply or file"""
    trace, log, pcap = lab.path("trace.txt"), lab.path("log.txt"), lab.path("all.pcap")
    p = Peer(lab, "-vv", "--log", log, "-t=" + trace, "-s", "media-security=prefer")
    p.phone.command("pcap " + pcap)
    theirs = new_key()
    m = p.called(description(p.port, key=theirs))
    ours = re.search(r"inline:([A-Za-z0-9+/=]+)", m.body).group(1)
    p.phone.event("call.media", security="sdes", again=True, timeout=20)
    m = p.again(description(p.port, key=theirs, version=2))
    check(ours in m.body, "another key: %s", m.body)
    for line in ("calls", "status", "stats", "sdp", "ladder", "show", "explain", "history", "trace off", "hangup"):
        p.phone.reply(line, 20)
    p.phone.event("call.state", state="ended", timeout=20)
    for line in ("history", "sdp", "ladder", "explain", "pcap stop", "metrics"):
        p.phone.reply(line, 20)
    p.phone.stop()
    lab.programs.remove(p.phone)
    p.close()
    found = {"stdout": "\n".join(p.phone.lines).encode(), "stderr": p.phone.stderr().encode()}
    for folder, _, names in os.walk(lab.dir):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                found[os.path.join(folder, name)] = f.read()
    check({trace, log, pcap} <= set(found) and len(found[pcap]) > 1000 and b"a=crypto" in found[trace], "%s", found.keys())
    for key in (ours, theirs):
        raw = base64.b64decode(key)
        for name, data in found.items():
            check(key.encode() not in data and raw[:16] not in data and raw.hex().encode() not in data,
                  "a key stands in %s", name)


if __name__ == "__main__":
    main(globals())
