#!/usr/bin/env python3
"""The phone on the screen, in a real terminal: what a person sees and types."""
import os
import re
import signal
import socket
import threading
import time
import unicodedata
import wave

from home import Failed, check, main, ports
import sound
from lab import wait_port
from names import Dns
from peers import Baresip
from terminal import PICTURES, Terminal


class Screen(Terminal):
    """offhook on a terminal, listening on loopback"""

    def __init__(self, lab, *args, size=(80, 24), audio="tone:440", wait=True, first=False, **kw):
        self.port = ports(1)
        self.uri = "sip:me@127.0.0.1:%d" % self.port
        os.makedirs(lab.path("conf.d"), exist_ok=True)
        if not first and not os.path.exists(lab.path("conf.d", "accounts")):
            lab.file("conf.d/accounts", "# none\n")
        super().__init__(lab, [lab.program, "-c", lab.path("conf.d"), "-A", audio, "-l", "udp:127.0.0.1:%d" % self.port]
                         + list(args), size=size, **kw)
        if wait:
            self.wait(r"^ offhook ")
            wait_port("127.0.0.1", self.port)

    def dial(self, uri):
        self.keys("d")
        self.wait(r"dial")
        self.type(uri)
        self.keys("Enter")

    def quit(self):
        self.keys("q")
        self.wait(r". quit")
        self.keys("Enter")
        return self.ended()


def columns(row):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in row.rstrip())


def invite(screen, name, user="eve", host="127.0.0.1", extra=""):
    """one INVITE by hand; the socket it came from"""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 0))
    port = s.getsockname()[1]
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    text = ("INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bKx%d;rport\r\nMax-Forwards: 70\r\n"
            "From: %s<sip:%s@%s:%d>;tag=1\r\nTo: <%s>\r\nCall-ID: c%d\r\nCSeq: 1 INVITE\r\n"
            "Contact: <sip:%s@%s:%d>\r\n%sContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n"
            % (screen.uri, host, port, port, name, user, host, port, screen.uri, port, user, host, port, extra, len(sdp)))
    s.sendto(text.encode() + sdp.encode(), ("127.0.0.1", screen.port))
    return s


def answer_code(sock, timeout=10):
    """final status that came back"""
    sock.settimeout(timeout)
    while True:
        m = re.match(rb"SIP/2.0 (\d+)", sock.recv(65536))
        if m and int(m.group(1)) >= 200:
            return int(m.group(1))


def test_home(lab):
    """without any configuration: it opens, says how one is reached, and leaves"""
    s = Screen(lab)
    s.wait(r"no account; you can be called at sip:\S+@127\.0\.0\.1:%d" % s.port)
    s.wait(r"\? help")
    s.picture("first")
    code = s.quit()
    check(code == 0, "exit code %d\n%s", code, s.text())
    # the terminal is as it was
    s.type("echo a''b")
    s.keys("Enter")
    s.wait(r"^ab$")


def test_dial(lab):
    """by typing; keys, hold, mute, hang up"""
    peer = lab.offhook("--auto-answer", audio="tone:1000").ready()
    s = Screen(lab)
    s.dial(peer.uri)
    s.wait(r"ACTIVE +0:0[1-9]")
    s.wait(r"opus 48k")
    s.keys("5")
    s.keys("#")
    s.wait(r"sent 5#")
    peer.event("call.dtmf", digit="5")
    peer.event("call.dtmf", digit="#")
    s.wait(r"you +\S+ +-\d+ dB +them +\S+ +-\d+ dB")
    s.wait(r"mos 4\.\d good")
    s.picture("home-call")
    s.keys("x")
    s.wait(r"HELD by us")
    peer.event("call.hold", remote=True)
    s.wait(r"x resume")
    s.keys("x")
    s.wait(r"ACTIVE")
    s.keys("u")
    s.wait(r"MUTED")
    s.keys("u")
    s.wait(r"MUTED", gone=True)
    s.keys("n")
    s.wait(r"noise-suppress is off now")
    s.keys("n")
    s.wait(r"noise-suppress is on now")
    s.keys("i")
    s.wait(r"codec +opus at 48000 Hz")
    s.wait(r"path +127\.0\.0\.1:\d+")
    s.wait(r"The sound has been good")
    s.picture("call")
    s.keys("h")
    s.wait(r"There is no call")
    peer.event("call.state", state="ended")
    s.keys("Escape")
    s.wait(r"no calls")


