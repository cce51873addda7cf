#!/usr/bin/env python3
"""Ways through NATs: phones behind routers built of network namespaces, and a
server (coturn) on the net between them. Needs root."""
import time

from lab import Program, check, main, need
from natlab import (PASSWORD, SERVER, SERVER2, SERVER6, Gateway, address, at_once, chosen, outer, phone, run, turn_options,
                    turn_server, within)
from phones import OURS, THEIRS, steady

KINDS = ("cone", "restricted", "port", "symmetric")


def target(i, v6=False):
    return "sip:b@[%s]:5060" % address(i, v6) if v6 else "sip:b@%s:5060" % address(i)


def talk(lab, caller, callee, seconds=2.2, sleep="3"):
    """both record what they hear and find the other's tone in it"""
    for p in (caller, callee):
        p.command("record " + lab.path(p.name + ".wav"), timeout=20)
    caller.command("sleep " + sleep, timeout=30)
    stats = caller.command("stats", timeout=20)
    caller.command("hangup", timeout=20)
    for p in (caller, callee):
        p.event("call.state", state="ended", timeout=20)
    steady(lab.path(caller.name + ".wav"), THEIRS, seconds, caller.name + " heard")
    steady(lab.path(callee.name + ".wav"), OURS, seconds, callee.name + " heard")
    return stats


def call(lab, net, *options, path, security="dtls", v6=False, theirs=None):
    """phone 1 calls phone 2: by which way, and what each hears"""
    callee = phone(lab, net, 2, *(options if theirs is None else theirs), hz=THEIRS, v6=v6)
    caller = phone(lab, net, 1, *options, hz=OURS, v6=v6)
    callee.command("auto-answer on")
    caller.command("dial " + target(2, v6))
    caller.event("call.state", state="active", timeout=30)
    if path:
        paths = [chosen(p) for p in (caller, callee)]
        # one relay is enough: the other phone sends to it as to anybody
        check(path in paths if path == "relay" else paths == [path] * 2, "paths: %s", paths)
        for p in (caller, callee):
            ways = p.command("ice")
            way = [w for w in ways["pairs"] if w["chosen"]]
            check(ways["ice"] == "chosen" and len(way) == 1 and way[0]["state"] == "works" and way[0]["checks"] > 0
                  and way[0]["local"] and way[0]["remote"], "%s: %s", p.name, ways)
    stats = talk(lab, caller, callee)
    check(stats["security"] == security, "%s", stats)
    return caller, callee


def test_matrix(lab):
    """each kind of NAT on each side, with STUN and a relay: speech goes both
    ways, and by the relay only where nothing else does (RFC 5780's kinds)"""
    def work(net):
        turn_server(lab, net)
        options = turn_options(lab) + ("stun-server=" + SERVER,)
        callers = [phone(lab, net, 1 + i, *options, hz=OURS, ready=False) for i in range(4)]
        callees = [phone(lab, net, 5 + i, *options, hz=THEIRS, ready=False) for i in range(4)]
        for p in callers + callees:
            p.ready(60)
        for p in callees:
            p.command("auto-answer on", timeout=20)
        for turn in range(4):
            at_once([lambda i=i, k=(i + turn) % 4: pair(callers[i], KINDS[i], callees[k], KINDS[k], 5 + k)
                     for i in range(4)])

    def pair(caller, kind, callee, other, number):
        no = caller.command("dial " + target(number), timeout=20)["call"]
        caller.event("call.state", state="active", call=no, timeout=40)
        theirs = callee.event("call.state", state="active", timeout=40)["call"]
        paths = [chosen(caller, call=no), chosen(callee, call=theirs)]
        hard = {kind, other} in ({"symmetric"}, {"symmetric", "port"})
        what = "%s to %s: %s" % (kind, other, paths)
        check(("relay" in paths) if hard else paths == ["direct"] * 2, "%s", what)
        talk(lab, caller, callee, 1.5, "2")
    within(lab, KINDS * 2, work)


test_matrix.limit = 240


def test_hopeless(lab):
    """symmetric NATs on both sides and no relay: the call says what is wrong"""
    def work(net):
        turn_server(lab, net)
        options = ("ice=yes", "stun-server=" + SERVER, "rtp-timeout=0")
        callee, caller = phone(lab, net, 2, *options, hz=THEIRS), phone(lab, net, 1, *options, hz=OURS)
        callee.command("auto-answer on")
        caller.command("dial " + target(2))
        caller.event("call.state", state="active", timeout=30)
        end = time.monotonic() + 60
        while "no way to the other side was found" not in caller.stderr() and time.monotonic() < end:
            time.sleep(0.2)
        check("no way to the other side was found" in caller.stderr(), "nothing said:\n%s", caller.stderr()[-2000:])
        caller.command("hangup")
    within(lab, ("symmetric", "port"), work)


