#!/usr/bin/env python3
"""The example flows of RFC 3665, RFC 5359, RFC 3262, RFC 3311 and RFC 4028 with
SIPp in the other parts, each test named after its section. What is between two
proxies there is one SIPp with their Record-Routes and Vias; flows that need
name servers or a real proxy are in names.py, servers.py and registrar.py."""
from lab import check, main, ports
from scenario import (ack, ack_refused, answered, back, bye, called, cancel, done, invite, later, ok, pause, recv,
                      request, response, ringing, sdp)

REALM = 'Digest realm="%s", qop="auth", nonce="ea9c8e88df84f1cec4341ae6cbe5a359", opaque="", algorithm=MD5'
ROUTES = ["Record-Route: <sip:[local_ip]:[local_port];lr>, <sip:ss1.atlanta.example.com;lr>"]
INSIDE = dict(uri="[next_url]", to="<sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]")


def to(phone):
    return "127.0.0.1:%d" % phone.port


def caller(lab, steps, phone, **kw):
    """SIPp plays alice"""
    return lab.sipp(steps, "-s", "phone", to=to(phone), host=phone.host, **kw)


def dial(lab, callee, *args, options=(), code=0):
    """offhook plays alice"""
    got, out, err = lab.run("-A", "tone:440", "-l", "udp:127.0.0.1:%d" % ports(), *options, "dial", callee.uri, *args)
    check(got == code, "exit code %d, not %d\n%s%s", got, code, out, err)


def account(server, *params, user="bob", password="zanzibar"):
    return ";".join(["sip:%s@%s" % (user, to(server)), "password=" + password] + list(params))


def registered(phone, **kw):
    return phone.event("account.state", state="registered", **kw)


def register(*checks, **kw):
    return recv("REGISTER", checks=checks, timeout=15000, **kw)


CHALLENGED = [recv("REGISTER", timeout=15000), response(401, "Unauthorized", headers=[
    "WWW-Authenticate: " + REALM % "atlanta.example.com"])]
ANSWERED = ("Authorization", 'username="bob".*realm="atlanta.example.com"')
MINE = "Contact: <sip:bob@%s>;expires=%d"


def bindings(port, expires=7200, *more):
    return response(200, "OK", headers=[MINE % ("127.0.0.1:%d" % port, expires)] + ["Contact: " + x for x in more])


# --- RFC 3665 section 2: registration ---------------------------------------------

def registration(lab, *more_steps, answer=None, port=None, **kw):
    port = port or ports()
    s = lab.sipp(CHALLENGED + [register(ANSWERED), answer or bindings(port)] + list(more_steps), **kw)
    return s, lab.offhook("-a", account(s), port=port)


def test_rfc3665_2_1_successful_new_registration(lab):
    s, p = registration(lab)
    e = registered(p)
    check(e["code"] == 200 and 5700000 <= e["next_ms"] <= 7200000, "%s", e)
    s.well()


def test_rfc3665_2_2_update_of_contact_list(lab):
    """another phone's contact stands in the answer: it is not ours"""
    port = ports()
    s, p = registration(lab, answer=bindings(port, 7200, "<sip:bob@biloxi.example.com>;expires=60"), port=port)
    e = registered(p)
    check(e["next_ms"] > 1000000, "the expiry of somebody else was taken: %s", e)
    s.well()


def test_rfc3665_2_3_request_for_current_contact_list(lab):
    port = ports()      # to ask is a registration of its own: the same once more
    s, p = registration(lab, answer=bindings(port, 7200, "<mailto:bob@biloxi.example.com>", "<sip:bob@192.0.2.4>"),
                        port=port, calls=2)
    registered(p)
    r = p.command("accounts --fetch", 20)
    check([b["ours"] for b in r["bindings"] if b["uri"].startswith("sip:bob")] == [True, False], "%s", r)
    s.well()


