#!/usr/bin/env python3
"""More of the example flows of RFC 3665 and RFC 5359 (see flows.py), each test
named after its section: a proxy that fails, a transfer that is asked for in a
message, and what a proxy does with calls: looking for somebody at several
places, screening those that come and those that go."""
import re
import time

from flows import ANSWERED, REALM, caller, dial, to
from lab import check, main, ports
from names import Dns, drain, hole, zone
from scenario import (ack_refused, answered, bye, called, cancel, done, invite, ok, pause, recv, request, response, ringing,
                      sdp)

PROXY_ASKS = "Proxy-Authenticate: " + REALM % "atlanta.example.com"
ALICE = "sip:alice@127.0.0.1;register=no;password=zanzibar;outbound=%s"


def test_rfc3665_3_4_session_with_proxy_failure(lab):
    """the first proxy says nothing, the second asks for a password and has the call"""
    silent, port = hole(host="127.0.0.2")
    second = lab.sipp([called(timeout=30000), response(407, "Proxy Authorization Required", headers=[PROXY_ASKS]), recv("ACK"),
                       called(checks=[("Proxy-Authorization", 'username="alice".*realm="atlanta.example.com"')]),
                       ringing(), ok(), recv("ACK"), recv("BYE", timeout=20000), done()], "-rtp_echo", name="second")
    dns = Dns(lab, zone(port, second.port))
    alice = lab.offhook("-s", "dns-servers=" + dns.server, "-s", "sip-timeout=3s", "-a", ALICE % "two.example").ready()
    alice.command("dial sip:bob@biloxi.example.com")
    alice.event("call.state", state="active", timeout=40)
    alice.command("hangup")
    second.well()
    first = drain(silent)
    check(first and all(x.startswith("INVITE sip:bob@biloxi.example.com ") for x in first), "%s", first)


REPLACED = "12345600@atlanta.example.com;from-tag=1234567;to-tag=23431"


def test_rfc5359_2_6_transfer_by_instant_message(lab):
    """carol is asked in a message to take a call, and is told which"""
    carol = lab.offhook().ready()
    alice = lab.sipp([called(checks=[("Replaces", REPLACED)]), ok(), recv("ACK"), recv("BYE", timeout=20000), done()],
                     "-rtp_echo", name="alice")
    bob = caller(lab, [request("MESSAGE", 1, uri="sip:[service]@[remote_ip]:[remote_port]", ctype="text/plain",
                               to="<sip:[service]@[remote_ip]:[remote_port]>",
                               body="Could you take this call? <%s> Replaces: %s" % (alice.uri, REPLACED)),
                       recv(200)], carol, name="bob")
    said = carol.event("message.received")["text"]
    bob.well()
    uri, which = re.search(r"<(sip:[^>]+)> (Replaces: \S+)", said).groups()
    carol.command("dial '%s' --header '%s'" % (uri, which))
    carol.event("call.state", state="active")
    carol.command("hangup")
    alice.well()


def test_rfc5359_2_6_the_call_that_is_taken(lab):
    """alice: the call of bob ends when carol's takes its place"""
    alice = lab.offhook("--auto-answer").ready()
    bob = caller(lab, [invite()] + answered() + [recv("BYE", timeout=20000), done()], alice, name="bob")
    alice.event("call.state", state="active")
    bob_call = alice.command("calls")["calls"][0]
    check(bob_call["call"] == 1, "%s", bob_call)
    which = "Replaces: %s" % replaces(bob)
    carol = caller(lab, [invite(headers=[which]), recv(100, True), recv(180, True), recv(200), request("ACK", 1), pause(300)] +
                   bye(), alice, name="carol")
    alice.event("call.state", call=2, state="active")
    alice.event("call.state", call=1, state="ended")
    bob.well()
    carol.well()


def replaces(sipp):
    """the dialog of a SIPp that has called, as its callee names it"""
    end, until = None, time.monotonic() + 20
    while not end and time.monotonic() < until:
        with open(sipp.lab.path(sipp.name + ".msg"), encoding="utf-8", errors="replace") as f:
            end = re.search(r"^SIP/2.0 200 .*?\r?\n\r?\n", f.read(), re.M | re.S)
        time.sleep(0.05)
    check(end, "it has written down no answer")
    end = end.group(0)
    field = {name: re.search(r"^%s:\s*(.*?)\r?$" % name, end, re.M).group(1) for name in ("Call-ID", "From", "To")}
    tag = {name: field[name].rsplit("tag=", 1)[1] for name in ("From", "To")}
    return "%s;from-tag=%s;to-tag=%s" % (field["Call-ID"], tag["From"], tag["To"])


