#!/usr/bin/env python3
"""How a call sounds is told to each other: extended reports (RFC 3611)."""
import re
import subprocess

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


if __name__ == "__main__":
    main(globals())
