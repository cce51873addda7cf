#!/usr/bin/env python3
"""Scripts as people write them: from stdin, a file, -e; waiting, expecting,
asserting, against a second offhook."""
import os
import subprocess
import wave

from home import QUIET, check, exits, main, wait_port
from scenario import called, done, ok, recv, response, sdp


def run(lab, script, code=0, args=(), **kw):
    """-> stdout without what -q leaves out, stderr"""
    _, out, err = exits(lab.run(*QUIET, "-q", *args, stdin=script, **kw), code, script)
    return out, err


def answering(lab, *lines):
    """a phone that answers, and runs these lines meanwhile"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    for line in lines:
        other.say(line)
    return other


def test_language(lab):
    out, _ = run(lab, """# a comment
print one two   # behind a line
print 'a  b' "c\\"d" e\\ f '#' it\\'s
print $WORD "${WORD}s" '$WORD'
   print indented
-nonsense
print last""")
    check(out.splitlines() == ["one two", 'a  b c"d e f # it\'s', "word words $WORD", "indented", "last"], "%s", out)


def test_unset_variable(lab):
    out, err = run(lab, "print a\nprint $NO_SUCH_NAME_HERE\nprint b", 1)
    check(out == "a\n" and "unset-variable" in err and "stdin:2" in err, "%s%s", out, err)


def test_call(lab):
    """the script of the manual"""
    other = answering(lab)
    wav = lab.path("heard.wav")
    out, err = run(lab, """dial %s --record %s
wait call active 20s
sleep 1s
dtmf 1234#
assert mos > 3.8
assert packets-received > 30
assert codec = opus
assert state = active
print codec $call.codec code $call.code
sleep 1s
hangup
wait call ended 5s
print over: $call.cause, $call.state
assert state = ended
""" % (other.uri, wav))
    check("codec opus code 200" in out and "over: none, ended" in out, "%s%s", out, err)
    check(os.path.getsize(wav) > 50000, "the recording has %d bytes", os.path.getsize(wav))
    other.event("call.state", state="ended")
    check(other.digits() == "1234#", "digits: %s", other.digits())


def test_digits_before_hangup(lab):
    """what follows dtmf follows the digits: all of them arrive"""
    other = answering(lab)
    run(lab, "dial %s\nwait call active\ndtmf 1,2w34\nhangup\nwait call ended\nassert code = 200\n"
        "assert packets-sent > 50\nassert state = ended\n" % other.uri)
    other.event("call.state", state="ended")
    check(other.digits() == "1234", "digits: %s", other.digits())


def test_digits_lost(lab):
    """the other side hangs up in the middle: said, with how many were out"""
    other = answering(lab, "wait call active 20", "sleep 500ms", "hangup")
    _, err = run(lab, "dial %s\nwait call active\ndtmf 12345678\n" % other.uri, 1)
    check("call-ended" in err and "of 8 digits were out" in err, "%s", err)


def test_expect(lab):
    """the other side types; the script takes it"""
    other = answering(lab, "wait call active 20", "sleep 500ms", "dtmf 77*8")
    run(lab, "dial %s\nwait call active\nexpect dtmf 77 within 5s\nexpect dtmf *8 within 5s\nhangup\n" % other.uri)


def test_expect_fails(lab):
    other = answering(lab, "wait call active 20", "sleep 300ms", "dtmf 12")
    _, err = run(lab, "dial %s\nwait call active\nexpect dtmf 13 within 5s\n" % other.uri, 1)
    check("expect-failed" in err and "12, not 13" in err, "%s", err)


def test_incoming(lab):
    """a script that answers by itself"""
    script = """wait call incoming 20s
print from $call.peer
answer
wait call active
echo on
wait call ended 20s
print heard it"""
    phone = lab.offhook("-f", lab.file("script", script), port=None)
    wait_port("127.0.0.1", phone.port)
    other = lab.offhook(audio="tone:1000", name="other").ready()
    other.command("dial " + phone.uri)
    other.event("call.state", state="active", timeout=15)
    other.command("sleep 1")
    other.command("hangup")
    check(phone.exit() == 0, "exit code %s\n%s", phone.proc.returncode, phone.tail())
    check(any("heard it" in x for x in phone.lines), "%s", phone.tail())


def test_two_calls(lab):
    """the second holds the first; numbers and `select` say which is meant"""
    other = answering(lab)
    out, _ = run(lab, """dial {0}
