#!/usr/bin/env python3
"""check.py - holds the tree to the house plan (layers.txt).

  check.py [--top DIR] includes        every #include against the table; no circles
  check.py [--top DIR] libre           libre's functions only where their family lives
  check.py [--top DIR] formats         no format string but a literal
  check.py [--top DIR] text            length of files, marks of unfinished work, first comment
  check.py [--top DIR] logs            each LOG_MODULE has a row in base/log_level.c, and each row a user
  check.py [--top DIR] waits           no wait without a bound but those that are known
  check.py [--top DIR] writes          no file written in place but those that are known
  check.py [--top DIR] scripts         shell and Python scripts are sound
  check.py [--top DIR] symbols LIB...  no global name of ours is also a shared library's
  check.py [--top DIR] documented PROGRAM   commands, options, events, accounts all say what they are
  check.py [--top DIR] self            the checks themselves find what they should

Exit 0 and a count, or 1 and one line for each thing found; 77 without what it needs.
"""
import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys

MAX_LINES = 800
MAX_COLUMNS = 100          # aim at 80; this is where a line stops being readable
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK|(?i:placeholder|not (yet )?implemented|stub))\b")

# libre's functions with a format, and which argument it is
FORMATS = {
    "dbg_info": 0, "dbg_noprintf": 0, "dbg_notice": 0, "dbg_printf": 1, "dbg_warning": 0,
    "http_creply": 4, "http_reply": 3, "http_request": 8,
    "mbuf_printf": 1, "mbuf_vprintf": 1, "md5_printf": 1,
    "re_fprintf": 1, "re_hprintf": 1, "re_printf": 0, "re_regex": 2, "re_sdprintf": 1, "re_snprintf": 2,
    "re_vfprintf": 1, "re_vhprintf": 0, "re_vprintf": 0, "re_vsdprintf": 1, "re_vsnprintf": 2,
    "sdp_format_set_params": 1, "sdp_media_set_lattr": 3, "sdp_session_set_lattr": 2,
    "sip_drequestf": 10, "sip_replyf": 4, "sip_requestf": 10, "sip_treplyf": 7,
    "sys_msleep": None,
}
FORMATS = {k: v for k, v in FORMATS.items() if v is not None}


class Plan:
    """layers.txt"""

    def __init__(self, path):
        self.level, self.header, self.allow = {}, {}, {}
        self.nocompat, self.libre, self.never = [], [], []
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                line = line.split("#")[0].strip()
                if line:
                    self.line(line, "%s:%d" % (path, number))
        self.libre.sort(key=lambda x: -len(x[0]))

    def line(self, line, where):
        head, _, rest = line.partition(":")
        word, *args = head.split()
        rest = rest.split()
        if word == "module":
            self.level[args[0]] = int(args[1])
            for h in rest:
                self.header[h] = args[0]
        elif word == "allow":
            self.allow[args[0]] = set(rest)
        elif word == "nocompat":
            self.nocompat += args
        elif word == "libre":
            self.libre.append((args[0], rest))
        elif word == "never":
            self.never += args
        else:
            sys.exit("%s: unknown word '%s'" % (where, word))

    def may(self, module, other):
        return other in (module, "base") or other in self.allow.get(module, ())


class Source:
    def __init__(self, top, path):
        self.path = os.path.relpath(path, top)
        with open(path, encoding="utf-8") as f:
            self.text = f.read()
        self.bare = blank(self.text)


def blank(text):
    """C without comments, the same length and lines"""
    def gone(m):
        s = m.group(0)
        return s if s[0] in "\"'" else re.sub(r"[^\n]", " ", s)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', gone, text, flags=re.S)


def without_strings(bare):
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  lambda m: m.group(0)[0] + " " * (len(m.group(0)) - 2) + m.group(0)[0], bare)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def sources(top, *folders):
    out = []
    for folder in folders:
        for base, dirs, files in os.walk(os.path.join(top, folder)):
            dirs.sort()
            out += [Source(top, os.path.join(base, f)) for f in sorted(files) if f.endswith((".c", ".h"))]
    return out


