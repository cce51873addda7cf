#!/usr/bin/env python3
"""Keys as tones in the sound, and recordings of every form. baresip, from
Debian's packages, plays tones that were made here; sox reads what is written."""
import array
import json
import math
import os
import shutil
import subprocess
import wave

import sound
from lab import Skip, check, main
from peers import Baresip

LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")


def keys_file(path, keys, on=0.08, off=0.08, before=2.0, rate=8000):
    x = array.array("h", [0] * int(before * rate))
    for key in keys:
        row = next(i for i, r in enumerate(PAD) if key in r)
        low, high = LOW[row], HIGH[PAD[row].index(key)]
        x.extend(round(7000 * math.sin(2 * math.pi * low * i / rate) + 8500 * math.sin(2 * math.pi * high * i / rate))
                 for i in range(int(on * rate)))
        x.extend([0] * int(off * rate))
    x.extend([0] * (60 * rate))
    with wave.open(path, "wb") as w:
        w.setparams((1, 2, rate, 0, "NONE", ""))
        w.writeframes(x.tobytes())
    return path


def test_tones_from_a_stranger(lab):
    """each key once, by its name, with its length"""
    keys = "0123456789*#ABCD"
    peer = Baresip(lab, keys_file(lab.path("keys.wav"), keys))
    phone = lab.offhook("-s", "dtmf-inband=on").ready()
    phone.command("dial " + peer.uri)
    phone.event("call.state", state="active", timeout=15)
    for key in keys:
        got = phone.event("call.dtmf", timeout=15)
        check(got["digit"] == key and got["via"] == "inband", "after %s: %s", phone.digits(), got)
        check(50 <= got["duration_ms"] <= 120, "%s", got)
    phone.command("sleep 500ms")
    check(phone.digits() == keys, "heard %s", phone.digits())


def test_tones_of_ours(lab):
    """what the other side hears of `dtmf --via inband` are those two tones"""
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), 1000, 60, 8000))
    phone = lab.offhook("-s", "dtmf-duration=400ms").ready()
    phone.command("dial " + peer.uri)
    phone.event("call.state", state="active", timeout=15)
    peer.established()
    phone.command("sleep 1", timeout=5)
    phone.command("dtmf 5 --via inband", timeout=10)
    phone.event("dtmf.done", sent=1)
    bad = phone.reply("dtmf ! --via inband")
    check(not bad["ok"], "%s", bad)
    phone.command("sleep 500ms")
    phone.command("hangup")
    peer.closed()
    rate, x = sound.read(peer.recording())
    step = rate // 50
    on = [i for i in range(0, len(x) - step, step)
          if all(sound.dbfs(sound.power(x[i:i + step], rate, hz)[0]) > -20 for hz in (770, 1336))]
    check(0.34 < len(on) * 0.02 < 0.46, "tones for %.2f s", len(on) * 0.02)
    others = max(sound.dbfs(sound.power(x[on[3]:on[-3]], rate, hz)[0]) for hz in (697, 852, 1209, 1477))
    check(others < -35, "another tone at %.1f dB", others)


def test_recordings(lab):
    """WAV, FLAC and Opus by the name, which is a template; a note beside it"""
    if not shutil.which("sox"):
        raise Skip("sox is not installed")
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), 1000, 60, 8000))
    phone = lab.offhook("-s", "record-notes=yes", audio="tone:440").ready()
    phone.command("dial " + peer.uri)
    phone.event("call.state", state="active", timeout=15)
    peer.established()
    for ext in ("wav", "flac", "opus"):
        phone.command("record %s" % lab.path("r-%n-%p." + ext))
        phone.command("sleep 1500ms", timeout=5)
        phone.command("record pause")
        phone.command("sleep 1", timeout=5)
        phone.command("record resume")
        phone.command("sleep 500ms", timeout=5)
        phone.command("record stop")
        done = phone.event("record.done")
        check(done["result"] == "stopped" and "/r-1-peer@127.0.0.1_" in done["file"], "%s", done)
        check(1700 <= done["duration_ms"] <= 2400, "a pause is in it: %s", done)
        if ext == "opus":        # which not every sox reads
            with open(done["file"], "rb") as f:
                head = f.read(64)
            check(head[:4] == b"OggS" and b"OpusHead" in head, "%s", head)
        for channel, hz in ((1, 440), (2, 1000)) if ext != "opus" else ():
            wav = lab.path("%s%d.wav" % (ext, channel))
            subprocess.run(["sox", done["file"], "-r", "8000", "-b", "16", wav, "remix", str(channel)], check=True,
                           timeout=30, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            rate, x = sound.read(wav)
            tone = sound.dbfs(sound.power(x[rate // 2:rate], rate, hz)[0])
            check(tone > -20, "%s, channel %d: %d Hz at %.1f dB", ext, channel, hz, tone)
        with open(done["file"] + ".json", encoding="utf-8") as f:
            note = json.load(f)
        check(note["peer"] == peer.uri and note["codec"] == "pcmu" and note["direction"] == "out", "%s", note)
        check(note["quality"]["packets_received"] > 50, "%s", note)
        os.remove(done["file"] + ".json")


if __name__ == "__main__":
    main(globals())
