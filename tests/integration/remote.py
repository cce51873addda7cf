#!/usr/bin/env python3
"""Others have a say in our calls: servers by talk and hold, voice mail, calls
that are picked up, joined, or heard before they are answered"""
from lab import Failed, check, main
from scenario import (OUTSIDE, TAG, ack_refused, answered, branch, bye, called, cancel, done, invite, ok, pause, recv,
                      request, response, sdp)

ACCOUNT = "sip:phone@127.0.0.1;register=no"
SERVED = ACCOUNT + ";outbound=127.0.0.1:9"


def to(phone):
    return "127.0.0.1:%d" % phone.port


def notify(cseq, event, **kw):
    return request("NOTIFY", cseq, headers=["Event: " + event, "Subscription-State: active"], **kw)


# --- talk and hold -------------------------------------------------------------

def test_talk_and_hold(lab):
    """the server answers, holds and resumes the call"""
    phone = lab.offhook("-a", ACCOUNT + ";remote-control").ready()
    s = lab.sipp([invite(), recv(100, True), recv(180), notify(2, "talk"),
                  recv(200, timeout=10000), recv(200, timeout=10000), request("ACK", 1), pause(200),
                  notify(3, "hold"), recv(200), recv("INVITE", checks=[("body", "a=sendonly")], timeout=10000),
                  ok(sdp(direction="recvonly", version=2), totag=False), recv("ACK"), pause(200),
                  notify(4, "talk"), recv(200), recv("INVITE", checks=[("body", "a=sendrecv")], timeout=10000),
                  ok(sdp(version=3), totag=False), recv("ACK"), pause(200)] + bye(5), "-s", "phone", to=to(phone))
    phone.event("call.state", state="active")
    phone.event("call.hold", local=True)
    phone.event("call.hold", local=False)
    s.well()


def test_talk_is_not_for_all(lab):
    phone = lab.offhook("-a", ACCOUNT).ready()
    lab.sipp([invite(), recv(100, True), recv(180), notify(2, "talk"), recv(489), cancel(), recv(200), recv(487),
              ack_refused()], "-s", "phone", to=to(phone)).well()
    lab.sipp([notify(1, "talk", branch=branch(1), **OUTSIDE), recv(481)], "-s", "phone", to=to(phone),
             name="lone").well()


# --- voice mail ------------------------------------------------------------------

SUMMARY = "Messages-Waiting: yes\nMessage-Account: sip:vm@127.0.0.1:9\nVoice-Message: 2/8 (1/0)\n"


def test_voice_mail(lab):
    """an account with mwi=yes subscribes by itself (RFC 3842)"""
    s = lab.sipp([recv("SUBSCRIBE", checks=[("Event", "message-summary"), ("Accept", "simple-message-summary")],
                       keep=[("caller", "From")]),
                  response(200, "OK", headers=["Expires: 3600"]),
                  "<send retrans=\"500\"><![CDATA[\n\nNOTIFY [next_url] SIP/2.0\n"
                  "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
                  "From: <sip:phone@127.0.0.1>;tag=%s\nTo:[$caller]\nCall-ID: [call_id]\nCSeq: 1 NOTIFY\n"
                  "Contact: <sip:test@[local_ip]:[local_port]>\nMax-Forwards: 70\nEvent: message-summary\n"
                  "Subscription-State: active;expires=3600\nContent-Type: application/simple-message-summary\n"
                  "Content-Length: [len]\n\n%s\n]]></send>" % (TAG, SUMMARY), recv(200),
                  recv("SUBSCRIBE", checks=[("Expires", "0")], timeout=20000), response(200, "OK", totag=False,
                                                                                       headers=["Expires: 0"])])
    phone = lab.offhook("-a", ACCOUNT + ";mwi;outbound=127.0.0.1:%d" % s.port).ready()
    seen = phone.event("mwi", waiting=True)
    check(seen["new"] == 2 and seen["old"] == 8 and seen["urgent"] == 1 and seen["account"] == 1, "%s", seen)
    row = phone.command("accounts")["accounts"][0]
    check(row.get("voicemail_new") == 2 and row.get("voicemail") == "sip:vm@127.0.0.1:9", "%s", row)
    phone.command("voicemail")
    check(phone.event("call.state", state="calling")["peer"] == "sip:vm@127.0.0.1:9", "another peer")
    phone.command("account remove phone@127.0.0.1")
    s.well()


