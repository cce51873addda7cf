#!/usr/bin/env python3
"""What is done later: messages that wait, calls that are made again or end by
themselves, hours in which nobody disturbs"""
import os
import time

from lab import check, main, ports
from scenario import ack_refused, called, invite, ok, recv, response


def to(phone):
    return "127.0.0.1:%d" % phone.port


# --- messages that wait ------------------------------------------------------------

def test_message_waits(lab):
    """nobody is there: kept in a file, and sent by the next phone"""
    port = ports()
    a = lab.offhook("-s", "sip-timeout=1s", name="a").ready()
    r = a.reply("message sip:phone@127.0.0.1:%d see you at 4" % port, 30)
    check(not r["ok"], "%s", r)
    check(a.event("message.sent", result="stored")["to"] == "sip:phone@127.0.0.1:%d" % port, "another one")
    rows = a.command("outbox")["letters"]
    check(len(rows) == 1 and rows[0]["text"] == "see you at 4", "%s", rows)
    a.end_of_input()
    a.exit()
    kept = [os.path.join(d, f) for d, _, files in os.walk(lab.dir) for f in files if f == "outbox"]
    check(len(kept) == 1 and os.stat(kept[0]).st_mode & 0o777 == 0o600, "%s", kept)
    b = lab.offhook(name="b", port=port).ready()
    again = lab.offhook("-s", "sip-timeout=1s", "-c", a.folder, name="again").ready()
    check(b.event("message.received", 40)["text"] == "see you at 4", "another text")
    again.event("message.sent", 40, result="sent")
    check(not again.command("outbox").get("letters"), "it is still there")
    check(not os.path.exists(kept[0]), "the file is still there")


def test_message_waits_for_a_sign(lab):
    """the person writes: what waits goes out soon"""
    port = ports()
    a = lab.offhook("-s", "sip-timeout=1s", name="a").ready()
    a.reply("message sip:phone@127.0.0.1:%d one" % port, 30)
    a.event("message.sent", result="stored")
    b = lab.offhook("-a", "sip:phone@127.0.0.1:%d;register=no" % port, name="b", port=port).ready()
    b.command("message sip:phone@127.0.0.1:%d hello" % a.port)
    check(b.event("message.received", 20)["text"] == "one", "another text")


def test_message_refused(lab):
    """a refusal is an answer: nothing waits"""
    s = lab.sipp([recv("MESSAGE"), response(403, "Forbidden")])
    a = lab.offhook(name="a").ready()
    check(a.reply("message %s hi" % s.uri)["error"] == "refused", "not refused")
    check(not a.command("outbox").get("letters"), "it waits")
    s.well()


def test_one_shot_keeps_nothing(lab):
    code, out, err = lab.run("-s", "sip-timeout=1s", "-l", "udp:127.0.0.1:%d" % ports(), "message",
                             "sip:x@127.0.0.1:%d" % ports(), "hi")
    check(code == 9, "%d %s%s", code, out, err)
    check(not [f for _, _, files in os.walk(lab.dir) for f in files if f == "outbox"], "it is kept")


def test_displayed(lab):
    """IMDN (RFC 5438): delivered at once, displayed when it was looked at"""
    a, b = (lab.offhook(name=n).ready() for n in "ab")
    a.command("message sip:phone@127.0.0.1:%d --report hi" % b.port)
    a.event("message.sent", result="delivered")
    b.command("messages")
    a.event("message.sent", result="displayed")


# --- calls made again ----------------------------------------------------------------

def test_redial(lab):
    """busy twice, then answered: one call, one exit code"""
    s = lab.sipp([called(), response(486, "Busy Here"), recv("ACK")], calls=1, name="busy")
    code, out, err = lab.run("-A", "null", "-l", "udp:127.0.0.1:%d" % ports(), "dial", s.uri, "--redial", "1",
                             "--redial-after", "300ms", "--redial-on", "480")
    check(code == 4, "not for this reason: %d %s%s", code, out, err)
    s.well()
    phone = lab.offhook().ready()
    b = lab.offhook("--auto-answer=486", name="b").ready()
    phone.command("dial sip:phone@127.0.0.1:%d --redial 50 --redial-after 400ms" % b.port)
    seen = phone.event("call.state", state="calling", code=486)
    check(seen["redial_ms"] == 400, "%s", seen)
    b.command("auto-answer on")
    check(phone.event("call.state", state="active")["call"] == 1, "another call")


# --- nobody disturbs --------------------------------------------------------------------

def refused(lab, phone, code, name="sipp"):
    lab.sipp([invite(), recv(100, True), recv(code), ack_refused()], "-s", "phone", to=to(phone), name=name).well()


def test_dnd_of_an_account(lab):
    phone = lab.offhook("-a", "sip:phone@127.0.0.1;register=no;dnd=yes;dnd-code=486", name="a").ready()
    refused(lab, phone, 486)
    day = time.strftime("%a")
    other = time.strftime("%a", time.localtime(time.time() + 3 * 86400))
    phone = lab.offhook("-a", "sip:phone@127.0.0.1;register=no;dnd=%s" % day, name="b").ready()
    refused(lab, phone, 480, "today")
    phone = lab.offhook("-a", "sip:phone@127.0.0.1;register=no;dnd=%s" % other, name="c").ready()
    s = lab.sipp([invite(), recv(100, True), recv(180), recv(603, timeout=10000), ack_refused()], "-s", "phone",
                 to=to(phone), name="other")
    phone.event("call.state", state="incoming")
    phone.command("reject")
    s.well()
    code, _, err = lab.run("-a", "sip:x@y;dnd=Someday", "accounts")
    check(code == 2 and "schedule" in err, "%d %s", code, err)


def test_dnd_by_schedule(lab):
    phone = lab.offhook("-s", "dnd-schedule=%s,%s" % (
        time.strftime("%a"), time.strftime("%a", time.localtime(time.time() + 86400)))).ready()
    refused(lab, phone, 480)


def test_call_limit(lab):
    """a call that may not last: hung up, and the cause says so"""
    s = lab.sipp([called(), ok(), recv("ACK"), recv("BYE", timeout=20000), response(200, "OK", totag=False)])
    phone = lab.offhook("-s", "call-limit=700ms").ready()
    phone.command("dial " + s.uri)
    seen = phone.event("call.state", 20, state="ended")
    check(seen["cause"] in ("limit", "no-media") and seen["by"] == "local", "%s", seen)
    s.well()


if __name__ == "__main__":
    main(globals())
