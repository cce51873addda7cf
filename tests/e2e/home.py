"""home - where the e2e tests find the lab of the integration tests"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "integration"))

from lab import Failed, Skip, check, main, need, ports, wait_port   # noqa: E402,F401

# on loopback, on a port the system has free, without a sound device
QUIET = ["-l", "udp:127.0.0.1", "-A", "tone:440"]


def exits(got, code, what=""):
    """got: what lab.run gave"""
    check(got[0] == code, "%s: exit code %d, not %d\n%s\n%s", what, got[0], code, got[1][-3000:], got[2][-3000:])
    return got
