/**
 * @file app.h  Policy that only listens and calls: auto-answer, self-test,
 * history, contacts, messages
 *
 * Subscribers of the event bus that act through ua.h. Not starting one is
 * switching it off. Main thread.
 */
#ifndef OFFHOOK_APP_H
#define OFFHOOK_APP_H

#include "offhook/contact.h"
#include "offhook/ua.h"

struct text_buf;

/* answer.c: auto-answer and listen -------------------------------------- */

enum answer_sound {
	ANSWER_DEVICE = 0,       /* the device's source (-A)                 */
	ANSWER_ECHO, ANSWER_PLAY, ANSWER_TONE,
};

struct answer_rule {
	bool on;
	uint16_t code;           /* 200: answer, else refuse with it         */
	uint64_t after_ms;       /* ring so long first                       */
	bool early;              /* the sound begins meanwhile (183)         */
	uint64_t for_ms;         /* hang up so long after the answer, 0: no  */
	unsigned calls;          /* end after so many finished calls, 0: no  */
	uint64_t until_ms;       /* end after so long, 0: no                 */
	enum answer_sound sound;
	char play[512];
	double tone_hz;
	char record[512];        /* "" none; %n is the call's number         */
	/* of lines of rules alone (answer_rules.h) */
	char reason[128];        /* of a refusal, "" the usual one           */
	char redirect[256];      /* with 302, "" nowhere                     */
	bool ring;               /* and never answer                         */
	char dtmf[128];          /* keys once it is answered, "" none        */
	char transfer[256];      /* whom to, once it is answered; "" nobody  */
	uint64_t transfer_ms;    /* ... so long after                        */
	uint16_t reinvite_code;  /* refuse what offers anew, 0: do not       */
};

struct answer;
typedef void (answer_done_h)(void *arg);
/** done_h: calls or until was reached. Free: mem_deref */
int  answer_alloc(struct answer **ap, struct ua *ua, struct event_bus *bus,
		  answer_done_h *done_h, void *arg);
/** Whose wish is granted: options, borrowed; without it nobody's */
void answer_set_config(struct answer *a, const struct config *config);
void answer_set(struct answer *a, const struct answer_rule *rule);
const struct answer_rule *answer_get(const struct answer *a);
bool answer_on(const struct answer *a);
/** Before a rule acts on a call that comes, h may take it: answer_consider()
 *  then says when the rules are to be asked after all */
void answer_set_gate(struct answer *a,
		     bool (*h)(const struct event *ev, void *arg), void *arg);
void answer_consider(struct answer *a, unsigned call);
/** Exit code of `listen`: first bad ending of a call it took, else 0 */
int  answer_exit(const struct answer *a);
unsigned answer_finished(const struct answer *a);

/* intercom.c: whose wish to be answered at once is granted ----------------- */

/**
 * Is the caller on this list? Words with commas or spaces between them:
 * user@host with `*` for anything, a host, an IP address the INVITE must
 * come from, `known` for the user's contacts. A From that nobody vouches for
 * is no caller's, but without an account.
 */
bool caller_listed(const struct call *c, const char *list);

/* forward.c: do not disturb, and calls sent elsewhere ---------------------- */

enum forward_kind {
	FORWARD_ALWAYS = 0, FORWARD_BUSY, FORWARD_NOANSWER,
	FORWARD_KINDS
};

struct forward;
/** Before answer_alloc: its rules go first. Free: mem_deref */
int  forward_alloc(struct forward **fp, struct ua *ua, struct event_bus *bus,
		   const struct config *config);
/** Refuse every call (option dnd-code) */
void forward_set_dnd(struct forward *f, bool on);
bool forward_dnd(const struct forward *f);
/** "always", "busy" (another call is answered), "noanswer" */
const char *forward_name(enum forward_kind kind);
/** FORWARD_KINDS when there is none of that name */
enum forward_kind forward_find(const char *name);
/**
 * Calls are sent there with 302 and Diversion (RFC 5806); NULL: no longer.
 * after_ms: how long they ring first, of noanswer. err: one sentence.
 * @return 0, EINVAL, EPROTONOSUPPORT, EOVERFLOW
 */
