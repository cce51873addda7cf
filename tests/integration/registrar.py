#!/usr/bin/env python3
"""Registration with a registrar nobody here wrote: Kamailio."""
import re
import signal
import socket
import threading
import time

from kamailio import DOMAIN, Kamailio
from lab import check, main, ports

USERS = {"alice": "secret", "bob": "bobpw"}


def server(lab, *switches, **kw):
    return Kamailio(lab, *switches, users=USERS, **kw)


def up(phone, **kw):
    return phone.event("account.state", state="registered", **kw)


def talk(caller, callee, user, by_callee=False):
    """a call through the server, answered and hung up"""
    caller.command("dial " + user)
    callee.event("call.state", state="incoming")
    callee.command("answer")
    caller.event("call.state", state="active")
    callee.event("call.state", state="active")
    (callee if by_callee else caller).command("hangup")
    for phone in (caller, callee):
        end = phone.event("call.state", state="ended")
        check(end["cause"] == "none", "%s", end)
    return caller


def test_udp(lab):
    s = server(lab, "auth")
    p = lab.offhook("-a", s.account("alice", "secret", "expires=60"))
    e = p.event("account.state", state="registering")
    check("next_ms" not in e and e["aor"] == "sip:alice@" + DOMAIN, "%s", e)
    e = up(p)
    check(47000 < e["next_ms"] <= 54000 and e["server"] == s.address and e["code"] == 200, "%s", e)
    b, = s.registered("alice")
    check(b["Address"] == "sip:alice@127.0.0.1:%d" % p.port, "%s", b)

    r = p.command("accounts alice@" + DOMAIN)
    check(r["accounts"][0]["state"] == "registered" and r["bindings"][0]["ours"], "%s", r)
    r = p.command("accounts --fetch")
    check([(x["uri"], x["ours"]) for x in r["bindings"]] == [(b["Address"], True)], "%s", r)
    p.command("wait registered")

    # by hand; and what is there at the end is taken away
    p.command("register")
    p.event("account.state", state="refreshing")
    up(p)
    p.command("unregister")
    p.event("account.state", state="off")
    s.registered("alice", 0)
    p.command("register alice@" + DOMAIN)
    up(p)
    p.quit()
    p.exit()
    s.registered("alice", 0)


def test_tcp(lab):
    s = server(lab, "auth")
    p = lab.offhook("-a", s.account("alice", "secret", "transport=tcp"), transports=("udp", "tcp"))
    up(p)
    b, = s.registered("alice")
    check(b["Address"].endswith(";transport=tcp"), "%s", b)


def test_ipv6(lab):
    """registered and called over IPv6, by UDP and by TCP"""
    s = Kamailio(lab, "auth", "proxy_auth", users=USERS, host="::1")
    a, b = (lab.offhook("-a", s.account(user, USERS[user], *params), name=user, host="::1", transports=("udp", "tcp"))
            for user, params in (("alice", ()), ("bob", ("transport=tcp",))))
    for p, user, end in ((a, "alice", ":%d" % a.port), (b, "bob", ";transport=tcp")):
        e = up(p)
        check(e["server"] == s.address, "%s", e)
        binding, = s.registered(user)
        check(binding["Address"].startswith("sip:%s@[::1]:" % user) and binding["Address"].endswith(end), "%s", binding)
    for caller, callee, user in ((a, b, "bob"), (b, a, "alice")):
        talk(caller, callee, user)
    check("[::1]:" in a.event("call.media", again=True)["remote"], "sound goes elsewhere")


def test_refresh(lab):
    """in time, again and again; nonces that grow old meanwhile"""
    s = server(lab, "auth", nonce_life=1, max_expires=5)
    p = lab.offhook("-a", s.account("alice", "secret"))
    e = up(p)
    check(3500 < e["next_ms"] <= 4500, "%s", e)
    for _ in range(2):
        p.event("account.state", state="refreshing", timeout=6)
        up(p)
        s.registered("alice")


def test_algorithms(lab):
    s = server(lab, "auth", "sha256")
    p = lab.offhook("-a", s.account("alice", "secret"))
    up(p)
    s.registered("alice")


