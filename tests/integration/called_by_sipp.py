#!/usr/bin/env python3
"""SIPp calls offhook: what a callee has to bear"""
import re

import scenario
from lab import check, main, ports, wait_port
from scenario import (OUTSIDE, ack, ack_refused, answered, branch, bye, cancel, done, invite, ok, pause, recv,
                      request, response, sdp)

INSIDE = dict(uri="[next_url]", to="<sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]")


def to(phone):
    return "%s:%d" % ("[%s]" % phone.host if ":" in phone.host else phone.host, phone.port)


def call(lab, steps, phone, **kw):
    s = lab.sipp(steps, "-s", "phone", to=to(phone), host=phone.host, **kw)
    s.well()
    return s


def answering(lab, *args, **kw):
    return lab.offhook("--auto-answer", *args, **kw).ready()


def test_many_calls(lab):
    phone = answering(lab)
    lab.sipp(None, "-r", "20", "-d", "300", sn="uac", to=to(phone), calls=60).well()
    # the reply comes after the last call's end has been told
    check(phone.command("status").get("calls", 0) in (0, []), "calls left over: %s", phone.reply("calls"))
    check(len([o for o in phone.objects() if o.get("event") == "call.state" and o["state"] == "ended"]) == 60,
          "not 60 calls ended")


def test_tcp(lab):
    phone = answering(lab, transports=("tcp",))
    lab.sipp(None, "-r", "10", "-d", "200", sn="uac", to=to(phone), calls=10, transport="t1").well()


def test_ipv6(lab):
    phone = answering(lab, host="::1")
    call(lab, [invite()] + answered([("body", "IN IP6 ::1")]) + bye(), phone)


def test_hold_and_resume(lab):
    phone = answering(lab)
    s = lab.sipp([invite()] + answered() + [pause(200)] + [
        invite(sdp(direction="sendonly", version=2), 2, **INSIDE), recv(100, True),
        recv(200, checks=[("body", "a=recvonly")]), ack(2), pause(300),
        invite(sdp(version=3), 3, **INSIDE), recv(100, True),
        recv(200, checks=[("body", "a=sendrecv")]), ack(3), pause(100)] + bye(4), "-s", "phone", to=to(phone))
    phone.event("call.hold", remote=True)
    phone.event("call.hold", remote=False)
    s.well()


def test_hold_the_old_way(lab):
    """c=0.0.0.0, RFC 2543's hold"""
    phone = answering(lab)
    old = sdp(version=2).replace("[media_ip_type] [media_ip]", "4 0.0.0.0")
    s = lab.sipp([invite()] + answered() + [invite(old, 2, **INSIDE), recv(100, True), recv(200), ack(2),
                                            pause(200)] + bye(3), "-s", "phone", to=to(phone))
    phone.event("call.hold", remote=True)
    s.well()


def test_cancel_while_ringing(lab):
    phone = lab.offhook().ready()
    s = lab.sipp([invite(), recv(100, True), recv(180), cancel(), recv(200), recv(487), ack_refused()],
                 "-s", "phone", to=to(phone))
    phone.event("call.state", state="incoming")
    phone.event("call.state", state="ended", code=487)
    s.well()


def test_cancel_too_late(lab):
    """the 200 has gone out: CANCEL changes nothing, the call stands"""
    phone = answering(lab)
    call(lab, [invite(), recv(100, True), recv(180, True), recv(200), cancel(), recv(200), ack()] + bye(), phone)
    phone.event("call.state", state="active", again=True)


def test_cancel_of_nothing(lab):
    phone = answering(lab)
    call(lab, [cancel(), recv(481)], phone)


def received(s, first):
    """how often SIPp got a message that begins so; it swallows repetitions
    of the last one, so no scenario can count them"""
    with open(s.lab.path(s.name + ".msg"), encoding="utf-8", errors="replace") as f:
        return len(re.findall(r"message received[^\n]*\n\n%s" % re.escape(first), f.read()))


