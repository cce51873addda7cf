#!/usr/bin/env python3
"""What the screen does with two calls, and with text, when the phones at the
other end are somebody else's: linphonec, baresip, SIPp."""
import time

from home import Failed, check, main
from peers import Baresip, Linphonec
from scenario import OUTSIDE, branch, recv, request, response
from screen import Screen
import sound


def linphone(lab, name, hz):
    return Linphonec(lab, sound.write_tone(lab.path(name + "-says.wav"), hz, 120, 8000, 1), name=name)


def screen(lab, *args, **kw):
    return Screen(lab, "-s", "codecs=pcmu", "-s", "noise-suppress=no", *args, **kw)


def line(s, text):
    """a command line, typed"""
    s.keys(":")
    s.type(text)
    s.keys("Enter")


def hears(path, hz, seconds, timeout=30):
    """a recording, which may still grow, comes to hold that tone for so long"""
    end, x = time.monotonic() + timeout, None
    while time.monotonic() < end:
        try:
            x = sound.heard(path, hz)
        except (OSError, EOFError, ValueError, ZeroDivisionError, IndexError):
            x = None             # nothing in it yet
        if x and x.seconds >= seconds and x.purity > 0.3:
            return
        time.sleep(0.5)
    raise Failed("%d Hz is not heard for %g s in %s: %s" % (hz, seconds, path, x))


def test_messages(lab):
    """m writes to linphonec, which shows it; Enter on the page of messages writes again"""
    peer = linphone(lab, "bob", 1000)
    s = Screen(lab, size=(100, 30))
    s.keys("m")
    s.wait(r". message")
    s.type("%s 'good morning, Grüße'" % peer.uri)
    s.keys("Enter")
    peer.wait_line(r"Message received from .*: good morning, Grüße", 20)
    s.keys("M")
    s.wait(r"MESSAGES +1 talk")
    s.wait(r"you \d\d:\d\d +(sent|delivered)")
    s.picture("messages-linphone")
    # plain text: whatever is typed there is what is said
    s.keys("Enter")
    s.wait(r"to \S*peer@")
    s.type("--don't hurry; it's \"fine\"")
    s.keys("Enter")
    peer.wait_line(r"Message received from .*: --don't hurry; it's \"fine\"", 20)
    # left, it writes nothing
    s.keys("Enter")
    s.wait(r"to \S*peer@")
    s.type("never said")
    s.press("Escape", r"never said", gone=True)


def test_message_comes(lab):
    """SIPp writes: news, a number of what is unread, and the text on its page, as text; it gets an answer"""
    # it would take what tells that somebody types for the message
    s = Screen(lab, "-s", "message-composing=no", size=(100, 30))
    peer = lab.sipp([request("MESSAGE", 1, body="running late, start without me \u202e\x07", ctype="text/plain", **OUTSIDE),
                     recv(200)], "-s", "me", to="127.0.0.1:%d" % s.port)
    s.wait(r"MESSAGES +1 unread")
    s.wait(r"sipp: running late, start without me")
    peer.well()
    s.keys("M")
    s.wait(r"MESSAGES +1 talk")
    s.wait(r"  running late, start without me")
    check("\u202e" not in s.text(), "it turns the text round")
    # the same SIPp, as somebody who is written to
    answered = lab.sipp([recv("MESSAGE", checks=[("To", "sip:sipp@"), ("body", "I don't mind, take a seat")]),
                         response(200, "OK")], name="answered", port=peer.port)
    s.keys("Enter")
    s.wait(r"to \S*sipp")
    s.type("I don't mind, take a seat")
    s.keys("Enter")
    answered.well()
    s.wait(r"you \d\d:\d\d +(sent|delivered)\n.*  I don't mind, take a seat")
    s.picture("messages-answered")
    s.keys("g")
    s.wait(r"unread", gone=True)


def test_message_refused(lab):
    """SIPp takes no messages: why stands on the screen, and beside the message"""
    peer = lab.sipp([recv("MESSAGE"), response(603, "Decline")])
    # it would take what tells that somebody types for the message
    s = Screen(lab, "-s", "message-composing=no", size=(100, 30))
    line(s, "message %s 'are you there'" % peer.uri)
    s.wait(r"[Dd]ecline")
    peer.well()
    s.keys("M")
    s.wait(r"not delivered: .*[Dd]ecline")
    s.wait(r"are you there")


