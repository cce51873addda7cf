#!/usr/bin/env python3
"""Captures as other programs read them: pcapng opened by tshark, HEP as a
Homer server gets it."""
import glob
import json
import os
import re
import socket
import struct
import subprocess
import time

from lab import Program, check, main, need, ports, wait_port
from scenario import recv, response

PLAIN = ["-s", "media-security=off"]
SECRET = "s3cret-of-the-tests"


def tshark(lab, path, *args):
    need("tshark")
    r = subprocess.run(["tshark", "-n", "-r", path] + list(args), capture_output=True, text=True, timeout=60,
                       env={**os.environ, "HOME": lab.dir})
    check(r.returncode == 0, "tshark: %s", r.stderr)
    check("Malformed" not in r.stdout, "%s", r.stdout)
    return r.stdout


def call(lab, phone, other, seconds=0.6):
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    phone.command("sleep %g" % seconds)
    phone.command("hangup")
    phone.event("call.state", state="ended")
    phone.command("sleep 0.3")


def written(phone, what, count, seconds):
    """wait until the capture has so many files, or packets"""
    end = time.monotonic() + seconds
    while phone.command("pcap")[what] < count:
        check(time.monotonic() < end, "%s", phone.command("pcap"))
        phone.command("sleep 0.1")


def test_udp(lab):
    """SIP with its description, RTP and RTCP, each way; checksums are right"""
    other = lab.offhook("--auto-answer", audio="tone:1000", name="other").ready()
    phone = lab.offhook(*PLAIN, audio="tone:440").ready()
    path = lab.path("a.pcapng")
    phone.command("pcap " + path)
    check(phone.reply("pcap x")["error"] == "already", "two at a time")
    call(lab, phone, other)
    r = phone.command("pcap stop")
    check(r["messages"] >= 5 and r["packets"] > 20 and r["lost"] == 0, "%s", r)
    check(os.path.getsize(path) == r["bytes"], "%s", r)
    out = tshark(lab, path, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    check("SIP/SDP" in out and "Request: INVITE" in out and "Status: 200 OK" in out and "Request: BYE" in out, "%s", out)
    rtp = tshark(lab, path, "-Y", "rtp", "-T", "fields", "-e", "udp.srcport", "-e", "rtp.ssrc").split("\n")
    check(len({x for x in rtp if x}) == 2 and len(rtp) > 20, "%s", rtp)
    check(tshark(lab, path, "-Y", "rtcp").count("\n") >= 1, "no RTCP")
    bad = tshark(lab, path, "-o", "udp.check_checksum:TRUE", "-Y", "udp.checksum.status == 0 or ip.checksum.status == 0")
    check(not bad, "bad checksums:\n%s", bad)
    way = tshark(lab, path, "-Y", "sip.Method == INVITE", "-T", "fields", "-e", "frame.packet_flags_direction", "-e", "frame.comment")
    check(int(way.split()[0], 0) == 2, "%s", way)


def test_decrypted(lab):
    """what SRTP covers on the wire can be read when that is asked for"""
    other = lab.offhook("--auto-answer", "-s", "codecs=pcmu", audio="tone:1000", name="other").ready()
    phone = lab.offhook("-s", "codecs=pcmu", audio="tone:440").ready()
    path = lab.path("a.pcapng")
    phone.command("pcap %s --decrypt" % path)
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    check(phone.command("stats").get("security", "") != "none", "it is not protected")
    phone.command("sleep 1.5")
    phone.command("hangup")
    phone.event("call.state", state="ended")
    phone.command("pcap stop")
    sizes = tshark(lab, path, "-Y", "rtp", "-T", "fields", "-e", "udp.length").split()
    check(len(sizes) > 30 and set(sizes) == {"180"}, "20 ms of PCMU and no tag: %s", set(sizes))


def test_turned_over(lab):
    """many small files instead of one: each within its limit, each read alone, with
    the descriptions its sound is read by, and together all there was at the end"""
    other = lab.offhook("--auto-answer", "-s", "codecs=pcmu", audio="tone:1000", name="other").ready()
    phone = lab.offhook(*PLAIN, audio="tone:440").ready()
    path = lab.path("a.pcapng")
    phone.command("pcap %s --size 16 --keep 3" % path)
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    written(phone, "files", 6, 60)
    phone.command("hangup")
    phone.event("call.state", state="ended")
    r = phone.command("pcap stop")
    names = sorted(f for f in os.listdir(lab.dir) if f.startswith("a.pcapng"))
    check(names == ["a.pcapng", "a.pcapng.1", "a.pcapng.2", "a.pcapng.3"] and r["lost"] == 0, "%s %s", names, r)
    seqs = []
    for f in ("a.pcapng.3", "a.pcapng.2", "a.pcapng.1", "a.pcapng"):
        check(os.path.getsize(lab.path(f)) <= 16384, "%s: %d", f, os.path.getsize(lab.path(f)))
        said = tshark(lab, lab.path(f), "-Y", "sdp", "-T", "fields", "-e", "sip.CSeq.method", "-e", "frame.comment").splitlines()
        check(len(said) == 2 and all("INVITE" in x and "said before this file" in x for x in said), "%s: %s", f, said)
        rows = tshark(lab, lab.path(f), "-Y", "rtp and frame.packet_flags_direction == 2", "-T", "fields", "-e", "rtp.seq").split()
        seqs += [int(x) for x in rows]
    gaps = [(a, b) for a, b in zip(seqs, seqs[1:]) if (b - a) & 0xffff != 1]
    check(len(seqs) > 50 and not gaps, "%s", gaps)


def test_in_mid_call(lab):
    """a capture that begins while a call runs knows what its sound is; of one
    that is over nothing is left"""
    other = lab.offhook("--auto-answer", audio="tone:1000", name="other", transports=("udp", "tcp")).ready()
    phone = lab.offhook(*PLAIN, audio="tone:440", transports=("udp", "tcp")).ready()
    path = lab.path("a.pcapng")
    for way in ("udp", "tcp"):
        call(lab, phone, other)
        phone.command('dial "%s;transport=%s"' % (other.uri, way))
        phone.event("call.state", state="active", timeout=20)
        phone.command("pcap " + path)
        written(phone, "packets", 30, 30)
        phone.command("hangup")
        phone.event("call.state", state="ended")
        phone.command("pcap stop")
        said = tshark(lab, path, "-Y", "sip", "-T", "fields", "-e", "sip.CSeq.method").split()
        # the answer to BYE may come when the capture is over
        check(said[:3] == ["INVITE", "INVITE", "BYE"], "%s: %s", way, said)
        ssrcs = set(tshark(lab, path, "-Y", "rtp", "-T", "fields", "-e", "rtp.ssrc").split())
        check(len(ssrcs) == 2, "%s: %s", way, ssrcs)
        odd = tshark(lab, path, "-Y", "tcp.analysis.retransmission or tcp.analysis.lost_segment")
        check(not odd, "%s", odd)


def test_faults(lab):
    """packets that are lost or doubled on purpose are told one by one: those, and
    no others, are what the other side lacks, or has twice"""
    other = lab.offhook("--auto-answer", *PLAIN, audio="tone:1000", name="other").ready()
    phone = lab.offhook(*PLAIN, "-s", "codecs=pcmu", audio="tone:440").ready()
    path = lab.path("a.pcapng")
    other.command("pcap " + path)
    phone.command("fault out --loss 10 --duplicate 5 --seed 7")
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)

    def told(fault, protocol="rtp"):
        return [o["sequence"] for o in phone.objects() if o.get("event") == "rtp.fault" and o["fault"] == fault
                and o["protocol"] == protocol]

    end = time.monotonic() + 60
    while min(len(told("drop")), len(told("duplicate"))) < 8:
        check(time.monotonic() < end, "%s %s", told("drop"), told("duplicate"))
        phone.command("sleep 0.2")
    check(phone.command("print $rtp.fault.fault")["text"] in ("drop", "duplicate"), "a script does not know it")
    ways = {w["way"]: w for w in phone.command("fault off")["ways"]}
    check(ways["out"]["lost"] >= len(told("drop")) and ways["in"]["packets"] == 0, "%s", ways)
    # what was held back then goes out, and a few that nothing happens to
    phone.command("sleep 0.5")
    phone.command("hangup")
    phone.event("call.state", state="ended")
    r = other.command("pcap stop")
    check(r["lost"] == 0, "%s", r)
    e = phone.event("rtp.fault", again=True)
    check(e["call"] == 1 and e["way"] == "out" and e["remote"].startswith("127.0.0.1:") and "untold" not in e, "%s", e)
    rows = tshark(lab, path, "-Y", "rtp and frame.packet_flags_direction == 1", "-T", "fields", "-e", "rtp.seq").split()
    first = int(rows[0])
    came = [(int(x) - first + 0x8000 & 0xffff) - 0x8000 for x in rows]
    drop, twice = ({(x - first + 0x8000 & 0xffff) - 0x8000 for x in told(what)} for what in ("drop", "duplicate"))
    gone = set(range(max(came))) - set(came)
    check(gone == {x for x in drop if x >= 0} and not drop & set(came), "lost %s, told %s", gone, drop)
    check({x for x in came if came.count(x) > 1} == twice, "doubled %s, told %s", sorted(came), twice)


