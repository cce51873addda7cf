#!/usr/bin/env python3
"""How a call sounds is told to each other: extended reports (RFC 3611), and to
who collects reports (RFC 6035)."""
import datetime
import queue
import re
import socket
import subprocess
import threading

from home import check, main, need


def quality(phone, **kw):
    """the next call.quality that knows what the peer says"""
    while True:
        e = phone.event("call.quality", timeout=20, **kw)
        if e.get("remote_mos"):
            return e


def test_extended_reports(lab):
    """both hear how they sound there; Wireshark reads it"""
    need("tshark")
    bob = lab.offhook("--auto-answer", audio="tone:1000", name="bob").ready()
    alice = lab.offhook("-s", "media-security=off", audio="tone:440", name="alice").ready()
    file = lab.path("call.pcapng")
    alice.command("pcap " + file)
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    for phone in (alice, bob):
        e = quality(phone)
        check(4.0 < e["remote_mos"] <= 4.5 and 80 < e["r_factor"] <= 93.2, "%s", e)
    s = alice.command("stats")
    check(s["remote_r_factor"] > 80 and s["burst_ratio"] == 1.0, "%s", s)
    alice.command("assert remote-mos > 4")
    alice.command("assert r-factor > 80")
    alice.command("hangup")
    alice.event("call.state", state="ended")
    alice.command("pcap stop")
    out = subprocess.run(["tshark", "-r", file, "-d", "udp.port==10000-19999,rtcp", "-Y", "rtcp.pt==207", "-T", "fields",
                          "-e", "rtcp.xr.bt", "-e", "rtcp.xr.voipmetrics.moscq", "-e", "rtcp.xr.voipmetrics.gmin"],
                         capture_output=True, text=True, timeout=60)
    rows = [r.split("\t") for r in out.stdout.splitlines() if r.strip()]
    check(rows and all(re.match(r"7$", r[0]) and r[2] == "16" for r in rows), "%s%s", out.stdout, out.stderr)
    check(all(4.0 < float(r[1]) < 4.6 for r in rows), "%s", rows)


def test_not_wanted(lab):
    """a peer that does not ask for them gets none"""
    from scenario import called, done, ok, recv
    s = lab.sipp([called(checks=[("body", "a=rtcp-xr:voip-metrics")]), ok(), recv("ACK"), recv("BYE", timeout=15000),
                  done()], "-rtp_echo")
    alice = lab.offhook(audio="tone:440").ready()
    alice.command("dial " + s.uri)
    alice.command("wait call active 10")
    alice.event("call.quality", timeout=10)
    e = alice.event("call.quality", timeout=10)
    check(e.get("remote_mos") is None, "%s", e)
    alice.command("hangup")
    s.well()


class Collector(threading.Thread):
    """takes PUBLISH on a port of its own and answers with one status"""

    def __init__(self, code=200):
        super().__init__(daemon=True)
        self.code, self.taken, self.seen = code, queue.Queue(), set()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.uri = "sip:collector@127.0.0.1:%d" % self.sock.getsockname()[1]
        self.start()

    def run(self):
        while True:
            data, who = self.sock.recvfrom(65535)
            head, _, body = data.decode().partition("\r\n\r\n")
            lines = head.split("\r\n")
            h = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            back = ["SIP/2.0 %d Whatever" % self.code]
            for name in ("via", "from", "to", "call-id", "cseq"):
                back.append("%s: %s%s" % (name, h[name], ";tag=c" if name == "to" else ""))
            self.sock.sendto(("\r\n".join(back + ["Content-Length: 0", "", ""])).encode(), who)
            if (h["call-id"], h["cseq"]) not in self.seen:
                self.seen.add((h["call-id"], h["cseq"]))
                self.taken.put((lines[0], h, body))

    def next(self, timeout=30):
        first, h, body = self.taken.get(timeout=timeout)
        check(first == "PUBLISH %s SIP/2.0" % self.uri, "%s", first)
        check(h["event"] == "vq-rtcpxr" and h["content-type"] == "application/vq-rtcpxr", "%s", h)
        check(body.endswith("\r\n") and all(":" in row or row in ("VQSessionReport", "VQIntervalReport") for row in body.split("\r\n")[:-1]), "%s", body)
        return body


