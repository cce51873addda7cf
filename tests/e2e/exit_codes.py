#!/usr/bin/env python3
"""Each exit code of the program, by what leads to it: calls to SIPp that end
in every way, wrong usage, signals."""
import os
import select
import signal
import socket
import subprocess
import time

from home import QUIET, check, exits, main, ports, wait_port
from scenario import called, done, ok, recv, response, ringing, sdp


def dial(lab, uri, *more, before=(), timeout=60):
    return lab.run(*QUIET, *before, "dial", uri, *more, timeout=timeout)


def refusal(lab, code, expected, phrase="No", headers=(), before=()):
    """a call that is refused with this status"""
    s = lab.sipp([called(), response(code, phrase, headers=headers), recv("ACK")], name="sipp%d" % code)
    exits(dial(lab, s.uri, before=before), expected, "status %d" % code)
    s.well()


# --- 0 ------------------------------------------------------------------------

def test_answered(lab):
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    _, out, _ = exits(dial(lab, other.uri, "--for", "1s"), 0)
    check("active" in out and "ended" in out, "the call is not told: %s", out)


def test_hung_up_there(lab):
    other = lab.offhook("-e", "listen --for 700ms", audio="tone:1000").ready()
    exits(dial(lab, other.uri), 0)


def test_listen_ends(lab):
    """after so many calls, after so long"""
    exits(lab.run(*QUIET, "listen", "--until", "300ms"), 0)
    port = ports()
    p = subprocess.Popen([lab.program, "-c", lab.dir, "-A", "tone:440", "-l", "udp:127.0.0.1:%d" % port, "listen",
                          "--calls", "1", "--echo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_port("127.0.0.1", port)
        exits(dial(lab, "sip:127.0.0.1:%d" % port, "--for", "500ms"), 0)
        out, _ = p.communicate(timeout=20)
        check(p.returncode == 0, "listen: exit code %d\n%s", p.returncode, out)
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()


# --- 1 ------------------------------------------------------------------------

def test_command_failed(lab):
    exits(lab.run(*QUIET, "hangup"), 1)
    exits(lab.run(*QUIET, "wait", "call", "active", "100ms"), 1)


def test_assert_failed(lab):
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    script = "dial %s\nwait call active\nsleep 500ms\nassert mos > 4.9\nprint never\n" % other.uri
    _, out, err = exits(lab.run(*QUIET, stdin=script), 1)
    check("never" not in out and "assert-failed" in err and "stdin:4" in err, "%s%s", out, err)


def test_output_is_lost(lab):
    """nobody gets what was asked for: that is no success"""
    for args in (["--version"], ["--help"], ["--dump", "commands"]):
        with open("/dev/full", "wb") as full:
            r = subprocess.run([lab.program] + args, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                               text=True, timeout=30)
        check(r.returncode == 1, "%s: exit code %d", args, r.returncode)
        check(r.stderr.count("\n") == 1 and "No space left" in r.stderr, "%s: %s", args, r.stderr)


# --- 2 ------------------------------------------------------------------------

def test_sound_that_is_not_there(lab):
    """said before anything starts; a FIFO that nobody holds is no reason to
    wait"""
    os.mkfifo(lab.path("in"))
    os.mkfifo(lab.path("out"))
    text = lab.file("text.wav", "no sound")
    exits(lab.run("-l", "udp:127.0.0.1", "-A", "pipe:%s,%s" % (lab.path("in"), lab.path("out")), "status", timeout=10), 0)
    for spec, word in (("pipe:/no/in," + lab.path("out"), "/no/in"), ("pipe:,/no/out", "/no/out"),
                       ("pipe:" + text, "not a pipe"), ("file:/no/in.wav", "/no/in.wav"),
                       ("file:,/no/out.wav", "/no/out.wav"), ("file:" + text, "text.wav"), ("file:,/tmp", "/tmp"),
                       ("file:," + lab.path("out"), "no file")):
        _, _, err = exits(lab.run("-l", "udp:127.0.0.1", "-A", spec, "listen", timeout=10), 2, spec)
        check(len(err.splitlines()) == 1 and err.startswith("error: bad-audio: ") and word in err, "%s: %s", spec, err)


def test_usage(lab):
    for args, word in ((["--frob"], "frob"), (["dail"], "dial"), (["dial"], "usage"), (["dial", "a", "b"], "'b'"),
                       (["dial", "sip:a@b", "--timeot", "3"], "--timeout"), (["listen", "--answer", "99"], "200"),
                       (["dial", "sip:"], "sip"), (["dial", "sip:a@b", "--play", "/no/file.wav"], "/no/file.wav"),
                       (["dial", "sip:a@b", "--play", os.path.realpath(__file__)], "not a sound file"),
                       (["dial", "sip:a@b", "--record", "/no/folder/a.wav"], "/no/folder/a.wav"),
                       (["listen", "--record", "/no/folder/%n.wav"], "/no/folder/0.wav"),
                       (["listen", "--play", os.path.realpath(__file__)], "not a sound file"),
                       (["dial", "sip:a@b", "--account", "nobody"], "nobody"), (["-f", "a", "dial", "b"], "not both"),
                       (["--auto-answer=250"], "200"), (["-s", "codecs"], "NAME=VALUE"), (["-l"], "needs"),
                       (["--dump", "all"], "commands"), (["-c", "/no/such"], "/no/such"), (["-c", ""], "--config"),
                       (["-c", "/dev/null"], "directory"), (["-l", "127.0.0.1:5071", "-l", "udp:127.0.0.1:5071"], "twice"),
                       (["-l", "[::1]:5060", "-l", "[::1]"], "twice")):
        _, _, err = exits(lab.run(*QUIET, *args), 2, args)
        told = [x for x in err.splitlines() if not x.startswith("warn: ")]
        check(len(told) == 1 and told[0].startswith("error: ") and word in told[0], "%s: %s", args, err)


def test_targets_we_do_not_speak(lab):
    """one token, exit 2, and nothing is sent"""
    for target, word in (("sip:bob@127.0.0.1:9;transport=sctp", "sctp"), ("http://bob@127.0.0.1:9", "http"),
                         ("mailto:bob@127.0.0.1", "mailto"), ("tel:+4930123", "account"), ("123", "account"),
                         ("sip:bob@123", "no host")):
        for command in ("dial", "options"):
            code, out, err = exits(lab.run(*QUIET, command, target, timeout=20), 2, (command, target))
            told = [x for x in err.splitlines() if not x.startswith("warn: ")]
            check(len(told) == 1 and told[0].startswith("error: bad-target: ") and word in told[0], "%s: %s", target, err)
            check("calling" not in out, "%s: a call began: %s", target, out)


# --- 3 to 9 ---------------------------------------------------------------------

def test_rejected(lab):
    for code in (603, 500, 302):
        refusal(lab, code, 3, headers=["Contact: <sip:127.0.0.1:9>"] if code == 302 else (),
                before=("-s", "redirects=deny"))


def test_busy(lab):
    for code in (486, 600):
        refusal(lab, code, 4)


def test_no_answer(lab):
    for code in (408, 480, 487):
        refusal(lab, code, 5)


def test_rings_too_long(lab):
    s = lab.sipp([called("via", "cseq"), ringing(), recv("CANCEL", timeout=10000), done(),
                  response(487, "Request Terminated", via="Via:[$via]", cseq="CSeq:[$cseq]"), recv("ACK")])
    exits(dial(lab, s.uri, "--timeout", "1s"), 5)
    s.well()


def test_auth(lab):
    for code in (401, 403, 407):
        name = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}.get(code)
        refusal(lab, code, 6, headers=['%s: Digest realm="x", nonce="y"' % name] if name else ())


def test_not_found(lab):
    for code in (404, 410, 604):
        refusal(lab, code, 7)


def test_no_such_host(lab):
    exits(dial(lab, "sip:nobody@no-such-host.invalid", before=["-s", "resolve-timeout=3s"]), 7)


def test_no_common_codec(lab):
    for code in (488, 606):
        refusal(lab, code, 8)


def test_no_media(lab):
    """answered, then nothing is heard"""
    s = lab.sipp([called(), ok(), recv("ACK"), recv("BYE", timeout=20000), done()])
    exits(dial(lab, s.uri, "--for", "3s"), 8)
    s.well()


def test_media_not_wanted(lab):
    """one that only listens sends nothing, and that is right"""
    s = lab.sipp([called(), ok(sdp(direction="recvonly")), recv("ACK"), recv("BYE", timeout=20000), done()])
    exits(dial(lab, s.uri, "--for", "1s"), 0)
    s.well()


def test_nobody_there(lab):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:      # it never answers
        s.bind(("127.0.0.1", 0))
        exits(dial(lab, "sip:x@127.0.0.1:%d" % s.getsockname()[1], before=["-s", "sip-timeout=1s"]), 9)
    port = ports()                                                   # nothing there at all
    exits(lab.run("-l", "tcp:127.0.0.1", "-A", "null", "dial", "sip:x@127.0.0.1:%d;transport=tcp" % port), 9)


def silent(lab, *args, sig=None, after=0.0):
    """dial somebody who never answers -> exit code, how long it took, how
    long after the first INVITE each later one came"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(10)
        p = subprocess.Popen([lab.program, "-c", lab.dir] + QUIET + ["dial", "sip:x@127.0.0.1:%d" %
                             s.getsockname()[1]] + list(args), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            s.recv(4096)
            begin = time.monotonic()
            if sig:
                time.sleep(after)
                p.send_signal(sig)
            code, took, again = p.wait(20), time.monotonic() - begin, 0
        finally:
            if p.poll() is None:
                p.kill()
                p.wait()
        s.setblocking(False)
        while select.select([s], [], [], 0)[0]:
            again += s.recv(4096).startswith(b"INVITE")
        return code, took, again


def test_leaves_at_once(lab):
    """nobody was heard of: there is nothing to wait for, though it takes a busy
    machine its time (who waited for somebody would wait for two seconds and
    more), and nothing more is sent"""
    code, took, again = silent(lab, "--timeout", "1s")
    check(code == 9 and 0.9 < took < 2.5 and again == 1, "exit code %d after %.2f s, %d more INVITEs", code, took,
          again)
    code, took, again = silent(lab, sig=signal.SIGINT, after=0.8)
    check(code == 130 and took < 2.3 and again == 1, "SIGINT: exit code %d after %.2f s, %d more INVITEs", code, took,
          again)


def test_leaves_when_cancelled(lab):
    """who was heard of gets CANCEL, and the end waits for 487 alone"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(10)
        p = subprocess.Popen([lab.program, "-c", lab.dir] + QUIET + ["dial", "sip:x@127.0.0.1:%d" %
                             s.getsockname()[1]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            invite, there = s.recvfrom(4096)
            p.send_signal(signal.SIGINT)
            time.sleep(0.2)
            s.sendto(answer(invite, "100 Trying"), there)
            cancel = s.recv(4096)
            while cancel.startswith(b"INVITE"):
                cancel = s.recv(4096)
            check(cancel.startswith(b"CANCEL"), "%r", cancel)
            s.sendto(answer(cancel, "200 OK"), there)
            time.sleep(0.7)
            check(p.poll() is None, "it did not wait for 487")
            s.sendto(answer(invite, "487 Request Terminated"), there)
            begin = time.monotonic()
            check(p.wait(10) == 130, "exit code %d", p.returncode)
            check(time.monotonic() - begin < 0.5, "it waited for nothing")
            check(s.recv(4096).startswith(b"ACK"), "no ACK")
        finally:
            if p.poll() is None:
                p.kill()
                p.wait()


def answer(request, status):
    """a response to it, with a tag unless it is 100"""
    lines = [x for x in request.decode().split("\r\n") if x.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))]
    if not status.startswith("100"):
        lines = [x + ";tag=b" if x.startswith("To:") else x for x in lines]
    return ("SIP/2.0 %s\r\n%s\r\nContent-Length: 0\r\n\r\n" % (status, "\r\n".join(lines))).encode()


def test_port_taken(lab):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        where = "tcp:127.0.0.1:%d" % s.getsockname()[1]
        _, _, err = exits(lab.run("-A", "null", "-l", where, "listen"), 9)
        check(where in err, "%s", err)


def test_options(lab):
    """`options` exits as a call would"""
    other = lab.offhook("--auto-answer").ready()
    _, out, _ = exits(lab.run(*QUIET, "options", other.uri), 0)
    check("INVITE" in out, "no Allow: %s", out)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        exits(lab.run(*QUIET, "options", "sip:127.0.0.1:%d" % s.getsockname()[1], "--timeout", "500ms"), 9)


# --- signals ----------------------------------------------------------------------

def signalled(lab, expected, sig, args, stdin=None, after=None):
    """start, wait for a line, send the signal -> all it printed"""
    p = subprocess.Popen([lab.program, "-c", lab.dir] + QUIET + args, stdin=subprocess.PIPE if stdin else
                         subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        if stdin:
            p.stdin.write(stdin)
            p.stdin.flush()
        seen = ""
        while after and after not in seen:
            line = p.stdout.readline()
            check(line, "it ended: %s", seen)
            seen += line
        if not after:
            time.sleep(1)
        p.send_signal(sig)
        code = p.wait(10)
        seen += p.stdout.read()
        check(code == expected, "exit code %d, not %d\n%s", code, expected, seen)
        return seen
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        p.stdout.close()
        if p.stdin:
            try:
                p.stdin.close()
            except OSError:
                pass


def test_interrupted(lab):
    """while it rings: 130 and 143, and the call is cancelled"""
    for sig, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        s = lab.sipp([called("via", "cseq"), ringing(), recv("CANCEL", timeout=10000), done(),
                      response(487, "Request Terminated", via="Via:[$via]", cseq="CSeq:[$cseq]"), recv("ACK")],
                     name="sipp%d" % sig)
        signalled(lab, code, sig, ["dial", s.uri], after="ringing")
        s.well()


def test_interrupted_in_call(lab):
    """after an answer it is no failure; BYE goes out"""
    s = lab.sipp([called(), ok(), recv("ACK"), recv("BYE", timeout=10000), done()])
    signalled(lab, 0, signal.SIGINT, ["dial", s.uri], after="active")
    s.well()


def test_interrupted_while_listening(lab):
    signalled(lab, 0, signal.SIGTERM, ["listen"], after="127.0.0.1")
    signalled(lab, 0, signal.SIGINT, ["--auto-answer"])


def test_interrupted_script(lab):
    signalled(lab, 143, signal.SIGTERM, [], stdin="print here\nsleep 100\n", after="here")


def test_quit(lab):
    exits(lab.run(*QUIET, stdin="quit 7\nprint never"), 7)
    exits(lab.run(*QUIET, stdin="quit"), 0)
    exits(lab.run(*QUIET, stdin="-hangup\nquit"), 0)
    exits(lab.run(*QUIET, "-e", "quit 9", "dial", "sip:127.0.0.1:9"), 9)


def test_nothing_to_do(lab):
    exits(lab.run(*QUIET), 0)
    exits(lab.run(*QUIET, "-f", os.devnull), 0)


if __name__ == "__main__":
    main(globals())