def test_incoming(lab):
    """the box asks; one key answers, another rejects"""
    peer = lab.offhook(audio="tone:1000").ready()
    s = Screen(lab)
    peer.command("dial " + s.uri)
    s.wait(r"INCOMING CALL")
    s.wait(r"\[a\] answer +\[r\] reject +\[b\] busy +\[f\] redirect +\[s\] hush")
    s.picture("incoming")
    s.press("a", r"ACTIVE")
    peer.event("call.state", state="active")
    # a second one while talking: call waiting
    other = lab.offhook(name="other").ready()
    other.command("dial " + s.uri)
    s.wait(r"INCOMING CALL")
    s.press("b", r"INCOMING CALL", gone=True)
    e = other.event("call.state", state="ended")
    check(e["code"] == 486, "%s", e)
    other.command("dial " + s.uri)
    s.wait(r"INCOMING CALL")
    s.press("s", r"INCOMING CALL", gone=True)
    s.wait(r"INCOMING")
    # the one that was put away is still there, and can be answered
    s.keys("Enter")
    s.wait(r"INCOMING CALL")
    s.press("r", r"INCOMING", gone=True)
    e = other.event("call.state", state="ended")
    check(e["code"] in (480, 603), "%s", e)


def test_redirect(lab):
    """the caller is sent elsewhere"""
    peer, third = lab.offhook().ready(), lab.offhook("--auto-answer", name="third").ready()
    s = Screen(lab)
    peer.command("dial " + s.uri)
    s.wait(r"INCOMING CALL")
    s.press("f", r"redirect --call 1 ")
    s.type(third.uri)
    s.keys("Enter")
    peer.event("call.redirect", state="followed")
    peer.event("call.state", state="active")
    third.event("call.state", state="active")


def test_typing(lab):
    """a call that comes while somebody types takes none of the keys"""
    peer = lab.offhook().ready()
    s = Screen(lab)
    s.keys("d")
    s.wait(r"dial ")
    peer.command("dial " + s.uri)
    s.wait(r"You are typing: Esc, then answer")
    s.type("ar")
    s.wait(r"dial ar")
    s.wait(r"INCOMING CALL")
    s.keys("Escape")
    s.wait(r"You are typing", gone=True)
    s.press("a", r"ACTIVE")


def test_names(lab):
    """names of any script are shown right, at their width"""
    s = Screen(lab)
    sock = invite(s, '"Grüße 日本 é"')
    s.wait(r"INCOMING CALL")
    s.wait(r"Grüße 日本 é")
    row = next(r for r in s.rows() if "Grüße" in r and "ring" in r)
    box = next(r for r in s.rows() if "INCOMING CALL" in r)
    check(columns(row) == columns(box), "the frame is broken:\n%s", s.text())
    s.picture("names")
    s.press("r", r"no calls")
    check(answer_code(sock) in (480, 603), "no refusal")


def test_hostile(lab):
    """a display name moves no cursor, turns no text round and is bounded"""
    s = Screen(lab)
    evil = ('"\x1b[2J\x1b]0;pwned\x07Bank\u202e' + "A" * 300 + '\u200b\u0301\u0301\u0301\u0301\u0301"')
    sock = invite(s, evil)
    s.wait(r"INCOMING CALL|offhook")
    time.sleep(1)
    text = s.text()
    check("\u202e" not in text and "\x1b" not in text, "it got through:\n%r", text)
    check("pwned" not in s.tmux("display", "-p", "-t", "m", "#{pane_title}"), "the title was changed")
    check(text.split("\n")[0].startswith(" offhook"), "the screen is broken:\n%s", text)
    sock.close()
    # one that is legal but nasty
    s2 = invite(s, '"Bank\u202e\u2066 \u200bsupport\u200f' + "wide日" * 40 + '"', user="a" * 200)
    s.wait(r"INCOMING CALL")
    text = s.text()
    check(not re.search("[\u200b\u200f\u202e\u2066]", text), "it got through:\n%r", text)
    for row in text.split("\n"):
        check(columns(row) <= 80, "a row is too long: %r", row)
    s2.close()


