#!/usr/bin/env python3
"""JSON lines as a program uses them: requests and replies, events and
their fields, the same from a request and from a bare line."""
import json
import os
import re
import subprocess
import wave

from home import QUIET, check, exits, main

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def session(lab, *requests, code=0):
    """run requests on a phone -> all objects, all of them JSON"""
    text = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in requests)
    r = subprocess.run([lab.program, "-c", lab.dir, "--json"] + QUIET, input=text, text=True, capture_output=True,
                       timeout=60)
    check(r.returncode == code, "exit code %d, not %d\n%s%s", r.returncode, code, r.stdout, r.stderr)
    check("error" not in r.stderr, "%s", r.stderr)
    return [json.loads(x) for x in r.stdout.splitlines()]


def replies(objects):
    return [o for o in objects if "reply" in o]


def times(reply):
    """a field in _ms is a whole number, wherever it stands"""
    for key, value in reply.items():
        for row in value if isinstance(value, list) else []:
            times(row)
        check(not key.endswith("_ms") or type(value) is int, "%s is %r", key, value)


def test_replies(lab):
    r = replies(session(lab, {"id": 7, "command": "print", "args": {"text": "x"}}, {"command": "calls"},
                        {"id": "a b", "command": "calls", "args": {}}, "print y", "# nothing", ""))
    check(r == [{"reply": 7, "ok": True, "text": "x"}, {"reply": None, "ok": True, "calls": [], "text": "no calls"},
                {"reply": "a b", "ok": True, "calls": [], "text": "no calls"},
                {"reply": None, "ok": True, "text": "y"}], "%s", r)


def test_errors(lab):
    """each is answered, and the next request is served; the exit code tells"""
    bad = [('{"id":1,"command":"dail"}', "unknown-command", "dial"), ("{oops}", "bad-request", "JSON"),
           ('{"id":3}', "bad-request", "command"), ('{"id":4,"command":"hangup"}', "no-call", ""),
           ('{"id":5,"command":"dial","args":{"traget":"x"}}', "unknown-option", "target"),
           ('{"id":6,"command":"hold","args":{"call":"one"}}', "bad-argument", "call"),
           ('{"id":7,"command":"hold","args":{"call":99}}', "no-such-call", "99"),
           ('{"id":8,"command":"dial","args":{"target":"sip:"}}', "bad-target", "")]
    r = replies(session(lab, *[b[0] for b in bad], {"id": 99, "command": "print", "args": {"text": "still here"}},
                        code=1))
    check(len(r) == len(bad) + 1 and r[-1]["text"] == "still here", "%s", r)
    for reply, (line, token, word) in zip(r, bad):
        check(not reply["ok"] and reply["error"] == token and word in reply["text"], "%s: %s", line, reply)


def test_wrong_usage(lab):
    """told as a reply too, wherever it is found: exit code 2, one line on
    stdout; but not before -j is read"""
    for args, token in ((["dail", "x"], "unknown-command"), (["dial"], "missing-argument"), (["dial", "a", "b"],
                        "too-many-arguments"), (["--frob"], "unknown-option"), (["-f", "/no/script"], "no-such-file"),
                        (["-A", "bogus", "status"], "bad-audio"), (["-a", "foo", "status"], "bad-account"),
                        (["-s", "foo=1", "status"], "bad-config"), (["--dump", "all"], "bad-argument"),
                        (["--log", "/no/folder/log", "status"], "no-such-file"),
                        (["--trace=/no/folder/trace", "status"], "no-such-file")):
        _, out, err = exits(lab.run(*QUIET, "-j", *args), 2, args)
        # that port 5060 was taken is told as an event before
        said = replies([json.loads(x) for x in out.splitlines()])
        check(len(said) == 1, "%s: %s", args, out)
        reply = said[0]
        check(reply["reply"] is None and reply["ok"] is False and reply["error"] == token and reply["text"], "%s: %s",
              args, out)
        told = [x for x in err.splitlines() if not x.startswith("warn: ")]
        check(not told or (len(told) == 1 and told[0].startswith("error: %s: " % token)), "%s: %s", args, err)
    _, out, err = exits(lab.run("--frob", "-j"), 2)
    check(out == "" and err.startswith("error: unknown-option: "), "%s%s", out, err)


