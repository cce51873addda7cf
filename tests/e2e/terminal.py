"""terminal - a terminal that a test can look at: tmux with its own server"""
import glob
import os
import re
import socket
import subprocess
import time

from home import Failed, check, need

PICTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tools", "screen-picture")
PICTURES = os.environ.get("OFFHOOK_PICTURES")    # a folder: pictures of the main screens are left there


class Terminal:
    """A pane of tmux in which a program runs; a shell tells how it ended"""

    def __init__(self, lab, argv, size=(80, 24), env=None, name="m", term="tmux-256color"):
        need("tmux")
        self.lab, self.name = lab, name
        self.light = (env or {}).get("COLORFGBG", "").endswith(";15")
        self.socket = lab.path("tmux-%s" % name)
        full = {"TERM": term, "LC_ALL": "C.UTF-8", "HOME": lab.dir, "XDG_RUNTIME_DIR": lab.dir, "PS1": "$ ",
                "XDG_STATE_HOME": lab.path("state"), "XDG_CONFIG_HOME": lab.path("conf"), "ENV": "", **(env or {})}
        clean = ["env", "-i", "PATH=" + os.environ["PATH"]]
        for k in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH", "OFFHOOK_SOUNDS"):
            if k in os.environ:
                full.setdefault(k, os.environ[k])
        clean += ["%s=%s" % kv for kv in full.items()]
        self.tmux("-u", "new-session", "-d", "-s", name, "-x", str(size[0]), "-y", str(size[1]),
                  *clean, "sh", "-i")
        self.tmux("set", "-g", "status", "off")
        self.tmux("set", "-g", "allow-passthrough", "on", fail=False)
        lab.programs.append(self)
        self.wait(r"^\$ ?$")
        if argv:
            self.run(argv)

    def run(self, argv):
        """start a program from the shell; what it exits with is printed"""
        script = self.lab.file("run-%s.sh" % self.name,
                               "clear\n" + " ".join("'%s'" % a for a in argv) + "\necho \"<exit $?>\"\n")
        self.type(". " + script)
        self.keys("Enter")

    def tmux(self, *args, fail=True):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TMUX")}
        env["LC_ALL"] = "C.UTF-8"
        r = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null"] + list(args), env=env, capture_output=True,
                           timeout=30)
        if fail and r.returncode:
            raise Failed("tmux %s: %s" % (args, r.stderr.decode()))
        return r.stdout.decode("utf-8", "replace")

    def keys(self, *names):
        self.tmux("send-keys", "-t", self.name, *names)

    def type(self, text):
        self.tmux("send-keys", "-t", self.name, "-l", "--", text)

    def bytes(self, data):
        self.tmux("send-keys", "-t", self.name, "-H", *["%02x" % b for b in data])

    def click(self, x, y):
        """left button, counted from 0"""
        self.type("\033[<0;%d;%dM\033[<0;%d;%dm" % (x + 1, y + 1, x + 1, y + 1))

    def wheel(self, x, y, down=True):
        self.type("\033[<%d;%d;%dM" % (65 if down else 64, x + 1, y + 1))

    def text(self, colours=False):
        return self.tmux("capture-pane", "-p", "-t", self.name, *(["-e"] if colours else []))

    def rows(self):
        return self.text().split("\n")

    def find(self, text):
        """-> (x, y) of a text on the screen"""
        for y, row in enumerate(self.rows()):
            if text in row:
                return row.index(text), y
        raise Failed("'%s' is not on the screen\n%s" % (text, self.text()))

    def wait(self, pattern, timeout=20, gone=False):
        """until the screen shows it (or no longer does) -> match"""
        rx, end = re.compile(pattern, re.M), time.monotonic() + timeout
        while True:
            text = self.text()
            m = rx.search(text)
            if bool(m) != gone:
                return m
            if time.monotonic() > end:
                raise Failed("the screen %s /%s/ for %g s\n%s" % ("still shows" if gone else "does not show", pattern,
                                                                  timeout, text))
            time.sleep(0.05)

    def press(self, key, pattern, timeout=20, gone=False):
        """a key, again and again until the screen shows that: keys right after a call came are no answer to it"""
        end = time.monotonic() + timeout
        while True:
            self.keys(key)
            try:
                return self.wait(pattern, 1.0, gone)
            except Failed:
                if time.monotonic() > end:
                    raise

    def size(self, w, h):
        self.tmux("resize-window", "-t", self.name, "-x", str(w), "-y", str(h))

    def pid(self):
        """of the program in the foreground"""
        shell = self.tmux("display", "-p", "-t", self.name, "#{pane_pid}").strip()
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", shell], capture_output=True, text=True).stdout.split()
        check(out, "no program runs in the terminal\n%s", self.text())
        return int(out[0])

    def ended(self, timeout=20):
        """-> exit code"""
        self.wait(r"<exit \d+>\n\$ ?$", timeout)
        return int(re.findall(r"<exit (\d+)>", self.text())[-1])

    def picture(self, name, shared=False):
        """PNG of the screen, if somebody wants to see it"""
        if PICTURES:
            os.makedirs(PICTURES, exist_ok=True)
            subprocess.run([PICTURE, *(["--light"] if self.light else []), "-S", self.socket, "-t", self.name,
                            os.path.join(PICTURES, name + ".png")], check=True, timeout=60)

    def tail(self):
        return self.text()

    def phone(self):
        """pid of the phone: the one in the foreground only holds the terminal"""
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.pid())], capture_output=True, text=True).stdout.split()
        check(out, "there is no phone behind the terminal\n%s", self.text())
        return int(out[0])

    # as the lab ends programs
    def stop(self):
        self.tmux("kill-server", fail=False)
        # a phone outlives its terminal
        for path in glob.glob(os.path.join(self.lab.dir, "offhook", "*.sock")):
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(10)
                    s.connect(path)
                    s.sendall(b"quit\n")
                    while s.recv(4096):
                        pass
            except OSError:
                pass

    class proc:
        @staticmethod
        def kill():
            pass