def test_rfc3665_2_4_cancellation_of_registration(lab):
    s, p = registration(lab, register(("Contact", "expires=0")), response(200, "OK"))
    registered(p)
    p.command("unregister", 20)
    p.event("account.state", state="off")
    s.well()


def test_rfc3665_2_5_unsuccessful_registration(lab):
    """the password is wrong: told, and not tried again and again"""
    s = lab.sipp(CHALLENGED + [register(ANSWERED), response(401, "Unauthorized", headers=[
        "WWW-Authenticate: " + (REALM % "atlanta.example.com").replace("ea9c", "ea9d")])])
    p = lab.offhook("-a", account(s))
    e = p.event("account.state", state="failed")
    check(e["cause"] == "auth" and e["code"] == 401, "%s", e)
    s.well()


# --- RFC 3665 section 3: sessions --------------------------------------------------

def test_rfc3665_3_1_successful_session_establishment(lab):
    s = lab.sipp([called(), ringing(), ok(), recv("ACK"), recv("BYE"), done()], "-rtp_echo", name="bob")
    dial(lab, s, "--for", "500ms")
    s.well()
    phone = lab.offhook("--auto-answer").ready()
    s = caller(lab, [invite()] + answered([("body", "m=audio")]) + [recv("BYE"), done()], phone, name="alice")
    phone.event("call.state", state="active")
    phone.command("hangup")
    s.well()


def test_rfc3665_3_2_session_through_two_proxies(lab):
    """the route set of both, in the order of each side"""
    s = lab.sipp([called(), response(180, "Ringing", headers=ROUTES), ok(headers=ROUTES),
                  recv("ACK", checks=[("Route", "sip:ss1.atlanta.example.com;lr")]),
                  recv("BYE", checks=[("Route", "sip:ss1.atlanta.example.com;lr")]), done()],
                 "-rtp_echo", name="bob")
    options = ["-a", "sip:alice@127.0.0.1;register=no;outbound=%s" % to(s)]
    dial(lab, s, "--for", "500ms", options=["-s", "sip-timeout=2s"] + options)
    s.well()
    phone = lab.offhook("--auto-answer").ready()
    hops = ["Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.111",
            "Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101"]
    s = caller(lab, [invite(headers=hops + ["Record-Route: <sip:[local_ip]:[local_port];lr>, "
                                            "<sip:ss1.atlanta.example.com;lr>"]),
                     recv(100, True), recv(180, True),
                     recv(200, checks=[("msg", "branch=z9hG4bK2d4790.1"), ("msg", "branch=z9hG4bK74bf9"),
                                       ("Record-Route", "ss1.atlanta.example.com")]),
                     ack(), recv("BYE", checks=[("msg", "Route: .sip:[0-9.]+:[0-9]+;lr"),
                                                ("msg", "Route: .sip:ss1.atlanta.example.com;lr")]),
                     done()], phone, name="alice")
    phone.event("call.state", state="active")
    phone.command("hangup")
    s.well()


def test_rfc3665_3_3_multiple_proxy_authentication(lab):
    """the second proxy asks too: both get their answer, each with its realm"""
    first, second = ("Proxy-Authenticate: " + REALM % r for r in ("atlanta.example.com", "biloxi.example.com"))
    s = lab.sipp([called(), response(407, "Proxy Authorization Required", headers=[first]), recv("ACK"),
                  called(checks=[("msg", 'realm="atlanta.example.com"')]),
                  response(407, "Proxy Authorization Required", headers=[second]), recv("ACK"),
                  called(checks=[("msg", 'realm="atlanta.example.com"'), ("msg", 'realm="biloxi.example.com"')]),
                  ringing(), ok(), recv("ACK"), recv("BYE"), done()], "-rtp_echo")
    dial(lab, s, "--for", "500ms", options=["-a", "sip:alice@127.0.0.1;register=no;password=x;outbound=%s" % to(s)])
    s.well()


