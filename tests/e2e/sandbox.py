#!/usr/bin/env python3
"""Option sandbox: what the phone has given up the system holds it to, and
calls, files and, unless it is strict, programs go on."""
import os
import re

from home import check, exits, main

FIELDS = {"NoNewPrivs": "1", "Seccomp": "2"}


def held(phone):
    """-> what the system says of each thread"""
    base = "/proc/%d/task" % phone.proc.pid
    for t in os.listdir(base):
        with open(os.path.join(base, t, "status"), encoding="ascii", errors="replace") as f:
            yield dict(re.findall(r"^(\w+):\t(\S+)", f.read(), re.M))


def confined(lab, level, **kw):
    """a phone that works in folders of its own, and one that it may not touch"""
    for name in ("work", "tmp", "elsewhere", "run"):
        os.makedirs(lab.path(name), exist_ok=True)
    return lab.offhook("-s", "sandbox=" + level, audio="tone:440", cwd=lab.path("work"),
                       env={"TMPDIR": lab.path("tmp"), "XDG_RUNTIME_DIR": lab.path("run")}, **kw).ready()


def talks(lab, phone):
    other = lab.offhook("--auto-answer", name="other", audio="tone:700").ready()
    phone.command("dial " + other.uri)
    phone.command("wait call active 30s", 35)
    phone.command("record talk.wav")
    for _ in range(60):
        phone.command("sleep 500ms", 20)
        if phone.command("stats").get("packets_received", 0) > 20:
            break
    phone.command("assert packets-received > 20")
    for t in held(phone):
        check({k: t.get(k) for k in FIELDS} == FIELDS, "a thread is not held: %s", t)


def test_on(lab):
    phone = confined(lab, "on")
    talks(lab, phone)
    phone.command("run 'touch %s'" % lab.path("elsewhere/run"))
    check(os.path.exists(lab.path("elsewhere/run")), "no program was run")
    phone.command("hangup")
    phone.event("record.done", 20)
    # what it has given up is not for its programs either
    r = phone.reply("run 'unshare -U true || unshare -m true || exit 9'")
    check(not r["ok"] and "9" in r["text"], "%s", r)


def test_strict(lab):
    phone = confined(lab, "strict", name="strict")
    talks(lab, phone)
    r = phone.reply("run true")
    check(not r["ok"] and r["error"] == "no-access" and "sandbox" in r["text"], "%s", r)
    phone.command("record stop")
    phone.event("record.done", 20)
    check(os.path.getsize(lab.path("work/talk.wav")) > 1000, "no recording")
    r = phone.reply("record " + lab.path("elsewhere/talk.wav"))
    check(not r["ok"] and "ermission" in r["text"], "%s", r)
    check(not os.listdir(lab.path("elsewhere")), "%s", os.listdir(lab.path("elsewhere")))
    phone.command("hangup")
    phone.event("call.state", state="ended", timeout=20)
    # its own files: options, contacts, the history
    phone.command("set max-calls 7")
    phone.command("config save")
    phone.command("contact add Bob sip:bob@example.com")
    check(phone.command("history")["calls"], "no history")
    with open(os.path.join(phone.folder, "offhook.conf"), encoding="utf-8") as f:
        check("max-calls = 7" in f.read(), "it was not saved")


def test_passwords(lab):
    """a command that prints one runs before"""
    account = "sip:me@127.0.0.1:9;register=no;password-command=echo secret"
    phone = confined(lab, "strict", name="strict")
    phone.quit()
    phone.exit()
    _, out, _ = exits(lab.run("-s", "sandbox=strict", "-l", "udp:127.0.0.1", "-A", "null", "-a", account, "accounts"), 0)
    check("me@127.0.0.1" in out, "%s", out)


def test_wrong(lab):
    _, _, err = exits(lab.run("-s", "sandbox=very", "-l", "udp:127.0.0.1", "status"), 2)
    check("off, on or strict" in err or "strict" in err, "%s", err)


if __name__ == "__main__":
    main(globals())
