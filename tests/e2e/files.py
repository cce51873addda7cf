#!/usr/bin/env python3
"""The phone's files: checked, shown with where each value comes from, read
again while it runs; and whole whatever happens while they are written."""
import fcntl
import json
import os
import subprocess

from home import Failed, Skip, check, main, ports


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
    two = phone.command("config show ring-timeout max-calls")["options"]
    check({o["name"] for o in two} == {"ring-timeout", "max-calls"} and shown["max-calls"] in two, "%s", two)
    check(phone.reply("config reload max-calls")["error"] == "too-many-arguments", "reload of one")
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


def killed(lab, n, folder, *command, stdin=""):
    """run a command that is killed at its n-th such call on the folder -> did
    it get that far?"""
    r = subprocess.run([os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "kill-at"), str(n), folder,
                        lab.program, "-c", folder, "--new", "-q", "-l", "127.0.0.1", "-A", "null"] + list(command),
                       input=stdin, capture_output=True, text=True, timeout=120,
                       env={**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder,
                            "ASAN_OPTIONS": "detect_leaks=0"})
    if r.returncode == 77:
        raise Skip(r.stderr.strip())
    check(r.returncode in (0, 9, 137), "%d %s%s", r.returncode, r.stdout, r.stderr)
    return r.returncode == 137


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def crash(lab, name, old, right, *command, stdin="", least=5):
    """killed at each step that concerns the folder: the file is the old one or
    a right one; both are seen, and the next run does what this one did not"""
    folder = lab.path("f")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    seen = set()
    for n in range(1, 80):
        for base, _, files in os.walk(folder):
            for f in files:
                os.unlink(os.path.join(base, f))
        if old is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(old)
            os.chmod(path, 0o600)
        far = killed(lab, n, folder, *command, stdin=stdin)
        text = read(path)
        check(text == old or right(text), "after %d steps: %r", n, text)
        seen.add(text == old)
        if not far:
            break
    else:
        raise Failed("it is never done")
    check(n > least and seen == {True, False}, "%d steps, seen %s", n, seen)


def test_crash_contacts(lab):
    old = "# my people\nann = sip:ann@example.com  # note\n"
    crash(lab, "contacts", old, lambda t: t == old + "bob = sip:bob@example.com;note=%s\n" % ("x" * 100), "contact", "add", "bob",
          "sip:bob@example.com", "--note", "x" * 100)


def test_crash_accounts(lab):
    old = "# mine\n[work]   # here\nuri = sip:work@127.0.0.1:9\nregister = no\npassword = \"a b\"\n"
    crash(lab, "accounts", old, lambda t: t.startswith(old) and "\n[bob]\nuri = sip:bob@127.0.0.1:9\n" in t and
          t.endswith("\n"), "account", "add", "sip:bob@127.0.0.1:9;register=no;name=bob", "--save")


def test_crash_options(lab):
    old = "# mine\nmax-calls = 5   # no more\n\n# end\n"
    crash(lab, "offhook.conf", old, lambda t: t == old.replace("= 5", "= 7"),
          stdin="set max-calls 7\nconfig save\nquit\n")


def test_crash_token(lab):
    """the key of the control socket: none, or a whole one"""
    crash(lab, "control-token", None, lambda t: len(t) == 49 and t[-1] == "\n" and all(c in "0123456789abcdef" for c in t[:-1]),
          "-s", "control-tcp=%d" % ports(1), stdin="quit\n")


def state_of(lab):
    """where a phone with that folder keeps its state, from a run of it"""
    folder = lab.path("f")
    os.makedirs(folder)
    subprocess.run([lab.program, "-c", folder, "--new", "-q", "-l", "tcp:127.0.0.1", "-A", "null", "dial",
                    "sip:x@127.0.0.1:1;transport=tcp"], capture_output=True, timeout=60,
                   env={**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder})
    for base, _, files in os.walk(folder):
        if "history" in files:
            return os.path.relpath(base, folder)
    raise Failed("no history in %s" % list(os.walk(folder)))


def whole(text):
    """each line is one object"""
    return text.endswith("\n") and all(isinstance(json.loads(x), dict) for x in text.splitlines())


def test_crash_history(lab):
    """a line more, or not; older ones stay"""
    old = "".join('{"time":"2026-01-01T00:00:%02d.000Z","direction":"out","peer":"sip:a@b"}\n' % i for i in range(5))
    crash(lab, os.path.join(state_of(lab), "history"), old, lambda t: t.startswith(old) and whole(t) and
          len(t.splitlines()) == 6, "dial", "sip:x@127.0.0.1:1;transport=tcp", least=3)


def test_crash_history_shortened(lab):
    """far too many: the last ones take the place of all, or do not"""
    old = "".join('{"time":"2026-01-01T00:00:00.000Z","direction":"out","peer":"sip:a%d@b"}\n' % i for i in range(60))
    crash(lab, os.path.join(state_of(lab), "history"), old, lambda t: whole(t) and old.endswith(t) and
          len(t.splitlines()) == 10, "-s", "history-max=10", "history")


