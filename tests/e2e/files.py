#!/usr/bin/env python3
"""The phone's files: checked, shown with where each value comes from, read
again while it runs; and whole whatever happens while they are written."""
import os
import signal
import subprocess

from home import Failed, Skip, check, main


def write(phone, name, text):
    with open(os.path.join(phone.folder, name), "w", encoding="utf-8") as f:
        f.write(text)


def test_reload(lab):
    """what it changes is told, counts at once, and this run's own values stay"""
    os.makedirs(lab.path("phone.d"))
    with open(lab.path("phone.d/offhook.conf"), "w", encoding="utf-8") as f:
        f.write("# mine\nmax-calls = 5\nring-timeout = 1m\n")
    phone = lab.offhook("-s", "ring-timeout=9s", "-a", "sip:own@127.0.0.1:9;register=no;name=own", audio="null",
                        name="phone").ready()
    shown = {o["name"]: o for o in phone.command("config show")["options"]}
    check(shown["max-calls"]["origin"] == "offhook.conf:2" and shown["ring-timeout"]["origin"] == "--set" and
          shown["codecs"]["origin"] == "default", "%s", shown)
    check(phone.command("config reload")["changes"] == [{"what": "option", "name": "ring-timeout", "change":
          "kept for this run", "old": "9s", "new": "1m"}], "nothing to change")
    write(phone, "offhook.conf", "max-calls = 7\nuser-agent = me\n")
    write(phone, "accounts", "[work]\nuri = sip:work@127.0.0.1:9\nregister = no\n[home]\nuri = sip:home@127.0.0.1:9\n"
          "register = no\npassword = geheim\n")
    r = phone.command("config reload")
    rows = {(c["what"], c["name"], c["change"]) for c in r["changes"]}
    check(rows >= {("option", "max-calls", "changed"), ("option", "user-agent", "from the next start"),
                   ("account", "work", "added"), ("account", "home", "added")}, "%s", rows)
    check("geheim" not in str(r), "a password is shown")
    check({a["name"] for a in phone.command("accounts")["accounts"]} == {"own", "work", "home"}, "accounts")
    write(phone, "accounts", "[work]\nuri = sip:work2@127.0.0.1:9\nregister = no\n")
    rows = {(c["name"], c["change"]) for c in phone.command("config reload")["changes"]}
    check(rows == {("work", "changed"), ("home", "removed")}, "%s", rows)
    aors = {a["name"]: a["aor"] for a in phone.command("accounts")["accounts"]}
    check(set(aors) == {"own", "work"} and "work2" in aors["work"], "%s", aors)
    for name, text in (("offhook.conf", "max-calls = 8\nfrob = 1\n"), ("accounts", "[work]\n")):
        write(phone, name, text)
        r = phone.reply("config reload")
        check(r["error"] == "bad-config" and name in r["text"], "%s", r)
        r = phone.reply("config check")
        check(r["error"] == "bad-config" and name in r["text"], "%s", r)
        write(phone, name, "")
        phone.command("set max-calls 7")
    check(phone.command("show max-calls")["options"][0]["value"] == "7", "half a reload")


def test_check(lab):
    """each file, with its line"""
    phone = lab.offhook(audio="null").ready()
    for name, text, line in (("offhook.conf", "\nmax-calls = x\n", 2), ("accounts", "[a]\nuri = sip:a@b\nfrob = 1\n", 3),
                             ("contacts", "a = sip:a@b\nb\n", 2), ("dialplan", "# x\n0( = 1\n", 2)):
        write(phone, name, text)
        r = phone.reply("config check")
        check(r["error"] == "bad-config" and name in r["text"] and str(line) in r["text"], "%s", r)
        write(phone, name, "")
    phone.command("config check")


def killed(lab, n, folder, *command):
    """run a command that is killed at its n-th such call on the folder -> did
    it get that far?"""
    r = subprocess.run([os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "kill-at"), str(n), folder,
                        lab.program, "-c", folder, "--new", "-q"] + list(command), capture_output=True, text=True,
                       timeout=120, env={**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder, "ASAN_OPTIONS":
                                         "detect_leaks=0"})
    if r.returncode == 77:
        raise Skip(r.stderr.strip())
    check(r.returncode in (0, 137), "%d %s%s", r.returncode, r.stdout, r.stderr)
    return r.returncode == 137


def test_crash(lab):
    """killed at each step of writing: the file is the old one or the new one"""
    old = "# my people\nann = sip:ann@example.com  # note\n"
    new = old + "bob = sip:bob@example.com;note=%s\n" % ("x" * 100)
    folder = lab.path("f")
    os.makedirs(folder)
    path = os.path.join(folder, "contacts")
    seen = set()
    for n in range(1, 60):
        for f in os.listdir(folder):
            if f.startswith("contacts"):
                os.unlink(os.path.join(folder, f))
        with open(path, "w", encoding="utf-8") as f:
            f.write(old)
        far = killed(lab, n, folder, "contact", "add", "bob", "sip:bob@example.com", "--note", "x" * 100)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        check(text in (old, new), "after %d steps: %r", n, text)
        seen.add(text)
        if not far:
            break
    else:
        raise Failed("it is never done")
    check(n > 5 and seen == {old, new}, "%d steps, %d states", n, len(seen))


def test_full_disk(lab):
    """no room: an error, and the old file"""
    folder = lab.path("f")
    os.makedirs(folder)
    with open(os.path.join(folder, "contacts"), "w", encoding="utf-8") as f:
        f.write("ann = sip:ann@example.com\n")
    r = subprocess.run(["sh", "-c", "ulimit -f 0; exec \"$0\" \"$@\"", lab.program, "-c", folder, "--new", "-j", "contact",
                        "add", "bob", "sip:bob@example.com"], capture_output=True, text=True, timeout=60,
                       env={**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder})
    check(r.returncode == 1 and '"ok":false' in r.stdout, "%d %s%s", r.returncode, r.stdout, r.stderr)
    check(os.listdir(folder).count("contacts") == 1, "%s", os.listdir(folder))
    with open(os.path.join(folder, "contacts"), encoding="utf-8") as f:
        check(f.read() == "ann = sip:ann@example.com\n", "the file is damaged")


if __name__ == "__main__":
    main(globals())
