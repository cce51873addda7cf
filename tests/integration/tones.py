#!/usr/bin/env python3
"""The phone's own tones, as they come out of its loudspeaker (a file here),
while other people's phones ring. baresip, from Debian's packages."""
import sound
from lab import check, main
from peers import Baresip


def spans(path, hz, dbfs=-26):
    """-> seconds at which that tone begins and ends, in windows of 20 ms"""
    rate, x = sound.read(path)
    step, out, on = rate // 50, [], False
    for i in range(0, len(x) - step, step):
        is_on = sound.dbfs(sound.power(x[i:i + step], rate, hz)[0]) > dbfs
        if is_on != on:
            out.append(i / rate)
        on = is_on
    return out


def test_beep_of_a_recording(lab):
    """who is recorded hears so: how long, how loud, how often; we hear the same, and so does the file"""
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), 1000, 60, 8000, 1, level=50))
    heard, file = lab.path("heard.wav"), lab.path("call.wav")
    phone = lab.offhook("-s", "record-beep=2s", "-s", "codecs=pcmu", audio="file:,%s" % heard).ready()
    phone.command("dial %s --record %s" % (peer.uri, file))
    phone.event("call.state", state="active", timeout=15)
    peer.established()
    phone.command("sleep 9", timeout=30)
    phone.command("hangup")
    phone.event("record.done", timeout=15)
    peer.closed()
    phone.say("quit")
    phone.exit()
    for path in (peer.recording(), heard, file):
        rate, x = sound.read(path)
        at = spans(path, 1400, -30)
        lengths = [b - a for a, b in zip(at[::2], at[1::2])]
        apart = [b - a for a, b in zip(at[::2], at[2::2])]
        check(len(lengths) >= 4, "%s: beeps at %s", path, at)
        levels = [sound.dbfs(sound.power(x[round((a + 0.04) * rate):round((b - 0.04) * rate)], rate, 1400)[0])
                  for a, b in zip(at[::2], at[1::2])]
        print("%s: %s s long, %s s apart, %s dBFS" % tuple([path.rsplit("/", 1)[1]] + [
            ", ".join("%.2f" % v for v in values) for values in (lengths, apart, levels)]))
        check(all(0.12 <= v <= 0.2 for v in lengths), "%s: beeps of %s s", path, lengths)
        check(all(1.94 <= v <= 2.06 for v in apart), "%s: beeps %s s apart", path, apart)
        check(all(-25.5 < v < -22.5 for v in levels), "%s: beeps of %s dBFS", path, levels)


def test_ringback_and_busy(lab):
    """a German phone's ringback while it rings there, busy when they hang up, and what both sides say
    in between undisturbed"""
    source = sound.write_tone(lab.path("theirs.wav"), 1000, 60, 8000, 1)
    peer = Baresip(lab, source, auto=False)
    heard = lab.path("heard.wav")
    phone = lab.offhook("-s", "tones=on", "-s", "tone-country=de", audio="file:,%s" % heard).ready()
    phone.command("dial " + peer.uri)
    phone.event("call.state", state="ringing", timeout=15)
    phone.command("sleep 2500ms", timeout=15)
    peer.command("accept")
    phone.event("call.state", state="active", timeout=15)
    phone.command("sleep 2", timeout=15)
    peer.hangup()
    phone.event("call.state", state="ended")
    phone.command("sleep 2500ms", timeout=15)
    phone.say("quit")
    phone.exit()
    tone = spans(heard, 425)
    check(len(tone) >= 6, "no ringback and busy: %s", tone)
    check(0.8 < tone[1] - tone[0] < 1.2, "ringback of %.2f s: %s", tone[1] - tone[0], tone)
    busy = tone[2:]
    check(0.4 < busy[1] - busy[0] < 0.56 and 0.4 < busy[2] - busy[1] < 0.56, "busy is %s", busy)
    talk = spans(heard, 1000)
    check(talk and tone[1] < talk[0] and talk[-1] <= busy[0] + 0.1, "talk at %s, tones at %s", talk, tone)


if __name__ == "__main__":
    main(globals())
