#!/usr/bin/env python3
"""What becomes of calls that come: refused or sent elsewhere, by hand and by
rule; and calls that run: agreed on anew, swapped."""
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
    check(not alice.reply("update")["ok"], "a call that is over is changed")


def test_dnd(lab):
    alice, bob = pair(lab, "--auto-answer")
    bob.command("dnd on")
    check(bob.command("status")["dnd"] is True, "status does not tell")
    for number, code in enumerate((480, 486, 600), 1):
        bob.command("set dnd-code %d" % code)
        alice.command("dial " + bob.uri)
        ended(alice, number, code=code)
        ended(bob, number, code=code, by="local")
    check(bob.command("status")["finished_calls"] == 0, "auto-answer saw them")
    bob.command("dnd off")
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    check(bob.command("status")["dnd"] is False, "status does not tell")


def test_forward_always(lab):
    alice, bob = pair(lab, "--auto-answer")
    carol = lab.offhook("--auto-answer", name="carol").ready()
    for bad in ("forward always http://x", "forward always ''", "forward always"):
        check(not bob.reply(bad)["ok"], "%s is done", bad)
    bob.command("dnd on")
    bob.command("forward always " + carol.uri)
    check(bob.command("status")["forwards"] == [{"when": "always", "target": carol.uri}], "status does not tell")
    status, headers = invite(bob)
    check(status.split()[1] == "302" and headers["Contact"] == "<%s>" % carol.uri, "%s %s", status, headers)
    check(headers["Diversion"] == "<%s>;reason=unconditional" % bob.uri, "%s", headers)
    alice.command("dial %s --redirects follow" % bob.uri)
    alice.command("wait call active 10")
    carol.event("call.state", state="active")
    bob.command("forward off")
    check(bob.command("status")["forwards"] == [], "it is not off")
    check(invite(bob, "2")[0].split()[1] == "480", "still sent elsewhere")


def test_forward_account(lab):
    bob = lab.offhook("-a", "sip:phone@127.0.0.1;register=no", name="bob").ready()
    bob.command("forward always sip:carol@127.0.0.1")
    check(invite(bob)[1]["Diversion"] == "<sip:phone@127.0.0.1>;reason=unconditional", "another address")


def test_forward_hostile(lab):
    """what a caller writes into To does not get out of Diversion"""
    bob = lab.offhook(name="bob").ready()
    bob.command("forward always sip:carol@127.0.0.1")
    uri, bob.uri = bob.uri, bob.uri + ";x=\"a"
    status, headers = invite(bob)
    check("\"" not in headers.get("Diversion", ""), "%s %s %s", uri, status, headers)


def test_forward_busy(lab):
    alice, bob = pair(lab, "--auto-answer")
    bob.command("forward busy sip:carol@127.0.0.1")
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    status, headers = invite(bob)
    check(status.split()[1] == "302" and headers["Diversion"].endswith(";reason=user-busy"), "%s", headers)
    bob.command("forward busy off")
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")


def test_forward_noanswer(lab):
    alice, bob = pair(lab)
    bob.command("forward noanswer sip:carol@127.0.0.1 --after 0.3")
    bob.rung = False
    status, headers = invite(bob)
    check(bob.rung and status.split()[1] == "302", "%s", status)
    check(headers["Diversion"].endswith(";reason=no-answer"), "%s", headers)
    # who is answered before stays
    alice.command("dial " + bob.uri)
    bob.event("call.state", call=2, state="incoming")
    bob.command("answer")
    alice.command("wait call active 10")
    bob.command("sleep 0.5")
    check(bob.command("calls")["calls"][0]["state"] == "active", "the call is over")


def test_forward_spares_transfers(lab):
    """a call that takes the place of another is nobody new"""
    alice, bob = pair(lab, "--auto-answer")
    carol = lab.offhook("--auto-answer", name="carol").ready()
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    alice.command("hold")
    alice.command("dial " + carol.uri)
    alice.command("wait call active 10")
    carol.command("forward busy sip:nobody@127.0.0.1:9")
    carol.command("dnd on")
    alice.command("transfer --call 1 --to 2", 20)
    carol.event("call.state", call=2, state="active")


def test_swap(lab):
    alice, bob = pair(lab, "--auto-answer")
    carol = lab.offhook("--auto-answer", name="carol").ready()
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    check(alice.reply("swap")["error"] == "wrong-state", "one call is swapped")
    alice.command("hold")
    alice.command("dial " + carol.uri)
    alice.command("wait call active 10")
    for held, talking in ((carol, bob), (bob, carol)):
        alice.command("swap", 20)
        held.event("call.hold", remote=True)
        talking.event("call.hold", remote=False)
    check([c["call"] for c in alice.command("calls")["calls"] if c["selected"]] == [2], "another is selected")


if __name__ == "__main__":
    main(globals())
