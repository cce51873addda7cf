#!/usr/bin/env python3
"""Memory stays where it is: 2000 calls that are answered, cancelled, rejected,
redirected and abandoned in rotation, as callee and as caller, after as many that
fill what is filled once. What is lost is lost each time: an allocator, or
a sanitizer, may take three rounds to find its size"""
import os
import re
import select
import socket
import threading
import time

from lab import check, main

# of a hundred thousand, the first thousand fill what is filled once
CALLS = int(os.environ.get("OFFHOOK_GROWTH", "2000"))
SOAK = CALLS > 2000
WARM = 1000 if SOAK else 2000
# half a kilobyte a call would be seen; what is kept for a while is waited for
ROOM_KB = min(CALLS * 0.4, 2048)
# an idle phone gives back what many at once took, some time after the last
SETTLE_S, ROUNDS = (60, 1) if SOAK else (12, 3)
# what SIP keeps for 64 times T1 it keeps for 3.2 s: the same is kept, and less
# of it is waited for
NEAR = ["-s", "sip-repeat=50ms"]
KEPT_S = 60 if SOAK else 9

SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       "m=audio %d RTP/AVP 0\r\n")


def memory(p):
    """kB that the process has for itself"""
    with open("/proc/%d/smaps_rollup" % p.proc.pid, encoding="ascii") as f:
        return int(re.search(r"^Anonymous: +(\d+)", f.read(), re.M).group(1))


# a sanitizer keeps what was freed for a while: not here
QUIET = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
         ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0:malloc_context_size=1"
         ":allocator_release_to_os_interval_ms=100"}


class Peer:
    """an end without transactions: each message is answered once"""

    def __init__(self, phone):
        self.phone, self.n, self.box = phone, 0, {}
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.s.bind(("127.0.0.1", 0))
        self.port = self.s.getsockname()[1]

    def send(self, text):
        self.s.sendto(text.encode(), ("127.0.0.1", self.phone.port))

    def request(self, method, user, call, cseq, totag="", branch=None, body=""):
        self.send("%s sip:%s@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s\r\n"
                  "From: <sip:t@127.0.0.1>;tag=f%s\r\nTo: <sip:%s@127.0.0.1>%s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"
                  "Max-Forwards: 70\r\nContact: <sip:t@127.0.0.1:%d>\r\n%sContent-Length: %d\r\n\r\n%s" %
                  (method, user, self.phone.port, self.port, branch or call + method, call, user, totag, call, cseq,
                   method, self.port, "Content-Type: application/sdp\r\n" if body else "", len(body), body))

    def reply(self, text, code, body="", contact="t", tag=";tag=x"):
        kept = "".join(re.findall(r"^(?:Via|From|Call-ID|CSeq):[^\r]*\r\n", text, re.M))
        to = re.search(r"^To:[^\r]*", text, re.M).group(0)
        self.send("SIP/2.0 %d X\r\n%s%s%s\r\nContact: <sip:%s@127.0.0.1:%d>\r\n%sContent-Length: %d\r\n\r\n%s" % (
            code, kept, to, "" if ";tag=" in to else tag, contact, self.port,
            "Content-Type: application/sdp\r\n" if body else "", len(body), body))

    def pump(self, seconds):
        while select.select([self.s], [], [], seconds)[0]:
            text, seconds = self.s.recv(65535).decode("utf-8", "replace"), 0
            call = re.search(r"^Call-ID: (\S+)", text, re.M).group(1)
            if text.startswith("SIP/2.0"):
                tag = re.search(r"^To: [^\r]*(;tag=[^;\r]+)", text, re.M)
                self.box.setdefault(call, []).append((int(text[8:11]), re.search(r"^CSeq: \d+ (\w+)", text, re.M)
                                                      .group(1), tag.group(1) if tag else ""))
            else:
                self.asked(text, call)

    def asked(self, text, call):
        if not text.startswith("ACK"):
            self.reply(text, 200)

    def wait(self, call, wanted):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for r in self.box.get(call, []):
                if wanted(r):
                    return r
            self.pump(0.05)
        check(False, "no answer to %s: %s", call, self.box.get(call))
        return None

    def call(self, kind):
        user = {"answered": "ok", "abandoned": "ok", "rejected": "busy"}.get(kind, "ring")
        self.n += 1
        call = "c%d" % self.n
        self.request("INVITE", user, call, 1, branch=call, body=SDP % 40000)
        if kind in ("cancelled", "redirected"):
            self.wait(call, lambda r: r[0] == 180)
            if kind == "cancelled":
                self.request("CANCEL", user, call, 1, branch=call)
            else:
                self.phone.say("redirect sip:x@127.0.0.1:9")
        final = self.wait(call, lambda r: r[1] == "INVITE" and r[0] >= 200)
        if kind == "answered":
            self.request("ACK", user, call, 1, final[2])
            self.request("BYE", user, call, 2, final[2])
            self.wait(call, lambda r: r[1] == "BYE")
        elif kind != "abandoned":
            self.request("ACK", user, call, 1, final[2], branch=call)
        self.box.pop(call, None)


