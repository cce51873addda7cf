#!/usr/bin/env python3
"""offhook calls SIPp: what a caller has to bear"""
import hashlib
import os
import re
import socket
import subprocess
import sys
import time

import sound
from lab import check, main, ports
from scenario import (KEPT_CSEQ, KEPT_VIA, back, called, done, ok, pause, recv, response, ringing, sdp)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import sip  # noqa: E402

REFUSED = [(486, "Busy Here", 4), (600, "Busy Everywhere", 4), (404, "Not Found", 7), (410, "Gone", 7),
           (604, "Does Not Exist Anywhere", 7), (480, "Temporarily Unavailable", 5), (408, "Request Timeout", 5),
           (403, "Forbidden", 6), (488, "Not Acceptable Here", 8), (606, "Not Acceptable", 8),
           (500, "Server Internal Error", 3), (503, "Service Unavailable", 3), (603, "Decline", 3)]


def dial(lab, callee, *args, audio="tone:440", listen=None, options=(), timeout=60):
    """the COMMAND dial to its end -> (exit code, stdout, stderr)"""
    listen = listen or "udp:127.0.0.1:%d" % ports()
    return lab.run("-A", audio, "-l", listen, *options, "dial", callee.uri, *args, timeout=timeout)


def test_refusals(lab):
    for code, phrase, wanted in REFUSED:
        s = lab.sipp([called(), response(code, phrase), recv("ACK")], name="code%d" % code)
        got, out, err = dial(lab, s)
        check(got == wanted, "%d %s: exit code %d, not %d\n%s%s", code, phrase, got, wanted, out, err)
        s.well()


AVP = ('<recv request="INVITE" rrs="true" test="plain" next="in"><action>'
       '<ereg regexp="m=audio [0-9]+ RTP/AVP " search_in="msg" assign_to="plain"/></action></recv>'
       '<send><![CDATA[\n\nSIP/2.0 488 Not Acceptable Here\n[last_Via:]\n[last_From:]\n[last_To:];tag=x\n'
       '[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send><recv request="ACK" next="end"/><label id="in"/>')


def test_feedback_refused(lab):
    """who knows nothing of RTP/AVPF is called once more with what everybody knows"""
    s = lab.sipp([AVP, ok(), recv("ACK"), recv("BYE"), done(), '<label id="end"/>'], "-rtp_echo", "-m", "2", name="plain")
    got, out, err = dial(lab, s, "--for", "1", options=("-s", "retransmission=yes"))
    check(got == 0 and out.count("calling") <= 1 and "once more" not in out, "exit code %d\n%s%s", got, out, err)
    s.well()
    # without the option it is a refusal, once
    s = lab.sipp([called(checks=[("body", "RTP/AVP ")]), response(488, "Not Acceptable Here"), recv("ACK")], name="once")
    check(dial(lab, s)[0] == 8, "not refused")
    s.well()


def test_redirect(lab):
    """302: followed to where it points, or told as 3"""
    there = lab.sipp([called(), ok(), recv("ACK"), recv("BYE"), done()], "-rtp_echo", name="there")
    here = lab.sipp([called(), response(302, "Moved Temporarily", headers=["Contact: <%s>" % there.uri]), recv("ACK")],
                    name="here")
    got, out, err = dial(lab, here, "--for", "1")
    here.well()
    check(got in (0, 3), "exit code %d\n%s%s", got, out, err)
    if got == 0:
        there.well()


CHALLENGE = 'Digest realm="lab", nonce="5ccc069c403ebaf9f0171e9517f40e41", algorithm=MD5, qop="auth"'
VERIFY = ('<recv request="INVITE" rrs="true" test="good" next="in"><action>'
          '<verifyauth assign_to="good" username="alice" password="se cret&amp;"/></action></recv>'
          '<send next="end"><![CDATA[\n\nSIP/2.0 403 Forbidden\n[last_Via:]\n[last_From:]\n[last_To:];tag=x\n'
          '[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send><label id="in"/>')
ALICE = "sip:alice@127.0.0.1;register=no;password=se%20cret%26"


def test_digest(lab):
    """401, the answer checked by SIPp"""
    s = lab.sipp([called(), response(401, "Unauthorized", headers=["WWW-Authenticate: " + CHALLENGE]), recv("ACK"),
                  VERIFY, ok(), recv("ACK"), recv("BYE"), done(), '<label id="end"/>'], "-rtp_echo")
    got, out, err = dial(lab, s, "--for", "700ms", options=["-a", ALICE])
    check(got == 0, "exit code %d\n%s%s", got, out, err)
    s.well()