wait call active
dial {0}
wait call active
calls
hangup 1
sleep 500ms
select 2
assert state = active
hangup
""".format(other.uri))
    rows = [x.split() for x in out.splitlines() if x.strip().startswith(("1 ", "2 "))]
    check(len(rows) == 2 and all(r[1] == "active" for r in rows), "%s", out)


def test_failed_wait(lab):
    """a call that is refused fails the wait at once, with the cause"""
    other = lab.offhook("--auto-answer=486").ready()
    _, err = run(lab, "dial %s\nwait call active 20s\nprint never\n" % other.uri, 1)
    check("call-ended" in err and "486" in err or "usy" in err, "%s", err)
    run(lab, "dial %s\n-wait call active 20s\nassert code = 486\n" % other.uri)


def held(lab, code):
    """a peer that answers, and answers a re-INVITE with that status"""
    return lab.sipp([called(), ok(), recv("ACK"), recv("INVITE", timeout=10000),
                     ok(sdp(direction="recvonly", version=2), totag=False) if code == 200 else
                     response(code, "No", totag=False), recv("ACK"), recv("BYE", timeout=10000), done()],
                    "-rtp_echo", name="sipp%d" % code)


def test_hold(lab):
    """the line is done when the peer has agreed, and fails when it refuses"""
    s = held(lab, 200)
    run(lab, "dial %s\nwait call active\nhold\nwait call.hold local=true 1s\nhangup\n" % s.uri)
    s.well()
    s = held(lab, 488)
    out, err = run(lab, "dial %s\nwait call active\n-hold\nassert state = active\nhangup\n" % s.uri)
    check("refused" in err and "488" in err, "%s%s", out, err)
    s.well()
    s = held(lab, 603)
    out, err = run(lab, "dial %s\nwait call active\nhold\nprint never\n" % s.uri, 1)
    check("never" not in out and "refused" in err and "stdin:3" in err, "%s%s", out, err)
    s.well()


def test_play_and_events(lab):
    """a file is played to its end, another until it is stopped"""
    other = answering(lab)
    wav = lab.path("second.wav")
    with wave.open(wav, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(b"\x10\x20" * 8000)
    run(lab, """dial {0}
wait call active
play {1}
wait play.done result=done 10s
play {1} --loop
sleep 1500ms
stop
wait play.done result=stopped 5s
assert state = active
hangup
""".format(other.uri, wav))


def test_sources(lab):
    """-e in order, then -f; source puts lines before those that wait"""
    inner = lab.file("inner", "print two\nprint three\n")
    outer = lab.file("outer", "print one\nsource %s\nprint four" % inner)
    out, _ = run(lab, "", args=["-e", "print zero", "-e", "print half", "-f", outer])
    check(out.split() == ["zero", "half", "one", "two", "three", "four"], "%s", out)
    out, _ = run(lab, "print five", args=["-f", "-"])
    check(out == "five\n", "%s", out)
    lab.file("inner", "print two\nhangup\n")
    out, err = run(lab, "", 1, args=["-f", outer])
    check(out.split() == ["one", "two"] and "inner:2" in err, "%s%s", out, err)
    lab.file("inner", "source %s\n" % inner)
    _, err = run(lab, "", 1, args=["-f", outer])
    check("16 deep" in err, "%s", err)


def test_not_a_script(lab):
    """a directory is none, however it comes; exit code 2, one line"""
    _, _, err = exits(lab.run(*QUIET, "-q", "-f", lab.dir), 2)
    check(err == "error: bad-file: %s: Is a directory\n" % lab.dir, "%s", err)
    fd = os.open(lab.dir, os.O_RDONLY)
    try:
        r = subprocess.run([lab.program, "-c", lab.dir, "-q"] + QUIET, stdin=fd, capture_output=True, text=True, timeout=30)
    finally:
        os.close(fd)
    check(r.returncode == 2 and r.stderr == "error: bad-file: stdin: Is a directory\n", "%d %s", r.returncode, r.stderr)


def test_byte_order_mark(lab):
    for args in (["-f", lab.file("marked", "\ufeffprint one\n")], ["-e", "source " + lab.path("marked")]):
        out, _ = run(lab, "\ufeff# marked too", args=args)
        check(out == "one\n", "%s", out)


def test_odd_lines(lab):
    """too long, a NUL, half of UTF-8, CRLF: one clear line each"""
    for text, word in ((b"print " + b"x" * 9000 + b"\n", b"8192"), (b"print a\0b\n", b"NUL"),
                       (b"\xff\xfe\n", b"unknown-command"), (b"print 'a\n", b"single quote")):
        r = subprocess.run([lab.program, "-c", lab.dir, "-q"] + QUIET, input=b"print first\r\n" + text + b"print never\n",
                           capture_output=True, timeout=30)
        check(r.returncode == 1 and r.stdout == b"first\n", "%r: %d %r %r", text[:20], r.returncode, r.stdout, r.stderr)
        check(word in r.stderr and len(r.stderr.splitlines()) == 1, "%r: %r", text[:20], r.stderr)


def test_many_lines(lab):
    """more than wait at a time, and quickly"""
    out, _ = run(lab, "".join("print %d\n" % i for i in range(30000)))
    check(out.split() == [str(i) for i in range(30000)], "lines are missing or out of order")


def test_listen_goes_on(lab):
    """after its last line a script that listens stays until it is done"""
    phone = lab.offhook("-e", "listen --calls 1 --for 500ms", audio="tone:440")
    phone.end_of_input()
    wait_port("127.0.0.1", phone.port)
    other = lab.offhook(audio="tone:1000", name="other").ready()
    other.command("dial " + phone.uri)
    other.event("call.state", state="ended", timeout=15)
    check(phone.exit() == 0, "exit code %s\n%s", phone.proc.returncode, phone.tail())


if __name__ == "__main__":
    os.environ["WORD"] = "word"
    main(globals())
