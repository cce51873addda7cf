#!/usr/bin/env python3
"""What the phone says of itself: ladders, captures, findings, the doctor."""
import json
import os
import re
import socket
import subprocess
import urllib.request

import openmetrics
from home import Failed, Skip, check, exits, main, ports
from scenario import back, called, ok, pause, recv, response


def answering(lab, *args, **kw):
    return lab.offhook("--auto-answer", *args, **{"audio": "tone:1000", **kw}).ready()


def test_ladder(lab):
    """a call with its arrows, its description, its keys and its sound"""
    other = answering(lab, name="other")
    _, out, err = exits(lab.run("-l", "udp:127.0.0.1", "-A", "tone:440", "-q", stdin="""dial %s
wait call active 20s
sleep 300ms
dtmf 12
sleep 300ms
hangup
wait call ended 10s
sleep 500ms
ladder
ladder --to ladder.txt
ladder all
-ladder 99
-ladder nonsense
""" % other.uri), 0)
    rows = [r"-+ INVITE -+>\|  .*opus.* 127\.0\.0\.1:\d+ sendrecv", r"\|<-+ 200 OK -+\|  .*opus",
            r"-+ ACK -+>", r"sound: opus/48000, sendrecv", r"2 keys sent", r"-+ BYE -+>"]
    at = 0
    for r in rows:
        m = re.compile(r).search(out, at)
        check(m, "no /%s/ behind %d in\n%s", r, at, out)
        at = m.start()
    check(re.search(r"sound: \d+ packets sent, [1-9]\d* received", out[at:]), "%s", out)
    check(re.search(r"<-+ 200 OK -+\|  to BYE", out[at:]), "%s", out)
    with open(lab.path("ladder.txt"), encoding="utf-8") as f:
        check(" INVITE " in f.read(), "the file")
    check("no message of call 99" in out, "%s", out)
    check("bad-argument" in err and "nonsense" in err, "%s", err)


def test_ladder_json(lab):
    other = answering(lab, name="other")
    phone = lab.offhook().ready()
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    phone.command("hangup")
    phone.event("call.state", state="ended")
    m = phone.command("ladder 1")["messages"]
    check([x.get("method") for x in m if "method" in x][:1] == ["INVITE"], "%s", m)
    check(any(x.get("code") == 200 and x["method"] == "INVITE" and "opus" in x["description"] for x in m), "%s", m)
    check(all(x["call"] == 1 for x in m), "%s", m)
    check({x["direction"] for x in m if "direction" in x} == {"sent", "received"}, "%s", m)


def test_ladder_again(lab):
    """a retransmission is seen, and nobody answers; off is off"""
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("127.0.0.1", 0))
    phone = lab.offhook("-s", "sip-timeout=2s").ready()
    phone.command("dial sip:nobody@127.0.0.1:%d" % deaf.getsockname()[1])
    phone.event("call.state", state="ended", timeout=20)
    m = phone.command("ladder")["messages"]
    check(len([x for x in m if x.get("method") == "INVITE"]) >= 2, "%s", m)
    check([x["retransmission"] for x in m if x.get("method") == "INVITE"][:2] == [False, True], "%s", m)
    off = lab.offhook("-s", "capture-messages=0", name="off").ready()
    check(off.reply("ladder")["error"] == "wrong-state", "it is off")


def finding(lab, script, name, *texts, args=()):
    """the event after the call, and what `explain` says"""
    phone = lab.offhook(*args).ready()
    phone.command(script)
    phone.event("call.state", state="ended", timeout=45)
    e = phone.event("call.finding", again=True, timeout=5)
    check(e["finding"] == name, "%s", e)
    for t in texts:
        check(t in e["text"], "no '%s' in %s", t, e["text"])
    r = phone.command("explain 1")
    check(r["findings"][0]["name"] == name and r["findings"][0]["advice"], "%s", r)


def test_finding_no_response(lab):
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind(("127.0.0.1", 0))
    finding(lab, "dial sip:x@127.0.0.1:%d" % deaf.getsockname()[1], "no-response", "nothing came back",
            "Usually a firewall", args=("-s", "sip-timeout=2s"))


