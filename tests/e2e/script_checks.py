#!/usr/bin/env python3
"""What scripts can demand of a call: sound, headers, messages; what they can
decide; what a failed line says; results for test systems."""
import os
import xml.etree.ElementTree as xml

from home import QUIET, check, exits, main


def run(lab, script, code=0, args=(), **kw):
    _, out, err = exits(lab.run(*QUIET, "-q", *args, stdin=script, **kw), code, script)
    return out, err


def answering(lab, audio="tone:1000"):
    return lab.offhook("--auto-answer", audio=audio, name="other").ready()


def test_tone(lab):
    other = answering(lab)
    run(lab, "dial %s\nwait call active 20s\nexpect tone 1000 within 15s\nexpect speech within 10s\nhangup\n" % other.uri)


def test_tone_wrong(lab):
    """another tone is not it, and the line says what there was"""
    other = answering(lab)
    _, err = run(lab, "dial %s\nwait call active 20s\nexpect tone 700 within 2s\n" % other.uri, 1)
    check("expect-failed" in err and "expected a tone of 700 Hz within 2s, but of " in err and "s of sound" in err,
          "%s", err)


def test_tone_by_name(lab):
    """a busy tone is one, and what was heard in place of another is said"""
    other = answering(lab, "silence")
    busy = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sounds", "busy.wav")
    for line, code in (("expect tone busy within 30s", 0), ("expect tone dial within 6s", 1)):
        other.say("wait call.state state=active 60s")
        other.say("play %s --loop" % busy)
        _, err = run(lab, "dial %s\nwait call active 20s\n%s\nhangup\n" % (other.uri, line), code)
        other.event("call.state", state="ended", timeout=30)
    check("expected dial tone within 6s, but busy tone was heard" in err, "%s", err)


def test_silence(lab):
    other = answering(lab, "silence")
    run(lab, "dial %s\nwait call active 20s\nexpect silence within 15s\nhangup\n" % other.uri)
    _, err = run(lab, "dial %s\nwait call active 20s\nexpect speech within 2s\n" % other.uri, 1)
    check("expected speech within 2s, but it was silent for" in err, "%s", err)


def test_ended(lab):
    """the call ends in between: said at once, with what was heard and when"""
    other = answering(lab, "silence")
    other.say("wait call active 20s")
    other.say("sleep 700ms")
    other.say("hangup")
    _, err = run(lab, "dial %s\nwait call active 20s\nexpect tone 700 within 30s\n" % other.uri, 1)
    check("expected a tone of 700 Hz, but call 1 ended" in err and ", after " in err, "%s", err)


def test_message(lab):
    phone = lab.offhook().ready()
    phone.say("expect message world within 20s")
    other = lab.offhook(name="other").ready()
    other.command("message %s 'hello there'" % phone.uri)
    other.command("message %s 'hello world'" % phone.uri)
    _, i = phone.wait_line('"reply":null,"ok":true,.*hello world', 20)
    check(i, "no reply")
    r = phone.reply("expect message x within 200ms")
    check(r["error"] == "expect-failed" and "none came" in r["text"], "%s", r)


def test_headers(lab):
    other = answering(lab)
    out, err = run(lab, """dial %s --header 'X-Test: forty two'
wait call active 20s
assert response.Contact ~ sip:
assert sent-request.X-Test = 'forty two'
-assert response.X-None = 1
assert one-way = no
assert security != none
assert packets-late < 100
if state = active print 'it  is' active
if state = ended print never
if codec ~ pus print word
repeat 2 print "a  b"
repeat 0 print never
hangup
""" % other.uri)
    check(out.splitlines() == ["it  is active", "word", "a  b", "a  b"], "%s", out)
    check("response.X-None is not known" in err, "%s", err)


def test_bad_lines(lab):
    for line, text in (("expect tone", "what?"), ("expect tone x", "Hz"), ("expect speech 5 6", "within"),
                       ("assert mos ~ 3", "words"), ("assert nonsense.X = 1", "figure"), ("if a b", "missing"),
                       ("repeat -1 print x", "0"), ("run", "missing")):
        _, err = run(lab, "%s\n" % line, 1)
        check(text in err, "%s: %s", line, err)


def test_run(lab):
    out, _ = run(lab, """run echo 'one  two' "$HOME"
run 'echo quoted | tr a-z A-Z; exit 0'
-run exit 3
print after
""")
    lines = out.splitlines()
    check(lines[0].startswith("one two /") and lines[1] == "QUOTED", "%s", out)
    check(lines[2:] == ["after"], "%s", out)
    _, err = run(lab, "run exit 3\nprint never\n", 1)
    check("expected exit code 0, but it is 3" in err, "%s", err)
    _, err = run(lab, "run --timeout 300ms sleep 60\nprint never\n", 1)
    check("expected it to end within 300ms" in err, "%s", err)


def test_junit(lab):
    other = answering(lab)
    path = lab.path("result.xml")
    script = lab.file("t.offhook", "dial %s;password=secret\n-assert codec = <none>\nwait call active 20s\n"
                      "assert codec = opus\nassert codec = pcmu\nprint never\n" % other.uri)
    exits(lab.run(*QUIET, "-q", "--junit", path, "-f", script), 1)
    suite = xml.parse(path).getroot()
    suite = suite if suite.tag == "testsuite" else suite.find("testsuite")
    cases = suite.findall("testcase")
    check([suite.get("tests"), suite.get("failures"), suite.get("skipped")] == ["5", "1", "1"], "%s", suite.attrib)
    check(len(cases) == 5 and cases[3].get("name").endswith("assert codec = opus"), "%s", [c.attrib for c in cases])
    bad = cases[4].find("failure")
    check(bad is not None and "codec is opus, not = pcmu" in bad.get("message"), "%s", xml.tostring(cases[4]))
    check(cases[1].find("skipped") is not None, "what begins with - does not count")
    check("secret" not in open(path, encoding="utf-8").read(), "a secret")
    exits(lab.run(*QUIET, "-q", "--junit", "/nonexistent/x", stdin="print x\n"), 2)


if __name__ == "__main__":
    main(globals())
