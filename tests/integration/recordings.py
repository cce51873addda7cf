#!/usr/bin/env python3
"""Recordings as their owner finds them: by other programs, after a pause, on a disk that is full, in a directory
that is gone; and what is played into a call."""
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import wave

import sound
from lab import Skip, check, main, need

OURS, THEIRS = 440, 1000


def call(lab, *options, audio="tone:%d" % OURS):
    """-> our phone and the other one, in a call"""
    other = lab.offhook("--auto-answer", audio="tone:%d" % THEIRS, name="other").ready()
    phone = lab.offhook(*options, audio=audio, name="phone").ready()
    phone.command("dial " + other.uri)
    phone.event("call.state", state="active", timeout=20)
    other.event("call.state", state="active", timeout=20)
    return phone, other


def decoded(path):
    """what another program makes of it; the sox of Debian 12 knows no Opus"""
    out = path + ".sox.wav"
    if path.endswith(".opus"):
        return opus_decoded(path, out)
    subprocess.run(["sox", path, "-b", "16", out], check=True, timeout=40, stderr=subprocess.DEVNULL)
    return out


def opus_decoded(path, out):
    """by libsndfile"""
    class Info(ctypes.Structure):
        _fields_ = [("frames", ctypes.c_int64)] + [(n, ctypes.c_int) for n in (
            "samplerate", "channels", "format", "sections", "seekable")]

    lib, info = ctypes.CDLL("libsndfile.so.1"), Info()
    lib.sf_open.restype = ctypes.c_void_p
    lib.sf_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    lib.sf_readf_short.restype = ctypes.c_int64
    lib.sf_readf_short.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    lib.sf_close.argtypes = [ctypes.c_void_p]
    f = lib.sf_open(path.encode(), 0x10, ctypes.byref(info))
    check(f, "%s cannot be read", path)
    buf = (ctypes.c_short * (info.channels * 4800))()
    with wave.open(out, "wb") as w:
        w.setparams((info.channels, 2, info.samplerate, 0, "NONE", ""))
        while True:
            n = lib.sf_readf_short(f, buf, 4800)
            if n <= 0:
                break
            w.writeframes(bytes(buf)[:2 * n * info.channels])
    lib.sf_close(f)
    return out


