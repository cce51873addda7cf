#!/usr/bin/env python3
"""rfcs.py check|markdown|man|counts [--top DIR] - the registry of standards,
rfc.toml beside this file: check holds every row to the tree and the README to
the table; the others print it."""
import argparse
import pathlib
import re
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
STATES = {"full": "yes", "partial": "in part", "none": "no"}
KEYS = {"number", "title", "state", "roles", "lacks", "files", "tests"}
BEGIN, END = "<!-- rfc table: from share/rfc.toml -->", "<!-- end of rfc table -->"


def rows():
    with open(HERE / "rfc.toml", "rb") as f:
        return tomllib.load(f)["rfc"]


def row_faults(row, top):
    """What is wrong with one row, as sentences"""
    number, state = row.get("number"), row.get("state")
    out = ["unknown key " + k for k in sorted(row.keys() - KEYS)]
    if not isinstance(number, int) or not row.get("title"):
        out.append("a number and a title are needed")
    if state not in STATES:
        out.append("state is one of " + ", ".join(STATES))
    if state != "full" and not row.get("lacks"):
        out.append("what is missing must be said")
    if state == "full" and row.get("lacks"):
        out.append("it lacks something, so it is not full")
    if state != "none":
        out += ["names no " + k for k in ("files", "tests", "roles") if not row.get(k)]
    for kind in ("files", "tests"):
        for path in row.get(kind, []):
            name, _, part = path.partition(":")
            if not (top / name).is_file():
                out.append("%s does not exist" % name)
            elif part and part not in (top / name).read_text(encoding="utf-8"):
                out.append("%s has no %s" % (name, part))
    return ["RFC %s: %s" % (number, fault) for fault in out]


def markdown(table):
    out = "| RFC | title | done | as | missing |\n| --- | --- | --- | --- | --- |\n"
    for r in table:
        out += "| %d | %s | %s | %s | %s |\n" % (
            r["number"], r["title"], STATES[r["state"]], r.get("roles", ""), r.get("lacks", ""))
    return out


def roff(text):
    return re.sub(r"(?m)^([.'])", r"\\&\1", text.replace("\\", "\\e").replace("-", "\\-"))


def man(table):
    out = ""
    for r in table:
        text = STATES[r["state"]] + (" (%s)" % r["roles"] if r.get("roles") else "")
        if r.get("lacks"):
            text += ": " + ("lacks " if r["state"] == "partial" else "") + r["lacks"]
        out += ".TP\n.B RFC %d, %s\n%s.\n" % (r["number"], roff(r["title"]), roff(text[:1].upper() + text[1:]))
    return out


def counts(table):
    n = {s: sum(r["state"] == s for r in table) for s in STATES}
    return "%d implemented, %d in part, %d not, of %d" % (n["full"], n["partial"], n["none"], len(table))


def check(table, top):
    faults = [f for r in table for f in row_faults(r, top)]
    numbers = [r.get("number") for r in table]
    faults += ["RFC %s: twice, or out of order" % b for a, b in zip(numbers, numbers[1:]) if not a < b]
    faults += ["%s holds no RFC row that %s" % ("rfc.toml", what) for what, state in
               (("is implemented", "full"), ("is partial", "partial"))
               if not any(r.get("state") == state for r in table)]
    readme = (top / "README.md").read_text(encoding="utf-8")
    if BEGIN + "\n\n" + markdown(table) + "\n" + END not in readme:
        faults.append("README.md does not show the table as it is: share/rfcs.py write")
    # the check itself must be able to fail
    bad = {"number": 1, "title": "x", "state": "full", "roles": "UAC", "files": ["no/such.c"], "tests": ["README.md:\0"]}
    if len(row_faults(bad, top)) != 2:
        faults.append("the check does not see a wrong row")
    return faults


def write(table, top):
    path = top / "README.md"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    path.write_text(head + BEGIN + "\n\n" + markdown(table) + "\n" + END + tail, encoding="utf-8")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("what", choices=["check", "markdown", "man", "counts", "write"])
    ap.add_argument("--top", type=pathlib.Path, default=HERE.parent)
    args = ap.parse_args()
    table = rows()
    if args.what == "check":
        faults = check(table, args.top)
        print("\n".join(faults) or counts(table))
        sys.exit(bool(faults))
    if args.what == "write":
        write(table, args.top)
        return
    print({"markdown": markdown, "man": man, "counts": counts}[args.what](table))


if __name__ == "__main__":
    main()