def module_of(plan, path):
    """module of a source or a public header"""
    parts = path.split(os.sep)
    if parts[0] == "include":
        return plan.header.get(os.path.splitext(parts[-1])[0])
    return "main" if len(parts) == 2 else parts[1]


# --- the checks: each yields (path, line, text) ------------------------------

def check_includes(plan, files):
    edges = {}
    known = {f.path for f in files}
    for f in files:
        module = module_of(plan, f.path)
        if module not in plan.level:
            yield f.path, 1, "belongs to no module of layers.txt"
            continue
        for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', f.bare, re.M):
            kind, name, line = m.group(1), m.group(2), line_of(f.bare, m.start())
            if kind == "<":
                if name in ("re.h", "rem.h") or name.startswith(("re/", "rem/")):
                    if f.path != os.path.join("include", "offhook", "compat.h"):
                        yield f.path, line, "includes <%s>: only compat.h does" % name
                continue
            if name.startswith("offhook/"):
                head = name[len("offhook/"):].removesuffix(".h")
                other = plan.header.get(head)
                if other is None:
                    yield f.path, line, 'includes "%s", which layers.txt does not name' % name
                elif not plan.may(module, other):
                    yield f.path, line, "%s may not include %s of %s" % (module, name, other)
                inside = f.path.removeprefix("src" + os.sep)
                if head == "compat" and any(inside.startswith(p) for p in plan.nocompat):
                    yield f.path, line, "may not include compat.h"
                target = os.path.join("include", name)
            else:
                target = os.path.normpath(os.path.join(os.path.dirname(f.path), name))
                home = os.path.dirname(f.path) if module == "main" else os.path.join("src", module)
                if os.path.dirname(target) != home and not target.startswith(os.path.join("src", module) + os.sep):
                    yield f.path, line, 'includes "%s" of another folder' % name
            if target in known:
                edges.setdefault(f.path, set()).add(target)
    for m, others in plan.allow.items():
        for o in others:
            if plan.level[o] >= plan.level[m]:
                yield "layers.txt", 1, "%s (level %d) allows %s (level %d): not lower" % (m, plan.level[m], o, plan.level[o])
    yield from circles(edges)


def circles(edges):
    done, path = set(), []

    def visit(node):
        if node in path:
            yield node, 1, "circle of includes: " + " -> ".join(path[path.index(node):] + [node])
            return
        if node in done:
            return
        path.append(node)
        for other in sorted(edges.get(node, ())):
            yield from visit(other)
        path.pop()
        done.add(node)
    for node in sorted(edges):
        yield from visit(node)


def shared_symbols(paths):
    out = {}
    for path in paths:
        text = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True).stdout
        for line in text.splitlines():
            p = line.split()
            if len(p) >= 3 and p[1] in "TDBRVWi":
                out.setdefault(p[2].split("@")[0], os.path.basename(path))
    return out


def libre_symbols():
    paths = []
    for lib in ("libre", "librem"):
        r = subprocess.run(["pkg-config", "--variable=libdir", lib], capture_output=True, text=True)
        path = os.path.join(r.stdout.strip(), lib + ".so")
        if not os.path.exists(path):
            skip("%s.so not found" % lib)
        paths.append(path)
    return shared_symbols(paths)


def check_libre(plan, files, names):
    for f in files:
        if not f.path.startswith("src" + os.sep):
            continue
        module, inside = module_of(plan, f.path), f.path.removeprefix("src" + os.sep)
        for m in re.finditer(r"\b[a-z_][a-z0-9_]*\b", without_strings(f.bare)):
            name = m.group(0)
            if name not in names:
                continue
            line = line_of(f.bare, m.start())
            if any(name.startswith(p) for p in plan.never):
                yield f.path, line, "uses libre's %s" % name
            for prefix, places in plan.libre:
                if name.startswith(prefix):
                    if module not in places and inside not in places:
                        yield f.path, line, "%s belongs in %s" % (name, ", ".join(places))
                    break


