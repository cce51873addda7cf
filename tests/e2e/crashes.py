#!/usr/bin/env python3
"""Killed at each step while a file is written: of what a phone keeps besides
its configuration and of what it is asked to write."""
import json
import os

from files import crash, state_of, whole
from home import check, main


def test_messages(lab):
    """a message more, or not"""
    old = "".join('{"time":"2026-01-01T00:00:%02d.000Z","direction":"in","peer":"sip:a@b","text":"x"}\n' % i for i in range(5))
    crash(lab, os.path.join(state_of(lab), "messages"), old, lambda t: t.startswith(old) and whole(t) and
          all(json.loads(x)["text"] == "hello" for x in t[len(old):].splitlines()) and t != old,
          "-s", "sip-timeout=1s", stdin="-message sip:bob@127.0.0.1:1;transport=tcp hello\nsleep 0.5\nquit\n", least=3)


def test_journal(lab):
    """what was written of it until then is read: replay makes a script of it"""
    path = lab.path("f/run.journal")

    def right(text):
        lines = text.splitlines()
        for x in lines[:-1] if lines and not text.endswith("\n") else lines:
            json.loads(x)
        # nothing of it, not even its first line, was written: there is no journal yet
        code, out, err = lab.run("--new", "-q", "replay", path)
        check(code == (0 if "\n" in text else 1), "%d %s%s of %r", code, out, err, text)
        return True
    crash(lab, "run.journal", None, right, "--journal", path, stdin="print x\n-dial sip:x@127.0.0.1:1;transport=tcp\n"
          "-wait call ended 5s\nquit\n")


def test_exports(lab):
    """what is asked for: a whole file, or the one that was there"""
    for name, command, end in (("out.vcf", "contact export %s", "END:VCARD\n"), ("out.csv", "history --export %s", "\n"),
                               ("ladder", "ladder all --to %s", "\n")):
        crash(lab, name, "old\n", lambda t: t not in (None, "", "old\n") and t.endswith(end), least=3,
              stdin="-contact add ann sip:ann@example.com\n-options sip:x@127.0.0.1:1\n%s\nquit\n" % (
                  command % lab.path("f", name)))


def test_results(lab):
    """what a monitor and a test system read"""
    crash(lab, "figures", "old\n", lambda t: t.startswith("# ") and t.endswith("# EOF\n"), "-s",
          "metrics=file:" + lab.path("f/figures"), stdin="quit\n", least=3)
    crash(lab, "junit.xml", None, lambda t: t == "" or t.endswith("</testsuites>\n"), "--junit", lab.path("f/junit.xml"),
          stdin="print x\nquit\n")


test_messages.limit = test_journal.limit = test_exports.limit = test_results.limit = 280

if __name__ == "__main__":
    main(globals())