def test_too_brief(lab):
    s = server(lab, "auth", min_expires=30)
    p = lab.offhook("-a", s.account("alice", "secret", "expires=10"))
    e = up(p)
    check(23000 < e["next_ms"] <= 27000, "%s", e)
    p.command("register")
    up(p)
    # the server counts a second or so
    check(25 <= int(s.bindings("alice")[0]["Expires"]) <= 31, "%s", s.bindings("alice"))


def test_refused(lab):
    s = server(lab, "auth")
    p = lab.offhook("-a", s.account("alice", "wrong"))
    e = p.event("account.state", state="failed")
    check(e["cause"] == "auth" and e["code"] == 401 and e["next_ms"] > 890000, "%s", e)
    check("wrong" in e["text"].lower(), "%s", e)
    r = p.reply("wait registered 5s")
    check(not r["ok"] and r["error"] == "refused", "%s", r)

    # the right one, at run time
    p.command("account set alice@%s password=secret" % DOMAIN)
    up(p)
    s.registered("alice")


def one_shot(lab, account, code, *args, text=None):
    got, out, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "-a", account, *args, "register")
    check(got == code, "exit %d, not %d\n%s\n%s", got, code, out, err)
    check(not text or text in out + err, "%s\n%s", out, err)


def test_exit_codes(lab):
    s = server(lab, "auth")
    one_shot(lab, s.account("alice", "wrong"), 6, text="password")
    one_shot(lab, s.account("alice"), 6)
    one_shot(lab, "sip:alice@nowhere.invalid;password=x", 7)
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    one_shot(lab, "sip:alice@127.0.0.1:%d;password=x" % silent.getsockname()[1], 9, "-s", "sip-timeout=1s")
    one_shot(lab, "sip:alice@127.0.0.1:1;password=x;transport=tcp", 9)
    code, _, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "register")
    check(code != 0 and "no account" in err, "%d %s", code, err)


def test_one_shot(lab):
    """it stays until a signal, and leaves"""
    s = server(lab, "auth")
    p = lab.offhook("-a", s.account("alice", "secret"), "register")
    up(p)
    s.registered("alice")
    p.proc.send_signal(signal.SIGINT)
    check(p.exit() == 0, "exit %d\n%s", p.proc.returncode, p.tail())
    s.registered("alice", 0)


def test_script(lab):
    """lines wait for it"""
    s = server(lab, "auth")
    script = "register\nwait registered 5s\nprint here\naccounts\n"
    code, out, err = lab.run("-l", "udp:127.0.0.1:%d" % ports(1), "-A", "null", "-a", s.account("alice", "secret"),
                             stdin=script)
    check(code == 0 and "here" in out and "registered" in out, "%d\n%s\n%s", code, out, err)
    s.registered("alice", 0)


