#!/usr/bin/env python3
"""Several parties: calls between offhook and other people's phones put
together. baresip, from Debian's packages."""
import sound
from lab import check, main
from peers import Baresip

OURS = 440


def peer(lab, name, hz, rate, channels, codec):
    source = sound.write_tone(lab.path(name + ".wav"), hz, 60, rate, channels)
    return Baresip(lab, source, codec=codec, name=name)


def level(rate, x, hz):
    """dB of full scale of that tone, in what was heard"""
    return sound.dbfs(sound.power(x, rate, hz)[0])


def heard(p):
    """the last two seconds but one of what it recorded"""
    rate, x = sound.read(p.recording())
    check(len(x) > 4 * rate, "%s: only %.1f s", p.name, len(x) / rate)
    return rate, x[-3 * rate:-rate]


def test_rfc5359_2_10_third_party_is_added(lab):
    """two baresips, of other codecs and rates, each with a tone: each hears
    the other and us, and nothing of itself"""
    one = peer(lab, "one", 700, 8000, 1, "PCMU")
    two = peer(lab, "two", 1100, 48000, 2, "opus/48000/2")
    phone = lab.offhook("-s", "record-layout=them", audio="tone:%d" % OURS).ready()
    for n, p in enumerate((one, two), 1):
        phone.command("dial " + p.uri)
        phone.event("call.state", state="active", call=n, timeout=15)
        p.established()
    phone.command("conference 1 2")
    for n in (1, 2):
        got = phone.event("call.conference", call=n)
        check(got["state"] == "joined" and got["members"] == 2, "%s", got)
    phone.command("sleep 5", timeout=15)
    phone.command("hangup 1")
    phone.command("hangup 2")
    one.closed()
    two.closed()
    for p, own, other in ((one, 700, 1100), (two, 1100, 700)):
        rate, x = heard(p)
        for hz in (other, OURS):
            check(level(rate, x, hz) > -20, "%s hears %d Hz at %.1f dB", p.name, hz, level(rate, x, hz))
        check(level(rate, x, own) < -50, "%s hears itself at %.1f dB", p.name, level(rate, x, own))


def test_member_mute_and_leave(lab):
    """a member that is muted is not heard by the other; one that left hears us alone"""
    one = peer(lab, "one", 700, 8000, 1, "PCMU")
    two = peer(lab, "two", 1100, 8000, 1, "PCMU")
    phone = lab.offhook(audio="tone:%d" % OURS).ready()
    for n, p in enumerate((one, two), 1):
        phone.command("dial " + p.uri)
        phone.event("call.state", state="active", call=n, timeout=15)
        p.established()
    phone.command("conference 1 2")
    phone.command("conference 2 --mute")
    phone.command("sleep 4500ms", timeout=15)
    phone.command("hangup 1")
    one.closed()
    left = phone.event("call.conference", state="left", call=2)
    check(left["members"] == 0, "%s", left)
    rate, x = heard(one)
    check(level(rate, x, 1100) < -50, "a muted member is heard at %.1f dB", level(rate, x, 1100))
    check(level(rate, x, OURS) > -20, "we are not heard: %.1f dB", level(rate, x, OURS))


def test_mute_mutes(lab):
    """a meter and a recording at the other end prove it"""
    one = peer(lab, "one", 700, 8000, 1, "PCMU")
    phone = lab.offhook("-s", "level-interval=200ms", audio="tone:%d" % OURS).ready()
    phone.command("dial " + one.uri)
    phone.event("call.state", state="active", timeout=15)
    one.established()
    phone.command("sleep 2", timeout=10)
    loud = [o for o in phone.objects() if o.get("event") == "call.level"][-1]
    phone.command("mute")
    phone.command("sleep 3", timeout=10)
    silent = [o for o in phone.objects() if o.get("event") == "call.level"][-1]
    phone.command("hangup")
    one.closed()
    check(-16 < loud["out_dbfs"] < -10 and silent["out_dbfs"] <= -119, "meter: %s, muted: %s", loud, silent)
    check(-17 < silent["in_dbfs"] < -13, "they are heard all the same: %s", silent)
    rate, x = sound.read(one.recording())
    was, now = x[rate // 2:3 * rate // 2], x[-2 * rate:-rate // 2]
    check(level(rate, was, OURS) > -20, "we were not heard: %.1f dB", level(rate, was, OURS))
    check(max(abs(v) for v in now) <= 8, "muted, they hear %d", max(abs(v) for v in now))


def test_muted_and_talking(lab):
    """who talks while muted is told, once; not who is silent, or does not want to know, or plays a tone"""
    theirs = lab.offhook("--auto-answer", "-s", "max-calls=9", audio="silence", name="theirs").ready()
    talking = lab.offhook(audio="file:" + sound.write_speech(lab.path("speech.wav"), 3, 3), name="talking").ready()
    others = [lab.offhook(*args, audio=audio, name="other%d" % n).ready() for n, (args, audio) in enumerate((
        (("-s", "mute-warning=no"), "file:" + sound.write_speech(lab.path("speech.wav"), 3, 3)), ((), "tone:440"), ((), "silence")))]
    for phone in (talking, *others):
        phone.command("dial " + theirs.uri)
        phone.command("wait call active 15", 20)
        phone.command("mute")
    e = talking.event("call.unheard", timeout=40)
    check(e["peer"] == theirs.uri and e["call"] == 1, "%s", e)
    talking.command("sleep 6", 30)
    for phone, times in ((talking, 1), *((p, 0) for p in others)):
        told = [o for o in phone.objects() if o.get("event") == "call.unheard"]
        check(len(told) == times, "%s: told %d times", phone.name, len(told))


def test_rfc5359_2_3_music_on_hold(lab):
    """who is held hears the music, again and again, and then us. The other one is ours too: baresip
    records nothing while it is held"""
    music = sound.write_tone(lab.path("music.wav"), 900, 0.5, 8000, 1)
    other = lab.offhook("-s", "record-layout=them", "--auto-answer", name="other", audio="tone:700").ready()
    phone = lab.offhook("-s", "hold-music=" + music, audio="tone:%d" % OURS).ready()
    phone.command("dial " + other.uri)
    phone.event("call.state", state="active", timeout=15)
    other.event("call.state", state="active", timeout=15)
    levels = []
    for turn, line in enumerate(("hold", "resume")):
        phone.command(line, timeout=15)
        path = lab.path("turn%d.wav" % turn)
        other.command("sleep 500ms")
        other.command("record " + path)
        other.command("sleep 2", timeout=15)
        other.command("record stop")
        other.event("record.done")
        rate, x = sound.read(path)
        check(len(x) > rate, "%s: %.1f s", line, len(x) / rate)
        levels.append((level(rate, x, 900), level(rate, x, OURS)))
    check(levels[0][0] > -20 and levels[0][1] < -50, "held: music %.1f dB, we %.1f dB", *levels[0])
    check(levels[1][0] < -50 and levels[1][1] > -20, "resumed: music %.1f dB, we %.1f dB", *levels[1])


if __name__ == "__main__":
    main(globals())