def large(sip, port, parts):
    """an INVITE whose description is long, and one of several parts"""
    sdp = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n" % port +
           "".join("a=x-note:%04d %s\r\n" % (i, "y" * 70) for i in range(150)))
    kind, body = "application/sdp", sdp
    if parts:
        kind = 'multipart/mixed; boundary="the edge"'
        body = ("--the edge\r\nContent-Type: application/isup; version=itu-t92+\r\n\r\nabc\r\n--the edge\r\n"
                "Content-Type: application/sdp\r\nContent-Disposition: session;handling=required\r\n\r\n%s\r\n"
                "--the edge--\r\n" % sdp)
    me = "%s:%d" % sip.getsockname()
    return ("INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: <sip:a@%s>;tag=1\r\n"
            "To: <sip:x@127.0.0.1>\r\nCall-ID: large-%d\r\nCSeq: 1 INVITE\r\nContact: <sip:a@%s>\r\nContent-Type: %s\r\n"
            "Content-Length: %d\r\n\r\n%s" % (me, port, me, port, me, kind, len(body), body)).encode()


def test_large(lab):
    """a description of 12 kB, by itself and as one part of several: a capture
    that begins later has it, the ladder shows it"""
    phone = lab.offhook("--auto-answer", *PLAIN, audio="tone:440").ready()
    for parts in (False, True):
        sip, rtp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for s in (sip, rtp):
            s.bind(("127.0.0.1", 0))
            s.settimeout(20)
        sip.sendto(large(sip, rtp.getsockname()[1], parts), ("127.0.0.1", phone.port))
        call_id = phone.event("call.state", state="active", timeout=20)["call"]
        answer = b""
        while b"SIP/2.0 200" not in answer:
            answer = sip.recv(65535)
        to = re.search(rb"\r\nTo: (.*)\r\n", answer).group(1).decode()
        port = rtp.getsockname()[1]
        sip.sendto(("ACK sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bKack%d\r\nMax-Forwards: 70\r\n"
                    "From: <sip:a@%s:%d>;tag=1\r\nTo: %s\r\nCall-ID: large-%d\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n" % (
                        *sip.getsockname(), port, *sip.getsockname(), to, port)).encode(), ("127.0.0.1", phone.port))
        path = lab.path("a.pcapng")
        phone.command("pcap " + path)
        written(phone, "packets", 10, 30)
        rtp.recv(2048)
        check("pcmu 127.0.0.1:%d" % rtp.getsockname()[1] in json.dumps(phone.command("ladder %d" % call_id)), "not in the ladder")
        phone.command("hangup %d" % call_id)
        phone.event("call.state", state="ended")
        phone.command("pcap stop")
        said = tshark(lab, path, "-Y", "sip.Method == INVITE", "-T", "fields", "-e", "sdp.media.port", "-e", "frame.comment")
        check(said.split("\t")[0] == str(rtp.getsockname()[1]) and "said before this file" in said, "%s", said)
        check(tshark(lab, path, "-Y", "rtp").count("\n") >= 5, "its sound is not known as such")