def settled(phone, before, pump):
    """memory comes back to where it was, in the time that SIP keeps things"""
    end, now = time.monotonic() + SETTLE_S, memory(phone)
    while now - before > ROOM_KB and time.monotonic() < end:
        pump(1)
        now = memory(phone)
    return now


def flat(phone, calls, pump, what):
    """one round of calls after which there is no more than before"""
    grown = []
    for _ in range(ROUNDS):
        before = memory(phone)
        calls(CALLS)
        grown.append(settled(phone, before, pump) - before)
        print("%s: %d kB before, %+d after %d calls" % (what, before, grown[-1], CALLS), flush=True)
        if grown[-1] <= ROOM_KB:
            return
    check(False, "%s kB more after each %d calls, and %d kB are room enough", grown, CALLS, ROOM_KB)


def rest(seconds, pump):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pump(0.5)


def test_called(lab):
    accounts = []
    for user, rule in (("ok", "yes"), ("busy", "486"), ("ring", "no")):
        accounts += ["-a", "sip:%s@127.0.0.1;register=no;auto-answer=%s" % (user, rule)]
    phone = lab.offhook(*accounts, *NEAR, "-q", env=QUIET).ready()
    peer = Peer(phone)
    kinds = ("answered", "cancelled", "rejected", "redirected", "abandoned")

    def calls(count):
        for i in range(count):
            peer.call(kinds[i % 5])
    calls(WARM)
    rest(KEPT_S, peer.pump)             # until nobody waits for an ACK or a BYE any more
    flat(phone, calls, peer.pump, "called")


class Callee(Peer):
    """serves what the phone calls, by the user part"""

    def __init__(self, phone):
        super().__init__(phone)
        self.invites = {}

    def asked(self, text, call):
        method, uri = text.split(" ", 2)[:2]
        user = re.search(r"sip:(\w+)@", uri)
        user = user.group(1) if user else ""
        if method == "INVITE":
            if user == "ok":
                self.reply(text, 200, SDP % 40000)
            elif user == "busy":
                self.reply(text, 486)
            elif user == "redir":
                self.reply(text, 302, contact="busy", tag=";tag=y")
            elif user == "ring":
                self.invites[call] = text
                self.reply(text, 180)
        elif method == "CANCEL":
            self.reply(text, 200)
            if call in self.invites:
                self.reply(self.invites.pop(call), 487)
        elif method != "ACK":
            self.reply(text, 200)


def test_calling(lab):
    phone = lab.offhook("-s", "sip-timeout=1s", *NEAR, "-q", env=QUIET).ready()
    peer, over = Callee(phone), threading.Event()

    def serve():
        while not over.is_set():
            peer.pump(0.1)
    server = threading.Thread(target=serve, daemon=True)
    server.start()

    def calls(count):
        for i in range(count):
            user = ("ok", "ring", "busy", "redir", "dead")[i % 5]
            phone.say("dial sip:%s@127.0.0.1:%d" % (user, peer.port))
            n = phone.event("call.state", 20, state="calling")["call"]
            if user in ("ok", "ring"):
                phone.event("call.state", 20, state="active" if user == "ok" else "ringing", call=n)
                phone.say("hangup %d" % n)
            if user != "dead":
                phone.event("call.state", 20, state="ended", call=n)
    calls(WARM)
    rest(KEPT_S, time.sleep)
    try:
        flat(phone, calls, time.sleep, "calling")
    finally:
        over.set()
        server.join()


test_called.limit = test_calling.limit = 3000 if SOAK else 600

if __name__ == "__main__":
    main(globals())
