#!/usr/bin/env python3
"""dial_and_report TARGET [SECONDS] - call somebody, tell how it went

Exit code 0 when the call was answered."""
import sys

from offhook_client import Phone, Refused


def main(target, seconds="5"):
    with Phone() as phone:
        phone.events("call", "-call.level")
        try:
            call = phone("dial", target=target, **{"for": seconds})["call"]
        except Refused as e:
            print(e, file=sys.stderr)
            return 2
        end = phone.until("call.state", timeout=float(seconds) + 150, call=call, state="ended")
        print("%s: %s" % (end["peer"], end["text"]))
        if not end.get("duration_ms"):
            return 1
        stats = phone("stats", call=call)
        print("%(packets_received)d packets, %(packets_lost)d lost, MOS %(mos).1f" % dict({"mos": 0}, **stats))
        return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
