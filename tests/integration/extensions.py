#!/usr/bin/env python3
"""Extensions seen from outside, by SIPp and by phones: early dialogs that end
(RFC 6228), how a call was answered (5373), why it was refused (Warning), packages
of INFO (6086), histories (7044), calls that are parked and joined"""
from lab import check, main
from scenario import (ack_refused, answered, branch, bye, called, done, invite, ok, pause, recv, request,
                      response, ringing, sdp)


def to(phone):
    return "127.0.0.1:%d" % phone.port


# --- RFC 6228 ------------------------------------------------------------------

def refused(lab, headers, expected, name):
    phone = lab.offhook(name=name).ready()
    s = lab.sipp([invite(headers=headers), recv(100, True), recv(180)] + expected +
                 [recv(486), ack_refused()], "-s", "phone", to=to(phone), name="s" + name)
    phone.event("call.state", state="incoming")
    phone.command("reject --code 486")
    s.well()


def test_199(lab):
    """the caller hears at once that what has rung is over"""
    refused(lab, ["Supported: 199"], [recv(199, checks=[("Reason", "SIP;cause=486"), ("To", "tag=")])], "asked")


def test_199_unasked(lab):
    refused(lab, [], [], "plain")


def test_199_not_ringing(lab):
    """nothing was opened, so nothing is over"""
    phone = lab.offhook("--auto-answer=486").ready()
    lab.sipp([invite(headers=["Supported: 199"]), recv(100, True), recv(486), ack_refused()], "-s", "phone",
             to=to(phone)).well()


# --- RFC 5373 ------------------------------------------------------------------

def test_answer_mode(lab):
    """who has asked is told whether a person has answered"""
    phone = lab.offhook().ready()
    s = lab.sipp([invite(headers=["Answer-Mode: Manual"])] + answered(checks=[("Answer-Mode", "Manual")]) + bye(),
                 "-s", "phone", to=to(phone))
    phone.event("call.state", state="incoming")
    phone.command("answer")
    s.well()
    machine = lab.offhook("--auto-answer", name="machine").ready()
    lab.sipp([invite(headers=["Answer-Mode: Auto"])] + answered(checks=[("Answer-Mode", "Auto")]) + bye(),
             "-s", "phone", to=to(machine), name="auto").well()


def test_answer_mode_told(lab):
    """... and so are we"""
    phone = lab.offhook().ready()
    s = lab.sipp([called(checks=[("Answer-Mode", "Auto")]), ok(headers=["Answer-Mode: Auto"]), recv("ACK"),
                  recv("BYE", timeout=20000), done()], "-rtp_echo")
    phone.command("dial %s --intercom" % s.uri)
    check(phone.event("call.state", state="active").get("answer_mode") == "auto", "not told")
    phone.command("hangup")
    s.well()


# --- Warning ---------------------------------------------------------------------

def test_warning(lab):
    phone = lab.offhook().ready()
    lab.sipp([invite(sdp(formats="4")), recv(100, True), recv(488, checks=[("Warning", "305 [^ ]+ .*media")]),
              ack_refused()], "-s", "phone", to=to(phone)).well()
    strict = lab.offhook("-a", "sip:phone@127.0.0.1;register=no;media-security=require", name="strict").ready()
    lab.sipp([invite(), recv(100, True), recv(488, checks=[("Warning", "399 [^ ]+ .*protected")]), ack_refused()],
             "-s", "phone", to=to(strict), name="plain").well()


def test_warning_sips(lab):
    """RFC 5630: sips: by UDP, and sip: to who is reached by sips: alone"""
    phone = lab.offhook().ready()
    lab.sipp([invite(uri="sips:[service]@[remote_ip]:[remote_port]"), recv(480, checks=[("Warning", "380 ")]),
              request("ACK", 1, uri="sips:[service]@[remote_ip]:[remote_port]", branch=branch(1))], "-s", "phone",
             to=to(phone)).well()
    strict = lab.offhook("-a", "sips:phone@127.0.0.1;register=no", name="strict").ready()
    lab.sipp([invite(), recv(100, True), recv(480, checks=[("Warning", "381 ")]), ack_refused()], "-s", "phone",
             to=to(strict), name="plain").well()


# --- RFC 6086 --------------------------------------------------------------------

def test_info_packages(lab):
    """those that are asked for are told, others refused; INFO without one as ever"""
    phone = lab.offhook("--auto-answer", "-s", "info-packages=foo, bar").ready()
    s = lab.sipp([invite()] + answered(checks=[("Recv-Info", "foo, bar")]) + [
        request("INFO", 2, body="{}", headers=["Info-Package: bar"], ctype="application/json"), recv(200),
        request("INFO", 3, body="{}", headers=["Info-Package: quux"], ctype="application/json"),
        recv(469, checks=[("Recv-Info", "foo, bar")]),
        request("INFO", 4, body="{}", ctype="application/json"), recv(200)] + bye(5), "-s", "phone", to=to(phone))
    got = phone.event("call.info", package="bar")
    check(got["body"].strip() == "{}" and got["type"] == "application/json", "%s", got)
    s.well()
    phone.event("call.state", state="ended")
    told = [o.get("package", "") for o in phone.objects() if o.get("event") == "call.info"]
    check(told == ["bar", ""], "%s", told)


