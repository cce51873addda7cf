#!/usr/bin/env python3
"""A call through a sound card: a virtual one. A steady tone must come out of
its speaker without a break, and what is said into its microphone must arrive,
while another process keeps a core busy."""
import array
import json
import os
import re
import subprocess
import sys
import wave

import sound
import stereo
from lab import Skip, check, main, need, ports
from peers import Baresip

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "..", "tools")
SECONDS = float(os.environ.get("OFFHOOK_TONE_SECONDS", "10"))


def start_card(lab, *names, folder="card"):
    need("pulseaudio", "pactl", "parecord", "paplay")
    card = lab.path(folder)
    os.makedirs(card, exist_ok=True)
    r = subprocess.run([os.path.join(TOOLS, "virtual-sound"), "start", "-d", card, *(names or ("alice",))], capture_output=True,
                       text=True, timeout=30)
    if r.returncode:
        raise Skip("virtual sound card: " + r.stderr.strip()[-200:])
    env = dict(line[len("export "):].split("=", 1) for line in r.stdout.splitlines())
    return card, {k: v.strip("'") for k, v in env.items()}


def test_tone_through_the_card(lab):
    """without a break, while both cores are busy"""
    rate = 8000
    source = sound.write_tone(lab.path("theirs.wav"), 1000, SECONDS + 15, rate)
    peer = Baresip(lab, source)
    card, env = start_card(lab)
    recorder = said = None
    burners = []
    try:
        phone = lab.offhook("-s", "noise-suppress=no", "--auto-answer", audio="portaudio", env=env).ready()
        burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
        peer.dial(phone.uri)
        phone.event("call.state", state="active", timeout=20)
        peer.established()
        said = subprocess.Popen(
            ["paplay", "-d", "alice_feed", sound.write_tone(lab.path("said.wav"), 440, SECONDS + 10)],
            env={**os.environ, **env})
        recorder = subprocess.Popen(
            [os.path.join(TOOLS, "virtual-sound"), "record", "-d", card, "alice", lab.path("speaker.wav"),
             "%g" % (SECONDS + 3)], env={**os.environ, **env})
        recorder.wait(SECONDS + 20)
        recorder = None
        print("figures:", {k: v for k, v in phone.command("stats").items() if k in (
            "mic_ms", "speaker_ms", "delay_ms", "packet_ms", "mouth_to_ear_ms")})
        phone.command("hangup")
        peer.closed()
    finally:
        for p in (*burners, recorder, said):
            if p and p.poll() is None:
                p.kill()
                p.wait()
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)
    x, mic = sound.heard(lab.path("speaker.wav"), 1000), sound.heard(peer.recording(), 440)
    print("speaker:", x)
    print("microphone:", mic)
    # G.711 is not the same samples: no break in windows of 20 ms
    check(x.seconds > SECONDS and not x.gaps and x.purity > 0.95, "speaker: %s", x)
    check(mic.seconds > SECONDS - 1 and not mic.gaps and mic.purity > 0.9, "microphone: %s", mic)
    # a steady tone is noise to who suppresses noise, and is not suppressed here
    check(mic.level > -18, "microphone: %s", mic)


def quiet_share(lab, env, source, cancel):
    """-> dBFS of what the peer hears of itself while it talks, from the tenth second on; the loudspeaker
    is 60 ms from the microphone, and nothing but the canceller takes the echo away. And the last ERLE that
    was told"""
    peer = Baresip(lab, source, name="baresip-" + cancel)
    phone = lab.offhook("-s", "echo-cancel=" + cancel, "-s", "echo-limiter=off", "-s", "noise-suppress=no",
                        audio="portaudio", env=env, name="offhook-" + cancel).ready()
    phone.command("dial " + peer.uri)
    phone.event("call.state", state="active", timeout=20)
    peer.established()
    phone.command("sleep 18", timeout=30)
    level = phone.event("call.level", again=True)
    phone.command("hangup")
    peer.closed()
    told = [o for o in phone.objects() if o.get("event") == "call.level"]
    phone.stop()
    rate, x = sound.read(peer.recording())
    check(len(x) > 16 * rate, "only %.1f s", len(x) / rate)
    x = x[10 * rate:16 * rate]
    return sound.dbfs(2 * sum(v * v for v in x) / len(x)), (told[-1] if told else level).get("erle_db")