def test_rfc3665_3_5_session_through_an_alg(lab):
    """its SDP names another host than its Contact: sound goes where it says"""
    phone = lab.offhook("--auto-answer", audio="tone:440").ready()
    moved = sdp().replace("[media_ip_type] [media_ip]", "4 127.0.0.5")
    s = caller(lab, [invite(moved)] + answered() + [pause(300)] + bye(), phone)
    e = phone.event("call.media")
    check(e["remote"].startswith("127.0.0.5:"), "%s", e)
    s.well()


def test_rfc3665_3_6_redirect_with_sdp_in_ack(lab):
    there = lab.sipp([called(checks=[("Content-Length", " 0")]), ringing(), ok(),
                      recv("ACK", checks=[("body", "m=audio [1-9]")]), recv("BYE"), done()], "-rtp_echo", name="there")
    here = lab.sipp([called(checks=[("Content-Length", " 0")]),
                     response(302, "Moved Temporarily", headers=["Contact: <%s>" % there.uri]), recv("ACK")], name="here")
    dial(lab, here, "--late-offer", "--for", "500ms", "--redirects", "follow")
    here.well()
    there.well()


def test_rfc3665_3_7_reinvite_with_another_address(lab):
    phone = lab.offhook("--auto-answer", audio="tone:440").ready()
    moved = sdp(version=2).replace("[media_ip_type] [media_ip]", "4 127.0.0.7")
    s = caller(lab, [invite()] + answered() + [invite(moved, 2, **INSIDE), recv(100, True), recv(200), ack(2),
                                               pause(300)] + bye(3), phone)
    phone.event("call.media")
    e = phone.event("call.media")
    check(e["remote"].startswith("127.0.0.7:"), "%s", e)
    s.well()


def test_rfc3665_3_8_no_answer(lab):
    """the caller gives up: CANCEL, 487, ACK"""
    s = lab.sipp([called("caller", "via", "cseq"), ringing(), recv("CANCEL", timeout=10000),
                  response(200, "OK", totag=False), later(487, "Request Terminated"), recv("ACK")])
    dial(lab, s, "--timeout", "1", code=5)
    s.well()
    phone = lab.offhook().ready()
    s = caller(lab, [invite(), recv(100, True), recv(180), cancel(), recv(200), recv(487), ack_refused()], phone,
               name="alice")
    phone.event("call.state", state="ended", code=487)
    s.well()


def test_rfc3665_3_9_busy(lab):
    s = lab.sipp([called(), response(486, "Busy Here"), recv("ACK")])
    dial(lab, s, code=4)
    s.well()


def test_rfc3665_3_10_no_response(lab):
    """nothing comes back: the INVITE is sent again, then given up"""
    s = lab.sipp([called(), pause(1500)])
    dial(lab, s, options=["-s", "sip-timeout=1s"], code=9)


def test_rfc3665_3_11_temporarily_unavailable(lab):
    s = lab.sipp([called(), ringing(), response(480, "Temporarily Unavailable"), recv("ACK")])
    dial(lab, s, code=5)
    s.well()


# --- RFC 5359: services -------------------------------------------------------------

def test_rfc5359_2_1_call_hold(lab):
    """either side holds, the other one knows"""
    phone = lab.offhook("--auto-answer").ready()
    s = caller(lab, [invite()] + answered() + [
        recv("INVITE", checks=[("body", "a=sendonly")]), ok(sdp(direction="recvonly", version=2), totag=False),
        recv("ACK"), recv("INVITE", checks=[("body", "a=sendrecv")]), ok(sdp(version=3), totag=False), recv("ACK"),
        invite(sdp(direction="sendonly", version=4), 2, **INSIDE), recv(100, True),
        recv(200, checks=[("body", "a=recvonly")]), ack(2),
        invite(sdp(version=5), 3, **INSIDE), recv(100, True), recv(200, checks=[("body", "a=sendrecv")]), ack(3)] +
        bye(4), phone)
    phone.event("call.state", state="active")
    phone.command("hold")
    phone.command("resume")
    phone.event("call.hold", remote=True)
    phone.event("call.hold", remote=False)
    s.well()


