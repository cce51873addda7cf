#!/usr/bin/env python3
"""The log: levels of modules, forms, files that are turned over, the system's
own logs, a disk that is full; and never a secret."""
import json
import os
import re
import signal
import socket
import time

from home import check, exits, main

LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn |info |debug) ([a-z]+): .")
SECRET = "geheim-4711"


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def until(what, text, timeout=20):
    """until what() is something -> that"""
    end = time.monotonic() + timeout
    while True:
        got = what()
        if got:
            return got
        check(time.monotonic() < end, "%s", text)
        time.sleep(0.02)


def call(phone, other):
    """a short call -> all that can be said of one is said"""
    n = phone.command("dial %s" % other.uri)["call"]
    phone.event("call.state", state="active", call=n, timeout=20)
    phone.command("hangup")
    phone.event("call.state", state="ended", call=n, timeout=20)


def levels(path):
    """-> {module: its levels}"""
    out = {}
    for line in read(path).splitlines():
        m = LINE.match(line)
        if m:
            out.setdefault(m.group(2), set()).add(m.group(1).strip())
    return out


def test_levels(lab):
    """at the start, from the file, at once; only what is asked for"""
    other = lab.offhook("--auto-answer", name="other").ready()
    phone = lab.offhook("--log", lab.path("log"), "--log", "error,ua=debug", name="phone").ready()
    r = phone.command("log")
    check(r["levels"] == "error,ua=debug" and r["where"] == lab.path("log") and r["missing"] == 0, "%s", r)
    rows = {m["name"]: m for m in r["modules"]}
    check(rows["ua"]["level"] == "debug" and rows["sip"]["level"] == "error" and all(m["about"] for m in r["modules"]),
          "%s", rows)
    call(phone, other)
    got = levels(lab.path("log"))
    check("info" in got.get("ua", ()) and all(v <= {"error"} for k, v in got.items() if k != "ua"), "%s", got)
    phone.command("log ua=warn,sip=debug")
    check(phone.command("log")["levels"] == "error,sip=debug,ua=warn", "at once")
    at = len(read(lab.path("log")))
    call(phone, other)
    phone.command("resolve sip:localhost")
    text = read(lab.path("log"))[at:]
    check(" sip: " in text and " ua: " not in text, "%s", text)
    phone.command("log default")
    check(phone.command("log")["levels"] == "error,ua=debug", "the options again")
    phone.command("set log-levels info,sip=debug")
    check(phone.command("log")["levels"] == "info,sip=debug", "by set")
    with open(os.path.join(phone.folder, "offhook.conf"), "w", encoding="utf-8") as f:
        f.write("log-format = json\n")
    phone.command("config reload")
    phone.command("print x")
    phone.command("log debug")
    call(phone, other)
    last = read(lab.path("log")).splitlines()[-1]
    check(json.loads(last)["level"] in ("debug", "info"), "%s", last)
    for bad, say in (("spi=debug", "did you mean sip"), ("loud", "error, warn, info or debug"), ("sip=loud", "sip=loud")):
        r = phone.reply("log " + bad)
        check(r["error"] == "bad-argument" and say in r["text"], "%s", r)
        r = phone.reply("set log-levels " + bad)
        check(r["error"] == "bad-argument" and say in r["text"], "%s", r)
    _, _, err = exits(lab.run("--log", "spi=debug", "print", "x"), 2)
    check("did you mean sip" in err, "%s", err)
    exits(lab.run("-s", "log-levels=frob", "print", "x"), 2)


def test_events(lab):
    """the screen and programs are told of the same lines"""
    other = lab.offhook("--auto-answer", name="other").ready()
    phone = lab.offhook("--log", lab.path("log"), "--log", "ua=debug", name="phone").ready()
    call(phone, other)
    heard = [(o["module"], o["text"]) for o in phone.objects() if o.get("event") == "log"]
    wrote = [m.groups() for m in re.finditer(r"^\S+ \w+ +(\w+): (.*)$", read(lab.path("log")), re.M)]
    check(heard and [h for h in heard if h not in wrote] == [], "%s\n%s", heard, wrote)


def test_json(lab):
    """each line an object, those of the trace too; and nothing secret in any"""
    for form in ("text", "json"):
        log = lab.path(form)
        phone = lab.offhook("-s", "log-format=" + form, "--log", log, "-vv", "-t", "-a",
                            "sip:me@127.0.0.1:9;transport=udp;register=no;password=" + SECRET, name=form).ready()
        phone.command("account add sip:you@127.0.0.1:9;register=no;password=%s" % SECRET)
        phone.reply("options sip:x@127.0.0.1:%d" % phone.port)
        phone.command("log")
        text = until(lambda: read(log) if "OPTIONS sip:x@" in read(log) else None, "no trace")
        check(SECRET not in text and SECRET not in phone.stderr(), "a secret")
        if form == "text":
            continue
        for line in text.splitlines():
            o = json.loads(line)
            check(set(o) == {"time", "level", "module", "text"}, "%s", line)
        check(any(json.loads(x)["module"] == "trace" for x in text.splitlines()), "no trace")


