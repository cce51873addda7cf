"""scenario - SIPp scenarios written as lists of steps

A scenario is a list of the strings that these functions make; Lab.sipp
writes them to a file. `caller` sends the first INVITE, `callee` gets it.
Every receive is mandatory unless optional=True, so a scenario is also the
expectation: SIPp fails the call at anything else.
"""

SDP = """v=0
o=sipp 1 %(version)d IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP %(formats)s
%(lines)sa=ptime:20
a=%(direction)s
"""


def sdp(formats="0 101", direction="sendrecv", version=1, lines=None):
    if lines is None:
        lines = "".join({"0": "a=rtpmap:0 PCMU/8000\n", "8": "a=rtpmap:8 PCMA/8000\n",
                         "101": "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"}.get(f, "")
                        for f in formats.split())
    return SDP % dict(formats=formats, direction=direction, version=version, lines=lines)


def build(steps, name="offhook"):
    return '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="%s">\n%s\n</scenario>\n' % (
        name, "\n".join(steps))


def _message(first, headers, body, ctype):
    text = [first] + [h for h in headers if h]
    if body:
        text.append("Content-Type: " + ctype)
    return "\n".join(text) + "\nContent-Length: [len]\n\n" + body


def _send(text, retrans=None, lost=None, start=None):
    how = ""
    if retrans:
        how += ' retrans="%d"' % retrans
    if lost:
        how += ' lost="%d"' % lost
    if start:
        how += ' start_txn="%s"' % start
    return "<send%s><![CDATA[\n\n%s\n]]></send>" % (how, text)


def _checks(checks, keep):
    out = ""
    for i, (where, pattern) in enumerate(checks):
        if where in ("body", "msg"):
            what = 'search_in="%s"' % where
        else:
            what = 'search_in="hdr" header="%s:"' % where
        out += '<ereg regexp="%s" %s check_it="true" assign_to="c%d"/>' % (pattern, what, i)
        out += '<log message="[$c%d]"/>' % i          # SIPp refuses variables that nobody reads
    for name, header in keep:
        out += '<ereg regexp=".*" search_in="hdr" header="%s:" check_it="true" assign_to="%s"/>' % (header, name)
    return "<action>%s</action>" % out if out else ""


def recv(what, optional=False, checks=(), timeout=None, auth=False, keep=()):
    """a response (number) or a request (word) comes in; checks: pairs of
    where ("body", "msg" or a header) and a regular expression"""
    how = 'response="%d"' % what if isinstance(what, int) else 'request="%s"' % what
    if optional:
        how += ' optional="true"'
    if timeout:
        how += ' timeout="%d"' % timeout
    if auth:
        how += ' auth="true"'
    # newer SIPp forgets where the others are reached over what has no Contact
    if what not in ("ACK", "BYE", "CANCEL", "PRACK", "INFO", "MESSAGE"):
        how += ' rrs="true"'
    return '<recv %s>%s</recv>' % (how, _checks(checks, keep))


def pause(ms):
    return '<pause milliseconds="%d"/>' % ms


# --- the side that calls --------------------------------------------------------

ME = "<sip:sipp@[local_ip]:[local_port]>"
TAG = "[pid]SIPp[call_number]"


def branch(cseq):
    return "z9hG4bK-[pid]-[call_number]-%d" % cseq


def request(method, cseq, uri="[next_url]", body="", headers=(), ctype="application/sdp", retrans=500,
            branch="[branch]", to="<sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]", tag=TAG, who="sipp " + ME, **kw):
    """what a caller sends; outside of a dialog uri and to must be given"""
    return _send(_message("%s %s SIP/2.0" % (method, uri), [
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=%s;rport" % branch,
        "From: %s;tag=%s" % (who, tag), "To: %s" % to, "Call-ID: [call_id]", "CSeq: %d %s" % (cseq, method),
        "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>", "Max-Forwards: 70"] + list(headers),
        body, ctype), None if method == "ACK" else retrans, **kw)


OUTSIDE = dict(uri="sip:[service]@[remote_ip]:[remote_port]", to="<sip:[service]@[remote_ip]:[remote_port]>")


def invite(body=None, cseq=1, **kw):
    kw = {**OUTSIDE, "branch": branch(cseq), **kw}
    return request("INVITE", cseq, body=sdp() if body is None else body, **kw)


def ack(cseq=1, **kw):
    return request("ACK", cseq, **kw)


def ack_refused(cseq=1):
    """for a final response that refuses: part of the INVITE's transaction"""
    return request("ACK", cseq, uri=OUTSIDE["uri"], branch=branch(cseq))


def cancel(cseq=1):
    return request("CANCEL", cseq, branch=branch(cseq), **OUTSIDE)


def bye(cseq=2):
    return [request("BYE", cseq), recv(200)]


def answered(checks=()):
    """the usual way to a call: 100, 180, 200 and ACK"""
    return [recv(100, True), recv(180, True), recv(200, checks=checks), ack()]


# --- the side that is called -----------------------------------------------------

def response(code, phrase, body="", headers=(), tag=TAG, ctype="application/sdp", retrans=None, totag=True,
             via="[last_Via:]", cseq="[last_CSeq:]"):
    """to the request that came last, or to one of which via and cseq were
    kept; totag: not when its To has one"""
    return _send(_message("SIP/2.0 %d %s" % (code, phrase), [
        via, "[last_Record-Route:]", "[last_From:]", "[last_To:]" + (";tag=%s" % tag if totag else ""),
        "[last_Call-ID:]", cseq, "Contact: <sip:test@[local_ip]:[local_port];transport=[transport]>"] +
        list(headers), body, ctype), retrans)


def ringing(**kw):
    return response(180, "Ringing", **kw)


def ok(body=None, **kw):
    return response(200, "OK", sdp() if body is None else body, retrans=500, **kw)


def done():
    """200 without a body to a request inside the dialog"""
    return response(200, "OK", totag=False)


KEEP = {"caller": "From", "via": "Via", "cseq": "CSeq"}
KEPT_VIA, KEPT_CSEQ = "Via:[$via]", "CSeq:[$cseq]"


def called(*keep, **kw):
    """an INVITE comes; keep: what later messages of ours need of it
    (caller, via, cseq)"""
    return recv("INVITE", keep=[(k, KEEP[k]) for k in keep], **kw)


def later(code, phrase, body="", headers=(), tag=TAG, retrans=None):
    """to the INVITE of which caller, via and cseq were kept, whatever came since"""
    return _send(_message("SIP/2.0 %d %s" % (code, phrase), [
        KEPT_VIA, "From:[$caller]", "To: <sip:test@[local_ip]:[local_port]>;tag=%s" % tag, "Call-ID: [call_id]",
        KEPT_CSEQ, "Contact: <sip:test@[local_ip]:[local_port];transport=[transport]>"] + list(headers),
        body, "application/sdp"), retrans)


def back(method, cseq, body="", headers=(), retrans=500, tag=TAG, **kw):
    """a request of the called side inside the dialog"""
    return _send(_message("%s [next_url] SIP/2.0" % method, [
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport",
        "From: <sip:test@[local_ip]:[local_port]>;tag=%s" % tag, "To:[$caller]", "Call-ID: [call_id]",
        "CSeq: %d %s" % (cseq, method), "Contact: <sip:test@[local_ip]:[local_port];transport=[transport]>",
        "Max-Forwards: 70"] + list(headers), body, "application/sdp"), None if method == "ACK" else retrans, **kw)
