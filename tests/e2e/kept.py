#!/usr/bin/env python3
"""What the phone keeps: contacts that can be dialled, the calls that were,
messages; in files that the next run and other programs read."""
import json
import os

from home import QUIET, check, exits, main


def kept(lab, name):
    """lines of a state file of the phone with configuration directory lab.dir"""
    base = os.path.join(lab.dir, ".local/state/offhook")
    for folder, _, files in os.walk(base):
        if name in files:
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                return [json.loads(x) for x in f]
    return []


def run(lab, *words, code=0):
    _, out, _ = exits(lab.run("--new", "-j", "-A", "null", *words), code, words)
    return next(o for o in map(json.loads, out.splitlines()) if "reply" in o)


def test_contacts(lab):
    """added, found, dialled by name, removed; the file is the user's"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    os.makedirs(lab.path("run.d"))
    lab.file("run.d/contacts", "# mine\nDoor = sip:door@example.com  # below\n")
    run(lab, "contact", "add", "Bob Smith", other.uri, "--speed", "3", "--note", "a; b")
    c = run(lab, "contacts")["contacts"]
    check([x["name"] for x in c] == ["Door", "Bob Smith"] and c[1] == {
        "name": "Bob Smith", "uri": other.uri, "speed": 3, "note": "a; b"}, "%s", c)
    check([x["name"] for x in run(lab, "contacts", "bsm")["contacts"]] == ["Bob Smith"], "search")
    r = run(lab, "-l", "udp:127.0.0.1", "dial", "bob smith", "--for", "300ms")
    check(r["ok"], "%s", r)
    r = run(lab, "contact", "remove", "nobody", code=1)
    check(r["error"] == "no-such-contact", "%s", r)
    run(lab, "contact", "remove", "bob smith")
    with open(lab.path("run.d/contacts"), encoding="utf-8") as f:
        text = f.read()
    check(text == "# mine\nDoor = sip:door@example.com  # below\n", "%s", text)
    h = run(lab, "history")["calls"]
    # answered without ringing
    check(h[0]["setup_ms"] >= 0 and "pdd_ms" not in h[0], "%s", h)
    check(len(h) == 1 and h[0]["outcome"] == "answered" and h[0]["peer"] == other.uri and h[0]["codec"] == "opus", "%s", h)


def test_vcards(lab):
    cards = ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\nTEL;TYPE=cell:+49 17\r\nIMPP:sip:ann@example.com\r\nEND:VCARD\r\n")
    check(run(lab, "contact", "import", lab.file("in.vcf", cards))["imported"] == 2, "import")
    check({c["uri"] for c in run(lab, "contacts")["contacts"]} == {"tel:+4917", "sip:ann@example.com"}, "contacts")
    check(run(lab, "contact", "export", lab.path("out.vcf"))["exported"] == 2, "export")
    with open(lab.path("out.vcf"), encoding="utf-8", newline="") as f:
        text = f.read()
    check(text.count("BEGIN:VCARD\r\nVERSION:4.0\r\n") == 2 and "TEL;VALUE=uri:tel:+4917\r\n" in text, "%s", text)
    r = run(lab, "contact", "import", lab.file("none.vcf", "nothing"), code=1)
    check("vCard" in r["text"], "%s", r)


def test_history(lab):
    """missed and busy calls, marked new until somebody looks; redial"""
    busy = lab.offhook("--auto-answer=486", audio="null").ready()
    phone = lab.offhook(audio="null", name="phone").ready()
    phone.command("dial " + busy.uri)
    phone.event("call.state", state="ended")
    other = lab.offhook(audio="null", name="other").ready()
    other.command("dial " + phone.uri)
    phone.event("call.state", state="incoming")
    other.command("hangup")
    phone.event("call.state", state="ended", call=2)
    r = phone.command("history")
    rows = [(c["direction"], c["outcome"], c["new"]) for c in r["calls"]]
    check(r["missed"] >= 1 and ("in", "missed", True) in rows and ("out", "busy", False) in rows, "%s", r)
    check(phone.command("history")["missed"] == 0, "seen")
    check(len(phone.command("history --missed missed")["calls"]) >= 1, "search")
    phone.command("history --export %s" % lab.path("calls.csv"))
    with open(lab.path("calls.csv"), encoding="utf-8") as f:
        check(f.readline().startswith("time,direction,outcome"), "csv")
    check(phone.command("redial")["call"] == 3, "redial")
    phone.event("call.state", state="ended", call=3, code=486)


def test_messages(lab):
    other = lab.offhook(audio="null").ready()
    phone = lab.offhook(audio="null", name="phone").ready()
    phone.command("message %s 'hello there'" % other.uri)
    other.event("message.received")
    r = other.command("messages --new")
    check(r["unread"] >= 1 and r["messages"][-1]["text"] == "hello there", "%s", r)
    check(other.command("messages --new")["messages"] == [], "read")
    states = [m.get("state") for m in phone.command("messages")["messages"] if m["direction"] == "out"]
    check("sent" in states, "%s", states)


def test_files(lab):
    """one JSON object a line, and no password in any"""
    phone = lab.offhook("-a", "sip:alice@127.0.0.1:9;password=verysecret;register=no", audio="null").ready()
    phone.command("dial sip:nobody@127.0.0.1:1 --timeout 2s")
    phone.event("call.state", state="ended", timeout=40)
    lines = kept(lab, "history")
    check(lines and lines[-1]["direction"] == "out" and lines[-1]["time"].endswith("Z"), "%s", lines)
    check("verysecret" not in json.dumps(lines), "a password")
    for folder, _, files in os.walk(os.path.join(lab.dir, ".local/state/offhook")):
        for f in files:
            mode = os.stat(os.path.join(folder, f)).st_mode & 0o777
            check(mode == 0o600, "%s has mode %o", f, mode)


if __name__ == "__main__":
    main(globals())