def test_tcp(lab):
    """a stream of messages is one conversation"""
    other = lab.offhook("--auto-answer", audio="tone:1000", name="other", transports=("tcp",)).ready()
    phone = lab.offhook(audio="tone:440", transports=("tcp",)).ready()
    path = lab.path("a.pcapng")
    phone.command("pcap %s --sip-only" % path)
    phone.command('dial "%s;transport=tcp"' % other.uri)
    phone.event("call.state", state="active", timeout=20)
    phone.command("hangup")
    phone.event("call.state", state="ended")
    phone.command("sleep 0.3")
    r = phone.command("pcap stop")
    check(r["packets"] == 0, "%s", r)
    out = tshark(lab, path, "-Y", "sip", "-T", "fields", "-e", "tcp.stream", "-e", "sip.CSeq.method")
    check(out.count("INVITE") >= 2 and out.count("BYE") == 2, "%s", out)
    check({x.split("\t")[0] for x in out.splitlines()} == {"0"}, "%s", out)
    odd = tshark(lab, path, "-Y", "tcp.analysis.retransmission or tcp.analysis.lost_segment")
    check(not odd, "%s", odd)


def test_past(lab):
    """what was said before can still be had; secrets cannot"""
    s = lab.sipp([recv("INVITE"), response(407, "Prove it", headers=[
        'Proxy-Authenticate: Digest realm="test", nonce="abc", algorithm=MD5']), recv("ACK"),
        recv("INVITE", checks=[("Proxy-Authorization", 'response="[0-9a-f]*"')]), response(486, "Busy"), recv("ACK")])
    phone = lab.offhook("-a", "sip:me@127.0.0.1:%d;password=%s;register=no" % (s.port, SECRET)).ready()
    phone.command("dial sip:test@127.0.0.1:%d" % s.port)
    phone.event("call.state", state="ended", code=486, timeout=20)
    s.well()
    path = lab.path("a.pcapng")
    phone.command("pcap %s --past --sip-only" % path)
    phone.command("pcap stop")
    out = tshark(lab, path, "-Y", "sip.auth.digest.response", "-T", "fields", "-e", "sip.auth.digest.response")
    check(out.strip().strip('"') == 32 * "x", "the answer to the challenge: %s", out)
    with open(path, "rb") as f:
        check(SECRET.encode() not in f.read(), "the password is in the file")


