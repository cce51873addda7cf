#!/usr/bin/env python3
"""SIPp tells who calls, and is told: identities, diversions, wishes"""
import base64
import json
from xml.sax.saxutils import escape

from lab import Failed, check, main, ports
from scenario import (OUTSIDE, ack_refused, answered, bye, called, cancel, done, invite, ok, pause, recv, request,
                      response, sdp)

# an account whose server is on 127.0.0.1, where SIPp is too
SERVED = "sip:phone@127.0.0.1;register=no;outbound=127.0.0.1:9"
# one that knows no server
ALONE = "sip:phone@127.0.0.1;register=no"


def to(phone):
    return "127.0.0.1:%d" % phone.port


def holds(*pairs):
    """header and regular expression, as a scenario may hold them"""
    return [(where, escape(pattern)) for where, pattern in pairs]


def rings(lab, phone, headers, name="sipp"):
    """call with these headers until it rings -> the event; then cancel"""
    s = lab.sipp([invite(headers=headers), recv(100, True), recv(180), cancel(), recv(200), recv(487), ack_refused()],
                 "-s", "phone", to=to(phone), name=name)
    seen = phone.event("call.state", state="incoming")
    s.well()
    phone.event("call.state", state="ended")
    return seen


def test_asserted_by_a_server(lab):
    """P-Asserted-Identity and Privacy (RFC 3325, 3323) of the account's server"""
    phone = lab.offhook("-a", SERVED).ready()
    seen = rings(lab, phone, ['P-Asserted-Identity: "Alice A" <sip:alice@office.example>, <tel:+14155551212>',
                              "Privacy: id"])
    check(seen.get("asserted") == "sip:alice@office.example", "%s", seen)
    check(seen.get("asserted_name") == "Alice A", "%s", seen)
    check(seen.get("privacy") == "id", "%s", seen)
    old = rings(lab, phone, ['Remote-Party-ID: "Al" <sip:al@office.example>;party=calling;screen=yes'], "rpid")
    check(old.get("asserted") == "sip:al@office.example", "%s", old)


def test_asserted_by_a_stranger(lab):
    phone = lab.offhook("-a", ALONE).ready()
    seen = rings(lab, phone, ["P-Asserted-Identity: <sip:boss@office.example>",
                              "Remote-Party-ID: <sip:boss@office.example>;screen=yes"])
    check("asserted" not in seen, "a stranger is believed: %s", seen)


def test_seen_in_lists(lab):
    phone = lab.offhook("-a", SERVED).ready()
    s = lab.sipp([invite(headers=["P-Asserted-Identity: <sip:alice@office.example>",
                                  "Diversion: <sip:bob@office.example>;reason=user-busy"]), recv(100, True), recv(180),
                  recv(603, timeout=10000), ack_refused()], "-s", "phone", to=to(phone))
    phone.event("call.state", state="incoming")
    for line in ("calls", "status"):
        row = phone.command(line)["calls"][0]
        check(row.get("asserted") == "sip:alice@office.example", "%s: %s", line, row)
        check(row.get("diverted_by") == "sip:bob@office.example", "%s: %s", line, row)
        check(row.get("diverted_reason") == "user-busy", "%s: %s", line, row)
    phone.command("reject")
    s.well()


def test_diverted(lab):
    """Diversion (RFC 5806), History-Info (RFC 7044)"""
    phone = lab.offhook().ready()
    seen = rings(lab, phone, ["Diversion: <sip:bob@office.example>;reason=user-busy,<sip:first@office.example>"], "div")
    check(seen.get("diverted_by") == "sip:bob@office.example", "%s", seen)
    check(seen.get("diverted_reason") == "user-busy", "%s", seen)
    check(seen.get("first_called") == "sip:first@office.example", "%s", seen)
    seen = rings(lab, phone, ["History-Info: <sip:bob@office.example?Reason=SIP%3Bcause%3D408>;index=1",
                              "History-Info: <sip:phone@127.0.0.1>;index=1.1;mp=1"], "hist")
    check(seen.get("diverted_by") == "sip:bob@office.example", "%s", seen)
    check(seen.get("diverted_reason") == "no-answer", "%s", seen)


