#!/usr/bin/env python3
"""Programs of the user's that hear of events and decide about calls: in time,
too late, failing, forking, many at once; none of it holds up a call."""
import json
import os
import time

from home import check, main


def hook(lab, phone_dir, name, text, mode=0o755):
    folder = os.path.join(lab.path(phone_dir), "hooks")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, mode)
    os.chmod(folder, 0o755)
    # an earlier one of the same second
    os.utime(folder, (time.time() + hook.n, time.time() + hook.n))
    hook.n += 1


hook.n = 1


def outcome(lab, script, *args, phone_args=("--auto-answer",), **kw):
    """a call to a phone with this hook `incoming` -> its end, and the phone"""
    hook(lab, "phone.d", "incoming", script)
    phone = lab.offhook(*phone_args, audio="null", name="phone").ready()
    caller = lab.offhook(audio="null", name="caller").ready()
    call = caller.command("dial %s --for 500ms %s" % (phone.uri, " ".join(args)))["call"]
    return caller.event("call.state", state="ended", call=call, timeout=30), phone


def test_events(lab):
    """what it is told: JSON on stdin, words in the environment"""
    out = lab.path("heard")
    hook(lab, "phone.d", "call.state", 'cat >> %s; echo "$OFFHOOK_EVENT $OFFHOOK_STATE $OFFHOOK_CALL" >> %s.env\n' % (out, out))
    phone = lab.offhook(audio="null", name="phone").ready()
    phone.command("dial sip:nobody@127.0.0.1:1")
    phone.event("call.state", state="ended", timeout=20)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            with open(out, encoding="utf-8") as f:
                got = [json.loads(x) for x in f]
            with open(out + ".env", encoding="utf-8") as f:
                words = f.read().split("\n")
            if len(got) == 2 and len(words) == 3:
                break
        except (OSError, ValueError):
            pass
        time.sleep(0.05)
    check({o["state"] for o in got} == {"calling", "ended"} and got[0]["event"] == "call.state", "%s", got)
    check("call.state ended 1" in words and "call.state calling 1" in words, "%s", words)


def test_decide(lab):
    """refuse with a code, send elsewhere, answer, leave it to the rules"""
    end, phone = outcome(lab, "echo reject 603 Never again\n")
    check(end["code"] == 603 and end["reason"] == "Never again", "%s", end)
    phone.end_of_input()
    other = lab.offhook("--auto-answer", audio="null", name="other").ready()
    for script, want in (("echo redirect %s\n" % other.uri, 200), ("echo answer\n", 200), ("true\n", 200),
                         ("echo name Bob; echo answer\n", 200), ("echo reject\n", 486)):
        hook(lab, "two.d", "incoming", script)
        two = lab.offhook("--auto-answer", audio="null", name="two").ready()

        caller = lab.offhook(audio="null", name="c%d" % hook.n).ready()
        call = caller.command("dial %s --for 300ms" % two.uri)["call"]
        end = caller.event("call.state", state="ended", call=call, timeout=30)
        check(end["code"] == want, "%s: %s", script, end)
        two.say("quit")
        two.proc.wait(20)
        lab.programs.remove(two)


def test_ring_tone(lab):
    """it chooses what the phone rings with; so do a contact and an account"""
    for i, (script, want) in enumerate((("echo ring chime\n", "chime"), ("echo tone soft; echo ring\n", "soft"),
                                        ("true\n", "warble"))):
        hook(lab, "r%d.d" % i, "incoming", script)
        phone = lab.offhook("-s", "tones=on", "-a", "sip:me@127.0.0.1;register=no;ring-tone=warble", audio="null",
                            name="r%d" % i).ready()
        caller = lab.offhook(audio="null", name="rc%d" % i).ready()
        call = caller.command("dial sip:me@%s" % phone.uri.replace("sip:", "").split("@")[-1])["call"]
        caller.event("call.state", state="ringing", call=call, timeout=20)
        end = time.monotonic() + 20
        while phone.command("status").get("ring_tone") != want:
            check(time.monotonic() < end, "%r: rings with %s", script, phone.command("status").get("ring_tone"))
            time.sleep(0.05)
        caller.command("hangup")
        phone.event("call.state", state="ended", timeout=20)


def test_by_caller(lab):
    """it knows who calls"""
    hook(lab, "phone.d", "incoming", 'case "$OFFHOOK_PEER" in sip:bad@*) echo reject 403;; *) echo answer;; esac\n')
    phone = lab.offhook(audio="null", name="phone").ready()
    for who, code in (("bad", 403), ("good", 200)):
        caller = lab.offhook("-a", "sip:%s@127.0.0.1;register=no" % who, audio="null", name=who).ready()
        caller.command("dial %s --for 300ms" % phone.uri)
        end = caller.event("call.state", state="ended", timeout=30)
        check(end["code"] == code, "%s: %s", who, end)


def test_hangs(lab):
    """one that hangs: the call goes on by the rules when its time is over,
    and what it has started is ended with it"""
    pid = lab.path("pid")
    end, phone = outcome(lab, "sleep 300 &\necho $! > %s\nsleep 300\n" % pid, "", phone_args=(
        "--auto-answer", "-s", "hook-deadline=700ms"))
    check(end["code"] == 200, "%s", end)
    check("took too long" in phone.stderr(), "%s", phone.stderr())
    with open(pid, encoding="ascii") as f:
        child = int(f.read())
    deadline = time.monotonic() + 10
    while os.path.exists("/proc/%d" % child):
        with open("/proc/%d/stat" % child, encoding="ascii") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                break
        check(time.monotonic() < deadline, "its child lives")
        time.sleep(0.05)


