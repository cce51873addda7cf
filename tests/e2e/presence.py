#!/usr/bin/env python3
"""Watching and being watched: presence, who is on the phone, any package."""
import os
import re
import socket
import threading
import time

from home import check, main
from names import Registrar


def test_presence(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    number = a.command("subscribe presence " + b.uri)["subscription"]
    got = a.event("presence", again=True)
    check(got["status"] == "open" and got["who"] == b.uri, "%s", got)
    raw = a.event("subscription.notify", again=True, subscription=number, type="application/pidf+xml")
    check("<basic>open</basic>" in raw["body"], "%s", raw)

    b.command("publish away --note 'back at four'")
    got = a.event("presence", activity="away")
    check(got["status"] == "open" and got["note"] == "back at four", "%s", got)
    b.command("publish closed")
    a.event("presence", status="closed")

    check(a.command("subscriptions")["subscriptions"][0]["state"] == "active", "not active")
    a.command("unsubscribe %d" % number)
    a.event("subscription.state", state="ended")
    check(a.command("subscriptions")["subscriptions"] == [], "there is one still")


def test_on_the_phone(lab):
    """the lamp of a colleague: free, ringing, busy, free"""
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    c = lab.offhook(name="c").ready()
    a.command("subscribe dialog " + b.uri)
    a.event("dialog", again=True, state="free", count=0)
    c.command("dial " + b.uri)
    got = a.event("dialog", state="ringing")
    check(got["direction"] == "in" and str(c.port) in got["peer"] and got["count"] == 1, "%s", got)
    b.command("answer")
    a.event("dialog", state="busy")
    b.command("hangup")
    a.event("dialog", state="free", count=0)


ROOM = ("<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='sip:room@x' state='%s' version='%d'>"
        "<conference-description><subject>Plans</subject></conference-description><users state='%s'>%s</users></conference-info>")
MEMBER = ("<user entity='sip:%s@x' state='%s'><display-text>%s</display-text><endpoint entity='sip:%s@device'>"
          "<status>%s</status></endpoint></user>")


class Room(threading.Thread):
    """a server's conference: takes SUBSCRIBE, and tells what it is told to"""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.where = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.asked, self.news, self.cseq, self.dialog = [], threading.Condition(), 0, {}
        self.start()

    def run(self):
        while True:
            try:
                data, src = self.sock.recvfrom(65535)
            except OSError:
                return
            text = data.decode()
            if not text.startswith("SUBSCRIBE"):
                continue
            h = dict(x.split(": ", 1) for x in text.split("\r\n\r\n")[0].split("\r\n")[1:])
            to = h["To"] if "tag=" in h["To"] else h["To"] + ";tag=room"
            self.sock.sendto(("\r\n".join(["SIP/2.0 200 OK", "Via: " + h["Via"], "From: " + h["From"], "To: " + to, "Call-ID: " +
                                           h["Call-ID"], "CSeq: " + h["CSeq"], "Contact: <sip:room@%s>" % self.where,
                                           "Expires: 600", "Content-Length: 0", "", ""])).encode(), src)
            with self.news:
                self.dialog = dict(h, To=to, src=src)
                self.asked.append(h["Event"])
                self.news.notify_all()

    def awaits(self, n):
        with self.news:
            check(self.news.wait_for(lambda: len(self.asked) >= n, 30), "asked %d times, not %d", len(self.asked), n)

    def tells(self, body):
        d, self.cseq = self.dialog, self.cseq + 1
        target = re.search("<([^>]+)>", d["Contact"]).group(1)
        self.sock.sendto(("\r\n".join([
            "NOTIFY %s SIP/2.0" % target, "Via: SIP/2.0/UDP %s;branch=z9hG4bK%d" % (self.where, self.cseq), "Max-Forwards: 70",
            "From: " + d["To"], "To: " + d["From"], "Call-ID: " + d["Call-ID"], "CSeq: %d NOTIFY" % self.cseq,
            "Contact: <sip:room@%s>" % self.where, "Event: " + d["Event"], "Subscription-State: active;expires=600",
            "Content-Type: application/conference-info+xml", "Content-Length: %d" % len(body), "", body])).encode(), d["src"])


def test_conference(lab):
    """who is in a conference of a server, and comes and goes"""
    room = Room()
    a = lab.offhook(name="a").ready()
    a.say("subscribe conference sip:room@" + room.where)
    room.awaits(1)
    check(room.asked == ["conference"], "%s", room.asked)
    room.tells(ROOM % ("full", 3, "full", MEMBER % ("ann", "full", "Ann", "ann", "connected") +
                       MEMBER % ("bob", "full", "", "bob", "on-hold")))
    e = a.event("conference", who="sip:ann@x", timeout=20)
    check(e["room"] == "sip:room@" + room.where and e["name"] == "Ann" and e["state"] == "connected" and
          e["subject"] == "Plans", "%s", e)
    a.event("conference", who="sip:bob@x", state="on-hold", count=2, timeout=20)
    room.tells(ROOM % ("partial", 4, "partial", MEMBER % ("bob", "partial", "", "bob", "connected") +
                       MEMBER % ("eve", "full", "Eve", "eve", "dialing-in")))
    a.event("conference", who="sip:bob@x", state="connected", timeout=20)
    a.event("conference", who="sip:eve@x", state="dialing-in", count=3, timeout=20)
    # one is missing: it asks for the whole state, and once in five seconds, whatever is told again
    begun = time.monotonic()
    for v in (9, 12, 15, 18):
        room.tells(ROOM % ("partial", v, "partial", ""))
        a.event("subscription.notify", timeout=20)
    room.awaits(2)
    room.tells(ROOM % ("full", 20, "full", MEMBER % ("bob", "full", "", "bob", "connected")))
    for who in ("sip:eve@x", "sip:ann@x"):
        a.event("conference", who=who, state="left", again=True, timeout=20)
    check(len(room.asked) <= 2 + (time.monotonic() - begun) // 5, "asked %d times", len(room.asked))
    room.tells(ROOM % ("deleted", 21, "full", ""))
    a.event("conference", who="sip:bob@x", state="left", count=0, timeout=20)
    room.sock.close()


def test_once(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    a.command("subscribe presence %s --once" % b.uri)
    a.event("presence", again=True, status="open")
    check(a.command("subscriptions")["subscriptions"] == [], "it is kept up")


def test_refused(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook(name="b").ready()
    reply = a.reply("subscribe presence " + b.uri)
    check(not reply["ok"] and reply["error"] == "refused" and "489" in reply["text"], "%s", reply)
    b2 = lab.offhook("--set", "watchers=yes", name="b2").ready()
    reply = a.reply("subscribe nonsense " + b2.uri)
    check(not reply["ok"] and "489" in reply["text"], "%s", reply)
    check(not a.reply("subscribe 'no token' " + b2.uri)["ok"], "a package of two words")
    check(not a.reply("unsubscribe 7")["ok"], "what is not there is ended")
    check(not b.reply("publish away")["ok"], "published without an account")


def contacts(lab, text, name="conf"):
    os.makedirs(lab.path(name + ".d"), exist_ok=True)
    lab.file(name + ".d/contacts", text)
    return "-c", lab.path(name + ".d")


def lamp(phone, name, **want):
    """until the contact is shown so"""
    until = time.monotonic() + 60
    while True:
        row = [c for c in phone.command("contacts")["contacts"] if c["name"] == name][0]
        if all(row.get(k) == v for k, v in want.items()):
            return row
        check(time.monotonic() < until, "never %s: %s", want, row)
        time.sleep(.1)


def test_contacts_watched(lab):
    """contacts that ask for it are watched by themselves; their state is kept"""
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    c = lab.offhook(name="c").ready()
    a = lab.offhook(*contacts(lab, "Bob = <%s>;presence=yes;lamp=yes\nCarl = <%s>\n" % (b.uri, c.uri)), name="a").ready()
    lamp(a, "Bob", status="open", calls="free", watch="active", lamp_watch="active")
    c.command("dial " + b.uri)
    lamp(a, "Bob", calls="ringing")
    b.command("answer")
    row = lamp(a, "Bob", calls="busy")
    check(str(c.port) in row["peer"], "%s", row)
    b.command("publish away --note lunch")
    lamp(a, "Bob", activity="away", says="lunch")
    b.command("hangup")
    lamp(a, "Bob", calls="free")
    check([s["event"] for s in a.command("subscriptions")["subscriptions"]] == ["presence", "dialog"], "others too")


def test_contacts_change(lab):
    """a lamp that is added is lit, one that is removed goes out"""
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    a = lab.offhook(*contacts(lab, ""), name="a").ready()
    a.command("contact add Bob %s --lamp" % b.uri)
    lamp(a, "Bob", calls="free")
    a.command("contact remove Bob")
    a.event("subscription.state", state="ended")
    check(a.command("subscriptions")["subscriptions"] == [], "it is watched still")


def test_contacts_wait_for_account(lab):
    """nobody is asked before the account is registered, nor after it is taken off"""
    server = Registrar(is_open=False)
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    a = lab.offhook(*contacts(lab, "Bob = <%s>;lamp=yes\n" % b.uri), "-a", "sip:alice@127.0.0.1;registrar=127.0.0.1:%d" %
                    server.port, "--set", "sip-timeout=1", name="a").ready()
    lamp(a, "Bob", lamp_watch="waiting")
    check(a.command("subscriptions")["subscriptions"] == [], "asked without an account")
    server.open = True
    a.event("account.state", state="registered", timeout=60)
    lamp(a, "Bob", lamp_watch="active", calls="free")
    a.command("unregister")
    a.event("subscription.state", state="ended")
    row = lamp(a, "Bob", lamp_watch="waiting")
    check("calls" not in row, "%s", row)
    a.command("register")
    lamp(a, "Bob", lamp_watch="active", calls="free")


def test_pickup_known(lab):
    """a phone that is watched need not be asked before its call is taken"""
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    c = lab.offhook(name="c").ready()
    a = lab.offhook(*contacts(lab, "Bob = <%s>;lamp=yes\n" % b.uri), name="a").ready()
    lamp(a, "Bob", calls="free")
    c.command("dial " + b.uri)
    lamp(a, "Bob", calls="ringing")
    a.command("pickup Bob")
    a.event("call.state", state="active")
    c.event("call.state", state="active")
    b.event("call.state", state="ended")
    check(len(a.command("subscriptions")["subscriptions"]) == 1, "asked again")
    lamp(a, "Bob", calls="free")


def test_lamp_lost(lab):
    """who is watched goes: what he was is not claimed any more"""
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    a = lab.offhook(*contacts(lab, "Bob = <%s>;presence=yes\n" % b.uri), name="a").ready()
    lamp(a, "Bob", status="open")
    b.say("quit")
    a.event("subscription.state", state="ended")
    row = lamp(a, "Bob", watch="waiting")
    check("status" not in row, "%s", row)


def test_end(lab):
    """who is watched leaves: the watcher hears of it"""
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    a.command("subscribe presence " + b.uri)
    b.say("quit")
    a.event("subscription.state", state="ended", reason="noresource")


if __name__ == "__main__":
    main(globals())
