#!/usr/bin/env python3
"""The phone as a tool for testers: SIP that goes wrong on purpose, calls taken
by rules, and hundreds of them."""
import os

from home import QUIET, check, main
from scenario import back, called, ok, pause, recv, response, ringing


def faults(phone):
    return [o for o in phone.objects() if o.get("event") == "sip.fault"]


def rules(phone):
    return {r["rule"]: r for r in phone.command("sip-fault")["rules"]}


# --- SIP that goes wrong ---------------------------------------------------------

def test_fault_ack(lab):
    """the first ACK is lost: SIPp says 200 again, and gets another"""
    s = lab.sipp([called("caller"), ok(), recv("ACK"), pause(300), back("BYE", 1), recv(200)])
    phone = lab.offhook().ready()
    phone.command("sip-fault drop --method ACK --nth 1")
    phone.command("dial " + s.uri)
    phone.event("call.state", state="ended", timeout=30)
    e = phone.event("sip.fault", again=True)
    check(e["fault"] == "drop" and e["way"] == "out" and e["method"] == "ACK" and e["call"] == 1 and "code" not in e
          and e["transport"] == "udp" and e["remote"].endswith(":%d" % s.port), "%s", e)
    r = rules(phone)[1]
    check(r["done"] == 1 and r["seen"] >= 2, "%s", r)
    s.well()


def test_fault_in(lab):
    """what comes is lost on our side: the first 200"""
    s = lab.sipp([called("caller"), ringing(), ok(), recv("ACK"), pause(300), back("BYE", 1), recv(200)])
    phone = lab.offhook().ready()
    phone.command("sip-fault drop --way in --code 200 --method INVITE --times 1")
    phone.command("dial " + s.uri)
    phone.event("call.state", state="ended", cause="none", timeout=30)
    check([(f["way"], f["code"]) for f in faults(phone)] == [("in", 200)], "%s", faults(phone))
    s.well()


def test_fault_headers(lab):
    """SIPp sees other headers than those that were to go"""
    s = lab.sipp([recv("INVITE", checks=[("X-Made", "up"), ("Contact", "192.0.2.1"), ("User-Agent", "Broken")]),
                  response(486, "Busy Here"), recv("ACK")])
    phone = lab.offhook().ready()
    phone.command("sip-fault mangle --kind request --method INVITE --header Contact --value '<sip:x@192.0.2.1>'")
    phone.command("sip-fault add --method INVITE --kind request --header X-Made --value up")
    phone.command("sip-fault mangle --method INVITE --kind request --header User-Agent --value Broken")
    phone.command("sip-fault remove --method INVITE --kind request --header Allow")
    phone.command("dial " + s.uri)
    phone.event("call.state", state="ended", code=486, timeout=30)
    check([f["fault"] for f in faults(phone)] == ["mangle", "add", "mangle", "remove"], "%s", faults(phone))
    check(faults(phone)[1]["header"] == "X-Made", "%s", faults(phone))
    with open(lab.path("sipp.msg"), encoding="utf-8") as f:
        invite_seen = f.read().split("INVITE sip:", 1)[1].split("\n\n", 1)[0]
    check("Allow:" not in invite_seen, "%s", invite_seen)
    s.well()


def test_fault_twice(lab):
    """a request that comes twice is one call; over TCP too"""
    other = lab.offhook("--auto-answer", name="other", transports=("udp", "tcp")).ready()
    phone = lab.offhook(transports=("udp", "tcp")).ready()
    phone.command("sip-fault duplicate --method INVITE --kind request --by 50ms")
    for n, uri in enumerate((other.uri, other.uri + ";transport=tcp"), 1):
        phone.command("dial " + uri)
        phone.command("wait call active 20s")
        phone.command("hangup")
        phone.event("call.state", call=n, state="ended", cause="none", again=True)
    check(len(faults(phone)) == 2 and {f["transport"] for f in faults(phone)} == {"udp", "tcp"}, "%s", faults(phone))
    other.event("call.state", call=2, state="ended", again=True)
    check(not [o for o in other.objects() if o.get("call", 0) > 2], "another call")


def test_fault_late(lab):
    """BYE behind the next message, a delayed 180: calls end well all the same"""
    other = lab.offhook("--auto-answer", name="other").ready()
    phone = lab.offhook().ready()
    other.command("sip-fault delay --code 180-200 --method INVITE --by 300ms")
    other.command("sip-fault reorder --way in --method BYE --by 200ms")
    phone.command("dial " + other.uri)
    phone.command("wait call active 20s")
    phone.command("hangup")
    phone.event("call.state", state="ended", cause="none")
    other.event("call.state", state="ended", cause="none")
    check({f["fault"] for f in faults(other)} == {"delay", "reorder"}, "%s", faults(other))