def test_sent_on(lab):
    """302 of a forward tells who sent the call on, now and before"""
    phone = lab.offhook("-a", ALONE).ready()
    phone.command("forward always sip:vm@office.example")
    lab.sipp([invite(headers=["Diversion: <sip:bob@office.example>;reason=no-answer",
                              "History-Info: <sip:bob@office.example?Reason=SIP%3Bcause%3D408>;index=1,"
                              "<sip:phone@127.0.0.1>;index=1.1"]), recv(100, True),
              recv(302, checks=holds(("Contact", "sip:vm@office.example"),
                                ("Diversion", "<sip:phone@127.0.0.1>;reason=unconditional"),
                                ("msg", "Diversion: <sip:bob@office.example>;reason=no-answer"),
                                ("msg", "History-Info: <sip:bob@office.example.Reason=SIP%3Bcause%3D408>;index=1"),
                                ("msg", "<sip:phone@127.0.0.1.Reason=SIP%3Bcause%3D302>;index=1.1.1"),
                                ("msg", "<sip:vm@office.example>;index=1.1.1.1;mp=1.1.1"))), ack_refused()],
             "-s", "phone", to=to(phone)).well()


def test_identity(lab):
    """Identity (RFC 8224): its PASSporT is shown, and believed by nobody"""
    def part(x):
        return base64.urlsafe_b64encode(json.dumps(x).encode()).decode().rstrip("=")
    token = "%s.%s.c2lnbmF0dXJl" % (
        part({"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": "https://c.example/x.pem"}),
        part({"attest": "A", "dest": {"tn": ["12155551213"]}, "iat": 1471375418, "orig": {"tn": "12155551212"},
              "origid": "123e4567-e89b-12d3-a456-426655440000"}))
    phone = lab.offhook().ready()
    seen = rings(lab, phone, ["Identity: %s;info=<https://c.example/x.pem>;alg=ES256;ppt=shaken" % token])
    check(seen.get("attest") == "A" and seen.get("attest_orig") == "12155551212" and
          seen.get("attest_dest") == "12155551213" and seen.get("attest_iat") == 1471375418, "%s", seen)
    check("asserted" not in seen, "%s", seen)
    seen = rings(lab, phone, ["Identity: %s;info=<https://c.example/x.pem>" % token.replace(".", ".x", 1)], "bad")
    check(seen.get("attest") == "unreadable" and "attest_orig" not in seen, "%s", seen)


WISHES = [["Answer-Mode: Auto"], ["Call-Info: <sip:x@127.0.0.1>;answer-after=0"],
          ["Alert-Info: <http://127.0.0.1>;info=alert-autoanswer"]]


def test_wishes_granted(lab):
    """Answer-Mode (RFC 5373), Call-Info, Alert-Info from who is on the list"""
    phone = lab.offhook("-s", "intercom=sipp@127.0.0.1").ready()
    for i, headers in enumerate(WISHES):
        lab.sipp([invite(headers=headers)] + answered() + bye(), "-s", "phone", to=to(phone), name="w%d" % i).well()
        check(phone.event("call.state", state="incoming").get("answer_mode") == "auto", "not told")
    # who does not ask is not answered
    rings(lab, phone, [], "plain")
    # after a while
    s = lab.sipp([invite(headers=["Call-Info: <sip:x@127.0.0.1>;answer-after=1"]), recv(100, True), recv(180),
                  recv(200, timeout=10000), request("ACK", 1)] + bye(), "-s", "phone", to=to(phone), name="later")
    s.well()


def test_wishes_not_granted(lab):
    phone = lab.offhook("-s", "intercom=other@127.0.0.1,192.0.2.1").ready()
    for i, headers in enumerate(WISHES):
        check(rings(lab, phone, headers, "w%d" % i).get("answer_mode") == "auto", "not told")
    # what must be and is not granted is 403 (RFC 5373 4.3.2)
    lab.sipp([invite(headers=["Answer-Mode: Auto;require"]), recv(100, True), recv(403), ack_refused()],
             "-s", "phone", to=to(phone), name="must").well()


def test_wish_of_a_stranger(lab):
    """a From that nobody vouches for opens no microphone"""
    phone = lab.offhook("-a", ALONE + ";intercom=sipp@127.0.0.1").ready()
    rings(lab, phone, ["Answer-Mode: Auto"])
    phone = lab.offhook("-a", SERVED + ";intercom=alice@office.example", name="served").ready()
    lab.sipp([invite(headers=["Answer-Mode: Auto", "P-Asserted-Identity: <sip:alice@office.example>"])] + answered() +
             bye(), "-s", "phone", to=to(phone), name="alice").well()
    rings(lab, phone, ["Answer-Mode: Auto", "P-Asserted-Identity: <sip:eve@office.example>"], "eve")


