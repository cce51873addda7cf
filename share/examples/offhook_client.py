"""offhook_client - talk to a running offhook over its control socket

    with Phone() as phone:
        call = phone("dial", target="sip:bob@example.com")["call"]
        phone.events("call")
        for event in phone:
            print(event)

Nothing but the standard library.  One Phone is for one thread.
"""
import collections
import json
import os
import socket
import time


class Refused(Exception):
    """the phone said no: .token is stable, the text is a sentence"""

    def __init__(self, reply):
        super().__init__("%s: %s" % (reply.get("error"), reply.get("text")))
        self.token = reply.get("error")
        self.reply = reply


def default_path():
    base = os.environ.get("XDG_RUNTIME_DIR")
    base = os.path.join(base, "offhook") if base else os.path.expanduser("~/.local/state/offhook")
    return os.path.join(base, "default.sock")


class Phone:
    def __init__(self, path=None, tcp=None, token=None, timeout=60):
        """path: of the Unix socket; or tcp=(host, port) and the token"""
        if tcp:
            self.sock = socket.create_connection(tcp, timeout)
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(timeout)
            self.sock.connect(path or default_path())
        self.timeout = timeout
        self.pending = b""
        self.waiting = collections.deque()      # events that came before a reply
        self.id = 0
        if tcp:
            self("auth", token=token)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, command, **args):
        """a request; -> its id. Names of args have _ for -"""
        self.id += 1
        request = {"id": self.id, "command": command, "args": {k: v for k, v in args.items() if v is not None}}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        return self.id

    def line(self, timeout=None):
        """the next object; None: the phone has closed the connection"""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while b"\n" not in self.pending:
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            data = self.sock.recv(65536)
            if not data:
                return None
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def reply(self, number, timeout=None):
        while True:
            o = self.line(timeout)
            if o is None:
                raise ConnectionError("the phone has closed the connection")
            if "event" in o:
                self.waiting.append(o)
            elif o["reply"] == number:
                if not o["ok"]:
                    raise Refused(o)
                return o
            elif not o["ok"] and o["reply"] is None:
                raise Refused(o)

    def __call__(self, command, timeout=None, **args):
        """run it -> the reply, an object; Refused when it says no"""
        return self.reply(self.send(command, **args), timeout)

    def events(self, *names, since=None, call=None):
        """from here on be told of these ("call", "call.state", "-call.level"); none: of all"""
        return self("events", what="on", filter=" ".join(names) or None, since=since, call=call)

    def event(self, timeout=None):
        """the next event; None: the connection is closed"""
        if self.waiting:
            return self.waiting.popleft()
        while True:
            o = self.line(timeout)
            if o is None or "event" in o:
                return o

    def __iter__(self):
        while True:
            o = self.event()
            if o is None:
                return
            yield o

    def until(self, name, timeout=60, **fields):
        """the next such event: phone.until("call.state", state="active")"""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no %s %s" % (name, fields))
            o = self.event(left)
            if o is None:
                raise ConnectionError("the phone has closed the connection")
            if o["event"] == name and all(o.get(k) == v for k, v in fields.items()):
                return o