def test_pipe(lab):
    """as wireshark -k -i reads it"""
    need("tshark")
    other = lab.offhook("--auto-answer", audio="tone:1000", name="other").ready()
    phone = lab.offhook(audio="tone:440").ready()
    path = lab.path("pipe")
    os.mkfifo(path)
    check(phone.reply("pcap " + path)["error"], "nobody reads")
    reader = subprocess.Popen(["tshark", "-n", "-l", "-r", path, "-Y", "sip"], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, env={**os.environ, "HOME": lab.dir})
    try:
        for _ in range(200):
            r = phone.reply("pcap " + path)
            if r["ok"]:
                break
            phone.command("sleep 0.1")
        check(r["ok"], "%s", r)
        call(lab, phone, other)
        phone.command("pcap stop")
        out, _ = reader.communicate(timeout=30)
        check("INVITE" in out and "BYE" in out, "%s", out)
    finally:
        reader.kill()
        reader.wait()


def hep_chunks(data):
    check(data[:4] == b"HEP3" and struct.unpack(">H", data[4:6])[0] == len(data), "%r", data[:40])
    out, at = {}, 6
    while at < len(data):
        _, kind, n = struct.unpack(">HHH", data[at:at + 6])
        out[kind] = data[at + 6:at + n]
        at += n
    return out


