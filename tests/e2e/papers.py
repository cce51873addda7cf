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
    text = made.man(lab.program, os.path.join(SHARE, "offhook.1.in"))
    check(not re.search(r"@[a-z]+@", text), "something was not filled in")
    for what in ("commands", "events", "options", "accounts", "arguments", "figures", "errors"):
        for row in made.dump(lab.program, what):
            check(made.roff(row["name"]) in text, "%s: no %s", what, row["name"])
    need("man")
    r = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", lab.file("offhook.1", text)],
                       capture_output=True, text=True, env={**os.environ, "MANROFFSEQ": ""})
    check(r.returncode == 0 and not r.stderr, "man: %s", r.stderr)


def complete(lab, *words):
    """what bash would offer for the last word"""
    path = lab.file("bash", made.bash(lab.program))
    script = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _offhook; printf "%s\\n" "${COMPREPLY[@]}"'
    r = subprocess.run(["bash", "-c", script, path, "offhook"] + list(words), capture_output=True, text=True)
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
    os.chdir(lab.dir)
    check(complete(lab, "dial", "x", "--play", "spee") == [here], "--play spee")


def syntax(lab, shell):
    if not shutil.which(shell):
        raise Skip("%s is not installed" % shell)
    r = subprocess.run([shell, "-n", lab.file(shell, getattr(made, shell)(lab.program))], capture_output=True, text=True)
    check(r.returncode == 0 and not r.stderr, "%s", r.stderr)


def test_zsh(lab):
    syntax(lab, "zsh")


def test_fish(lab):
    syntax(lab, "fish")


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
    for end in ("bin/offhook", "man1/offhook.1", "offhook/offhook.conf", "offhook/sounds/speech.wav",
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
