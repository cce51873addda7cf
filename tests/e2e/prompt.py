#!/usr/bin/env python3
"""The prompt (--plain): what is half typed stays, whatever happens; editing,
history and Tab; the terminal is put back."""
import os
import signal
import time

from home import check, main, ports
from lab import wait_port
from terminal import Terminal

CONTACTS = "Bob Smith = sip:bob@x.example\nBobby = sip:bobby@x.example\nZoë = sip:zoe@x.example\n"


class Prompt(Terminal):
    """offhook --plain on a terminal, listening on loopback"""

    def __init__(self, lab, *args, **kw):
        self.port = ports(1)
        self.uri = "sip:me@127.0.0.1:%d" % self.port
        os.makedirs(lab.path("conf.d"), exist_ok=True)
        lab.file("conf.d/contacts", CONTACTS)
        super().__init__(lab, [], **kw)
        self.start(*args)

    def start(self, *args):
        self.run([self.lab.program, "-c", self.lab.path("conf.d"), "-A", "null", "-l", "udp:127.0.0.1:%d" % self.port,
                  "--plain", *args])
        self.wait(r"^offhook> ?$")
        wait_port("127.0.0.1", self.port)

    def last(self):
        """the row that is typed in"""
        return [r for r in self.rows() if r.strip()][-1].rstrip()

    def until(self, text):
        end = time.monotonic() + 20
        while self.last() != text:
            check(time.monotonic() < end, "the last row is not %r\n%s", text, self.text())
            time.sleep(0.05)


def echoes(s):
    """the shell has its terminal as it was: what is typed is seen, lines are lines"""
    s.type("clear")
    s.keys("Enter")
    s.wait(r"offhook|grep|clear", gone=True)
    s.type("stty -a | tr ' ' '\\n' | grep -cx -e icanon -e echo")
    s.keys("Enter")
    s.wait(r"grep -cx")
    s.wait(r"^2$")


def test_news(lab):
    """a call comes and goes while somebody types: told above, and nothing of the line is lost"""
    peer = lab.offhook().ready()
    s = Prompt(lab)
    s.type("print half a li")
    s.until("offhook> print half a li")
    peer.command("dial " + s.uri)
    s.wait(r"^call 1 incoming")
    s.until("offhook> print half a li")
    # the cursor stands where it stood
    s.keys("Left", "Left")
    peer.command("hangup")
    s.wait(r"^call 1 ended")
    s.until("offhook> print half a li")
    s.type("nice ")
    s.until("offhook> print half a nice li")
    s.keys("End")
    s.type("ne")
    s.keys("Enter")
    s.wait(r"^half a nice line$")
    check(s.text().count("print half") == 1, "a row stands there twice\n%s", s.text())
    s.type("quit")
    s.keys("Enter")
    check(s.ended() == 0, "exit code\n%s", s.text())
    echoes(s)


def test_log(lab):
    """lines of the log and SIP messages go above it as well"""
    peer = lab.offhook().ready()
    s = Prompt(lab, "-vv", "--trace", size=(100, 60))
    s.wait(r"^offhook> ?$")
    s.type("print half a li")
    s.until("offhook> print half a li")
    peer.command("options " + s.uri)
    s.wait(r"^SIP/2\.0 200 OK|^ +SIP/2\.0 200 OK|\| SIP/2\.0 200 OK")
    s.until("offhook> print half a li")
    for row in s.rows():
        check("offhook>" not in row or row.rstrip() == "offhook> print half a li", "a row is spoilt\n%s", s.text())
    s.type("ne")
    s.keys("Enter")
    s.wait(r"^half a line$")
    s.keys("C-d")
    check(s.ended() == 0, "exit code")


def test_editing(lab):
    """keys of a line, one that is longer than the row, wide characters; history, also of the run before"""
    s = Prompt(lab)
    s.type("print eins zwei")
    s.keys("C-w")
    s.type("日本")
    s.keys("Left", "BSpace")
    s.until("offhook> print eins 本")
    s.keys("C-a")
    s.type("x")
    s.until("offhook> xprint eins 本")
    s.keys("C-d", "Left", "Right", "BSpace")
    s.keys("C-e")
    s.keys("Enter")
    s.wait(r"^error: unknown-command|^eins 本$|there is no command")
    s.type("print " + "0123456789" * 12)
    s.wait(r"^offhook> \d{60,}")
    check(s.last().endswith("0123456789") and len(s.last()) < 80, "%s", s.text())
    s.keys("Home")
    s.wait(r"^offhook> print 0123456789")
    s.keys("Enter")
    s.wait(r"^(0123456789){8}$")
    s.keys("Up", "Up")
    s.keys("C-u")
    s.type("print last one")
    s.keys("Enter")
    s.wait(r"^last one$")
    s.keys("C-d")
    check(s.ended() == 0, "exit code")
    s.start()
    s.keys("Up")
    s.until("offhook> print last one")
    s.keys("Escape")
    s.until("offhook>")


def test_completion(lab):
    """Tab: one that fits is taken, several are listed, what is expected is told"""
    s = Prompt(lab)
    s.type("acco")
    s.keys("Tab")
    s.until("offhook> account")
    s.keys("C-u")
    s.type("dial bo")
    s.keys("Tab")
    s.wait(r"^  'Bob Smith' +sip:bob@x\.example +contact$")
    s.wait(r"^  Bobby +sip:bobby@x\.example +contact$")
    s.until("offhook> dial bo")
    s.keys("Tab")
    s.until("offhook> dial 'Bob Smith'")
    s.keys("C-u")
    s.type("dial zo")
    s.keys("Tab")
    s.until("offhook> dial Zoë")
    s.keys("C-u")


def test_back(lab):
    """Ctrl-Z and fg; end of input; however it ends, the terminal is put back"""
    s = Prompt(lab, env={"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:detect_leaks=0"})
    s.type("print he")
    s.until("offhook> print he")
    s.keys("C-z")
    s.wait(r"^\$ ?$")
    echoes(s)
    s.type("fg")
    s.keys("Enter")
    s.wait(r"^offhook> print he$")
    s.type("re")
    s.keys("Enter")
    s.wait(r"^here$")
    s.keys("C-d")
    s.wait(r"^\$ ?$")
    echoes(s)
    for sig in (signal.SIGTERM, signal.SIGSEGV):
        s.start()
        s.type("half")
        s.wait(r"^offhook> half$")
        os.kill(s.pid(), sig)
        s.wait(r"<exit %d>" % (0 if sig == signal.SIGTERM else 128 + sig))
        echoes(s)


if __name__ == "__main__":
    main(globals())