def test_finding_unreachable(lab):
    finding(lab, "dial sip:x@127.0.0.1:%d;transport=tcp" % ports(1), "unreachable", "refused", args=("-l", "tcp:127.0.0.1"))


def test_finding_488(lab):
    s = lab.sipp([recv("INVITE"), response(488, "Not Acceptable Here", headers=['Warning: 304 x "Media type"']), recv("ACK")])
    finding(lab, "dial %s" % s.uri, "codec-mismatch", "opus", "Media type")


def test_finding_auth(lab):
    ask = [recv("INVITE"), response(401, "Unauthorized", headers=[
        'WWW-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5']), recv("ACK")]
    s = lab.sipp(ask + ask)
    finding(lab, "dial sip:test@127.0.0.1:%d" % s.port, "auth", "password",
            args=("-a", "sip:me@127.0.0.1:%d;password=wrong;register=no" % s.port))


def test_finding_one_way(lab):
    """answered by somebody who never sends a packet"""
    s = lab.sipp([called("caller"), ok(), recv("ACK"), pause(2500), back("BYE", 1), recv(200)])
    finding(lab, "dial %s" % s.uri, "one-way-audio", "none came")


def test_finding_none(lab):
    """a good call and a busy one say nothing; a person is told the rest"""
    other = answering(lab, name="other")
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    phone.command("sleep 1")
    phone.command("hangup")
    phone.event("call.state", state="ended")
    r = phone.command("explain 1")
    check(r["findings"] == [] and not [o for o in phone.objects() if o.get("event") == "call.finding"], "%s", r)
    _, out, _ = exits(lab.run("-l", "tcp:127.0.0.1", "-A", "tone:440", "dial", "sip:x@127.0.0.1:%d;transport=tcp" % ports(1)), 9)
    check("It went wrong at the way to the server" in out, "%s", out)


def test_many_calls(lab):
    """the summary of many calls; some of them fail"""
    other = answering(lab, name="other", audio="null")
    phone = lab.offhook().ready()
    r = phone.reply("dial %s --calls 12 --rate 20 --concurrent 4 --for 300ms" % other.uri, 60)
    check(r["ok"] and r["calls"] == 12 and r["answered"] == 12 and r["failed"] == 0, "%s", r)
    check(1 <= r["most_at_once"] <= 4 and r["setup_p50_ms"] <= r["setup_p95_ms"] <= r["setup_max_ms"], "%s", r)
    check(sum(x["count"] for x in r["setups"]) == 12, "%s", r)
    check([(x["cause"], x["count"]) for x in r["endings"]] == [("none", 12)], "%s", r)
    busy = lab.offhook("--auto-answer=486", name="busy").ready()
    r = phone.reply("dial %s --calls 3 --rate 50" % busy.uri, 60)
    check(r["error"] == "calls-failed" and r["endings"] == [{"cause": "status", "code": 486, "count": 3}], "%s", r)
    check(phone.reply("dial %s --calls 3 --rate 0" % busy.uri)["error"] == "bad-argument", "rate 0")
    code, out, _ = lab.run("-l", "udp:127.0.0.1", "-A", "null", "-q", "dial", other.uri, "--calls", "3", "--for", "200ms")
    check(code == 0 and "set-up time" in out and "###" in out, "%s %s", code, out)
    code, _, _ = lab.run("-l", "udp:127.0.0.1", "-A", "null", "-q", "dial", busy.uri, "--calls", "2")
    check(code == 1, "exit code %s", code)


