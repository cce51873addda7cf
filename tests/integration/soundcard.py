#!/usr/bin/env python3
"""A call through a sound card: a virtual one. A steady tone must come out of
its speaker without a break, and what is said into its microphone must arrive,
while another process keeps a core busy."""
import os
import subprocess
import sys

import sound
from lab import Skip, check, main, need
from peers import Baresip

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "..", "tools")
SECONDS = float(os.environ.get("OFFHOOK_TONE_SECONDS", "10"))


def start_card(lab):
    need("pulseaudio", "pactl", "parecord", "paplay")
    card = lab.path("card")
    os.makedirs(card)
    r = subprocess.run([os.path.join(TOOLS, "virtual-sound"), "start", "-d", card, "alice"], capture_output=True,
                       text=True, timeout=30)
    if r.returncode:
        raise Skip("virtual sound card: " + r.stderr.strip()[-200:])
    env = dict(line[len("export "):].split("=", 1) for line in r.stdout.splitlines())
    return card, {k: v.strip("'") for k, v in env.items()}


def test_tone_through_the_card(lab):
    rate = 8000
    source = sound.write_tone(lab.path("theirs.wav"), 1000, SECONDS + 15, rate)
    peer = Baresip(lab, source)
    card, env = start_card(lab)
    burner = recorder = said = None
    try:
        phone = lab.offhook("--auto-answer", audio="portaudio", env=env).ready()
        burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
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
        phone.command("hangup")
        peer.closed()
    finally:
        for p in (burner, recorder, said):
            if p and p.poll() is None:
                p.kill()
                p.wait()
        subprocess.run([os.path.join(TOOLS, "virtual-sound"), "stop", "-d", card], timeout=20)
    x = sound.heard(lab.path("speaker.wav"), 1000)
    print("speaker:", x)
    # G.711 is not the same samples: no break in windows of 20 ms
    check(x.seconds > SECONDS and not x.gaps and x.purity > 0.95, "speaker: %s", x)
    mic = sound.heard(peer.recording(), 440)
    print("microphone:", mic)
    check(mic.seconds > SECONDS - 1 and not mic.gaps and mic.purity > 0.9, "microphone: %s", mic)


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


test_tone_through_the_card.limit = SECONDS + 90

if __name__ == "__main__":
    main(globals())
