"""kamailio - a registrar and proxy for tests, from Debian's packages

    server = Kamailio(lab, "auth", "proxy_auth", users={"alice": "secret"})
    phone = lab.offhook("-a", server.account("alice", "secret"))
    server.registered("alice")

Switches, any of them together:

    auth            REGISTER is challenged; sha256: with SHA-256
    proxy_auth      INVITE, MESSAGE, SUBSCRIBE ... from example.test too
    tls             listens for TLS too; server.ca is the certificate, unless
                    certificate=(PEM, key) is given
    mutual          ... and asks for the client's, of authority client_ca=PEM
    presence        PUBLISH and SUBSCRIBE (presence, message-summary, dialog)
    path            Path headers are kept (RFC 3327)
    outbound        RFC 5626, with Flow-Timer and STUN
    edge            no registrar but a proxy before one (registrar=other)
    service_route   the answer to REGISTER has one (RFC 3608)
    redirect        REGISTER gets 302 to redirect_to
    redirect_calls  calls get 302 to the callee's Contact

    serial          a call goes to the contacts with the highest q first, to
                    the next ones when they refuse or do not answer in 8 s
    dns             other domains are looked up (SRV) by the system's resolver

It listens on 127.0.0.1, UDP and TCP on one port, and serves the domain
example.test, unless told otherwise. What it logs are its lines; `bindings` asks it what it holds.
"""
import os
import re
import shutil
import subprocess
import time

from lab import Failed, Program, need, ports, wait_port

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kamailio")
DOMAIN = "example.test"
VALUES = {"MIN_EXPIRES": 5, "MAX_EXPIRES": 3600, "NONCE_LIFE": 60, "FLOW_TIMER": 20, "TCP_LIFE": 600}


class Kamailio(Program):
    def __init__(self, lab, *switches, users=None, registrar=None, redirect_to=None, service_route=None, name="kamailio",
                 host="127.0.0.1", port=None, domain=DOMAIN, certificate=None, client_ca=None, wrap=(), **values):
        need("kamailio", "kamcmd")
        self.host, self.switches = host, switches
        self.port, self.domain = port or ports(2, host), domain
        self.tls_port = self.port + 1
        shown = "[%s]" % host if ":" in host else host
        self.address = "%s:%d" % (shown, self.port)
        self.uri = "sip:" + self.address
        # a unix socket's path must be short, and files of ours are by name
        self.folder = lab.path(name + ".d")
        os.makedirs(self.folder)
        self._files(users or {})
        if "tls" in switches and certificate:
            self.ca = None
            for path, to in zip(certificate, ("cert.pem", "key.pem")):
                shutil.copy(path, os.path.join(self.folder, to))
        elif "tls" in switches:
            self._certificate()
        if client_ca:
            shutil.copy(client_ca, os.path.join(self.folder, "client_ca.pem"))

        defines = dict(VALUES, **{k.upper(): v for k, v in values.items()})
        if registrar:
            defines["REGISTRAR"] = '"%s"' % registrar.address
        argv = list(wrap) + ["kamailio", "-f", os.path.join(self.folder, "kamailio.cfg"), "-DD", "-E", "-m", "64", "-M", "8",
                "-w", self.folder, "-Y", self.folder, "-P", os.path.join(self.folder, "pid"),
                "-l", "udp:" + self.address, "-l", "tcp:" + self.address]
        if "tls" in switches:
            argv += ["-l", "tls:%s:%d" % (shown, self.tls_port)]
        for s in switches:
            argv += ["-A", "WITH_" + s.upper()]
        for k, v in defines.items():
            argv += ["-A", "%s=%s" % (k, v)]
        self._texts(redirect_to, service_route or self.address)
        super().__init__(lab, name, argv, cwd=self.folder)
        try:
            if not wrap:
                wait_port(host, self.port, tcp=True, timeout=15)
            self._answers()
        except Failed:
            raise Failed("kamailio does not start\n" + self.tail())

    def _files(self, users):
        with open(os.path.join(FOLDER, "kamailio.cfg"), encoding="ascii") as f:
            self.text = f.read()
        with open(os.path.join(self.folder, "users.cfg"), "w", encoding="ascii") as f:
            f.write("event_route[htable:mod-init] {\n\t$sht(pw=>none) = \"none\";\n")
            f.writelines("\t$sht(pw=>%s) = \"%s\";\n" % u for u in users.items())
            f.write("}\n")

    def _texts(self, redirect_to, service_route):
        """definitions do not reach into strings"""
        text = self.text.replace(DOMAIN, self.domain).replace("REDIRECT_TO", redirect_to or "sip:nowhere.invalid")
        text = text.replace("sip:SERVICE_ROUTE", "sip:" + service_route)
        with open(os.path.join(self.folder, "kamailio.cfg"), "w", encoding="ascii") as f:
            f.write(text)

    def _certificate(self):
        need("openssl")
        self.ca = os.path.join(self.folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-keyout", os.path.join(self.folder, "key.pem"), "-out", self.ca, "-subj", "/CN=" + self.domain,
                        "-addext", "subjectAltName=IP:%s,DNS:%s" % (self.host, self.domain)],
                       check=True, capture_output=True, timeout=60)

    def _answers(self):
        end = time.monotonic() + 15
        while True:
            try:
                return self.rpc("core.version")
            except Failed:
                if time.monotonic() > end or self.proc.poll() is not None:
                    raise
                time.sleep(0.1)

    def rpc(self, *command):
        """kamcmd's text"""
        r = subprocess.run(["kamcmd", "-s", "unix:" + os.path.join(self.folder, "ctl.sock")] + list(command),
                           capture_output=True, text=True, timeout=10, cwd=self.folder)
        if r.returncode or r.stdout.startswith("error:"):
            raise Failed("kamcmd %s: %s%s" % (" ".join(command), r.stdout, r.stderr))
        return r.stdout

    def account(self, user, password=None, *params, via="outbound"):
        """what -a takes; via: outbound or registrar, where this server is"""
        parts = ["sip:%s@%s" % (user, self.domain), "%s=%s" % (via, self.address)]
        parts += ["password=" + password] if password else ["register=yes"]
        return ";".join(parts + list(params))

    def tls_account(self, user, password=None, *params, scheme="sip"):
        """the same by way of TLS"""
        parts = ["%s:%s@%s" % (scheme, user, self.domain), "outbound=%s:%d" % (self.address.rsplit(":", 1)[0], self.tls_port),
                 "transport=tls"]
        parts += ["password=" + password] if password else ["register=yes"]
        return ";".join(parts + list(params))

    def bindings(self, user):
        """[{Address, Expires, Path, Instance, Reg-Id, ...}] of a user"""
        try:
            text = self.rpc("ul.lookup", "location", user)
        except Failed:
            return []
        out = []
        for line in text.splitlines():
            m = re.match(r"\s*([\w-]+): (.*)", line)
            if m and m.group(1) == "Address":
                out.append({})
            if m and out:
                out[-1][m.group(1)] = m.group(2)
        return out

    def registered(self, user, count=1, timeout=10):
        """until so many bindings are there -> them"""
        end = time.monotonic() + timeout
        while True:
            found = self.bindings(user)
            if len(found) == count:
                return found
            if time.monotonic() > end:
                raise Failed("%s has %d bindings, not %d: %s\n%s" % (user, len(found), count, found, self.tail()))
            time.sleep(0.05)
