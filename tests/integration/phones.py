#!/usr/bin/env python3
"""Calls between offhook and other people's phones: speech both ways, digits,
hold, hang-up. baresip and linphonec, from Debian's packages."""
import socket
import subprocess
import time

import sound
from lab import Skip, check, main, ports
from peers import Baresip, Linphonec

OURS, THEIRS = 440, 1000         # Hz
FORM = {                         # what the peer plays and how it calls the codec
    (Baresip, "pcmu"): (8000, 1, "PCMU"), (Baresip, "opus"): (48000, 2, "opus/48000/2"),
    (Baresip, "g722"): (16000, 1, "G722/16000/1"), (Baresip, "gsm"): (8000, 1, "GSM/8000/1"),
    (Baresip, "l16"): (16000, 1, "L16/16000/1"),
    (Linphonec, "pcmu"): (8000, 1, "PCMU"), (Linphonec, "opus"): (48000, 1, "opus"),
    (Linphonec, "gsm"): (8000, 1, "GSM"),
}


def setup(lab, kind, codec, *args, **kw):
    rate, channels, name = FORM[kind, codec]
    source = sound.write_tone(lab.path("theirs.wav"), THEIRS, 60, rate, channels)
    peer = kind(lab, source, codec=name, **kw)
    phone = lab.offhook("-s", "record-layout=them", "--auto-answer", *args, audio="tone:%d" % OURS).ready()
    return phone, peer


def connect(phone, peer, outgoing):
    if outgoing:
        phone.command("dial " + peer.uri)
    else:
        peer.dial(phone.uri)
    phone.event("call.state", state="active", timeout=15)
    peer.established()


def steady(path, hz, seconds, what, gap=0, after=0):
    """the first `seconds` of the recording hold that tone without a break;
    gap: seconds that a peer's own jitter buffer may need to settle;
    after: seconds from the first tone on that are not looked at, where what
    comes first is played at once and the peer's next packets take longer"""
    rate, x = sound.read(path)
    begin = sound.Heard(rate, x, hz)
    check(begin.first is not None, "%s: no tone of %d Hz: %s", what, hz, begin)
    at = begin.first * rate // 50 + round(after * rate)
    h = sound.Heard(rate, x[at:at + round(seconds * rate)], hz)
    check(h.seconds > seconds - 0.2, "%s: too short: %s", what, h)
    check(sum(g for _, g in h.gaps) <= gap + 0.001, "%s: breaks at %s: %s", what, h.gaps, h)
    check(h.purity > 0.9, "%s: not clean: %s", what, h)
    return h


def speech(lab, kind, codec, outgoing, from_us, *args):
    """a call with a tone each way; recorded at both ends"""
    phone, peer = setup(lab, kind, codec, *args)
    connect(phone, peer, outgoing)
    media = phone.event("call.media", again=True)
    check(media["codec"].lower() == codec, "codec is %s", media)
    phone.command("record " + lab.path("ours.wav"))
    phone.command("sleep 4", timeout=15)
    phone.command("record stop")
    done = phone.event("record.done")
    check(done["result"] in ("done", "stopped"), "%s", done)
    stats = phone.command("stats")
    if from_us:
        phone.command("hangup")
        peer.closed()
    else:
        peer.hangup()
    end = phone.event("call.state", state="ended")
    ours = steady(lab.path("ours.wav"), THEIRS, 3.5, "what we heard")
    theirs = steady(peer.recording(), OURS, 3.5, "what they heard", 0.06 if kind is Linphonec else 0)
    # their file is at -12 dBFS, and both codecs keep the level
    check(-15 < ours.level < -9, "level: %s", ours)
    check(theirs.level > -40, "level: %s", theirs)
    check(end.get("cause", "none") == "none", "%s", end)
    check(stats["packets_received"] > 100 and stats["packets_sent"] > 100, "%s", stats)


