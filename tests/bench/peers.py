"""peers - the phones that are measured: how each is started without a sound
card, told to call and to hang up. One class each; a phone takes part when its
program is found. Other versions than those on the PATH by environment:

  BARESIP, BARESIP_MODULES, BARESIP_LIB    a baresip, its modules, its libraries
  PJSUA                                    a pjsua
  LINPHONEC                                a linphonec
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import sip

MODULES = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules")


COMPLEXITY = 5                # of Opus, where a phone can be told


@contextlib.contextmanager
def on_first_cpu():
    """what is started now runs on CPU 0, if we are on another"""
    mine = os.sched_getaffinity(0)
    if len(mine | {0}) > 1:
        os.sched_setaffinity(0, {0})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


class Pair:
    """of two phones that talk: what it says, where it is heard, and how"""

    def __init__(self, said, heard, twice, device, env):
        self.said, self.heard, self.twice, self.device, self.env = said, heard, twice, device, env


class Peer:
    """mode: answer (every call), echo (answer and send back what comes), idle,
    pair (answer, with Peer.pair, and with the default settings);
    over: what SIP goes over; registrar: its address, when it is to register"""
    name, transports, parts, registers, pair = "?", ("udp", "tcp"), None, True, None
    most = 500                                                  # calls at once
    slowest = 50                                                # calls a second that are tried

    def __init__(self, program, port, mode="answer", codec="pcmu", calls=600, over="udp", registrar=None):
        self.program, self.port, self.mode, self.codec, self.calls = program, port, mode, codec, calls
        self.over, self.registrar = over, registrar
        self.uri, self.to = "sip:bench@127.0.0.1:%d" % port, ("127.0.0.1", port)
        self.dir = tempfile.mkdtemp(prefix="bench-%s-" % self.name)
        self.proc = None

    @classmethod
    def can(cls, part, over, registered=False):
        if part in ("srtp", "asked", "control", "capture") and cls.name != "offhook":
            return False
        if part == "pairs" and (over != "udp" or registered):
            return False
        if (registered or part == "register") and not cls.registers:
            return False
        return over in cls.transports and (cls.parts is None or part in cls.parts)

    def called_as(self, uri, to):
        """it has registered that, from there"""
        self.uri, self.to = uri, to

    def argv(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def line(self, text):
        self.proc.stdin.write((text + "\n").encode())
        self.proc.stdin.flush()

    def dial(self, uri):
        raise NotImplementedError

    def hangup(self):
        raise NotImplementedError

    def quit(self):
        self.proc.send_signal(signal.SIGTERM)

    def start(self):
        """-> when the program was started (ns); on CPU 0, we are on another"""
        argv = self.argv()
        env = {**os.environ, "HOME": self.dir, "XDG_RUNTIME_DIR": self.dir, **self.environment()}
        with on_first_cpu():
            started = time.time_ns()
            self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, env=env, cwd=self.dir)
        self.pid = self.proc.pid
        return started

    def ready(self, seconds=15):
        """-> when it first answered OPTIONS (ns)"""
        s, end = sip.SOCKETS[self.over](), time.monotonic() + seconds
        try:
            while time.monotonic() < end and self.proc.poll() is None:
                try:
                    at = sip.options(s, self.uri, self.to, 0.001)
                except ConnectionError:                         # over TCP: not yet
                    s.close()
                    s = sip.SOCKETS[self.over]()
                    time.sleep(0.001)
                    continue
                if at:
                    time.sleep(0.05)
                    if self.proc.poll() is None:
                        return at
        finally:
            s.close()
        raise RuntimeError("%s does not answer OPTIONS" % self.name)

    def up(self):
        started = self.start()
        ms = (self.ready() - started) / 1e6
        time.sleep(0.5)
        return ms

    def stop(self):
        if self.proc and self.proc.poll() is None:
            try:
                self.quit()
                self.proc.wait(5)
            except (OSError, ValueError, subprocess.TimeoutExpired):
                self.proc.kill()
                self.proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- what /proc tells ------------------------------------------------------

    def cpu(self):
        """seconds of CPU so far, all threads, also those that ended"""
        return time.clock_gettime_ns((~self.pid << 3) | 2) / 1e9

    def memory(self):
        """-> (resident, anonymous) kB"""
        got = {}
        with open("/proc/%d/smaps_rollup" % self.pid, encoding="ascii") as f:
            for line in f:
                words = line.split()
                if words[0] in ("Rss:", "Anonymous:"):
                    got[words[0]] = int(words[1])
        return got["Rss:"], got["Anonymous:"]

    def wakeups(self):
        """voluntary context switches so far, all living threads"""
        total = 0
        for task in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/status" % (self.pid, task), encoding="ascii") as f:
                total += sum(int(x.split()[1]) for x in f if x.startswith("voluntary"))
        return total


class Offhook(Peer):
    name, transports = "offhook", ("udp", "tcp", "tls")
    more = ()

    def argv(self):
        account = "sip:bench@%s;password=bench" % self.registrar if self.registrar else self.uri
        codec = {"red": "pcmu", "opusred": "opus"}.get(self.codec, self.codec)
        if self.mode == "pair":
            return [self.program, "-q", "-c", self.dir, "-l", "%s:127.0.0.1:%d" % (self.over, self.port), "-A",
                    "file:%s,%s" % (self.pair.said, self.pair.heard), "-a", self.uri, "-s", "codecs=" + codec,
                    "-s", "redundancy=" + ("yes" if self.pair.twice else "no"), "--auto-answer"]
        a = [self.program, "-q", "-c", self.dir, "-l", "%s:127.0.0.1:%d" % (self.over, self.port), "-A", "null",
             "-a", account + (";transport=" + self.over if self.over != "udp" else ""), "-s", "codecs=" + codec, "-s", "redundancy=yes",
             "-s", "max-calls=%d" % self.calls, "-s", "opus-complexity=%d" % COMPLEXITY]
        if self.over == "tls":
            pem = sip.Secure.certificate
            a += ["-s", "tls-ca=%s.crt" % pem, "-s", "tls-cert=%s.crt" % pem, "-s", "tls-key=" + pem]
        a += self.more
        if self.mode == "echo":
            return a + ["listen", "--echo"]
        return a + (["--auto-answer"] if self.mode == "answer" else [])

    def dial(self, uri):
        self.line("dial " + uri)

    def hangup(self):
        self.line("hangup")


class Baresip(Peer):
    # port + 1 is its TLS, + 2 what we tell it by; it has 256 lines
    name, transports, most = "baresip", ("udp", "tcp", "tls"), 250

    def argv(self):
        modules = os.environ.get("BARESIP_MODULES") or next((m for m in MODULES if os.path.isdir(m)), ".")
        version = subprocess.run([self.program, "-h"], capture_output=True, text=True,
                                 env={**os.environ, **self.environment()}).stdout
        account = "module_tmp" if " v1." in version else "module_app"
        first = 30000 + self.port % 1000
        if self.mode == "pair":
            return self.paired(modules, account, first)
        config = ["poll_method epoll", "sip_listen 127.0.0.1:%d" % self.port, "net_interface 127.0.0.1",
                  "call_local_timeout 120", "call_max_calls %d" % self.calls, "call_hold_other_calls no",
                  "call_accept %s" % ("yes" if self.mode == "echo" else "no"),
                  "audio_source aubridge,bench", "audio_player aubridge,bench", "audio_alert aubridge,alert",
                  "rtp_ports %d-%d" % (first, first + 4000), "opus_bitrate 28000", "opus_stereo no",
                  "opus_sprop_stereo no", "ctrl_tcp_listen 127.0.0.1:%d" % (self.port + 2),
                  "module_path " + modules, account + " account.so"]
        config += ["module %s.so" % m for m in ("g711", "opus", "aubridge")]
        if self.over == "tls":
            self.uri, self.to = "sip:bench@127.0.0.1:%d" % (self.port + 1), ("127.0.0.1", self.port + 1)
            config += ["sip_certificate " + sip.Secure.certificate, "sip_cafile %s.crt" % sip.Secure.certificate]
        config += ["module_app ctrl_tcp.so", "module_app %s.so" % ("echo" if self.mode == "echo" else "menu")]
        codec = {"pcmu": "PCMU", "opus": "opus/48000/2"}[self.codec]
        with open(self.dir + "/config", "w", encoding="ascii") as f:
            f.write("\n".join(config) + "\n")
        with open(self.dir + "/accounts", "w", encoding="ascii") as f:
            f.write("<%s%s>;regint=%d;auth_pass=bench;audio_codecs=%s%s\n" % (
                "sip:bench@" + self.registrar if self.registrar else self.uri,
                ";transport=" + self.over if self.over != "udp" else "", 300 if self.registrar else 0, codec,
                ";answermode=auto" if self.mode == "answer" else ""))
        return [self.program, "-4", "-f", self.dir]

    def paired(self, modules, account, first):
        """its file must be as the codec is: two channels, by its default, of Opus"""
        rate, channels = (48000, 2) if self.codec == "opus" else (8000, 1)
        say = self.dir + "/say.wav"
        subprocess.run(["sox", "-D", self.pair.said, "-r", str(rate), "-c", str(channels), say], check=True)
        config = ["poll_method epoll", "sip_listen 127.0.0.1:%d" % self.port, "net_interface 127.0.0.1",
                  "audio_source aufile," + say, "audio_player alsa," + self.pair.device, "audio_alert alsa," + self.pair.device,
                  "rtp_ports %d-%d" % (first, first + 4000), "module_path " + modules, account + " account.so"]
        config += ["module %s.so" % m for m in ("g711", "opus", "aufile", "alsa")] + ["module_app menu.so"]
        with open(self.dir + "/config", "w", encoding="ascii") as f:
            f.write("\n".join(config) + "\n")
        with open(self.dir + "/accounts", "w", encoding="ascii") as f:
            f.write("<%s>;regint=0;audio_codecs=%s;answermode=auto\n" % (
                self.uri, {"pcmu": "PCMU", "opus": "opus/48000/2"}[self.codec]))
        return [self.program, "-4", "-f", self.dir]

    def environment(self):
        lib, more = os.environ.get("BARESIP_LIB"), self.pair.env if self.pair else {}
        return {**({"LD_LIBRARY_PATH": lib} if lib else {}), **more}

    def command(self, word, params=""):
        if not hasattr(self, "link"):
            self.link = socket.create_connection(("127.0.0.1", self.port + 2), 5)
        m = json.dumps({"command": word, "params": params, "token": "bench"})
        self.link.sendall(b"%d:%s," % (len(m), m.encode()))

    def dial(self, uri):
        self.command("dial", uri)

    def hangup(self):
        self.command("hangup")


class Pjsua(Peer):
    # of its 512 calls some are still ending
    name, transports, most = "pjsua", ("udp", "tcp"), 250

    def argv(self):
        way = ";transport=tcp" if self.over == "tcp" else ""
        if self.mode == "pair":
            return [self.program, "--null-audio", "--local-port=%d" % self.port, "--bound-addr=127.0.0.1", "--ip-addr=127.0.0.1",
                    "--no-tcp", "--id=" + self.uri, "--rtp-port=%d" % (30000 + self.port % 1000), "--log-level=0",
                    "--app-log-level=0", "--no-color", "--add-codec=" + self.codec, "--auto-answer=200", "--auto-play",
                    "--play-file=" + self.pair.said, "--auto-rec", "--rec-file=" + self.pair.heard]
        a = [self.program, "--null-audio", "--local-port=%d" % self.port, "--bound-addr=127.0.0.1", "--ip-addr=127.0.0.1",
             "--no-udp" if way else "--no-tcp"]
        if self.registrar:
            a += ["--id=sip:bench@" + self.registrar, "--registrar=sip:" + self.registrar + way, "--realm=*",
                  "--username=bench", "--password=bench"]
        else:
            a += ["--id=" + self.uri + way]
        a += [ "--rtp-port=%d" % (30000 + self.port % 1000),
             "--max-calls=%d" % min(512, self.calls), "--no-vad", "--ec-tail=0", "--log-level=0",
             "--app-log-level=0", "--no-color", "--add-codec=" + self.codec]
        if self.mode != "idle":
            a.append("--auto-answer=200")
        if self.mode == "echo":
            a.append("--auto-loop")
        if self.codec == "opus":
            a.append("--clock-rate=48000")
        return a

    def dial(self, uri):
        self.line("m\n" + uri)

    def hangup(self):
        self.line("ha")

    def quit(self):
        self.line("q")


class Linphonec(Peer):
    # it answers by itself only while no other call is up (each that comes
    # beside one is left to ring), and has no echo: not held, nor many calls
    name, transports = "linphonec", ("udp", "tcp", "tls")
    parts, slowest = ("start", "register", "latency", "rate"), 5

    @classmethod
    def can(cls, part, over, registered=False):
        # it takes no TLS connections, it makes them
        return (registered or part == "register" or over != "tls") and super().can(part, over, registered)

    def argv(self):
        os.makedirs(self.dir + "/.local/share/linphone")
        os.makedirs(self.dir + "/.config/linphone")
        way = ";transport=" + self.over if self.over != "udp" else ""
        listening = ["sip%s_port=%d" % (x, self.port if x.strip("_") == (self.over if way else "") else 0) for x in ("", "_tcp", "_tls")]
        rc = ["[sip]", *listening, "bind_address=127.0.0.1", "guess_hostname=0", "contact=" + self.uri]
        rc += ["verify_server_certs=0", "verify_server_cn=0"]   # it takes no certificate that vouches for itself
        if self.registrar:
            rc += ["default_proxy=0", "[proxy_0]", "reg_proxy=<sip:%s%s>" % (self.registrar, way), "reg_expires=300",
                   "reg_identity=sip:bench@" + self.registrar, "reg_sendregister=1", "publish=0",
                   "[auth_info_0]", "username=bench", "passwd=bench", "realm=bench"]
        rc += ["[sound]", "echocancellation=0", "[rtp]", "audio_rtp_port=%d" % (30000 + self.port % 1000)]
        with open(self.dir + "/rc", "w", encoding="ascii") as f:
            f.write("\n".join(rc) + "\n")
        return [self.program, "-c", self.dir + "/rc"] + ([] if self.mode == "idle" else ["-a"])

    def start(self):
        started = super().start()
        self.line("soundcard use files")
        return started

    def dial(self, uri):
        self.line("call " + uri)

    def hangup(self):
        self.line("terminate")

    def quit(self):
        self.line("quit")


def found(offhook):
    """-> [(class, program)] of the phones on this machine, ours first"""
    out = [(Offhook, offhook)]
    for kind, variable in ((Baresip, "BARESIP"), (Pjsua, "PJSUA"), (Linphonec, "LINPHONEC")):
        program = shutil.which(os.environ.get(variable) or kind.name)
        if program:
            out.append((kind, program))
    return out