def test_voice_mail(lab):
    """what waits stands beside the account, as SIPp tells it; v calls the mailbox"""
    box = lab.offhook("--auto-answer", name="box", audio="tone:1000").ready()
    s = Screen(lab, "-a", "sip:me@127.0.0.1;register=no;outbound=127.0.0.1:%d" % box.port, size=(100, 30))
    lab.sipp([request("NOTIFY", 1, headers=["Event: message-summary", "Subscription-State: active"], branch=branch(1),
                      body="Messages-Waiting: yes\nMessage-Account: %s\nVoice-Message: 2/8 (1/0)\n" % box.uri,
                      ctype="application/simple-message-summary", **OUTSIDE), recv(200)], "-s", "me",
             to="127.0.0.1:%d" % s.port).well()
    s.wait(r"2 new voice messages$|2 new voice messages ")
    s.wait(r"2 new voice messages for me@127\.0\.0\.1: v calls the mailbox")
    s.picture("voice-mail")
    s.keys("v")
    box.event("call.state", state="active", timeout=30)
    s.wait(r"ACTIVE")
    s.wait(r"them +\S+ +-\d+ dB")
    s.keys("h")
    box.event("call.state", state="ended", timeout=30)


def test_connect(lab):
    """T: two linphonecs are connected with each other and hear one another, and we are out of it"""
    bob, carol = linphone(lab, "bob", 1000), linphone(lab, "carol", 1500)
    s = screen(lab, size=(100, 30))
    s.dial(bob.uri)
    s.wait(r"1 \S+ +ACTIVE +0:0[1-9]")
    s.keys("x")
    s.wait(r"1 \S+ +HELD by us")
    s.dial(carol.uri)
    s.wait(r"▶2 \S+ +ACTIVE +0:0[1-9]")
    s.keys("T")
    s.wait(r"no calls", timeout=60)
    s.picture("connected")
    # one of them called the other in place of the call that it had with us
    carol.wait_line(r"Call 2 with .*Replaces=.* connected", 20)
    for p in (bob, carol):
        p.wait_line(r"Call 1 with .* ended \(No error\)", 20)
        p.wait_line(r"Media streams established with .* for call 2", 20)
        at = len(p.lines)
        p.say("calls")
        p.wait_line(r"^2 .*StreamsRunning", 20, at)
    # and hear each other, which neither did before; linphonec's file is whole once the call is over
    time.sleep(4)
    bob.hangup()
    carol.wait_line(r"Call 2 with .* ended \(No error\)", 20)
    hears(carol.recording(), 1000, 1)
    hears(bob.recording(), 1500, 1)


def test_swap(lab):
    """s: of two baresips one hears us, the other waits; and the other way round"""
    peers = [Baresip(lab, sound.write_tone(lab.path(name + "-says.wav"), hz, 120, 8000, 1), name=name)
             for name, hz in (("bob", 1000), ("carol", 1500))]
    s = screen(lab, "-s", "record-layout=them", size=(100, 30))
    s.dial(peers[0].uri)
    s.wait(r"▶1 \S+ +ACTIVE +0:0[1-9]")
    s.keys("x")
    s.wait(r"▶1 \S+ +HELD by us")
    s.dial(peers[1].uri)
    s.wait(r"▶2 \S+ +ACTIVE +0:0[1-9]")
    for active, held in ((1, 2), (2, 1)):
        s.keys("s")
        s.wait(r"▶%d \S+ +ACTIVE" % active)
        s.wait(r"%d \S+ +HELD by us" % held)
        # what is heard is that one
        path = lab.path("heard-%d.wav" % active)
        line(s, "record " + path)
        s.wait(r"REC")
        time.sleep(2)
        line(s, "record stop")
        s.wait(r"REC", gone=True)
        hears(path, 1000 if active == 1 else 1500, 1)
    s.keys("h")
    s.wait(r"^.2 \S+@", gone=True)
    s.wait(r"1 \S+ +HELD by us")
    s.keys("x")
    s.wait(r"▶1 \S+ +ACTIVE")
    s.keys("h")
    s.wait(r"no calls")
    for p in peers:
        p.closed(20)
        hears(p.recording(), 440, 0.5)


if __name__ == "__main__":
    main(globals())
