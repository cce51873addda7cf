#!/usr/bin/env python3
"""Watching and being watched: presence, who is on the phone, any package."""
from home import check, main


def test_presence(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    number = a.command("subscribe presence " + b.uri)["subscription"]
    got = a.event("presence", again=True)
    check(got["status"] == "open" and got["who"] == b.uri, "%s", got)
    raw = a.event("subscription.notify", again=True, subscription=number, type="application/pidf+xml")
    check("<basic>open</basic>" in raw["body"], "%s", raw)

    b.command("publish away --note 'back at four'")
    got = a.event("presence", activity="away")
    check(got["status"] == "open" and got["note"] == "back at four", "%s", got)
    b.command("publish closed")
    a.event("presence", status="closed")

    check(a.command("subscriptions")["subscriptions"][0]["state"] == "active", "not active")
    a.command("unsubscribe %d" % number)
    a.event("subscription.state", state="ended")
    check(a.command("subscriptions")["subscriptions"] == [], "there is one still")


def test_on_the_phone(lab):
    """the lamp of a colleague: free, ringing, busy, free"""
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    c = lab.offhook(name="c").ready()
    a.command("subscribe dialog " + b.uri)
    a.event("dialog", again=True, state="free", count=0)
    c.command("dial " + b.uri)
    got = a.event("dialog", state="ringing")
    check(got["direction"] == "in" and str(c.port) in got["peer"] and got["count"] == 1, "%s", got)
    b.command("answer")
    a.event("dialog", state="busy")
    b.command("hangup")
    a.event("dialog", state="free", count=0)


def test_once(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    a.command("subscribe presence %s --once" % b.uri)
    a.event("presence", again=True, status="open")
    check(a.command("subscriptions")["subscriptions"] == [], "it is kept up")


def test_refused(lab):
    a = lab.offhook(name="a").ready()
    b = lab.offhook(name="b").ready()
    reply = a.reply("subscribe presence " + b.uri)
    check(not reply["ok"] and reply["error"] == "refused" and "489" in reply["text"], "%s", reply)
    b2 = lab.offhook("--set", "watchers=yes", name="b2").ready()
    reply = a.reply("subscribe nonsense " + b2.uri)
    check(not reply["ok"] and "489" in reply["text"], "%s", reply)
    check(not a.reply("subscribe 'no token' " + b2.uri)["ok"], "a package of two words")
    check(not a.reply("unsubscribe 7")["ok"], "what is not there is ended")
    check(not b.reply("publish away")["ok"], "published without an account")


def test_end(lab):
    """who is watched leaves: the watcher hears of it"""
    a = lab.offhook(name="a").ready()
    b = lab.offhook("--set", "watchers=yes", name="b").ready()
    a.command("subscribe presence " + b.uri)
    b.say("quit")
    a.event("subscription.state", state="ended", reason="noresource")


if __name__ == "__main__":
    main(globals())
