#!/usr/bin/env python3
"""Every page at three sizes, with as much on it as a working day leaves: whole
rows, nothing over the edge, and pictures for who wants to look at them."""
import os
import re
import time

from home import check, main, ports
from screen import Screen, columns, invite, registrar

SIZES = ((80, 24), (120, 40), (200, 60))
CONTACTS = """Bob Smith = sip:bob@127.0.0.1:%d
Carol Jones = sip:carol@example.com;note=sales
Reception = sip:101@example.com
Zoë Müller = sip:zoe@example.com;note=front desk
日本語 テスト = sip:nihon@example.com
"""


def day(lab):
    """a phone with accounts, people, messages, calls of before -> (screen, bob, what is to be closed)"""
    sock, _ = registrar(ports(1))
    server = sock.getsockname()[1]
    bob = lab.offhook("--auto-answer", "-s", "watchers=yes", "-a",
                      "sip:bob@example.com;display-name=Bob%20Smith;register=no;media-security=prefer", name="bob",
                      audio="tone:1000").ready()
    os.makedirs(lab.path("conf.d"))
    lab.file("conf.d/contacts", CONTACTS % bob.port)
    lab.file("conf.d/accounts", "[alice]\nuri = sip:alice@example.com\npassword = x\nregistrar = sip:127.0.0.1:%d\n"
             "media-security = prefer\n[work]\nuri = sip:a.jones@office.example\npassword = x\n"
             "registrar = sip:127.0.0.1:%d\n[old]\nuri = sip:old@example.com\nregister = no\n" % (server, ports(1)))
    s = Screen(lab, "-vv", audio="tone:440")
    s.uri = "sip:alice@127.0.0.1:%d" % s.port
    s.wait(r"● alice@example\.com")
    bob.command("message sip:alice@127.0.0.1:%d 'running late, start without me'" % s.port, 20)
    s.wait(r"1 unread")
    s.dial("'Bob Smith'")
    s.wait(r"ACTIVE +0:0[1-9]")
    s.keys("h")
    s.wait(r"no calls")
    e = invite(s, '"Carol Jones"', user="carol", extra="")
    s.wait(r"INCOMING CALL")
    s.press("b", r"INCOMING CALL", gone=True)
    e.close()
    s.keys("P")
    s.wait(r"PEOPLE")
    s.keys("w")
    s.wait(r"● Bob Smith", timeout=30)
    s.keys("g")
    s.wait(r"^ CALLS")
    return s, bob, sock


def whole(s, size):
    """no row is wider than the screen, the last one is the hints, the first one the header"""
    rows = s.rows()
    check(max(columns(r) for r in rows) <= size[0], "a row is too wide\n%s", s.text())
    check(re.match(r" offhook ", rows[0]) and re.search(r"\d\d:\d\d", rows[0]), "no header\n%s", s.text())
    check(re.search(r" help| digits|Enter | answer", rows[size[1] - 1]), "no hints\n%s", s.text())


def shot(s, size, name):
    """the page as it stands, once it has been painted for this size"""
    whole(s, size)
    s.picture("%s-%dx%d" % (name, *size))


IDLE = (("g", r"^ CALLS", "home"), ("H", r"HISTORY", "history"), ("P", r"PEOPLE", "people"), ("M", r"MESSAGES", "messages"),
        ("l", r"LADDER", "ladder-all"), (",", r"SETTINGS", "settings"), ("V", r"DEVICES", "devices"), ("L", r"LOG ", "log"),
        ("?", r"HELP for", "help"))
CALL = (("g", r"ACTIVE", "home-call"), ("i", r"path +127", "call"), ("l", r"LADDER", "ladder"))


def pages(s, rows):
    for size in SIZES:
        s.size(*size)
        s.wait(r"^─{%d}$" % size[0])
        for key, pattern, name in rows:
            s.keys(key)
            s.wait(pattern)
            time.sleep(0.2)
            shot(s, size, name)
            s.keys("g")


def test_idle(lab):
    s, _, sock = day(lab)
    pages(s, IDLE)
    for size in SIZES:
        s.size(*size)
        s.wait(r"^─{%d}$" % size[0])
        s.keys(":")
        s.type("view start")
        s.keys("Enter")
        s.wait(r"WELCOME")
        shot(s, size, "start")
        s.keys("g", "d")
        s.type("o")
        s.wait(r"contact")
        shot(s, size, "completion")
        # a key right after Escape would be one with Alt
        s.press("Escape", r"› dial", gone=True)
        s.keys(":")
        s.type("help dial")
        s.keys("Enter")
        s.wait(r"usage: dial")
        shot(s, size, "reply")
        s.press("Escape", r"usage: dial", gone=True)
        e = invite(s, '"Carol Jones"', user="carol", extra='Diversion: "Reception" <sip:101@example.com>;reason=user-busy\r\n')
        s.wait(r"INCOMING CALL")
        shot(s, size, "incoming")
        s.press("b", r"INCOMING CALL", gone=True)
        e.close()
    sock.close()


def test_call(lab):
    s, bob, sock = day(lab)
    s.dial("'Bob Smith'")
    s.wait(r"ACTIVE +0:0[3-9]", timeout=40)
    s.keys("5", "5")
    bob.command("dtmf 12")
    s.wait(r"received 12")
    s.wait(r"4\.5┤.*[▇█]{6}", timeout=40)
    pages(s, CALL)
    for size in SIZES:
        s.size(*size)
        s.wait(r"^─{%d}$" % size[0])
        s.keys("l")
        s.wait(r"LADDER")
        s.keys("Home", "Enter")
        s.wait(r"^ INVITE sip:")
        shot(s, size, "message")
        s.keys("Escape")
        s.wait(r"LADDER")
        s.keys("d", "Down", "d")
        s.wait(r"TWO MESSAGES")
        shot(s, size, "compared")
        s.keys("Escape")
        s.wait(r"LADDER")
        s.keys("g")
        s.wait(r"ACTIVE")
        # a second one: call waiting
        e = invite(s, '"Carol Jones"', user="carol")
        s.wait(r"INCOMING CALL")
        shot(s, size, "waiting")
        s.press("b", r"INCOMING CALL", gone=True)
        e.close()
    sock.close()


if __name__ == "__main__":
    main(globals(), limit=240)
