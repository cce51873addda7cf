#!/usr/bin/env python3
"""Encrypted sound (SRTP): with other people's phones and between two of ours.
What was recorded at each end must be the other's tone."""
import re
import time

import sound
from lab import check, main
from peers import Baresip, Linphonec
from phones import OURS, THEIRS, connect, steady

SUITES = ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32",
          "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")


def pair(lab, kind, theirs, *ours):
    source = sound.write_tone(lab.path("theirs.wav"), THEIRS, 60, 8000, 1)
    peer = kind(lab, source, secure=theirs)
    phone = lab.offhook("-s", "record-layout=them", "-s", "codecs=pcmu", "--auto-answer",
                        *[x for o in ours for x in ("-s", o)], audio="tone:%d" % OURS).ready()
    return phone, peer


def flows(phone):
    """a handshake of which a message is lost takes a second or two"""
    end = time.monotonic() + 20
    while phone.command("stats")["packets_received"] < 25:
        check(time.monotonic() < end, "no sound: %s", phone.command("stats"))
        time.sleep(0.1)


def talk(lab, kind, theirs, outgoing, security, *ours):
    """a call, and what protects it"""
    phone, peer = pair(lab, kind, theirs, *ours)
    connect(phone, peer, outgoing)
    media = phone.event("call.media", again=True)
    check(media["security"] == security, "protected by %s", media)
    flows(phone)
    phone.command("record " + lab.path("ours.wav"))
    phone.command("sleep 3", timeout=15)
    phone.command("record stop")
    phone.event("record.done")
    stats = phone.command("stats")
    phone.command("hangup")
    peer.closed()
    phone.event("call.state", state="ended")
    steady(lab.path("ours.wav"), THEIRS, 2.4, "what we heard")
    steady(peer.recording(), OURS, 2.4, "what they heard", 0.06 if kind is Linphonec else 0)
    check(stats["security"] == security, "%s", stats)
    check(stats.get("forged", 0) == 0 and stats.get("replayed", 0) == 0, "%s", stats)
    return stats


def test_baresip_keys_in_sdp_called(lab):
    s = talk(lab, Baresip, "srtp", True, "sdes", "sdes=always")
    check(s["suite"] in SUITES, "%s", s)


def test_baresip_keys_in_sdp_calls(lab):
    talk(lab, Baresip, "srtp", False, "sdes", "sdes=always")


def test_baresip_must_encrypt_called(lab):
    talk(lab, Baresip, "srtp-mand", True, "sdes", "sdes=always", "media-security=require")


def test_baresip_must_encrypt_calls(lab):
    talk(lab, Baresip, "srtp-mandf", False, "sdes", "sdes=always", "media-security=require")


def test_baresip_plain_called(lab):
    """who cannot encrypt is talked to, when that is only preferred"""
    talk(lab, Baresip, None, True, "none", "sdes=always")


def test_linphonec_keys_in_sdp_called(lab):
    talk(lab, Linphonec, "srtp", True, "sdes", "sdes=always", "media-security=require")


def test_linphonec_does_without(lab):
    """it takes no keys beside RTP/AVP: then it is talked to in plain"""
    talk(lab, Linphonec, "srtp", True, "none", "sdes=always")


def test_linphonec_keys_in_sdp_calls(lab):
    talk(lab, Linphonec, "srtp", False, "sdes", "sdes=always", "media-security=require")


def test_required_and_refused(lab):
    """who cannot encrypt gets no call, when that is required"""
    phone, peer = pair(lab, Baresip, None, "sdes=always", "media-security=require")
    phone.command("dial " + peer.uri)
    end = phone.event("call.state", state="ended", timeout=15)
    check(end["cause"] in ("status", "media"), "%s", end)
    peer.dial(phone.uri)
    peer.closed()
    check(not phone.command("calls").get("rows"), "a call stands")


def two(lab, *options, theirs=()):
    """-> (called, caller) with a call between them"""
    called = lab.offhook("-s", "record-layout=them", "-s", "codecs=pcmu", "--auto-answer",
                         *[x for o in theirs or options for x in ("-s", o)], audio="tone:%d" % THEIRS,
                         name="called").ready()
    caller = lab.offhook("-s", "record-layout=them", "-s", "codecs=pcmu",
                         *[x for o in options for x in ("-s", o)], audio="tone:%d" % OURS, name="caller").ready()
    caller.command("dial " + called.uri)
    caller.event("call.state", state="active")
    return called, caller


def test_two_of_ours(lab):
    called, caller = two(lab, "sdes=always", "dtls=no")
    caller.command("assert security = sdes")
    caller.command("assert suite = AEAD_AES_256_GCM")
    check(called.event("call.media", again=True)["suite"] == "AEAD_AES_256_GCM", "another suite")
    for phone in (called, caller):
        phone.command("record " + lab.path(phone.name + ".wav"))
    caller.command("sleep 2", timeout=10)
    caller.command("reinvite")           # the same keys: nothing breaks
    caller.event("call.update", code=200)
    caller.command("hold")
    caller.event("call.hold", local=True)
    caller.command("resume")
    caller.event("call.hold", local=False)
    caller.command("sleep 1", timeout=10)
    caller.command("hangup")
    called.event("call.state", state="ended")
    steady(lab.path("caller.wav"), THEIRS, 1.8, "the caller heard")
    steady(lab.path("called.wav"), OURS, 1.8, "the called one heard")


