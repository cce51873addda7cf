/**
 * @file fake_ua.h  A phone without network or sound: calls made by hand
 *
 * Stands in for ua, answer, media and sip, so that commands are tested for
 * what they ask for and how they wait.  What a command asked is kept as one
 * line of text.
 */
#ifndef FAKE_UA_H
#define FAKE_UA_H

#include "offhook/command.h"
#include "offhook/doctor.h"
#include "offhook/load.h"

/** Everything reset; events go to this bus */
void fake_reset(struct event_bus *bus);
/** A call comes in: its number */
unsigned fake_incoming(const char *peer);
/** What an INVITE said of its caller, NULL nothing, and how its media is kept
 *  secret, "" : plain; both are borrowed */
void fake_says(unsigned id, const struct sip_caller *caller,
	       const char *security, const char *suite);
/** Publish a new state; "ended" with this status */
void fake_state(unsigned id, enum call_state st, unsigned code);
void fake_digits(unsigned id, const char *digits);
/** dtmf.done: what we were to send is out, or lost */
void fake_digits_out(unsigned id, unsigned sent, unsigned lost);
/** Hung up here: it has ended, but its end is not told yet */
void fake_ending(unsigned id);
/** call.quality, with this jitter and loss */
void fake_quality(unsigned id, double v);
/** call.hold, agreed */
void fake_hold(unsigned id, bool local, bool remote);
/** call.hold: it stays as it was; code 0: no answer */
void fake_hold_refused(unsigned id, bool local, unsigned code);
/** What became of `update` or `reinvite`; cause "": it was agreed */
void fake_update(unsigned id, unsigned code, const char *cause);
/** What the last command asked for, as text */
const char *fake_asked(void);
/** Next calls into ua fail with this */
void fake_fail(int err, const char *text);
/** Finish what cmd `options` or `devices` or `selftest` waits for */
void fake_request_done(unsigned code);
void fake_devices_done(int err);
/** What call_tone_heard says from now on */
void fake_tone_heard(const char *tone);
/** What a test of the devices will see: 0, EAGAIN or ENODEV */
void fake_probe(int err, bool has_in);
void fake_selftest_done(bool ok);
/** fake_account.c: accounts as new; "work" is there */
void fake_accounts_reset(struct event_bus *bus);
/** It registers, and stands so now; code 0: no answer came */
void fake_account_state(unsigned id, const char *state, unsigned code);
void fake_fetch_done(unsigned code);
/** Keep what was asked, for fake_asked() */
void asked(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Struct ua the phone points to */
struct ua *fake_ua(void);
struct media *fake_media(void);
struct answer *fake_answer(void);

#endif