def right_answer(m, header, hash_name, sess):
    """does the request hold the digest that we compute ourselves?"""
    f = dict((k.lower(), a or b) for k, a, b in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', m[header]))

    def h(text):
        return hashlib.new(hash_name, text.encode()).hexdigest()
    a1 = h("alice:lab:se cret&")
    if sess:
        a1 = h("%s:%s:%s" % (a1, f["nonce"], f["cnonce"]))
    a2 = "%s:%s" % (m.method, f["uri"])
    if f["qop"] == "auth-int":
        a2 += ":" + h(m.body)
    want = h(":".join([a1, f["nonce"], f["nc"], f["cnonce"], f["qop"], h(a2)]))
    return f["username"] == "alice" and f["response"] == want


def test_digest_every_kind(lab):
    """both headers, each algorithm, with -sess, auth and auth-int"""
    for code, reply, header in ((401, "WWW-Authenticate", "authorization"),
                                (407, "Proxy-Authenticate", "proxy-authorization")):
        for name, hash_name in (("MD5", "md5"), ("SHA-256", "sha256"), ("SHA-512-256", "sha512_256")):
            for sess, qop in (("", "auth"), ("-sess", "auth"), ("", "auth-int")):
                what = "%d %s%s %s" % (code, name, sess, qop)
                callee = sip.Socket()
                phone = subprocess.Popen(
                    [lab.program, "-c", lab.dir, "-A", "null", "-l", "udp:127.0.0.1:%d" % ports(), "-a", ALICE,
                     "dial", "sip:b@" + callee.here], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                try:
                    m = await_request(callee, "INVITE")
                    callee.send(challenge(m, code, reply, name + sess, qop, callee), m.source)
                    await_request(callee, "ACK")
                    m = await_request(callee, "INVITE")
                    check(right_answer(m, header, hash_name, sess), "%s: %s", what, m[header])
                    callee.send(sip.response(m, 486, "Busy Here", callee), m.source)
                    await_request(callee, "ACK")
                    check(phone.wait(10) == 4, "%s: exit code %d", what, phone.returncode)
                finally:
                    phone.kill()
                    phone.wait()
                    callee.close()


def challenge(m, code, header, algorithm, qop, callee):
    text = sip.response(m, code, "Who are you", callee)
    return text.replace("\r\nContent-Length", '\r\n%s: Digest realm="lab", nonce="%s", algorithm=%s, qop="%s"'
                        "\r\nContent-Length" % (header, sip.token(), algorithm, qop), 1)


def await_request(sock, method, seconds=5):
    end = time.monotonic() + seconds
    while True:
        m = sock.receive(end - time.monotonic())
        check(m, "no %s came", method)
        if m.method == method:
            return m


def test_wrong_password(lab):
    """challenged again: not tried for ever"""
    again = [response(401, "Unauthorized", headers=["WWW-Authenticate: " + CHALLENGE]), recv("ACK")]
    s = lab.sipp([called()] + again + [called()] + again)
    got, out, err = dial(lab, s, options=["-a", "sip:alice@127.0.0.1;register=no;password=wrong"])
    check(got == 6, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_no_credentials(lab):
    s = lab.sipp([called(), response(401, "Unauthorized", headers=["WWW-Authenticate: " + CHALLENGE]), recv("ACK")])
    got, out, err = dial(lab, s)
    check(got == 6, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_no_answer(lab):
    """it rings too long: CANCEL"""
    s = lab.sipp([called("cseq"), ringing(), recv("CANCEL", timeout=10000), response(200, "OK"),
                  response(487, "Request Terminated", cseq=KEPT_CSEQ), recv("ACK")])
    got, out, err = dial(lab, s, "--timeout", "1")
    check(got == 5, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_answer_crosses_cancel(lab):
    """the callee answers while our CANCEL is under way: ACK and BYE"""
    s = lab.sipp([called("via", "cseq"), ringing(), recv("CANCEL", timeout=10000), response(200, "OK"),
                  ok(via=KEPT_VIA, cseq=KEPT_CSEQ), recv("ACK"), recv("BYE"), done()])
    got, out, err = dial(lab, s, "--timeout", "1")
    check(got == 5, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_interrupted(lab):
    """SIGINT while it rings: CANCEL, exit 130"""
    import signal
    s = lab.sipp([called("cseq"), ringing(), recv("CANCEL", timeout=10000), response(200, "OK"),
                  response(487, "Request Terminated", cseq=KEPT_CSEQ), recv("ACK")])
    phone = lab.offhook("dial", s.uri)
    phone.event("call.state", state="ringing")
    phone.proc.send_signal(signal.SIGINT)
    check(phone.exit(10) == 130, "exit code %d", phone.proc.returncode)
    s.well()


def test_forked(lab):
    """two phones ring, both answer: one call, the other gets ACK and BYE"""
    s = lab.sipp([called("via", "cseq"), ringing(tag="one"), ringing(tag="two"), ok(tag="one"),
                  recv("ACK", checks=[("To", "tag=one")]),
                  ok(tag="two", totag=False).replace("[last_To:]", "To: <sip:test@[local_ip]:[local_port]>;tag=two")
                  .replace("[last_Via:]", KEPT_VIA).replace("[last_CSeq:]", KEPT_CSEQ),
                  recv("ACK", checks=[("To", "tag=two")]), recv("BYE", checks=[("To", "tag=two")]), done(),
                  recv("BYE", checks=[("To", "tag=one")], timeout=10000), done()], "-rtp_echo")
    got, out, err = dial(lab, s, "--for", "1500ms", options=("--json",))
    check(got == 0, "exit code %d\n%s%s", got, out, err)
    check('"event":"call.forked"' in out, "nobody is told\n%s", out)
    s.well()


def test_200_again(lab):
    """the callee did not get our ACK and repeats its 200: the same ACK again.
    (SIPp would take that for a repetition and answer it for ever)"""
    callee = sip.Socket()
    phone = lab.offhook("dial", "sip:b@" + callee.here, "--for", "2")      # 1 would prove nothing about sound
    m = await_request(callee, "INVITE")
    answer = sip.response(m, 200, "OK", callee, "b", sip.sdp(ports()))
    for _ in range(3):
        callee.send(answer, m.source)
        check("tag=b" in await_request(callee, "ACK")["to"], "ACK for another dialog")
    bye = await_request(callee, "BYE")
    callee.send(sip.response(bye, 200, "OK", callee), bye.source)
    check(phone.exit(10) == 8, "exit code %d", phone.proc.returncode)
    callee.close()


def test_hang_up_from_there(lab):
    s = lab.sipp([called("caller"), ringing(), ok(), recv("ACK"), pause(700), back("BYE", 1), recv(200)], "-rtp_echo")
    got, out, err = dial(lab, s)
    check(got == 0, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_early_media(lab):
    """183 with SDP, then 200 with the same"""
    s = lab.sipp([called(), response(183, "Session Progress", sdp()), pause(500), ok(), recv("ACK"),
                  recv("BYE", timeout=10000), done()], "-rtp_echo")
    phone = lab.offhook("dial", s.uri, "--for", "500ms", audio="tone:440")
    phone.event("call.state", state="early")
    phone.event("call.state", state="active")
    check(phone.exit(10) == 0, "exit code %d\n%s", phone.proc.returncode, phone.tail())
    s.well()


def test_unusable_answer(lab):
    """nothing that we offered: ACK, BYE, exit 8"""
    s = lab.sipp([called(), ok(sdp("3")), recv("ACK"), recv("BYE"), done()])
    got, out, err = dial(lab, s)
    check(got == 8, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_silence(lab):
    """answered, but no packet comes: exit 8"""
    s = lab.sipp([called(), ok(), recv("ACK"), recv("BYE", timeout=10000), done()])
    got, out, err = dial(lab, s, "--for", "2")
    check(got == 8, "exit code %d\n%s%s", got, out, err)
    s.well()


def hold_and_resume(phone):
    phone.command("hold")
    phone.event("call.hold", local=True)
    phone.command("resume")
    phone.event("call.hold", local=False)


def test_hold_and_resume(lab):
    s = lab.sipp([called(), ok(), recv("ACK"),
                  recv("INVITE", checks=[("body", "a=sendonly")], timeout=10000),
                  ok(sdp(direction="recvonly", version=2), totag=False), recv("ACK"),
                  recv("INVITE", checks=[("body", "a=sendrecv")], timeout=10000),
                  ok(sdp(version=3), totag=False), recv("ACK"),
                  recv("BYE", timeout=10000), done()], "-rtp_echo")
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("dial %s" % s.uri)
    phone.event("call.state", state="active")
    hold_and_resume(phone)
    phone.command("hangup")
    phone.event("call.state", state="ended")
    s.well()


def test_quit_behind_hold(lab):
    """the peer says nothing to the hold: the script ends all the same, with a BYE, and long before the hold's time"""
    s = lab.sipp([called(), ok(), recv("ACK"), recv("INVITE", checks=[("body", "a=sendonly")], timeout=20000),
                  recv("BYE", timeout=20000), done()], "-rtp_echo")
    got, out, err = lab.run("-A", "tone:440", "-l", "udp:127.0.0.1:%d" % ports(), "-s", "sip-timeout=30",
                            stdin="dial %s\nwait call active\nhold\n\n# no more\nquit\n" % s.uri)
    check(got == 1 and "call 1 is not put on hold: no answer" in err, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_hold_otherwise(lab):
    """option hold-by: nothing goes either way, and RFC 2543's address"""
    s = lab.sipp([called(), ok(), recv("ACK"),
                  recv("INVITE", checks=[("body", "a=inactive")], timeout=10000),
                  ok(sdp(direction="inactive", version=2), totag=False), recv("ACK"),
                  recv("INVITE", checks=[("body", "a=sendrecv")], timeout=10000),
                  ok(sdp(version=3), totag=False), recv("ACK"),
                  recv("INVITE", checks=[("body", "c=IN IP4 0[.]0[.]0[.]0")], timeout=10000),
                  ok(sdp(version=4), totag=False), recv("ACK"),
                  recv("INVITE", checks=[("body", "c=IN IP4 127")], timeout=10000),
                  ok(sdp(version=5), totag=False), recv("ACK"),
                  recv("BYE", timeout=10000), done()], "-rtp_echo")
    phone = lab.offhook("-s", "hold-by=inactive", audio="tone:440").ready()
    phone.command("dial %s" % s.uri)
    phone.event("call.state", state="active")
    for by in ("inactive", "address"):
        phone.command("set hold-by " + by)
        hold_and_resume(phone)
    phone.command("hangup")
    phone.event("call.state", state="ended")
    s.well()


def test_requests_from_there(lab):
    """re-INVITE with and without an offer, OPTIONS, an unknown method"""
    s = lab.sipp([called("caller"), ok(), recv("ACK"), pause(200),
                  back("INVITE", 1, sdp(direction="sendonly", version=2)), recv(100, True),
                  recv(200, checks=[("body", "a=recvonly")]), back("ACK", 1),
                  back("INVITE", 2), recv(100, True), recv(200, checks=[("body", "m=audio [1-9]")]),
                  back("ACK", 2, sdp(version=3)),
                  back("OPTIONS", 3), recv(200), back("PUBLISH", 4), recv(405),
                  back("BYE", 5), recv(200)], "-rtp_echo")
    got, out, err = dial(lab, s)
    check(got in (0, 8), "exit code %d\n%s%s", got, out, err)
    s.well()


def test_tcp(lab):
    s = lab.sipp([called(), ringing(), ok(), recv("ACK"), recv("BYE", timeout=10000), done()], "-rtp_echo",
                 transport="t1")
    got, out, err = lab.run("-A", "tone:440", "-l", "tcp:127.0.0.1:%d" % ports(), "dial",
                            s.uri + ";transport=tcp", "--for", "1")
    check(got == 0, "exit code %d\n%s%s", got, out, err)
    s.well()


def test_ipv6(lab):
    s = lab.sipp([called(checks=[("body", "IN IP6 ::1")]), ringing(), ok(), recv("ACK"), recv("BYE", timeout=10000),
                  done()], host="::1")
    got, out, err = dial(lab, s, "--for", "1", listen="udp:[::1]:%d" % ports(1, "::1"))
    check(got in (0, 8), "exit code %d\n%s%s", got, out, err)
    s.well()


def test_nobody_there(lab):
    """TCP refused; UDP without an answer; a name that is none"""
    dead = "sip:x@127.0.0.1:%d" % ports()
    listen = ["-A", "null", "-l", "127.0.0.1:%d" % ports()]
    got, out, err = lab.run(*listen, "dial", dead + ";transport=tcp")
    check(got == 9, "tcp: exit code %d\n%s%s", got, out, err)
    got, out, err = lab.run(*listen, "dial", "sip:x@no-such-name.invalid")
    check(got == 7, "name: exit code %d\n%s%s", got, out, err)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        got, out, err = lab.run(*listen, "dial", "sip:x@127.0.0.1:%d" % deaf.getsockname()[1], timeout=50)
    check(got == 9, "udp: exit code %d\n%s%s", got, out, err)


def test_speech_comes_back(lab):
    """a tone to an echo: recorded, it is the same tone"""
    s = lab.sipp([called(), ok(sdp("0")), recv("ACK"), recv("BYE", timeout=20000), done()], "-rtp_echo")
    got, out, err = dial(lab, s, "--for", "4", "--record", lab.path("heard.wav"),
                         options=["-s", "record-layout=them"])
    check(got == 0, "exit code %d\n%s%s", got, out, err)
    s.well()
    check(os.path.exists(lab.path("heard.wav")), "no recording")
    h = sound.heard(lab.path("heard.wav"), 440)
    check(h.seconds > 3.3 and h.purity > 0.95 and not h.gaps, "%s", h)


if __name__ == "__main__":
    main(globals())