def test_journal(lab):
    """a run is recorded, drawn, and made a script that passes and can fail"""
    other = answering(lab, name="other")
    other.say("wait call active 30s")
    other.say("sleep 1500ms")
    other.say("dtmf 42#")
    path = lab.path("run.journal")
    exits(lab.run("-l", "udp:127.0.0.1", "-A", "tone:440", "-q", "--journal", path, stdin="""dial %s;x-password=hide
wait call active 20s
sleep 3500ms
-hangup 99
hangup
wait call ended 10s
""" % other.uri), 0)
    with open(path, encoding="utf-8") as f:
        records = [json.loads(x) for x in f]
    check(records[0]["journal"] and {"line", "event", "sip"} <= {k for r in records for k in r}, "%s", records[:3])
    check([r["line"].split()[0] for r in records if "line" in r] ==
          ["dial", "wait", "sleep", "-hangup", "hangup", "wait"], "%s", records)
    _, out, _ = exits(lab.run("ladder", path), 0)
    check("INVITE" in out and "BYE" in out and "key 4 received" in out, "%s", out)
    _, script, _ = exits(lab.run("replay", path), 0)
    check("dial sip:" in script and "wait call active" in script and "assert cause = none" in script, "%s", script)
    check("expect dtmf '42#'" in script, "%s", script)
    other.say("wait call incoming 30s")
    other.say("wait call active 30s")
    other.say("sleep 1500ms")
    other.say("dtmf 42#")
    exits(lab.run("-l", "udp:127.0.0.1", "-A", "tone:440", "-q", stdin=script), 0, script)
    exits(lab.run("-l", "udp:127.0.0.1", "-A", "tone:440", "-q",
                  stdin=script.replace("expect dtmf '42#' within 30s\n", "").replace("cause = none", "cause = status")), 1)
    bad = lab.file("bad", "{}\n")
    for line in ("replay " + bad, "ladder " + bad, "replay /nonexistent"):
        check(lab.run(*line.split())[0] in (1, 2), "%s", line)
    check(lab.run("-l", "udp:127.0.0.1", "--journal", "/nonexistent/x", "status")[0] == 2, "no such folder")


def test_journal_sipp(lab):
    """what SIPp was called for once is called for again by the script, and ends the same"""
    s = lab.sipp([called("caller"), response(180, "Ringing"), ok(), recv("ACK"), pause(1500), back("BYE", 1), recv(200)],
                 calls=2)
    path = lab.path("run.journal")
    where = ("-l", "udp:127.0.0.1", "-A", "tone:440", "-q")
    exits(lab.run(*where, "--journal", path, stdin="dial %s\nwait call ended 30s\n" % s.uri), 0)
    _, script, _ = exits(lab.run("replay", path), 0)
    check("assert code = 200" in script and "assert cause = no" in script, "%s", script)
    again = lab.path("again.journal")
    exits(lab.run(*where, "--journal", again, stdin=script), 0, script)
    s.well()

    def told(file):
        with open(file, encoding="utf-8") as f:
            rows = [json.loads(x) for x in f]
        return ([(r["state"], r.get("code")) for r in rows if r.get("event") == "call.state"],
                [r["text"].split(" ", 1)[0] for r in rows if r.get("sip") == "sent" and "SIP/2.0 " not in r["text"][:8]])
    check(told(path) == told(again), "%s\n%s", told(path), told(again))


def test_journal_of_the_dead(lab):
    """a phone that was killed has left what there is to read, but for half a line"""
    other = answering(lab, name="other")
    path = lab.path("run.journal")
    phone = lab.offhook("--journal", path, audio="tone:440").ready()
    phone.command("dial %s" % other.uri)
    phone.command("wait call active 20s")
    phone.proc.kill()
    phone.proc.wait()
    lab.programs.remove(phone)
    _, out, _ = exits(lab.run("ladder", path), 0)
    check("INVITE" in out and "200 OK" in out, "%s", out)
    with open(path, "rb") as f:
        text = f.read()
    half = lab.path("half.journal")
    with open(half, "wb") as f:
        f.write(text[:-20])
    _, out, _ = exits(lab.run("ladder", half), 0)
    check("INVITE" in out, "%s", out)
    _, script, _ = exits(lab.run("replay", half), 0)
    check("dial sip:" in script and "wait call active" in script, "%s", script)
    # but a line that is none is told wherever others follow it
    with open(half, "wb") as f:
        f.write(text[:-20] + b"\n" + text)
    check(lab.run("replay", half)[0] != 0, "half a line in the middle")


def test_fault(lab):
    """a bad network that is asked for: seen by the other side, and at home; over when it is over"""
    other = answering(lab, name="other")
    phone = lab.offhook(audio="tone:440").ready()
    phone.command("fault both --loss 20 --delay 30ms --duplicate 5 --reorder 3 --seed 7")
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    other.event("call.state", state="active", timeout=20)
    phone.command("sleep 4")
    here, there = phone.command("stats"), other.command("stats")
    ways = {w["way"]: w for w in phone.command("fault")["ways"]}
    for w in ways.values():
        check(w["packets"] > 80 and 0.08 < w["lost"] / w["packets"] < 0.35, "%s", ways)
    check(5 < here["loss_pct"] < 40 and 5 < there["loss_pct"] < 40, "%s %s", here, there)
    phone.command("fault off")
    before = other.command("stats")
    phone.command("sleep 1.5")
    after = other.command("stats")
    check(after["packets_lost"] - before["packets_lost"] < 10, "%s %s", before, after)
    check(phone.reply("fault both --loss 101")["error"] == "bad-argument", "101 %")


