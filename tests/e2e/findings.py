#!/usr/bin/env python3
"""Every finding, provoked by a call that goes wrong: what is told after it, and
what `explain` says. Most of it is made by sip-fault and fault, at home or on
the other side."""
import math
import os
import socket
import struct
import subprocess
import threading
import wave

from home import Skip, check, main, ports
from scenario import back, called, ok, pause, recv, response


def explained(phone, name, *texts, call=1):
    """`explain` says that first"""
    r = phone.command("explain %d" % call)
    check(r["findings"] and r["findings"][0]["name"] == name, "not %s: %s", name, r)
    seen = " ".join(str(v) for v in r["findings"][0].values())
    for t in texts:
        check(t in seen, "no '%s' in %s", t, r)


def told(phone, name, *texts, call=1, timeout=60):
    """and the event after the call"""
    phone.event("call.state", call=call, state="ended", timeout=timeout)
    e = phone.event("call.finding", call=call, again=True)
    check(e["finding"] == name, "not %s: %s", name, e)
    explained(phone, name, *texts, call=call)


def talk(phone, other, seconds, line="dial %s"):
    phone.command(line % other.uri)
    phone.command("wait call active 30s", 35)
    phone.command("sleep %g" % seconds, seconds + 15)


def answering(lab, *args, **kw):
    return lab.offhook("--auto-answer", *args, **{"name": "other", "audio": "tone:700", **kw}).ready()


# --- nobody is reached --------------------------------------------------------------

def test_name(lab):
    """a name service that knows no such name"""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                q, src = s.recvfrom(2048)
            except OSError:
                return
            s.sendto(q[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0) + q[12:], src)
    threading.Thread(target=serve, daemon=True).start()
    phone = lab.offhook("-s", "dns-servers=127.0.0.1:%d" % s.getsockname()[1]).ready()
    phone.command("dial sip:x@nowhere.example.com")
    told(phone, "name", "nowhere.example.com")
    s.close()


def test_tls(lab):
    """a certificate that nobody has signed"""
    other = answering(lab, transports=("tls",))
    phone = lab.offhook(transports=("udp", "tls")).ready()
    phone.command("dial sip:x@127.0.0.1:%d;transport=tls" % other.port)
    told(phone, "tls", "ertificate")


def test_unreachable(lab):
    phone = lab.offhook(transports=("tcp",)).ready()
    phone.command("dial sip:x@127.0.0.1:%d;transport=tcp" % ports(1))
    told(phone, "unreachable", "refused")


def test_no_response(lab):
    other = answering(lab)
    phone = lab.offhook("-s", "sip-timeout=3s").ready()
    phone.command("sip-fault drop")
    phone.command("dial " + other.uri)
    told(phone, "no-response", "nothing came back")


# --- confirmations ------------------------------------------------------------------

def test_no_ack(lab):
    """our 200 is never confirmed"""
    caller = lab.offhook(name="other", audio="tone:700").ready()
    phone = lab.offhook("--auto-answer", "-s", "sip-timeout=9s").ready()
    caller.command("sip-fault drop --method ACK")
    caller.command("dial " + phone.uri)
    told(phone, "no-ack", "no ACK came")


def test_cut_after_32s(lab):
    """they do not get our ACK, and give up"""
    other = answering(lab)
    phone = lab.offhook("-s", "media-security=off", audio="tone:440").ready()
    phone.command("sip-fault drop --method ACK")
    phone.command("dial " + other.uri)
    told(phone, "cut-after-32s", "hung up after", timeout=75)


def test_dtls(lab):
    """the keys of the sound are agreed on, but who waits for the ACK does not begin"""
    other = answering(lab)
    phone = lab.offhook("-s", "media-security=prefer", audio="tone:440").ready()
    phone.command("sip-fault drop --method ACK")
    phone.command("dial " + other.uri)
    told(phone, "dtls", "DTLS handshake")


test_cut_after_32s.limit = 120


# --- who is asked for what -------------------------------------------------------------

def test_auth(lab):
    ask = [recv("INVITE"), response(401, "Unauthorized", headers=[
        'WWW-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5']), recv("ACK")]
    s = lab.sipp(ask + ask)
    phone = lab.offhook("-a", "sip:me@127.0.0.1:%d;password=wrong;register=no" % s.port).ready()
    phone.command("dial " + s.uri)
    told(phone, "auth", "password")


def test_security(lab):
    other = lab.offhook("--auto-answer", "-s", "media-security=off", name="other").ready()
    phone = lab.offhook("-s", "media-security=require").ready()
    phone.command("dial " + other.uri)
    told(phone, "security-mismatch", "SAVP")


def test_codec(lab):
    other = lab.offhook("--auto-answer", "-s", "codecs=pcma", name="other").ready()
    phone = lab.offhook("-s", "codecs=opus").ready()
    phone.command("dial " + other.uri)
    told(phone, "codec-mismatch", "opus")


CODES = {403: "forbidden", 404: "not-found", 480: "not-available", 482: "loop", 483: "too-many-hops",
         500: "server-error", 503: "overload", 504: "gateway-timeout"}