int  forward_set(struct forward *f, enum forward_kind kind,
		 const char *target, uint64_t after_ms, char *err);
/** "" : it is off */
const char *forward_target(const struct forward *f, enum forward_kind kind);
uint64_t forward_after_ms(const struct forward *f);

/* history.c: calls that have ended ------------------------------------------ */

/** Strings live until the next call of a function of history */
struct history_call {
	uint64_t time_ms;        /* wall clock of its end's event minus what
				    it took: when it began                   */
	bool outgoing;
	bool unseen;             /* missed, and nobody has looked since      */
	const char *outcome;     /* answered, missed, refused, forwarded; of
				    ours: answered, busy, no-answer, refused,
				    cancelled, failed                        */
	const char *peer, *name; /* URI, display name or ""                  */
	const char *account;     /* its name, "" none                        */
	const char *codec;       /* "" none                                  */
	const char *cause;       /* token, as in call.state                  */
	const char *text;        /* how it ended, one sentence               */
	unsigned code;           /* SIP status, 0 none                       */
	uint64_t duration_ms;    /* since the answer, 0 not answered         */
	int64_t pdd_ms;          /* of ours: until it rang, EVENT_NONE: it
				    did not                                  */
	int64_t setup_ms;        /* until the answer, EVENT_NONE: none, or
				    not known                                */
	double mos;              /* NAN: not known                           */
};

struct history;
/** dir: of the state files, NULL: this run only; option history-max says how
 *  many are kept. Free: mem_deref */
int  history_alloc(struct history **hp, const struct ua *ua,
		   struct event_bus *bus, const struct config *config,
		   const char *dir);
/** Newest first: 0 is the last call. Reads what is new, also of other phones
 *  that share the file. @return how many there are */
size_t history_count(struct history *h);
/** @return false: there are not so many */
bool history_at(struct history_call *c, struct history *h, size_t i);
/** Missed calls nobody has looked at */
unsigned history_missed(struct history *h);
/** Somebody has looked now */
void history_seen(struct history *h);
int  history_clear(struct history *h);
/** How well a call fits what is searched for (peer, name, text ...), as
 *  fuzzy_score() */
int  history_score(const struct history_call *c, const char *search);
/** Changes whenever there is something new to show */
unsigned history_version(const struct history *h);
/** The last one we called, "" nobody yet: for `redial` */
const char *history_last_dialled(struct history *h);

/* messages.c: text messages, received and sent ------------------------------ */

/** Strings live until the next call of a function of messages */
struct message_record {
	uint64_t time_ms;
	bool outgoing;
	bool unread;             /* received, and nobody has looked          */
	const char *peer, *name; /* URI, display name or ""                  */
	const char *text;        /* UTF-8, as it came                        */
	const char *type;        /* text/plain ...                           */
	const char *state;       /* of ours: sent, delivered, failed         */
	const char *reason;      /* of a failure                             */
};

struct messages;
/** As history_alloc; option messages-max */
int  messages_alloc(struct messages **mp, struct event_bus *bus,
		    const struct config *config, const char *dir);
/** Oldest first */
size_t messages_count(struct messages *m);
bool messages_at(struct message_record *r, struct messages *m, size_t i);
/** peer NULL: of everybody */
unsigned messages_unread(struct messages *m, const char *peer);
void messages_seen(struct messages *m, const char *peer);
/** Who asked to be told that his message was seen is told by it; NULL: no */
void messages_set_ua(struct messages *m, struct ua *ua);
int  messages_clear(struct messages *m);
unsigned messages_version(const struct messages *m);

/* outbox.c: messages that could not be delivered ----------------------------- */

struct outbox_letter {
	const char *to, *text;
	const char *account;     /* its name, "" by rule                     */
	uint64_t time;           /* when it was written, wall ms             */
	unsigned tries;
};

