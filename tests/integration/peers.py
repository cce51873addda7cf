"""peers - other people's phones, driven for the tests: baresip, linphonec"""
import json
import os
import re
import shutil
import socket
import time

from lab import Failed, Program, Skip, check, need, ports, wait_port

MODULES = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules",
           "/usr/lib/aarch64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules")


class Baresip(Program):
    """baresip: plays `source` (WAV at the codec's rate and channels), records
    by its sndfile filter, told what to do over its control port"""

    def __init__(self, lab, source, codec="PCMU", auto=True, name="baresip", secure=None, account=None,
                 certificate=None, nat=None, between=None):
        """account: (address-of-record, password) of a server that its name tells;
        certificate: PEM file with its key, for TLS on port + 1; nat: "ice", with one port for sound and reports;
        between: it is a back-to-back user agent, whose calls out go to that port"""
        need("baresip")
        modules = next((m for m in MODULES if os.path.isdir(m)), None)
        if not modules:
            raise Skip("baresip's modules not found")
        self.port, self.control, self.rtp = ports(2), ports(1), ports(20)    # port + 1: TLS
        self.folder = lab.path(name + ".d")
        self.uri = "sip:peer@127.0.0.1:%d" % self.port
        os.makedirs(self.folder)
        config = ["poll_method epoll", "sip_listen 127.0.0.1:%d" % self.port, "net_interface 127.0.0.1",
                  "rtp_ports %d-%d" % (self.rtp, self.rtp + 19), "audio_source aufile,%s" % source,
                  "audio_player aubridge,sink", "audio_alert aubridge,alert", "snd_path %s" % self.folder,
                  "jitter_buffer_delay 2-10", "call_max_calls 4", "ctrl_tcp_listen 127.0.0.1:%d" % self.control,
                  "module_path %s" % modules]
        config += ["module %s.so" % m for m in ("g711", "opus", "aufile", "aubridge", "sndfile")]
        config += ["module %s.so" % m for m in ("g722", "gsm", "l16") if codec.lower().startswith(m)]
        if secure:                       # mediaenc: srtp, srtp-mand, srtp-mandf, dtls_srtp
            config += ["module %s.so" % secure.split("-")[0]]
        config += ["module %s.so" % nat, "rtcp_mux yes"] if nat else []
        config += ["sip_certificate %s" % certificate] if certificate else []
        if between:
            config = [c for c in config if not c.startswith("audio_") and "sndfile" not in c]
            config += ["audio_source aubridge,nil", "audio_player aubridge,nil", "module_app b2bua.so"]
        config += ["module_tmp account.so", "module_app menu.so", "module_app ctrl_tcp.so"]
        with open(os.path.join(self.folder, "config"), "w", encoding="ascii") as f:
            f.write("\n".join(config) + "\n")
        with open(os.path.join(self.folder, "accounts"), "w", encoding="ascii") as f:
            who = "<sip:%s>;regint=60;auth_pass=%s" % account if account else \
                "<sip:peer@127.0.0.1:%d>;regint=0" % self.port
            if between:
                f.write("<sip:in@127.0.0.1:%d>;regint=0;b2bua=inbound;audio_codecs=PCMU\n"
                        "<sip:out@127.0.0.1:%d>;regint=0;b2bua=outbound;audio_codecs=PCMU;outbound=\"sip:127.0.0.1:%d\"\n"
                        % (self.port, self.port, between))
                who = "<sip:other@127.0.0.1:%d>;regint=0" % self.port
            f.write("%s;audio_codecs=%s%s%s%s\n" % (who, codec, ";answermode=auto" if auto else "",
                                                    ";mediaenc=" + secure if secure else "",
                                                    ";medianat=" + nat if nat else ""))
        self.events, self.buffer = [], b""
        super().__init__(lab, name, ["baresip", "-4", "-f", self.folder])
        wait_port("127.0.0.1", self.port)
        wait_port("127.0.0.1", self.control, tcp=True)
        self.link = socket.create_connection(("127.0.0.1", self.control), 5)

    def command(self, word, params=""):
        m = json.dumps({"command": word, "params": params, "token": "t"}).encode()
        self.link.sendall(b"%d:%s," % (len(m), m))

    def pump(self, timeout):
        """read what the control port says (netstrings of JSON)"""
        self.link.settimeout(timeout)
        try:
            data = self.link.recv(65536)
        except socket.timeout:
            return
        self.buffer += data
        while True:
            m = re.match(rb"(\d+):", self.buffer)
            if not m or len(self.buffer) < m.end() + int(m.group(1)) + 1:
                return
            end = m.end() + int(m.group(1))
            o = json.loads(self.buffer[m.end():end])
            self.buffer = self.buffer[end + 1:]
            if o.get("event"):
                self.events.append(o)

    def event(self, kind, timeout=10):
        """wait for one more event of that type"""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for i, o in enumerate(self.events):
                if o.get("type") == kind:
                    del self.events[:i + 1]
                    return o
            self.pump(0.2)
        raise Failed("baresip: no %s in %g s, only %s\n%s" % (kind, timeout, self.events[-5:], self.tail()))

    def digits(self, count, timeout=10):
        """the next `count` digits that it received"""
        out = ""
        while len(out) < count:
            out += self.event("CALL_DTMF_START", timeout).get("param", "?")
        return out

    def recording(self):
        """what it heard in its last call, complete once that has ended"""
        names = [n for n in os.listdir(self.folder) if n.startswith("dump-") and n.endswith("-dec.wav")]
        check(names, "baresip recorded nothing\n%s", self.tail())
        return max((os.path.join(self.folder, n) for n in names), key=os.path.getmtime)

    def dial(self, uri):
        self.command("dial", uri)

    def hangup(self):
        self.command("hangup")

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def dtmf(self, digits):
        self.command("sndcode", digits)

    def established(self, timeout=10):
        self.event("CALL_ESTABLISHED", timeout)

    def closed(self, timeout=10):
        self.event("CALL_CLOSED", timeout)