def test_voice_mail_unasked(lab):
    """told without a subscription: believed from the account's server alone"""
    steps = [request("NOTIFY", 1, headers=["Event: message-summary", "Subscription-State: active"], body=SUMMARY,
                     ctype="application/simple-message-summary", branch=branch(1), **OUTSIDE)]
    phone = lab.offhook("-a", SERVED).ready()
    lab.sipp(steps + [recv(200)], "-s", "phone", to=to(phone)).well()
    check(phone.event("mwi")["new"] == 2, "not told")
    other = lab.offhook("-a", ACCOUNT, name="other").ready()
    lab.sipp(steps + [recv(481)], "-s", "phone", to=to(other), name="stranger").well()


# --- early sound -------------------------------------------------------------------

def test_early(lab):
    """answer --early: 183 with sound, then 200 with the same description"""
    phone = lab.offhook("-a", SERVED, audio="tone:440").ready()
    s = lab.sipp([invite(), recv(100, True), recv(180), recv(183, checks=[("body", "m=audio")]),
                  recv(200, timeout=10000, checks=[("body", "m=audio")]), request("ACK", 1), pause(100)] + bye(),
                 "-s", "phone", "-rtp_echo", to=to(phone))
    phone.event("call.state", state="incoming")
    phone.command("answer --early")
    phone.event("call.media", direction="sendrecv")
    check(phone.reply("answer --early")["error"] == "already", "twice")
    check(phone.command("calls")["calls"][0]["state"] == "incoming", "answered")
    phone.command("answer")
    phone.event("call.state", state="active")
    s.well()


def test_listen_early(lab):
    phone = lab.offhook("-a", SERVED).ready()
    phone.command("listen --early --after 500ms --tone 440")
    s = lab.sipp([invite(), recv(100, True), recv(183, checks=[("body", "m=audio")]), recv(200), request("ACK", 1),
                  pause(100)] + bye(), "-s", "phone", to=to(phone))
    s.well()
    phone.event("call.media")
    check(phone.event("call.state", state="active"), "not answered")


def test_early_by_prack(lab):
    """a PRACK shows that somebody is there: sound goes out before the answer"""
    phone = lab.offhook(audio="tone:440").ready()
    s = lab.sipp([invite(headers=["Supported: 100rel"]), recv(100, True), recv(180, True),
                  recv(183, checks=[("Require", "100rel")], keep=[("rseq", "RSeq")]),
                  request("PRACK", 2, headers=["RAck:[$rseq] 1 INVITE"]), recv(200),
                  recv(200, timeout=10000), request("ACK", 1), pause(100)] + bye(3), "-s", "phone", to=to(phone))
    phone.event("call.state", state="incoming")
    phone.command("answer --early")
    phone.command("sleep 0.5")
    sent = phone.command("stats").get("packets_sent", 0)
    check(sent > 5, "%s packets of early sound", sent)
    phone.command("answer")
    s.well()


# --- picked up -------------------------------------------------------------------------

def three(lab, *args):
    return [lab.offhook(*args, name=n).ready() for n in "abc"]


def test_rfc5359_2_16_call_pickup(lab):
    """a rings at b, c takes the call (RFC 5359 2.16)"""
    a, c = (lab.offhook(name=n).ready() for n in "ac")
    b = lab.offhook("-s", "watchers=yes", name="b").ready()
    a.command("dial sip:phone@127.0.0.1:%d" % b.port)
    b.event("call.state", state="incoming")
    a.event("call.state", state="ringing")
    n = c.command("pickup sip:phone@127.0.0.1:%d" % b.port)["call"]
    c.event("call.state", state="active", call=n)
    b.event("call.state", state="ended")
    a.event("call.state", state="active")
    c.command("hangup")
    a.event("call.state", state="ended", call=2)