def test_fault_bytes(lab):
    """half of all messages are damaged, both ways: nothing breaks, nothing is left"""
    other = lab.offhook("--auto-answer", name="other").ready()
    phone = lab.offhook("-s", "sip-timeout=3s").ready()
    for p in (phone, other):
        p.command("sip-fault corrupt --way both --chance 50 --bytes 8 --seed 5")
    phone.reply("dial %s --calls 30 --rate 30 --for 200ms" % other.uri, 60)
    for p in (phone, other):
        check(faults(p), "no faults")
        p.command("sip-fault off")
        check(p.command("sip-fault")["rules"] == [], "rules are left")
    phone.command("dial " + other.uri)
    phone.command("wait call active 30s", 35)
    phone.command("hangup")


def test_fault_wrong(lab):
    phone = lab.offhook().ready()
    for line, token, text in (
            ("sip-fault drop --code 99", "bad-argument", "4xx"), ("sip-fault drop --code 200-100", "bad-argument", "range"),
            ("sip-fault drop --code 200 --kind request", "bad-argument", "no --code"),
            ("sip-fault mangle", "missing-argument", "header"), ("sip-fault drop --header X", "bad-argument", "no --header"),
            ("sip-fault add --header X", "missing-argument", "value"), ("sip-fault delay", "missing-argument", "by"),
            ("sip-fault drop --by 1s", "bad-argument", "--by"), ("sip-fault drop --method 'A B'", "bad-argument", "method"),
            ("sip-fault add --header 'X Y' --value z", "bad-argument", "header"),
            ("sip-fault corrupt --bytes 65", "bad-argument", "64"), ("sip-fault drop --bytes 2", "bad-argument", "--bytes"),
            ("sip-fault drop 3", "bad-argument", "only off"), ("sip-fault off 3", "no-such-rule", "no rule 3"),
            ("sip-fault add --header start-line --value z", "bad-argument", "header")):
        r = phone.reply(line)
        check(r.get("error") == token and text in r["text"], "%s: %s", line, r)
    n = phone.command("sip-fault drop --chance 0")["rule"]
    phone.command("sip-fault off %d" % n)
    check(phone.command("sip-fault")["rules"] == [], "it is there")


# --- examples -----------------------------------------------------------------------

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "share", "examples")


def test_examples(lab):
    """the phone of listen.rules passes check.offhook, and each rule can decide"""
    phone = lab.offhook().ready()
    phone.command("listen --rules %s" % os.path.join(EXAMPLES, "listen.rules"))
    path = lab.path("result.xml")
    code, out, err = lab.run(*QUIET, "-q", "-f", os.path.join(EXAMPLES, "check.offhook"), "--junit", path,
                             wrap=("env", "PHONE=127.0.0.1:%d" % phone.port), timeout=120)
    check(code == 0, "%d\n%s\n%s", code, out, err)
    with open(path, encoding="utf-8") as f:
        check('failures="0"' in f.read(), "results")
    hits = {r["text"].split()[0]: r["hits"] for r in phone.command("rules")["rules"]}
    check([hits["to=" + x] for x in ("tone", "keys", "busy", "gone")] == [1, 1, 1, 1], "%s", hits)
    # a phone that answers otherwise does not pass
    wrong = lab.offhook("--auto-answer", name="wrong").ready()
    code, _, err = lab.run(*QUIET, "-q", "-f", os.path.join(EXAMPLES, "check.offhook"),
                           wrap=("env", "PHONE=127.0.0.1:%d" % wrong.port), timeout=120)
    check(code == 1 and "expected a tone of 1000 Hz" in err, "%d %s", code, err)
    # and the table of users is one
    base = lab.offhook("-a", "sip:base@127.0.0.1:1;register=no", "-s", "sip-timeout=1s", name="base").ready()
    r = base.reply("identities %s --rate 100" % os.path.join(EXAMPLES, "users.csv"), 60)
    check(r["accounts"] == 3, "%s", r)


# --- calls by rules ---------------------------------------------------------------

RULES = """# who calls decides
from=bob nth=2 then code=486 reason='Not again'
from=bob then echo for=1h
from=carol then redirect=sip:elsewhere@example.com
header='X-Test: *teapot*' then code=418
to=999 then after=300ms early tone=440 code=480
method=OPTIONS header=X-Probe then code=503
"""