def test_resize(lab):
    """from 200x60 down to 40x10 and back, in a call"""
    peer = lab.offhook("--auto-answer").ready()
    s = Screen(lab)
    s.dial(peer.uri)
    s.wait(r"ACTIVE")
    s.size(40, 10)
    s.wait(r"ACTIVE")
    check(all(len(r) <= 40 for r in s.rows()), "a row is too long")
    s.picture("small")
    for key, text in (("i", "ACTIVE"), ("?", "HELP"), ("L", "LOG"), ("g", "ACTIVE")):
        s.keys(key)
        s.wait(text)
    s.size(20, 5)
    time.sleep(0.3)
    s.size(200, 60)
    s.wait(r"mos 4\.\d good [▁▂▃▄▅▆▇█]")
    s.picture("large")
    s.size(80, 24)
    s.wait(r"0-9 digits")
    s.keys("h")
    s.wait(r"no calls")


def test_mouse(lab):
    """a click selects a call, a second one opens it; hints and boxes are buttons; the wheel scrolls"""
    peer = lab.offhook("--auto-answer").ready()
    s = Screen(lab, "-s", "hold-others=no")
    s.dial(peer.uri)
    s.wait(r"1 \S+ +ACTIVE")
    s.dial(peer.uri)
    s.wait(r"2 \S+ +ACTIVE")
    s.wait(r"^▶2")
    s.click(*s.find("1 peer") if "1 peer" in s.text() else s.find("1 phone"))
    s.wait(r"^▶1")
    s.click(5, [y for y, r in enumerate(s.rows()) if r.startswith("▶1")][0])
    s.wait(r"codec +opus")
    s.click(*s.find("hang up"))
    s.wait(r"codec +opus", timeout=5)
    s.keys("g")
    s.wait(r"1 \S+ +ACTIVE", gone=True)
    s.keys("?")
    s.wait(r"HELP for Home")
    s.wheel(10, 10)
    s.wheel(10, 10)
    s.wait(r"HELP for Home", gone=True)
    s.keys("Escape")
    # a button of the box
    peer.command("dial " + s.uri)
    s.wait(r"INCOMING CALL")
    s.click(*s.find("[b] busy"))
    e = peer.event("call.state", state="ended", code=486)
    check(e, "not refused")


def test_people(lab):
    """contacts by their names, calls of before: found by typing, called back with Enter"""
    bob = lab.offhook("--auto-answer", "-a", "sip:bob@127.0.0.1;display-name=Bob%20Smith;register=no", name="bob",
                      audio="tone:1000").ready()
    carol = lab.offhook("-a", "sip:carol@127.0.0.1;display-name=Carol;register=no", name="carol").ready()
    os.makedirs(lab.path("conf.d"))
    lab.file("conf.d/contacts", "Bob Smith = sip:bob@127.0.0.1:%d\nReception = sip:101@127.0.0.1:9\n" % bob.port)
    s = Screen(lab, "-a", "sip:alice@127.0.0.1;register=no")
    s.keys("d")
    s.type("bo")
    s.wait(r"'Bob Smith' +sip:bob@127.0.0.1:\d+ +contact")
    s.picture("targets")
    s.keys("Tab")
    s.keys("Enter")
    s.wait(r"1 Bob Smith +ACTIVE +0:0[2-9]")
    s.picture("home-names")
    s.keys("h")
    s.wait(r"no calls")
    carol.command("dial sip:alice@127.0.0.1:%d" % s.port)
    s.wait(r"Carol")
    s.picture("incoming-name")
    carol.command("hangup")
    s.wait(r"INCOMING CALL", gone=True)
    s.wait(r"1 missed")
    s.wait(r"✕ Carol +missed")
    s.wait(r"→ Bob Smith +0:0\d +opus")
    s.picture("last")
    s.keys("Down")
    s.wait(r"Bob Smith .*\[Enter\] call back")
    s.keys("Enter")
    s.wait(r"Bob Smith +ACTIVE")