def test_rfc5359_2_2_consultation_hold(lab):
    """bob holds alice, asks carol, and goes back"""
    phone = lab.offhook("--auto-answer").ready()
    alice = caller(lab, [invite()] + answered() + [
        recv("INVITE", checks=[("body", "a=sendonly")]), ok(sdp(direction="recvonly", version=2), totag=False),
        recv("ACK"), recv("INVITE", checks=[("body", "a=sendrecv")], timeout=10000), ok(sdp(version=3), totag=False),
        recv("ACK"), recv("BYE", timeout=10000), done()], phone, name="alice")
    carol = lab.sipp([called(), ringing(), ok(), recv("ACK"), recv("BYE", timeout=10000), done()], "-rtp_echo",
                     name="carol")
    phone.event("call.state", state="active")
    phone.command("hold 1")
    phone.command("dial " + carol.uri)
    phone.event("call.state", call=2, state="active")
    phone.command("hangup 2")
    phone.event("call.state", call=2, state="ended")
    phone.command("resume 1")
    phone.command("hangup 1")
    alice.well()
    carol.well()


def referred(lab, refer_to, *checks):
    """offhook is in a call whose other side sends REFER -> (phone, transferor, target)"""
    phone = lab.offhook("--auto-answer").ready()
    target = lab.sipp([called(checks=checks), ringing(), pause(400), ok(), recv("ACK"), recv("BYE", timeout=15000), done()],
                      "-rtp_echo", name="target")
    s = caller(lab, [invite()] + answered() + [
        request("REFER", 2, headers=["Refer-To: " + refer_to % target.uri, "Referred-By: <sip:sipp@[local_ip]>"]),
        recv(202), recv("NOTIFY", checks=[("body", "SIP/2.0 100")]), done(),
        recv("NOTIFY", checks=[("body", "SIP/2.0 180")]), done(),
        recv("NOTIFY", checks=[("body", "SIP/2.0 200"), ("Subscription-State", "terminated")], timeout=10000), done()] +
        [recv("BYE", timeout=10000), done()], phone, name="transferor")
    return phone, s, target


def test_rfc5359_2_4_transfer_unattended(lab):
    phone, s, target = referred(lab, "<%s>", ("Referred-By", "sip:sipp@"))
    phone.event("call.transfer", by="remote", state="done", timeout=15)
    phone.reply("hangup 1", 15)      # or the transfer has ended it
    s.well()
    phone.command("hangup 2", 15)
    target.well()


def test_rfc5359_2_5_transfer_attended(lab):
    """the new INVITE says which dialog it replaces"""
    phone, s, target = referred(
        lab, "<%s?Replaces=425928%%40bobster.example.org%%3Bto-tag%%3D7743%%3Bfrom-tag%%3D6472>",
        ("Replaces", "425928@bobster.example.org;to-tag=7743;from-tag=6472"))
    phone.event("call.transfer", by="remote", state="done", timeout=15)
    phone.reply("hangup 1", 15)      # or the transfer has ended it
    s.well()
    phone.command("hangup 2", 15)
    target.well()


def forwarded(lab, rule, *before, busy=False):
    phone = lab.offhook(*before).ready()
    if busy:
        other = caller(lab, [invite()] + answered() + [recv("BYE", timeout=15000), done()], phone, name="first")
        phone.event("call.state", state="incoming")
        phone.command("answer")
        phone.event("call.state", state="active")
    phone.command("forward %s sip:carol@192.0.2.77" % rule)
    caller(lab, [invite(), recv(100, True), recv(180, True),
                 recv(302, checks=[("Contact", "sip:carol@192.0.2.77"), ("Diversion", "reason=")], timeout=10000),
                 ack_refused()], phone, name="caller").well()
    if busy:
        phone.command("hangup 1")
        other.well()