def test_echo_is_taken_away(lab):
    """what comes out of the loudspeaker is fed into the microphone: the other side hears itself without
    the canceller, and next to nothing with it"""
    rate, x = sound.read(os.path.join(HERE, "..", "..", "sounds", "speech.wav"))
    step = rate // 8000
    y = array.array("h", (sum(x[i:i + step]) // step for i in range(0, len(x) - step, step)))
    source = lab.path("speech.wav")
    with wave.open(source, "wb") as w:
        w.setparams((1, 2, 8000, 0, "NONE", ""))
        for _ in range(6):
            w.writeframes(y.tobytes())
    card, env = start_card(lab)
    try:
        subprocess.run(["pactl", "load-module", "module-loopback", "source=alice_spk.monitor", "sink=alice_feed",
                        "latency_msec=60"], env={**os.environ, **env}, check=True, timeout=20,
                       stdout=subprocess.DEVNULL)
        heard, _ = quiet_share(lab, env, source, "no")
        left, erle = quiet_share(lab, env, source, "yes")
    finally:
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)
    print("echo %.1f dBFS, with the canceller %.1f dBFS; ERLE told: %s dB" % (heard, left, erle))
    check(heard > -45, "there was no echo to begin with: %.1f dBFS", heard)
    check(left < heard - 20, "echo %.1f dBFS, with the canceller %.1f dBFS", heard, left)


def test_ready_before_the_answer(lab):
    """who calls has the card open while it still rings, so that the answer is heard at once"""
    card, env = start_card(lab)
    try:
        phone = lab.offhook("-s", "tones=off", audio="portaudio:alice", env=env).ready()
        called = lab.offhook(name="called").ready()

        def is_open():
            return any(d["in_use"] for d in phone.command("devices", timeout=20)["devices"])

        check(not is_open(), "open before any call")
        phone.command("dial " + called.uri)
        phone.event("call.state", state="ringing", timeout=20)
        for _ in range(40):
            if is_open():
                break
            phone.command("sleep 250ms", timeout=20)
        else:
            check(False, "not open while it rings: %s", phone.command("devices"))
        called.command("reject")
        phone.event("call.state", state="ended", timeout=20)
        # before its card: PortAudio forgets a name when it finds that gone
        phone.stop()
    finally:
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)


def test_devices_change(lab):
    """in mid-call another microphone and loudspeaker, and a ringer of its own"""
    rate = 8000
    source = sound.write_tone(lab.path("theirs.wav"), 1000, 60, rate)
    peer = Baresip(lab, source)
    card, env = start_card(lab, "alice", "bob")
    said = recorder = None
    try:
        phone = lab.offhook("-s", "noise-suppress=no", audio="portaudio:alice", env=env).ready()
        bad = phone.reply("device mic nosuch", timeout=40)
        check(bad.get("error") == "no-such-device", "%s", bad)
        phone.command("device ring bob", timeout=40)
        phone.command("dial " + peer.uri)
        phone.event("call.state", state="active", timeout=20)
        peer.established()
        phone.command("device mic bob", timeout=40)
        phone.command("device speaker bob", timeout=40)
        now = phone.command("device")
        check((now["mic"], now["speaker"], now["ring"]) == ("bob", "bob", "bob"), "%s", now)
        said = subprocess.Popen(["paplay", "-d", "bob_feed", sound.write_tone(lab.path("said.wav"), 440, 20)],
                                env={**os.environ, **env})
        recorder = subprocess.Popen([os.path.join(TOOLS, "virtual-sound"), "record", "-d", card, "bob",
                                     lab.path("speaker.wav"), "5"], env={**os.environ, **env})
        recorder.wait(25)
        recorder = None
        phone.command("hangup")
        peer.closed()
    finally:
        for p in (recorder, said):
            if p and p.poll() is None:
                p.kill()
                p.wait()
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)
    x = sound.heard(lab.path("speaker.wav"), 1000)
    check(x.seconds > 2, "the other loudspeaker: %s", x)
    mic = sound.heard(peer.recording(), 440)
    check(mic.seconds > 2, "the other microphone: %s", mic)


def speaker_hears(lab, card, env, name, file):
    """what is heard of 1000 Hz in three seconds of that loudspeaker"""
    path = lab.path(file)
    subprocess.run([os.path.join(TOOLS, "virtual-sound"), "record", "-d", card, name, path, "3"], env={**os.environ, **env},
                   timeout=40, check=True)
    return sound.heard(path, 1000)


