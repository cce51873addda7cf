"""gateway.py LAN-ADDRESS OUTER-ADDRESS [pcp] [nat-pmp] [lies] [restart=SECONDS]

A router's half of PCP (RFC 6887) and NAT-PMP (RFC 6886): what is asked for is
put into the chains "mapped" and "mapped_out" of the nftables table "nat". One
line of JSON for each request. lies: before each right answer come wrong ones."""
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time

LAN, OUTER = sys.argv[1:3]
SPEAKS = {x for x in sys.argv[3:] if x in ("pcp", "nat-pmp")} or {"pcp", "nat-pmp"}
LIES, LIFE = "lies" in sys.argv, 30
mapped, start = {}, time.monotonic()       # (address, port) -> outer port


def tell(what, **more):
    print(json.dumps({"what": what, **more}), flush=True)


def rules():
    text = "flush chain ip nat mapped\nflush chain ip nat mapped_out\n"
    for (host, port), out in mapped.items():
        text += 'add rule ip nat mapped iifname "wan" udp dport %d dnat to %s:%d\n' % (out, host, port)
        text += 'add rule ip nat mapped_out oifname "wan" ip saddr %s udp sport %d snat to %s:%d\n' % (host, port, OUTER, out)
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def want(host, port, life):
    """-> outer port"""
    if not life:
        mapped.pop((host, port), None)
        tell("delete", port=port)
    else:
        if (host, port) not in mapped:
            free = random.randrange(40000, 60000, 2)
            while free in mapped.values():
                free += 2
            mapped[host, port] = free
        tell("map", port=port, outer=mapped[host, port])
    rules()
    return mapped.get((host, port), 0)


def epoch():
    return int(time.monotonic() - start)


def pcp(p, who):
    if len(p) < 60 or p[1] != 1:
        return None
    life, = struct.unpack(">I", p[4:8])
    host = socket.inet_ntoa(p[20:24])
    port, = struct.unpack(">H", p[40:42])
    if host != who[0]:
        return bytes([2, 0x81, 0, 12]) + struct.pack(">II", 30, epoch()) + bytes(12) + p[24:]
    out = want(host, port, life)
    return (bytes([2, 0x81, 0, 0]) + struct.pack(">II", min(life, LIFE), epoch()) + bytes(12) + p[24:42] +
            struct.pack(">H", out) + bytes(10) + b"\xff\xff" + socket.inet_aton(OUTER))


def natpmp(p, who):
    if len(p) == 2 and p[1] == 0:
        return bytes([0, 0x80, 0, 0]) + struct.pack(">I", epoch()) + socket.inet_aton(OUTER)
    if len(p) != 12 or p[1] != 1:
        return None
    port, _, life = struct.unpack(">HHI", p[4:12])
    out = want(who[0], port, life)
    return bytes([0, 0x81, 0, 0]) + struct.pack(">IHHI", epoch(), port, out, min(life, LIFE))


def lies(s, p, answer, who):
    other = bytearray(answer)
    if p[0] == 2 and len(other) == 60:
        other[24] ^= 1                                   # not its nonce
        s.sendto(other, who)
    for n in (1, 3, 8, len(answer) - 1):
        s.sendto(answer[:n], who)
    s.sendto(os.urandom(60), who)
    s.sendto(bytes([0, 0x80, 0, 0]) + bytes(4), who)


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((LAN, 5351))
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind((LAN, 0))
    tell("ready")
    while True:
        select.select([s], [], [])
        p, who = s.recvfrom(1200)
        if not p:
            continue
        kind = "pcp" if p[0] == 2 else "nat-pmp"
        if kind not in SPEAKS:
            # RFC 6886 3.5, 6887 A: what it knows instead
            s.sendto(bytes([0, 0x80 | p[1], 0, 1]) + struct.pack(">I", epoch()) if "nat-pmp" in SPEAKS else
                     bytes([2, 0x80 | p[1], 0, 1]) + struct.pack(">II", 30, epoch()) + bytes(12), who)
            continue
        answer = pcp(p, who) if kind == "pcp" else natpmp(p, who)
        if not answer:
            continue
        if LIES:
            lies(s, p, answer, who)
            fake = bytearray(answer)
            fake[-4:] = socket.inet_aton("203.0.113.66")
            stranger.sendto(fake, who)                   # right but for who says it
        s.sendto(answer, who)


try:
    main()
except KeyboardInterrupt:
    pass
