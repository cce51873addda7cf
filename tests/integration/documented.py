"""documented - is a reply what the table of commands tells of it?"""
import json
import re
import subprocess
import threading

_tables, _lock = {}, threading.Lock()


def _fields(text):
    """"call calls[call peer]" -> {"": {call}, "calls": {call, peer}}"""
    out = {"": set(re.sub(r"[-\w]+\[[^]]*\]", " ", text).split())}
    for name, inside in re.findall(r"([-\w]+)\[([^]]*)\]", text):
        out[name.replace("-", "_")] = {w.replace("-", "_") for w in inside.split()}
    out[""] = {w.replace("-", "_") for w in out[""]}
    return out


def table(program):
    with _lock:
        if program not in _tables:
            rows = json.loads(subprocess.run([program, "--dump", "commands"], check=True, capture_output=True,
                                             text=True).stdout)
            made = {}
            for c in rows:
                made[c["name"]] = (c["name"], "*" if c["reply"] == "*" else _fields(c["reply"]),
                                   set(c["errors"].split()) | set(c["any-errors"].split()))
                if c["alias"]:
                    made[c["alias"]] = made[c["name"]]
            _tables[program] = made
        return _tables[program]


def wrong(program, line, reply):
    """what is in the reply to that line and told nowhere; None: nothing"""
    m = re.match(r"\s*-?\s*([-\w]+)", line)
    if not m or m.group(1) not in table(program):
        return None
    name, fields, errors = table(program)[m.group(1)]
    if not reply.get("ok") and reply.get("error") not in errors:
        return "%s fails with %s, which is not told" % (name, reply.get("error"))
    if fields == "*":
        return None
    for k, v in reply.items():
        if k in ("reply", "ok", "error", "text", "where", "exit", "print"):
            continue
        if isinstance(v, list) and v and isinstance(v[0], dict):
            more = {x for row in v for x in row} - fields.get(k, set())
            if k not in fields or more:
                return "%s replies %s%s, which is not told" % (name, k, sorted(more))
        elif not isinstance(v, list) and k not in fields[""]:
            return "%s replies %s, which is not told" % (name, k)
    return None