def tokens_of(text):
    """the error tokens that C source names where errors are told"""
    found = set()
    calls = r"\b(?:reply_error|cmd_wrong|cmd_missing|client_refuse|usage|fatal|wrong|fail|reply_error_json|close_with|peer_turn_away)\(((?:[^\";]|\"[a-z-]+\")*)"
    for m in re.finditer(calls, text):
        found |= set(re.findall(r'(?<!cmd_str\(x, )"([a-z]+(?:-[a-z]+)*)"', m.group(1)))
    for m in re.finditer(r"\bconst char \*(?:error_token|token_of)\(.*?\n}", text, re.S):
        found |= set(re.findall(r'return "([a-z-]+)"', m.group(0)))
    return found


def test_error_tokens(lab):
    """each that the source names is in the table, and the table has no others"""
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "src")
    named = set()
    for folder in (".", "command", "ui"):
        for name in os.listdir(os.path.join(top, folder)):
            if name.endswith(".c"):
                with open(os.path.join(top, folder, name), encoding="utf-8") as f:
                    named |= tokens_of(f.read())
    _, out, _ = exits(lab.run("--dump", "errors"), 0)
    table = {row["name"] for row in json.loads(out)}
    check(named == table, "not in the table: %s; not in the source: %s", sorted(named - table), sorted(table - named))
    check(tokens_of('reply_error(r, a ? "no-x" : "no-y", "a text %s");') == {"no-x", "no-y"}, "nothing is found")


def test_exit_code(lab):
    """a request and a bare line that fail are answered, and remembered alike;
    quit CODE has the last word"""
    for line in ("hangup", {"id": 1, "command": "hangup"}):
        r = replies(session(lab, line, "print on", code=1))
        check([x["ok"] for x in r] == [False, True], "%s", r)
        session(lab, line, "quit", code=1)
        session(lab, line, "quit 0")
        session(lab, line, {"command": "quit", "args": {"code": 5}}, code=5)
    session(lab, "-hangup", "print on")