def test_reports(lab):
    """one when it is asked for, one at the end, with what both sides hear"""
    collector = Collector()
    bob = lab.offhook("--auto-answer", audio="tone:1000", name="bob").ready()
    alice = lab.offhook("-s", "quality-report=" + collector.uri, audio="tone:440", name="alice").ready()
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    quality(alice)
    alice.command("report")
    e = alice.event("call.report", timeout=20)
    check((e["report"], e["result"], e["code"], e["to"]) == ("asked", "sent", 200, collector.uri), "%s", e)
    asked = collector.next()
    check(asked.startswith("VQSessionReport\r\n"), "%s", asked)
    alice.command("hangup")
    e = alice.event("call.report", timeout=20)
    check((e["report"], e["result"]) == ("end", "sent"), "%s", e)
    ended = collector.next()
    check(ended.startswith("VQSessionReport: CallTerm\r\n"), "%s", ended)
    for body in (asked, ended):
        local, _, remote = body.partition("RemoteMetrics:")
        for part in (local, remote):
            check(re.search(r"Timestamps:START=\S+Z STOP=\S+Z\r", part) and "PD=" in part, "%s", body)
            check(4.0 < float(re.search(r"MOSCQ=([\d.]+)", part).group(1)) <= 4.5, "%s", body)
        check(re.search(r"LocalAddr:IP=127.0.0.1 PORT=\d+ SSRC=0x[0-9a-f]{8}\r", local), "%s", body)
        check(re.search(r"DialogID:\S+;to-tag=\S+;from-tag=\S+\r", remote), "%s", body)
        call_id = re.search(r"CallID:(\S+)", local).group(1)
        check("DialogID:%s;" % call_id in remote, "%s", body)
    check(re.search(r"PacketLoss:NLR=0.0 JDR=0.0", ended), "%s", ended)


def when(body, name):
    """seconds of a time stamp in the first part"""
    text = re.search(name + r"=(\S+)Z", body).group(1)
    return datetime.datetime.fromisoformat(text + "+00:00").timestamp()


def test_intervals(lab):
    """again and again while it runs, each with what came since the one before; then the whole"""
    collector = Collector()
    bob = lab.offhook("--auto-answer", "-s", "codecs=pcmu", audio="tone:1000", name="bob").ready()
    alice = lab.offhook("-s", "quality-report=" + collector.uri, "-s", "quality-interval=5s", "-s", "quality-alert=off",
                        "-s", "codecs=pcmu", audio="tone:440", name="alice").ready()
    r = alice.reply("set quality-interval 1s")
    check(r["ok"] is False and "5s" in r["text"], "%s", r)
    alice.command("fault in --loss 40")
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    e = alice.event("call.report", timeout=40)
    check((e["report"], e["result"], e["code"]) == ("interval", "sent", 200), "%s", e)
    bad = collector.next()
    alice.command("fault off")
    bodies = [bad]
    # one may have begun before the loss ended
    for _ in range(2):
        alice.event("call.report", report="interval", timeout=40)
        bodies.append(collector.next())
    alice.command("hangup")
    alice.event("call.report", report="end", timeout=20)
    whole = collector.next()
    while whole.startswith("VQIntervalReport\r\n"):
        whole = collector.next()
    check(whole.startswith("VQSessionReport: CallTerm\r\n"), "%s", whole)

    lost = [float(re.search(r"PacketLoss:NLR=([\d.]+)", b).group(1)) for b in (*bodies, whole)]
    mos = [float(re.search(r"MOSCQ=([\d.]+)", b).group(1)) for b in (*bodies, whole)]
    check(lost[0] > 15 and lost[2] < 1 and 1 < lost[3] < lost[0], "lost %s", lost)
    check(mos[0] < 3.5 and mos[2] > mos[0] + 0.5, "MOS %s", mos)
    check(all(b.startswith("VQIntervalReport\r\n") and "BurstGapLoss" not in b for b in bodies), "%s", bodies)
    check("BurstGapLoss" in whole, "%s", whole)
    # each begins where the one before it ended
    spans = [(when(b, "START"), when(b, "STOP")) for b in bodies]
    check(all(stop - start > 4.9 for start, stop in spans), "%s", spans)
    check(all(abs(a[1] - b[0]) < 1 for a, b in zip(spans, spans[1:])), "%s", spans)


