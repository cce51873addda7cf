#!/usr/bin/env python3
"""Reliable provisional responses, UPDATE, session timers, redirects: with SIPp at the other end"""
from lab import check, main, ports
from scenario import (ack, ack_refused, back, bye, called, invite, later, ok, pause, recv, request, response,
                      ringing, sdp)

RELIABLE = ["Require: 100rel", "RSeq: 7"]
CAN = ["Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE"]


def to(phone):
    return "%s:%d" % (phone.host, phone.port)


def dial(lab, callee, *args, options=()):
    return lab.run("-A", "tone:440", "-l", "udp:127.0.0.1:%d" % ports(), *options, "dial", callee.uri, *args)


def fine(got, wanted=0):
    code, out, err = got
    check(code == wanted, "exit code %d, not %d\n%s%s", code, wanted, out, err)


def prack(rseq):
    return recv("PRACK", checks=[("RAck", "%d [0-9]+ INVITE" % rseq)])


def fine_200():
    return response(200, "OK", totag=False)


def test_prack_sent(lab):
    """the answer in a reliable 183, another 180 behind it, nothing in the 200"""
    s = lab.sipp([called("caller", "via", "cseq", checks=[("Supported", "100rel")]),
                  response(183, "Session Progress", sdp(), RELIABLE), prack(7), fine_200(),
                  later(180, "Ringing", headers=["Require: 100rel", "RSeq: 8"]),
                  prack(8), fine_200(), pause(300), later(200, "OK", retrans=500),
                  recv("ACK"), recv("BYE"), fine_200()], "-rtp_echo")
    fine(dial(lab, s, "--for", "700ms"))
    s.well()


def test_prack_with_answer(lab):
    """a late offer of ours: the peer offers in a reliable 183, we answer in the PRACK"""
    s = lab.sipp([called("caller", "via", "cseq", checks=[("Content-Length", "0")]),
                  response(183, "Session Progress", sdp(), RELIABLE),
                  recv("PRACK", checks=[("RAck", "7 [0-9]+ INVITE"), ("body", "m=audio")]), fine_200(),
                  later(200, "OK", retrans=500), recv("ACK"), recv("BYE"), fine_200()],
                 "-rtp_echo")
    fine(dial(lab, s, "--late-offer", "--for", "700ms"))
    s.well()


def test_reliable_required(lab):
    s = lab.sipp([called(checks=[("Require", "100rel")]),
                  response(420, "Bad Extension", headers=["Unsupported: 100rel"]), recv("ACK")])
    fine(dial(lab, s, "--reliable", "required"), 3)
    s.well()


def test_update_early(lab):
    """the peer changes its mind before it answers"""
    s = lab.sipp([called("caller", "via", "cseq"), response(183, "Session Progress", sdp(), RELIABLE + CAN), prack(7),
                  fine_200(), back("UPDATE", 10, sdp("8", version=2)), recv(200, checks=[("body", "PCMA")]),
                  later(200, "OK", retrans=500), recv("ACK"), recv("BYE"),
                  fine_200()], "-rtp_echo")
    fine(dial(lab, s, "--for", "700ms"))
    s.well()


def test_update_in_call(lab):
    phone = lab.offhook("--auto-answer").ready()
    lab.sipp([invite(headers=CAN), recv(100, True), recv(180, True), recv(200, checks=[("Allow", "UPDATE")]), ack(),
              request("UPDATE", 2, body=sdp(direction="sendonly", version=2)),
              recv(200, checks=[("body", "a=recvonly")]), request("UPDATE", 3), recv(200)] + bye(4),
             "-s", "phone", to=to(phone), host=phone.host).well()
    phone.event("call.hold", remote=True)