def arguments(text, at):
    """the arguments of a call whose '(' is at `at`"""
    depth, out, start, i = 0, [], at + 1, at
    while i < len(text):
        c = text[i]
        if c in "\"'":
            i += re.match(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', text[i:], re.S).end()
            continue
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if not depth:
                out.append(text[start:i])
                break
        elif c == "," and depth == 1:
            out.append(text[start:i])
            start = i + 1
        i += 1
    return [x.strip() for x in out]


PIECES = r"\s*(S\s*)+"              # literals, and macros that stand for one


def literal(arg):
    if arg == "NULL":
        return True
    arg = re.sub(r'"(?:\\.|[^"\\])*"|\bPRI\w+|\b[A-Z][A-Z0-9_]{3,}\b(?=\s*("|$))', "S", arg)
    return re.fullmatch(PIECES, arg) is not None or \
        re.fullmatch(r"[^?:]*\?" + PIECES + ":" + PIECES, arg) is not None


def check_formats(files):
    own = {}                # ours: a function that passes its own format on
    for f in files:
        for m in re.finditer(r"\b(\w+)\s*\(([^()]*const char \*fmt[^()]*)\)", f.bare):
            own.setdefault(f.path, []).append(m.group(1))
    for f in files:
        for m in re.finditer(r"\b(%s)\s*\(" % "|".join(FORMATS), without_strings(f.bare)):
            args = arguments(f.bare, m.end() - 1)
            where = FORMATS[m.group(1)]
            if len(args) <= where:
                continue                    # a declaration
            if literal(args[where]) or (args[where] == "fmt" and f.path in own and "va_list" in f.bare):
                continue
            yield f.path, line_of(f.bare, m.start()), "%s with a format that is not a literal: %s" % (
                m.group(1), " ".join(args[where].split()))
        for m in re.finditer(r"^[^\n#]*\bfmt\b[^;{]*\.\.\.\)([^;{]*)[;{]", f.bare, re.M):
            if f.path.endswith(".h") and "format" not in m.group(1):
                yield f.path, line_of(f.bare, m.start()), "takes a format without __attribute__((format))"


def check_text(files):
    for f in files:
        lines = f.text.splitlines()
        if len(lines) > MAX_LINES and not f.path.startswith("tests"):
            yield f.path, len(lines), "%d lines: split it (at most %d)" % (len(lines), MAX_LINES)
        for n, line in enumerate(lines, 1):
            m = MARKS.search(line.replace('"Not Implemented"', ""))    # the phrase of 501
            if m:
                yield f.path, n, "mark of unfinished work: %s" % m.group(0)
            if len(line.expandtabs(8)) > MAX_COLUMNS:
                yield f.path, n, "%d columns" % len(line.expandtabs(8))
            if line != line.rstrip():
                yield f.path, n, "blanks at the end of the line"
        if not f.text.startswith("/*"):
            yield f.path, 1, "does not open with a comment that says what it is"
        if not f.text.endswith("\n"):
            yield f.path, len(lines), "does not end with a line end"


def check_logs(files):
    rows, used = {}, {}
    for f in files:
        if f.path == os.path.join("src", "base", "log_level.c"):
            table = re.search(r"modules\[\] = \{(.*?)\n\};", f.bare, re.S).group(1)
            rows = {m.group(1): f.path for m in re.finditer(r'\{ "(\w+)",', table)}
        for m in re.finditer(r'define LOG_MODULE "(\w+)"|record_format\(&rec, \w+, "(\w+)"', f.bare):
            used.setdefault(m.group(1) or m.group(2), f.path)
    for name in sorted(set(used) - set(rows)):
        yield used[name], 0, "LOG_MODULE %s has no row in base/log_level.c" % name
    for name in sorted(set(rows) - set(used)):
        yield rows[name], 0, "nobody logs as %s" % name


# Waits that end only with what they wait for: how many in a file, and why that is well
ENDLESS = {
    "src/app/process.c": (1, "a child that was killed"),
    "src/base/worker.c": (2, "a worker thread with nothing to do, and its end"),
    "src/command/cmd_run.c": (1, "a child that was killed"),
    "src/ctl.c": (1, "--follow, which lasts as long as its user wants"),
    "src/holder.c": (1, "the terminal of a phone, as long as there is one"),
    "src/media/media.c": (1, "the media thread, which was told to end"),
    "src/secret.c": (1, "a child that was killed"),
}
WAITING = re.compile(r"\b(?:poll|ppoll|epoll_wait)\([^;]*?,\s*-1\s*\)|\bwaitpid\([^;]*?,\s*0\s*\)|"
                     r"\b(?:pthread_cond_wait|pthread_join|sem_wait|sigwait|sigwaitinfo|mtx_lock|system|popen)\s*\(|\bpause\(\)|"
                     r"\bflock\([^;]*?LOCK_(?:EX|SH)\s*\)|\bF_SETLKW\b|\bselect\([^;]*?NULL\s*\)")
FUNCTION = re.compile(r"^\{\n(.*?)^\}", re.S | re.M)


# Files that are not replaced whole by path_write(): how many are opened so, and why that is well
WRITERS = {
    "src/app/journal.c": (1, "a run: lines are added whole"),
    "src/app/outbox.c": (1, "a lock"),
    "src/app/pcap.c": (1, "a capture, read as far as it goes"),
    "src/app/store.c": (2, "a lock, and lines that are added whole"),
    "src/audio/file.c": (1, "sound"),
    "src/audio/sound.c": (2, "a recording"),
    "src/base/log_sink.c": (1, "the log: lines are added whole"),
    "src/base/path.c": (4, "path_write() itself, files that are turned over, a lock"),
    "src/control.c": (1, "a lock"),
    "src/sip/tls.c": (1, "keys: lines are added whole"),
    "src/trace.c": (1, "the trace: messages are added whole"),
    "src/ua/call_recording.c": (2, "what is told of a recording: renamed when it is whole"),
    "src/ui/tui/line.c": (1, "lines are added whole"),
}
WRITING = re.compile(r"\bO_CREAT\b|\bSFM_(?:WRITE|RDWR)\b|\bcreat\s*\(|\bmkos?temps?\s*\(|\brename\s*\(|\btruncate\s*\(")


def check_writes(files):
    """a crash leaves the old file or the new one"""
    for f in files:
        if not f.path.endswith(".c"):
            continue
        found = [m.start() for m in WRITING.finditer(f.bare)]
        # the mode is a string, which f.bare has not
        found += [m.start() for m in re.finditer(r'\bfopen\s*\([^;]*?"[wa]', f.text)]
        known = WRITERS.get(f.path, (0, ""))[0]
        if len(found) != known:
            yield f.path, line_of(f.bare, found[-1]) if found else 1, (
                "%d files are opened for writing, %d are known; path_write() replaces one whole" % (len(found), known))


def check_waits(files):
    """a line of a script that waits says for how long; all else asks the clock"""
    lines = 0
    for f in files:
        if not f.path.endswith(".c"):
            continue
        found = [m.start() for m in WAITING.finditer(f.bare)]
        known = ENDLESS.get(f.path, (0, ""))[0]
        if len(found) != known:
            yield f.path, line_of(f.bare, found[-1]) if found else 1, "%d waits without a bound, %d are known" % (
                len(found), known)
        if not f.path.startswith("src/command/"):
            continue
        for m in FUNCTION.finditer(f.bare):
            body, at = m.group(1), line_of(f.bare, m.start())
            bounds = len(re.findall(r"\bcmd_wait(?:_peer)?\(", body))
            lines += bounds
            if "cmd_wait_events(" in body and not bounds:
                yield f.path, at, "waits for an event and not for a time"
            if re.search(r"\bcmd_wait\(\s*\w+\s*,\s*(?:0|UINT64_MAX|-1)\s*,", body):
                yield f.path, at, "has no bound"
            if re.search(r"->waiting\s*=\s*true", body) and f.path != "src/command/command.c":
                yield f.path, at, "waits without cmd_wait()"
    if len(files) > 100 and lines < 20:
        yield "src/command", 0, "only %d waits of lines were counted" % lines


def tracked(top):
    r = subprocess.run(["git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                       capture_output=True, text=True)
    if r.returncode:
        skip("not a git checkout")
    return [p for p in r.stdout.split("\0") if p and os.path.isfile(os.path.join(top, p))]


def check_scripts(top):
    here = os.path.abspath(top)
    shells = []
    for path in tracked(top):
        full = os.path.join(top, path)
        with open(full, "rb") as f:
            data = f.read(1 << 20)
        if here.encode() + b"/" in data and len(here) > 4:
            yield path, 1, "holds a path of this machine"
        first = data.split(b"\n", 1)[0]
        if path.endswith(".py") or (first.startswith(b"#!") and b"python" in first):
            try:
                ast.parse(data, path)
            except SyntaxError as e:
                yield path, e.lineno, "not Python: %s" % e.msg
        elif path.endswith(".sh") or (first.startswith(b"#!") and first.endswith(b"sh")):
            shells.append(path)
        if first.startswith(b"#!") and not os.access(full, os.X_OK):
            yield path, 1, "has a first line for running but may not be run"
    if shells and not shutil.which("shellcheck"):
        skip("shellcheck not installed")
    r = subprocess.run(["shellcheck", "-x", "-f", "gcc"] + shells, cwd=top, capture_output=True, text=True)
    for line in r.stdout.splitlines():
        p = line.split(":", 3)
        yield p[0], p[1], p[3].strip()


# names of a library that end in a function of ours by intent, and why it is there
MEANT = {"rand_u64": "libre's random numbers, src/base/random.c"}


def check_symbols(libs):
    names, program = {}, None
    for lib in libs:
        if not lib.endswith(".a"):
            program = lib
            continue
        r = subprocess.run(["nm", "--defined-only", "--extern-only", "-P", lib], capture_output=True, text=True)
        for line in r.stdout.splitlines():
            p = line.split()
            if len(p) >= 2 and p[1] in "TDBRVWC":
                if p[0] in names and names[p[0]] != lib:
                    yield lib, 0, "%s is defined in %s too" % (p[0], os.path.basename(names[p[0]]))
                names[p[0]] = lib
    loaded = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    paths = [m for m in re.findall(r"=> (/\S+)", loaded) if not re.search(r"/lib(a|t|ub|l)san", m)]
    theirs = shared_symbols(paths)
    for name in sorted(set(names) & set(theirs)):
        if not name.startswith("__") and name not in MEANT:
            yield os.path.basename(names[name]), 0, "%s is a name of %s too: a call there may end here" % (name, theirs[name])


def check_documented(program):
    for what, fields in (("commands", ("name", "group", "summary", "help")), ("options", ("name", "summary", "default")),
                         ("events", ("name", "summary", "fields")), ("accounts", ("name", "summary"))):
        r = subprocess.run([program, "--dump", what], capture_output=True, text=True, timeout=30)
        if r.returncode:
            yield what, 0, "--dump %s ends with %d: %s" % (what, r.returncode, r.stderr.strip())
            continue
        try:
            rows = json.loads(r.stdout)
        except ValueError as e:
            yield what, 0, "--dump %s is not JSON: %s" % (what, e)
            continue
        if isinstance(rows, dict):
            rows = rows.get(what, list(rows.values())[0])
        if not rows:
            yield what, 0, "none"
        for row in rows:
            name = "%s %s" % (what, row.get("name"))
            for field in fields:
                if field not in row or (row[field] in (None, "") and field != "default"):
                    yield name, 0, "has no %s" % field
            for key in ("args", "options", "fields"):
                for part in row.get(key) or ():
                    if isinstance(part, dict) and not part.get("summary"):
                        yield name, 0, "%s: no summary" % part.get("name")
            if "_" in (row.get("name") or ""):
                yield name, 0, "names have hyphens"


def check_self(plan):
    """each check on a small text in which it must find something"""
    def src(path, text):
        f = Source.__new__(Source)
        f.path, f.text, f.bare = path, text, blank(text)
        return f
    cases = [
        ("a higher module", check_includes(plan, [src("src/sip/x.c", '#include "offhook/ua.h"\n')])),
        ("a neighbour", check_includes(plan, [src("src/audio/x.c", '#include "offhook/event.h"\n')])),
        ("libre without compat.h", check_includes(plan, [src("src/ua/x.c", "#include <re.h>\n")])),
        ("compat.h in the sound callback", check_includes(plan, [src("src/audio/callback.c", '#include "offhook/compat.h"\n')])),
        ("another folder's priv.h", check_includes(plan, [src("src/ua/x.c", '#include "../sip/priv.h"\n')])),
        ("a circle", circles({"a": {"b"}, "b": {"c"}, "c": {"a"}})),
        ("sip_ in ua", check_libre(plan, [src("src/ua/x.c", "int f(void) { return sip_alloc(); }")], {"sip_alloc": ""})),
        ("a forbidden family", check_libre(plan, [src("src/sip/x.c", "sipsess_close_all(0);")], {"sipsess_close_all": ""})),
        ("a format from outside", check_formats([src("src/sip/x.c", "void f(void) { mbuf_printf(mb, msg->reason); }")])),
        ("one behind an argument", check_formats([src("src/sip/x.c", 'void f(void) { re_snprintf(b, g(1, "2,"), name); }')])),
        ("a mark", check_text([src("src/sip/x.c", "/* TO" "DO */\n")])),
        ("a long file", check_text([src("src/sip/x.c", "/* */\n" * (MAX_LINES + 1))])),
        ("a module that logs", check_logs([src("src/base/log_level.c", 'modules[] = {\n\t{ "sip", "x" },\n};'),
                                            src("src/sip/x.c", '#define LOG_MODULE "spi"\n')])),
        ("a wait for ever", check_waits([src("src/sip/x.c", "void f(void)\n{\n\tpoll(p, 1, -1);\n}\n")])),
        ("a line that waits for ever", check_waits([src("src/command/x.c", "void f(void)\n{\n\tcmd_wait_events(x, y, h);\n}\n")])),
        ("a file written in place", check_writes([src("src/sip/x.c", "int f(void)\n{\n\treturn open(p, O_WRONLY | O_CREAT);\n}\n")])),
        ("another way to do so", check_writes([src("src/sip/x.c", 'FILE *f(void)\n{\n\treturn fopen(p, "we");\n}\n')])),
        ("a bound that is none", check_waits([src("src/command/x.c", "void f(void)\n{\n\tcmd_wait(x, 0, h);\n}\n")])),
        ("a wide line", check_text([src("src/sip/x.c", "/* */\n" + "\t" * 12 + "return 123456;\n")])),
    ]
    for what, found in cases:
        if not list(found):
            yield "check.py", 0, "does not find " + what
    fine = [
        check_includes(plan, [src("src/ua/x.c", '#include "offhook/sip.h"\n#include "offhook/log.h"\n')]),
        check_libre(plan, [src("src/sip/x.c", "/* sipsess_ */ sip_alloc();")], {"sip_alloc": "", "sipsess_": ""}),
        check_formats([src("src/sip/x.c", 'void f(void) { mbuf_printf(mb, "%r " "x", &pl); re_snprintf(b, n, y ? "a" : "b"); }')]),
    ]
    for found in fine:
        for path, line, text in found:
            yield path, line, "wrongly found: " + text


def skip(text):
    print("skipped: " + text)
    sys.exit(77)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--top", default=os.path.join(here, "..", ".."))
    p.add_argument("check", choices=("includes", "libre", "formats", "text", "logs", "waits", "writes", "scripts",
                                     "symbols",
                                     "documented", "self"))
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    top = os.path.abspath(a.top)
    plan = Plan(os.path.join(here, "layers.txt"))
    files = sources(top, "src", "include")
    found = list({
        "includes": lambda: check_includes(plan, files),
        "libre": lambda: check_libre(plan, files, libre_symbols()),
        "formats": lambda: check_formats(files),
        "text": lambda: check_text(files + sources(top, os.path.join("tests", "unit"), os.path.join("tests", "fake"),
                                                   os.path.join("tests", "fuzz"), os.path.join("tests", "bench"))),
        "logs": lambda: check_logs(files),
        "waits": lambda: check_waits(files),
        "writes": lambda: check_writes(files),
        "scripts": lambda: check_scripts(top),
        "symbols": lambda: check_symbols(a.files),
        "documented": lambda: check_documented(a.files[0]),
        "self": lambda: check_self(plan),
    }[a.check]())
    for path, line, text in found:
        print("%s%s: %s" % (path, ":%s" % line if line else "", text))
    if not found:
        print("%s: nothing found" % a.check)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
