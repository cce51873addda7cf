#!/usr/bin/env python3
"""Two channels from one end to the other: what is played left is heard left,
calls have their places, and who has one channel is heard as ever. baresip,
from Debian's packages."""
import array
import wave

import sound
from lab import check, main
from peers import Baresip

LEFT, RIGHT = 500, 1100


def write_two(path, seconds, rate=48000, level=8000):
    """LEFT Hz on the left, RIGHT Hz on the right"""
    sides = [sound.read(sound.write_tone("%s.%d" % (path, hz), hz, seconds, rate, 1, level))[1] for hz in (LEFT, RIGHT)]
    both = array.array("h", (v for pair in zip(*sides) for v in pair))
    with wave.open(path, "wb") as w:
        w.setparams((2, 2, rate, 0, "NONE", ""))
        w.writeframes(both.tobytes())
    return path


def apart(path, own, other, channel):
    """in how many of its half seconds a channel has that tone, 20 dB above the other"""
    rate, x = sound.read(path, channel)
    n = 0
    for at in range(0, len(x) - rate // 2, rate // 2):
        part = x[at:at + rate // 2]
        a, b = sound.power(part, rate, own)[0], sound.power(part, rate, other)[0]
        n += sound.dbfs(a) > -30 and a > 100 * b
    return n, [round(sound.dbfs(sound.power(x[-2 * rate:-rate], rate, hz)[0]), 1) for hz in (own, other)]


def heard_apart(path, least=6):
    got = [apart(path, LEFT, RIGHT, 0), apart(path, RIGHT, LEFT, 1)]
    print("left, right: (half seconds, [own, other] dBFS)", got)
    check(got[0][0] >= least and got[1][0] >= least, "%s", got)


def listener(lab, *args, name="listener", **kw):
    """a phone whose loudspeaker is a file of two channels"""
    out = lab.path(name + ".wav")
    return lab.offhook("-s", "audio-channels=2", *args, audio="file:,%s" % out, name=name, **kw).ready(), out


def ended(phone):
    phone.event("call.state", state="ended", timeout=20)
    # what was heard is in the file when the phone has ended
    phone.stop()


def test_file_from_phone_to_phone(lab):
    """a file of two channels, by Opus: heard in two, and recorded as one beside us"""
    phone, out = listener(lab, "--auto-answer", "-s", "codecs=opus", "-s", "opus-stereo=yes")
    other = lab.offhook("-s", "codecs=opus", "-s", "opus-stereo=yes", "-s", "opus-bitrate=96000", audio="tone:440",
                        name="other").ready()
    other.command("dial " + phone.uri)
    other.event("call.state", state="active", timeout=20)
    phone.event("call.state", state="active", timeout=20)
    record = lab.path("record.wav")
    phone.command("record " + record)
    other.command("play " + write_two(lab.path("both.wav"), 6))
    other.event("play.done", timeout=40)
    phone.command("hangup")
    ended(phone)
    heard_apart(out)
    rate, far = sound.read(record, 1)
    levels = [max(sound.power(far[at:at + rate], rate, hz)[0] for at in range(0, len(far) - rate, rate // 2))
              for hz in (LEFT, RIGHT)]
    check(all(sound.dbfs(v) > -22 for v in levels), "the recording has both: %s", [sound.dbfs(v) for v in levels])
    check(not any(sound.read(record)[1]), "we are on the left, and said nothing")


def call_of_baresip(phone, peer, seconds):
    peer.dial(phone.uri)
    phone.event("call.state", state="active", timeout=20)
    peer.established()
    phone.command("sleep %d" % seconds, timeout=15)
    phone.command("hangup")
    peer.closed()
    ended(phone)


def test_file_heard_in_one(lab):
    """the same where the loudspeaker has one channel: both are in it, and two are not asked for"""
    out = lab.path("one.wav")
    phone = lab.offhook("--auto-answer", "-s", "codecs=opus", "-s", "opus-stereo=yes", audio="file:,%s" % out,
                        name="one").ready()
    peer = Baresip(lab, write_two(lab.path("both.wav"), 30), codec="opus/48000/2")
    call_of_baresip(phone, peer, 5)
    with wave.open(out) as w:
        check(w.getnchannels() == 1, "%d channels", w.getnchannels())
    rate, x = sound.read(out)
    x = x[-3 * rate:-rate]
    levels = [sound.dbfs(sound.power(x, rate, hz)[0]) for hz in (LEFT, RIGHT)]
    check(all(v > -25 for v in levels), "%s", levels)


def test_baresip_sends_two(lab):
    """baresip's two channels, by Opus, are heard in two"""
    phone, out = listener(lab, "--auto-answer", "-s", "codecs=opus", "-s", "opus-stereo=yes")
    peer = Baresip(lab, write_two(lab.path("both.wav"), 30), codec="opus/48000/2")
    call_of_baresip(phone, peer, 6)
    heard_apart(out)


def test_baresip_mono(lab):
    """a call of one channel at a loudspeaker of two: the same on both"""
    phone, out = listener(lab, "--auto-answer")
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), LEFT, 30, 8000))
    call_of_baresip(phone, peer, 4)
    left, right = sound.read(out)[1], sound.read(out, 1)[1]
    check(left == right, "the sides differ")
    x = sound.heard(out, LEFT)
    check(x.seconds > 2 and x.purity > 0.9, "%s", x)


def conference(lab, *args):
    """two calls of a tone each, together"""
    phone, out = listener(lab, "-s", "codecs=pcmu", *args)
    for n, hz in enumerate((LEFT, RIGHT), 1):
        other = lab.offhook("--auto-answer", audio="tone:%d" % hz, name="other%d" % n).ready()
        phone.command("dial " + other.uri)
        phone.event("call.state", state="active", call=n, timeout=20)
    phone.command("conference 1 2")
    return phone, out


def close(phone):
    phone.command("sleep 5", timeout=15)
    for n in (1, 2):
        phone.command("hangup %d" % n)
        phone.event("call.state", state="ended", call=n, timeout=20)
    phone.stop()


def test_panned_by_hand(lab):
    """a member on the left and one on the right"""
    phone, out = conference(lab)
    phone.command("pan left 1")
    check(phone.event("call.place", call=1)["place"] == -100, "left")
    phone.command("pan right 2")
    check(phone.event("call.place", call=2)["place"] == 100, "right")
    members = phone.command("conference")["members"]
    check([m["place"] for m in members] == [-100, 100], "%s", members)
    close(phone)
    heard_apart(out)
    # nothing at all of the one where the other is
    _, left = sound.read(out)
    _, right = sound.read(out, 1)
    for x, hz in ((left, RIGHT), (right, LEFT)):
        v = sound.dbfs(sound.power(x[-3 * 48000:-48000], 48000, hz)[0])
        check(v < -55, "%d Hz on the wrong side: %.1f dB", hz, v)


def test_spread(lab):
    """side by side by the option: each louder on its own side, by what the law says"""
    phone, out = conference(lab, "-s", "conference-spread=yes")
    for n, place in ((1, -50), (2, 50)):
        check(phone.event("call.place", call=n)["place"] == place, "call %d", n)
    close(phone)
    for channel, own, other in ((0, LEFT, RIGHT), (1, RIGHT, LEFT)):
        rate, x = sound.read(out, channel)
        x = x[-3 * rate:-rate]
        a, b = (sound.dbfs(sound.power(x, rate, hz)[0]) for hz in (own, other))
        # cos and sin of a quarter of the way
        check(abs(a - b - 7.66) < 1, "channel %d: %.1f and %.1f dB", channel, a, b)


if __name__ == "__main__":
    main(globals())