def test_alert(lab):
    """a call that becomes bad is reported while it runs, and when it is good again"""
    collector = Collector()
    bob = lab.offhook("--auto-answer", "-s", "codecs=pcmu", audio="tone:1000", name="bob").ready()
    alice = lab.offhook("-s", "quality-report=" + collector.uri, "-s", "codecs=pcmu", audio="tone:440", name="alice").ready()
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    alice.command("fault in --loss 40")
    e = alice.event("call.report", timeout=40)
    check(e["report"] == "alert" and e["severity"] in ("warning", "critical"), "%s", e)
    body = collector.next()
    check(re.match(r"VQAlertReport: Type=MOSCQ Severity=(Warning|Critical) Dir=local\r\n", body), "%s", body)
    alice.command("fault off")
    while e["severity"] != "clear":
        e = alice.event("call.report", timeout=40)
        check(e["report"] == "alert", "%s", e)
        body = collector.next()
    check("Severity=Clear" in body, "%s", body)


def test_refused(lab):
    """a collector that wants none is told of, and nobody without the option"""
    collector = Collector(489)
    bob = lab.offhook("--auto-answer", audio="tone:1000", name="bob").ready()
    alice = lab.offhook("-a", "sip:alice@127.0.0.1;register=no;quality-report=" + collector.uri, audio="tone:440", name="alice").ready()
    r = bob.reply("report")
    check(r["ok"] is False, "%s", r)
    alice.command("dial " + bob.uri)
    alice.command("wait call active 10")
    alice.event("call.quality", timeout=20)
    check(bob.reply("report")["ok"] is False, "nobody collects")
    alice.command("hangup")
    e = alice.event("call.report", timeout=20)
    check((e["report"], e["result"], e["code"]) == ("end", "failed", 489), "%s", e)
    check("LocalID:<sip:alice@127.0.0.1>" in collector.next(), "as whom")


class Marked:
    """a port that sees how what comes is marked"""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]

    def next(self):
        """-> the packet, its code point, whom it is from"""
        self.sock.settimeout(20)
        data, more, _, who = self.sock.recvmsg(65535, 256)
        return data, more[0][2][0] >> 2, who


def marked(lab, sip, rtp, *args):
    """a call to a peer that answers by hand: how is what we send marked?"""
    there, sound = Marked(), Marked()
    phone = lab.offhook(*args, "-s", "codecs=pcmu", audio="tone:440").ready()
    phone.command("dial sip:x@127.0.0.1:%d" % there.port)
    data, mark, who = there.next()
    check(data.startswith(b"INVITE ") and mark == sip, "%s %s", mark, data)
    lines = data.decode().split("\r\n")
    keep = [x + (";tag=t" if x.lower().startswith("to:") else "") for x in lines
            if x.lower().split(":")[0] in ("via", "from", "to", "call-id", "cseq")]
    sdp = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n" % sound.port)
    there.sock.sendto(("\r\n".join(["SIP/2.0 200 OK"] + keep + ["Contact: <sip:x@127.0.0.1:%d>" % there.port,
                      "Content-Type: application/sdp", "Content-Length: %d" % len(sdp), "", sdp])).encode(), who)
    data, mark, _ = sound.next()
    check(len(data) == 172 and mark == rtp, "%s of %d bytes", mark, len(data))


def test_marks(lab):
    """SIP and sound are marked for routers, as the options say"""
    marked(lab, 40, 46)
    marked(lab, 0, 10, "-s", "sip-dscp=0", "-s", "rtp-dscp=10")


if __name__ == "__main__":
    main(globals())