def test_codes(lab):
    """the server's decisions"""
    other = lab.offhook(name="other").ready()
    other.command("listen " + " ".join("--rule 'to=x%d then code=%d'" % (c, c) for c in CODES))
    phone = lab.offhook().ready()
    for n, (code, name) in enumerate(CODES.items(), 1):
        phone.command("dial sip:x%d@127.0.0.1:%d" % (code, other.port))
        told(phone, name, str(code), call=n)


# --- what comes otherwise than it went ----------------------------------------------------

def test_alg(lab):
    other = lab.offhook("--auto-answer=480", name="other").ready()
    phone = lab.offhook().ready()
    phone.command("sip-fault mangle --way in --method INVITE --header To --value '<sip:altered@192.0.2.1>;tag=x'")
    phone.command("dial " + other.uri)
    told(phone, "alg", "192.0.2.1")


def test_retransmissions(lab):
    other = lab.offhook("--auto-answer=480", name="other").ready()
    phone = lab.offhook().ready()
    other.command("sip-fault drop --way in --method INVITE --times 3")
    phone.command("dial " + other.uri)
    told(phone, "retransmissions", "send 3 messages again")


def test_clock(lab):
    other = lab.offhook("--auto-answer=480", name="other").ready()
    phone = lab.offhook().ready()
    phone.command("sip-fault add --way in --header Date --value 'Sat, 13 Nov 2010 23:29:00 GMT'")
    phone.command("dial " + other.uri)
    told(phone, "clock", "behind")


def test_session_timer(lab):
    """who was to refresh does not"""
    s = lab.sipp([recv("INVITE"), ok(headers=["Session-Expires: 8;refresher=uas", "Require: timer"]), recv("ACK"),
                  recv("BYE"), response(200, "OK", totag=False)], "-rtp_echo")
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("dial %s --session-timer supported" % s.uri)
    told(phone, "session-timer", "talking", timeout=110)


# 90 s is the least that there is, less the time for a BYE
test_session_timer.limit = 160


# --- the sound ----------------------------------------------------------------------------

def test_one_way(lab):
    s = lab.sipp([called("caller"), ok(), recv("ACK"), pause(2500), back("BYE", 1), recv(200)])
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("dial " + s.uri)
    told(phone, "one-way-audio", "none came")


def test_nat(lab):
    """we tell a public address that our sound is at a private one, and nothing comes"""
    if os.geteuid():
        raise Skip("network namespaces need root")
    ns = "oh%d-find" % os.getpid()
    r = subprocess.run(["ip", "netns", "add", ns], capture_output=True, text=True, timeout=20)
    if r.returncode:
        raise Skip("no network namespace can be made: " + r.stderr.strip())
    inside = ("ip", "netns", "exec", ns)
    try:
        for how in ("link set lo up", "addr add 10.0.0.5/32 dev lo", "addr add 203.0.113.7/32 dev lo"):
            subprocess.run([*inside, "ip", *how.split()], check=True, capture_output=True, timeout=20)
        other = answering(lab, host="203.0.113.7", port=5060, wrap=inside)
        phone = lab.offhook(host="10.0.0.5", port=5060, wrap=inside, audio="tone:440").ready()
        other.command("fault out --loss 100")
        talk(phone, other, 2)
        phone.command("hangup")
        told(phone, "nat-address", "10.0.0.5")
    finally:
        lab.close()
        subprocess.run(["ip", "netns", "del", ns], capture_output=True, timeout=20)


def test_loss(lab):
    other = answering(lab)
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("fault in --loss 30 --seed 3")
    talk(phone, other, 4)
    phone.command("hangup")
    told(phone, "packet-loss", "never came")


def test_not_heard(lab):
    """they tell by RTCP what they lack"""
    other = answering(lab)
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("fault out --loss 50 --seed 3")
    talk(phone, other, 0)
    for _ in range(40):
        phone.command("sleep 1")
        if phone.command("stats").get("remote_loss_pct", 0) >= 20:
            break
    explained(phone, "not-heard", "does not arrive")


def test_late(lab):
    other = answering(lab, "-s", "codecs=pcmu")
    phone = lab.offhook("-s", "jitter-max=40ms", "-s", "codecs=pcmu", audio="tone:440").ready()
    phone.command("fault in --jitter 400ms --seed 3")
    talk(phone, other, 5)
    explained(phone, "late-packets", "too late")


def test_delay(lab):
    other = answering(lab)
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("fault both --delay 700ms")
    talk(phone, other, 0)
    for _ in range(40):
        phone.command("sleep 1")
        if phone.command("stats").get("rtt_ms", 0) > 900:
            break
    explained(phone, "delay", "to be heard")


def test_silence(lab):
    """packets come, and hold next to nothing"""
    path = lab.path("faint.wav")
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(b"".join(struct.pack("<h", round(4 * math.sin(i / 3))) for i in range(8000 * 20)))
    other = lab.offhook("-s", "codecs=l16", name="other").ready()
    other.command("listen --play " + path)
    phone = lab.offhook("-s", "codecs=l16", audio="tone:440").ready()
    talk(phone, other, 7)
    explained(phone, "silence", "dBFS")


if __name__ == "__main__":
    main(globals())