def registrar(port):
    """a server that lets everybody register; what it was told"""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    sock.settimeout(60)
    seen = []

    def work():
        while True:
            try:
                data, peer = sock.recvfrom(65536)
            except OSError:
                return
            text = data.decode("utf-8", "replace")
            head = {}
            for line in text.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                head.setdefault(name.strip().lower(), []).append(value.strip())
            seen.append(text)
            if not text.startswith("REGISTER"):
                continue
            auth = "authorization" in head
            out = ["SIP/2.0 200 OK" if auth else "SIP/2.0 401 Unauthorized"]
            out += ["Via: " + v for v in head["via"]]
            out += ["From: " + head["from"][0], "To: %s;tag=r" % head["to"][0], "Call-ID: " + head["call-id"][0],
                    "CSeq: " + head["cseq"][0]]
            out += ["Contact: %s;expires=60" % head["contact"][0].split(";expires")[0]] if auth else \
                ['WWW-Authenticate: Digest realm="here", nonce="n%d", algorithm=MD5' % len(seen)]
            out += ["Content-Length: 0", "", ""]
            sock.sendto("\r\n".join(out).encode(), peer)
    threading.Thread(target=work, daemon=True).start()
    return sock, seen


def test_first_run(lab):
    """nothing configured: how one is reached, an echo test, an account with its password kept by reference"""
    server = ports(1)
    sock, seen = registrar(server)
    s = Screen(lab, first=True)
    s.wait(r"WELCOME")
    s.wait(r"sip:\S+@127\.0\.0\.1:%d" % s.port)
    s.picture("first-run")
    s.keys("e")
    s.wait(r"1 \S+ +ACTIVE")
    s.wait(r"them +\S+ +-\d+ dB")
    s.keys("h")
    s.wait(r"no calls")
    s.keys(":")
    s.type("view start")
    s.keys("Enter")
    s.wait(r"WELCOME")
    s.keys("n")
    s.wait(r"Your SIP address")
    s.type("alice")
    s.keys("Enter")
    s.wait(r"written as in alice@example.com")
    s.keys("C-u")
    s.type("alice@127.0.0.1:%d" % server)
    s.keys("Enter")
    s.wait(r"Password")
    s.type("gehe'im%")
    s.wait(r"\*{8}")
    check("gehe" not in s.text(), "the password is shown")
    s.picture("first-password")
    s.keys("Enter")
    s.wait(r"\[f\]ile of its own")
    s.keys("Enter")
    s.wait(r"Registered at 127\.0\.0\.1:%d over udp" % server)
    s.picture("first-registered")
    with open(lab.path("conf.d", "accounts"), encoding="utf-8") as f:
        text = f.read()
    check("password-file" in text and "gehe" not in text and "# Accounts" in text, "%s", text)
    kept = [x for x in os.listdir(lab.path("conf.d")) if x.startswith("password-")]
    check(len(kept) == 1, "%s", kept)
    path = lab.path("conf.d", kept[0])
    check(os.stat(path).st_mode & 0o777 == 0o600, "others can read it")
    with open(path, encoding="utf-8") as f:
        check(f.read() == "gehe'im%\n", "not the password")
    check(os.path.exists(lab.path("conf.d", "offhook.conf")), "no commented options")
    check(not os.popen("grep -rl gehe %s" % lab.path("state")).read(), "the password is in a log or a history")
    s.quit()
    # and the next time it is there, without a welcome
    s.run([lab.program, "-c", lab.path("conf.d"), "-A", "null", "-l", "udp:127.0.0.1"])
    s.wait(r"● alice@127\.0\.0\.1")
    s.wait(r"CALLS")
    check(len([x for x in seen if "Authorization" in x]) >= 2, "not registered again")
    sock.close()


def test_first_command(lab):
    """the server found by its name, the password by a command: only that is in the file"""
    server = ports(1)
    sock, seen = registrar(server)
    names = Dns(lab, "srv-host=_sip._udp.phones.example,a.example,%d\nhost-record=a.example,127.0.0.1\n" % server)
    s = Screen(lab, "-s", "dns-servers=" + names.server, first=True)
    s.wait(r"WELCOME")
    s.keys("n")
    s.wait(r"Your SIP address")
    s.type("alice@phones.example")
    s.keys("Enter")
    s.wait(r"Password")
    # looked up while the password is typed
    s.wait(r"The server of phones\.example, as the name service tells:")
    s.wait(r"UDP:127\.0\.0\.1:%d" % server)
    s.keys("Enter")
    s.wait(r"A command that prints it")
    s.type("false")
    s.keys("Enter")
    s.wait(r"password-command: it failed with exit code 1")
    s.wait(r"A command that prints it")
    s.keys("C-u")
    s.type("echo warning >&2; echo geheim7")
    s.keys("Enter")
    s.wait(r"Registered at 127\.0\.0\.1:%d over udp" % server)
    s.wait(r"The password comes from your command")
    # what was tried, and what came of it
    s.wait(r"● 127\.0\.0\.1:%d udp: registered" % server)
    s.picture("first-command")
    check("geheim7" not in re.sub(r"echo geheim7", "", s.text()), "the password is shown\n%s", s.text())
    with open(lab.path("conf.d", "accounts"), encoding="utf-8") as f:
        text = f.read()
    check("password-command" in text and "echo geheim7" in text and "password = " not in text, "%s", text)
    s.quit()
    sock.close()


