#!/usr/bin/env python3
"""The manual page and the shells' completions are made from the program's
tables: they are whole, and the shells and man take them."""
import json
import os
import re
import shutil
import subprocess
import sys

from home import Skip, check, exits, main, need

SHARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "share")
sys.path.insert(0, SHARE)

import papers as made   # noqa: E402 - the one there, not this file


def test_manual(lab):
    """every name of every table in its page; the pages name each other, and
    two programs that show them find nothing wrong"""
    pages = {"offhook.1": ("commands", "arguments"), "offhook-script.7": ("figures",),
             "offhook.conf.5": ("options", "accounts", "modules"), "offhook-json.7": ("events", "errors")}
    need("man", "mandoc")
    for page, whats in pages.items():
        text = made.man(lab.program, os.path.join(SHARE, page + ".in"))
        check(not re.search(r"@[a-z]+@", text), "%s: something was not filled in", page)
        for what in whats:
            for row in made.dump(lab.program, what):
                check(made.roff(row["name"]) in text, "%s: no %s %s", page, what, row["name"])
        for other in pages:
            name, _, section = other.rpartition(".")
            check(other == page or "%s (%s)" % (made.roff(name), section) in text, "%s does not name %s", page, other)
        path = lab.file(page, text)
        r = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path], capture_output=True, text=True,
                           env={**os.environ, "MANROFFSEQ": ""})
        check(r.returncode == 0 and not r.stderr, "man: %s", r.stderr)
        r = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], capture_output=True, text=True)
        check(r.returncode == 0 and not r.stdout, "mandoc: %s%s", r.stdout, r.stderr)


def complete(lab, *words):
    """what bash, in the lab's folder, would offer for the last word"""
    path = lab.file("bash", made.bash(lab.program))
    script = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _offhook; printf "%s\\n" "${COMPREPLY[@]}"'
    r = subprocess.run(["bash", "-c", script, path, "offhook"] + list(words), capture_output=True, text=True,
                       cwd=lab.dir)
    check(r.returncode == 0 and not r.stderr, "%s", r.stderr)
    return r.stdout.split()


def test_bash(lab):
    need("bash")
    check(complete(lab, "dia") == ["dial"], "dia")
    check(complete(lab, "--aut") == ["--auto-answer"], "--aut")
    check(complete(lab, "-c", "/tmp", "-q", "listen", "--ec") == ["--echo"], "listen --ec")
    check(complete(lab, "-l", "udp:127.0.0.1", "echo", "of") == ["off"], "echo of")
    check(complete(lab, "-s", "code") == ["codecs="], "-s code")
    check("selftest" in complete(lab, "help", "self"), "help self")
    here = os.path.basename(lab.file("speech.wav", ""))
    check(complete(lab, "dial", "x", "--play", "spee") == [here], "--play spee")


# a shell at a terminal, in which the Tab key is pressed: what it then shows
ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1="READY> "; fpath=('$1' $fpath); autoload -Uz compinit; compinit -u -D; zstyle ":completion:*" list-colors ""; print -r "L""OADED"'
zpty -r -m z x '*LOADED*READY> *'
zpty -w -n z "offhook $2"$'\t'
zpty -w -n z $'\C-a'"print -r 'G""OT' "$'\n'
zpty -r -m z x '*GOT*'
print -r -- $x
"""


def zsh(lab, typed):
    r = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", lab.dir, typed], capture_output=True, text=True, timeout=60,
                       env={**os.environ, "TERM": "dumb", "ZDOTDIR": lab.dir, "HOME": lab.dir})
    check(r.returncode == 0 and not r.stderr, "%s%s", r.stdout, r.stderr)
    return r.stdout


def test_zsh(lab):
    need("zsh")
    path = lab.file("_offhook", made.zsh(lab.program))
    r = subprocess.run(["zsh", "-n", path], capture_output=True, text=True)
    check(r.returncode == 0 and not r.stderr, "%s", r.stderr)
    for typed, whole in (("dia", "offhook dial "), ("--auto-ans", "--auto-answer"), ("listen --ech", "listen --echo "),
                         ("echo of", "echo off "), ("-q help selft", "help selftest ")):
        out = zsh(lab, typed)
        check(whole in out, "%s: %r", typed, out)


def test_fish(lab):
    need("fish")
    path = lab.file("offhook.fish", made.fish(lab.program))
    for typed, want in (("dia", "dial"), ("--auto-ans", "--auto-answer"), ("listen --ech", "--echo"), ("echo of", "off"),
                        ("help selft", "selftest")):
        r = subprocess.run(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", path, "offhook " + typed],
                           capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": lab.dir})
        check(r.returncode == 0 and not r.stderr, "%s", r.stderr)
        check([x.split("\t")[0] for x in r.stdout.splitlines()] == [want], "%s: %r", typed, r.stdout)


def test_changes(lab):
    """what is new in this version is told"""
    _, out, _ = exits(lab.run("--version"), 0)
    with open(os.path.join(SHARE, os.pardir, "CHANGES.md"), encoding="utf-8") as f:
        check(re.search(r"^## %s\b" % re.escape(out.split()[1]), f.read(), re.M), "no %s", out.split()[1])


def test_installed(lab):
    """what the program looks for, and what it is read about in, is there"""
    need("meson")
    build = os.path.dirname(os.path.dirname(lab.program))
    if not os.path.exists(os.path.join(build, "build.ninja")):
        raise Skip("%s is no build folder" % build)
    r = subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", lab.path("root")],
                       capture_output=True, text=True)
    check(r.returncode == 0, "%s%s", r.stdout, r.stderr)
    there = {os.path.relpath(os.path.join(d, f), lab.path("root")) for d, _, files in os.walk(lab.path("root"))
             for f in files}
    for end in ("bin/offhook", "man1/offhook.1", "man5/offhook.conf.5", "man7/offhook-script.7", "man7/offhook-json.7",
                "completions/offhook", "site-functions/_offhook", "vendor_completions.d/offhook.fish",
                "offhook/offhook.schema.json", "applications/offhook.desktop", "offhook/offhook.conf", "offhook/sounds/speech.wav",
                "offhook/sounds/README.md", "user/offhook.service"):
        check(any(x.endswith(end) for x in there), "no %s in %s", end, sorted(there))


def test_default_configuration(lab):
    """what --dump config prints is read back as it is, and says all"""
    _, text, _ = exits(lab.run("--dump", "config"), 0)
    folder = lab.path("conf")
    os.makedirs(folder)
    with open(os.path.join(folder, "offhook.conf"), "w", encoding="utf-8") as f:
        f.write(text)
    exits(lab.run("-c", folder, "config", "check"), 0)
    for o in made.dump(lab.program, "options"):
        check(o["name"] in text, "no %s in the default configuration", o["name"])


def test_help(lab):
    _, text, _ = exits(lab.run("--help"), 0)
    for row in made.dump(lab.program, "arguments") + made.dump(lab.program, "commands"):
        check(row["name"] in text, "no %s in --help", row["name"])
    check(max(len(x) for x in text.splitlines()) <= 80, "a line of --help is too long")
    for c in made.dump(lab.program, "commands"):
        _, text, _ = exits(lab.run("-h", c["name"]), 0)
        check(c["usage"].split()[0] in text and c["summary"] in text, "%s: %s", c["name"], text)
        _, reply, _ = exits(lab.run("--json", "help", c["name"]), 0)
        check(json.loads(reply.splitlines()[0])["ok"], "help %s", c["name"])
    exits(lab.run("--version"), 0)


if __name__ == "__main__":
    main(globals())