def test_hep(lab):
    homer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    homer.bind(("127.0.0.1", 0))
    homer.settimeout(10)
    other = lab.offhook("--auto-answer", audio="tone:1000", name="other").ready()
    phone = lab.offhook("-s", "hep-server=127.0.0.1:%d" % homer.getsockname()[1], "-s", "hep-id=77").ready()
    phone.command("dial %s" % other.uri)
    phone.event("call.state", state="active", timeout=20)
    c = hep_chunks(homer.recv(65535))
    check(c[15].startswith(b"INVITE ") and c[1] == b"\x02" and c[2] == b"\x11" and c[11] == b"\x01", "%s", c)
    check(struct.unpack(">I", c[12])[0] == 77, "%s", c)
    check(struct.unpack(">H", c[7])[0] == phone.port and struct.unpack(">H", c[8])[0] == other.port, "%s", c)
    check(c[17] in c[15], "the Call-ID ties them together")


HEP_SERVER = r"""
debug=2
log_stderror=yes
fork=no
children=1
listen=udp:127.0.0.1:%(port)d
mpath="%(modules)s"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "db_text.so"
loadmodule "sipcapture.so"
modparam("sipcapture", "db_url", "text://%(dir)s")
modparam("sipcapture", "hep_capture_on", 1)
modparam("sipcapture", "capture_on", 0)
request_route {
  xlog("L_WARN", "heard $rm from $si:$sp, $ci\n");
  drop;
}
onreply_route {
  xlog("L_WARN", "heard $rs to $rm from $si:$sp, $ci\n");
  drop;
}
"""


def test_hep_server(lab):
    """what kamailio takes for a Homer server's packets are the messages of the
    call, in their order, from whom they were, over IPv4 and IPv6"""
    need("kamailio")
    modules = glob.glob("/usr/lib/*/kamailio/modules/")
    port = ports()
    os.makedirs(lab.path("db"))
    lab.file("db/version", "table_name(string) table_version(int)\nsip_capture:4\n")
    conf = lab.file("hep.cfg", HEP_SERVER % {"port": port, "dir": lab.path("db"), "modules": modules[0]})
    server = Program(lab, "kamailio", ["kamailio", "-f", conf, "-DD", "-E", "-m", "64", "-M", "8", "-Y", lab.dir])
    wait_port("127.0.0.1", port)
    for host in ("127.0.0.1", "::1"):
        tag = host.replace(":", "6")
        other = lab.offhook("--auto-answer", name="other" + tag, host=host).ready()
        phone = lab.offhook("-s", "hep-server=127.0.0.1:%d" % port, name="phone" + tag, host=host).ready()
        here, there = ("%s:%d" % (host, p.port) for p in (phone, other))
        call(lab, phone, other)
        server.wait_line("heard 200 to BYE from " + re.escape(there), 20)
        heard = [x.split("heard ")[1] for x in list(server.lines) if "heard " in x and (there in x or here in x)]
        check([x.split(",")[0] for x in heard] == ["INVITE from " + here, "200 to INVITE from " + there, "ACK from " + here,
                                                   "BYE from " + here, "200 to BYE from " + there], "%s", heard)
        check(len({x.split(", ")[1] for x in heard}) == 1, "%s", heard)


if __name__ == "__main__":
    main(globals())