def test_rules(lab):
    path = lab.file("rules", RULES)
    bob = lab.offhook("-a", "sip:bob@127.0.0.1;register=no", name="bob").ready()
    carol = lab.offhook("-a", "sip:carol@127.0.0.1;register=no", name="carol").ready()
    dave = lab.offhook("-a", "sip:dave@127.0.0.1;register=no", name="dave").ready()
    phone = lab.offhook().ready()
    phone.command("listen --answer 603 --rules %s" % path)

    bob.command("dial %s" % phone.uri)
    bob.command("wait call active 20s")
    bob.command("hangup")
    bob.command("dial %s" % phone.uri)
    e = bob.event("call.state", call=2, state="ended")
    check(e["code"] == 486 and e["reason"] == "Not again", "%s", e)
    bob.command("dial %s" % phone.uri)
    bob.command("wait call active 20s")
    bob.command("hangup")

    carol.command("dial %s --redirects deny" % phone.uri)
    carol.event("call.state", state="ended", code=302)
    dave.command("dial %s --header 'X-Test: a teapot, please'" % phone.uri)
    dave.event("call.state", call=1, state="ended", code=418)
    dave.command("dial %s" % phone.uri.replace("phone@", "999@"))
    dave.event("call.state", call=2, state="early")
    dave.event("call.state", call=2, state="ended", code=480)
    # where no rule holds, listen's own answer
    dave.command("dial %s" % phone.uri)
    dave.event("call.state", call=3, state="ended", code=603)

    check(dave.reply("request OPTIONS %s --header 'X-Probe: 1'" % phone.uri)["code"] == 503, "OPTIONS is answered")
    check(dave.reply("request OPTIONS %s" % phone.uri)["code"] == 200, "OPTIONS is refused")
    hits = [r["hits"] for r in phone.command("rules")["rules"]]
    check(hits == [1, 2, 1, 1, 1, 1], "%s", hits)
    phone.command("rules --off")
    check(phone.command("rules")["rules"] == [], "rules are left")
    bob.command("dial %s" % phone.uri)
    bob.event("call.state", call=4, state="ended", code=603)


def test_rules_actions(lab):
    """keys, a transfer, a re-INVITE that is refused, a recording"""
    third = lab.offhook("--auto-answer", name="third").ready()
    phone = lab.offhook().ready()
    phone.command("listen --rule 'to=keys then tone=440 dtmf=123 record=%s/in-%%n.wav' "
                  "--rule 'to=away then echo transfer=%s transfer-after=300ms' "
                  "--rule 'to=firm then echo refuse-reinvite=488' --rule 'to=bell then ring'"
                  % (lab.dir, third.uri))
    caller = lab.offhook(name="caller").ready()
    at = phone.uri.split("@")[1]
    caller.command("dial sip:keys@" + at)
    caller.command("wait call active 20s")
    caller.command("expect dtmf 123 within 20s", 25)
    caller.command("hangup")
    phone.event("record.done", result="done", timeout=20)
    caller.command("dial sip:firm@" + at)
    caller.command("wait call active 20s")
    r = caller.reply("hold", 20)
    check(not r["ok"], "a re-INVITE is taken: %s", r)
    check(caller.command("calls")["calls"][0]["state"] == "active", "the call is over")
    caller.command("hangup")
    caller.command("dial sip:bell@" + at)
    caller.event("call.state", call=3, state="ringing")
    caller.command("hangup")
    caller.command("dial sip:away@" + at)
    caller.command("wait call active 20s")
    third.event("call.state", state="active", timeout=30)
    bad = phone.reply("listen --rule 'from=x then code=1'")
    check(bad["error"] == "bad-argument" and "300 to 699" in bad["text"], "%s", bad)
    bad = phone.reply("listen --rules %s" % lab.file("bad", "\n\nfrm=x then echo\n"))
    check("bad:3: there is no matcher 'frm'; did you mean 'from'?" in bad["text"], "%s", bad)
    bad = phone.reply("listen --rule 'play=%s'" % lab.file("no.wav", "x"))
    check(bad["error"] == "bad-file", "%s", bad)


def test_rules_every(lab):
    """each third call is refused"""
    phone = lab.offhook().ready()
    phone.command("listen --rule 'every=3 then code=486' --echo")
    caller = lab.offhook(name="caller").ready()
    r = caller.reply("dial %s --calls 30 --rate 50 --for 100ms" % phone.uri, 60)
    check(r["answered"] == 20 and r["failed"] == 10, "%s", r)
    check({(e["cause"], e["code"], e["count"]) for e in r["endings"]} >= {("status", 486, 10)}, "%s", r)


def test_hundreds(lab):
    """300 calls of SIPp, most of them at once, taken by rules"""
    phone = lab.offhook("-s", "max-calls=1000").ready()
    phone.command("listen --rule 'from=nobody then code=403' --rule 'from=sipp* then echo' --answer 603")
    s = lab.sipp(None, "-r", "100", "-l", "300", "-d", "6000", sn="uac", to="127.0.0.1:%d" % phone.port, calls=300)
    phone.event("call.state", call=200, state="active", timeout=60)
    most = len(phone.command("calls")["calls"])
    s.well(80)
    check(most >= 100, "%d calls at once", most)
    check([r["hits"] for r in phone.command("rules")["rules"]] == [0, 300], "%s", phone.command("rules"))
    phone.event("call.state", call=300, state="ended", again=True, timeout=20)
    check({o["cause"] for o in phone.objects() if o.get("state") == "ended"} <= {"none", "no-media"}, "an end")


test_hundreds.limit = 150


if __name__ == "__main__":
    main(globals())
