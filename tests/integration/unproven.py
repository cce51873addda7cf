#!/usr/bin/env python3
"""A caller who has not been heard of yet: an INVITE may come from anybody and
name anybody as the place for our sound. Nothing goes there before its ACK, or
a packet from that very place, shows that somebody is there who wants it."""
import os
import re
import select
import socket
import sys
import time

from lab import check, main, ports

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "bench"))
import sip  # noqa: E402

RTP = bytes([0x80, 0x80, 0, 1]) + bytes(8) + bytes([0xff]) * 160
REPORT = bytes([0x80, 201, 0, 1, 0, 0, 0, 7]) + bytes([0x81, 202, 0, 2, 0, 0, 0, 7, 1, 1, 0x78, 0])


class Caller:
    """sends an INVITE, and otherwise what it is told"""

    def __init__(self, lab, *args):
        first, (self.rtp, self.rtcp) = self.pair()
        self.sip = sip.Socket()
        self.phone = lab.offhook("--auto-answer", *args, audio="tone:440").ready()
        self.call = sip.Call(self.sip, self.phone.uri, ("127.0.0.1", self.phone.port))
        self.sip.send(self.call.request("INVITE", 1, sip.token(), sip.sdp(first)), self.call.to)
        m = self.call.response("INVITE", 10)
        check(m and m.code == 200, "not answered: %s", m and m.code)
        self.call.remote, self.media = m["to"], m.media()
        self.call.target = re.search(r"<([^>]+)>", m["contact"]).group(1)

    def pair(self):
        """whoever else looks for a port may be quicker: other phones choose theirs by chance"""
        for _ in range(20):
            first, held = ports(2), []
            try:
                for i in (0, 1):
                    held.append(self.bound(first + i))
                return first, held
            except OSError:
                for s in held:
                    s.close()
        raise RuntimeError("no two ports in a row are free")

    @staticmethod
    def bound(port=0):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", port))
        return s

    def heard(self, seconds):
        """-> packets that came in that time, and when the first one did"""
        end, n, first = time.monotonic() + seconds, 0, None
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return n, first
            for s in select.select([self.rtp, self.rtcp], [], [], left)[0]:
                s.recv(2048)
                n, first = n + 1, first or seconds - (end - time.monotonic())

    def silent(self, seconds, what):
        n, _ = self.heard(seconds)
        check(n == 0, "%s: %d packets went out", what, n)

    def loud(self, what):
        """at once, and without a gap: ten packets of 20 ms"""
        n, first = self.heard(0.3)
        check(n >= 9 and first < 0.1, "%s: %d packets, the first after %s s", what, n, first)

    def ack(self):
        self.sip.send(self.call.request("ACK", 1, sip.token()), self.call.to)

    def end(self):
        self.phone.command("hangup")
        self.phone.event("call.state", state="ended")
        for s in (self.rtp, self.rtcp, self.sip):
            s.close()


def test_no_ack(lab):
    """longer than the first report takes; then it ends, as quietly"""
    c = Caller(lab)
    c.silent(6, "no ACK")
    check(c.phone.command("stats")["packets_sent"] == 0, "packets are counted that did not go out")
    c.phone.command("hangup")
    c.silent(0.5, "hung up without an ACK")


def test_ack(lab):
    c = Caller(lab)
    c.silent(0.5, "no ACK yet")
    c.ack()
    c.loud("after the ACK")
    c.end()


def test_sound_without_ack(lab):
    """the ACK is lost: sound from where it should come is as good"""
    c = Caller(lab)
    other = c.bound()
    other.sendto(RTP, c.media)
    c.silent(0.5, "a stranger's packet")
    check(not select.select([other], [], [], 0)[0], "the stranger got something")
    c.rtp.sendto(RTP[:-8], (c.media[0], c.media[1] + 1))
    c.silent(0.3, "what is no report")
    c.rtp.sendto(RTP, c.media)
    n, _ = c.heard(0.3)
    check(n >= 9, "%d packets after sound came", n)
    c.ack()
    c.end()


def test_report_without_ack(lab):
    c = Caller(lab)
    c.silent(0.3, "no ACK")
    c.rtcp.sendto(REPORT, (c.media[0], c.media[1] + 1))
    n, _ = c.heard(0.7)
    check(n >= 15, "%d packets after a report came", n)
    c.end()


if __name__ == "__main__":
    main(globals())
