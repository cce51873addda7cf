"""openmetrics - reads OpenMetrics 1.0 text strictly: what its grammar or its
rules forbid is an error, not a guess."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)?\})? (\S+)" % (NAME, LABEL, LABEL))
NUMBER = re.compile(r"[+-]?(?:Inf|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|NaN")
SUFFIXES = {"counter": ("_total", "_created"), "gauge": ("",), "info": ("_info",),
            "histogram": ("_bucket", "_count", "_sum", "_created"), "unknown": ("",)}


class Wrong(Exception):
    pass


def must(ok, line, why):
    if not ok:
        raise Wrong("%s: %s" % (why, line))


def unescaped(text):
    return re.sub(r'\\(["\\n])', lambda m: "\n" if m.group(1) == "n" else m.group(1), text)


class Family:
    def __init__(self, name, kind):
        self.name, self.kind, self.unit, self.help, self.samples = name, kind, None, None, {}

    def check(self):
        if self.unit:
            must(self.name.endswith("_" + self.unit), self.name, "its name does not end in its unit")
        if self.kind != "histogram":
            return
        groups = {}
        for (name, labels), value in self.samples.items():
            rest = tuple(x for x in labels if x[0] != "le")
            g = groups.setdefault(rest, {"le": []})
            if name.endswith("_bucket"):
                g["le"].append((dict(labels)["le"], value))
            else:
                g[name[len(self.name):]] = value
        for g in groups.values():
            limits = [float(le) for le, _ in g["le"]]
            must(limits and limits == sorted(set(limits)) and math.isinf(limits[-1]), self.name, "limits")
            for le, _ in g["le"]:
                must(le == "+Inf" or re.fullmatch(r"-?[0-9]+\.[0-9]+", le), le, "a limit is not written as it should be")
            counts = [v for _, v in g["le"]]
            must(counts == sorted(counts) and all(v == int(v) >= 0 for v in counts), self.name, "counts that fall")
            must(g.get("_count") == counts[-1] and "_sum" in g, self.name, "count and sum")


def families(text):
    """-> {name: Family}"""
    out, now = {}, None
    must(text.endswith("# EOF\n") and text.count("# EOF") == 1, text[-40:], "the end")
    text.encode("utf-8")
    for line in text[:-len("# EOF\n")].split("\n")[:-1]:
        m = re.fullmatch(r"# (TYPE|UNIT|HELP) (%s) (.*)" % NAME, line)
        if line.startswith("#"):
            must(m, line, "no metadata")
            word, name, rest = m.groups()
            if not now or now.name != name:
                must(name not in out, line, "a family in two places")
                must(word == "TYPE" and rest in SUFFIXES, line, "a family begins with its type")
                now = out[name] = Family(name, rest)
                continue
            must(not now.samples, line, "metadata behind samples")
            must(word != "TYPE" and getattr(now, word.lower()) is None, line, "twice")
            if word == "HELP":
                must(re.fullmatch(r'(?:[^\\]|\\[\\n"])*', rest), line, "an escape that is none")
            setattr(now, word.lower(), rest)
            continue
        m = SAMPLE.fullmatch(line)
        must(m and now, line, "no sample")
        name, labels, value = m.groups()
        must(name.startswith(now.name) and name[len(now.name):] in SUFFIXES[now.kind], line, "not of family %s" % now.name)
        must(NUMBER.fullmatch(value), line, "no number")
        pairs = [(k, unescaped(v)) for k, v in re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', labels or "")]
        must(len({k for k, _ in pairs}) == len(pairs), line, "a label twice")
        key = (name, tuple(pairs))
        must(key not in now.samples, line, "twice")
        value = float(value)
        if now.kind == "counter":
            must(value >= 0, line, "a counter below zero")
        must(not name.endswith("_bucket") or "le" in dict(pairs), line, "a bucket without its limit")
        now.samples[key] = value
    for f in out.values():
        f.check()
    return out


def figures(text):
    """-> {'name{label="value"}': value}"""
    out = {}
    for f in families(text).values():
        for (name, labels), value in f.samples.items():
            out[name + ("{%s}" % ",".join('%s="%s"' % x for x in labels) if labels else "")] = value
    return out


# what must not pass, and a text that does
GOOD = """# TYPE a_seconds counter
# UNIT a_seconds seconds
# HELP a_seconds Some \\\\ time
a_seconds_total{x="1\\"\\\\\\n"} 1.5
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 2
h_count 2
h_sum 3
# EOF
"""
BAD = (
    ("# EOF\n", ""), ("a_seconds_total{", "a_seconds{"), ('le="0.5"} 1', 'le="0.5"} 3'), ('le="0.5"', 'le="1"'),
    ("h_count 2", "h_count 3"), ("# UNIT a_seconds seconds", "# UNIT a_seconds bytes"), ("1.5", "x"), ("1.5", "-1"),
    ("h_sum 3", "h_sum 3\nh_sum 4"), ('\\"', '"'), ("# HELP a_seconds", "# HELP b"), ("h_sum 3\n", "h_sum 3\n\n"),
    ("# TYPE h histogram", "# TYPE h gauge"), ('{x="', '{x="0",x="'), ("h_sum 3\n", ""), ("# TYPE h histogram\n", ""),
)


def check_self():
    families(GOOD)
    for a, b in BAD:
        must(a in GOOD, a, "not in the text")
        try:
            families(GOOD.replace(a, b, 1))
        except (Wrong, ValueError):
            continue
        raise Wrong("passes: %r for %r" % (b, a))