def test_script_file(lab):
    """in a script a failed request ends it, as a line does"""
    for line in ("hangup", '{"id":1,"command":"hangup"}'):
        r = subprocess.run([lab.program, "-c", lab.dir, "--json"] + QUIET + ["-f", lab.file("s", line + "\nprint on\n")],
                           text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        said = replies([json.loads(x) for x in r.stdout.splitlines()])
        check(r.returncode == 1 and [x["ok"] for x in said] == [False], "%d %s", r.returncode, r.stdout)


def test_call(lab):
    """the events of a call, in order, with their fields"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    phone = lab.offhook(audio="tone:440", name="phone").ready()
    phone.say(json.dumps({"id": 1, "command": "dial", "args": {"target": other.uri, "for": "2500ms"}}))
    end = phone.event("call.state", state="ended", timeout=20)
    check(end["duration_ms"] >= 2000 and end["call"] == 1 and end["peer"] == other.uri, "%s", end)
    events = [o for o in phone.objects() if "event" in o]
    states = [o["state"] for o in events if o["event"] == "call.state"]
    check(states[0] == "calling" and states[-2:] == ["active", "ended"], "%s", states)
    check([o["seq"] for o in events] == list(range(1, len(events) + 1)), "gaps in seq")
    check(all(TIME.match(o["time"]) for o in events), "times")
    for o in events:
        times(o)
    media = next(o for o in events if o["event"] == "call.media")
    check(media["codec"] == "opus" and media["rate"] == 48000 and media["direction"] == "sendrecv", "%s", media)
    quality = [o for o in events if o["event"] == "call.quality"]
    check(len(quality) >= 2 and quality[-1]["loss_pct"] == 0 and quality[-1]["mos"] > 4, "%s", quality)
    check(next(o for o in phone.objects() if o.get("reply") == 1) == {"reply": 1, "ok": True, "call": 1}, "the reply")
    other.event("call.state", state="ended")
    heard = [o["state"] for o in other.objects() if o.get("event") == "call.state"]
    check(heard == ["incoming", "active", "ended"], "%s", heard)


def test_status(lab):
    """the whole state as one object"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    phone = lab.offhook("-a", "sip:alice@127.0.0.1;name=work;password=secret", audio="tone:440", name="phone").ready()
    phone.command("dial " + other.uri)
    phone.event("call.state", state="active")
    s = phone.command("status")
    check(s["accounts"][0]["aor"].startswith("sip:alice@127.0.0.1") and s["accounts"][0]["name"] == "work", "%s", s)
    check(s["calls"][0]["state"] == "active" and s["calls"][0]["peer"] == other.uri, "%s", s)
    check(s["listeners"] == [{"transport": "udp", "address": "127.0.0.1:%d" % phone.port}], "%s", s)
    check(s["audio"] == "tone:440" and s["auto_answer"] == "off", "%s", s)
    check("secret" not in json.dumps(phone.objects()), "the password is shown")
    phone.command("sleep 1")
    st = phone.command("stats")
    times(st)
    check(st["packets_received"] > 30 and st["packets_lost"] == 0 and st["codec"] == "opus", "%s", st)
    phone.command("hangup")
    phone.event("call.state", state="ended")
    check(phone.command("calls")["calls"] == [], "calls")
    st = phone.command("stats 1")
    times(st)
    check(st["state"] == "ended", "stats of an ended call")


def test_wait_keeps_types(lab):
    """what `wait EVENT` answers has the event's fields, numbers as numbers"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    phone = lab.offhook(audio="tone:440", name="phone").ready()
    phone.command("dial " + other.uri)
    reply = phone.command("wait call.quality")
    event = next(o for o in reversed(phone.objects()) if o.get("event") == "call.quality" and "reply" not in o)
    times(reply)
    check(set(event) - set(reply) == {"seq", "time"}, "%s, not %s", reply, event)
    for key in set(event) & set(reply):
        same = type(event[key]) is type(reply[key])
        check(same and (event[key] == reply[key] or isinstance(event[key], float)), "%s: %r, not %r", key,
              reply[key], event[key])


def test_waiting_requests(lab):
    """they are answered in order, each when it is done"""
    r = replies(session(lab, {"id": 1, "command": "sleep", "args": {"time": 0.3}}, {"id": 2, "command": "print"},
                        {"id": 3, "command": "wait", "args": {"event": "call", "match": ["active"], "timeout": "200ms"}},
                        {"id": 4, "command": "calls"}, code=1))
    check([x["reply"] for x in r] == [1, 2, 3, 4], "%s", r)
    check(r[2]["error"] == "timeout", "%s", r[2])


def test_selftest(lab):
    """its figures are a reply like any other"""
    sounds = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "sounds")
    with wave.open(os.path.join(sounds, "speech.wav")) as whole, wave.open(lab.path("short.wav"), "wb") as short:
        short.setparams(whole.getparams())
        short.writeframes(whole.readframes(2 * whole.getframerate()))
    code, out, err = lab.run("-A", "null", "-j", "selftest", "--speech", lab.path("short.wav"))
    objects = [json.loads(x) for x in out.splitlines()]
    check(len(objects) == 1 and objects[0]["reply"] is None and objects[0]["ok"] is (code == 0), "%d %s%s", code, out, err)
    calls = objects[0]["calls"]
    times(objects[0])
    check({c["sip"] for c in calls} == {"udp", "tcp"} and {"opus", "pcmu"} <= {c["codec"] for c in calls}, "%s", calls)
    check(all(type(c["pass"]) is bool and type(c["mos"]) is float for c in calls), "%s", calls)
    check(not [c for c in calls if "ended" in c["text"]], "%s", calls)


def test_only_json(lab):
    """nothing else on stdout, whatever happens: trace, log, odd names"""
    phone = lab.offhook("-vv", "-t", "--auto-answer", audio="null").ready()
    s = lab.sipp(None, sn="uac", to="127.0.0.1:%d" % phone.port)
    s.well()
    phone.event("call.state", state="ended")
    phone.objects()
    check("INVITE sip:" in phone.stderr(), "no trace on stderr")


def test_devices(lab):
    # no sound card, and no plugins that leak
    os.environ["ALSA_CONFIG_PATH"] = lab.file("asound.conf", "pcm.nothing { type hw card 99 }\n")
    r = replies(session(lab, {"id": 1, "command": "devices"}))
    check(r[0]["ok"] and isinstance(r[0]["devices"], list), "%s", r)


if __name__ == "__main__":
    main(globals())