def test_auto_answer_after(lab):
    """the account rings a while, then answers"""
    phone = lab.offhook("-a", ALONE + ";auto-answer=yes;auto-answer-after=300ms").ready()
    lab.sipp([invite(), recv(100, True), recv(180), recv(200), request("ACK", 1)] + bye(), "-s", "phone",
             to=to(phone)).well()


# --- what we send -------------------------------------------------------------

def sends(lab, account, options, checks, absent=()):
    s = lab.sipp([called(checks=holds(*checks)), response(486, "Busy Here"), recv("ACK")], "-trace_msg")
    lab.run("-a", account, "-A", "null", "-l", "udp:127.0.0.1:%d" % ports(), "dial", s.uri, *options)
    s.well()
    with open(lab.path("sipp.msg"), encoding="utf-8", errors="replace") as f:
        text = f.read()
    for word in absent:
        check(word not in text, "%s is told:\n%s", word, text)


def test_anonymous(lab):
    sends(lab, "sip:secret@127.0.0.1;register=no;display-name=Secret", ["--anonymous"],
          [("From", "Anonymous. <sip:anonymous@anonymous.invalid>"), ("Privacy", "id"),
           ("P-Preferred-Identity", "<sip:secret@127.0.0.1>")], ["Contact: <sip:secret", "Secret"])


def test_identity_sent(lab):
    sends(lab, "sip:alice@127.0.0.1;register=no;ppi=sip:al@office.example;privacy=header",
          ["--pai", "Office 4 <sip:4@office.example>"],
          [("P-Asserted-Identity", "Office 4. <sip:4@office.example>"),
           ("P-Preferred-Identity", "<sip:al@office.example>"), ("Privacy", "header")])


def test_intercom_sent(lab):
    sends(lab, ALONE, ["--intercom"], [("Answer-Mode", "Auto"), ("Call-Info", "answer-after=0"),
                                       ("Alert-Info", "info=alert-autoanswer")])


def test_headers_with_words(lab):
    sends(lab, "sip:alice@127.0.0.1;register=no;header=X-Floor: 4 | X-Who: {user} calls {target-user}",
          ["--header", "X-From: {aor}"],
          [("X-Floor", "4"), ("X-Who", "alice calls test"), ("X-From", "sip:alice@127.0.0.1")])
    code, _, err = lab.run("-a", ALONE, "-A", "null", "-l", "udp:127.0.0.1:%d" % ports(), "dial", "sip:x@127.0.0.1:9",
                           "--header", "X-Who: {usr}")
    check(code == 2 and "{user}" in err, "%d %s", code, err)


def test_two_phones(lab):
    """dial --intercom meets a phone that grants it"""
    b = lab.offhook("-s", "intercom=127.0.0.1", name="b").ready()
    a = lab.offhook(name="a").ready()
    a.command("dial sip:phone@127.0.0.1:%d --intercom" % b.port)
    a.event("call.state", state="active")
    a.command("hangup")
    b.event("call.state", state="ended")
    a.command("dial sip:phone@127.0.0.1:%d" % b.port)
    a.event("call.state", state="ringing")
    try:
        a.event("call.state", timeout=0.5, state="active")
    except Failed:
        return
    raise Failed("answered without a wish")


# --- who it has become ---------------------------------------------------------------

CAROL = '"Carol C" <sip:carol@office.example>'


def named(phone, asserted):
    """carol is on the line now, and shown"""
    e = phone.event("call.peer")
    check((e["peer"], e["name"], e["asserted"]) == ("sip:carol@office.example", "Carol C", asserted), "%s", e)
    row = phone.command("calls")["calls"][0]
    check(row["peer_now"] == "sip:carol@office.example" and row["name_now"] == "Carol C", "%s", row)