def test_crash_outbox(lab):
    """what waits to be sent is there, or not yet; never a part of it"""
    crash(lab, os.path.join(state_of(lab), "outbox"), None, lambda t: whole(t) and json.loads(t)["text"] == "hello",
          "-s", "sip-timeout=1s", stdin="-message sip:bob@127.0.0.1:1;transport=tcp hello\nsleep 0.5\nquit\n")


def test_save(lab):
    """what was set is written where it is asked for, comments and order stay;
    what only this run was told is not"""
    phone = lab.offhook("-s", "ring-timeout=9s", audio="null").ready()
    write(phone, "offhook.conf", "# mine\nmax-calls = 5   # no more\ncodecs = pcmu\n")
    phone.command("config reload")
    phone.command("set max-calls 7")
    r = phone.command("config save max-calls")
    check(r["options"] == [{"name": "max-calls", "value": "7"}], "%s", r)
    check(read(os.path.join(phone.folder, "offhook.conf")) == "# mine\nmax-calls = 7   # no more\ncodecs = pcmu\n", "one")
    phone.command("set jitter-max 300ms")
    phone.command("set user-agent 'my phone # 1'")
    phone.command("config save")
    check(read(os.path.join(phone.folder, "offhook.conf")) == "# mine\nmax-calls = 7   # no more\ncodecs = pcmu\n"
          "jitter-max = 300ms\nuser-agent = \"my phone # 1\"\n", "%s", read(os.path.join(phone.folder, "offhook.conf")))
    phone.command("config check")
    write(phone, "offhook.conf", "max-calls = 5\nfrob = 1\n")
    phone.command("set max-calls 8")
    r = phone.reply("config save max-calls")
    check(not r["ok"] and "frob" in r["text"], "%s", r)
    check(read(os.path.join(phone.folder, "offhook.conf")) == "max-calls = 5\nfrob = 1\n", "a file with a mistake is written")


def test_two_phones(lab):
    """many write one file at once: what each has written is there"""
    folder = lab.path("f")
    os.makedirs(folder)
    env = {**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder}
    all_ = [subprocess.Popen([lab.program, "-c", folder, "--new", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, env=env) for _ in range(3)]
    for k, p in enumerate(all_):
        p.stdin.write("".join("contact add n%d-%d sip:a@b\nset %s 300\nconfig save\n" % (
            k, i, ("max-calls", "history-max", "messages-max")[k]) for i in range(8)) + "quit\n")
        p.stdin.flush()
    for p in all_:
        out, _ = p.communicate(timeout=80)
        check(p.returncode == 0, "%d %s", p.returncode, out)
    names = {x.split(" ")[0] for x in read(os.path.join(folder, "contacts")).splitlines()}
    check(names == {"n%d-%d" % (k, i) for k in range(3) for i in range(8)}, "%s", sorted(names))
    check(sorted(read(os.path.join(folder, "offhook.conf")).split()) == sorted(
        "max-calls = 300 history-max = 300 messages-max = 300".split()), "%s", read(os.path.join(folder, "offhook.conf")))


def test_locked(lab):
    """one that holds on to it for long: an error, soon, and nothing is written"""
    phone = lab.offhook(audio="null").ready()
    with open(os.path.join(phone.folder, ".lock"), "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        r = phone.reply("contact add bob sip:b@c")
        check(r["error"] == "busy" and "another phone" in r["text"], "%s", r)
        check(read(os.path.join(phone.folder, "contacts")) is None, "it is written")
    phone.command("contact add bob sip:b@c")


def test_read_only(lab):
    """a folder nobody may write: an error for what would write, nothing else"""
    folder = lab.path("f")
    os.makedirs(folder)
    with open(os.path.join(folder, "contacts"), "w", encoding="utf-8") as f:
        f.write("ann = sip:ann@example.com\n")
    os.chmod(folder, 0o500)
    who = {} if os.geteuid() else {"user": 65534, "group": 65534, "extra_groups": []}
    if who:
        for p in (lab.dir, folder):
            os.chown(p, 65534, 65534)
    r = subprocess.run([lab.program, "-c", folder, "--new", "-j", "-l", "udp:127.0.0.1", "-A", "null"], text=True, timeout=60,
                       input="-contact add bob sip:b@c\nset max-calls 3\n-config save\n-account add sip:a@b;register=no --save\n"
                       "contacts\nquit\n", capture_output=True, env={**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder},
                       **who)
    os.chmod(folder, 0o700)
    got = [json.loads(x) for x in r.stdout.splitlines() if '"reply"' in x]
    check([o.get("error") for o in got[:3]] == ["no-access", None, "no-access"], "%s %s", got, r.stderr)
    check(got[4]["ok"] and got[4]["contacts"][0]["name"] == "ann", "%s", got)
    check(os.listdir(folder) == ["contacts"], "%s", os.listdir(folder))


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
