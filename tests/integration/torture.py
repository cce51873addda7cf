#!/usr/bin/env python3
"""The torture messages of RFC 4475 and RFC 5118, by a suite kept beside the
checkout (../shared/conformance); skipped when it is not there."""
import os
import re
import subprocess
import sys

from lab import Skip, check, main

HERE = os.path.dirname(os.path.abspath(__file__))
SUITE = os.environ.get("OFFHOOK_CONFORMANCE", os.path.join(HERE, "..", "..", "..", "shared", "conformance"))


def test_torture(lab):
    if not os.path.exists(os.path.join(SUITE, "run.py")):
        raise Skip("no conformance suite beside the checkout")
    if os.geteuid():
        raise Skip("needs root for a network namespace of its own")
    bin_dir = lab.path("bin")
    os.makedirs(bin_dir)
    os.symlink(lab.program, os.path.join(bin_dir, "offhook"))
    r = subprocess.run(
        [sys.executable, os.path.join(SUITE, "run.py"), "--profile", os.path.join(SUITE, "profiles", "offhook.json"),
         "--suite", "torture", "--crashdir", lab.path("crashes")],
        env={**os.environ, "PATH": bin_dir + os.pathsep + os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=lab.dir, capture_output=True, text=True, timeout=400)
    rows = [x.split(None, 2) for x in r.stdout.splitlines() if re.match(r"(PASS|WARN|FAIL|CRASH|SKIP|ERROR) ", x)]
    print("\n".join(x for x in r.stdout.splitlines() if not x.startswith("PASS")))
    check(len(rows) > 50, "only %d cases ran\n%s", len(rows), r.stderr[-2000:])
    bad = [x for x in rows if x[0] in ("FAIL", "CRASH", "ERROR")]
    check(not bad, "%s", "\n".join(" ".join(x) for x in bad))


test_torture.limit = 420

if __name__ == "__main__":
    main(globals())
