#!/usr/bin/env python3
"""papers.py OFFHOOK FORM [TEMPLATE] - what is written about the program, read
off its own tables: FORM is man (fills in TEMPLATE, a page *.in), bash, zsh or fish."""
import json
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import rfcs  # noqa: E402


def dump(program, what):
    return json.loads(subprocess.run([program, "--dump", what], check=True, capture_output=True, text=True).stdout)


# --- the manual page ----------------------------------------------------------

def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def item(name, text):
    return ".TP\n.B %s\n%s\n" % (roff(name), roff(text))


def sentence(text):
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."


def option_limits(o):
    out = []
    if o["choices"]:
        out.append("one of " + o["choices"].replace(",", ", ") if o["type"] == "choice" else
                   "of " + o["choices"].replace(",", ", "))
    if o["default"] != "":
        out.append("default " + o["default"])
    if o["restart"]:
        out.append("takes effect at the next start")
    return " (%s)" % "; ".join(out) if out else ""


def man_commands(tables, only=None):
    out, group = "", only
    for c in tables["commands"]:
        if only and c["group"] != only:
            continue
        if c["group"] != group:
            group = c["group"]
            out += ".SS %s\n" % roff(group[:1].upper() + group[1:])
        out += ".TP\n.B %s\n%s\n%s\n" % (roff(c["usage"]), roff(sentence(c["summary"])), roff(c["help"]))
        if c["reply"]:
            out += ".br\nReplies: %s.\n" % ("what the event or the figure says" if c["reply"] == "*" else roff(c["reply"]))
        if c["errors"]:
            out += ".br\nErrors: %s.\n" % roff(", ".join(sorted(set(c["errors"].split()))))
        if c["exit"] == "cause":
            out += ".br\nAs a COMMAND it exits with the cause, see EXIT STATUS.\n"
        if c["alias"]:
            out += "Alias:\n.BR %s .\n" % roff(c["alias"])
        rows = [(a["value"], a["summary"]) for a in c["args"]]
        rows += [("--%s %s" % (a["name"], a["value"]), a["summary"]) for a in c["options"]]
        examples = "".join(item(e["line"], sentence(e["about"])) for e in c["examples"])
        if rows or examples:
            out += ".RS\n" + "".join(item(n.strip(), sentence(s)) for n, s in rows)
            out += (".PP\n" if rows else "") + "Examples:\n" + examples + ".RE\n"
    return out


def man_events(tables):
    out = ""
    for e in tables["events"]:
        out += item(e["name"], sentence(e["summary"]))
        if e["fields"]:
            out += ".RS\n" + "".join(item(f["name"], sentence(f["summary"])) for f in e["fields"]) + ".RE\n"
    return out


def man(program, template):
    tables = {t: dump(program, t) for t in ("arguments", "commands", "events", "figures", "errors", "options",
                                            "accounts", "modules")}
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    parts = {
        "version": version,
        "arguments": "".join(item(a["usage"], sentence(a["summary"])) for a in tables["arguments"]),
        "commands": man_commands(tables),
        "script": man_commands(tables, "scripts"),
        "modules": "".join(item(m["name"], sentence(m["summary"])) for m in tables["modules"]),
        "events": man_events(tables),
        "figures": "".join(item(f["name"] + (" (%s)" % f["unit"] if f["unit"] else ""), sentence(f["summary"]))
                           for f in tables["figures"]),
        "errors": "".join(item(e["name"], sentence(e["summary"])) for e in tables["errors"]),
        "options": "".join(item(o["name"], sentence(o["summary"] + option_limits(o)) + (" " + o["more"] if o.get("more") else ""))
                           for o in tables["options"]),
        "standards": rfcs.man(rfcs.rows()),
        "accounts": "".join(item(a["name"], sentence(a["summary"])) for a in tables["accounts"]),
    }
    with open(template, encoding="utf-8") as f:
        text = f.read()

    def part(m):
        if m.group(1) not in parts:
            sys.exit("%s: nothing is called %s" % (template, m.group(1)))
        return parts[m.group(1)].rstrip("\n")
    return re.sub(r"@(\w+)@", part, text)


# --- completions ------------------------------------------------------------------

def words(names):
    return " ".join(names)


def maybe(a):
    """its value may be left out"""
    return "[=" in a["usage"]


def choices(a):
    return a["choices"].split(",") if a.get("choices") else []


def bash(program):
    commands, arguments = dump(program, "commands"), dump(program, "arguments")
    valued = [f for a in arguments if a["value"] and not maybe(a)
              for f in ["--" + a["name"]] + (["-" + a["letter"]] if a["letter"] else [])]
    out = """# bash completion of offhook, made from its tables
_offhook()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev= command= i
	[ "$COMP_CWORD" -gt 0 ] && prev=${COMP_WORDS[COMP_CWORD-1]}
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
"""
    out += "\t\t%s) ((i++));;\n" % "|".join(valued)
    out += """		-*) ;;
		*) command=${COMP_WORDS[i]}; break;;
		esac
	done
	if [ -z "$command" ]; then
		case $prev in
		-c|--config) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return;;
		-f|--file|--log) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return;;
"""
    out += "\t\t-s|--set) mapfile -t COMPREPLY < <(compgen -S = -W '%s' -- \"$cur\"); return;;\n" % words(
        o["name"] for o in dump(program, "options"))
    out += "\t\tesac\n\t\tmapfile -t COMPREPLY < <(compgen -W '%s %s' -- \"$cur\")\n\t\treturn\n\tfi\n" % (
        words("--" + a["name"] for a in arguments), words(c["name"] for c in commands))
    out += "\tcase $command in\n"
    for c in commands:
        name = c["name"] + ("|" + c["alias"] if c["alias"] else "")
        files = ["--" + o["name"] for o in c["options"] if o["type"] == "file"]
        plain = [x for a in c["args"] for x in choices(a)] + ["--" + o["name"] for o in c["options"]]
        if any(a["type"] == "command" for a in c["args"]):
            plain += [x["name"] for x in commands]
        if any(a["type"] == "option" for a in c["args"]):
            plain += [o["name"] for o in dump(program, "options")]
        out += "\t%s)\n" % name
        if files:
            out += "\t\tcase $prev in %s) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return;; esac\n" % "|".join(
                files)
        extra = " -f" if any(a["type"] == "file" for a in c["args"]) else ""
        out += "\t\tmapfile -t COMPREPLY < <(compgen%s -W '%s' -- \"$cur\");;\n" % (extra, words(plain))
    return out + "\tesac\n}\ncomplete -o filenames -F _offhook offhook\n"


