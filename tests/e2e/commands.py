#!/usr/bin/env python3
"""The whole table of commands: each is run, well and wrongly, on a phone with
a call; what it replies, how it fails and what it exits with are as is told
(--dump commands). A command that is in no list here fails the test."""
import json
from concurrent.futures import ThreadPoolExecutor

from home import QUIET, Failed, check, main
import documented

# in this order, by a phone that has called `other`; (line, None or the token
# of its error). {other}, {dir} are filled in
CALL = [
    ("calls", None), ("select 1", None), ("select 9", "no-such-call"), ("status", None), ("stats", None),
    ("stats 9", "no-such-call"), ("hold", None), ("hold 9", "no-such-call"), ("resume", None),
    ("resume 9", "no-such-call"), ("mute", None), ("mute 9", "no-such-call"), ("unmute", None),
    ("unmute 9", "no-such-call"), ("dtmf 12", None), ("dtmf xy", "bad-argument"), ("tone 440", None),
    ("tone 1", "bad-argument"), ("echo on", None), ("echo maybe", "bad-argument"), ("silence", None),
    ("silence 9", "too-many-arguments"), ("stop", None), ("stop 9", "no-such-call"), ("play {dir}/none.wav", "no-such-file"),
    ("record {dir}/c.wav", None), ("sleep 500ms", None), ("record stop", None), ("sleep 500ms", None), ("record /nonexistent/c.wav", "no-such-file"),
    ("play {dir}/c.wav", None), ("gain mic 3", None), ("gain mic 300", "bad-argument"), ("update", None),
    ("update 9", "no-such-call"), ("reinvite", None), ("reinvite 9", "no-such-call"), ("info --type text/plain --body x", None), ("info --body x", "bad-argument"),
    ("request OPTIONS {other}", None), ("request 'A B' {other}", "bad-argument"), ("options {other}", None),
    ("options http://x", "bad-target"), ("swap", "wrong-state"), ("conference 1", "bad-argument"),
    ("transfer http://x", "bad-target"), ("redirect {other}", "wrong-state"), ("answer 1", "wrong-state"),
    ("reject", "no-call"), ("explain", None), ("explain 9", "no-such-call"), ("ladder", None), ("ladder x", "bad-argument"),
    ("assert state = active", None), ("assert state = ended", "assert-failed"), ("if state = ended print yes", None),
    ("if a b", "missing-argument"), ("expect tone 1000 within 20s", None), ("expect dtmf 5 within 100ms", "expect-failed"),
    ("wait call active 5s", None), ("wait call incoming 100ms", "timeout"), ("report", "wrong-state"),
    ("hangup", None), ("hangup 9", "no-such-call"), ("wait call ended 20s", None), ("redial", None), ("wait call active 20s", None),
    ("hangup", None), ("redial 1 2 3", "too-many-arguments"),
]

ALONE = [
    ("dial {other} --calls 2 --for 50ms", None), ("dial http://x", "bad-target"), ("listen", None), ("listen --answer 100", "bad-argument"),
    ("listen --rule 'nth=2 then code=486'", None), ("rules", None), ("rules x", "too-many-arguments"),
    ("auto-answer off", None), ("auto-answer 100", "bad-argument"), ("dnd on", None), ("dnd off", None), ("dnd x", "bad-argument"),
    ("forward busy {other}", None), ("forward off", None), ("forward busy", "missing-argument"),
    ("device", None), ("device frob", "bad-argument"), ("devices x", "bad-argument"),
    ("account add 'sip:a@127.0.0.1;register=no;name=a'", None), ("account add 'sip:a@127.0.0.1;name=a'", "already"),
    ("accounts", None), ("accounts none", "no-such-account"), ("register", "wrong-state"), ("unregister", "wrong-state"),
    ("account remove a", None), ("identities {dir}/ids.csv --rate 100", "accounts-failed"),
    ("identities /nonexistent", "no-such-file"), ("message {other} hello", None), ("message http://x y", "bad-target"),
    ("messages", None), ("messages --limit x", "bad-argument"), ("outbox", None), ("outbox x y", "too-many-arguments"),
    ("subscribe presence {other}", "refused"), ("subscribe x", "missing-argument"), ("subscriptions", None),
    ("subscriptions x", "too-many-arguments"), ("unsubscribe 99", "no-such-subscription"),
    ("publish busy", "no-such-account"), ("contact add Bob sip:bob@127.0.0.1", None),
    ("contact add", "missing-argument"), ("contacts", None),
    ("history", None), ("history --nonsense", "unknown-option"), ("voicemail", "failed"), ("pickup {other}", "failed"),
    ("print x", None), ("print '", "bad-line"), ("repeat 0 print x", None), ("repeat x print", "bad-argument"),
    ("run true", None), ("run false", "failed"), ("sleep 10ms", None), ("sleep x", "bad-argument"),
    ("set max-calls 7", None), ("set max-calls x", "bad-argument"), ("show max-calls", None), ("show x", "unknown-option"),
    ("source {dir}/empty", None), ("source /nonexistent", "no-such-file"), ("help", None), ("help x", "unknown-command"),
    ("trace off", None), ("trace /nonexistent/x", "no-such-file"), ("resolve sip:127.0.0.1:5060", None),
    ("resolve http://x", "bad-target"), ("metrics", None), ("metrics x", "too-many-arguments"), ("log", None), ("log loud", "bad-argument"),
    ("replay {dir}/run.journal", None), ("replay {dir}/empty", "bad-argument"), ("fault in --loss 1", None), ("fault off", None),
    ("fault in --loss 101", "bad-argument"), ("sip-fault", None), ("sip-fault off 9", "no-such-rule"),
    ("pcap {dir}/x.pcapng", None), ("pcap stop", None), ("pcap /nonexistent/x", "no-such-file"),
    ("events off", None), ("events on oops", "bad-argument"), ("output json", "not-supported"), ("auth x", None),
    ("detach", "already"), ("attach", "not-supported"), ("ctl status", "not-supported"), ("config show", None),
    ("config frob", "bad-argument"), ("view calls", "no-screen"), ("screen up", "no-screen"),
    ("selftest --nonsense", "unknown-option"), ("doctor --nonsense", "unknown-option"),
    ("quit x", "bad-argument"),
]


