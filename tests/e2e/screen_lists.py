#!/usr/bin/env python3
"""The pages of what is kept: history, people, messages, ladder, settings."""
import os
import re
import time

from home import check, main, ports
from lab import wait_port
from screen import Screen, columns, registrar

CONTACTS = """Bob Smith = sip:bob@127.0.0.1:1
Zoë Müller = <sip:zoe@example.com;user=phone>;note=front desk
Evil = sip:x@127.0.0.1:2
"""


def screen(lab, *args, **kw):
    os.makedirs(lab.path("conf.d"), exist_ok=True)
    lab.file("conf.d/contacts", CONTACTS)
    return Screen(lab, *args, **kw)


def whole(s):
    """no row is wider than the screen, whatever stands in it"""
    width = max(columns(r) for r in s.rows())
    check(width <= 100, "a row of %d columns\n%s", width, s.text())


def read(path, mode="r"):
    """what is in it now, nothing if it is not there"""
    try:
        with open(path, mode, **({} if "b" in mode else {"encoding": "utf-8"})) as f:
            return f.read()
    except FileNotFoundError:
        return b"" if "b" in mode else ""


def until(test, s, timeout=20):
    end = time.monotonic() + timeout
    while not test():
        check(time.monotonic() < end, "it does not come\n%s", s.text())
        time.sleep(0.05)


def test_history(lab):
    """calls are there when they are over; Enter calls again; / finds"""
    peer = lab.offhook("--auto-answer").ready()
    s = screen(lab, size=(100, 30))
    s.dial(peer.uri)
    s.wait(r"ACTIVE +0:0[1-9]")
    s.keys("h")
    s.wait(r"no calls")
    busy = lab.offhook("--auto-answer=486", name="busy").ready()
    s.dial(busy.uri)
    s.wait(r"[Bb]usy")
    s.keys("H")
    s.wait(r"HISTORY +2 calls")
    rows = [r for r in s.rows() if "phone@127.0.0.1" in r]
    check(str(busy.port) in rows[0] and str(peer.port) in rows[1], "%s", s.text())
    check(re.search(r"0:0\d +opus", rows[1]), "%s", s.text())
    s.wait(r"486|[Bb]usy")
    s.keys("/")
    s.wait(r"find")
    s.type(str(peer.port))
    s.keys("Enter")
    s.wait(r"HISTORY +1 call +with")
    s.keys("Enter")
    peer.event("call.state", state="incoming", timeout=20)
    s.picture("history")
    s.keys("Escape")
    s.wait(r"HISTORY +\d calls")
    whole(s)


def test_people(lab):
    """who is there, found by some letters, called by Enter; presence is a lamp"""
    peer = lab.offhook("--auto-answer", "-s", "watchers=yes").ready()
    s = screen(lab, size=(100, 30))
    s.keys(":")
    s.type("contact add Ann %s" % peer.uri)
    s.keys("Enter")
    s.keys("P")
    s.wait(r"PEOPLE +4 contacts")
    s.wait(r"Zoë Müller +zoe@example.com +front desk")
    s.keys("/")
    s.wait(r"find")
    s.type("an")
    s.keys("Enter")
    s.wait(r"PEOPLE +\d contacts? +with")
    s.keys("Home")
    s.wait(r"Ann +phone@127.0.0.1:%d" % peer.port)
    s.keys("w")
    s.wait(r"From now on you see whether Ann can be reached|Ann can be reached")
    s.wait(r"● Ann", timeout=30)
    s.picture("people")
    s.keys("Enter")
    peer.event("call.state", state="active", timeout=20)
    whole(s)