def comes_back(lab, card, env, name):
    """the tone is heard there again; a card that has just come takes a moment on a busy machine"""
    for n in range(5):
        x = speaker_hears(lab, card, env, name, "back-%d.wav" % n)
        if x.seconds > 1.5:
            return
    check(False, "it did not come back: %s", x)


def test_devices_of_accounts(lab):
    """an account with a microphone, a loudspeaker and a bell of its own; the next call is heard where it always was"""
    card, env = start_card(lab, "alice", "bob")
    said = None
    try:
        phone = lab.offhook("-s", "noise-suppress=no", "-a", "sip:desk@127.0.0.1;register=no", "-a",
                            "sip:door@127.0.0.1;register=no;audio-mic=bob;audio-speaker=bob;audio-ring=bob",
                            audio="portaudio", env=env).ready()
        caller = lab.offhook(audio="tone:1000", name="caller").ready()
        said = subprocess.Popen(["paplay", "-d", "bob_feed", sound.write_tone(lab.path("said.wav"), 440, 90)],
                                env={**os.environ, **env})
        caller.command("dial sip:door@127.0.0.1:%d" % phone.port)
        phone.event("call.state", state="incoming", timeout=20)
        now = phone.command("device")
        check((now["mic"], now["speaker"], now["ring"]) == ("bob", "bob", "bob"), "%s", now)
        phone.command("answer")
        caller.command("wait call active 20", 25)
        caller.command("expect tone 440 within 20s", 25)
        bob, alice = (speaker_hears(lab, card, env, name, "door-%s.wav" % name) for name in ("bob", "alice"))
        check(bob.seconds > 1.5 and not alice.seconds, "bob %s, alice %s", bob, alice)
        caller.command("hangup")
        phone.event("call.state", state="ended", timeout=20)
        now = phone.command("device")
        check(not any((now.get("mic"), now.get("speaker"), now.get("ring"))), "%s", now)

        caller.command("dial sip:desk@127.0.0.1:%d" % phone.port)
        phone.event("call.state", state="incoming", timeout=20)
        phone.command("answer")
        phone.event("call.state", state="active", timeout=20)
        bob, alice = (speaker_hears(lab, card, env, name, "desk-%s.wav" % name) for name in ("bob", "alice"))
        check(alice.seconds > 1.5 and not bob.seconds, "bob %s, alice %s", bob, alice)
        r = caller.reply("expect tone 440 within 2s", 10)
        check(r["ok"] is False, "the other microphone is still heard: %s", r)
    finally:
        if said:
            said.kill()
            said.wait()
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)


def test_unplugged_and_back(lab):
    """the card goes in mid-call: one line, the call goes on; it comes back and is used again"""
    rate = 8000
    source = sound.write_tone(lab.path("theirs.wav"), 1000, 60, rate)
    peer = Baresip(lab, source)
    card, env = start_card(lab)
    try:
        phone = lab.offhook("-s", "noise-suppress=no", audio="portaudio:alice", env=env).ready()
        phone.command("dial " + peer.uri)
        phone.event("call.state", state="active", timeout=20)
        phone.command("sleep 2", timeout=10)
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)
        lost = phone.event("device.lost", timeout=15)
        check("gone" in lost["text"], "%s", lost)
        before = phone.command("stats")["packets_received"]
        phone.command("sleep 2", timeout=10)
        after = phone.command("stats")
        check(after["packets_received"] > before + 80 and after["packets_sent"] > before, "the call stands: %s", after)
        start_card(lab)
        phone.event("device.found", timeout=30)
        told = [o for o in phone.objects() if o.get("event") == "device.lost"]
        check(len(told) == 1, "said more than once: %s", told)
        comes_back(lab, card, env, "alice")
        phone.command("hangup")
        peer.closed()
    finally:
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)


