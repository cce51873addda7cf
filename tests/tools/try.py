#!/usr/bin/env python3
"""The tools are tested too: what they count is what tests stand on."""
import array
import json
import os
import subprocess
import sys
import tempfile
import wave

HERE = os.path.dirname(os.path.abspath(__file__))
CMOCKA = """[==========] Running 3 test(s).
[ RUN      ] a
[       OK ] a
[ RUN      ] b
[  SKIPPED ] b
[ RUN      ] c
[  FAILED  ] c
[==========] 3 test(s) run.
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] c
"""


def run(tool, *args):
    r = subprocess.run([sys.executable, os.path.join(HERE, tool)] + list(args), capture_output=True, text=True)
    return r.returncode, r.stdout


def summed(folder, *tests):
    path = os.path.join(folder, "log.json")
    with open(path, "w", encoding="ascii") as f:
        for result, text in tests:
            f.write(json.dumps({"name": "t", "result": result, "stdout": text}) + "\n")
    code, out = run("sum-up", path)
    return code, out.splitlines()[-1]


def broken(path, good):
    """the tone with 3 ms cut out of its middle"""
    with wave.open(good) as w:
        p, x = w.getparams(), array.array("h", w.readframes(w.getnframes()))
    with wave.open(path, "wb") as w:
        w.setparams(p)
        w.writeframes((x[:len(x) // 2] + x[len(x) // 2 + 144:]).tobytes())


def main():
    with tempfile.TemporaryDirectory() as d:
        good, bad = os.path.join(d, "good.wav"), os.path.join(d, "bad.wav")
        assert summed(d, ("OK", ""), ("OK", "3 passed, 0 failed, 1 skipped\n")) == (0, "4 passed, 0 failed, 1 skipped")
        assert summed(d, ("FAIL", CMOCKA)) == (1, "1 passed, 1 failed, 1 skipped")
        assert summed(d, ("TIMEOUT", "[       OK ] a\n")) == (1, "1 passed, 1 failed, 0 skipped")
        assert summed(d, ("SKIP", "nothing here")) == (1, "0 passed, 0 failed, 1 skipped")
        assert run("sum-up", os.path.join(d, "none"))[0] == 1
        assert run("tone-breaks", "--make", "3", "440", good)[0] == 0
        assert run("tone-breaks", "440", good)[0] == 0
        assert run("tone-breaks", "450", good)[0] == 1
        broken(bad, good)
        assert run("tone-breaks", "440", bad)[0] == 1
        assert run("tone-breaks", "--max", "1", "440", bad)[0] == 0
    print("the tools count right")


if __name__ == "__main__":
    main()