def test_lamps(lab):
    """whose phone rings and who talks is a lamp; p takes the call that rings there"""
    bob = lab.offhook("-s", "watchers=yes", name="bob").ready()
    carol = lab.offhook(name="carol").ready()
    os.makedirs(lab.path("conf.d"))
    lab.file("conf.d/contacts", "Bob Smith = <%s>;lamp=yes\nCarol = <%s>\n" % (bob.uri, carol.uri))
    s = Screen(lab, size=(120, 30))
    s.keys("P")
    s.wait(r"● Bob Smith +\S+ +free", timeout=30)
    carol.command("dial " + bob.uri)
    s.wait(r"◐ Bob Smith +\S+ +rings +with \S+@127\.0\.0\.1:%d" % carol.port, timeout=30)
    s.wait(r"the phone of Bob Smith rings, called by \S+: p in People takes the call")
    s.picture("lamp-rings")
    s.keys("Home", "p")
    carol.event("call.state", state="active", timeout=30)
    bob.event("call.state", state="ended", timeout=30)
    s.keys("g")
    s.wait(r"1 \S+ +ACTIVE")
    s.keys("h")
    carol.event("call.state", state="ended", timeout=20)
    s.keys("P")
    carol.command("dial " + bob.uri)
    bob.event("call.state", state="incoming", timeout=20)
    bob.command("answer")
    s.wait(r"◐ Bob Smith +\S+ +on the phone", timeout=30)
    bob.command("hangup")
    s.wait(r"● Bob Smith +\S+ +free", timeout=30)


def test_log(lab):
    """levels are shown or not, a text is looked for"""
    s = screen(lab, "-vv", size=(100, 30))
    s.keys("L")
    s.wait(r"LOG +debug and above")
    s.keys("f")
    s.wait(r"LOG +error and above")
    s.wait(r"Nothing has been said")
    s.keys("f", "f")
    s.wait(r"LOG +info and above")
    s.keys("f")
    s.wait(r"LOG +debug and above")
    s.keys("/")
    s.wait(r"find")
    s.type("nobody says this")
    s.keys("Enter")
    s.wait(r"No line fits")
    s.keys("Escape")
    s.wait(r"No line fits", gone=True)


def test_messages(lab):
    """what comes is shown with whom it is from, what we write too"""
    peer = lab.offhook().ready()
    s = screen(lab, size=(100, 30))
    peer.command("message %s 'running late, start without me; \u202e\u0007evil'" % s.uri, 20)
    s.wait(r"running late")
    s.keys("M")
    s.wait(r"MESSAGES +1 talk")
    s.wait(r"\S+@127\.0\.0\.1(:\d+)? \d\d:\d\d")
    s.wait(r"running late, start without me")
    s.keys("Enter")
    s.wait(r"to \S+@127")
    s.type("all right")
    # the other side sees that somebody writes
    peer.event("message.composing", active=True, timeout=20)
    s.keys("Enter")
    peer.event("message.received", timeout=20)
    s.wait(r"you \d\d:\d\d +(sent|delivered)")
    s.wait(r"all right")
    s.picture("messages")
    whole(s)


def test_ladder(lab):
    """arrows both ways; a message is opened, two are compared; one call or all"""
    peer = lab.offhook("--auto-answer").ready()
    s = screen(lab, size=(100, 30))
    s.dial(peer.uri)
    s.wait(r"ACTIVE")
    s.keys("l")
    s.wait(r"LADDER +call 1 +\d+ messages")
    s.wait(r"us +127\.0\.0\.1:%d" % peer.port)
    s.wait(r"│─+ INVITE ─+▶│ sdp ")
    s.wait(r"│◀─+ 200 OK ─+│")
    s.wait(r"│─+ ACK ─+▶│")
    s.picture("ladder")
    s.keys("Home")
    s.keys("Enter")
    s.wait(r"MESSAGE +sent to 127\.0\.0\.1:%d over udp" % peer.port)
    s.wait(r"INVITE sip:phone@")
    s.keys("Escape")
    s.wait(r"LADDER")
    s.keys("d")
    s.wait(r" marked ")
    s.keys("Down")
    s.keys("d")
    s.wait(r"TWO MESSAGES")
    s.wait(r"^ - INVITE sip:")
    s.wait(r"^ \+ SIP/2\.0 ")
    s.picture("compared")
    s.keys("Escape")
    s.wait(r"LADDER")
    s.keys("/")
    s.wait(r"find")
    s.type("answer-mode-that-nobody-sent")
    s.keys("Enter")
    s.wait(r"No message fits")
    s.keys("Escape")
    s.wait(r"INVITE")
    # another request that is of no call
    s.keys(":")
    s.type("options " + peer.uri)
    s.keys("Enter")
    s.wait(r"user-agent +offhook")
    s.keys("l")
    s.wait(r"LADDER")
    s.keys("a")
    s.wait(r"LADDER +all")
    s.wait(r"─ OPTIONS ─")
    whole(s)
    # kept as text, and for Wireshark
    s.keys("w")
    s.wait(r"ladder all --to ladder.txt")
    s.keys("C-u")
    s.type("ladder all --to " + lab.path("said.txt"))
    s.keys("Enter")
    until(lambda: "OPTIONS" in read(lab.path("said.txt")), s)
    check("INVITE" in read(lab.path("said.txt")) and "--->" in read(lab.path("said.txt")), "%s", read(lab.path("said.txt")))
    s.keys("l", "p")
    s.wait(r"pcap --past")
    s.type(lab.path("said.pcapng"))
    s.keys("Enter")
    until(lambda: b"INVITE sip:" in read(lab.path("said.pcapng"), "rb"), s)