def test_speech(lab):
    """what is said moves the meters; who is registered is told in the first row"""
    server = ports(1)
    sock, _ = registrar(server)
    speech = lab.path("speech.wav")
    with wave.open(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "sounds",
                                "speech.wav")) as f, wave.open(speech, "wb") as out:
        out.setparams(f.getparams())
        out.writeframes(f.readframes(f.getnframes()) * 6)
    bob = lab.offhook("-a", "sip:bob@example.com;display-name=Bob%20Smith;register=no", name="bob",
                      audio="file:" + speech).ready()
    os.makedirs(lab.path("conf.d"))
    lab.file("conf.d/contacts", "Bob Smith = sip:bob@example.com\nCarol Jones = sip:carol@example.com\n"
                                "Reception = sip:101@example.com\nZoë Müller = sip:zoe@example.com\n")
    s = Screen(lab, "-a", "sip:alice@example.com;password=x;outbound=sip:127.0.0.1:%d%%3Blr" % server,
               audio="file:" + speech, size=(116, 26))
    s.wait(r"● alice@example\.com")
    bob.command("message sip:alice@127.0.0.1:%d 'running late, start without me'" % s.port, 20)
    s.wait(r"MESSAGES +1 unread")
    s.wait(r"Bob Smith: running late, start without me")
    s.wait(r"registered at 127\.0\.0\.1:%d" % server)
    bob.command("dial sip:alice@127.0.0.1:%d" % s.port)
    s.wait(r"Bob Smith")
    s.wait(r"to alice@example\.com")
    s.picture("a-call-comes-in")
    s.press("a", r"ACTIVE")
    s.wait(r"them [▁▂▃▄▅▆▇█]*[▂▃▄▅▆▇█][▁▂▃▄▅▆▇█]* +-\d+ dB")
    s.wait(r"4\.5┤ *[▇█]{%d}" % (20 if PICTURES else 3), timeout=40)
    s.wait(r"you +[▁▂▃▄▅▆▇█]*[▂▃▄▅▆▇█]{6}.* them [▁▂▃▄▅▆▇█]*[▂▃▄▅▆▇█]{6}")
    s.picture("in-a-call")
    sock.close()


def test_baresip(lab):
    """a phone of somebody else's, with real sound"""
    source = sound.write_tone(lab.path("theirs.wav"), 1000, 60, 8000, 1)
    peer = Baresip(lab, source)
    s = Screen(lab, "-s", "codecs=pcmu")
    s.dial(peer.uri)
    s.wait(r"ACTIVE +0:0[2-9]")
    s.wait(r"pcmu 8k")
    s.wait(r"them +[▁▂▃▄▅▆▇█]*[▃▄▅▆▇█]{4} +-[12]?\d dB")
    s.keys("i")
    s.wait(r"quality +4\.\d good")
    s.keys("r")
    s.wait(r"record call-1.wav")
    s.keys("C-u")
    s.type("record " + lab.path("rec.wav"))
    s.keys("Enter")
    s.wait(r"REC")
    s.wait(r"r end record")
    time.sleep(1.5)
    s.keys("r")
    s.wait(r"REC", gone=True)
    s.keys("h")
    s.wait(r"There is no call")
    rate, x = sound.read(lab.path("rec.wav"))
    check(len(x) > rate, "nothing was recorded: %d samples", len(x))