def zsh_text(s):
    return s.replace("\\", "\\\\").replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh_action(a):
    if a["type"] == "file":
        return "_files"
    if a.get("choices"):
        return "(%s)" % a["choices"].replace(",", " ")
    return " "


def zsh(program):
    commands, arguments = dump(program, "commands"), dump(program, "arguments")
    out = "#compdef offhook\n# zsh completion of offhook, made from its tables\n\n_offhook()\n{\n"
    out += "\tlocal -a commands\n\tlocal state\n\tcommands=(\n"
    for c in commands:
        out += "\t\t'%s:%s'\n" % (c["name"], zsh_text(c["summary"]))
    out += "\t)\n\t_arguments -S -C \\\n"
    for a in arguments:
        action = {"config": "_directories", "file": "_files", "log": "_files", "trace": "_files"}.get(a["name"], " ")
        names = ["--" + a["name"]] + (["-" + a["letter"]] if a["letter"] else [])
        for n in names:
            star = "*" if "repeatable" in a["summary"] else ""
            if not a["value"]:
                value = ""
            elif maybe(a):
                value = "=-::%s:%s" % (zsh_text(a["value"]), action) if n.startswith("--") else None
            else:
                value = ":%s:%s" % (zsh_text(a["value"]), action)
            if value is None:
                spec = "%s%s[%s]" % (star, n, zsh_text(a["summary"]))
            elif value.startswith("=-"):
                spec = "%s%s=-[%s]%s" % (star, n, zsh_text(a["summary"]), value[2:])
            else:
                spec = "%s%s[%s]%s" % (star, n, zsh_text(a["summary"]), value)
            out += "\t\t'%s' \\\n" % spec
    out += "\t\t'1:command:->command' '*::argument:->argument' && return\n\tcase $state in\n"
    out += "\tcommand) _describe command commands;;\n\targument)\n\t\tcase $words[1] in\n"
    for c in commands:
        specs = []
        for o in c["options"]:
            star = "*" if o["many"] else ""
            value = "" if o["type"] == "flag" else ":%s:%s" % (o["name"], zsh_action(o))
            specs.append("'%s--%s[%s]%s'" % (star, o["name"], zsh_text(o["summary"]), value))
        for i, a in enumerate(c["args"], 1):
            action = "(%s)" % words(x["name"] for x in commands) if a["type"] == "command" else zsh_action(a)
            place = "*" if a["many"] else str(i)
            specs.append("'%s:%s:%s'" % (place, a["name"], action))
        name = c["name"] + ("|" + c["alias"] if c["alias"] else "")
        out += "\t\t%s) %s;;\n" % (name, "_arguments -S " + " ".join(specs) if specs else "_message 'no arguments'")
    return out + "\t\tesac;;\n\tesac\n}\n\n_offhook \"$@\"\n"


def fish_text(s):
    return "'" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(program):
    commands = dump(program, "commands")
    names = [n for c in commands for n in (c["name"], c["alias"]) if n]
    out = "# fish completion of offhook, made from its tables\ncomplete -c offhook -f\n"
    out += "set -l commands %s\nset -l none \"not __fish_seen_subcommand_from $commands\"\n" % words(names)
    for a in dump(program, "arguments"):
        out += "complete -c offhook -n $none -l %s%s%s -d %s\n" % (
            a["name"], " -s " + a["letter"] if a["letter"] else "",
            " -r" + (" -F" if a["name"] in ("config", "file", "log") else "")
            if a["value"] and not maybe(a) else "", fish_text(a["summary"]))
    for c in commands:
        out += "complete -c offhook -n $none -a %s -d %s\n" % (c["name"], fish_text(c["summary"]))
        seen = "-n '__fish_seen_subcommand_from %s'" % words(n for n in (c["name"], c["alias"]) if n)
        for o in c["options"]:
            out += "complete -c offhook %s -l %s%s -d %s\n" % (
                seen, o["name"], "" if o["type"] == "flag" else " -r -F" if o["type"] == "file" else " -r",
                fish_text(o["summary"]))
        for a in c["args"]:
            if a.get("choices"):
                out += "complete -c offhook %s -a %s\n" % (seen, fish_text(words(choices(a))))
            if a["type"] == "file":
                out += "complete -c offhook %s -F\n" % seen
            if a["type"] == "command":
                out += "complete -c offhook %s -a %s\n" % (seen, fish_text(words(x["name"] for x in commands)))
    return out


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("man", "bash", "zsh", "fish") or (
            sys.argv[2] == "man") != (len(sys.argv) == 4):
        sys.exit(__doc__)
    program, form = sys.argv[1:3]
    sys.stdout.write(man(program, sys.argv[3]) if form == "man" else globals()[form](program))


if __name__ == "__main__":
    main()