def test_credentials(lab):
    """registrations are in the ladder, opened in full, and prove nothing to who looks over the shoulder"""
    sock, seen = registrar(ports(1))
    s = screen(lab, "-a", "sip:alice@example.com;password=geheim;outbound=sip:127.0.0.1:%d%%3Blr" % sock.getsockname()[1],
               size=(100, 40))
    s.wait(r"● alice@example\.com")
    s.keys("l")
    s.wait(r"LADDER +all")
    s.wait(r"─ REGISTER ─")
    s.wait(r"401 Unauthorized.*\(REGISTER\)")
    s.keys("Home", "Down", "Down", "Enter")
    s.wait(r"MESSAGE +sent to 127\.0\.0\.1:%d over udp" % sock.getsockname()[1])
    s.wait(r"^ Authorization: Digest ")
    proof = next(re.search(r'response="([0-9a-f]{32})"', text).group(1) for text in seen if "response=" in text)
    check(proof not in s.text().replace("\n", "").replace(" ", ""), "the proof is shown\n%s", s.text())
    whole(s)
    sock.close()


def test_settings(lab):
    """an option is found and changed in place"""
    s = screen(lab, size=(100, 30))
    s.keys(",")
    s.wait(r"SETTINGS +\d+ options")
    s.keys("/")
    s.wait(r"find")
    s.type("packet-time")
    s.keys("Enter")
    s.wait(r"SETTINGS +\d option")
    s.wait(r"packet-time +20ms")
    s.picture("settings")
    s.keys("Enter")
    s.wait(r"set packet-time 20ms")
    s.keys(*["BSpace"] * 4)
    s.type("40ms")
    s.keys("Enter")
    s.wait(r"packet-time +40ms")
    # for this run, until it is saved; what else stands in the file stays
    path = lab.file("conf.d/offhook.conf", "# mine\njitter-max = 300ms\n")
    s.keys("w")
    s.wait(r"1 option saved in \S+offhook.conf")
    end = time.monotonic() + 20
    while "packet-time" not in open(path, encoding="utf-8").read():
        check(time.monotonic() < end, "not saved\n%s", s.text())
        time.sleep(0.05)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    check(text == "# mine\njitter-max = 300ms\npacket-time = 40ms\n", "%s", text)
    s.keys("u")
    s.wait(r"packet-time +20ms")


def test_small(lab):
    """at 40 columns and 10 rows each page is there, or says that it is not"""
    s = screen(lab, size=(40, 10))
    wait_port("127.0.0.1", s.port)
    for key, text in (("H", "HISTORY"), ("P", "PEOPLE"), ("M", "MESSAGES|too"), ("l", "LADDER|too"), (",", "SETTINGS")):
        s.keys(key)
        s.wait(text)
        check(max(columns(r) for r in s.rows()) <= 40, "%s", s.text())


if __name__ == "__main__":
    main(globals())
