#!/usr/bin/env python3
"""What goes wrong outside of offhook: a peer that vanishes, a full disk, a
port that is taken, an input that ends, a network without an answer. Each has
a defined result, and nothing that was there before is lost."""
import os
import signal
import socket
import subprocess
import time

import sound
from lab import check, main, ports, wait_port
from peers import Baresip
from scenario import called, done, ok, recv, ringing


def talking(lab, *args, **kw):
    """offhook in a call with a baresip that plays 1000 Hz"""
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), 1000, 60, 8000))
    phone = lab.offhook("-s", "record-layout=them", *args, audio="tone:440", **kw).ready()
    phone.command("dial " + peer.uri)
    phone.event("call.state", state="active")
    peer.established()
    return phone, peer


def test_peer_vanishes(lab):
    """killed in mid-call: told as silence, the call is ended, the recording
    is whole"""
    phone, peer = talking(lab, "-s", "rtp-timeout=2s")
    phone.command("record " + lab.path("heard.wav"))
    phone.command("sleep 1500ms")
    peer.proc.kill()
    end = phone.event("call.state", state="ended", timeout=60)
    check(end.get("cause") not in ("none", None), "no cause: %s", end)
    phone.event("record.done", again=True)
    h = sound.heard(lab.path("heard.wav"), 1000)
    check(h.seconds > 1.2 and not h.gaps, "%s", h)
    phone.command("status")


test_peer_vanishes.limit = 100


def test_full_disk(lab):
    """no room left while recording: an event says so, the call goes on, what
    fitted can be read"""
    wrap = ["sh", "-c", 'trap "" XFSZ; ulimit -f 100; exec "$@"', "sh"]
    phone, peer = talking(lab, wrap=wrap)
    phone.command("record " + lab.path("heard.wav"))
    end = phone.event("record.done", timeout=20)
    check(end["result"] == "error" and end.get("text"), "%s", end)
    state = phone.command("calls")
    check("active" in str(state), "the call is gone: %s", state)
    h = sound.heard(lab.path("heard.wav"), 1000)
    check(h.seconds > 1, "%s", h)
    phone.command("hangup")
    peer.closed()


def test_record_where_it_cannot(lab):
    phone, _ = talking(lab)
    r = phone.reply("record %s" % lab.path("no", "such", "folder.wav"))
    check(not r["ok"] and r["error"] and r["text"], "%s", r)
    r = phone.reply("play %s" % lab.path("nothing.wav"))
    check(not r["ok"] and r["error"] and "nothing.wav" in r["text"], "%s", r)
    r = phone.reply("play %s" % lab.file("text.wav", "this is no sound"))
    check(not r["ok"] and r["text"], "%s", r)
    phone.command("hangup")