def test_lost_ack(lab):
    """no ACK ever comes: the 200 is repeated for 32 s, then BYE ends it"""
    phone = answering(lab)
    s = lab.sipp([invite(), recv(100, True), recv(180, True), recv(200), recv("BYE", timeout=40000), done()],
                 "-s", "phone", to=to(phone), timeout=60)
    phone.event("call.state", state="ended", timeout=50)
    s.well()
    times = received(s, "SIP/2.0 200")
    check(times >= 9, "200 came %d times", times)


test_lost_ack.limit = 80


def test_lost_200(lab):
    """the INVITE comes again: no second call; the 200 too, by its own timer
    (RFC 6026)"""
    phone = answering(lab)
    s = call(lab, [invite(retrans=None), recv(100, True), recv(180, True), recv(200), invite(retrans=None),
                   pause(700), ack()] + bye(), phone)
    check(received(s, "SIP/2.0 200 OK") >= 3, "the 200 was not repeated")
    check(len([o for o in phone.objects() if o.get("state") == "active"]) == 1, "more than one call")


def test_late_offer(lab):
    """INVITE without an offer: the 200 offers, the ACK answers"""
    phone = answering(lab)
    s = lab.sipp([invite(""), recv(100, True), recv(180, True),
                  recv(200, checks=[("body", "m=audio [0-9]+ RTP/AVP"), ("body", "opus/48000/2")]),
                  ack(body=sdp("0")), pause(300)] + bye(), "-s", "phone", to=to(phone))
    media = phone.event("call.media")
    check(media["codec"].lower() == "pcmu", "codec is %s", media)
    s.well()


def test_late_offer_without_answer(lab):
    """and the ACK has none: BYE"""
    phone = answering(lab)
    call(lab, [invite(""), recv(100, True), recv(180, True), recv(200), ack(), recv("BYE"), done()], phone)


def refused(lab, phone, body, code, name, **kw):
    call(lab, [invite(body, **kw), recv(100, True), recv(180, True), recv(code), ack_refused()], phone, name=name)


def test_offers_it_cannot_take(lab):
    phone = answering(lab)
    refused(lab, phone, sdp("3"), 488, "gsm")
    refused(lab, phone, sdp("0").replace("RTP/AVP", "RTP/SAVP"), 488, "srtp")
    refused(lab, phone, sdp("0").replace("m=audio", "m=video"), 488, "video")
    refused(lab, phone, "Hello", 415, "text", ctype="text/plain")
    call(lab, [invite("this is no session description\n"), recv(100, True), recv(180, True),
               '<recv response="400" optional="true" next="1"/><recv response="488"/>',
               '<label id="1"/>', ack_refused()], phone, name="garbage")
    call(lab, [invite()] + answered() + bye(), phone, name="after")


def test_odd_offers(lab):
    phone = answering(lab)
    two = sdp() + "m=video [media_port+2] RTP/AVP 96\na=rtpmap:96 VP8/90000\n"
    call(lab, [invite(two)] + answered([("body", "m=audio [1-9][0-9]*"), ("body", "m=video 0 ")]) + bye(),
         phone, name="two")
    odd = sdp("8 0", lines="a=rtpmap:8 pcma/8000/1\na=curious\na=x-odd:%00%ff;;;\n").replace(
        "t=0 0\n", "b=AS:64\nt=0 0\na=tool:none\n")
    call(lab, [invite(odd)] + answered([("body", "PCMA/8000")]) + bye(), phone, name="odd")
    high = sdp("127 126", lines="a=rtpmap:127 opus/48000/2\na=fmtp:127 useinbandfec=1\n"
               "a=rtpmap:126 telephone-event/48000\n")
    call(lab, [invite(high)] + answered([("body", "a=rtpmap:127 opus/48000/2"),
                                         ("body", "a=rtpmap:126 telephone-event/48000")]) + bye(), phone, name="high")
    way = sdp(direction="sendonly")
    call(lab, [invite(way)] + answered([("body", "a=recvonly")]) + bye(), phone, name="sendonly")
    way = sdp(direction="inactive")
    call(lab, [invite(way)] + answered([("body", "a=inactive")]) + bye(), phone, name="inactive")