def test_relay_over_tcp(lab):
    def work(net):
        turn_server(lab, net)
        call(lab, net, *turn_options(lab, ";transport=tcp"), path="relay")
    within(lab, ("symmetric", "symmetric"), work)


def test_relay_over_tls(lab):
    """and its certificate is looked at"""
    def work(net):
        turn_server(lab, net, tls=True)
        call(lab, net, *turn_options(lab, ";transport=tls"), "tls-ca=" + lab.path("cert.pem"), path="relay")
    within(lab, ("symmetric", "symmetric"), work)


def test_wrong_password(lab):
    """it is said, and the call goes on without"""
    def work(net):
        turn_server(lab, net)
        caller, _ = call(lab, net, "ice=yes", "stun-server=" + SERVER, "turn-server=alice@" + SERVER,
                         "turn-password-file=" + lab.file("password", "wrong\n"), path="direct")
        check("does not take the name and password" in caller.stderr(), "nothing said:\n%s", caller.stderr()[-2000:])
    within(lab, ("port", "port"), work)


def test_no_server(lab):
    """servers that do not answer hold nothing up for long"""
    def work(net):
        callee = phone(lab, net, 2, hz=THEIRS)
        caller = phone(lab, net, 1, "stun-server=203.0.113.99", hz=OURS)
        callee.command("auto-answer on")
        caller.command("dial " + target(2))
        caller.event("call.state", state="active", timeout=30)
        check("STUN server does not answer" in caller.stderr(), "nothing said:\n%s", caller.stderr()[-2000:])
    within(lab, ("port", "port"), work)


def test_consent(lab):
    """the way is cut until both sides have given up, then it is back: a new
    search finds it, and the sound is there again (RFC 7675)"""
    def work(net):
        turn_server(lab, net)
        options = ("ice=yes", "stun-server=" + SERVER, "rtp-timeout=0")
        callee, caller = phone(lab, net, 2, *options, hz=THEIRS), phone(lab, net, 1, *options, hz=OURS)
        callee.command("auto-answer on")
        caller.command("dial " + target(2))
        caller.event("call.state", state="active", timeout=30)
        for p in (caller, callee):
            chosen(p)
        net.nft("r1", "table ip cut { chain forward { type filter hook forward priority -10; udp dport != 5060 drop; }; }")
        end = time.monotonic() + 70
        while "answers no checks any more" not in caller.stderr() and time.monotonic() < end:
            time.sleep(0.1)
        check("answers no checks any more" in caller.stderr(), "nothing said:\n%s", caller.stderr()[-2000:])
        net.nft("r1", "delete table ip cut")
        for p in (caller, callee):
            p.seen = len(p.lines)
        first = caller.event("call.quality", timeout=20)["packets_received"]
        end = time.monotonic() + 40
        while caller.event("call.quality", timeout=20)["packets_received"] < first + 50:
            check(time.monotonic() < end, "nothing is heard again\n%s", caller.tail())
        talk(lab, caller, callee)
    within(lab, ("port", "port"), work)


def test_no_udp(lab):
    """a firewall that lets no UDP through: a relay over TCP carries the sound,
    SIP goes over TCP"""
    def work(net):
        turn_server(lab, net)
        callee = phone(lab, net, 2, "ice=yes", "stun-server=" + SERVER, hz=THEIRS, transports=("udp", "tcp"))
        caller = phone(lab, net, 1, *turn_options(lab, ";transport=tcp"), hz=OURS, transports=("udp", "tcp"))
        net.nft("r2", 'insert rule ip nat forward iifname "wan" tcp dport 5060 accept')
        callee.command("auto-answer on")
        caller.command("dial '%s;transport=tcp'" % target(2))
        caller.event("call.state", state="active", timeout=30)
        check(chosen(caller) == "relay", "not by the relay")
        talk(lab, caller, callee)
    within(lab, ("noudp", "port"), work)


def test_ipv6(lab):
    """firewalls on both sides, IPv6 alone: both look for each other, and so
    each opens its own"""
    def work(net):
        call(lab, net, "ice=yes", path="direct", v6=True)
    within(lab, ("port", "port"), work)


def test_ipv6_relay(lab):
    """the same by a relay that speaks IPv6 (RFC 8656)"""
    def work(net):
        turn_server(lab, net, v6=True)
        net.nft("r1", 'insert rule ip6 fw forward ip6 daddr 2001:db8:2::2 udp dport != 5060 drop')
        net.nft("r2", 'insert rule ip6 fw forward ip6 daddr 2001:db8:1::2 udp dport != 5060 drop')
        call(lab, net, "ice=yes", "turn-server=alice@[%s]" % SERVER6,
             "turn-password-file=" + lab.file("password", PASSWORD + "\n"), path="relay", v6=True)
    within(lab, ("port", "port"), work)


