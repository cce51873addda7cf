#!/usr/bin/env python3
"""hear.py - what our playout makes of speech from bad networks, without a call.

  hear.py --build DIR [--codec pcmu|red|opus|opusred]... [--net TITLE=WHAT]... [--only WORD]
          [--seeds N] [--voices N] [--mark] [--nack RTT]... [--alone] [--brief] [--json FILE]

Everything is made up by hear.c: the packets of bench.py's part quality, what
its networks do to them, and time. So nothing depends on the machine, a run
comes out the same every time, and takes a hundredth of what a call would. Each
network is met with several seeds and several voices: the speech that comes
along, and espeak-ng's, men and women in five languages. Told is the mean of all:

  STOI     how well it is understood (stoi.c), and the least of any run
  missing  ms of speech that are not there
  shifts   changes of the delay
  delay    ms that it comes later than it could at best; the mean, at the end, and
           the most of any run at the end. With several calls at once turns are
           each 20 ms, at any time in between packets; with --alone behind them
  made up  ms by concealment
--mark sets a decoder beside it that is given every packet in its order, however late it
came: FEC where the packet behind a gap came, the codec's own concealment elsewhere.
--nack MS has two flows of ours call each other over that round trip time, once as
they are and once asking for what is lost (RFC 4585); questions and answers are lost
as often as speech is.
--net gives a network of your own, as speech.c takes it: --net "mine=loss=3,jitter=40"
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench

HERE = os.path.dirname(os.path.abspath(__file__))

# other speech than what comes along; and what is said
VOICES = (
    ("en-gb+f3", bench.TEXTS[0]), ("en-us+m7", bench.TEXTS[1]), ("en-us", bench.TEXTS[2]),
    ("de+m2", "Der Zug nach Hamburg fährt heute von einem anderen Gleis. Wir treffen uns um halb sechs vor dem Kino, wenn es nicht regnet. "
              "Sie hat gestern zwölf frische Brötchen gekauft und keines davon gegessen."),
    ("fr+f2", "Le facteur est passé ce matin avec une lettre de ma tante. Nous avons mangé une soupe de poisson au bord de la mer. "
              "Il faut fermer la fenêtre avant que le chat ne sorte."),
    ("es+m3", "La casa del pueblo tiene una puerta verde y dos ventanas pequeñas. Mi hermano trabaja en una fábrica de zapatos. "
              "Mañana por la tarde vamos a comprar fruta y queso en el mercado."),
    ("it+f4", "La bottega del falegname è chiusa il lunedì pomeriggio. Abbiamo camminato fino al lago senza incontrare nessuno. "
              "Questo vecchio orologio batte ancora le ore."),
)


def speech(directory, rate, name, text=None, wav=None):
    """-> a file of that rate, with a second and more of silence before it"""
    said, path = os.path.join(directory, name + ".said.wav"), os.path.join(directory, "%s.%d.wav" % (name, rate))
    if text and not os.path.exists(said):
        subprocess.run(["espeak-ng", "-v", name, "-s", "150", "-w", said, text], check=True)
    subprocess.run(["sox", "-D", wav or said, "-r", str(rate), "-c", "1", "-b", "16", path, "norm", "-3", "pad", "1.2", "0.5"], check=True)
    return path


def heard(job):
    """one voice, all networks -> [(title, score)]"""
    program, score, args, nets, reference = job
    with tempfile.TemporaryDirectory(prefix="hear-") as directory:
        line = [program, "-o", directory] + args
        for _, what in nets:
            line += ["-i", what]
        told = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
        out = []
        for i, (title, _) in enumerate(nets):
            s = json.loads(subprocess.run([score, reference, os.path.join(directory, "%d.wav" % i)],
                                          check=True, capture_output=True, text=True).stdout)
            s.update(told[i])
            s["at_end_ms"] = s["end_ms"] + s["offset_ms"]
            s["middle_ms"] = s["delay_ms"] + s["offset_ms"]
            out.append((title, s))
        return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True, metavar="DIR", help="a build directory of meson's")
    p.add_argument("--codec", action="append", choices=[*bench.NETS])
    p.add_argument("--net", action="append", default=[], metavar="TITLE=WHAT")
    p.add_argument("--only", action="append", metavar="WORD", help="networks with that in their title")
    p.add_argument("--seeds", type=int, default=5, metavar="N")
    p.add_argument("--voices", type=int, default=4, metavar="N", help="1: the speech that comes along alone")
    p.add_argument("--mark", action="store_true")
    p.add_argument("--nack", action="append", type=int, metavar="MS")
    p.add_argument("--brief", action="store_true", help="turns of 10 ms, as a sound card gives them")
    p.add_argument("--alone", action="store_true", help="turns are put behind the packets, as with one call")
    p.add_argument("--json", metavar="FILE", help="write the figures of every run there")
    a = p.parse_args()
    subprocess.run(["ninja", "-C", a.build, "tests/bench/hear"], check=True, stdout=subprocess.DEVNULL)
    directory, everything = tempfile.mkdtemp(prefix="hear-"), {}
    score = os.path.join(directory, "score")
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-std=gnu11", "-o", score, os.path.join(HERE, "score.c"),
                    os.path.join(HERE, "stoi.c"), "-lm"], check=True)
    try:
        for codec in a.codec or ["pcmu", "opus"]:
            run(a, codec, directory, score, everything)
    finally:
        shutil.rmtree(directory)
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump(everything, f, indent=1)
    return 0


def run(a, codec, directory, score, everything):
    opus = codec.startswith("opus")
    rate, out_rate = (48000, 16000) if opus else (8000, 8000)
    names = [("own", None, bench.SPEECH)] + [(v, text, None) for v, text in VOICES]
    spoken = [(speech(directory, rate, *n), speech(directory, out_rate, *n)) for n in names[:a.voices]]
    base = ["-c", codec, "-F", str(bench.FEC if opus else 0), "-r", str(bench.BACK.get(codec, 0))] + (["-a"] if a.alone else []) + (["-B"] if a.brief else [])
    nets = [tuple(x.split("=", 1)) for x in a.net] or [
        (title, what) for title, (what, _) in bench.NETS[codec].items() if not a.only or any(w in title for w in a.only)]
    ways = [("ours", [])] + ([("mark", ["-m", "order"])] if a.mark else [])
    if a.nack:
        ways = []
        for rtt in a.nack:
            ways += [("rtt %d" % rtt, ["-m", "call", "-R", str(rtt)]), ("rtt %d, asked" % rtt, ["-m", "call", "-R", str(rtt), "-n"])]
    jobs = []
    for way, more in ways:
        for voice, (sent, reference) in enumerate(spoken):
            for seed in range(1, a.seeds + 1):
                each = [((way, title), "%s%sseed=%d" % (what, "," if what else "", seed + 10 * voice)) for title, what in nets]
                jobs.append((os.path.join(a.build, "tests", "bench", "hear"), score, base + more + ["-w", sent], each, reference))
    got = {}
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for out in pool.map(heard, jobs):
            for title, s in out:
                got.setdefault(title, []).append(s)
    print("%s: %d voices, %d seeds of each" % (bench.TITLES[codec], len(spoken), a.seeds))
    print("%-24s %-16s %6s %6s %7s %6s %6s %6s %6s %6s %7s" % (
        "network", "", "STOI", "least", "missing", "shifts", "delay", "at end", "most", "made up", "again %"))
    for title, _ in nets:
        for way, _ in ways:
            rows = got[(way, title)]

            def mean(key, rows=rows):
                return statistics.mean(r[key] for r in rows)
            print("%-24s %-16s %6.4f %6.3f %7.0f %6.1f %6.1f %6.1f %6.1f %6.0f %7.1f" % (
                title, way, mean("stoi"), min(r["stoi"] for r in rows), mean("gap_ms"), mean("shifts"), mean("middle_ms"), mean("at_end_ms"),
                max(r["at_end_ms"] for r in rows), mean("made_up_ms"), mean("again_pct")), flush=True)
            everything.setdefault(codec, {}).setdefault(title, {})[way] = rows


if __name__ == "__main__":
    sys.exit(main())
