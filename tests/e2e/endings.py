#!/usr/bin/env python3
"""What happens to the program from outside: no sound card, a full disk, a
reader who stops or leaves, descriptors closed, an input that ends, a peer
that is gone. Each has a defined result."""
import os
import pty
import resource
import select
import signal
import socket
import subprocess
import time

from home import Failed, QUIET, Skip, check, exits, main, need, ports, wait_port


def start(lab, *args, **kw):
    port = ports()
    p = subprocess.Popen([lab.program, "-c", lab.dir, "-l", "udp:127.0.0.1:%d" % port] + list(args),
                         **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kw})
    wait_port("127.0.0.1", port)
    return p, port


def finish(p, timeout=15):
    try:
        out, err = p.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        p.kill()
        p.communicate()
        raise
    return p.returncode, (out or b"").decode(), (err or b"").decode()


def test_no_sound_card(lab):
    """one line says so, and the call goes on"""
    conf = lab.file("asound.conf", "pcm.nothing { type hw card 99 }\n")
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    r = subprocess.run([lab.program, "-c", lab.dir, "-l", "udp:127.0.0.1:%d" % ports(), "dial", other.uri, "--for",
                        "2500ms"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                       env={**os.environ, "ALSA_CONFIG_PATH": conf, "JACK_NO_START_SERVER": "1", "HOME": lab.dir})
    check(r.returncode == 0, "exit code %d\n%s%s", r.returncode, r.stdout, r.stderr)
    check(len(r.stderr.splitlines()) == 1 and "sound" in r.stderr, "not one line: %s", r.stderr)
    stats = other.command("stats")
    check(stats["packets_received"] > 50, "silence was not sent: %s", stats)


def test_full_disk(lab):
    """a small disk of our own: the recording ends with an event, the call
    does not"""
    need("mount", "umount")
    disk = lab.path("disk")
    os.mkdir(disk)
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", disk],
                                      capture_output=True).returncode:
        raise Skip("no small disk can be mounted here")
    try:
        other = lab.offhook("--auto-answer", audio="tone:1000").ready()
        phone = lab.offhook(audio="tone:440", name="phone").ready()
        phone.command("dial " + other.uri)
        phone.event("call.state", state="active")
        phone.command("record " + os.path.join(disk, "a.wav"))
        done = phone.event("record.done", timeout=20)
        check(done["result"] == "error" and "space" in done["text"].lower(), "%s", done)
        check(phone.command("calls")["calls"][0]["state"] == "active", "the call is gone")
        size = os.path.getsize(os.path.join(disk, "a.wav"))
        check(size > 50000, "only %d bytes were kept", size)
        phone.command("hangup")
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))


def test_recording_breaks_off(lab):
    """it was what the program was started for: the call goes on, the exit
    code tells, and one line says why"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    for name, args in (("sink", ["-A", "file:," + lab.path("sink.wav"), "dial", other.uri, "--for", "2500ms"]),
                       ("call", ["-A", "tone:440", "dial", other.uri, "--for", "2500ms", "--record",
                                 lab.path("call.wav")])):
        p, _ = start(lab, *args, stdin=subprocess.DEVNULL, preexec_fn=small_files)
        code, out, err = finish(p)
        check(code == 1, "%s: exit code %d\n%s%s", name, code, out, err)
        check((out + err).count("File too large") == 1, "%s: not told once: %s%s", name, out, err)
        check("Hung up after 2" in out, "%s: the call did not go on: %s", name, out)
        check(50000 < os.path.getsize(lab.path(name + ".wav")) <= 60000, "%s: what was written is gone", name)
    p, _ = start(lab, "-A", "file:," + lab.path("whole.wav"), "dial", other.uri, "--for", "500ms", stdin=subprocess.DEVNULL)
    code, out, err = finish(p)
    check(code == 0, "exit code %d\n%s%s", code, out, err)


def test_input_closed_in_mid_script(lab):
    """queued lines finish, the last one without its end; then BYE"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    p, _ = start(lab, "-q", "-A", "tone:440")
    p.stdin.write(("dial %s\nwait call active 10s\nsleep 500ms\nprint half a li" % other.uri).encode())
    code, out, err = finish(p)
    check(code == 0 and out.endswith("half a li\n"), "%d %s %s", code, out, err)
    end = other.event("call.state", state="ended")
    check(end["duration_ms"] > 300, "%s", end)