def name_of(line):
    return line.lstrip("-").split()[0]


def names(lab):
    _, out, _ = lab.run("--dump", "commands")
    return [c["name"] for c in json.loads(out)]


def walk(lab, phone, steps, **words):
    wrong = []
    for line, token in steps:
        line = line.format(dir=lab.dir, **words)
        try:
            r = phone.reply(line, 60)
        except Failed as e:
            wrong.append(str(e)[:400])
            continue
        if r.get("error") != token:
            wrong.append("%s: %s, not %s" % (line, json.dumps(r)[:300], token))
    check(not wrong, "%s", "\n".join(wrong))


def test_call(lab):
    other = lab.offhook("--auto-answer", audio="tone:1000", name="other").ready()
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("dial " + other.uri)
    phone.command("wait call active 30s", 35)
    walk(lab, phone, CALL, other=other.uri)


def test_alone(lab):
    other = lab.offhook("--auto-answer", name="other").ready()
    lab.file("empty", "")
    lab.file("ids.csv", "uri\nsip:nobody@127.0.0.1:1\n")
    lab.run(*QUIET, "--journal", lab.path("run.journal"), stdin="print x\n")
    phone = lab.offhook(name="phone").ready()
    walk(lab, phone, ALONE, other=other.uri)
    phone.say("quit 7")
    code = phone.exit(20)
    check(code == 7, "quit 7 is %d\n%s", code, phone.stderr()[-3000:])


def test_each(lab):
    """none is left out: neither of what works, nor of what does not"""
    good = {name_of(x) for x, token in CALL + ALONE if token is None}
    bad = {name_of(x) for x, token in CALL + ALONE if token is not None}
    every = set(names(lab)) - {"quit"}
    bad.remove("quit")
    check(every == good | bad, "no test runs %s; there is no %s", sorted(every - good - bad), sorted((good | bad) - every))
    # these need what is not here: somebody who rings, a terminal, a sound card ...
    need = {"answer", "devices", "reject", "swap", "conference", "transfer", "redirect", "pickup", "voicemail", "register",
            "unregister", "identities", "publish", "report", "output", "subscribe", "unsubscribe", "selftest", "doctor", "detach", "attach", "ctl", "view", "screen"}
    check(every - good == need, "never seen to work here: %s", sorted((every - good) ^ need))
    check(every - bad == {"calls", "contacts", "status", "auth"}, "never seen to fail: %s", sorted(every - bad))


def test_documented(lab):
    """the check itself can fail"""
    for line, reply in (("calls", {"ok": True, "oops": 1}), ("calls", {"ok": False, "error": "no-such-file"}),
                        ("calls", {"ok": True, "calls": [{"oops": 1}]}), ("d x", {"ok": True, "oops": 1})):
        check(documented.wrong(lab.program, line, reply), "%s %s passes", line, reply)
    check(not documented.wrong(lab.program, "calls", {"ok": True, "calls": [{"call": 1}]}), "what is right does not pass")


def test_exit_codes(lab):
    """wrong usage is 2, whatever the command"""
    def one(name):
        code, _, err = lab.run(*QUIET, "-q", name, "--nonsense")
        # words of these are text, an expression; and these want a phone first
        free = {"print": 0, "contacts": 0, "assert": 2, "attach": 2, "ctl": 1}
        if name in free:
            return None if code == free[name] else "%s: %d %s" % (name, code, err[-200:])
        return None if code == 2 and "unknown-option" in err else "%s: %d %s" % (name, code, err[-200:])
    with ThreadPoolExecutor(4) as pool:
        wrong = [x for x in pool.map(one, names(lab)) if x]
    check(not wrong, "%s", "\n".join(wrong))


test_exit_codes.limit = 200

if __name__ == "__main__":
    main(globals())