def figures(text):
    try:
        return openmetrics.figures(text)
    except openmetrics.Wrong as e:
        raise Failed("%s\n%s" % (e, text))


def test_metrics_reader(lab):
    """our reader of them finds what is wrong; another one reads ours"""
    openmetrics.check_self()
    phone = lab.offhook("-a", "sip:a%22b%5Cc@127.0.0.1:9;register=no;name=x", "-a",
                        "sip:d@127.0.0.1:%d;password=x;name=y" % ports(1), audio="null").ready()
    phone.command("dial sip:x@127.0.0.1:%d" % phone.port)
    phone.event("call.state", state="ended", timeout=30)
    text = phone.command("metrics")["text"]
    figures(text)
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", "import prometheus_client"], capture_output=True).returncode:
        raise Skip("python3-prometheus-client is not installed")
    r = subprocess.run([python, "-c", "import sys\nfrom prometheus_client.openmetrics.parser import "
                        "text_string_to_metric_families as f\nprint(len(list(f(sys.stdin.read()))))"], input=text,
                       capture_output=True, text=True)
    check(r.returncode == 0 and int(r.stdout) > 20, "%s%s\n%s", r.stdout, r.stderr, text)


def test_metrics(lab):
    other = answering(lab, name="other")
    port, path = ports(1), lab.path("m.sock")
    phone = lab.offhook("-s", "metrics=http:%d" % port, audio="tone:440").ready()
    before = figures(phone.command("metrics")["text"])
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as r:
        during = figures(r.read().decode())
        check(r.headers["Content-Type"].startswith("application/openmetrics-text"), "%s", r.headers)
    check(during['offhook_calls{state="active"}'] == 1, "%s", during)
    phone.command("sleep 1")
    phone.command("hangup")
    phone.event("call.state", state="ended")
    after = figures(phone.command("metrics")["text"])
    check(before['offhook_calls_started_total{direction="out"}'] == 0, "%s", before)
    check(after['offhook_calls_started_total{direction="out"}'] == 1, "%s", after)
    check(after['offhook_calls_ended_total{direction="out",cause="none"}'] == 1, "%s", after)
    check(after["offhook_call_setup_seconds_count"] == 1 and after["offhook_call_mos_count"] == 1, "%s", after)
    check(after["offhook_rtp_received_packets_total"] > 10 and after["process_open_fds"] > 5, "%s", after)

    unix = lab.offhook("-s", "metrics=unix:" + path, name="unix").ready()
    check(os.stat(path).st_mode & 0o777 == 0o600, "the socket's mode")
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        text = b""
        while True:
            got = s.recv(65536)
            if not got:
                break
            text += got
    check(figures(text.decode().split("\r\n\r\n", 1)[1]), "by the socket")
    with socket.socket(socket.AF_UNIX) as s:           # what is no request is not answered
        s.settimeout(10)
        s.connect(path)
        s.sendall(b"\0" * 8192)
        try:
            check(s.recv(10) == b"", "an answer to rubbish")
        except ConnectionResetError:
            pass
    unix.command("status")
    unix.quit()
    unix.exit()
    check(not os.path.exists(path), "the socket is left behind")


def test_metrics_file(lab):
    path = lab.path("m.prom")
    lab.offhook("-s", "metrics=file:" + path).ready()
    with open(path, encoding="utf-8") as f:
        figures(f.read())
    for bad in ("http:0", "http:192.0.2.1:9100", "nonsense", "file:"):
        code, _, err = lab.run("-l", "udp:127.0.0.1", "-s", "metrics=" + bad, "status")
        check(code == 2 and "bad-config" in err, "%s: %s %s", bad, code, err)


if __name__ == "__main__":
    main(globals())
