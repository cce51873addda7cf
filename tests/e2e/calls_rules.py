#!/usr/bin/env python3
"""What becomes of calls that come: refused or sent elsewhere by hand; and
calls that run: agreed on anew."""
import socket

from home import check, main, ports


def pair(lab, *bob_args):
    """alice and bob, who rings"""
    alice = lab.offhook(name="alice").ready()
    bob = lab.offhook(*bob_args, name="bob").ready()
    return alice, bob


def invite(phone, tag="1"):
    """the final answer to an INVITE written by hand: status line, headers"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(10)
        me = "127.0.0.1:%d" % s.getsockname()[1]
        sdp = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
               "m=audio %d RTP/AVP 0\r\n" % ports(2))
        dialog = ("From: <sip:me@%s>;tag=%s\r\nCall-ID: %s@%s\r\nMax-Forwards: 70\r\n" % (me, tag, tag, me))
        via = "Via: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\n" % (me, tag)
        s.sendto(("INVITE %s SIP/2.0\r\n%sTo: <%s>\r\n%sCSeq: 1 INVITE\r\nContact: <sip:me@%s>\r\n"
                  "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s"
                  % (phone.uri, via, phone.uri, dialog, me, len(sdp), sdp)).encode(), ("127.0.0.1", phone.port))
        while True:
            lines = s.recv(8192).decode().split("\r\n")
            if int(lines[0].split()[1]) < 200:
                if lines[0].split()[1] == "180":
                    phone.rung = True
                continue
            to = next(x for x in lines if x.startswith("To:"))
            s.sendto(("ACK %s SIP/2.0\r\n%s%s\r\n%sCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
                      % (phone.uri, via, to, dialog)).encode(), ("127.0.0.1", phone.port))
            return lines[0], {k: v for k, _, v in (x.partition(": ") for x in lines[1:] if ": " in x)}


def ended(phone, call=1, **fields):
    return phone.event("call.state", again=True, call=call, state="ended", **fields)


def test_reject(lab):
    alice, bob = pair(lab)
    alice.command("dial " + bob.uri)
    bob.event("call.state", state="incoming")
    bob.command("reject --code 480 --reason 'back at five' --header 'Retry-After: 60'")
    got = ended(alice, code=480)
    check(got["reason"] == "back at five", "%s", got)
    ended(bob, code=480, by="local")
    check(bob.reply("reject")["error"] == "no-call", "rejected again")


def test_redirect(lab):
    alice, bob = pair(lab)
    carol = lab.offhook("--auto-answer", name="carol").ready()
    alice.command("dial %s --redirects follow" % bob.uri)
    bob.event("call.state", state="incoming")
    check(bob.reply("redirect http://x")["ok"] is False, "a call goes to the web")
    bob.command("redirect " + carol.uri)
    ended(bob, code=302)
    check(alice.event("call.redirect", state="followed", code=302)["target"] == carol.uri, "elsewhere")
    alice.command("wait call active 10")
    carol.event("call.state", state="active")


def test_again(lab):
    alice, bob = pair(lab, "--auto-answer")
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    for line, method in (("update", "UPDATE"), ("update --bare", "UPDATE"), ("reinvite", "INVITE"),
                         ("reinvite --late-offer", "INVITE")):
        alice.command(line)
        check(alice.event("call.update")["method"] == method, "%s: another method", line)
    check(alice.command("calls")["calls"][0]["state"] == "active", "the call is over")
    alice.command("hangup")
    ended(alice)
    check(alice.reply("update")["error"] == "no-call", "a call that is over is changed")


if __name__ == "__main__":
    main(globals())