def digits(lab, kind, codec, *args):
    phone, peer = setup(lab, kind, codec, *args)
    connect(phone, peer, True)
    phone.command("sleep 1", timeout=5)
    phone.command("dtmf 159#")
    got = peer.digits(4)
    check(got == "159#", "they got '%s'", got)
    for digit in "07*":
        peer.dtmf(digit)
        phone.event("call.dtmf", digit=digit)
        phone.command("sleep 300ms")
    check(phone.digits() == "07*", "we got '%s'", phone.digits())


def holding(lab, kind, codec):
    """held by us: they hear nothing of us and we nothing of them; resumed:
    both again. The same from there."""
    phone, peer = setup(lab, kind, codec)
    connect(phone, peer, True)
    phone.command("sleep 1", timeout=5)
    phone.command("hold")
    phone.event("call.hold", local=True)
    phone.command("sleep 1", timeout=5)
    phone.command("resume")
    phone.event("call.hold", local=False)
    phone.command("record " + lab.path("after.wav"))
    phone.command("sleep 2", timeout=5)
    phone.command("record stop")
    phone.event("record.done")
    steady(lab.path("after.wav"), THEIRS, 1.2, "after resume")
    peer.hold()
    phone.event("call.hold", remote=True)
    phone.command("sleep 1", timeout=5)
    peer.resume()
    phone.event("call.hold", remote=False)
    phone.command("record " + lab.path("again.wav"))
    phone.command("sleep 2", timeout=5)
    phone.command("record stop")
    phone.event("record.done")
    phone.command("hangup")
    phone.event("call.state", state="ended")
    steady(lab.path("again.wav"), THEIRS, 1.2, "after their resume", after=0.1)


def faults(lab, kind):
    """a stranger bears what sip-fault does to us: calls come about, both ways, and end"""
    phone, peer = setup(lab, kind, "pcmu")
    phone.command("sip-fault drop --method INVITE --kind request --nth 1")
    phone.command("sip-fault drop --method ACK --kind request --nth 1")
    phone.command("sip-fault duplicate --method BYE --kind request --by 20ms")
    phone.command("dial " + peer.uri)
    phone.event("call.state", state="active", timeout=20)
    peer.established()
    phone.event("sip.fault", fault="drop", method="ACK", timeout=20, again=True)
    phone.command("sleep 1500ms")
    check(phone.command("calls")["calls"][0]["state"] == "active", "the call is over")
    phone.command("hangup")
    phone.event("call.state", state="ended", cause="none", timeout=20)
    peer.closed()
    # and as who is called: the first INVITE is lost, then our first 200
    phone.command("sip-fault off")
    phone.command("sip-fault drop --way in --method INVITE --kind request --nth 1")
    phone.command("sip-fault drop --method INVITE --code 200 --nth 1")
    peer.dial(phone.uri)
    phone.event("call.state", call=2, state="active", timeout=30)
    phone.event("sip.fault", fault="drop", code=200, timeout=20, again=True)
    phone.command("hangup")
    phone.event("call.state", call=2, state="ended", timeout=20)
    check({f["fault"] for f in phone.objects() if f.get("event") == "sip.fault"} == {"drop", "duplicate"}, "faults")


def test_baresip_faults(lab):
    faults(lab, Baresip)


def test_linphonec_faults(lab):
    faults(lab, Linphonec)


def test_baresip_pcmu_called(lab):
    speech(lab, Baresip, "pcmu", True, True)


def test_baresip_pcmu_calls(lab):
    speech(lab, Baresip, "pcmu", False, False)


def test_baresip_opus_called(lab):
    speech(lab, Baresip, "opus", True, False)


def test_baresip_opus_calls(lab):
    speech(lab, Baresip, "opus", False, True)


