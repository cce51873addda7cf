#!/usr/bin/env python3
"""Passwords that a command prints, while the phone runs: asked for without a
terminal, waited for by nobody else, and written nowhere."""
import hashlib
import os
import re
import time

from home import check, main, ports
from control import Phone, start
from screen import Screen, registrar


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def proves(seen, password, timeout=20):
    """a REGISTER came that proves this password"""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        for text in list(seen):
            m = re.search(r"^Authorization: Digest (.*)$", text, re.M)
            v = dict(re.findall(r'(\w+)="?([^",\r]*)', m.group(1))) if m else {}
            if v and v["response"] == md5("%s:%s:%s" % (md5("%s:%s:%s" % (v["username"], v["realm"], password)), v["nonce"],
                                                       md5("REGISTER:" + v["uri"]))):
                return True
        time.sleep(0.05)
    return False


def quiet(lab, phone, *secrets):
    """no file that the phone wrote and no line of it holds one"""
    texts = ["\n".join(phone.lines), phone.stderr()]
    for folder in (phone.folder, lab.path("state"), lab.path(".local")):
        for base, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(base, name), "rb") as f:
                    texts.append(f.read().decode("utf-8", "replace"))
    for secret in secrets:
        check(not any(secret in text for text in texts), "%s was told or written", secret)


def test_add(lab):
    """the account registers with what the command prints; the file names the command, whatever is saved later"""
    sock, seen = registrar(ports(1))
    server = sock.getsockname()[1]
    first, other = lab.file("first", "geheim1\nmore\n"), lab.file("other", "geheim2")
    phone = lab.offhook().ready()
    phone.command("account add 'sip:alice@127.0.0.1:%d;name=a;password-command=cat%%20%s' --save" % (server, first), 30)
    check(proves(seen, "geheim1"), "not proved:\n%s", seen[-1:])
    phone.command("account set a expires=90 --save")
    with open(os.path.join(phone.folder, "accounts"), encoding="utf-8") as f:
        text = f.read()
    check("password-command = cat %s\n" % first in text and "expires = 90" in text and "password = " not in text, "%s", text)
    # another command: another password, at once
    phone.command("account set a 'password-command=cat %s'" % other, 30)
    check(proves(seen, "geheim2"), "not proved:\n%s", seen[-1:])
    quiet(lab, phone, "geheim1", "geheim2")
    sock.close()


def test_wrong(lab):
    """what goes wrong with it is told, and changes nothing"""
    phone = lab.offhook().ready()
    phone.command("account add 'sip:a@127.0.0.1:9;name=a;register=no;password=x'")
    for command, text in (("exit%203", "it failed with exit code 3"), ("true", "it printed nothing"),
                          ("echo%3B%20echo%20geheim3", "it printed nothing"),
                          ("printf%20%25300s%20geheim3", "its first line is longer than 255 bytes")):
        r = phone.reply("account add 'sip:b@127.0.0.1:9;name=b;register=no;password-command=%s'" % command, 30)
        check(r.get("error") == "bad-account" and text in r["text"], "%s: %s", command, r)
    r = phone.reply("account set a 'password-command=false'", 30)
    check(r["error"] == "bad-argument" and "both give the password" in r["text"], "%s", r)
    # one that never ends by itself has told enough
    phone.command("account add 'sip:c@127.0.0.1:9;name=c;register=no;password-command=yes'", 30)
    phone.command("account add 'sip:d@127.0.0.1:9;name=d;register=no;password-command=echo%20x%3B%20sleep%201000'", 30)
    r = phone.reply("account set c password-command=false", 30)
    check(r["error"] == "bad-account" and "exit code 1" in r["text"], "%s", r)
    check([a["name"] for a in phone.command("accounts")["accounts"]] == ["a", "c", "d"], "accounts")
    quiet(lab, phone, "geheim3")


def until(test, what, timeout=20):
    end = time.monotonic() + timeout
    while not test():
        check(time.monotonic() < end, "%s", what)
        time.sleep(0.02)