def test_colours(lab):
    """colours as the terminal has them; NO_COLOR: none; another locale: ASCII"""
    s = Screen(lab, name="full")
    check("\033[38;5;" in s.text(colours=True), "no colours of 256")
    s = Screen(lab, env={"NO_COLOR": "1"}, name="none")
    check(not re.search(r"\033\[[0-9;]*[34][0-8]", s.text(colours=True)), "there are colours: %r", s.text(colours=True))
    s = Screen(lab, term="screen", name="eight")
    check(re.search(r"\033\[3[0-7]m", s.text(colours=True)) and "38;5" not in s.text(colours=True), "%r",
          s.text(colours=True))
    s = Screen(lab, "-s", "screen-colours=16", name="sixteen")
    check(re.search(r"\033\[[0-9;]*[39][0-7]m", s.text(colours=True)) and not re.search(r"38;5;[0-9]{2}", s.text(colours=True)),
          "%r", s.text(colours=True))
    s = Screen(lab, env={"LC_ALL": "C"}, name="ascii")
    check(s.text().isascii(), "not ASCII:\n%s", s.text())
    s.picture("ascii")
    s = Screen(lab, "-s", "screen-colours=mono", name="mono")
    check(not re.search(r"\033\[[0-9;]*[34][0-8]", s.text(colours=True)), "there are colours")


def test_line(lab):
    """editing, completion with what each is, errors that say what is right, history between runs"""
    s = Screen(lab)
    s.keys(":")
    s.type("di")
    s.wait(r"dial +Call a person")
    s.picture("completion")
    s.keys("Tab")
    s.wait(r"› dial ?$")
    s.wait(r"TARGET: whom")
    s.keys("C-u")
    s.type("hold --wrong")
    s.keys("Enter")
    # the line is still there to be mended
    s.wait(r"'hold' has no --wrong")
    s.wait(r"› hold --wrong")
    s.keys("C-u")
    s.type("print eins zwei")
    s.keys("C-w")
    s.type("drei")
    s.keys("Home")
    s.keys("C-d", "C-d", "C-d", "C-d", "C-d")
    s.type("print")
    s.keys("Enter")
    s.wait(r"eins drei$")
    s.keys(":")
    s.type("account add 'sip:x@127.0.0.1;password=geheim'")
    s.keys("Enter")
    s.quit()
    s.run([lab.program, "-c", lab.path("conf.d"), "-A", "null", "-l", "udp:127.0.0.1"])
    s.wait(r"^ offhook")
    s.keys(":")
    s.keys("Up")
    s.wait(r"› quit")
    s.keys("Up")
    s.wait(r"› print eins drei")
    found = os.popen("grep -rl geheim %s" % lab.path("state")).read()
    check(not found, "a password was kept in %s", found)


def test_keys(lab):
    """a key of one's own; a wrong file says where"""
    os.makedirs(lab.path("conf.d"))
    lab.file("conf.d/keys", "# mine\nF5 = print hello from F5\n[call]\nq = hangup\n")
    s = Screen(lab)
    s.keys("F5")
    s.wait(r"hello from F5")
    s.quit()
    lab.file("conf.d/keys", "F5 = print x\nnokey = print\n")
    s.run([lab.program, "-c", lab.path("conf.d"), "-A", "null", "-l", "udp:127.0.0.1"])
    s.wait(r"keys:2: that is no key")
    check(s.ended() == 2, "exit code")


def test_help(lab):
    """`?` and `help` tell the same tables"""
    s = Screen(lab, size=(100, 40))
    s.keys("?")
    s.wait(r"HELP for Home")
    s.wait(r"h +Hang up the selected call")
    s.picture("help")
    s.keys("Escape")
    s.wait(r"^ CALLS")
    s.keys(":")
    s.type("help dial")
    s.keys("Enter")
    s.wait(r"usage: dial TARGET")
    s.keys("Escape")
    s.wait(r"^ CALLS")


def test_suspend(lab):
    """Ctrl-Z gives the shell back, fg the phone"""
    s = Screen(lab)
    s.keys("C-z")
    s.wait(r"^\$ ?$")
    s.type("echo in the sh''ell")
    s.keys("Enter")
    s.wait(r"^in the shell$")
    s.type("fg")
    s.keys("Enter")
    s.wait(r"^ offhook .*udp")
    s.wait(r"in the shell", gone=True)
    s.keys("q")
    s.wait(r". quit")
    s.keys("Enter")
    s.wait(r"in the shell")
    s.type("echo \"<exit $?>\"")
    s.keys("Enter")
    s.wait(r"<exit 0>$")