def test_baresip_opus_stereo(lab):
    """both channels of a file are heard by who takes them (RFC 7587), each on its side; our voice is one"""
    sides, file = [], lab.path("both.wav")
    for hz in (440, 1100):
        sides.append(sound.write_tone(lab.path("%d.wav" % hz), hz, 8))
    subprocess.run(["sox", "-M", *sides, file], check=True, timeout=30)
    phone, peer = setup(lab, Baresip, "opus", "-s", "codecs=opus", "-s", "opus-stereo=yes", "-s", "opus-bitrate=96000")
    connect(phone, peer, True)
    phone.command("sleep 1", timeout=10)
    phone.command("play " + file)
    phone.event("play.done", timeout=30)
    phone.command("hangup")
    peer.closed()
    rate, left = sound.read(peer.recording())
    _, right = sound.read(peer.recording(), 1)
    for x, own, other in ((left, 440, 1100), (right, 1100, 440)):
        best = 0
        for at in range(0, len(x) - rate, rate // 2):
            one = x[at:at + rate]
            a, b = sound.power(one, rate, own)[0], sound.power(one, rate, other)[0]
            if sound.dbfs(a) > -20 and a > 100 * (b + 1):
                best += 1
        check(best >= 8, "%d Hz alone in %d of its half seconds", own, best)


def need_spandsp(lab, codec):
    code, _, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(), "-A", "null", "-s", "codecs=" + codec, "status")
    if code:
        raise Skip("built without spandsp: " + err)


def test_baresip_g722_called(lab):
    need_spandsp(lab, "g722")
    speech(lab, Baresip, "g722", True, False)


def test_baresip_g722_calls(lab):
    need_spandsp(lab, "g722")
    speech(lab, Baresip, "g722", False, True)


def test_baresip_gsm(lab):
    need_spandsp(lab, "gsm")
    speech(lab, Baresip, "gsm", True, True, "-s", "codecs=gsm")


def test_baresip_l16(lab):
    speech(lab, Baresip, "l16", False, True)


def test_baresip_digits_pcmu(lab):
    digits(lab, Baresip, "pcmu")


def test_baresip_digits_opus(lab):
    digits(lab, Baresip, "opus")


def test_baresip_digits_opus_only(lab):
    """it knows digits at 8000 Hz only, and no codec of that clock is offered"""
    digits(lab, Baresip, "opus", "-s", "codecs=opus")


def test_baresip_hold(lab):
    holding(lab, Baresip, "pcmu")


def test_linphonec_pcmu_called(lab):
    speech(lab, Linphonec, "pcmu", True, False)


def test_linphonec_pcmu_calls(lab):
    speech(lab, Linphonec, "pcmu", False, True)


def test_linphonec_opus_called(lab):
    speech(lab, Linphonec, "opus", True, True)


def test_linphonec_opus_calls(lab):
    speech(lab, Linphonec, "opus", False, False)


def test_linphonec_gsm_called(lab):
    need_spandsp(lab, "gsm")
    speech(lab, Linphonec, "gsm", True, False, "-s", "codecs=gsm")


def test_linphonec_gsm_calls(lab):
    need_spandsp(lab, "gsm")
    speech(lab, Linphonec, "gsm", False, True, "-s", "codecs=gsm,pcmu")


def test_linphonec_digits(lab):
    digits(lab, Linphonec, "opus")


def test_linphonec_hold(lab):
    holding(lab, Linphonec, "pcmu")


def ice(lab, outgoing):
    """both look for ways to each other, and take one that works"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        try:
            u.connect(("192.0.0.9", 9))                  # nothing is sent
        except OSError:
            raise Skip("baresip offers no way over loopback, and there is no other")
    phone, peer = setup(lab, Baresip, "pcmu", "-s", "ice=yes", nat="ice")
    connect(phone, peer, outgoing)
    end = time.monotonic() + 30
    while not phone.event("call.media", timeout=max(0.1, end - time.monotonic())).get("path"):
        pass
    phone.command("record " + lab.path("ours.wav"))
    phone.command("sleep 3", timeout=15)
    phone.command("hangup")
    phone.event("call.state", state="ended", timeout=15)
    steady(lab.path("ours.wav"), THEIRS, 2.2, "we heard")
    h = sound.heard(peer.recording(), OURS)
    check(h.seconds > 2, "baresip heard: %s", h)


def test_baresip_ice_out(lab):
    ice(lab, True)


def test_baresip_ice_in(lab):
    ice(lab, False)


if __name__ == "__main__":
    main(globals())