def test_refusing(lab):
    phone = lab.offhook("--auto-answer=486").ready()
    call(lab, [invite(), recv(100, True), recv(486), ack_refused()], phone)
    phone = lab.offhook(name="second").ready()
    s = lab.sipp([invite(), recv(100, True), recv(180), recv(603), ack_refused()], "-s", "phone", to=to(phone),
                 name="declined")
    phone.event("call.state", state="incoming")
    phone.command("reject --code 603")
    s.well()


def test_methods_and_options(lab):
    phone = answering(lab)
    out = {**OUTSIDE, "headers": ["Accept: application/sdp"]}
    call(lab, [request("OPTIONS", 1, **out), recv(200, checks=[("Allow", "INVITE"), ("Accept", "application/sdp")])],
         phone, name="options")
    call(lab, [request("PUBLISH", 1, **OUTSIDE), recv(405, checks=[("Allow", "INVITE")])], phone, name="publish")
    call(lab, [request("BYE", 1, uri=OUTSIDE["uri"], to=OUTSIDE["to"] + ";tag=nobody"), recv(481)], phone,
         name="bye")
    call(lab, [invite(headers=["Require: nothing-we-know"]), recv(100, True),
               recv(420, checks=[("Unsupported", "nothing-we-know")]), ack_refused()], phone, name="require")


def test_requests_in_a_call(lab):
    phone = answering(lab)
    call(lab, [invite()] + answered() + [
        request("OPTIONS", 2), recv(200, checks=[("Allow", "BYE")]),
        invite(sdp("3", version=2), 3, **INSIDE), recv(100, True), recv(488), ack_refused(3),
        request("PUBLISH", 4), recv(405)] + bye(5) + [request("BYE", 6), recv(481)], phone)


def test_bye_from_us(lab):
    phone = answering(lab)
    s = lab.sipp([invite()] + answered() + [recv("BYE", timeout=10000), done()], "-s", "phone", to=to(phone))
    phone.event("call.state", state="active")
    phone.command("hangup")
    phone.event("call.state", state="ended")
    s.well()


def test_listen(lab):
    """listen --calls 2 --for T as a COMMAND: hangs up, ends by itself"""
    port = ports()
    phone = lab.offhook("listen", "--calls", "2", "--for", "500ms", port=port)
    wait_port("127.0.0.1", port)
    for name in ("one", "two"):
        call(lab, [invite()] + answered() + [recv("BYE", timeout=10000), done()], phone, name=name)
    check(phone.exit(10) in (0, 8), "exit code %d", phone.proc.returncode)


def test_our_hold_meets_491(lab):
    """our re-INVITE is refused with 491: it comes again by itself"""
    phone = answering(lab)
    s = lab.sipp([invite()] + answered() + [
        recv("INVITE", checks=[("body", "a=sendonly")], timeout=10000), response(491, "Request Pending", totag=False),
        recv("ACK"), recv("INVITE", checks=[("body", "a=sendonly")], timeout=10000),
        ok(sdp(direction="recvonly", version=2), totag=False), recv("ACK"), pause(200)] + bye(),
        "-s", "phone", to=to(phone))
    phone.event("call.state", state="active")
    phone.command("hold")
    phone.event("call.hold", timeout=15, local=True)
    s.well()


def test_unknown_user(lab):
    """with an account a stranger's name is 404"""
    phone = lab.offhook("--auto-answer", "-a", "sip:alice@127.0.0.1").ready()
    s = lab.sipp([invite(), recv(100, True), recv(404), ack_refused()], "-s", "bob", to=to(phone))
    s.well()
    lab.sipp([invite()] + answered() + bye(), "-s", "alice", to=to(phone), name="alice").well()


def test_merged_request(lab):
    """the same INVITE by another way: 482"""
    phone = lab.offhook().ready()
    other = invite(branch=branch(1) + "-other", tag=scenario.TAG, retrans=None)
    call(lab, [invite(retrans=None), recv(100, True), recv(180), other, recv(482),
               request("ACK", 1, uri=OUTSIDE["uri"], branch=branch(1) + "-other"),
               cancel(), recv(200), recv(487), ack_refused()], phone)


if __name__ == "__main__":
    main(globals())
