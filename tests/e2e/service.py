#!/usr/bin/env python3
"""A phone as the system's own programs run it: systemd as the manager of a
user's services, with the unit that is installed, and journald. Both run in
namespaces of their own, with files of their own; needs root."""
import json
import os
import re
import subprocess

from home import Skip, check, main, need

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir)
SYSTEMD, JOURNALD = "/lib/systemd/systemd", "/lib/systemd/systemd-journald"

# what a machine has, anew: nothing of it is seen outside
MACHINE = r"""
set -u
until_() { for _ in $(seq 300); do eval "$1" && return; sleep 0.1; done; echo "never: $1" >&2; exit 1; }
mount -t tmpfs none /run && mount -t tmpfs none /var/log || exit 77
mkdir -p /run/systemd/journal /run/log/journal /run/systemd/system
echo 0123456789abcdef0123456789abcdef >/run/machine-id
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitBurst=0\n' >/run/journald.conf
mount --bind /run/machine-id /etc/machine-id || exit 77
mount --bind /run/journald.conf /etc/systemd/journald.conf || exit 77
$JOURNALD >/run/journald.log 2>&1 &
until_ '[ -S /run/systemd/journal/socket ] && [ -S /run/systemd/journal/stdout ]'
"""

MANAGER = r"""
mkdir /run/groups && mount -t cgroup2 none /run/groups && mkdir "/run/groups/$GROUP" || exit 77
# that group is the top of all groups for it
sh -c 'echo $$ >"/run/groups/$GROUP/cgroup.procs"; exec unshare -Cm sh -c "umount -R /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup && exec $SYSTEMD --user" </dev/null >/run/manager.log 2>&1' &
until_ '[ -S "$XDG_RUNTIME_DIR/systemd/private" ]'
"""


def inside(lab, script, **env):
    """run it on a machine of its own -> what it prints"""
    if os.geteuid():
        raise Skip("namespaces need root")
    need("unshare", SYSTEMD, JOURNALD, "journalctl", "systemctl")
    home = lab.path("home")
    os.makedirs(home, exist_ok=True)
    r = subprocess.run(["unshare", "-mp", "--fork", "--kill-child", "--mount-proc", "bash", "-c", MACHINE + script],
                       capture_output=True, text=True, timeout=110, stdin=subprocess.DEVNULL,
                       env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_RUNTIME_DIR": home,
                            "JOURNALD": JOURNALD, "SYSTEMD": SYSTEMD, "PHONE": lab.program, "SYSTEMD_COLORS": "0", **env})
    if r.returncode == 77 or "unshare failed" in r.stderr:
        raise Skip("no machine of its own: " + r.stderr.strip())
    check(r.returncode == 0, "%d\n%s\n%s", r.returncode, r.stdout[-5000:], r.stderr[-5000:])
    return r.stdout


def entries(text):
    return [json.loads(x) for x in text.split("\n") if x.startswith('{"')]


def test_journald(lab):
    """what a call says is found in it by its fields; of many lines those that
    it took, in their order, and how many it did not is told"""
    out = inside(lab, r"""
        "$PHONE" --new --log journal -vv -l tcp:127.0.0.1 -A null dial 'sip:bob@127.0.0.1:9;transport=tcp' >/dev/null
        for i in $(seq 300); do echo "resolve sip:127.0.1.$((i % 250)):$i"; done >"$HOME/many"
        echo log >>"$HOME/many"
        "$PHONE" --new --json --log journal -s log-levels=error,sip=debug -l udp:127.0.0.1 -A null <"$HOME/many" | tail -1
        journalctl --sync
        journalctl --no-pager -o json SYSLOG_IDENTIFIER=offhook OFFHOOK_CALL=1
        journalctl --no-pager -o cat OFFHOOK_MODULE=ua | head -3
        journalctl --no-pager -o cat OFFHOOK_MODULE=sip""")
    seen = [e for e in entries(out) if "OFFHOOK_CALL" in e]
    check(len(seen) >= 2, "%s", out)
    for e in seen:
        check(e["OFFHOOK_MODULE"] in e["MESSAGE"] and e["_TRANSPORT"] == "journal" and e["PRIORITY"] in "34567" and
              e["_PID"] == e["SYSLOG_PID"], "%s", e)
    check(any("ended" in e["MESSAGE"] for e in seen) and re.search("^ua: ", out, re.M), "%s", out)
    missing = next(json.loads(x)["missing"] for x in out.split("\n") if '"missing"' in x)
    ports = [int(x) for x in re.findall(r"^sip: sip:127\.0\.1\.\d+:(\d+)$", out, re.M)]
    check(len(ports) + missing >= 300 and ports == sorted(ports) and len(set(ports)) == len(ports) > 10, "%d %s", missing, ports)


def test_manager(lab):
    """the unit: it is active once the phone listens, reload reads the files
    again, a phone that stands still is ended and begun anew, stop hangs up"""
    with open(os.path.join(TOP, "share", "offhook.service"), encoding="ascii") as f:
        unit = f.read()
    check("\nExecStart=offhook " in unit and "\nExecReload=offhook " in unit, "%s", unit)
    # of this build, on loopback; what it waits for on a whole machine is not here
    unit = re.sub("(ExecStart|ExecReload)=offhook", r"\1=" + lab.program, unit)
    unit = unit.replace("--auto-answer", "--auto-answer -l udp:127.0.0.1 -A null")
    unit = re.sub("(?m)^(Wants|After)=.*$", "", unit).replace("WatchdogSec=30", "WatchdogSec=3").replace(
        "RestartSec=5", "RestartSec=0").replace("[Service]", "[Service]\nPassEnvironment=ASAN_OPTIONS UBSAN_OPTIONS")
    os.makedirs(lab.path("home", "systemd", "user"), exist_ok=True)
    os.makedirs(lab.path("home", "offhook"), exist_ok=True)
    lab.file("home/systemd/user/offhook.service", unit)
    lab.file("home/offhook/offhook.conf", "max-calls = 5\n")
    group = "offhook-test-%d" % os.getpid()
    try:
        out = inside(lab, MANAGER + r"""
        pid() { systemctl --user show -P MainPID offhook; }
        systemctl --user start offhook || exit 1
        echo "active $(systemctl --user is-active offhook), $(systemctl --user show -P StatusText offhook)"
        "$PHONE" status >/dev/null && echo answers
        echo 'max-calls = 7' >"$HOME/offhook/offhook.conf"
        systemctl --user reload offhook && "$PHONE" show max-calls
        old=$(pid)
        kill -STOP "$old"
        until_ '[ "$(pid)" != "$old" ] && [ "$(pid)" != 0 ] && systemctl --user -q is-active offhook'
        echo "again $(systemctl --user show -P NRestarts offhook)"
        systemctl --user stop offhook
        echo "stopped $(systemctl --user is-active offhook), $(systemctl --user show -P Result offhook)"
        journalctl --sync
        journalctl --no-pager -o json OFFHOOK_MODULE=control + OFFHOOK_MODULE=ua + OFFHOOK_MODULE=main""", GROUP=group)
    finally:
        subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t cgroup2 none /mnt && '
                        'find "/mnt/%s" -depth -type d -exec rmdir {} ";"' % group], capture_output=True, timeout=20)
    check("active active" in out and "\nanswers\n" in out and re.search(r"max-calls\W+7\b", out), "%s", out)
    check("again 1" in out and "stopped inactive, success" in out, "%s", out)
    check(all(e["_COMM"] == "offhook" for e in entries(out)) and entries(out), "%s", out)


if __name__ == "__main__":
    main(globals())