def test_prack_received(lab):
    """what rings here rings reliably when the caller insists"""
    phone = lab.offhook("-e", "listen --after 500ms").ready()
    lab.sipp([invite(headers=["Require: 100rel"]), recv(100, True),
              recv(180, checks=[("Require", "100rel")], keep=[("rseq", "RSeq")]),
              request("PRACK", 2, headers=["RAck:[$rseq] 1 INVITE"]), recv(200), recv(200), ack()] + bye(3),
             "-s", "phone", to=to(phone), host=phone.host).well()


def test_reliable_off(lab):
    phone = lab.offhook("--auto-answer", "-s", "reliable=off").ready()
    lab.sipp([invite(headers=["Require: 100rel"]), recv(100, True),
              recv(420, checks=[("Unsupported", "100rel")]), ack_refused()], "-s", "phone", to=to(phone),
             host=phone.host).well()


def test_interval_too_small(lab):
    """422, and the INVITE again with what it says"""
    s = lab.sipp([called(checks=[("Session-Expires", "120")]),
                  response(422, "Session Interval Too Small", headers=["Min-SE: 3600"]), recv("ACK"),
                  called(checks=[("Session-Expires", "3600"), ("Min-SE", "3600")]), ok(), recv("ACK"), recv("BYE"),
                  fine_200()], "-rtp_echo")
    fine(dial(lab, s, "--for", "500ms", options=["-s", "session-expires=2m"]))
    s.well()


def test_interval_agreed(lab):
    phone = lab.offhook("--auto-answer").ready()
    lab.sipp([invite(headers=["Supported: timer", "Session-Expires: 60"]), recv(100, True),
              recv(422, checks=[("Min-SE", "90")]), ack_refused(),
              invite(cseq=2, headers=["Supported: timer", "Session-Expires: 600;refresher=uac"]), recv(100, True),
              recv(180, True), recv(200, checks=[("Session-Expires", "600;refresher=uac"), ("Require", "timer")]),
              ack(2)] + bye(3), "-s", "phone", to=to(phone), host=phone.host).well()


def test_redirects(lab):
    """to the best first, then to the next; or nowhere"""
    best = lab.sipp([called(), response(480, "Temporarily Unavailable"), recv("ACK")], name="best")
    good = lab.sipp([called(), ringing(), ok(), recv("ACK"), recv("BYE"), fine_200()], "-rtp_echo", name="good")
    here = lab.sipp([called(), response(300, "Multiple Choices", headers=[
        "Contact: <%s>;q=0.5, <%s>;q=0.9" % (good.uri, best.uri)]), recv("ACK")], name="here")
    fine(dial(lab, here, "--for", "500ms"))
    here.well()
    best.well()
    good.well()

    here = lab.sipp([called(), response(302, "Moved Temporarily", headers=["Contact: <%s>" % good.uri]),
                     recv("ACK")], name="again")
    fine(dial(lab, here, "--redirects", "deny"), 3)
    here.well()


def test_redirected(lab):
    """a call that rings here is sent elsewhere"""
    phone = lab.offhook().ready()
    s = lab.sipp([invite(), recv(100, True), recv(180, True),
                  recv(302, checks=[("Contact", "sip:there@192.0.2.1")]), ack_refused()], "-s", "phone",
                 to=to(phone), host=phone.host)
    phone.event("call.state", state="incoming")
    phone.command("redirect sip:there@192.0.2.1")
    s.well()


def test_reason(lab):
    """a CANCEL that says who has answered"""
    phone = lab.offhook().ready()
    s = lab.sipp([invite(), recv(100, True), recv(180),
                  request("CANCEL", 1, uri="sip:[service]@[remote_ip]:[remote_port]",
                          to="<sip:[service]@[remote_ip]:[remote_port]>", branch="z9hG4bK-[pid]-[call_number]-1",
                          headers=['Reason: SIP;cause=200;text="Call completed elsewhere"']),
                  recv(200), recv(487), ack_refused()], "-s", "phone", to=to(phone), host=phone.host)
    got = phone.event("call.state", state="ended")
    check(got["text"] == "Answered elsewhere.", "%s", got)
    s.well()


if __name__ == "__main__":
    main(globals())