# --- RFC 7044 ----------------------------------------------------------------------

def test_history(lab):
    """a call of ours begins a history, unless it is anonymous"""
    phone = lab.offhook("-s", "history-info=yes").ready()
    s = lab.sipp([called(checks=[("History-Info", "sip:test@.*;index=1")]), response(486, "Busy Here"), recv("ACK")])
    phone.command("dial sip:test@%s" % s.uri.split("@")[-1].rstrip(">"))
    s.well()


# --- parked, joined, about -----------------------------------------------------------

def talking(lab, *args):
    """a talks to b, whom others may watch"""
    b = lab.offhook("--auto-answer", "-s", "watchers=yes", *args, name="b").ready()
    a = lab.offhook(name="a").ready()
    a.command("dial sip:phone@127.0.0.1:%d" % b.port)
    a.event("call.state", state="active")
    b.event("call.state", state="active")
    return a, b, lab.offhook(name="c").ready()


def test_rfc5359_2_15_call_park(lab):
    """a call that was answered at b is taken by c (RFC 5359 2.15)"""
    a, b, c = talking(lab)
    c.command("pickup sip:phone@127.0.0.1:%d --parked" % b.port)
    c.event("call.state", state="active")
    b.event("call.state", state="ended")
    a.event("call.state", call=2, state="active")
    check([x["call"] for x in a.command("calls")["calls"]] == [2], "a has another call")
    check(c.reply("pickup sip:phone@127.0.0.1:%d --parked" % b.port)["error"] == "no-call", "there is none any more")


def test_rfc5359_2_11_third_party_joins(lab):
    """c is let into the call of a and b (RFC 3911)"""
    a, b, c = talking(lab, "-s", "joins=accept")
    c.command("pickup sip:phone@127.0.0.1:%d --join" % b.port)
    c.event("call.state", state="active")
    b.event("call.conference", state="joined", call=2)
    check([x["state"] for x in a.command("calls")["calls"]] == ["active"], "a was left")


def test_about(lab):
    """a request outside of the call that is about it (RFC 4538)"""
    a, b, _ = talking(lab)
    there = lab.sipp([called(), response(486, "Busy Here"), recv("ACK")], name="there")
    r = a.reply("request REFER sip:phone@127.0.0.1:%d --about 1 --header 'Refer-To: <%s>'" % (b.port, there.uri))
    check(r.get("code") == 202, "%s", r)
    got = b.event("call.transfer", by="remote", state="accepted")
    check(got.get("call") == 1, "it is about no call: %s", got)
    there.well()
    r = a.reply("request REFER sip:phone@127.0.0.1:%d --about 7 --header 'Refer-To: <%s>'" % (b.port, there.uri))
    check(not r["ok"], "about a call that is none: %s", r)


def test_cancel_says_why(lab):
    """nobody answers, and the CANCEL says so (RFC 3326)"""
    phone = lab.offhook("-s", "ring-timeout=1s").ready()
    s = lab.sipp([called(), ringing(),
                  recv("CANCEL", checks=[("Reason", "SIP;cause=408")], timeout=20000), done()])
    phone.command("dial " + s.uri)
    phone.event("call.state", state="ended", cause="no-answer")
    s.well()


# --- what a call alone is to use -----------------------------------------------------

BY_HAND = """v=0
o=- 1 1 IN {family} {address}
s=by hand
c=IN {family} {address}
t=0 0
m=audio {port} RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
a=rtcp:{rtcp-port}
a=x-made-by:hand
"""


