#!/usr/bin/env python3
"""Transfers between three phones: blind, attended, refused, asked about, and
one whose target is busy."""
from home import check, main


def three(lab, *bob_args, carol="--auto-answer"):
    """alice in a call with bob, who answers; carol is the one to be called"""
    alice = lab.offhook(name="alice").ready()
    bob = lab.offhook("--auto-answer", *bob_args, name="bob").ready()
    carol = lab.offhook(carol, name="carol").ready()
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    return alice, bob, carol


def test_blind(lab):
    alice, bob, carol = three(lab)
    alice.command("transfer " + carol.uri, 20)
    states = [o["state"] for o in alice.objects() if o.get("event") == "call.transfer"]
    check(states[0] == "trying" and states[-1] == "done", "%s", states)
    alice.event("call.state", call=1, state="ended", by="local", cause="none")
    bob.event("call.transfer", by="remote", state="accepted", target=carol.uri, new_call=2)
    bob.event("call.transfer", by="remote", state="done", code=200)
    bob.event("call.state", again=True, call=1, state="ended", by="remote")
    carol.event("call.state", state="active")
    check(not bob.command("calls")["calls"][0]["call"] == 1, "the old call is there still")


def test_attended(lab):
    alice, bob, carol = three(lab)
    alice.command("hold")
    alice.command("dial " + carol.uri)
    alice.command("wait call active 10")
    alice.command("transfer --call 1 --to 2", 20)
    for call in 1, 2:
        alice.event("call.state", again=True, call=call, state="ended", cause="none")
    # carol's new call is bob, and it takes the place of the old one
    carol.event("call.state", call=2, state="active", direction="in")
    carol.event("call.state", call=1, state="ended", by="local")
    check([c["call"] for c in carol.command("calls")["calls"]] == [2], "carol has another call")
    check([c["call"] for c in bob.command("calls")["calls"]] == [2], "bob has another call")


def test_target_busy(lab):
    alice, bob, _ = three(lab, carol="--auto-answer=486")
    reply = alice.reply("transfer " + _.uri, 20)
    check(not reply["ok"] and reply["error"] == "refused" and "486" in reply["text"], "%s", reply)
    alice.event("call.transfer", again=True, state="failed", code=486)
    bob.event("call.transfer", by="remote", state="failed", code=486)
    check(alice.command("calls")["calls"][0]["state"] == "active", "the call is over")


def test_denied(lab):
    alice, _, carol = three(lab, "--set", "transfers=deny")
    reply = alice.reply("transfer " + carol.uri, 20)
    check(not reply["ok"] and "603" in reply["text"], "%s", reply)
    check(alice.command("calls")["calls"][0]["state"] == "active", "the call is over")


def test_asked(lab):
    alice, bob, carol = three(lab, "--set", "transfers=ask")
    alice.say("transfer " + carol.uri)
    bob.event("call.transfer", state="asked", by="remote", target=carol.uri)
    bob.command("transfer --refuse")
    alice.event("call.transfer", state="failed", code=603)
    alice.say("transfer " + carol.uri)
    bob.event("call.transfer", state="asked", by="remote")
    bob.command("transfer --accept")
    alice.event("call.transfer", state="done")
    carol.event("call.state", state="active")
    reply = bob.reply("transfer --accept")
    check(not reply["ok"], "nobody asks, and it is accepted: %s", reply)


def refer(c, phone, target):
    return c.reply("request REFER %s --header 'Refer-To: <%s>'" % (phone.uri, target.uri))


def test_outside(lab):
    """a stranger may not make the phone call somebody: the user is asked"""
    bob = lab.offhook(name="bob").ready()
    stranger = lab.offhook(name="stranger").ready()
    carol = lab.offhook("--auto-answer", name="carol").ready()
    check(refer(stranger, bob, carol).get("code") == 202, "not taken")
    got = bob.event("call.transfer", state="asked", by="remote", target=carol.uri)
    check("call" not in got and str(stranger.port) in got["from"], "%s", got)
    bob.command("transfer --refuse")
    bob.event("call.transfer", state="refused")
    refer(stranger, bob, carol)
    bob.event("call.transfer", state="asked", by="remote", target=carol.uri)
    bob.command("transfer --accept")
    bob.event("call.state", state="active")
    carol.event("call.state", state="active")


def test_outside_many(lab):
    """whoever asks and asks takes no place from others"""
    bob = lab.offhook(name="bob").ready()
    stranger = lab.offhook(name="stranger").ready()
    codes = [refer(stranger, bob, stranger).get("code") for _ in range(9)]
    check(codes == [202] * 8 + [503], "%s", codes)
    check(bob.command("calls")["calls"] == [], "it calls")


def test_outside_policies(lab):
    stranger = lab.offhook(name="stranger").ready()
    carol = lab.offhook("--auto-answer", name="carol").ready()
    for policy, code in (("deny", 603), ("known", 603), ("accept", 202)):
        bob = lab.offhook("--set", "transfers-outside=" + policy, name="bob-" + policy).ready()
        got = refer(stranger, bob, carol)
        check(got.get("code") == code, "%s: %s", policy, got)
        if code == 202:
            bob.event("call.state", state="active")
        else:
            check(bob.command("calls")["calls"] == [], "%s: it calls", policy)


def test_outside_no_less_strict(lab):
    """who refuses those of his calls refuses all"""
    stranger = lab.offhook(name="stranger").ready()
    bob = lab.offhook("--set", "transfers=deny", "--set", "transfers-outside=accept", name="bob").ready()
    check(refer(stranger, bob, stranger).get("code") == 603, "not refused")
    bob = lab.offhook("--set", "transfers=ask", "--set", "transfers-outside=accept", name="bob2").ready()
    check(refer(stranger, bob, stranger).get("code") == 202, "refused")
    bob.event("call.transfer", state="asked")


def test_wrong(lab):
    alice, _, carol = three(lab)
    for line, token in (("transfer", "missing-argument"), ("transfer a --to 1", "missing-argument"),
                        ("transfer --to 1", "bad-argument"), ("transfer --to 9", "no-such-call"),
                        ("transfer http://x", "bad-target")):
        reply = alice.reply(line)
        check(not reply["ok"] and reply["error"] == token, "%s: %s", line, reply)
    alice.command("hangup")
    alice.event("call.state", state="ended")
    check(alice.reply("transfer " + carol.uri)["error"] == "no-call", "a call that is over is transferred")


if __name__ == "__main__":
    main(globals())
