#!/usr/bin/env python3
"""Text messages between two phones, and what a phone does with others."""
import socket

from home import check, exits, main, ports


def test_both_ways(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook(name="b").ready()
    a.command("message %s hello w\u00f6rld \"and 'more'\"" % b.uri)
    got = b.event("message.received")
    check(got["text"] == "hello w\u00f6rld and 'more'" and got["from"].endswith(":%d" % a.port) and not got["cut"],
          "%s", got)
    b.command("message %s back" % got["from"])
    check(a.event("message.received")["text"] == "back", "another text")


def test_report(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook(name="b").ready()
    number = a.command("message %s --report are you there" % b.uri)["id"]
    a.event("message.sent", id=number, result="sent", code=200)
    a.event("message.sent", id=number, result="delivered")
    b.command("set message-reports no")
    a.command("message %s --report and now" % b.uri)
    check(b.event("message.received", text="and now"), "it did not come")
    b.command("message %s done" % a.uri)
    a.event("message.received", text="done")
    check(len([o for o in a.objects() if o.get("result") == "delivered"]) == 1, "a report that is switched off came")


def test_in_a_call(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--auto-answer", name="b").ready()
    a.command("dial " + b.uri)
    a.command("wait call active 10")
    a.command("message x --call 1 inside")
    check(b.event("message.received")["call"] == 1, "not in the call")
    a.command("message %s --composing on" % b.uri)
    check(b.event("message.composing")["active"], "not writing")
    a.command("message %s --composing off" % b.uri)
    check(not b.event("message.composing")["active"], "still writing")


def test_typing(lab):
    """who types is seen to, until the message comes; nobody is told who wants none of it"""
    a = lab.offhook(name="a").ready()
    b = lab.offhook(name="b").ready()
    for _ in range(5):
        a.command("message %s --composing typing" % b.uri)
    check(b.event("message.composing")["active"], "not writing")
    a.command("message %s there you are" % b.uri)
    b.event("message.received", text="there you are")
    check(not b.event("message.composing", again=True, active=False)["active"], "still writing")
    a.command("set message-composing no")
    a.command("message %s --composing typing" % b.uri)
    a.command("message %s again" % b.uri)
    b.event("message.received", text="again")
    told = [o["active"] for o in b.objects() if o.get("event") == "message.composing"]
    check(told == [True, False], "%s", told)


def test_anonymous(lab):
    """RFC 3323: who it is from is between us and our server"""
    b = lab.offhook(name="b").ready()
    a = lab.offhook("-a", "sip:alice@127.0.0.1;display-name=Alice;register=no", name="a").ready()
    a.command("message %s --anonymous guess who" % b.uri)
    got = b.event("message.received", text="guess who")
    check(got["from"] == "sip:anonymous@anonymous.invalid" and got.get("name") == "Anonymous", "%s", got)
    a.command("message %s it is me" % b.uri)
    check(b.event("message.received", text="it is me")["from"] == "sip:alice@127.0.0.1", "hidden still")


def test_displayed_by_choice(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "message-reports=delivered", name="b").ready()
    number = a.command("message %s --report one" % b.uri)["id"]
    b.event("message.received", text="one")
    a.event("message.sent", id=number, result="delivered")
    b.command("messages")
    b.command("set message-reports yes")
    number = a.command("message %s --report two" % b.uri)["id"]
    b.event("message.received", text="two")
    b.command("messages")
    a.event("message.sent", id=number, result="displayed")
    seen = [o["id"] for o in a.objects() if o.get("result") == "displayed"]
    check(seen == [number], "%s", seen)


def test_long(lab):
    a = lab.offhook(name="a", transports=("udp", "tcp")).ready()
    b = lab.offhook(name="b", transports=("udp", "tcp")).ready()
    text = "0123456789" * 600
    a.command("message %s %s" % (b.uri, text))
    got = b.event("message.received")
    check(got["cut"] and text.startswith(got["text"]) and len(got["text"]) == 4095, "%s", len(got["text"]))


def test_refused(lab):
    b = lab.offhook("-a", "sip:bob@127.0.0.1", name="b").ready()
    check("404" in exits(lab.run("message", "sip:alice@127.0.0.1:%d" % b.port, "hi", "-l", "udp:127.0.0.1"), 7)[2],
          "another reason")
    exits(lab.run("-l", "udp:127.0.0.1", "--set", "sip-timeout=2", "message", "sip:x@127.0.0.1:%d" % ports(), "hi"), 9)
    exits(lab.run("-l", "udp:127.0.0.1", "message", "sip:x@127.0.0.1"), 2)


def ask(phone, ctype, body):
    """the status of a MESSAGE of that type, and what Accept says"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(5)
        me = "127.0.0.1:%d" % s.getsockname()[1]
        s.sendto(("MESSAGE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:me@%s>;tag=1\r\n"
                  "To: <sip:x@127.0.0.1>\r\nCall-ID: %d@x\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Type: %s\r\n"
                  "Content-Length: %d\r\n\r\n" % (me, hash(body) & 0xffffff, me, hash(body) & 0xffffff, ctype, len(body))
                  ).encode() + body, ("127.0.0.1", phone.port))
        lines = s.recv(4096).decode().split("\r\n")
    return int(lines[0].split()[1]), "".join(x for x in lines if x.startswith("Accept:"))


def test_bad_bodies(lab):
    b = lab.offhook(name="b").ready()
    check(ask(b, "text/plain", b"\xff\xfe") == (400, ""), "bytes that are no text are taken")
    status, accept = ask(b, "text/html", b"<b>")
    check(status == 415 and "text/plain" in accept and "message/cpim" in accept, "%s %s", status, accept)
    check(ask(b, "message/cpim", b"nothing") == (400, ""), "CPIM that is none")
    check(ask(b, "application/im-iscomposing+xml", b"<x") == (400, ""), "XML that is none")
    check(ask(b, "text/plain", b"\x1b[2J plain")[0] == 200, "controls are refused")
    check(b.event("message.received")["text"].endswith(" plain"), "another text")
    check(ask(b, "message/imdn+xml", b"<x") == (400, ""), "a report that is none")


CPIM = """From: Alice <im:alice@example.com>\r
To: <im:bob@example.com>\r
NS: imdn <urn:ietf:params:imdn>\r
imdn.Message-ID: %s\r
imdn.IMDN-Record-Route: <sip:relay@127.0.0.1:%d>\r
imdn.IMDN-Record-Route: "Another" <sip:other@192.0.2.7>\r
imdn.Original-To: <im:sales@example.com>\r
imdn.Disposition-Notification: positive-delivery, negative-delivery\r
\r
Content-Type: text/plain\r
\r
hello"""


def test_not_delivered(lab):
    """a server took the message and tells later that it could not be delivered"""
    a = lab.offhook(name="a").ready()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(30)
        me = "127.0.0.1:%d" % s.getsockname()[1]
        a.say("message sip:bob@%s --report hello" % me)
        data, peer = s.recvfrom(65536)
        text = data.decode()
        check("imdn.Disposition-Notification: positive-delivery, negative-delivery, display\r\n" in text, "%s", text)
        head = [x for x in text.split("\r\n\r\n")[0].split("\r\n") if x.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        s.sendto("\r\n".join(["SIP/2.0 202 Accepted"] + head + ["Content-Length: 0", "", ""]).encode(), peer)
        number = a.event("message.sent", result="sent", timeout=30)["id"]
        body = ("<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>%s</message-id><datetime>2026-11-30T10:00:00Z</datetime>"
                "<delivery-notification><status><failed/></status></delivery-notification></imdn>" %
                text.split("imdn.Message-ID: ")[1].split("\r\n")[0])
        s.sendto(("MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKfailed\r\nFrom: <sip:bob@%s>;tag=1\r\n"
                  "To: <%s>\r\nCall-ID: failed@x\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n"
                  "Content-Type: message/imdn+xml\r\nContent-Length: %d\r\n\r\n%s" % (
                      a.uri, me, me, a.uri, len(body), body)).encode(), peer)
        a.event("message.sent", id=number, result="failed", timeout=30)


def report_to(lab, sender, relay, known, inside=None):
    """the report on a message to bob, who knows this relay or nobody -> its text, who gets it first; inside: what
    the message is in place of a text"""
    port = relay.getsockname()[1]
    b = lab.offhook("-a", "sip:first@192.0.2.9;register=no", "-a", "sip:bob@office.example;register=no" +
                    (";outbound=127.0.0.1:%d" % port if known else "")).ready()
    me = "127.0.0.1:%d" % sender.getsockname()[1]
    body = (CPIM % ("34jk324j", port)).replace("text/plain\r\n\r\nhello", inside or "text/plain\r\n\r\nhello")
    sender.sendto(("MESSAGE sip:bob@office.example SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKroute\r\n"
                   "From: <sip:alice@%s>;tag=1\r\nTo: <sip:bob@office.example>\r\nCall-ID: route@x\r\nCSeq: 1 MESSAGE\r\n"
                   "Max-Forwards: 70\r\nContent-Type: message/cpim\r\nContent-Length: %d\r\n\r\n%s" % (
                       me, me, len(body), body)).encode("latin-1"), ("127.0.0.1", b.port))
    told = b.event("message.received")
    check(told["account"] == 2, "another account is told: %s", told)
    while True:
        text = (relay if known else sender).recv(65536).decode()
        if text.startswith("MESSAGE "):
            return text


def test_report_route(lab):
    """RFC 5438: a report goes as the account that was written to, by whom the
    message names; a stranger names nobody"""
    for known in (True, False):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
            for s in (sender, relay):
                s.bind(("127.0.0.1", 0))
                s.settimeout(30)
            text = report_to(lab, sender, relay, known)
            check("\r\nFrom: <sip:bob@office.example>" in text and "<message-id>34jk324j</message-id>" in text and
                  "\r\nContent-Disposition: notification\r\n" in text, "%s", text)
            to = "sip:relay@127.0.0.1:%d" % relay.getsockname()[1]
            routes = "imdn.IMDN-Route: <%s>\r\nimdn.IMDN-Route: <sip:other@192.0.2.7>\r\n" % to
            check("<recipient-uri>im:bob@example.com</recipient-uri>" in text and
                  "<original-recipient-uri>im:sales@example.com</original-recipient-uri>" in text, "%s", text)
            check((routes in text) == ("MESSAGE %s SIP" % to in text) == known and ("IMDN-Route" in text) == known,
                  "%s", text)


def test_report_of_failure(lab):
    """a picture, or letters of another alphabet, reach nobody here: who wants to know is told (RFC 5438 7.2)"""
    for inside, said in (("image/png\r\n\r\n\x01PNG", "failed"), ("text/plain\r\n\r\n\xe9t\xe9", "failed"),
                         ("text/html\r\n\r\n<b>hello</b>", "delivered")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
            for s in (sender, relay):
                s.bind(("127.0.0.1", 0))
                s.settimeout(30)
            text = report_to(lab, sender, relay, False, inside)
            check("<delivery-notification><status><%s/></status>" % said in text and
                  "<message-id>34jk324j</message-id>" in text, "%s: %s", inside, text)


if __name__ == "__main__":
    main(globals())