def test_another_from(lab):
    """the other side has another From in mid-call, by UPDATE or by INVITE, and is called that (RFC 4916)"""
    phone = lab.offhook("--auto-answer").ready()
    for n, changes in enumerate(([request("UPDATE", 2, who=CAROL), recv(200)],
                                 [invite(sdp(version=2), 2, who=CAROL, uri="[next_url]", branch="[branch]",
                                         to="<sip:phone@[remote_ip]:[remote_port]>[peer_tag_param]"),
                                  recv(100, True), recv(200), request("ACK", 2, who=CAROL)]), 1):
        s = lab.sipp([invite()] + answered([("Supported", "from-change")]) + changes +
                     [recv("BYE", checks=[("To", "carol@office.example")], timeout=20000), done()], "-s", "phone", to=to(phone),
                     name="sipp%d" % n)
        named(phone, False)
        phone.command("hangup")
        s.well()


def test_another_asserted(lab):
    """a server of the account says who is on the line, in mid-call; a stranger is not believed"""
    headers = ["P-Asserted-Identity: " + CAROL]
    for account, believed in ((SERVED, True), (ALONE, False)):
        phone = lab.offhook("-a", account, "--auto-answer", name="phone-%s" % believed).ready()
        end = [recv("BYE", timeout=20000), done()] if believed else bye(3)
        s = lab.sipp([invite()] + answered() + [request("UPDATE", 2, headers=headers), recv(200)] + end, "-s", "phone",
                     to=to(phone), name="sipp-%s" % believed)
        if believed:
            named(phone, True)
            phone.command("hangup")
        phone.event("call.state", state="ended", timeout=30)
        s.well()
        check(believed or not [o for o in phone.objects() if o.get("event") == "call.peer"], "a stranger is believed")


def test_tell_who_answers(lab):
    """who has called sales is told that phone has answered (RFC 4916): by UPDATE, if his phone understands that"""
    phone = lab.offhook("-a", ALONE + ";display-name=Phil;tell-who-answers=yes;catch-all=yes", "--auto-answer").ready()
    sales = dict(uri="sip:phone@[remote_ip]:[remote_port]", to="<sip:sales@office.example>")
    allow = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE"
    inside = dict(to="<sip:sales@office.example>[peer_tag_param]")
    s = lab.sipp([invite(headers=["Supported: from-change", allow], **sales), recv(100, True), recv(180, True), recv(200),
                  request("ACK", 1, **inside),
                  recv("UPDATE", checks=[("From", "Phil.*sip:phone@127.0.0.1"), ("To", "sipp")], timeout=20000), done(),
                  pause(200), request("BYE", 2, to="<sip:phone@127.0.0.1>[peer_tag_param]"), recv(200)], "-s", "phone",
                 to=to(phone), name="understands")
    s.well()
    for name, header, tos in (("not", allow, sales), ("same", "Supported: from-change", dict(
            sales, to="<sip:phone@127.0.0.1>"))):
        lab.sipp([invite(headers=[header], **tos), recv(100, True), recv(180, True), recv(200),
                  request("ACK", 1, to=tos["to"] + "[peer_tag_param]"), pause(500),
                  request("BYE", 2, to=tos["to"] + "[peer_tag_param]"), recv(200)], "-s", "phone", to=to(phone),
                 name=name).well()


def test_two_apart(lab):
    """the same between two of ours"""
    b = lab.offhook("-a", "sip:bob@127.0.0.1;register=no;display-name=Bob;tell-who-answers=yes;catch-all=yes", "--auto-answer",
                    name="b").ready()
    a = lab.offhook("-a", "sip:alice@127.0.0.1;register=no;outbound=127.0.0.1:%d" % b.port, name="a").ready()
    a.command("dial sip:sales@office.example")
    e = a.event("call.peer")
    check((e["peer"], e["name"]) == ("sip:bob@127.0.0.1", "Bob"), "%s", e)
    a.command("hold")
    b.event("call.hold", remote=True)
    b.command("hangup")
    a.event("call.state", state="ended")


def test_who_answered(lab):
    """the server tells in its answer whom we have reached (RFC 3325 in a response)"""
    s = lab.sipp([called(), response(180, "Ringing"), ok(headers=["P-Asserted-Identity: " + CAROL]), recv("ACK"),
                  recv("BYE", timeout=20000), done()], name="callee")
    phone = lab.offhook("-a", SERVED.replace("127.0.0.1:9", to(s))).ready()
    phone.command("dial sip:sales@office.example")
    named(phone, True)
    phone.command("hangup")
    s.well()


if __name__ == "__main__":
    main(globals())
