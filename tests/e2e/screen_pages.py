#!/usr/bin/env python3
"""Every page at four sizes and on a light background, with as much on it as a
working day leaves: whole rows, nothing over the edge, and pictures for who
wants to look at them."""
import os
import re
import time

from home import check, main, ports
from screen import Screen, columns, invite, registrar

SIZES = ((80, 24), (120, 40), (200, 60))
SMALL = ((40, 10),)
LIGHT = {"COLORFGBG": "0;15"}
CONTACTS = """Bob Smith = sip:bob@127.0.0.1:%d
Carol Jones = sip:carol@example.com;note=sales
Reception = sip:101@example.com
Zoë Müller = sip:zoe@example.com;note=front desk
日本語 テスト = sip:nihon@example.com
"""


def day(lab, **kw):
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
    s = Screen(lab, "-vv", audio="tone:440", **kw)
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


def resize(s, size):
    """until it has been painted for that size; a small one has no rules"""
    s.size(*size)
    s.wait(r"^─{%d}$" % size[0] if size[1] > 15 else r"^─", gone=size[1] <= 15)


def shot(s, size, name):
    """the page as it stands, once it has been painted for this size"""
    whole(s, size)
    s.picture("%s%s-%dx%d" % ("light-" if s.light else "", name, *size))


IDLE = (("g", r"^ CALLS|^ LAST|^ ACCOUNTS", "home"), ("H", r"HISTORY", "history"), ("P", r"PEOPLE +\d", "people"),
        ("M", r"MESSAGES +\d talk", "messages"), ("l", r"LADDER", "ladder-all"), (",", r"SETTINGS", "settings"),
        ("V", r"DEVICES", "devices"), ("L", r"LOG ", "log"), ("?", r"HELP for", "help"))
CALL = (("g", r"ACTIVE", "home-call"), ("i", r"path +127|ACTIVE", "call"), ("l", r"LADDER", "ladder"))


def pages(s, size, rows):
    resize(s, size)
    for key, pattern, name in rows:
        s.keys(key)
        s.wait(pattern)
        time.sleep(0.2)
        shot(s, size, name)
        s.keys("g")


def idle(s, size):
    pages(s, size, IDLE)
    s.keys(":")
    s.type("view start")
    s.keys("Enter")
    s.wait(r"WELCOME")
    shot(s, size, "start")
    s.keys("g", "d")
    s.type("o")
    s.wait(r"contact|sip:bob@")
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


def talk(s, bob):
    """a call that has something to show"""
    s.dial("'Bob Smith'")
    s.wait(r"ACTIVE +0:0[3-9]", timeout=40)
    s.keys("5", "5")
    bob.command("dtmf 12")
    s.wait(r"received 12")
    s.wait(r"4\.5┤.*[▇█]{6}", timeout=40)


def in_call(s, size):
    pages(s, size, CALL)
    s.keys("l")
    s.wait(r"LADDER")
    s.keys("Home", "Enter")
    s.wait(r"^ INVITE sip:")
    shot(s, size, "message")
    s.press("Escape", r"LADDER")
    s.keys("d", "Down", "d")
    s.wait(r"TWO MESSAGES")
    shot(s, size, "compared")
    s.press("Escape", r"LADDER")
    s.keys("g")
    s.wait(r"ACTIVE")
    # a second one: call waiting
    e = invite(s, '"Carol Jones"', user="carol")
    s.wait(r"INCOMING CALL")
    shot(s, size, "waiting")
    s.press("b", r"INCOMING CALL", gone=True)
    e.close()


def test_idle(lab):
    s, _, sock = day(lab)
    for size in SIZES:
        idle(s, size)
    sock.close()


def test_call(lab):
    s, bob, sock = day(lab)
    talk(s, bob)
    for size in SIZES:
        in_call(s, size)
    sock.close()


def test_small(lab):
    """40 columns and 10 rows: every page is there, none says that it has no room"""
    s, bob, sock = day(lab)
    for size in SMALL:
        idle(s, size)
        # why an account is not registered
        s.wait(r"^ ✕ a\.jones\S+ +not registered\n +Connection refused")
    s.size(80, 24)
    talk(s, bob)
    for size in SMALL:
        in_call(s, size)
    sock.close()


def test_ways(lab):
    """each way that ICE has tried, and which one was chosen"""
    other = lab.offhook("--auto-answer", "-s", "ice=yes", name="other", audio="tone:700").ready()
    s = Screen(lab, "-s", "ice=yes", size=(120, 50))
    s.dial(other.uri)
    s.wait(r"ACTIVE", timeout=40)
    s.keys("i")
    s.wait(r"ways +chosen; we choose", timeout=40)
    s.wait(r"works +host 127\.0\.0\.1:\d+ ⇄ host 127\.0\.0\.1:\d+, \d+\.\d ms, chosen")
    whole(s, (120, 50))


def test_light(lab):
    """a light background: no colour that one cannot read on it"""
    s, bob, sock = day(lab, env=LIGHT)
    # dark text on a light bar, not the other way round
    check("\033[38;5;16m\033[48;5;153m" in s.text(colours=True) and "48;5;24m" not in s.text(colours=True), "%r",
          s.text(colours=True))
    idle(s, (80, 24))
    talk(s, bob)
    in_call(s, (80, 24))
    sock.close()


if __name__ == "__main__":
    main(globals(), limit=240)