def test_port_taken(lab):
    """a port that is named and taken is exit 9, with the address in the
    line; one that is not named moves"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        code, _, err = lab.run("-l", "udp:127.0.0.1:%d" % port, "-A", "null", "status")
        check(code == 9, "exit code %d: %s", code, err)
        check(str(port) in err and len(err.strip().splitlines()) == 1, "not one line with the port: %s", err)


def test_input_ends_in_mid_script(lab):
    """stdin closes while a call stands: what is queued runs, then BYE"""
    s = lab.sipp([called(), ringing(), ok(), recv("ACK"), recv("BYE", timeout=10000), done()], "-rtp_echo")
    phone = lab.offhook(audio="tone:440")
    phone.say("dial %s" % s.uri)
    phone.say("wait call active 10")
    phone.say("sleep 500ms")
    phone.say("print that was all")
    phone.end_of_input()
    check(phone.exit(20) == 0, "exit code %d\n%s", phone.proc.returncode, phone.tail())
    check(any("that was all" in x for x in phone.lines), "a queued line did not run\n%s", phone.tail())
    s.well()


def test_input_that_is_a_file(lab):
    script = lab.file("script", "# a comment\nprint one\nsleep 100ms\n-hangup\nprint two  # behind\n")
    with open(script, encoding="ascii") as f:
        r = subprocess.run([lab.program, "-c", lab.dir, "-q", "-A", "null", "-l", "127.0.0.1:%d" % ports()], stdin=f,
                           capture_output=True, text=True, timeout=30)
    check(r.returncode == 0 and "one" in r.stdout and "two" in r.stdout, "%d\n%s%s", r.returncode, r.stdout, r.stderr)


def test_half_a_line(lab):
    """the last line has no end of line: it counts"""
    code, out, err = lab.run("-A", "null", "-l", "127.0.0.1:%d" % ports(), stdin="print whole\nprint half")
    check(code == 0 and "half" in out, "%d\n%s%s", code, out, err)


def test_failed_line_ends_script(lab):
    code, out, err = lab.run("-A", "null", "-l", "127.0.0.1:%d" % ports(),
                             stdin="print before\nexplode\nprint after\n")
    check(code == 1, "exit code %d", code)
    check("before" in out and "after" not in out, "%s", out)
    check("explode" in err + out, "%s%s", out, err)


def test_answers_for_ever(lab):
    """--auto-answer with stdin at its end: stays until SIGTERM, exit 0"""
    port = ports()
    p = subprocess.Popen([lab.program, "-c", lab.dir, "--auto-answer", "-A", "null", "-l", "udp:127.0.0.1:%d" % port],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_port("127.0.0.1", port)
        time.sleep(1)
        check(p.poll() is None, "ended by itself: %s", p.returncode)
        p.send_signal(signal.SIGTERM)
        out, _ = p.communicate(timeout=10)
        check(p.returncode in (0, 143), "exit code %d\n%s", p.returncode, out)
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()


def test_second_signal(lab):
    """a peer that never answers our BYE does not hold us: the second SIGTERM
    leaves at once"""
    s = lab.sipp([called(), ok(), recv("ACK"), '<pause milliseconds="30000"/>'], "-rtp_echo")
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("dial %s" % s.uri)
    phone.event("call.state", state="active")
    phone.proc.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    before = time.monotonic()
    phone.proc.send_signal(signal.SIGTERM)
    phone.exit(3)
    check(time.monotonic() - before < 2, "took too long")
    s.proc.kill()


def test_wrong_usage(lab):
    """each wrong argument: exit 2, one line that names it"""
    for args, word in ((["--frobnicate"], "frobnicate"), (["-s", "codecs=mp3"], "mp3"), (["-s", "codex=opus"], "codecs"),
                       (["-l", "udp:999.1.1.1:5060"], "999.1.1.1"), (["-l", "carrier:1.2.3.4"], "carrier"),
                       (["-a", "alice"], "alice"), (["-a", "sip:a@b;passwort=x"], "password"),
                       (["-A", "file:/no/such.wav"], "/no/such.wav"), (["-A", "gramophone"], "gramophone"),
                       (["explode"], "explode"), (["dial"], "dial"), (["dial", "sip:a@b", "--frob"], "frob"),
                       (["-f", lab.path("no-such-script")], "no-such-script")):
        code, out, err = lab.run("-A", "null", "-l", "127.0.0.1:%d" % ports(), *args) if args[0] not in ("-l", "-A") \
            else lab.run(*args, "status")
        check(code == 2, "%s: exit code %d\n%s%s", args, code, out, err)
        check(word in err, "%s: '%s' is not in: %s", args, word, err)
        check(len(err.strip().splitlines()) <= 2, "%s: more than a line: %s", args, err)


def test_odd_configuration(lab):
    folder = lab.path("conf")
    os.makedirs(folder)
    for text, word in (("codecs = opus,mp3\n", "mp3"), ("\n\ncodex = opus\n", "codecs"), ("codecs\n", "=")):
        with open(os.path.join(folder, "offhook.conf"), "w", encoding="ascii") as f:
            f.write(text)
        code, out, err = lab.run("-c", folder, "-A", "null", "-l", "127.0.0.1:%d" % ports(), "status")
        check(code == 2, "%r: exit code %d\n%s%s", text, code, out, err)
        check("offhook.conf line %d:" % len(text.splitlines()) in err, "%r: no file and line in: %s", text, err)
        check(word in err, "%r: '%s' is not in: %s", text, word, err)


if __name__ == "__main__":
    main(globals())
