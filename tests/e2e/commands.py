#!/usr/bin/env python3
"""The whole table of commands: each is run, well and wrongly, on a phone with
a call; what it replies, how it fails and what it exits with are as is told
(--dump commands). A command that is in no list here fails the test."""
import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

from home import QUIET, Failed, check, main
import documented
from kamailio import Kamailio

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
    ("play {dir}/c.wav", None), ("gain mic 3", None), ("gain mic 300", "bad-argument"), ("pan left", None),
    ("pan up", "bad-argument"), ("update", None),
    ("update 9", "no-such-call"), ("reinvite", None), ("reinvite 9", "no-such-call"), ("info --type text/plain --body x", None), ("info --body x", "bad-argument"),
    ("request OPTIONS {other}", None), ("request 'A B' {other}", "bad-argument"), ("options {other}", None),
    ("options http://x", "bad-target"), ("swap", "wrong-state"), ("conference 1", "bad-argument"),
    ("transfer http://x", "bad-target"), ("redirect {other}", "wrong-state"), ("answer 1", "wrong-state"),
    ("reject", "no-call"), ("explain", None), ("explain 9", "no-such-call"), ("ice", "wrong-state"), ("ice 9", "no-such-call"), ("ladder", None), ("ladder x", "bad-argument"),
    ("sdp", None), ("sdp 9", "no-such-call"),
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


# (who, line, token): three phones of a registrar. `phone` is called and calls,
# `other` and `third` answer, `caller` calls; "~STATE" waits for a call of that
# phone to come into that state. {call}, {before}: the last calls of `phone`
TOGETHER = [
    ("phone", "register", None), ("phone", "publish away", None), ("phone", "subscribe presence {other}", None),
    ("phone", "unsubscribe {subscription}", None), ("phone", "identities {dir}/users.csv", None),
    ("phone", "devices", None), ("phone", "doctor --quick", None),
    ("caller", "dial {phone}", None), ("phone", "~incoming", None), ("phone", "answer", None), ("caller", "~active", None),
    ("caller", "hangup", None), ("phone", "~ended", None),
    ("caller", "dial {phone}", None), ("phone", "~incoming", None), ("phone", "reject", None), ("caller", "~ended", None),
    ("caller", "dial {phone}", None), ("phone", "~incoming", None), ("phone", "redirect {other}", None),
    ("caller", "~ended", None),
    ("phone", "dial {other}", None), ("phone", "~active", None), ("phone", "report", None), ("phone", "hold", None),
    ("phone", "dial {third}", None), ("phone", "~active", None), ("phone", "swap", None),
    ("phone", "conference {before} {call}", None), ("phone", "hangup {before}", None), ("phone", "~ended", None),
    ("phone", "transfer {other}", None), ("phone", "~ended", None),
    ("phone", "voicemail", None), ("phone", "~active", None), ("phone", "hangup", None), ("phone", "~ended", None),
    ("caller", "dial {bell}", None), ("bell", "~incoming", None), ("phone", "pickup {bell}", None), ("phone", "~active", None),
    ("phone", "hangup", None), ("phone", "unregister", None),
]

# These need a terminal, a shell, a socket, or much time: where each is seen to work
ELSEWHERE = {"ice": "../integration/nat.py", "attach": "attach.py", "detach": "attach.py", "ctl": "control.py", "output": "control.py", "view": "screen_pages.py",
             "screen": "screen.py", "selftest": "json_lines.py"}


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


def states(phone):
    """how often a call of it has come into each state"""
    out = {}
    for o in phone.objects():
        if o.get("event") == "call.state":
            out[o["state"]] = out.get(o["state"], 0) + 1
    return out


def until(phone, state, count, timeout=40):
    """a call has come into that state more often than that"""
    end = time.monotonic() + timeout
    while states(phone).get(state, 0) <= count:
        check(time.monotonic() < end, "%s is never %s: %s", phone.name, state, states(phone))
        time.sleep(0.05)


def test_together(lab):
    users = {"alice": "pw-alice", "one": "pw-one"}
    server = Kamailio(lab, "auth", "presence", users=users)
    lab.file("users.csv", "user,password\none,pw-one\n")
    quiet = {"env": {"ALSA_CONFIG_PATH": lab.file("asound.conf", "pcm.nothing { type hw card 99 }\n")}}
    p = {"other": lab.offhook("--auto-answer", "-s", "watchers=yes", audio="tone:1000", name="other").ready(),
         "third": lab.offhook("--auto-answer", audio="tone:700", name="third").ready(),
         "bell": lab.offhook("-s", "watchers=yes", name="bell").ready(),
         "caller": lab.offhook("-s", "redirects=deny", name="caller").ready()}
    p["phone"] = lab.offhook("-a", server.account("alice", users["alice"], "voicemail=" + p["third"].uri, "catch-all=yes"), "-s",
                             "quality-report=" + p["other"].uri, audio="tone:440", name="phone", **quiet).ready()
    words = {k: v.uri for k, v in p.items()}
    wrong, count = [], {k: {} for k in p}
    for who, line, token in TOGETHER:
        if line[0] == "~":
            until(p[who], line[1:], count[who].get(line[1:], 0))
            continue
        # what happens from this line on is what is waited for behind it
        count = {k: states(v) for k, v in p.items()}
        line = line.format(dir=lab.dir, **words)
        r = p[who].reply(line, 60)
        if r.get("error") != token:
            wrong.append("%s: %s: %s, not %s" % (who, line, json.dumps(r)[:300], token))
        if who == "phone" and "call" in r:
            words["before"], words["call"] = words.get("call"), r["call"]
        words["subscription"] = r.get("subscription", words.get("subscription"))
    check(not wrong, "%s", "\n".join(wrong))


def test_each(lab):
    """none is left out: neither of what works, nor of what does not"""
    steps = CALL + ALONE + [(line, token) for _, line, token in TOGETHER if line[0] != "~"]
    good = {name_of(x) for x, token in steps if token is None}
    bad = {name_of(x) for x, token in steps if token is not None}
    every = set(names(lab)) - {"quit"}
    bad.remove("quit")
    check(every == good | bad, "no test runs %s; there is no %s", sorted(every - good - bad), sorted((good | bad) - every))
    check(every - good == set(ELSEWHERE), "never seen to work here: %s", sorted((every - good) ^ set(ELSEWHERE)))
    for name, where in ELSEWHERE.items():
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), where), encoding="utf-8") as f:
            check(re.search(r"""["' ]%s["' ]""" % name, f.read()), "%s does not run %s", where, name)
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


def test_help(lab):
    """before a command, behind it, and as one: the same"""
    for name in ("dial", "ctl", "print", "a"):
        texts = [lab.run(*words) for words in (("--help", name), ("-h", name), (name, "--help"), (name, "-h"), ("help", name))]
        check(all(t[0] == 0 and t[1].startswith("usage: ") for t in texts), "%s", texts)
        check(len({t[1] for t in texts}) == 1, "%s: %s", name, texts)


test_exit_codes.limit = test_together.limit = 200

if __name__ == "__main__":
    main(globals())
