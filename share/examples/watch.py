#!/usr/bin/env python3
"""watch [EVENT...] - one line for each event, and none is missed

When the connection breaks it is made again, and what happened meanwhile is
told from the number that was heard last."""
import sys
import time

from offhook_client import Phone


def main(names):
    last = 0
    while True:
        try:
            with Phone() as phone:
                started = phone.events(*names, since=last + 1)
                if not started["complete"]:
                    print("(some were too long ago)")
                while True:
                    event = phone.event(timeout=3600)
                    if event is None:
                        break
                    last = event.pop("seq")
                    print(event.pop("time"), event.pop("event"), " ".join("%s=%s" % x for x in event.items()), flush=True)
        except (FileNotFoundError, ConnectionError):
            if not last:
                return "no phone is running"
            return None
        time.sleep(0.2)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