class Linphonec(Program):
    """linphonec: plays and records files instead of a sound card"""

    # what is not named it enables by itself
    CODECS = (("opus", 48000, 2), ("PCMU", 8000, 1), ("PCMA", 8000, 1), ("speex", 8000, 1), ("speex", 16000, 1),
              ("speex", 32000, 1), ("GSM", 8000, 1), ("G722", 8000, 1))

    def __init__(self, lab, source, codec="PCMU", auto=True, name="linphonec", secure=None, account=None,
                 certificate=None):
        """account: (address-of-record, password) of a server that its name tells;
        certificate: PEM file with its key, for TLS on port + 1"""
        need("linphonec")
        self.heard = lab.path(name + ".wav")
        self.port, self.rtp = ports(1), ports(2)
        self.uri = "sip:peer@127.0.0.1:%d" % self.port
        home = lab.path(name + ".d")
        os.makedirs(home + "/.local/share/linphone")
        os.makedirs(home + "/.config/linphone")
        rc = ["[sip]", "sip_port=%d" % self.port, "sip_tcp_port=0", "sip_tls_port=0", "bind_address=127.0.0.1",
              "guess_hostname=0", "use_ipv6=0", "ipv6_migration_done=1", "contact=sip:peer@127.0.0.1:%d" % self.port, "use_rfc2833=1", "use_info=0",
              "media_encryption=%s" % (secure or "none"), "media_encryption_mandatory=0",
              "[sound]", "echocancellation=0", "[rtp]", "audio_rtp_port=%d" % self.rtp]
        for i, (mime, rate, channels) in enumerate(self.CODECS):
            rc += ["[audio_codec_%d]" % i, "mime=%s" % mime, "rate=%d" % rate, "channels=%d" % channels,
                   "enabled=%d" % (mime == codec)]
        if account:
            user, _, domain = account[0].partition("@")
            rc += ["[proxy_0]", "reg_proxy=sip:" + domain, "reg_identity=sip:" + account[0], "reg_expires=60",
                   "reg_sendregister=1", "publish=0", "[auth_info_0]", "username=" + user, "passwd=" + account[1],
                   "realm=" + domain, "domain=" + domain]
        path = lab.file(name + ".rc", "\n".join(rc) + "\n")
        super().__init__(lab, name, ["linphonec", "-c", path] + (["-a"] if auto else []), env={"HOME": home})
        wait_port("127.0.0.1", self.port, timeout=20)
        self.say("soundcard use files")
        self.say("play %s" % source)
        self.say("record %s" % self.heard)

    def recording(self, timeout=10):
        """it tells the end of a call before all of it is in the file"""
        end, before = time.monotonic() + timeout, -1
        while time.monotonic() < end:
            size = os.path.getsize(self.heard) if os.path.exists(self.heard) else 0
            if size > 44 and size == before:
                break
            before = size
            time.sleep(0.2)
        return self.heard

    def dial(self, uri):
        self.say("call " + uri)

    def hangup(self):
        self.say("terminate")

    def hold(self):
        self.say("pause")

    def resume(self):
        self.say("resume")

    def dtmf(self, digits):
        self.say(digits)

    def established(self, timeout=15):
        self.wait_line(r"connected|answered|Media streams established|StreamsRunning", timeout)

    def closed(self, timeout=10):
        self.wait_line(r"terminated|ended|Call .* error", timeout)

    def digits(self, count, timeout=10):
        out, since = "", 0
        while len(out) < count:
            m, since = self.wait_line(r"Receiving tone (.) from", timeout, since)
            out += m.group(1)
        return out

    def quit(self):
        self.say("quit")