def test_two_channels(lab):
    """a card of two channels: what the other side plays left and right is heard left and right"""
    os.environ["VIRTUAL_SOUND_CHANNELS"] = "2"
    card, env = start_card(lab)
    try:
        phone = lab.offhook("-s", "codecs=opus", "-s", "opus-stereo=yes", audio="portaudio:alice", env=env).ready()
        other = lab.offhook("--auto-answer", "-s", "codecs=opus", "-s", "opus-stereo=yes", "-s", "opus-bitrate=96000",
                            audio="silence", name="other").ready()
        phone.command("dial " + other.uri)
        phone.event("call.state", state="active", timeout=20)
        other.event("call.state", state="active", timeout=20)
        other.command("play %s --loop" % stereo.write_two(lab.path("both.wav"), 5))
        phone.command("sleep 2", timeout=10)
        path = lab.path("two.wav")
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "record", "-d", card, "alice", path, "5"],
                       env={**os.environ, **env}, timeout=40, check=True)
        stereo.heard_apart(path, least=5)
        # and elsewhere, in mid-call
        phone.command("pan left")
        phone.event("call.place", call=1)
        phone.command("sleep 1", timeout=10)
        path = lab.path("panned.wav")
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "record", "-d", card, "alice", path, "3"],
                       env={**os.environ, **env}, timeout=40, check=True)
        check(sound.heard(path, stereo.LEFT).level > -20, "nothing on the left")
        check(not any(sound.read(path, 1)[1]), "the right one is not silent")
        phone.command("hangup")
    finally:
        del os.environ["VIRTUAL_SOUND_CHANNELS"]
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)


def test_two_microphones(lab):
    """both channels of the microphone go out by Opus, live: baresip hears left on its left"""
    os.environ["VIRTUAL_SOUND_CHANNELS"] = "2"
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), 400, 60, 48000, 2), codec="opus/48000/2")
    card, env = start_card(lab)
    try:
        # steady tones are noise
        phone = lab.offhook("-s", "codecs=opus", "-s", "opus-stereo=yes", "-s", "opus-bitrate=96000", "-s", "noise-suppress=no",
                            audio="portaudio:alice", env=env).ready()
        phone.command("dial " + peer.uri)
        phone.event("call.state", state="active", timeout=20)
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "say", "-d", card, "alice",
                        stereo.write_two(lab.path("both.wav"), 8)], env={**os.environ, **env}, timeout=60, check=True)
        phone.command("hangup")
        phone.event("call.state", state="ended", timeout=20)
        peer.closed()
        stereo.heard_apart(peer.recording(), least=5)
        phone.stop()
    finally:
        del os.environ["VIRTUAL_SOUND_CHANNELS"]
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)


def open_monitor(phone):
    """until the second loudspeaker is in use"""
    for _ in range(40):
        if any(d["name"] == "bob" and d["in_use"] for d in phone.command("devices", timeout=40)["devices"]):
            return
        phone.command("sleep 250ms", timeout=10)
    check(False, "the monitor is not opened")


def test_monitor(lab):
    """a second loudspeaker hears the call as well, and our microphone when that is wanted; chosen in mid-call,
    unplugged, and back"""
    peer = Baresip(lab, sound.write_tone(lab.path("theirs.wav"), 1000, 120, 8000))
    card, env = start_card(lab, "alice", "bob")
    said = None
    try:
        phone = lab.offhook("-s", "noise-suppress=no", "-s", "echo-cancel=no", audio="portaudio:alice", env=env).ready()
        phone.command("dial " + peer.uri)
        phone.event("call.state", state="active", timeout=20)
        phone.command("device monitor bob", timeout=40)
        open_monitor(phone)
        check(phone.command("device")["monitor"] == "bob", "not chosen")
        used = [d["used_for"] for d in phone.command("devices", timeout=40)["devices"] if d["name"] == "bob"]
        check(used == ["monitor"], "%s", used)
        for _ in range(4):       # a busy machine may starve the card, once
            bob, alice = (speaker_hears(lab, card, env, name, "with-%s.wav" % name) for name in ("bob", "alice"))
            check(bob.seconds > 1.5 and alice.seconds > 1.5, "bob %s, alice %s", bob, alice)
            if not bob.gaps:
                break
        check(abs(bob.level - alice.level) < 1.5 and not bob.gaps, "bob %s, alice %s", bob, alice)

        said = subprocess.Popen(["paplay", "-d", "alice_feed", sound.write_tone(lab.path("said.wav"), 440, 90)],
                                env={**os.environ, **env})
        phone.command("sleep 1", timeout=10)
        speaker_hears(lab, card, env, "bob", "them.wav")
        phone.command("set monitor-hears both")
        phone.command("sleep 1", timeout=10)
        speaker_hears(lab, card, env, "bob", "both.wav")
        levels = []
        for file in ("them.wav", "both.wav"):
            rate, x = sound.read(lab.path(file))
            levels.append(sound.dbfs(sound.power(x[rate:2 * rate], rate, 440)[0]))
        print("440 Hz of ours at the monitor: %.1f, %.1f dB" % tuple(levels))
        check(levels[0] < -60 and levels[1] > -25, "%s", levels)

        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)
        lost = phone.event("device.lost", role="monitor", timeout=15)
        check("the monitor is gone" in lost["text"], "%s", lost)
        before = phone.command("stats")["packets_received"]
        phone.command("sleep 1", timeout=10)
        check(phone.command("stats")["packets_received"] > before + 30, "the call stands")
        start_card(lab, "alice", "bob")
        phone.event("device.found", role="monitor", timeout=40)
        open_monitor(phone)
        comes_back(lab, card, env, "bob")

        phone.command("device monitor default", timeout=40)
        phone.command("sleep 1", timeout=10)
        bob = speaker_hears(lab, card, env, "bob", "off.wav")
        check(not bob.seconds, "it was switched off: %s", bob)
        phone.command("hangup")
        peer.closed()
    finally:
        if said and said.poll() is None:
            said.kill()
            said.wait()
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)