def test_descriptors_closed(lab):
    """started without stdin, stdout or stderr: sockets take not their place"""
    for closing in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        r = subprocess.run(["sh", "-c", 'exec "$@" ' + closing, "sh", lab.program, "-c", lab.dir] + QUIET +
                           ["--json", "-e", "status"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        check(r.returncode == 0, "%s: exit code %d %r", closing, r.returncode, r.stderr)
        check(b"SIP/2.0" not in r.stdout + r.stderr, "%s: %r", closing, r.stdout)


def test_reader_stops(lab):
    """nobody reads stdout: the phone still answers, and quits when told"""
    p, port = start(lab, "--json", "--auto-answer", "-A", "null")
    try:
        p.stdin.write(b"help\n" * 2000)
        p.stdin.flush()
        time.sleep(1)
        for _ in range(3):
            exits(lab.run(*QUIET, "options", "sip:127.0.0.1:%d" % port, "--timeout", "2s"), 0)
        p.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        check(p.wait(15) == 0, "exit code %d", p.returncode)
        check(time.monotonic() - begin < 6, "it waited for the reader")
    finally:
        p.kill()
        finish(p)


def test_log_reader_stops(lab):
    """the same for the log and the trace"""
    p, port = start(lab, "-vv", "-t", "-A", "null", "--auto-answer", stdout=subprocess.DEVNULL)
    try:
        for _ in range(3):
            s = lab.sipp(None, "-r", "50", sn="uac", to="127.0.0.1:%d" % port, calls=30)
            s.well()
        p.send_signal(signal.SIGTERM)
        check(p.wait(10) == 0, "exit code %d", p.returncode)
    finally:
        p.kill()
        _, _, err = finish(p)
    check(len(err) > 30000, "the pipe was not full: %d", len(err))


def test_reader_leaves(lab):
    """stdout is closed: it hangs up and leaves, quietly, as after SIGPIPE"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    p, _ = start(lab, "--json", "-A", "null")
    try:
        p.stdin.write(("dial %s\nwait call active\n" % other.uri).encode())
        p.stdin.flush()
        other.event("call.state", state="active")
        p.stdout.close()
        check(p.wait(10) == 141, "exit code %d", p.returncode)
        check(p.stderr.read() == b"", "it was not quiet")
        other.event("call.state", state="ended")
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        p.stdin.close()
        p.stderr.close()


def test_output_cannot_be_written(lab):
    """a full disk for replies and events: one line, and no success"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    for args in (["status"], ["-j", "status"], ["-j", "--auto-answer", "-e", "calls"], ["listen"],
                 ["-j", "dial", other.uri]):
        with open("/dev/full", "wb") as full:
            r = subprocess.run([lab.program, "-c", lab.dir] + QUIET + args, stdin=subprocess.DEVNULL, stdout=full,
                               stderr=subprocess.PIPE, text=True, timeout=30)
        told = [x for x in r.stderr.splitlines() if not x.startswith("warn: ")]
        check(r.returncode == 1 and len(told) == 1 and told[0].startswith("error: no-output: "), "%s: %d %s", args,
              r.returncode, r.stderr)


def test_peer_vanishes(lab):
    """killed in mid-call: found out, and the exit code says so"""
    other = lab.offhook("--auto-answer", audio="tone:1000").ready()
    p, _ = start(lab, "-A", "tone:440", "-s", "rtp-timeout=1s", "-s", "sip-timeout=2s", "dial", other.uri)
    other.event("call.state", state="active")
    time.sleep(1)
    other.proc.kill()
    other.stop = lambda: None
    code, out, err = finish(p, 60)
    check(code == 9, "exit code %d\n%s%s", code, out, err)


def test_log_to_file(lab):
    """and nothing of it on stderr"""
    log = lab.path("log")
    other = lab.offhook("--auto-answer=486").ready()
    _, _, err = exits(lab.run(*QUIET, "-vv", "--log", log, "dial", other.uri), 4)
    check(err == "", "%s", err)
    with open(log, encoding="utf-8") as f:
        text = f.read()
    check("debug" in text and "calling" in text, "%s", text)
    exits(lab.run(*QUIET, "--log", lab.path("no", "log"), "print", "x"), 2)


def test_trace(lab):
    """credentials are masked, and a file is appended to"""
    trace = lab.path("trace")
    other = lab.offhook("--auto-answer").ready()
    for _ in range(2):
        exits(lab.run(*QUIET, "--trace=" + trace, "options", other.uri), 0)
    with open(trace, encoding="utf-8") as f:
        text = f.read()
    check(text.count("OPTIONS sip:") == 2 and text.count("SIP/2.0 200") == 2, "%s", text)
    exits(lab.run(*QUIET, "--trace=" + lab.path("no", "trace"), "status"), 2)


def test_passwords_are_overwritten(lab):
    """none in the list of processes"""
    p, _ = start(lab, "-A", "null", "-a", "sip:alice@127.0.0.1;password=Geheim1", "--account=sip:b@127.0.0.1;ha1=" +
                 "0123456789abcdef" * 2)
    try:
        with open("/proc/%d/cmdline" % p.pid, "rb") as f:
            line = f.read()
        check(b"Geheim1" not in line and b"0123456789abcdef" not in line and b"alice" in line, "%r", line)
    finally:
        code, _, err = finish(p)
    check(code == 0, "%d %s", code, err)


def test_password_command(lab):
    for command, code in (("echo secret", 0), ("false", 2), ("true", 2), ("yes", 0)):
        got = lab.run(*QUIET, "-a", "sip:a@127.0.0.1;password-command=" + command.replace(" ", "%20"), "accounts")
        exits(got, code, command)
        check("secret" not in got[1] + got[2], "the password is shown")


def test_configuration(lab):
    """files are read; what is wrong is told with file and line"""
    folder = lab.path("conf")
    os.makedirs(folder)

    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    write("offhook.conf", "# ours\ncodecs = pcmu\n")
    write("accounts", "[work]\nuri = sip:alice@127.0.0.1\npassword = hush\n")
    _, out, _ = exits(lab.run("-c", folder, *QUIET, "show", "codecs"), 0)
    check("pcmu" in out and "opus" not in out, "%s", out)
    _, out, _ = exits(lab.run("-c", folder, *QUIET, "-s", "codecs=pcma", "show", "codecs"), 0)
    check("pcma" in out, "-s does not win: %s", out)
    _, out, _ = exits(lab.run("-c", folder, *QUIET, "accounts"), 0)
    check("work" in out and "hush" not in out, "%s", out)
    exits(lab.run("-c", folder, "config", "check"), 0)
    write("accounts", "[work]\nuri = sip:alice@127.0.0.1\npasswrd = hush\n")
    _, _, err = exits(lab.run("-c", folder, *QUIET, "accounts"), 2)
    check("accounts" in err and "3" in err and "password" in err, "%s", err)
    _, _, err = exits(lab.run("-c", folder, "config", "check"), 2)
    check("password" in err, "%s", err)


def test_udp_storm(lab):
    """garbage on the port disturbs nobody"""
    p, port = start(lab, "-q", "-A", "null", "--auto-answer")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for i in range(2000):
                s.sendto(bytes((i * k + k) % 256 for k in range(i % 200)), ("127.0.0.1", port))
        exits(lab.run(*QUIET, "options", "sip:127.0.0.1:%d" % port, "--timeout", "3s"), 0)
        p.send_signal(signal.SIGTERM)
    finally:
        code, _, err = finish(p)
    check(code == 0, "%d %s", code, err[-2000:])


def until(fd, text, timeout=10):
    """read what the terminal shows until that is there -> all of it"""
    seen, end = b"", time.monotonic() + timeout
    while text not in seen:
        left = end - time.monotonic()
        check(left > 0 and select.select([fd], [], [], left)[0], "no %r in %r", text, seen)
        try:
            seen += os.read(fd, 4096)
        except OSError:
            raise Failed("it ended: %r" % seen)
    return seen


def test_terminal(lab):
    """a person who wants a prompt: mistakes are no end, Ctrl-D leaves"""
    master, slave = pty.openpty()
    p = subprocess.Popen([lab.program, "--plain", "-c", lab.dir] + QUIET, stdin=slave, stdout=slave, stderr=slave,
                         start_new_session=True)
    os.close(slave)
    try:
        until(master, b"offhook> ")
        os.write(master, b"nonsense\n")
        # typed ahead of the prompt, the echo would stand before it
        seen = until(master, b"unknown-command")
        if b"offhook> " not in seen.split(b"unknown-command", 1)[1]:
            until(master, b"offhook> ")
        os.write(master, b"print still here\n")
        until(master, b"\nstill here\r\noffhook> ")
        os.write(master, b"\x04")
        check(p.wait(10) == 0, "exit code %d", p.returncode)
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        os.close(master)


if __name__ == "__main__":
    main(globals())