struct outbox;
/** Messages that nobody took are kept and sent again: at most 100, a week.
 *  dir: of the state files, NULL: this run only. Free: mem_deref */
int  outbox_alloc(struct outbox **op, struct ua *ua, struct event_bus *bus,
		  const char *dir);
size_t outbox_count(const struct outbox *o);
/** Oldest first. @return false: there are not so many */
bool outbox_at(struct outbox_letter *l, const struct outbox *o, size_t i);
/** Try them all soon */
void outbox_send(struct outbox *o);
void outbox_clear(struct outbox *o);

/* contacts.c: the contacts file as the phone uses it ------------------------ */

struct contacts;
/** dir: the configuration directory, "" none. The file is read when it is
 *  needed, and again when it has changed. Free: mem_deref */
int  contacts_alloc(struct contacts **cp, const char *dir);
/** In the order of the file; NULL ends it. Valid until the next call */
const struct contact_conf *contacts_at(struct contacts *cs, size_t i);
size_t contacts_count(struct contacts *cs);
/** By name, whatever its case */
const struct contact_conf *contacts_find(struct contacts *cs,
					 const char *name);
/** Who has this address (user and host; or the digits of a number) */
const struct contact_conf *contacts_by_uri(struct contacts *cs,
					   const char *uri);
const struct contact_conf *contacts_by_speed(struct contacts *cs,
					     int64_t speed);
/** The best ones first. @return how many were put into v */
size_t contacts_search(struct contacts *cs, const char *text,
		       const struct contact_conf **v, size_t max);
/** What was wrong when the file was read last, "" nothing; then the contacts
 *  are those of before */
const char *contacts_error(struct contacts *cs);
unsigned contacts_version(struct contacts *cs);
/** Where they are kept; NULL: nowhere */
const char *contacts_path(const struct contacts *cs);
/** Into the file; err: CONFIG_ERR bytes */
int  contacts_put(struct contacts *cs, const struct contact_conf *v, size_t n,
		  char *err);
int  contacts_remove(struct contacts *cs, const char *name, char *err);
/** For ua_set_lookup() and ua_set_known(); arg: struct contacts */
bool contacts_lookup(struct ua_lookup *l, const char *text, void *arg);
bool contacts_known(const char *uri, void *arg);

/* numbers.c: what was typed, by contacts and dial plan ----------------------- */

struct numbers;
/** dir: the configuration directory, "" none. Free: mem_deref */
int  numbers_alloc(struct numbers **np, struct contacts *contacts,
		   const struct config *config, const char *dir);
/** For ua_set_lookup(); arg: struct numbers */
bool numbers_lookup(struct ua_lookup *l, const char *text, void *arg);
/** What was wrong with the dial plan when it was read last, "" nothing */
const char *numbers_error(struct numbers *n);

/* hooks.c: programs of the user's that hear of events, and decide ------------ */

struct hooks;
struct ringer;
/** dir: the configuration directory, "" none; answer: whose rules wait for
 *  what is decided. Free before it: mem_deref */
int  hooks_alloc(struct hooks **hp, struct ua *ua, struct event_bus *bus,
		 const struct config *config, struct answer *answer,
		 const char *dir);
/** Told when a hook has chosen what a call rings with; NULL: nobody is */
void hooks_set_ringer(struct hooks *h, struct ringer *r);
unsigned hooks_running(const struct hooks *h);

/* vcard.c: contacts as others write them (RFC 6350, and what came before) --- */

/**
 * Each number and address of a card becomes a contact; a second one of the
 * same name is told apart by its kind: "Bob (work)".
 * @return 0, EINVAL (no card), ENOMEM; *vp: mem_deref
 */
int  vcard_read(struct contact_conf **vp, size_t *np, const char *text,
		size_t len, char *err);
/** One card of version 4.0 */
void vcard_print(struct text_buf *b, const struct contact_conf *c);