def test_rfc5359_2_12_find_me(lab):
    """the proxy tries one place after the other: each rings in a dialog of its own, the last one answers"""
    s = lab.sipp([called(), response(100, "Trying", totag=False),
                  response(180, "Ringing", tag="desk"), pause(300), response(181, "Call Is Being Forwarded", tag="desk"),
                  response(180, "Ringing", tag="car"), pause(300), response(180, "Ringing", tag="home"), pause(200),
                  ok(tag="home"), recv("ACK", checks=[("To", "tag=home")]),
                  recv("BYE", checks=[("To", "tag=home")], timeout=20000), done()], "-rtp_echo", name="proxy")
    dial(lab, s, "--for", "500ms")
    s.well()


def test_rfc5359_2_12_find_me_at_the_place(lab):
    """where he is not: it rings, then the proxy takes the call away"""
    phone = lab.offhook().ready()
    s = caller(lab, [invite(), recv(100, True), recv(180), pause(300), cancel(), recv(200), recv(487), ack_refused()], phone,
               name="proxy")
    end = phone.event("call.state", state="ended")
    check(end["code"] == 487 and end["direction"] == "in", "%s", end)
    s.well()


def test_rfc5359_2_13_incoming_call_screening(lab):
    """a caller who has said who he is, and is refused all the same"""
    s = lab.sipp([called(), response(407, "Proxy Authorization Required", headers=[PROXY_ASKS]), recv("ACK"),
                  called(checks=[("Proxy-" + ANSWERED[0], ANSWERED[1].replace("bob", "alice"))]),
                  response(403, "Screening Failure"), recv("ACK")], name="proxy")
    alice = lab.offhook("-a", ALICE % to(s)).ready()
    alice.command("dial sip:bob@biloxi.example.com")
    end = alice.event("call.state", state="ended")
    check(end["code"] == 403 and "Screening Failure" in end["reason"], "%s", end)
    s.well()


def test_rfc5359_2_13_screened_by_the_phone(lab):
    """the account has calls of those that are known alone"""
    bob = lab.offhook("-a", "sip:phone@127.0.0.1;register=no;callers=known").ready()
    caller(lab, [invite(), recv(100, True), recv(403), ack_refused()], bob, name="stranger").well()
    check(not [o for o in bob.objects() if o.get("event") == "call.state" and o["state"] == "incoming"], "it rang")


def test_rfc5359_2_14_outgoing_call_screening(lab):
    """the own proxy lets nobody call that number"""
    s = lab.sipp([called(), response(407, "Proxy Authorization Required", headers=[PROXY_ASKS]), recv("ACK"),
                  called(checks=[("Proxy-Authorization", 'username="alice"')]),
                  response(403, "Forbidden", headers=["Error-Info: <sip:screened@127.0.0.1>"]), recv("ACK")], name="proxy")
    dial(lab, s, options=["-a", ALICE % to(s)], code=6)     # 403 after a password: it may be that
    s.well()


def test_rfc5359_2_17_automatic_redial(lab):
    """bob is busy: his phone is watched, and called when his call is over"""
    bob = lab.offhook("-s", "watchers=yes", "-s", "dnd-code=486", name="bob").ready()
    carol = lab.offhook(name="carol").ready()
    alice = lab.offhook(name="alice").ready()
    carol.command("dial " + bob.uri)
    bob.event("call.state", state="incoming")
    bob.command("answer")
    carol.event("call.state", state="active")
    bob.command("dnd on")
    alice.command("dial %s --redial 3 --redial-on free,network" % bob.uri)
    again = alice.event("call.state", call=1, state="calling", code=486)
    check(again["redial_when"] == "free" and "redial_ms" not in again, "%s", again)
    carol.command("sleep 1")
    check(len([o for o in alice.objects() if o.get("event") == "call.state"]) == 2, "it did not wait")
    bob.command("dnd off")
    bob.event("call.state", state="ended", code=486)
    carol.command("hangup")
    bob.event("call.state", state="incoming", timeout=40)
    bob.command("answer")
    alice.event("call.state", call=1, state="active", timeout=40)
    alice.command("hangup")
    alice.event("call.state", call=1, state="ended")


def test_redial_of_who_does_not_tell(lab):
    """a phone that is busy and tells nobody of its calls is called after a time; whoever hangs up ends the waiting"""
    bob = lab.offhook("-s", "dnd-code=486", name="bob").ready()
    bob.command("dnd on")
    alice = lab.offhook(name="alice").ready()
    alice.command("dial %s --redial 2 --redial-on free --redial-after 200ms" % bob.uri)
    end = alice.event("call.state", call=1, state="ended", timeout=40)
    check(end["code"] == 486, "%s", end)
    tries = [o for o in alice.objects() if o.get("event") == "call.state" and o["state"] == "calling"]
    check(len(tries) == 3 and tries[1]["redial_when"] == "free", "%s", tries)
    alice.command("dial %s --redial 2 --redial-on free --redial-after 1h" % bob.uri)
    alice.event("call.state", call=2, state="calling", code=486)
    alice.command("hangup 2")
    alice.event("call.state", call=2, state="ended")


if __name__ == "__main__":
    main(globals())