def test_signals(lab):
    """whatever ends the phone, the terminal is put back"""
    for sig in (signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT):
        for whom in ("phone", "pid") if sig == signal.SIGTERM else ("phone",):
            s = Screen(lab, name="s%d%s" % (sig, whom), env={
                "ASAN_OPTIONS": "handle_segv=0:handle_abort=0:detect_leaks=0"})
            os.kill(getattr(s, whom)(), sig)
            code = s.ended()
            check(code == (0 if sig == signal.SIGTERM else 128 + sig), "exit code %d", code)
            check(sig == signal.SIGTERM or "the phone has crashed" in s.text(), "%s", s.text())
            s.type("stty -a | grep -c -e ' icanon'")
            s.keys("Enter")
            s.wait(r"^1$")
            check(" offhook " not in s.rows()[0], "the screen is not cleared:\n%s", s.text())


def test_stopped(lab):
    """a terminal that was stopped (Ctrl-S) delays no call, and shows it all once it goes on"""
    peer = lab.offhook(audio="tone:1000").ready()
    s = Screen(lab, "--auto-answer")
    s.keys("C-s")
    time.sleep(0.3)
    for i in range(5):
        peer.command("dial " + s.uri)
        e = peer.event("call.state", state="active", timeout=10)
        peer.command("sleep 2")
        q = peer.event("call.quality", timeout=10)
        check(q["packets_received"] > 20, "no sound: %s", q)
        check(e["setup_ms"] < 2000, "answered after %s ms", e["setup_ms"])
        if i < 4:
            peer.command("hangup")
            peer.event("call.state", state="ended")
    check("ACTIVE" not in s.text(), "the terminal was not stopped")
    s.keys("C-q")
    s.wait(r"ACTIVE")


def cpu(pid):
    """ticks it has used"""
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))


def test_gone(lab):
    """the terminal dies: its holder ends, the phone goes on and does not spin"""
    s = Screen(lab)
    holder, phone = s.pid(), s.phone()
    os.kill(int(s.tmux("display", "-p", "#{pid}")), signal.SIGKILL)
    end = time.monotonic() + 10
    while os.path.exists("/proc/%d" % holder):
        with open("/proc/%d/stat" % holder, encoding="ascii") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                break
        check(time.monotonic() < end, "it still runs")
        time.sleep(0.05)
    time.sleep(0.5)
    before = cpu(phone)
    time.sleep(1)
    check(cpu(phone) - before < 30, "it spins")


def test_plain(lab):
    """--plain, and a terminal that cannot: a prompt"""
    for args, term in ((["--plain"], "tmux-256color"), ([], "dumb")):
        s = Terminal(lab, [lab.program, "-c", lab.dir, "-A", "null", "-l", "udp:127.0.0.1"] + args, term=term,
                     name="p" + term[:3])
        s.wait(r"^offhook> ?$")
        s.type("print hello")
        s.keys("Enter")
        s.wait(r"^hello$")
        s.keys("C-d")
        check(s.ended() == 0, "exit code")


def test_descriptors(lab):
    """nothing that a library prints can reach the terminal: only its holder has it"""
    s = Screen(lab)
    holder, phone = s.pid(), s.phone()
    check("/pts/" in os.readlink("/proc/%d/fd/0" % holder), "the holder has no terminal")
    for fd in os.listdir("/proc/%d/fd" % phone):
        try:
            where = os.readlink("/proc/%d/fd/%s" % (phone, fd))
        except FileNotFoundError:
            continue
        check("/pts/" not in where or int(fd) > 2, "descriptor %s is %s", fd, where)


def test_quiet(lab):
    """nothing wakes it while nothing happens"""
    s = Screen(lab)
    s.wait(r"no calls")
    pid = s.phone()
    time.sleep(1.5)

    def wakes():
        n = 0
        for tid in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/status" % (pid, tid), encoding="ascii") as f:
                n += sum(int(x.split()[1]) for x in f if x.startswith("voluntary_ctxt"))
        return n
    before, minute = wakes(), time.strftime("%M")
    time.sleep(4)
    count = wakes() - before
    # the clock in the corner wakes it once a minute
    check(count <= (3 if time.strftime("%M") != minute else 0) or count <= 1, "%d wake-ups in 4 s", count)


if __name__ == "__main__":
    try:
        main(globals())
    except Failed as e:
        raise SystemExit(e)
