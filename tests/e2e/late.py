#!/usr/bin/env python3
"""The sound libraries that are loaded when they are first needed: not before,
then they work, and a phone without them is still a phone."""
import os
import subprocess

from home import QUIET, Skip, check, exits, main, ports

LATE = {"libportaudio.so": "libportaudio.so.2", "libsndfile.so": "libsndfile.so.1", "libspandsp.so": "libspandsp.so.2"}
# ALSA's plug-ins leak when devices are listed
NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}


def needs_late():
    if os.environ.get("OFFHOOK_LATE", "1") != "1":
        raise Skip("built with -Dlate=false")


def g722(lab):
    """is it in this build?"""
    return lab.run("-l", "udp:127.0.0.1:%d" % ports(), "-A", "null", "-s", "codecs=g722", "status")[0] == 0


def loaded(phone):
    with open("/proc/%d/maps" % phone.proc.pid, encoding="ascii") as f:
        maps = f.read()
    return {x for x in LATE if x in maps}


def without(lab):
    """an environment in which none of them can be loaded"""
    os.makedirs(lab.path("none"), exist_ok=True)
    for name in LATE.values():
        lab.file("none/" + name, "")
    return {**os.environ, "LD_LIBRARY_PATH": lab.path("none"), "HOME": lab.dir}


def run(lab, *args):
    r = subprocess.run([lab.program, "-c", lab.dir, "-l", "udp:127.0.0.1:%d" % ports()] + list(args),
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=without(lab))
    return r.returncode, r.stdout, r.stderr


def test_when_needed(lab):
    needs_late()
    other = lab.offhook("--auto-answer", "-s", "codecs=pcmu", name="other", audio="tone:1000").ready()
    phone = lab.offhook("-s", "codecs=pcmu,g722", env=NO_LEAKS).ready()
    check(not loaded(phone), "loaded at the start: %s", loaded(phone))
    phone.command("dial " + other.uri)
    phone.event("call.state", state="active")
    check(loaded(phone) == ({"libspandsp.so"} if g722(lab) else set()), "loaded by a call: %s", loaded(phone))
    phone.command("record " + lab.path("a.wav"))
    check("libsndfile.so" in loaded(phone), "where is the recording made?")
    phone.command("record stop")
    phone.event("record.done", result="stopped")
    phone.command("devices")
    check("libportaudio.so" in loaded(phone), "where do the devices come from?")
    check(not loaded(other), "loaded by a call without any of them: %s", loaded(other))


def test_g722(lab):
    """what was loaded late is the real thing"""
    if not g722(lab):
        raise Skip("built without spandsp")
    other = lab.offhook("--auto-answer", name="other", audio="tone:1000").ready()
    exits(lab.run(*QUIET, "-s", "codecs=g722", "-e", "dial " + other.uri, "-e", "wait call active", "-e",
                  "sleep 1", "-e", "assert codec = g722", "-e", "assert packets-received > 20"), 0)


def test_quiet(lab):
    """the hundred lines of ALSA and JACK are turned off, late or not"""
    r = subprocess.run([lab.program, "-c", lab.dir, "-vv"] + QUIET + ["devices"], stdin=subprocess.DEVNULL, text=True,
                       capture_output=True, timeout=60, env={**os.environ, **NO_LEAKS})
    err = r.stderr
    check("ALSA lib" not in err and "jack" not in err.lower(), "%s", err[:3000])


def test_missing(lab):
    """one line says what is missing where it matters; the rest goes on"""
    needs_late()
    other = lab.offhook("--auto-answer", name="other", audio="tone:1000").ready()
    code, _, err = run(lab, "-A", "null", "status")
    check(code == 0 and not err, "%d %s", code, err)
    code, out, err = run(lab, "-A", "tone:440", "-s", "codecs=g722,pcma", "dial", other.uri, "--for", "500ms")
    check(code == 0 and "pcma" in out, "%d %s%s", code, out, err)
    if g722(lab):
        check(len(err.splitlines()) == 1 and "libspandsp.so.2" in err, "not one line: %s", err)
    code, out, err = run(lab, "-s", "codecs=pcma", "dial", other.uri, "--for", "500ms")
    check(code == 0 and len(err.splitlines()) == 1 and "libportaudio.so.2" in err, "%d %s%s", code, out, err)
    code, _, err = run(lab, "-A", "file:" + lab.file("a.wav", "RIFF"), "status")
    check(code == 2 and len(err.splitlines()) == 1 and "libsndfile.so.1" in err, "%d %s", code, err)
    code, _, err = run(lab, "devices")
    check(code == 1 and "libportaudio.so.2" in err, "%d %s", code, err)


def test_plain(lab):
    """linked in the usual way it does not start without them, and the loader
    says why"""
    if os.environ.get("OFFHOOK_LATE", "1") == "1":
        raise Skip("built with -Dlate=true")
    code, _, err = run(lab, "--version")
    check(code == 127 and "loading shared libraries" in err, "%d %s", code, err)


if __name__ == "__main__":
    main(globals())
