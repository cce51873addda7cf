#!/usr/bin/env python3
"""Sound over a link that loses a tenth of its packets: what the reports of one
phone make the other do. Root and /dev/net/tun are needed: the link joins two
namespaces. SIP is not lost here, see lossy.py."""
import os
import subprocess
import sys
import time

from lab import check, main, ports

HERE = os.path.dirname(os.path.abspath(__file__))
LINK = os.path.join(HERE, os.pardir, "tools", "bad-network")
FAR, NEAR = "10.77.0.1", "10.77.0.2"
MEDIA = "udp:40000-49998"
LONG = 60


def pair(lab, *args, theirs="tone:700"):
    """alice, on the other side of the link, in a call with bob; both sound"""
    args = ("-s", "media-ports=40000-49998") + args
    a = lab.offhook(*args, name="alice", host=FAR, port=ports(1, NEAR), audio="tone:440",
                    wrap=("ip", "netns", "exec", os.environ["OFFHOOK_FAR"])).ready()
    b = lab.offhook(*args, "--auto-answer", name="bob", host=NEAR, audio=theirs).ready()
    a.command("dial " + b.uri, LONG)
    a.event("call.state", timeout=LONG, call=1, state="active")
    b.event("call.state", timeout=LONG, call=1, state="active")
    return a, b


def until(phone, what, enough, seconds=120):
    """the figures of its call, when that one has come so far"""
    end = time.monotonic() + seconds
    while True:
        st = phone.command("stats")
        if st.get(what, 0) >= enough:
            return st
        check(time.monotonic() < end, "%s: %s is not %s: %s", phone.name, what, enough, st)
        time.sleep(1)


def comes_twice(lab, codec):
    phones = pair(lab, "-s", "codecs=" + codec, "-s", "redundancy=yes")
    for p in phones:
        first = until(p, "packets_recovered", 30)
        last = until(p, "packets_lost", first["packets_lost"] + 30)
        lost = last["packets_lost"] - first["packets_lost"]
        made_up = last["concealed_ms"] - first["concealed_ms"]
        check(last["packets_recovered"] - first["packets_recovered"] > lost / 2, "%s, then %s", first, last)
        check(made_up < 20 * lost / 2, "%s, then %s", first, last)
        until(p, "remote_loss_pct", 0.1)


def test_redundancy(lab):
    """what is missed comes once more with the next, once it has been told"""
    comes_twice(lab, "pcmu")


def test_redundancy_opus(lab):
    """the same with one farther on; what is between has copies of its own"""
    comes_twice(lab, "opus")


def asks(lab, *more):
    phones = pair(lab, "-s", "codecs=pcmu", "-s", "retransmission=yes", *more)
    for p in phones:
        first = until(p, "packets_recovered", 10)
        last = until(p, "packets_asked", first["packets_asked"] + 40)
        asked = last["packets_asked"] - first["packets_asked"]
        check(last["packets_recovered"] - first["packets_recovered"] > asked / 4, "%s, then %s", first, last)
        check(last["packets_resent"] > 20, "%s", last)
        check(not last.get("forged"), "%s", last)


def test_retransmission(lab):
    """what is missed is asked for, and comes while there is still time"""
    asks(lab, "-s", "media-security=off")


def test_retransmission_protected(lab):
    """the same under the same key, in reports that are protected too"""
    asks(lab, "-s", "media-security=require", "-s", "sdes=always", "-s", "dtls=no")


def test_not_wanted(lab):
    """who has not asked for it neither sends nor gets anything twice"""
    a, b = pair(lab, "-s", "codecs=pcmu", "-s", "media-security=off")
    for p in (a, b):
        st = until(p, "packets_lost", 60)
        check(not st["packets_recovered"], "%s", st)
        check(st["concealed_ms"] > 20 * 30, "%s", st)
        check(st["bytes_sent"] == 160 * st["packets_sent"], "%s", st)


def test_comfort_noise(lab):
    """who says nothing sends next to nothing, and is not missed for it"""
    a, b = pair(lab, "-s", "codecs=pcma", "-s", "comfort-noise=yes", "-s", "rtp-timeout=3s", theirs="silence")
    until(a, "packets_sent", 500)
    st = b.command("stats")
    check(5 < st["packets_sent"] < 100, "%s", st)
    check(st["packets_received"] > 300, "%s", st)
    check(a.command("calls")["calls"][0]["state"] == "active", "alice has given up")


def test_opus(lab):
    """FEC: little is made up that is not in the next packet; the sound is
    there all the time"""
    a, b = pair(lab, "-s", "codecs=opus")
    for p, hz in ((a, 700), (b, 440)):
        st = until(p, "packets_lost", 60)
        check(st["level_in_dbfs"] > -20, "%d Hz: %s", hz, st)
        check(st["delay_ms"] < 100, "%s", st)


def joined():
    """this program once more, with the link"""
    if os.geteuid() or not os.path.exists("/dev/net/tun"):
        print("skipped: needs root and /dev/net/tun")
        sys.exit(77)
    names = ["offhook-%s-%d" % (side, os.getpid()) for side in ("sfar", "snear")]
    r = subprocess.run([LINK, "--ns-a", names[0], "--ns-b", names[1], "--loss", "10", "--delay", "30", "--match", MEDIA,
                        "--", "ip", "netns", "exec", names[1], sys.executable, os.path.abspath(__file__)] + sys.argv[1:],
                       env=dict(os.environ, OFFHOOK_FAR=names[0]))
    sys.exit(r.returncode)


for test in (test_redundancy, test_redundancy_opus, test_retransmission, test_retransmission_protected, test_not_wanted, test_comfort_noise, test_opus):
    test.limit = 400

if __name__ == "__main__":
    if "OFFHOOK_FAR" not in os.environ:
        joined()
    main(globals())