def test_formats(lab):
    """by the name's end; we are left and they are right, in each of them, as sox reads it"""
    need("sox")
    phone, _ = call(lab, "-s", "record-notes=yes")
    for kind in ("wav", "flac", "opus"):
        phone.command("record " + lab.path("%%n-%%d-%%p.%s" % kind))
        phone.command("sleep 3", timeout=20)
        phone.command("record stop")
        done = phone.event("record.done", timeout=20)
        check(done["result"] == "stopped" and done["file"].endswith("." + kind), "%s", done)
        name = os.path.basename(done["file"])
        check(re.fullmatch(r"1-\d{4}-?\d\d-?\d\d-[\w.@+-]+\.%s" % kind, name), "its name: %s", name)
        wav = decoded(done["file"])
        for channel, hz, other in ((0, OURS, THEIRS), (1, THEIRS, OURS)):
            h = sound.heard(wav, hz, channel)
            rate, x = sound.read(wav, channel)
            leaks = sound.dbfs(sound.power(x[rate // 2:2 * rate], rate, other)[0])
            print("%s, channel %d: %s; the other at %.0f dBFS" % (kind, channel, h, leaks))
            check(h.seconds > 2 and not h.gaps and leaks < -60, "%s, channel %d: %s, %.1f", kind, channel, h, leaks)
        with open(done["file"] + ".json", encoding="utf-8") as f:
            notes = json.load(f)
        print("notes:", notes)
        check("codec" in json.dumps(notes) and "127.0.0.1" in json.dumps(notes), "%s", notes)
    phone.command("hangup")


def test_pause(lab):
    """what is said in between is not there, and nothing in its place"""
    phone, _ = call(lab)
    path = lab.path("paused.wav")
    phone.command("record " + path)
    phone.command("sleep 2", timeout=20)
    phone.command("record pause")
    phone.command("sleep 3", timeout=20)
    phone.command("record resume")
    phone.command("sleep 2", timeout=20)
    phone.command("record stop")
    done = phone.event("record.done", timeout=20)
    rate, x = sound.read(path)
    check(3 < len(x) / rate < 4.9, "%.2f s: %s", len(x) / rate, done)
    phone.command("hangup")


def test_beep(lab):
    """who is recorded is told so, again and again"""
    phone, other = call(lab, "-s", "record-beep=2s", audio="silence")
    path = lab.path("told.wav")
    other.command("record " + path)
    phone.command("record " + lab.path("ours.wav"))
    phone.command("sleep 7", timeout=20)
    phone.command("record stop")
    other.command("record stop")
    other.event("record.done", timeout=20)
    rate, x = sound.read(path, 1)
    step = rate // 10
    loud = [max(map(abs, x[i:i + step]), default=0) > 500 for i in range(0, len(x), step)]
    beeps = sum(1 for i, v in enumerate(loud) if v and (not i or not loud[i - 1]))
    print("beeps:", beeps)
    check(beeps >= 2, "%d beeps in %.1f s", beeps, len(x) / rate)
    phone.command("hangup")


def ends_by_itself(lab, phone, path):
    """the recording does, the call does not. -> what was told"""
    done = phone.event("record.done", timeout=60)
    check(done["result"] == "error" and done["text"], "%s", done)
    before = phone.command("stats")["packets_received"]
    phone.command("sleep 1", timeout=20)
    check(phone.command("stats")["packets_received"] > before + 20, "the call stands")
    print("told:", done["text"], "of", os.path.basename(path))
    return done


def test_full_disk(lab):
    """it ends with an event, the call goes on, and what is there can be played"""
    need("sox")
    small = lab.path("small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", small], capture_output=True,
                      timeout=20).returncode:
        raise Skip("no file system may be mounted")
    try:
        phone, _ = call(lab)
        for kind in ("wav", "flac", "opus"):
            path = os.path.join(small, "call." + kind)
            # some room for the head, hardly any for the sound
            with open(os.path.join(small, "filler"), "wb") as f:
                f.write(bytes((256 - 48 if kind != "wav" else 64) * 1024))
            phone.command("record " + path)
            if kind == "opus":
                # half a minute of it has place there: the disk fills up otherwise
                phone.command("sleep 2", timeout=20)
                try:
                    with open(os.path.join(small, "more"), "wb") as f:
                        f.write(bytes(1 << 20))
                except OSError:
                    pass
            ends_by_itself(lab, phone, path)
            copy = lab.path("copy." + kind)
            shutil.copy(path, copy)
            rate, x = sound.read(decoded(copy), 1)
            print("%s: %.2f s are left" % (kind, len(x) / rate))
            check(len(x) > rate // 4, "%s: %d samples can be read", kind, len(x))
            for name in os.listdir(small):
                os.unlink(os.path.join(small, name))
        phone.command("hangup")
        phone.stop()
    finally:
        subprocess.run(["umount", "-l", small], timeout=20)


def test_lost_directory(lab):
    """a directory that is not there is told at once, one that is taken away ends the recording, and so is a kind of
    file that cannot be written"""
    phone, _ = call(lab)
    r = phone.reply("record " + lab.path("nowhere/at/all.wav"), timeout=20)
    print("told:", r)
    check(r["ok"] is False and "nowhere" in r["text"], "%s", r)
    r = phone.reply("record " + lab.path("call.mp3"), timeout=20)
    print("told:", r)
    check(r["ok"] is False and ".flac" in r["text"] and not os.path.exists(lab.path("call.mp3")), "%s", r)
    os.mkdir(lab.path("taken"))
    phone.command("record " + lab.path("taken/call.wav"))
    phone.command("sleep 1", timeout=20)
    shutil.rmtree(lab.path("taken"))
    ends_by_itself(lab, phone, "taken/call.wav")
    phone.command("hangup")


def test_queue_and_mix(lab):
    """one file behind the other, and one together with what we say"""
    phone, other = call(lab)
    path = lab.path("heard.wav")
    first, second = (sound.write_tone(lab.path("%d.wav" % hz), hz, 2, 16000) for hz in (700, 1500))
    other.command("record " + path)
    phone.command("play " + first)
    phone.command("play %s --queue" % second)
    for _ in range(2):
        done = phone.event("play.done", timeout=30)
        check(done["result"] == "done", "%s", done)
    phone.command("play %s --mix" % first)
    phone.event("play.done", timeout=30)
    other.command("record stop")
    other.event("record.done", timeout=20)
    rate, x = sound.read(path, 1)
    step = rate // 5
    marks = ["".join(c for hz, c in ((OURS, "m"), (700, "a"), (1500, "b")) if sound.dbfs(
        sound.power(x[i:i + step], rate, hz)[0]) > -30) for i in range(0, len(x) - step, step)]
    print("heard:", marks)
    check(8 <= marks.count("a") <= 11 and 8 <= marks.count("b") <= 11, "%s", marks)
    check("am" in marks or "ma" in marks, "nothing was mixed: %s", marks)
    check(marks.index("a") < marks.index("b"), "%s", marks)
    phone.command("hangup")


test_formats.limit = 120
test_full_disk.limit = 240

if __name__ == "__main__":
    main(globals())