def gone(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_slow(lab):
    """only the line that asked waits; a phone that ends takes the command along"""
    phone = start(lab)
    pipe, note = lab.path("pipe"), lab.path("pid")
    os.mkfifo(pipe)
    line = "account add 'sip:%s@127.0.0.1:9;name=%s;register=no;password-command=%s'"
    ask = lab.file("ask.sh", "echo $$ > %s\ncat %s\n" % (note, pipe))
    with Phone(phone.path) as p:
        phone.say(line % ("a", "a", "exec%20sh%20" + ask))
        until(lambda: os.path.exists(note) and open(note, encoding="ascii").read().endswith("\n"), "the command did not run")
        check(p("accounts")["accounts"] == [], "added before the password is there")
        with open(pipe, "w", encoding="ascii") as f:
            f.write("geheim4\n")
        until(lambda: len(p("accounts")["accounts"]) == 1, "not added")
        os.unlink(note)
        phone.say(line % ("b", "b", "exec%20sh%20" + ask))
        until(lambda: os.path.exists(note) and open(note, encoding="ascii").read().endswith("\n"), "the command did not run")
    with open(note, encoding="ascii") as f:
        pid = int(f.read())
    check(not gone(pid), "it has ended")
    phone.quit()
    check(phone.exit() == 143, "exit code %d", phone.exit())
    until(lambda: gone(pid), "the command still runs")
    quiet(lab, phone, "geheim4")


def test_reload(lab):
    """accounts of the file that are new, or have another command, get their password; one that is known is not asked for"""
    sock, seen = registrar(ports(1))
    phone = lab.offhook().ready()
    secret, runs = lab.file("secret", "geheim5\n"), lab.path("runs")
    ask = lab.file("ask.sh", "echo x >> %s\ncat %s\n" % (runs, secret))

    def reload(command, expires):
        with open(os.path.join(phone.folder, "accounts"), "w", encoding="utf-8") as f:
            f.write("[work]\nuri = sip:alice@127.0.0.1:%d\npassword-command = %s\nexpires = %d\n[home]\n"
                    "uri = sip:h@127.0.0.1:9\nregister = no\n" % (sock.getsockname()[1], command, expires))
        return {c["name"]: c["change"] for c in phone.command("config reload", 30)["changes"]}
    check(reload("false", 60) == {"work": "not added: password-command: it failed with exit code 1", "home": "added"}, "reload")
    check(reload("sh " + ask, 60) == {"work": "added"}, "reload")
    check(proves(seen, "geheim5"), "not proved:\n%s", seen[-1:])
    check(reload("sh " + ask, 60) == {}, "reload")
    check(reload("sh " + ask, 120) == {"work": "changed"}, "reload")
    check(reload("false", 120) == {"work": "not changed: password-command: it failed with exit code 1"}, "reload")
    with open(runs, encoding="ascii") as f:
        check(f.read() == "x\n", "it was asked for more than once")
    quiet(lab, phone, "geheim5")
    sock.close()


def test_screen(lab):
    """typed on the screen: the command finds no terminal to ask at, and cannot spoil the screen"""
    secret = lab.file("secret", "geheim6\n")
    ask = lab.file("ask.sh", "test -z \"$GPG_TTY\" || exit 3\n(exec 3</dev/tty) 2>/dev/null && exit 4\nread x && exit 5\n"
                             "echo complains >&2\ncat %s\n" % secret)
    s = Screen(lab, env={"GPG_TTY": "/dev/pts/0"})
    s.keys(":")
    s.type("account add 'sip:zoe@127.0.0.1:9;register=no;password-command=sh%%20%s'" % ask)
    s.keys("Enter")
    s.wait(r"^ offhook +. zoe@127\.0\.0\.1")
    check("complains" not in s.text() and "geheim6" not in s.text(), "%s", s.text())
    s.keys("q")
    s.wait(r". quit")
    s.keys("Enter")
    check(s.ended() == 0, "exit code")
    check(not os.popen("grep -rl geheim6 %s" % lab.path("state")).read(), "the password is in a log or a history")


if __name__ == "__main__":
    main(globals())
