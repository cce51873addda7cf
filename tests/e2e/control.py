#!/usr/bin/env python3
"""The control socket: programs that talk to a running phone, many at once,
well and badly; `offhook ctl`, and COMMANDs that go there by themselves."""
import glob
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time

from home import Failed, Skip, check, main, ports
import schema

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "share", "examples")
sys.path.insert(0, EXAMPLES)
sys.dont_write_bytecode = True

from offhook_client import Phone, Refused   # noqa: E402


def path_of(lab, phone):
    found = glob.glob(os.path.join(lab.dir, "offhook", os.path.basename(phone.folder) + "-*.sock"))
    check(len(found) == 1, "%s", found)
    return found[0]


def start(lab, *args, **kw):
    kw.setdefault("audio", "null")
    phone = lab.offhook(*args, **kw).ready()
    phone.path = path_of(lab, phone)
    return phone


def environment(lab):
    return {**os.environ, "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir, "PYTHONDONTWRITEBYTECODE": "1"}


def ctl(lab, phone, *words, stdin=None, timeout=60):
    """offhook ctl beside a phone -> (exit code, stdout, stderr)"""
    r = subprocess.run([lab.program, "-c", phone.folder] + list(words), env=environment(lab), input=stdin or "",
                       capture_output=True, text=True, timeout=timeout, cwd=lab.dir)
    return r.returncode, r.stdout, r.stderr


def raw(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    for _ in range(1000):
        try:
            s.connect(path)
            return s
        except BlockingIOError:                 # many come at once
            time.sleep(0.02)
    raise Failed("nobody accepts")


def lines(s, n):
    """the next n lines of a raw socket"""
    data = b""
    while data.count(b"\n") < n:
        more = s.recv(65536)
        if not more:
            break
        data += more
    return [json.loads(x) for x in data.splitlines()]


def test_requests(lab):
    """requests and bare lines; status is the whole state; private to its owner"""
    phone = start(lab)
    st = os.stat(phone.path)
    check(stat.S_IMODE(st.st_mode) == 0o600 and stat.S_IMODE(os.stat(os.path.dirname(phone.path)).st_mode) == 0o700,
          "%o", st.st_mode)
    with Phone(phone.path) as p:
        check(p("print", text="x")["text"] == "x", "print")
        s = p("status")
        check(s["listeners"][0]["address"].endswith(":%d" % phone.port) and s["calls"] == [], "%s", s)
        try:
            p("hangup")
            raise Failed("hangup without a call")
        except Refused as e:
            check(e.token == "no-call", "%s", e)
    s = raw(phone.path)
    s.sendall(b"print a\r\n\n# nothing\nprint b")
    s.shutdown(socket.SHUT_WR)
    check([x["text"] for x in lines(s, 9)] == ["a", "b"], "bare lines")
    s.close()


def test_events(lab):
    """nobody is told before he asks; filters; many clients; numbers go up"""
    other = start(lab, "--auto-answer", name="other")
    phone = start(lab, name="phone")
    quiet, calls, everything = Phone(phone.path), Phone(phone.path), Phone(phone.path)
    calls.events("call.state")
    everything.events()
    call = quiet("dial", target=other.uri)["call"]
    for p in (calls, everything):
        check(p.until("call.state", state="active")["call"] == call, "active")
    everything.until("call.quality", timeout=20)
    quiet("hangup")
    check(calls.event()["event"] == "call.state", "the filter")
    everything.until("call.state", state="ended")
    check(not quiet.waiting, "told without asking: %s", quiet.waiting)
    try:
        calls("events", what="on", filter="call.stat")
        raise Failed("a filter that is none")
    except Refused as e:
        check("call.state" in str(e), "%s", e)
    for p in (quiet, calls, everything):
        p.close()


def test_replay(lab):
    """what was told is told again from a number on, once, in order"""
    phone = start(lab)
    with Phone(phone.path) as p:
        for _ in range(5):
            p("dial", target="sip:x@127.0.0.1:1")
        p.events("call.state")
        deadline = time.monotonic() + 30
        while p("calls")["calls"] and time.monotonic() < deadline:
            time.sleep(0.05)
    with Phone(phone.path) as p:
        r = p.events("call.state", since=1)
        check(r["complete"] and r["first"] == 1, "%s", r)
        n = 0
        seen = []
        while n < 10:
            e = p.event(timeout=10)
            seen.append(e["seq"])
            n += 1
        check(seen == sorted(set(seen)), "%s", seen)
    with Phone(phone.path) as p:
        p.events("call.state", since=seen[4])
        check([p.event(timeout=10)["seq"] for _ in range(6)] == seen[4:10], "from the middle")
        p("print", text="x")
        check(not p.waiting, "%s", p.waiting)


def test_schema(lab):
    """every line that is printed is as the schema says, and so are requests"""
    _, text, _ = lab.run("--dump", "schema")
    whole = json.loads(text)
    ask = {"$ref": "#/$defs/request", "$defs": whole["$defs"]}
    for bad in ({"event": "call.state", "seq": 1}, {"reply": 1}, {"reply": 1, "ok": False, "error": "x", "text": ""},
                {"event": "call.state", "seq": 1, "time": "2026-11-21T10:00:00.123Z", "oops": 1}, 7):
        check(schema.wrong(whole, bad), "%s passes", bad)
    other = start(lab, "--auto-answer", audio="tone:1000", name="other")
    phone = start(lab, audio="tone:440", name="phone")
    said = [{"command": "dial", "args": {"target": other.uri, "record": lab.path("x.wav")}},
            {"command": "wait", "args": {"event": "call", "match": ["active"]}},
            {"command": "wait", "args": {"event": "call.quality"}}, {"command": "dtmf", "args": {"digits": "12"}},
            {"id": "s", "command": "status"}, {"id": None, "command": "stats"}, {"command": "calls"},
            {"command": "message", "args": {"target": other.uri, "text": "hi"}}, {"command": "hold"},
            {"command": "resume"}, {"command": "accounts"}, {"command": "config",
            "args": {"what": "show"}}, {"command": "hangup"}, {"command": "history"}, {"command": "messages"},
            {"command": "help"}, {"command": "contacts"}, {"command": "hold"}, {"command": "frob"},
            {"command": "dial", "args": {"target": "sip:nobody@127.0.0.1:1"}}]
    with Phone(phone.path) as p:
        p("output", form="print")
        p.events()
        lines = []
        for i, o in enumerate(said):
            o.setdefault("id", i)
            text = schema.wrong(ask, o)
            check(bool(text) == (o["command"] == "frob"), "%s: %s", o, text)
            p.sock.sendall(json.dumps(o).encode() + b"\n")
            while True:
                line = p.line(timeout=30)
                lines.append(line)
                if "reply" in line and line["reply"] == o["id"]:
                    break
    for line in lines + phone.objects() + other.objects():
        text = schema.wrong(whole, line)
        check(not text, "%s: %s", text, line)
    kinds = {x.get("event") for x in lines + other.objects()}
    check(kinds >= {"call.state", "call.media", "call.quality", "call.dtmf", "call.hold", "message.received",
                    "message.sent", "record.done"}, "%s", kinds)
    check(not schema.wrong(ask, {"command": "d", "args": {"target": "x", "for": 3}}), "alias")
    check(schema.wrong(ask, {"command": "dial", "args": {"traget": "x"}}), "a wrong argument passes")


def test_bad_input(lab):
    """malformed, binary, half and endless lines: an error each, nothing else"""
    phone = start(lab)
    bad = [b'{"id":1,', b'{"id":1,"command":7}', b"\x00\xff\xfe", b"{" * 5000, b'{"command":"print"} x', b"'", b"x" * 8193,
           b"y" * (10 << 20), b'{"id":{},"command":"print"}']
    s = raw(phone.path)
    for line in bad:
        s.sendall(line + b"\n")
        o = lines(s, 1)
        check(len(o) == 1 and o[0]["ok"] is False, "%r: %s", line[:40], o)
    s.sendall(b"prin")
    time.sleep(0.05)
    s.sendall(b"t halves\nprint a\nprint b\n" + b"z" * 9000 + b"\nprint c\n")
    got = [x.get("text", x.get("error")) if x["ok"] else x["error"] for x in lines(s, 5)]
    check(got == ["halves", "a", "b", "line-too-long", "c"], "%s", got)
    s.close()
    for tail in (b"pri", b'{"id":1', b""):
        s = raw(phone.path)
        s.sendall(tail)
        s.close()
    check(phone.command("print still")["text"] == "still", "the phone")


def test_queue(lab):
    """10 000 lines at once, behind one that waits: all are answered, in order"""
    phone = start(lab)
    s = raw(phone.path)
    s.sendall(b"sleep 0.5\n")
    sent = b"".join(b'{"id":%d,"command":"print","args":{"text":"x"}}\n' % i for i in range(10000))
    s.setblocking(False)
    got, at, end = b"", 0, time.monotonic() + 120
    while got.count(b"\n") < 10001:
        check(time.monotonic() < end, "%d lines, %d bytes sent", got.count(b"\n"), at)
        try:
            if at < len(sent):
                at += s.send(sent[at:at + 65536])
        except BlockingIOError:
            pass
        try:
            more = s.recv(1 << 20)
            check(more, "closed after %d lines", got.count(b"\n"))
            got += more
        except BlockingIOError:
            time.sleep(0.005)
    ids = [json.loads(x)["reply"] for x in got.splitlines()]
    check(ids == [None] + list(range(10000)), "order")
    s.close()


def test_never_reads(lab):
    """a client that does not read is let go with a word; others do not notice"""
    phone = start(lab)
    with Phone(phone.path) as good:
        s = raw(phone.path)
        s.sendall(b"events on\n")
        line = b'{"id":1,"command":"help"}\n'
        s.settimeout(0.2)
        pushed = 0
        try:
            while pushed < 60 << 20:
                pushed += s.send(line * 100)
        except (TimeoutError, BrokenPipeError, ConnectionResetError, socket.timeout):
            pass
        t = time.monotonic()
        check(good("print", text="x")["text"] == "x", "the other client")
        check(time.monotonic() - t < 10, "it waited")
        s.settimeout(20)
        got = b""
        try:
            while True:
                more = s.recv(1 << 20)
                if not more:
                    break
                got += more
        except (ConnectionResetError, socket.timeout):
            pass
        last = json.loads(got.splitlines()[-1])
        check(last.get("error") == "too-slow", "%s", last)
        for x in got.splitlines():
            json.loads(x)
        s.close()


def test_strangers(lab):
    """another user's program is refused, whatever the modes say"""
    if os.geteuid():
        raise Skip("needs to be root to be somebody else")
    phone = start(lab)
    for folder in (lab.dir, os.path.dirname(phone.path)):
        os.chmod(folder, 0o755)
    os.chmod(phone.path, 0o666)
    r = subprocess.run([sys.executable, "-c", "import os, socket, sys\nos.setgid(65534); os.setuid(65534)\n"
                        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
                        "try: s.sendall(b'status\\n')\nexcept BrokenPipeError: pass\n"
                        "print(s.recv(9999).decode())", phone.path], capture_output=True, text=True, timeout=30)
    check('"no-access"' in r.stdout and "listeners" not in r.stdout, "%s%s", r.stdout, r.stderr)


def test_many(lab):
    """more than there may be: those that are in are served, others are told"""
    phone = start(lab)
    all_ = [raw(phone.path) for _ in range(205)]
    told = 0
    for s in all_:
        s.sendall(b"print x\n")
    for s in all_:
        try:
            o = lines(s, 1)[0]
            told += o.get("error") == "busy"
            check(o.get("text") == "x" or o.get("error") == "busy", "%s", o)
        except (ConnectionResetError, BrokenPipeError, IndexError):
            told += 1
    check(told == 5, "%d were turned away", told)
    for s in all_:
        s.close()
    end = time.monotonic() + 20
    while True:
        s = raw(phone.path)
        s.sendall(b"print x\n")
        o = lines(s, 1)[0]
        s.close()
        if o["ok"]:
            break
        check(time.monotonic() < end, "never free again")


def test_ctl(lab):
    """outcome and words as if the phone were this program"""
    other = start(lab, "--auto-answer", name="other")
    busy = start(lab, "--auto-answer=486", name="busy")
    phone = start(lab, name="phone")
    code, out, err = ctl(lab, phone, "ctl", "print", "a  b")
    check((code, out, err) == (0, "a  b\n", ""), "%d %s%s", code, out, err)
    code, out, err = ctl(lab, phone, "ctl", "hangup")
    check(code == 1 and err.startswith("error: no-call: "), "%d %s%s", code, out, err)
    code, out, err = ctl(lab, phone, "ctl", "frob")
    check(code == 2 and "unknown-command" in err, "%d %s%s", code, out, err)
    # a whole line in one word, a request
    code, out, err = ctl(lab, phone, "ctl", "print 'a  b' c")
    check((code, out, err) == (0, "a  b c\n", ""), "%d %s%s", code, out, err)
    code, out, err = ctl(lab, phone, "ctl", "dial %s --for 300ms" % busy.uri)
    check(code == 4 and "ended" in out, "%d %s%s", code, out, err)
    code, out, err = ctl(lab, phone, "ctl", '{"id":7,"command":"print","args":{"text":"x"}}')
    check(code == 0 and json.loads(out)["reply"] == 7 and json.loads(out)["text"] == "x", "%d %s%s", code, out, err)
    code, out, err = ctl(lab, phone, "ctl", "print a\nprint b")
    check(code == 2 and "bad-line" in err, "%d %s%s", code, out, err)
    # a COMMAND goes there by itself, and stays as long as its call
    code, out, err = ctl(lab, phone, "dial", other.uri, "--for", "300ms")
    check(code == 0 and "active" in out and "ended" in out, "%d %s%s", code, out, err)
    code, out, err = ctl(lab, phone, "dial", busy.uri)
    check(code == 4, "%d %s%s", code, out, err)
    code, out, err = ctl(lab, phone, "-j", "calls")
    check(code == 0 and json.loads(out)["calls"] == [], "%d %s%s", code, out, err)
    check(phone.event("call.state", state="ended", again=True)["call"] == 1, "not in the running phone")
    # files are those of this folder
    code, out, err = ctl(lab, phone, "dial", other.uri, "--for", "600ms", "--record", "here.wav")
    check(code == 0 and os.path.exists(lab.path("here.wav")), "%d %s%s", code, out, err)
    # requests as they are
    code, out, _ = ctl(lab, phone, "ctl", stdin='{"id":1,"command":"print","args":{"text":"x"}}\nprint y\n')
    check([json.loads(x)["text"] for x in out.splitlines()] == ["x", "y"], "%s", out)
    phone.end_of_input()
    code, out, err = ctl(lab, phone, "ctl", "status")
    for _ in range(200):
        if code == 1 and "no-phone" in err:
            break
        time.sleep(0.05)
        code, out, err = ctl(lab, phone, "ctl", "status")
    check(code == 1 and "no-phone" in err, "%d %s%s", code, out, err)


def test_interrupt(lab):
    """SIGINT hangs up the call that the COMMAND made, in the running phone"""
    other = start(lab, "--auto-answer", name="other")
    phone = start(lab, name="phone")
    p = subprocess.Popen([lab.program, "-c", phone.folder, "dial", other.uri], env=environment(lab),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    phone.event("call.state", state="active", timeout=20)
    p.send_signal(signal.SIGINT)
    phone.event("call.state", state="ended", timeout=20)
    out, _ = p.communicate(timeout=20)
    check(p.returncode == 0 and "ended" in out, "%d %s", p.returncode, out)
    check(phone.command("calls")["calls"] == [], "calls")


def test_follow(lab):
    phone = start(lab)
    p = subprocess.Popen([lab.program, "-c", phone.folder, "-j", "ctl", "--follow", "--filter", "call.state", "--since",
                          "1"], env=environment(lab), stdout=subprocess.PIPE, text=True)
    phone.command("dial sip:x@127.0.0.1:1")
    while True:
        o = json.loads(p.stdout.readline())
        if o.get("state") == "ended":
            break
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=20)
    check(p.returncode == 0, "%d", p.returncode)


def answer(p):
    """the reply to `print up`, behind what the phone has to say of itself"""
    for line in p.stdout:
        o = json.loads(line)
        if "reply" in o:
            check(o["text"] == "up", "%s", o)
            return
    check(False, "no reply")


def test_one_phone(lab):
    """a second phone of the same configuration leaves the socket alone; one
    that was killed does not keep it"""
    phone = start(lab)
    second = subprocess.Popen([lab.program, "-c", phone.folder, "-l", "udp:127.0.0.1", "-A", "null", "-j"],
                              env=environment(lab), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    second.stdin.write("print up\n")
    second.stdin.flush()
    answer(second)
    with Phone(phone.path) as p:
        check(p("status")["listeners"][0]["address"].endswith(":%d" % phone.port), "taken over")
    second.communicate("quit\n", timeout=20)
    check(os.path.exists(phone.path), "the second one took the socket away")
    os.kill(phone.proc.pid, signal.SIGKILL)
    phone.proc.wait()
    check(os.path.exists(phone.path), "no stale socket to try with")
    third = subprocess.Popen([lab.program, "-c", phone.folder, "-l", "udp:127.0.0.1", "-A", "null", "-j"],
                             env=environment(lab), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    third.stdin.write("print up\n")
    third.stdin.flush()
    answer(third)
    with Phone(phone.path) as p:
        check(p("print", text="new")["text"] == "new", "third")
    third.communicate("quit\n", timeout=20)
    check(not os.path.exists(phone.path), "left behind")
    phone.lines.clear()
    lab.programs.remove(phone)


def test_tcp(lab):
    """only with the token, only where it was configured"""
    port = ports(1)
    phone = start(lab, "-s", "control-tcp=%d" % port)
    with open(os.path.join(phone.folder, "control-token"), encoding="ascii") as f:
        token = f.read().strip()
    check(os.stat(os.path.join(phone.folder, "control-token")).st_mode & 0o777 == 0o600 and len(token) >= 32, "token")
    with Phone(tcp=("127.0.0.1", port), token=token) as p:
        check(p("print", text="x")["text"] == "x", "print")
    for first in (b"status\n", b"auth \n", b"auth " + token[:-1].encode() + b"\n",
                  b'{"id":1,"command":"auth","args":{"token":"x"}}\n', b"x" * 20000, b"\n"):
        s = socket.create_connection(("127.0.0.1", port), 20)
        s.sendall(first + b"print secret\n")
        got = b""
        try:
            while True:
                more = s.recv(4096)
                if not more:
                    break
                got += more
        except ConnectionResetError:
            pass
        check(b"no-access" in got and b"secret" not in got.replace(b"secret,", b""), "%r: %r", first[:30], got)
        s.close()
    check(phone.command("print still")["text"] == "still", "the phone")
    check(token not in json.dumps(phone.command("config show")), "the token is shown")
    for wide in ("0.0.0.0", "[::]"):
        code, _, err = lab.run("-l", "udp:127.0.0.1", "-A", "null", "-s", "control-tcp=%s:%d" % (wide, port), stdin="quit\n")
        check(code == 2 and "one address, not all" in err, "%d %s", code, err)


def test_examples(lab):
    """they run as they are"""
    other = start(lab, "--auto-answer", name="other")
    phone = start(lab, name="phone")
    env = environment(lab)
    env["XDG_RUNTIME_DIR"] = lab.path("run")
    os.makedirs(lab.path("run/offhook"))
    os.symlink(phone.path, lab.path("run/offhook/default.sock"))

    def example(name, *args):
        return subprocess.Popen([sys.executable, os.path.join(EXAMPLES, name)] + list(args), env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watch = example("watch.py", "call.state")
    p = example("dial_and_report.py", other.uri, "2")
    out, err = p.communicate(timeout=60)
    check(p.returncode == 0 and "packets" in out, "%s%s", out, err)
    p = example("dial_and_report.py", "http:x")
    out, err = p.communicate(timeout=60)
    check(p.returncode == 2 and "bad-target" in err, "%s%s", out, err)
    answer = example("answer_known.py", "1")
    time.sleep(0.5)
    for _ in range(40):
        if answer.poll() is not None:
            break
        call = other.command("dial " + phone.uri)["call"]
        try:
            other.event("call.state", state="ended", call=call, timeout=1)
        except Failed:
            other.command("hangup %d" % call)   # it does not listen yet
    out, err = answer.communicate(timeout=60)
    check("busy" in out, "%s%s", out, err)
    phone.say("quit")
    out, err = watch.communicate(timeout=60)
    check("call.state" in out and "state=active" in out and not err, "%s%s", out, err)
    check(watch.returncode == 0, "watch: %d", watch.returncode)


if __name__ == "__main__":
    main(globals())
