#!/usr/bin/env python3
"""Requests by hand, inside a call and outside; keys as INFO."""
from home import check, exits, main


def pair(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--auto-answer", name="b").ready()
    a.command("dial " + b.uri)
    a.command("wait call active 10")
    return a, b


def test_keys(lab):
    a, b = pair(lab)
    check(a.command("dtmf 12#a --via info")["sent"] == 4, "not four")
    for digit in "12#A":
        got = b.event("call.dtmf", digit=digit, via="info")
        check(got["duration_ms"] == 100, "%s", got)
    a.command("dtmf 8 --via info --for 300ms")
    check(b.event("call.dtmf", digit="8", via="info")["duration_ms"] == 300, "not so long")
    for line, ms in (("dtmf 9 --for 700ms", 700), ("dtmf 9", 100)):
        a.command(line)
        got = b.event("call.dtmf", digit="9", via="rtp")
        check(abs(got["duration_ms"] - ms) <= 20, "%s: %s", line, got)
    a.command("set dtmf-info plain")
    a.command("dtmf 7 --via info")
    check("duration_ms" not in b.event("call.dtmf", digit="7", via="info"), "it has a duration")
    b.command("expect dtmf 12#A8997 within 1")
    check(a.reply("dtmf ,, --via info")["ok"] is False, "pauses alone are sent")


def test_info(lab):
    a, b = pair(lab)
    check(a.command("info --type text/plain --body 'what is it'")["code"] == 200, "no 200")
    got = b.event("call.info")
    check((got["type"], got["body"], got["call"]) == ("text/plain", "what is it", 1), "%s", got)
    a.command("info")
    reply = a.reply("info --body x")
    check(reply["error"] == "bad-argument" or not reply["ok"], "a body without type")
    reply = a.reply("info --type application/dtmf-relay --body Signal=x")
    check(not reply["ok"] and reply["code"] == 400, "%s", reply)


def test_by_hand(lab):
    a, b = pair(lab)
    check(a.command("request OPTIONS --call 1")["code"] == 200, "no 200 in the call")
    check(a.command("request OPTIONS " + b.uri)["code"] == 200, "no 200 outside")
    reply = a.reply("request MAKETEA %s --header 'X-Sugar: two'" % b.uri)
    check(not reply["ok"] and reply["code"] == 501, "%s", reply)
    a.command("request MESSAGE %s --type text/plain --body 'by hand'" % b.uri)
    b.event("message.received", text="by hand")
    for line in ("request INVITE " + b.uri, "request BYE --call 1", "request OPTIONS", "request 'NO TOKEN' " + b.uri,
                 "request OPTIONS %s --header 'Via: me'" % b.uri, "request OPTIONS %s --header nothing" % b.uri):
        check(not a.reply(line)["ok"], "%s is done", line)
    check(a.command("calls")["calls"][0]["state"] == "active", "the call is over")


def test_exit(lab):
    b = lab.offhook("-a", "sip:bob@127.0.0.1", name="b").ready()
    exits(lab.run("-l", "udp:127.0.0.1", "request", "MESSAGE", "sip:nobody@127.0.0.1:%d" % b.port), 7)
    exits(lab.run("-l", "udp:127.0.0.1", "request", "OPTIONS", "sip:bob@127.0.0.1:%d" % b.port), 0)


if __name__ == "__main__":
    main(globals())