def test_keys_stay_out_of_clear_text(lab):
    """without encrypted signalling no key is written, nor taken; told so it is,
    and no trace shows one"""
    called, caller = two(lab, "sdes=secure", "dtls=no", theirs=("sdes=always",))
    check(caller.event("call.media", again=True)["security"] != "sdes", "a key in clear text")
    caller.command("hangup")
    caller.event("call.state", state="ended")
    trace = lab.path("trace.txt")
    caller.command("set sdes always")
    caller.command("trace " + trace)
    caller.command("dial " + called.uri)
    caller.event("call.media", security="sdes")
    caller.command("hangup")
    caller.event("call.state", state="ended")
    with open(trace, encoding="utf-8") as f:
        text = f.read()
    keys = [line for line in text.splitlines() if "inline:" in line]
    check(len(keys) > 6, "no keys offered:\n%s", text)
    check(all(set(line.split("inline:")[1].strip()) == {"x"} for line in keys), "a key is shown:\n%s", keys)


def test_baresip_dtls_called(lab):
    s = talk(lab, Baresip, "dtls_srtp", True, "dtls", "media-security=require")
    check(s["suite"] in SUITES, "%s", s)


def test_baresip_dtls_calls(lab):
    talk(lab, Baresip, "dtls_srtp", False, "dtls")


def test_baresip_dtls_reports(lab):
    """reports on a port of their own, with a handshake of their own (RFC 5764 3)"""
    phone, peer = pair(lab, Baresip, "dtls_srtp", "media-security=require")
    connect(phone, peer, True)
    flows(phone)
    end = time.monotonic() + 30
    while "rtt_ms" not in phone.command("stats"):
        check(time.monotonic() < end, "no reports: %s", phone.command("stats"))
        time.sleep(0.2)
    stats = phone.command("stats")
    check(stats["security"] == "dtls" and stats.get("forged", 0) == 0, "%s", stats)
    phone.command("hangup")
    peer.closed()
    phone.event("call.state", state="ended")


def gateway(lab, outgoing):
    """webrtc=yes is all that an account for a gateway to browsers needs; what goes out is what such a one wants"""
    source = sound.write_tone(lab.path("theirs.wav"), THEIRS, 60, 8000, 1)
    peer = Baresip(lab, source, secure="dtls_srtp", nat="ice")
    trace = lab.path("trace.txt")
    phone = lab.offhook("-s", "record-layout=them", "-s", "codecs=pcmu", "-t=" + trace, "--auto-answer", "-a",
                        "sip:phone@127.0.0.1;webrtc=yes", audio="tone:%d" % OURS).ready()
    connect(phone, peer, outgoing)
    phone.event("call.media", security="dtls", timeout=30, again=True)
    flows(phone)
    phone.command("record " + lab.path("ours.wav"))
    phone.command("sleep 2", timeout=15)
    check(phone.command("ice")["ice"] == "chosen", "%s", phone.command("ice"))
    phone.command("hangup")
    phone.event("call.state", state="ended", timeout=15)
    steady(lab.path("ours.wav"), THEIRS, 1.5, "we heard")
    with open(trace, encoding="utf-8") as f:
        text = f.read()
    check(not re.search("m=audio [0-9]+ RTP/", text) if outgoing else True, "a profile without DTLS:\n%s", text)
    for line in ("UDP/TLS/RTP/SAVPF", "a=group:BUNDLE 0", "a=mid:0", "a=rtcp-mux", "a=ice-ufrag:",
                 "a=fingerprint:sha-256", "a=setup:actpass") if outgoing else ():
        check(line in text, "%s is missing:\n%s", line, text)


def test_gateway_called(lab):
    gateway(lab, True)


def test_gateway_calls(lab):
    gateway(lab, False)


def test_linphonec_dtls_called(lab):
    talk(lab, Linphonec, "dtls", True, "dtls", "media-security=require")


def test_linphonec_dtls_calls(lab):
    talk(lab, Linphonec, "dtls", False, "dtls")


def test_two_of_ours_dtls(lab):
    """without a word said two phones encrypt"""
    called, caller = two(lab, "sdes=secure")
    told = caller.event("call.media", security="dtls", suite="AEAD_AES_256_GCM")
    heard = called.event("call.media", security="dtls", suite="AEAD_AES_256_GCM")
    # what each reads to the other over the phone: nobody is in between
    check(re.fullmatch("sha-256 [0-9A-F]{2}(:[0-9A-F]{2}){31}", told["fingerprint"]), "%s", told)
    check(told["fingerprint"] == heard["fingerprint_own"] != told["fingerprint_own"] == heard["fingerprint"],
          "%s and %s", told, heard)
    check(caller.command("stats")["fingerprint"] == told["fingerprint"], "stats says another")
    caller.command("assert security = dtls")
    for phone in (called, caller):
        phone.command("record " + lab.path(phone.name + ".wav"))
    caller.command("sleep 2", timeout=10)
    caller.command("reinvite")           # the same association: nothing breaks
    caller.event("call.update", code=200)
    called.command("hold")
    caller.event("call.hold", remote=True)
    called.command("resume")
    caller.event("call.hold", remote=False)
    caller.command("sleep 1", timeout=10)
    stats = caller.command("stats")
    caller.command("hangup")
    called.event("call.state", state="ended")
    check(stats["forged"] == 0, "%s", stats)
    steady(lab.path("caller.wav"), THEIRS, 1.8, "the caller heard")
    steady(lab.path("called.wav"), OURS, 1.8, "the called one heard")


if __name__ == "__main__":
    main(globals())