def test_fails(lab):
    """failing, talking nonsense, too much of it, not reading its stdin"""
    for i, script in enumerate(("exit 3\n", "echo frobnicate the call\n", "yes nonsense\n", "exec 0<&-; echo reject 99\n",
                                "head -c 100000 /dev/zero\n", "kill -9 $$\n", "echo redirect http:x\n")):
        hook(lab, "p%d.d" % i, "incoming", script)
        phone = lab.offhook("--auto-answer", "-s", "hook-deadline=500ms", audio="null", name="p%d" % i).ready()
        caller = lab.offhook(audio="null", name="c%d" % i).ready()
        caller.command("dial %s --for 200ms" % phone.uri)
        end = caller.event("call.state", state="ended", timeout=30)
        check(end["code"] == 200, "%r: %s", script, end)
        check("hook" in phone.stderr(), "%r: nothing is said of it", script)


def test_person(lab):
    """while it thinks a person may answer; then nothing more is decided"""
    hook(lab, "phone.d", "incoming", "sleep 2; echo reject 603\n")
    phone = lab.offhook("-s", "hook-deadline=10s", audio="null", name="phone").ready()
    caller = lab.offhook(audio="null", name="caller").ready()
    caller.command("dial %s" % phone.uri)
    caller.event("call.state", state="ringing", timeout=20)
    phone.command("answer")
    caller.event("call.state", state="active", timeout=20)
    time.sleep(2.5)
    check(caller.command("calls")["calls"][0]["state"] == "active", "ended by the hook")


def test_bounded(lab):
    """many at once: few run, none is left over, the phone answers meanwhile"""
    hook(lab, "phone.d", "call.state", "sleep 30\n")
    phone = lab.offhook(audio="null", name="phone").ready()
    for _ in range(60):
        phone.command("dial sip:x@127.0.0.1:1")
    with open("/proc/%d/task/%d/children" % (phone.proc.pid, phone.proc.pid), encoding="ascii") as f:
        children = f.read().split()
    check(len(children) == 8, "%d run", len(children))
    check(phone.command("print x")["text"] == "x", "the phone")
    phone.say("quit")
    phone.proc.wait(30)
    for c in children:
        check(not os.path.exists("/proc/" + c), "a hook is left over")
    lab.programs.remove(phone)


def test_unsafe(lab):
    """what others may write is not run"""
    hook(lab, "phone.d", "incoming", "echo reject 603\n", mode=0o777)
    phone = lab.offhook("--auto-answer", audio="null", name="phone").ready()
    caller = lab.offhook(audio="null", name="caller").ready()
    caller.command("dial %s --for 200ms" % phone.uri)
    check(caller.event("call.state", state="ended", timeout=30)["code"] == 200, "it was run")
    check("others may write" in phone.stderr(), "%s", phone.stderr())


def test_chmod(lab):
    """that it may not be run is told once; it counts as soon as it may"""
    out = lab.path("heard")
    hook(lab, "phone.d", "account.state", "true\n")
    hook(lab, "phone.d", "call.state", 'echo "$OFFHOOK_STATE" >> %s\n' % out, mode=0o644)
    path = os.path.join(lab.path("phone.d"), "hooks", "call.state")
    phone = lab.offhook("-a", "sip:me@127.0.0.1:9;register=no", audio="null", name="phone").ready()

    def one_call():
        phone.command("dial sip:x@127.0.0.1:%d" % phone.port)
        phone.event("call.state", state="ended", timeout=30)

    def told():
        return phone.stderr().count("call.state is not run: it is not executable (chmod +x)")
    one_call()
    one_call()
    check(told() == 1 and not os.path.exists(out), "told %d times", told())
    os.chmod(path, 0o755)
    one_call()
    end = time.monotonic() + 20
    while not os.path.exists(out) or "ended" not in open(out, encoding="utf-8").read():
        check(time.monotonic() < end, "it is not run")
        time.sleep(0.05)
    os.chmod(path, 0o644)
    one_call()
    check(told() == 2, "told %d times", told())


def test_dialplan(lab):
    """numbers as they are dialled and as they are meant"""
    phone = lab.offhook("-a", "sip:me@127.0.0.1:9;register=no;name=a", audio="null", name="phone").ready()
    with open(os.path.join(phone.folder, "dialplan"), "w", encoding="utf-8") as f:
        f.write("# home\n0([1-9][0-9]*) = +49\\1\n00([0-9]+) = +\\1\n9[0-9]+ = strip 1   # outside line\n"
                "[1-9][0-9]{4,} = prefix +4930\n")
    with open(os.path.join(phone.folder, "contacts"), "w", encoding="utf-8") as f:
        f.write("Bob = 0301234567\n")
    for dialled, user in (("030/123-4567", "+49301234567"), ("00441234", "+441234"), ("9112", "112"), ("112", "112"),
                          ("12345", "+493012345"), ("bob", "+49301234567"), ("7", "7"), ("sip:00441@x.invalid", "00441")):
        phone.command("dial %s" % dialled)
        e = phone.event("call.state", state="calling", timeout=10)
        check(e["peer"].startswith("sip:%s@" % user), "%s: %s", dialled, e["peer"])
        phone.reply("hangup")
    with open(os.path.join(phone.folder, "dialplan"), "w", encoding="utf-8") as f:
        f.write("0([ = +49\\1\n")
    phone.command("dial 0301234567")
    check(phone.event("call.state", state="calling", timeout=10)["peer"].startswith("sip:+4930"), "not as before")
    check("dialplan:1: the pattern" in phone.stderr(), "%s", phone.stderr())


if __name__ == "__main__":
    main(globals())