def test_description_by_hand(lab):
    """an offer that the user has written goes out as it is, and he is told what is wrong with it"""
    phone = lab.offhook(audio="tone:440").ready()
    s = lab.sipp([called(checks=[("body", "a=x-made-by:hand"), ("body", "m=audio [1-9][0-9]+ RTP/AVP 0 101"),
                                 ("body", "c=IN IP4 127.0.0.1"), ("Content-Type", "application/sdp")]),
                  ok(), recv("ACK"), recv("BYE", timeout=20000), done()], "-rtp_echo", name="good")
    r = phone.command("dial %s --sdp-file %s" % (s.uri, lab.file("good.sdp", BY_HAND)))
    check(not r.get("findings"), "%s", r)
    phone.event("call.state", call=1, state="active")
    phone.event("call.quality", call=1, timeout=20)
    check(phone.command("stats 1")["packets_received"] > 0, "no sound came")
    r = phone.command("sdp 1")
    lines = {x["text"]: (x["in"], x["media"]) for x in r["lines"]}
    check(r["offer_by"] == "local" and r["answered"] and lines["a=x-made-by:hand"] == ("offer", 1) and
          lines["v=0"] == ("both", 0) and lines["a=ptime:20"] == ("answer", 1), "%s", r)
    phone.command("hangup 1")
    s.well()
    s = lab.sipp([called(checks=[("body", "o=nobody"), ("body", "RTP/AVP 0 96")]), response(488, "Not Acceptable Here"),
                  recv("ACK")], name="bad")
    bad = BY_HAND.replace("o=- 1 1", "o=nobody").replace("0 101", "0 96").replace("t=0 0\n", "")
    r = phone.command("dial %s --sdp-file %s" % (s.uri, lab.file("bad.sdp", bad)))
    told = [(x.get("line"), x["text"].split(":")[0]) for x in r["findings"]]
    check((2, "o= has six words, as in o=- 1 1 IN IP4 192.0.2.1") in told and
          (6, "payload type 101 is not in the m= line") in told and
          (5, "t= is missing") in told and len(told) == 4, "%s", told)
    end = phone.event("call.state", call=2, state="ended")
    check(end["code"] == 488, "%s", end)
    s.well()
    for wrong, token in (("/nonexistent", "no-such-file"), (lab.file("good.sdp", BY_HAND) + " --late-offer", "bad-argument")):
        r = phone.reply("dial sip:x@127.0.0.1:9 --sdp-file " + wrong)
        check(r["error"] == token, "%s", r)


def test_described_by_hand_in_a_call(lab):
    """so may the answer be, and what is offered while the call lasts: the one next description"""
    phone = lab.offhook(audio="tone:440").ready()
    own, good = ("body", "a=x-made-by:hand"), lab.file("good.sdp", BY_HAND)
    s = lab.sipp([invite(headers=["Allow: INVITE, ACK, BYE, CANCEL, UPDATE"])] + answered(
                  checks=[own, ("body", "m=audio [1-9][0-9]+ RTP/AVP 0 101")]) + [
                  recv("INVITE", checks=[own], timeout=20000), ok(sdp(version=2), totag=False), recv("ACK"),
                  recv("UPDATE", checks=[own], timeout=20000), response(200, "OK", sdp(version=3), totag=False),
                  recv("INVITE", checks=[("body", "s=-")], timeout=20000), ok(sdp(version=4), totag=False),
                  recv("ACK"), recv("BYE", timeout=20000), done()], "-s", "phone", "-rtp_echo", to=to(phone))
    phone.event("call.state", call=1, state="incoming")
    r = phone.command("answer --sdp-file " + good)
    check(not r.get("findings"), "%s", r)
    phone.event("call.state", call=1, state="active")
    bad = lab.file("bad.sdp", BY_HAND.replace("t=0 0\n", ""))
    for line in ("reinvite --sdp-file " + bad, "update --sdp-file " + bad):
        r = phone.command(line)
        check([x["text"].split(":")[0] for x in r["findings"]] == ["t= is missing"], "%s", r)
    phone.command("reinvite")
    for line in ("reinvite --late-offer --sdp-file " + good, "update --bare --sdp-file " + good):
        r = phone.reply(line)
        check(r["error"] == "bad-argument", "%s", r)
    phone.command("hangup 1")
    s.well()


def test_direction_and_codecs(lab):
    """offered for one call, changed while it lasts, taken back when it is refused"""
    phone = lab.offhook("-s", "codecs=pcma,pcmu").ready()
    s = lab.sipp([called(checks=[("body", "RTP/AVP 0 "), ("body", "a=recvonly")]),
                  ok(sdp(direction="sendonly")), recv("ACK"),
                  recv("INVITE", checks=[("body", "RTP/AVP 8 "), ("body", "a=sendrecv")], timeout=20000),
                  ok(sdp(formats="8 101", version=2), totag=False), recv("ACK"),
                  recv("INVITE", checks=[("body", "a=inactive")], timeout=20000),
                  response(488, "Not Acceptable Here", totag=False), recv("ACK"),
                  recv("INVITE", checks=[("body", "RTP/AVP 8 "), ("body", "a=sendrecv")], timeout=20000),
                  ok(sdp(formats="8 101", version=3), totag=False), recv("ACK"),
                  recv("BYE", timeout=20000), done()])
    phone.command("dial %s --codecs pcmu --direction recvonly" % s.uri)
    got = phone.event("call.media", codec="pcmu")
    check(got["direction"] == "recvonly", "%s", got)
    phone.command("reinvite --codecs pcma --direction sendrecv")
    got = phone.event("call.media", codec="pcma")
    check(got["direction"] == "sendrecv", "%s", got)
    r = phone.reply("reinvite --direction inactive", 20)
    check(r.get("error") == "refused", "%s", r)
    phone.command("reinvite")
    check(not phone.reply("reinvite --codecs none")["ok"], "a codec that is none")
    phone.command("hangup")
    s.well()


if __name__ == "__main__":
    main(globals())