def test_rfc5359_2_7_forwarding_unconditional(lab):
    forwarded(lab, "always")


def test_rfc5359_2_8_forwarding_busy(lab):
    forwarded(lab, "busy", busy=True)


def test_rfc5359_2_9_forwarding_no_answer(lab):
    forwarded(lab, "noanswer --after 500ms")


def test_rfc5359_2_18_click_to_dial(lab):
    """a REFER outside of any call makes the phone dial"""
    phone = lab.offhook("-s", "transfers=accept", "-s", "transfers-outside=accept").ready()
    target = lab.sipp([called(), ringing(), pause(400), ok(), recv("ACK"), recv("BYE", timeout=15000), done()], "-rtp_echo",
                      name="target")
    s = caller(lab, [
        request("REFER", 1, uri="sip:[service]@[remote_ip]:[remote_port]",
                to="<sip:[service]@[remote_ip]:[remote_port]>", headers=["Refer-To: <%s>" % target.uri]),
        recv(202), recv("NOTIFY", checks=[("body", "SIP/2.0 100")]), done(),
        recv("NOTIFY", checks=[("body", "SIP/2.0 180")]), done(),
        recv("NOTIFY", checks=[("body", "SIP/2.0 200"), ("Subscription-State", "terminated")], timeout=10000), done()],
        phone, name="controller")
    phone.event("call.state", state="active", direction="out", timeout=15)
    s.well()
    phone.command("hangup")
    target.well()


# --- RFC 3262, RFC 3311, RFC 4028 ----------------------------------------------------

def test_rfc3262_6_offer_in_invite_answer_in_1xx(lab):
    """the early answer travels reliably, the 200 has none"""
    s = lab.sipp([called("caller", "via", "cseq", checks=[("Supported", "100rel")]),
                  response(183, "Session Progress", sdp(), ["Require: 100rel", "RSeq: 813520"]),
                  recv("PRACK", checks=[("RAck", "813520 [0-9]+ INVITE")]), done(), pause(200),
                  later(200, "OK", retrans=500), recv("ACK"), recv("BYE"), done()], "-rtp_echo")
    dial(lab, s, "--for", "500ms")
    s.well()


def test_rfc3311_6_update_before_the_answer(lab):
    """hold in the early dialog, by the callee"""
    s = lab.sipp([called("caller", "via", "cseq"),
                  response(183, "Session Progress", sdp(), ["Require: 100rel", "RSeq: 1",
                                                            "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE"]),
                  recv("PRACK"), done(),
                  back("UPDATE", 10, sdp(direction="sendonly", version=2)), recv(200, checks=[("body", "a=recvonly")]),
                  later(200, "OK", retrans=500), recv("ACK"), recv("BYE"), done()], "-rtp_echo")
    dial(lab, s, "--for", "500ms")
    s.well()


def test_rfc4028_13_example(lab):
    """two 422, one of a proxy and one of the callee, then a session that agrees"""
    s = lab.sipp([called(checks=[("Session-Expires", "120")]),
                  response(422, "Session Interval Too Small", headers=["Min-SE: 3600"]), recv("ACK"),
                  called(checks=[("Session-Expires", "3600"), ("Min-SE", "3600")]),
                  response(422, "Session Interval Too Small", headers=["Min-SE: 4000"]), recv("ACK"),
                  called(checks=[("Session-Expires", "4000"), ("Min-SE", "4000")]),
                  ok(headers=["Require: timer", "Session-Expires: 4000;refresher=uac"]), recv("ACK"), recv("BYE"),
                  done()], "-rtp_echo")
    dial(lab, s, "--for", "500ms", options=["-s", "session-expires=2m"])
    s.well()


if __name__ == "__main__":
    main(globals())
