#!/usr/bin/env python3
"""answer_known [N] - answer who is among the contacts, send others a busy tone

Ends after N calls, never without it."""
import sys

from offhook_client import Phone, Refused


def user_host(uri):
    return uri.split(":", 1)[-1].split(";")[0].strip("<>")


def main(count="0"):
    with Phone() as phone:
        known = {user_host(c["uri"]) for c in phone("contacts")["contacts"]}
        phone.events("call.state")
        left = int(count)
        while True:
            event = phone.event(timeout=86400)
            if event is None:
                return
            try:
                if event["state"] == "incoming":
                    who = user_host(event["peer"])
                    if who in known:
                        phone("answer", call=event["call"])
                    else:
                        phone("reject", call=event["call"], code=486)
                    print("%s: %s" % (who, "answered" if who in known else "busy"), flush=True)
            except Refused as e:
                print(e, file=sys.stderr)       # the caller was faster
            if event["state"] == "ended":
                left -= 1
                if not left:
                    return


if __name__ == "__main__":
    main(*sys.argv[1:])