def test_turned_over(lab):
    """no file larger than said, as many as said, no line lost"""
    phone = lab.offhook("--log", lab.path("log"), "-vv", "-s", "log-size=4", "-s", "log-keep=2").ready()
    end = time.monotonic() + 60
    while not os.path.exists(lab.path("log.2")):
        check(time.monotonic() < end, "%s", os.listdir(lab.dir))
        phone.reply("options sip:x@127.0.0.1:%d" % phone.port)
        phone.command("resolve sip:localhost")
    for _ in range(20):
        phone.reply("options sip:x@127.0.0.1:%d" % phone.port)
    files = sorted(f for f in os.listdir(lab.dir) if f.startswith("log"))
    check(files == ["log", "log.1", "log.2"], "%s", files)
    for f in files:
        check(os.path.getsize(lab.path(f)) <= 4096, "%s: %d", f, os.path.getsize(lab.path(f)))
        check(all(LINE.match(x) for x in read(lab.path(f)).splitlines()), "%s", read(lab.path(f)))


def test_reopen(lab):
    """renamed by somebody else: a signal or a command begins it anew"""
    phone = lab.offhook("--log", lab.path("log"), "-v").ready()
    os.rename(lab.path("log"), lab.path("old"))
    phone.proc.send_signal(signal.SIGUSR1)
    until(lambda: os.path.exists(lab.path("log")) and "opened anew" in read(lab.path("log")), "no new file")
    os.unlink(lab.path("log"))
    phone.command("log reopen")
    check(os.path.exists(lab.path("log")), "not by command")
    check(phone.command("print x")["text"] == "x", "the phone")


def listener(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(20)
    return s


def test_journal(lab):
    """fields as the journal has them; a reader who is gone is no harm"""
    other = lab.offhook("--auto-answer", name="other").ready()
    s = listener(lab.path("j"))
    phone = lab.offhook("--log", "journal:" + lab.path("j"), "-vv", name="phone").ready()
    call(phone, other)
    seen = []
    while not any(f.get("OFFHOOK_CALL") == "1" for f in seen):
        data = s.recv(65536).decode()
        check(data.endswith("\n") and all("=" in x for x in data.splitlines()), "%r", data)
        seen.append(dict(x.split("=", 1) for x in data.splitlines()))
    for f in seen:
        check(f["SYSLOG_IDENTIFIER"] == "offhook" and f["SYSLOG_PID"] == str(phone.proc.pid) and
              f["PRIORITY"] in "34567" and f["MESSAGE"].startswith(f["OFFHOOK_MODULE"] + ": "), "%s", f)
    s.close()
    call(phone, other)
    check(phone.command("log")["missing"] > 0, "nothing is missed")
    check(phone.stderr().count("cannot write the log") == 1, "%s", phone.stderr())
    os.unlink(lab.path("j"))
    s = listener(lab.path("j"))
    call(phone, other)
    check(b"lines are missing" in s.recv(65536), "what was missed is not told")


def test_syslog(lab):
    """as the C library writes it; from the option"""
    s = listener(lab.path("s"))
    phone = lab.offhook("-s", "log-to=syslog:" + lab.path("s"), "-v").ready()
    phone.proc.send_signal(signal.SIGUSR1)
    data = s.recv(65536).decode()
    check(re.match(r"<1[0-5]>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d offhook\[%d\]: [a-z]+: " % phone.proc.pid, data), "%r",
          data)
    code, _, err = lab.run("-s", "log-to=syslog:" + lab.path("nobody"), "print", "x")
    check(code == 2 and "log-to" in err and "No such file" in err, "%d %s", code, err)


def test_full_disk(lab):
    """told once; the phone goes on, and calls do"""
    other = lab.offhook("--auto-answer", name="other").ready()
    phone = lab.offhook("--log", "/dev/full", "-vv", name="phone").ready()
    call(phone, other)
    call(phone, other)
    r = phone.command("log")
    check(r["missing"] > 10 and r["where"] == "/dev/full", "%s", r)
    check(phone.stderr().count("cannot write the log /dev/full: No space left") == 1, "%s", phone.stderr())
    told = [o for o in phone.objects() if o.get("event") == "log" and "cannot write the log" in o["text"]]
    check(len(told) == 1 and told[0]["level"] == "error", "%s", told)


if __name__ == "__main__":
    main(globals())