ZONE = """
srv-host=_stun._udp.net.example,dead.example,3478,10
srv-host=_stun._udp.net.example,live.example,3478,20
srv-host=_turn._udp.net.example,dead.example,3478,10
srv-host=_turn._tcp.net.example,live.example,3478,20
host-record=dead.example,203.0.113.99
host-record=live.example,%s
""" % SERVER


def dns(lab, net, zone):
    Program(lab, "dns", [*net.inside("net"), "dnsmasq", "-C", lab.file(
        "dns.conf", "no-resolv\nno-hosts\nno-daemon\nlog-queries\nlog-facility=-\nuser=\ngroup=\npid-file=\n"
        "local=/example/\nbind-interfaces\nlisten-address=%s\nport=53\n%s" % (SERVER, zone))]).wait_line("started", 20)


def test_names(lab):
    """servers by DNS SRV; the first of each kind is dead, the next one helps"""
    need("dnsmasq")

    def work(net):
        turn_server(lab, net)
        dns(lab, net, ZONE)
        options = ("dns-servers=" + SERVER, "ice=yes", "stun-server=net.example", "turn-server=alice@net.example",
                   "turn-password-file=" + lab.file("password", PASSWORD + "\n"))
        caller, _ = call(lab, net, *options, path="relay")
        check("STUN server does not answer" not in caller.stderr(), "%s", caller.stderr()[-2000:])
    within(lab, ("symmetric", "symmetric"), work)


def relay_dies(lab, restarts):
    need("dnsmasq")

    def work(net):
        zone = "srv-host=_turn._udp.net.example,one.example,3478,10\nsrv-host=_turn._udp.net.example,two.example,3478,20\n" \
            "host-record=one.example,%s\nhost-record=two.example,%s\n" % (SERVER, SERVER2)
        dns(lab, net, zone)
        one = turn_server(lab, net, name="one")
        if not restarts:
            turn_server(lab, net, name="two", ip=SERVER2)
        options = ("dns-servers=" + SERVER, "ice=yes", "rtp-timeout=0", "turn-server=alice@net.example",
                   "turn-password-file=" + lab.file("password", PASSWORD + "\n"))
        callee, caller = phone(lab, net, 2, *options, hz=THEIRS), phone(lab, net, 1, *options, hz=OURS)
        callee.command("auto-answer on")
        caller.command("dial " + target(2))
        caller.event("call.state", state="active", timeout=30)
        check("relay" in [chosen(p) for p in (caller, callee)], "no relay")
        one.stop()
        if restarts:
            turn_server(lab, net, name="again")
        end = time.monotonic() + 100
        while caller.event("call.quality", timeout=20)["packets_received"] == caller.event(
                "call.quality", timeout=20)["packets_received"] or "no checks any more" not in caller.stderr():
            check(time.monotonic() < end, "nothing is heard again\n%s", caller.tail())
        talk(lab, caller, callee)
    within(lab, ("symmetric", "symmetric"), work)


def test_relay_dies(lab):
    """the relay in use ends in mid-call: another one of the same name is found,
    and the sound is there again"""
    relay_dies(lab, False)


def test_relay_restarts(lab):
    """the relay in use has forgotten us: it is asked again"""
    relay_dies(lab, True)


test_relay_dies.limit = test_relay_restarts.limit = 240


def test_sent_on(lab):
    """a relay that sends us to another one (error 300)"""
    def work(net):
        turn_server(lab, net)
        turn_server(lab, net, name="on", ip=SERVER2, more=["alternate-server=%s:3478" % SERVER])
        call(lab, net, "ice=yes", "turn-server=alice@" + SERVER2, "turn-password-file=" +
             lab.file("password", PASSWORD + "\n"), path="relay")
    within(lab, ("symmetric", "symmetric"), work)


# --- a router that maps ports -----------------------------------------------------------------------------------------

def mapped(lab, how, *gateway, ice="no"):
    def work(net):
        gates = [Gateway(lab, net, i, *gateway) for i in (1, 2)]
        caller, callee = call(lab, net, "port-mapping=" + how, "ice=" + ice, path="direct" if ice == "yes" else None)
        for g in gates:
            check(len({m["port"] for m in g.seen("map")}) == 2, "%s", g.lines)      # sound and its reports
            end = time.monotonic() + 20
            while len({m["port"] for m in g.seen("delete")}) < 2 and time.monotonic() < end:
                time.sleep(0.05)
            check(len({m["port"] for m in g.seen("delete")}) == 2, "not given back: %s", g.lines)
    within(lab, ("port", "port"), work)