def test_calls(lab):
    """through the proxy, challenged, both ways"""
    s = server(lab, "auth", "proxy_auth")
    a = lab.offhook("-a", s.account("alice", "secret"), name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    talk(a, b, "bob")
    talk(b, a, "alice", by_callee=True)


def test_calls_tcp(lab):
    s = server(lab, "auth", "proxy_auth")
    a = lab.offhook("-a", s.account("alice", "secret", "transport=tcp"), name="alice", transports=("udp", "tcp"))
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    talk(a, b, "bob")
    talk(b, a, "alice", by_callee=True)


def test_gruu(lab):
    """requests in the dialog go to this phone alone, by way of the server"""
    s = server(lab, "auth", "proxy_auth")
    a = lab.offhook("-a", s.account("alice", "secret", "gruu"), name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    i = s.registered("alice")[0]["Instance"]
    check(re.match(r"<urn:uuid:[0-9a-f-]{36}>$", i), "%s", i)
    talk(a, b, "bob", by_callee=True)
    talk(b, a, "alice")


def test_path(lab):
    """an edge proxy before the registrar; calls come back through it"""
    s = server(lab, "auth", "path")
    edge = Kamailio(lab, "edge", registrar=s, name="edge")
    a = lab.offhook("-a", edge.account("alice", "secret"), name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    path = s.registered("alice")[0]["Path"]
    check(edge.address in path and "lr" in path, "%s", path)
    talk(b, a, "alice")
    talk(a, b, "bob", by_callee=True)


def test_service_route(lab):
    s = server(lab, "auth", "service_route")
    a = lab.offhook("-t", "-a", s.account("alice", "secret", via="registrar"), name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    # the domain has no address: without the route nobody would be found
    talk(a, b, "bob")
    check("Route: <%s;lr>" % s.uri in a.stderr(), "no Route\n%s", a.stderr()[-4000:])


def test_redirect(lab):
    s = server(lab, "auth")
    r = Kamailio(lab, "redirect", redirect_to="sip:%s" % s.address, name="redirect")
    a = lab.offhook("-a", r.account("alice", "secret", via="registrar"))
    e = up(a)
    check(e["server"] == s.address, "%s", e)
    s.registered("alice")


def test_both_registrars(lab):
    """two at the same time; one of them ends"""
    s, t = server(lab, "auth"), server(lab, "auth", name="second")
    a = lab.offhook("-a", s.account("alice", "secret", "registrar2=" + t.address, via="registrar"),
                    "-s", "sip-timeout=1s")
    s.registered("alice"), t.registered("alice")
    s.stop()
    a.command("register")
    e = a.event("account.state", flow=1, cause="transport", timeout=15)
    check(e["state"] in ("registered", "refreshing") and e["next_ms"] > 40000, "%s", e)


def test_fallback(lab):
    s, t = server(lab, "auth"), server(lab, "auth", name="second")
    a = lab.offhook("-s", "sip-timeout=1s",
                    "-a", s.account("alice", "secret", "name=first", "fallback=second"),
                    "-a", t.account("alice", "secret", "name=second"))
    check(up(a)["account"] == 1, "the second one came first")
    t.registered("alice", 0)
    s.stop()
    a.command("register first")
    e = a.event("account.state", account=1, state="failed", timeout=15)
    check(e["cause"] == "transport" and 0 < e["next_ms"] <= 60000, "%s", e)
    a.event("account.state", account=2, state="registered")
    t.registered("alice")
    r = a.command("accounts")["accounts"]
    check([x["default"] for x in r] == [False, True], "%s", r)


def test_at_run_time(lab):
    s = server(lab, "auth")
    p = lab.offhook().ready()
    r = p.command("account add '%s' --save" % s.account("alice", "secret", "name=work"))
    check(r["account"] == 1 and r["name"] == "work", "%s", r)
    up(p)
    p.command("account add '%s'" % s.account("bob", "bobpw", "name=other"))
    up(p)
    p.command("account use other")
    with open(p.folder + "/accounts", encoding="utf-8") as f:
        text = f.read()
    check(text.startswith("[work]\nuri = sip:alice@") and "bob" not in text, "%s", text)
    p.command("account set work expires=300 --save")
    p.event("account.state", account=1, state="off")
    up(p, account=1)
    p.command("account remove other")
    p.event("account.state", account=2, state="off")
    s.registered("bob", 0)
    p.quit()
    p.exit()
    s.registered("alice", 0)

    # what was saved is there again
    q = lab.offhook(name="offhook", port=p.port)
    up(q)
    check(250 <= int(s.registered("alice")[0]["Expires"]) <= 300, "%s", s.bindings("alice"))
    q.command("account remove work --save")
    q.event("account.state", state="off")
    with open(q.folder + "/accounts", encoding="utf-8") as f:
        check(f.read() == "", "not empty")


def test_everybody(lab):
    """unregister --all takes other phones' bindings too"""
    s = server(lab, "auth")
    a = lab.offhook("-a", s.account("alice", "secret"), name="one")
    b = lab.offhook("-a", s.account("alice", "secret"), name="two")
    up(a), up(b)
    s.registered("alice", 2)
    check(len(a.command("accounts --fetch")["bindings"]) == 2, "not two")
    a.command("unregister --all")
    a.event("account.state", state="off")
    s.registered("alice", 0)


def test_identities(lab):
    """many accounts from a table: they register, can be called, call, and leave"""
    names = ["u%d" % i for i in range(40)]
    s = Kamailio(lab, "auth", users={**USERS, **{n: "pw-" + n for n in names}})
    good = "user,password,display-name,number\n" + "".join("%s,pw-%s,\"User, %s\",u%d\n" % (
        n, n, n, (i + 1) % 40) for i, n in enumerate(names))
    p = lab.offhook("-a", s.account("alice", "secret", "register=no", "name=base"), "-s", "max-calls=500").ready()
    p.command("listen --echo")
    r = p.reply("identities %s --account base --rate 100" % lab.file("many.csv", good), 60)
    check(r["ok"] and r["accounts"] == r["registered"] == 40 and r["failed"] == 0, "%s", r)
    check(r["register_min_ms"] <= r["register_p50_ms"] <= r["register_max_ms"], "%s", r)
    check(sum(x["count"] for x in r["setups"]) == 40 and r["endings"] == [{"cause": "none", "code": 200, "count": 40}],
          "%s", r)
    s.registered("u39")
    # each calls the next one, through the server
    r = p.reply("dial {number} --calls 60 --rate 50 --for 100ms --identities %s --account base" % lab.path("many.csv"), 90)
    check(r["ok"] and r["answered"] == 60, "%s", r)
    froms = {o["peer"] for o in p.objects() if o.get("event") == "call.state" and o["state"] == "incoming"}
    check({"sip:u%d@%s" % (i, DOMAIN) for i in range(40)} == froms, "%s", froms)
    check(len(p.command("accounts")["accounts"]) == 41, "accounts that were there are gone, or others came")

    # those that fail are told and go; --for lets all leave again
    other = lab.offhook("-a", s.account("alice", "secret", "register=no", "name=base"), name="other").ready()
    bad = lab.file("bad.csv", "user,password\nu1,pw-u1\nu2,wrong\nu3,pw-u3\n")
    r = other.reply("identities %s --rate 50 --for 300ms" % bad, 60)
    check(r["error"] == "accounts-failed" and r["registered"] == 2 and r["failed"] == 1, "%s", r)
    check(len(other.command("accounts")["accounts"]) == 1, "accounts are left")
    r = other.reply("identities %s" % lab.file("worse.csv", "user,pasword\nx,y\n"))
    check(r["error"] == "bad-file" and "worse.csv:1:" in r["text"] and "'password'" in r["text"], "%s", r)
    # who is no account before is one only for the time of his call
    r = other.reply("dial u5 --calls 2 --for 100ms --identities %s" % lab.path("many.csv"), 60)
    check(r["ok"] and r["answered"] == 2, "%s", r)
    other.command("sleep 200ms")
    check(len(other.command("accounts")["accounts"]) == 1, "accounts are left")


class Nat:
    """A box between phone and server: what the phone sends leaves from a port
    of the box, and what comes there goes to the phone"""

    def __init__(self, server_address):
        host, port = server_address.split(":")
        self.server = (host, int(port))
        self.inside, self.outside = self._socket(), self._socket()
        self.address = "127.0.0.1:%d" % self.inside.getsockname()[1]
        self.seen = "127.0.0.1:%d" % self.outside.getsockname()[1]
        self.phone, self.small, self.stuns = None, 0, 0
        for fn in (self._out, self._in):
            threading.Thread(target=fn, daemon=True).start()

    @staticmethod
    def _socket():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        return s

    def _out(self):
        while True:
            data, self.phone = self.inside.recvfrom(65536)
            self.small += data == b"\r\n\r\n"
            self.stuns += len(data) == 20 and data[0] == 0
            self.outside.sendto(data, self.server)

    def _in(self):
        while True:
            data, _ = self.outside.recvfrom(65536)
            if self.phone:
                self.inside.sendto(data, self.phone)

    def forget(self):
        """as a NAT does that has not heard of us for long"""
        old = self.outside
        self.outside = self._socket()
        self.seen = "127.0.0.1:%d" % self.outside.getsockname()[1]
        threading.Thread(target=self._in, daemon=True).start()
        old.close()


def until(fn, what, timeout=10):
    end = time.monotonic() + timeout
    while not fn():
        check(time.monotonic() < end, "%s", what)
        time.sleep(0.05)


def test_nat(lab):
    """Contact is what the server sees, so calls come through"""
    s = server(lab, "auth")
    nat = Nat(s.address)
    a = lab.offhook("-a", "sip:alice@%s;outbound=%s;password=secret;keepalive=5" % (DOMAIN, nat.address), name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    binding, = s.registered("alice")
    check(binding["Address"] == "sip:alice@" + nat.seen, "%s, not %s", binding, nat.seen)
    b.command("dial alice")
    a.event("call.state", state="incoming")
    b.command("hangup")
    a.event("call.state", state="ended")
    until(lambda: nat.small, "no keep-alive")

    # off: it says what it knows
    c = lab.offhook("-a", "sip:alice@%s;outbound=%s;password=secret;nat=off" % (DOMAIN, nat.address), name="carl")
    up(c)
    check(any(x["Address"].endswith(":%d" % c.port) for x in s.registered("alice", 2)), "%s", s.bindings("alice"))


def test_outbound_udp(lab):
    """RFC 5626: STUN keeps the flow; when the NAT forgets us we come back"""
    s = server(lab, "auth", "outbound", flow_timer=6)
    nat = Nat(s.address)
    a = lab.offhook("-a", "sip:alice@%s;outbound=%s;password=secret;sip-outbound" % (DOMAIN, nat.address))
    up(a)
    b, = s.registered("alice")
    check(b["Reg-Id"] == "1" and "urn:uuid" in b["Instance"], "%s", b)
    check(a.command("accounts")["accounts"][0]["outbound"], "not outbound")
    until(lambda: nat.stuns >= 2, "no STUN", 15)
    a.seen = len(a.lines)
    nat.forget()
    e = a.event("account.state", state="failed", timeout=15)
    check(e["cause"] == "transport" and e["next_ms"] == 0, "%s", e)
    up(a)
    s.registered("alice")


def test_outbound_tcp(lab):
    """the connection ends, and that is told at once"""
    s = server(lab, "auth", "outbound")
    a = lab.offhook("-a", s.account("alice", "secret", "sip-outbound", "transport=tcp"), transports=("udp", "tcp"))
    up(a)
    b, = s.registered("alice")
    check(b["Reg-Id"] == "1" and b["Tcpconn-Id"] != "-1", "%s", b)
    s.stop()
    e = a.event("account.state", state="failed", timeout=15)
    # a flow that is lost as soon as it stands counts as a failure
    check(e["cause"] == "transport" and 29000 < e["next_ms"] <= 60000, "%s", e)


def test_two_flows(lab):
    """two edge proxies: one instance, two ways; calls survive one's end"""
    s = server(lab, "auth", "outbound")
    one, two = (Kamailio(lab, "edge", "outbound", registrar=s, name=n) for n in ("one", "two"))
    a = lab.offhook("-a", one.account("alice", "secret", "outbound2=" + two.address), "-s", "sip-timeout=1s",
                    name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    found = s.registered("alice", 2)
    check(sorted(x["Reg-Id"] for x in found) == ["1", "2"] and found[0]["Instance"] == found[1]["Instance"],
          "%s", found)
    talk(a, b, "bob")
    talk(b, a, "alice")


def test_origin(lab):
    """who comes by the registrar is let through, others are not"""
    s = server(lab, "auth", "proxy_auth")
    a = lab.offhook("-a", s.account("alice", "secret", "check-origin"), name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    # the address is the server's: on loopback all are one
    talk(b, a, "alice")


def test_proof(lab):
    """callers must know a password, also those whom the proxy lets through"""
    s = server(lab, "auth", "proxy_auth")
    a = lab.offhook("-a", s.account("alice", "secret", "require-auth", "auth-in-user=bob", "auth-in-password=bobpw"),
                    name="alice")
    b = lab.offhook("-a", s.account("bob", "bobpw"), name="bob")
    up(a), up(b)
    talk(b, a, "alice")
    a.command("account set alice@%s auth-in-password=else" % DOMAIN)
    up(a)
    b.command("dial alice")
    end = b.event("call.state", state="ended")
    check(end["code"] == 401 and end["cause"] == "auth", "%s", end)


if __name__ == "__main__":
    main(globals())