def test_no_card(lab):
    """no device at all: one line says so, the call goes on"""
    if os.path.exists("/dev/snd") and any(n.startswith("pcm") for n in os.listdir("/dev/snd")):
        raise Skip("this machine has a sound card")
    phone = lab.offhook("--auto-answer", audio="auto", env={
        "PULSE_SERVER": "unix:/nonexistent", "JACK_NO_START_SERVER": "1",
        # ALSA's plug-ins of the usual configuration leave 12 kB behind
        "ASAN_OPTIONS": "detect_leaks=0"}).ready()
    source = sound.write_tone(lab.path("theirs.wav"), 1000, 20, 8000)
    peer = Baresip(lab, source)
    peer.dial(phone.uri)
    phone.event("call.state", state="active", timeout=15)
    peer.established()
    said = phone.event("log", level="warn")
    check("no sound device" in said["text"], "%s", said)
    phone.command("sleep 2", timeout=5)
    told = [o for o in phone.objects() if o.get("event") == "log" and "sound" in o["text"]]
    check(len(told) == 1, "said more than once: %s", told)
    check(phone.command("stats")["packets_received"] > 80, "no media")
    phone.command("hangup")
    phone.event("call.state", state="ended")
    # a call that rings wants the card twice, and one more call once again
    phone.command("auto-answer off")
    peer.dial(phone.uri)
    phone.event("call.state", state="incoming", timeout=15)
    phone.command("sleep 1", timeout=5)
    phone.command("answer")
    phone.event("call.state", state="active", timeout=15)
    phone.command("sleep 1", timeout=5)
    told = [o for o in phone.objects() if o.get("event") == "log" and "sound" in o["text"]]
    check(len(told) == 1, "said more than once: %s", told)


def test_doctor(lab):
    """the doctor finds the devices, and hears itself through the card"""
    card, env = start_card(lab)
    os.environ.update(env)
    try:
        _, out, err = lab.run("-l", "127.0.0.1:%d" % ports(), "-A", "auto", "--json", "doctor", timeout=150)
    finally:
        for name in env:
            os.environ.pop(name, None)
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)
    r = [json.loads(x) for x in out.splitlines() if x.startswith('{"reply"')][-1]
    areas = {}
    for c in r["checks"]:
        areas.setdefault(c["area"], []).append(c)
    s = areas["sound"][0]
    check(s["verdict"] == "pass" and re.match(r"[1-9]\d* microphones? and [1-9]\d* loudspeakers?", s["text"]), "%s", s)
    loop = areas.get("loop-back", [None])[0]
    m = loop and re.fullmatch(r"through the sound card and back in (\d+) ms", loop["text"])
    check(m and (loop["verdict"] == "pass") == (int(m.group(1)) < 300), "%s\n%s", r["checks"], err[-2000:])
    check(any("you should have heard it" in c["text"] for c in areas["codecs"]), "%s", areas["codecs"])


test_doctor.limit = 200
test_monitor.limit = 150
test_two_channels.limit = 120
test_echo_is_taken_away.limit = 150
test_tone_through_the_card.limit = SECONDS + 90

if __name__ == "__main__":
    main(globals())