def test_pickup_of_nothing(lab):
    c = lab.offhook(name="c").ready()
    b = lab.offhook("-s", "watchers=yes", name="b").ready()
    r = c.reply("pickup sip:phone@127.0.0.1:%d" % b.port)
    check(r.get("error") == "no-call", "%s", r)
    shut = lab.offhook(name="shut").ready()
    r = c.reply("pickup sip:phone@127.0.0.1:%d" % shut.port)
    check(r.get("ok") is False and "does not tell" in r["text"], "%s", r)


# --- joined ------------------------------------------------------------------------------

def joined(lab, *args):
    """a talks to b; c knows their dialog -> the three, and the INVITE's Join"""
    b = lab.offhook("-s", "watchers=yes", *args, name="b").ready()
    a = lab.offhook(name="a").ready()
    a.command("dial sip:phone@127.0.0.1:%d" % b.port)
    b.event("call.state", state="incoming")
    b.command("answer")
    a.event("call.state", state="active")
    c = lab.offhook(name="c").ready()
    c.command("subscribe dialog sip:phone@127.0.0.1:%d" % b.port)
    body = c.event("subscription.notify")["body"]

    def attr(name):
        return body.split(name + '="')[1].split('"')[0]
    return a, b, c, "Join: %s;to-tag=%s;from-tag=%s" % (attr("call-id"), attr("local-tag"), attr("remote-tag"))


def test_join(lab):
    """Join (RFC 3911): let in, all three are together"""
    a, b, c, header = joined(lab, "-s", "joins=accept")
    c.command("dial sip:phone@127.0.0.1:%d --header '%s'" % (b.port, header))
    c.event("call.state", state="active")
    check(b.event("call.state", state="incoming", call=2)["joins"] == 1, "not told")
    b.event("call.conference", state="joined", call=2)
    a.command("hangup")
    b.event("call.state", state="ended", call=1)


def test_join_denied(lab):
    a, b, c, header = joined(lab, "-s", "joins=deny")
    c.command("dial sip:phone@127.0.0.1:%d --header '%s'" % (b.port, header))
    check(c.event("call.state", state="ended")["code"] == 488, "let in")
    c.command("dial sip:phone@127.0.0.1:%d --header 'Join: x;to-tag=1;from-tag=2'" % b.port)
    check(c.event("call.state", state="ended")["code"] == 481, "no such dialog")


def test_target_dialog(lab):
    """REFER outside of the dialog that it is about (RFC 4538)"""
    _, b, c, header = joined(lab)
    there = lab.sipp([called(), response(486, "Busy Here"), recv("ACK")], name="there")
    header = header.replace("Join:", "Target-Dialog:").replace("to-tag", "local-tag").replace("from-tag", "remote-tag")
    r = c.reply("request REFER sip:phone@127.0.0.1:%d --header 'Refer-To: <%s>' --header '%s' --header 'Supported: tdialog'" %
            (b.port, there.uri, header))
    check(r.get("ok"), "%s", r)
    seen = b.event("call.transfer", by="remote")
    check(seen.get("call") == 1 and seen["target"] == there.uri, "%s", seen)
    there.well()
    c.reply("request REFER sip:phone@127.0.0.1:%d --header 'Refer-To: <%s>' --header 'Target-Dialog: x;local-tag=1;"
            "remote-tag=2'" % (b.port, there.uri))
    seen = b.event("call.transfer", by="remote", state="asked")
    check("call" not in seen, "it is about no call: %s", seen)


def test_redirect_takes_the_ringing_call(lab):
    """with a call of ours selected `redirect` means the one that rings"""
    phone = lab.offhook().ready()
    there = lab.sipp([called(), ok(), recv("ACK"), recv("BYE", timeout=30000), done()], name="there")
    phone.command("dial " + there.uri)
    phone.event("call.state", state="active")
    s = lab.sipp([invite(), recv(100, True), recv(180), recv(302, timeout=10000, checks=[("Contact", "sip:x@y")]),
                  ack_refused()], "-s", "phone", to=to(phone))
    phone.event("call.state", state="incoming")
    phone.command("redirect sip:x@y")
    s.well()
    phone.command("hangup")
    there.well()


if __name__ == "__main__":
    main(globals())