def test_pcp(lab):
    """no ICE, no STUN: what the routers have mapped is in the descriptions"""
    mapped(lab, "pcp", "pcp")


def test_natpmp(lab):
    mapped(lab, "nat-pmp", "nat-pmp")


def test_mapping_auto(lab):
    """asked by PCP, it knows NAT-PMP only; as a candidate"""
    mapped(lab, "auto", "nat-pmp", ice="yes")


def test_mapping_lies(lab):
    """answers that are not the router's, or not to us, are passed over"""
    mapped(lab, "auto", "pcp", "lies")


def upnpd(lab, net, outside):
    """miniupnpd on router 1, which takes no address of documentation for its own: it is told another one"""
    need("miniupnpd")
    net.ip("r1", "addr add %s/32 dev wan" % outside)
    net.ip("r2", "route add %s/32 via %s" % (outside, outer(1)))
    net.nft("r1", """add rule ip nat mapped_out oifname "wan" udp dport != 5060 snat to %s
        table inet filter {
            chain miniupnpd {
            }
            chain prerouting_miniupnpd {
            }
            chain postrouting_miniupnpd {
            }
            chain forward { type filter hook forward priority -5;
                jump miniupnpd
            }
            chain prerouting { type nat hook prerouting priority -110;
                jump prerouting_miniupnpd
            }
            chain postrouting { type nat hook postrouting priority 90;
                jump postrouting_miniupnpd
            }
        }""" % outside)
    conf = ("ext_ifname=wan", "listening_ip=lan", "ext_ip=" + outside, "enable_natpmp=yes", "enable_upnp=no",
            "min_lifetime=8", "max_lifetime=86400", "uuid=00000000-0000-0000-0000-000000000000",
            "allow 1024-65535 0.0.0.0/0 1024-65535", "upnp_table_name=filter", "upnp_nat_table_name=filter",
            "upnp_forward_chain=miniupnpd", "upnp_nat_chain=prerouting_miniupnpd",
            "upnp_nat_postrouting_chain=postrouting_miniupnpd")
    p = Program(lab, "miniupnpd", [*net.inside("r1"), "miniupnpd", "-d", "-P", lab.path("upnpd.pid"), "-f",
                                   lab.file("upnpd.conf", "\n".join(conf) + "\n")])
    p.wait_line("Listening for NAT-PMP/PCP", 20)


def rules(net):
    return run(*net.inside("r1"), "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd").count("dnat")


def miniupnpd(lab, how):
    def work(net):
        upnpd(lab, net, "11.0.0.1")
        call(lab, net, "port-mapping=" + how, "rtp-timeout=0", path=None, theirs=())
        end = time.monotonic() + 20
        while rules(net) and time.monotonic() < end:
            time.sleep(0.1)
        check(not rules(net), "not given back")
    within(lab, ("port", "port"), work)


def test_miniupnpd_pcp(lab):
    """a router's program that nobody here wrote"""
    miniupnpd(lab, "pcp")


def test_miniupnpd_natpmp(lab):
    miniupnpd(lab, "nat-pmp")


def test_mapping_renewed(lab):
    """what the router gives for thirty seconds is asked for again before"""
    def work(net):
        gate = Gateway(lab, net, 1, "pcp")
        callee = phone(lab, net, 2, hz=THEIRS)
        caller = phone(lab, net, 1, "port-mapping=auto", hz=OURS)
        callee.command("auto-answer on")
        caller.command("dial " + target(2))
        caller.event("call.state", state="active", timeout=30)
        before = len(gate.seen("map"))
        end = time.monotonic() + 45
        while len(gate.seen("map")) < before + 2 and time.monotonic() < end:
            time.sleep(0.1)
        check(len(gate.seen("map")) >= before + 2, "not renewed: %s", gate.lines)
        check(len({m["outer"] for m in gate.seen("map")}) == 2, "%s", gate.lines)
        caller.command("hangup")
    within(lab, ("port", "port"), work)


def test_no_mapping(lab):
    """a router that answers nothing is told of once, and the next call does not
    wait for it"""
    def work(net):
        net.nft("r1", 'table ip deaf { chain input { type filter hook input priority -10; udp dport 5351 drop; }; }')
        callee = phone(lab, net, 2, hz=THEIRS)
        caller = phone(lab, net, 1, "port-mapping=auto", hz=OURS)
        callee.command("auto-answer on")
        for _ in range(2):
            caller.command("dial " + target(2))
            caller.event("call.state", state="active", timeout=30)
            caller.command("hangup")
            caller.event("call.state", state="ended", timeout=30)
        check(caller.stderr().count("no port on the router") == 1, "%s", caller.stderr()[-2000:])
    within(lab, ("port", "port"), work)


if __name__ == "__main__":
    main(globals(), limit=150)
