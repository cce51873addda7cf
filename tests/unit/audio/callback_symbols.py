#!/usr/bin/env python3
"""callback_symbols.py NM ARCHIVE - what the sound callbacks may call at all.

The objects of callback.c and ring.c are looked at as the compiler made them:
whatever they refer to but do not have themselves must be on the list. So a new
call, of the system, of a lock or of an allocator, fails here by its name, which
a list of what is forbidden would not see. Exit 0 or 1."""
import re
import subprocess
import sys

# the one wake-up write and where its error is; copies; the ring; what is
# called once by who makes and frees a ring (ring_alloc, ring_free)
MAY = {"callback.c": r"write|__errno_location|memcpy|memset|ring_(fill|read|write)",
       "ring.c": r"memcpy|memset|posix_memalign|free"}
# what the compiler puts in by itself
TOOLS = r"__(asan|ubsan|tsan|lsan|sanitizer|gcov|stack_chk|llvm)_?\w*|_GLOBAL_OFFSET_TABLE_|__(memcpy|memset|write)_chk|\w*sancov\w*"


def main():
    nm, archive = sys.argv[1:]
    out = subprocess.run([nm, "-u", archive], capture_output=True, text=True, check=True).stdout
    bad, seen, name = [], set(), None
    for line in out.splitlines():
        line = line.strip()
        if line.endswith(".o:"):
            # callback.c.o, or with the path and the folder it was made in
            name = next((n for n in MAY if re.search(r"(^|[/_])%s\.o:$" % re.escape(n), line)), None)
            seen.add(name)
            continue
        if not line or not name:
            continue
        symbol = line.split()[-1].split("@")[0]
        if not re.fullmatch(MAY[name] + "|" + TOOLS, symbol):
            bad.append("%s calls %s" % (name, symbol))
    for n in sorted(set(MAY) - seen):
        bad.append("%s is not in the archive" % n)
    print("\n".join(bad) or "callback.c and ring.c call nothing else")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