/* fuzzy.c -------------------------------------------------------------------- */

/**
 * How well `text` fits what somebody typed: its letters in their order,
 * better when they begin words and stand together; digits typed together
 * stand together, as in a number grouped in any way; case and accents do not
 * matter. @return -1: not at all; "" fits everything with 0
 */
int  fuzzy_score(const char *typed, const char *text);

/* devices.c: sound devices of an account -------------------------------- */

struct devices;
/** The accounts' audio-mic, audio-speaker and audio-ring are taken while one
 *  of their calls has the sound; given: what --audio names stays. Before the
 *  ringer, which plays on what is chosen here. Free: mem_deref, before media */
int  devices_alloc(struct devices **dp, struct ua *ua, struct event_bus *bus,
		   struct media *media, const struct audio_spec *given);

/* ringer.c: ringing and tones --------------------------------------------- */

/** What is heard beside the calls, by what happens to them. Free: mem_deref,
 *  before media */
int  ringer_alloc(struct ringer **rp, struct ua *ua, struct event_bus *bus,
		  struct media *media, const struct config *config);
/** Whose ring tones are asked for, and the hook to look again when one was
 *  given (call_set_ring_tone); NULL: none */
void ringer_set_contacts(struct ringer *r, struct contacts *cs);
void ringer_look(struct ringer *r);
/** What it rings with now: a name or a file, "" when it does not */
const char *ringer_tone(const struct ringer *r);
/** Is there a sound device somebody listens at? Default: yes */
void ringer_set_device(struct ringer *r, bool device);
/** Nothing rings any more until another call comes. @return false: nothing
 *  was to be heard */
bool ringer_hush(struct ringer *r);
/** What is heard in the room, or in the ear: "ring", "busy" ..., "" nothing */
const char *ringer_sound(const struct ringer *r, bool room);

/* selftest.c: a real call over loopback between two user agents ----------- */

/** What one of its calls was like; strings live during the call */
struct selftest_result {
	const char *sip;         /* udp, tcp, card: over the sound card      */
	const char *codec;
	uint64_t setup_ms;
	/* of what arrived; NAN (gaps: 0) when that was no speech */
	double delay_ms;         /* one way                                  */
	double level_db;         /* louder than what was said                */
	unsigned gaps;
	double gap_ms;           /* all of them                              */
	double moved_ms;         /* the delay, in all, meanwhile             */
	double similarity;       /* 0..1                                     */
	double mos;
	bool digits, hold;       /* were they right?                         */
	bool pass;
	const char *text;        /* what was wrong first, "" nothing         */
};

struct selftest;
typedef void (selftest_line_h)(const char *line, void *arg);
typedef void (selftest_result_h)(const struct selftest_result *res,
				 void *arg);
struct selftest_conf {
	const struct config *config;
	bool use_device;         /* --audio auto: the sound card too         */
	const char *speech;      /* file, NULL: sounds/speech.wav            */
	/** For programs: each call's figures; line_h then gets only what is
	 *  no call. NULL: line_h gets a table for people */
	selftest_result_h *result_h;
};
/** ok: the speech arrived whole and every digit was right, every codec */
typedef void (selftest_done_h)(bool ok, void *arg);
int  selftest_start(struct selftest **sp, const struct selftest_conf *conf,
		    selftest_line_h *line_h, selftest_done_h *done_h,
		    void *arg);          /* mem_deref aborts */

/** How well a recording matches what was said; pure */
struct sound_score {
	bool aligned;
	double delay_ms;         /* of the recording against the original    */
	double level_db;         /* recording minus original                 */
	unsigned gaps;           /* breaks in active speech                  */
	double gap_ms;
	double moved_ms;         /* the delay, in all, while it went on      */
	double similarity;       /* 0..1 spectral envelope correlation       */
};
int  sound_score(struct sound_score *sc, const int16_t *ref, size_t nref,
		 const int16_t *rec, size_t nrec, uint32_t rate_hz);

#endif
