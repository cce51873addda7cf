/**
 * @file ua.h  Accounts and calls: the user agent
 *
 * Decides, negotiates SDP, ties a SIP session to a media stream, publishes
 * events.  No globals: two user agents may live in one process.  Everything
 * on main.  Front ends get a `const struct ua *` and look through accessors;
 * a call is named by its id, since a struct call lives only until its
 * call.state ended has been delivered.
 */
#ifndef OFFHOOK_UA_H
#define OFFHOOK_UA_H

#include "offhook/config.h"
#include "offhook/event.h"
#include "offhook/media.h"
#include "offhook/sip.h"
#include "offhook/sip_caller.h"
#include "offhook/sip_fault.h"
#include "offhook/sip_reg.h"

struct ua;
struct account;
struct call;

enum { UA_ERR = 256 };

struct ua_conf {
	const struct config *config;     /* borrowed for the ua's life       */
	struct event_bus *bus;           /* borrowed                         */
	struct media *media;             /* borrowed                         */
	const struct sip_listen_addr *addrv; /* none: every usable address   */
	size_t addrc;
	/** SIP messages for --trace; NULL: none */
	void (*trace_h)(bool tx, enum sip_transp tp, const struct sa *local,
			const struct sa *peer, const char *text, size_t len,
			void *arg);
	void *arg;
};

/** err: one sentence, UA_ERR bytes. @return 0 or errno. Free: mem_deref */
int  ua_alloc(struct ua **uap, const struct ua_conf *conf, char *err);
/** What is unusual about the listeners, "" nothing */
const char *ua_note(const struct ua *ua);
/** Show another name for the caller, for good. @return 0, EINVAL, ENOMEM */
int  call_set_name(struct call *c, const char *name);
/** What it rings with, before what contact and account say: a file, or the
 *  name of a tone (tones.h). @return 0, EINVAL (it is too long, or no text),
 *  ENOMEM */
int  call_set_ring_tone(struct call *c, const char *tone);
/** "" : nobody has said */
const char *call_ring_tone(const struct call *c);
/** Is there a sound device somebody listens at (not null, tone, file ...)?
 *  Only then hold-others acts. Default: yes. */
void ua_set_device(struct ua *ua, bool device);
struct sip_stack *ua_sip(struct ua *ua);
/** Hang up everything, then done (bounded by ms). Then mem_deref. */
void ua_close(struct ua *ua, uint32_t ms, void (*done)(void *arg), void *arg);
bool ua_listener(const struct ua *ua, size_t i, struct sa *addr,
		 enum sip_transp *tp);

/** Read a sound file now: whether it can be played is known before a call is
 *  made, and the call that plays it next need not read it. @return 0, EINVAL
 *  (no sound), EFBIG, ENOENT ... */
int  ua_sound_load(struct ua *ua, const char *file, char *err);

/** As sip_fault_add; each message that it strikes is told as sip.fault. The
 *  other functions of sip_fault.h take ua_sip() */
int  ua_fault(struct ua *ua, const struct sip_fault *f, uint64_t seed,
	      unsigned *number);

/* Accounts ------------------------------------------------------------ */

/** It registers if it should, soon. @return 0, EEXIST, EINVAL ... */
int  ua_account_add(struct ua *ua, const struct account_conf *ac, char *err);
/** The same account with other parameters: what was registered goes first,
 *  calls go on. Its id stays; a is not valid any more */
int  ua_account_change(struct ua *ua, const struct account *a,
		       const struct account_conf *ac, char *err);
/** It unregisters, and is gone; calls go on */
int  ua_account_remove(struct ua *ua, const struct account *a, char *err);
/** A new call takes it when none is named */
int  ua_account_use(struct ua *ua, const struct account *a);
/** Register, now; also to refresh or to try again. account.state tells */
int  ua_register(struct ua *ua, const struct account *a, char *err);
/** Who is known to us, for accounts with callers=known; without it: nobody */
void ua_set_known(struct ua *ua, bool (*h)(const char *uri, void *arg),
		  void *arg);
/**
 * What the user typed may stand for something else: a contact's name, a number
 * by the dial plan. h fills l and says true, or leaves the text as it is. Not
 * asked about URIs, user@host and emergency numbers (option
 * emergency-numbers).
 */
struct ua_lookup {
	char text[256];          /* a target in its place                    */
	char account[64];        /* to call by way of, "" : by rule          */
};
typedef bool (ua_lookup_h)(struct ua_lookup *l, const char *text, void *arg);
/** Is it one of the numbers that option emergency-numbers names? */
bool ua_emergency(const struct config *config, const char *text);
void ua_set_lookup(struct ua *ua, ua_lookup_h *h, void *arg);
/** What becomes of a MESSAGE, SUBSCRIBE, REFER, PUBLISH or OPTIONS outside of
 *  calls: the status it is refused with, 0: what always does */
typedef uint16_t (ua_judge_h)(const struct sip_info *in, void *arg);
void ua_set_judge(struct ua *ua, ua_judge_h *h, void *arg);
/** No longer be registered; all: take everybody's bindings away */
int  ua_unregister(struct ua *ua, const struct account *a, bool all,
		   char *err);
const struct account *ua_account(const struct ua *ua, size_t i); /* NULL: end */
/** The one behind prev, NULL: the first; all of many are walked so */
const struct account *ua_account_next(const struct ua *ua,
				      const struct account *prev);
/** By its number; NULL: gone, or 0 */
const struct account *ua_account_id(const struct ua *ua, unsigned id);
const struct account *ua_account_find(const struct ua *ua, const char *name);
/** The one a new call takes when none is named, or the fallback that serves
 *  in its place; NULL: none configured */
const struct account *ua_account_default(const struct ua *ua);
unsigned account_id(const struct account *a);
const struct account_conf *account_config(const struct account *a);
const char *account_state(const struct account *a);      /* "off" ... */
/** Does it register, or would it? Not who only stands by as a fallback */
bool account_registers(const struct account *a);
/** Would it, had its user not taken it off? */
bool account_sent_off(const struct account *a);
/** Voice mail, as told last */
struct account_mail {
	bool known;              /* it was told                              */
	bool waiting;
	unsigned fresh, old;     /* voice messages                           */
	char mailbox[256];       /* whom to call for them, "" nobody said    */
};
/** @return false: nothing is known of its voice mail */
bool account_mailbox(struct account_mail *mail, const struct account *a);
/** How one of its flows stands. @return false: there is none such */
bool account_registration(struct sip_reg_status *st, const struct account *a,
			  unsigned flow);
/** What the registrar listed; NULL ends it */
const struct sip_binding *account_binding(const struct account *a,
					  unsigned flow, unsigned i);
/** Of its last attempt */
const struct sip_result *account_result(const struct account *a);
/**
 * Who a request by way of this account is from: counted, mem_deref. NULL: a
 * person without an account, reached at laddr. @return 0, ENOMEM, EOVERFLOW
 */
int  ua_ident(struct sip_ident **ip, const struct ua *ua,
	      const struct account *a, const struct sa *laddr);

/** Servers of the options that help a call from laddr through NATs, looked
 *  up; h: once, never from inside. mem_deref cancels. @return 0, ENOMEM */
struct ua_nat;
typedef void (ua_nat_h)(const struct media_nat *conf, void *arg);
int  ua_nat_find(struct ua_nat **np, struct ua *ua, const struct sa *laddr,
		 bool ice, ua_nat_h *h, void *arg);

/* Calls ----------------------------------------------------------------- */

enum call_state {
	CALL_IDLE = 0, CALL_CALLING, CALL_RINGING, CALL_EARLY,
	CALL_INCOMING, CALL_ACTIVE, CALL_ENDED,
	CALL_STATES
};
const char *call_state_name(enum call_state st);         /* "calling" */
/** @return CALL_STATES when there is none of that name */
enum call_state call_state_find(const char *name);

/**
 * What the user typed as a URI to call, for this account (NULL: none).
 * err: one sentence. @return 0, EINVAL (no address), EPROTONOSUPPORT (a
 * scheme or transport that is not spoken here), EOVERFLOW
 */
int  ua_target(char *uri, size_t sz, const struct ua *ua, const char *text,
	       const struct account *acc, char *err);

/**
 * Is it a telephone number that is to be looked up before it is called (option
 * enum-domain)? buf: "+4930..." or digits. @return false: no
 */
bool ua_enum_number(char *buf, size_t sz, const struct ua *ua,
		    const char *text);

struct ua_dial {
	const char *target;              /* as the user typed it             */
	const char *account;             /* name or AOR, NULL: by rule       */
	const char *headers;             /* lines with CRLF, or NULL         */
	bool words;                      /* fill in {words} of the headers   */
	const char *replaces;            /* value of Replaces, or NULL       */
	const char *join;                /* value of Join (RFC 3911)         */
	unsigned redial;                 /* make it so often again           */
	uint32_t redial_ms;              /* ... so long after, 0: 5 s        */
	const char *redial_on;           /* ... for these reasons, "busy,
					    no-answer,network,free,480,5xx";
					    free: busy, and then when he no
					    longer is; NULL: the first three */
	uint32_t ring_ms;                /* 0: option ring-timeout           */
	bool no_hold;                    /* do not hold other calls          */
	bool late_offer;                 /* the other side makes the offer   */
	const char *sdp;                 /* the offer, as ua_sdp.h has it;
					    NULL: ours                       */
	bool anonymous;                  /* it is not told who we are        */
	bool intercom;                   /* it is asked to answer by itself  */
	const char *pai;                 /* P-Asserted-Identity: a URI with or
					    without a name; NULL: as the
					    account says                     */
	/* for this call alone; NULL: as the account or the option says */
	const char *reliable;            /* off, supported, required         */
	const char *session_timer;       /* the same                         */
	const char *redirects;           /* follow, ask, deny                */
	const char *codecs;              /* as option codecs                 */
	const char *direction;           /* sendrecv, sendonly, recvonly,
					    inactive                         */
};
/**
 * Start a call; its id is known at once, everything else is told by events,
 * failures of the network too. err: one sentence. @return 0, EINVAL (target),
 * ENOENT (account, contact), EUSERS (max-calls), EPROTONOSUPPORT
 */
int  ua_dial(unsigned *idp, struct ua *ua, const struct ua_dial *prm,
	     char *err);

struct call *ua_call(const struct ua *ua, unsigned id);  /* NULL: no such  */
struct call *ua_call_next(const struct ua *ua, const struct call *prev);
unsigned ua_call_count(const struct ua *ua);

/* Each: 0, or errno with one sentence in err (UA_ERR bytes) */
int  call_answer(struct call *c, char *err);
int  call_ring(struct call *c);                  /* 180, if not yet sent */
/** Sound before the answer (183): the caller hears what is sent, and we hear
 *  him; it still waits for its answer. What it carries must be described in
 *  the INVITE. @return as above */
int  call_early(struct call *c, char *err);
/** A machine answers this call: it holds no other (option hold-others) */
void call_keep_others(struct call *c);
int  call_reject(struct call *c, uint16_t code, const char *reason, char *err);
/** The same with headers of the user: whole lines with CRLF, or NULL */
int  call_refuse(struct call *c, uint16_t code, const char *reason,
		 const char *headers, char *err);
/** code: of a rejection, 0: by state (486 incoming) */
int  call_hangup(struct call *c, uint16_t code, const char *reason, char *err);
/** Event call.hold follows when the peer has agreed; if it refuses, the event
 *  says that nothing has changed. The mic is silent at once. */
int  call_hold(struct call *c, char *err);
int  call_resume(struct call *c, char *err);
int  call_mute(struct call *c, bool mute, char *err);
/** Queue digits behind those that wait; dtmf.done follows when all are out,
 *  or when the call ends before */
int  call_dtmf(struct call *c, const char *digits, char *err);
/** band: as tones in the sound, for a peer that takes no events; ms: how long
 *  each sounds, 0: as option dtmf-duration says */
int  call_dtmf_via(struct call *c, const char *digits, bool band, unsigned ms,
		   char *err);
/** How long until all digits are out, if nothing holds them up */
uint64_t call_dtmf_ms(const struct call *c);
/**
 * Offer the session as it stands once more, by UPDATE (RFC 3311, also before
 * the answer) or re-INVITE; bare: without a description, late: the other side
 * makes the offer. call.update tells what became of it.
 */
int  call_update(struct call *c, bool bare, char *err);
int  call_reinvite(struct call *c, bool late, char *err);
/**
 * What the next offer says of sound, and all later ones; NULL: as it was. Use
 * call_reinvite or call_update to make it so; refused, the wish is taken back.
 * direction: as in struct ua_dial. @return 0, EINVAL, ENOMEM
 */
int  call_wish(struct call *c, const char *codecs, const char *direction,
	       char *err);
/**
 * Our next description of the sound in this call, an offer or an answer, goes
 * out as the user has written it (ua_sdp.h); NULL: not so after all. @return
 * 0, EALREADY (a call that rings here is described already), ENOMEM
 */
int  call_describe(struct call *c, const char *sdp, char *err);
/** Send a call that rings here elsewhere (302) */
int  call_redirect(struct call *c, const char *target, char *err);
/** The same by rule, told in Diversion (RFC 5806) and History-Info (RFC
 *  7044): "unconditional", "user-busy", "no-answer" ...; NULL: "deflection" */
int  call_divert(struct call *c, const char *target, const char *reason,
		 char *err);
/** After call.redirect "asked": go there, or end the call with the 3xx */
int  call_redirect_decide(struct call *c, bool follow, char *err);
/** Begins when the call is answered and media flows; ends with play.done */
int  call_play(struct call *c, const char *file, bool loop, char *err);
/** The same; queue: when another plays, behind it; mix: with what we say, not
 *  in place of it */
int  call_play_as(struct call *c, const char *file, bool loop, bool queue,
		  bool mix, char *err);
/** Stop play, tone and echo: back to the device or silence */
int  call_stop(struct call *c, char *err);
/** file: in it %n is the call's number, %d the date, %t the time, %p the peer;
 *  its end says what is written: .wav, .flac, .opus */
int  call_record(struct call *c, const char *file, char *err);
int  call_record_pause(struct call *c, bool pause, char *err);
int  call_record_stop(struct call *c, char *err);
int  call_echo(struct call *c, bool on, char *err);
int  call_tone(struct call *c, double hz, char *err);
/**
 * Put calls together: each hears all others and us. Those of a conference
 * that one of them is in already come along; who is on hold is taken back.
 * call.conference tells. @return 0, ENOTCONN (not answered, ended), EINVAL
 * (fewer than two)
 */
int  ua_conference(unsigned *nop, struct ua *ua, struct call *const *cv,
		   size_t n, char *err);
int  call_conference_leave(struct call *c, char *err);
/** Its number, 0: in none */
unsigned call_conference(const struct call *c);
enum { GAIN_DB_MIN = -60, GAIN_DB_MAX = 30 };
/** How loud the others of its conference hear it; mute: not at all */
int  call_part(struct call *c, double db, bool mute, char *err);
double call_part_db(const struct call *c, bool *mute);
/** Our microphone for it, or it at our loudspeaker */
int  call_gain(struct call *c, bool mic, double db, char *err);
double call_gain_db(const struct call *c, bool mic);
enum { PLACE_LEFT = -100, PLACE_RIGHT = 100 };
/** Where it is heard with a loudspeaker of two channels, from now on: option
 *  conference-spread leaves it there. call.place tells. @return 0, EINVAL,
 *  ENOENT */
int  call_pan(struct call *c, int place, char *err);
int  call_place(const struct call *c);
/**
 * Hand the peer over to target, or to the peer of another call (RFC 3515,
 * 3891). call.transfer tells how it goes; when it has succeeded the call is
 * hung up
 */
int  call_transfer(struct call *c, const char *target, char *err);
int  call_transfer_to(struct call *c, struct call *other, char *err);
/** The peer wants us to call somebody (call.transfer asked): the one in this
 *  call, or 0: whoever asked first. @return 0, ENOENT */
int  ua_transfer_decide(struct ua *ua, unsigned call, bool accept, char *err);
/** Hang up this long after the answer (now, if answered) */
void call_limit(struct call *c, uint64_t ms);

/* What a screen may ask */
unsigned call_id(const struct call *c);
/** "ended" as soon as we have hung up, though the event comes a turn later */
enum call_state call_state(const struct call *c);
bool call_outgoing(const struct call *c);
/** 180 has come: somebody is called there */
bool call_rung(const struct call *c);
/** Something of the other side was heard */
bool call_flows(const struct call *c);
/** It comes in place of another call of ours (Replaces): no rule is for it */
bool call_replacing(const struct call *c);
const struct account *call_account(const struct call *c);
/** Its Call-ID, "" before there is one */
const char *call_sip_id(const struct call *c);
const char *call_peer(const struct call *c);             /* URI            */
const char *call_peer_name(const struct call *c);        /* display or ""  */
/** Who the other side is now: as it, or a server of ours, has said in mid-call
 *  (RFC 4916, RFC 3325); with no claim of trust. NULL: as at first */
const struct sip_party *call_peer_now(const struct call *c);
/** What the INVITE tells of its caller: asserted only if a server of the
 *  account said it. NULL: nothing */
const struct sip_caller *call_caller(const struct call *c);
/** Does the caller want the phone to answer by itself? */
void call_answer_wish(struct sip_auto_answer *a, const struct call *c);
/** Whom its INVITE is for, To and Request-URI, and a header of it, while it
 *  rings here; "", ENOENT: not known (any more) */
const char *call_to(const struct call *c);
const char *call_ruri(const struct call *c);
int  call_invite_header(const struct call *c, const char *name, char *buf,
			size_t sz);
/** Refuse every offer of the peer from now on with this; 0: do not */
void call_refuse_offers(struct call *c, uint16_t code);
/** URI of the caller: as asserted, else as the caller says */
const char *call_identity(const struct call *c);
/** It came from a server of its account */
bool call_vouched(const struct call *c);
/** It came from somebody the user knows (ua_set_known) */
bool call_known(const struct call *c);
/** Where its INVITE came from; NULL: it is ours */
const struct sa *call_source(const struct call *c);
bool call_held(const struct call *c);            /* by us, or about to be  */
bool call_held_remote(const struct call *c);
bool call_muted(const struct call *c);
/** ... and somebody talks into the microphone now, for nobody */
bool call_talks_unheard(const struct call *c);
/** A file is being written, or will be once media flows */
bool call_recording(const struct call *c);
/** A file plays, or will */
bool call_playing(const struct call *c);
uint64_t call_duration_ms(const struct call *c);         /* since answer   */
/** How it stands or ended: code, reason, cause */
const struct sip_result *call_result(const struct call *c);
bool call_was_active(const struct call *c);
/** Media as it runs; NULL codec: none yet */
const struct media_plan *call_plan(const struct call *c);
/** How its sound is protected: "none", "sdes", "dtls"; "": no media yet */
const char *call_security(const struct call *c);
/** By what, as a=crypto calls it; "": nothing, or that is not known yet */
const char *call_suite(const struct call *c);
enum { CALL_PRINT = 208 };       /* sha-512 and its 64 bytes in hex          */
/** Fingerprints of the certificates that its keys come from (DTLS-SRTP), as
 *  a=fingerprint has them: both sides read the same two, or somebody is in
 *  between. CALL_PRINT bytes each; @return false: none, or not proven yet */
bool call_prints(const struct call *c, char *theirs, char *ours);
/** Figures of its media; the last ones from hang-up on. @return 0, ENOTCONN:
 *  no media yet */
int  call_stats(struct call *c, struct stream_stats *st);
/** The ways through NATs that its ICE looks at. @return 0, ENOENT: none */
int  call_ways(const struct call *c, struct media_ways *w);
/** Report now how it sounds, to option quality-report; call.report tells.
 *  @return 0, ENOENT: nobody collects, ENOTCONN */
int  call_report(struct call *c, char *err);
double call_mos(struct call *c);                         /* 0 unknown      */
/** How loud it was since the last look: for a meter that is looked at. @return
 *  0, ENOTCONN: no media, EAGAIN: measuring has only begun */
int  call_level(struct call *c, struct stream_level *l);
/** Listen for a tone of hz (0: none) and for sound; on: false ends it.
 *  @return 0, ENOTCONN: no media yet, ENOMEM */
int  call_listen(struct call *c, bool on, double hz);
/** Look for tones of the network in it (busy ...), whatever the option says.
 *  @return 0, ENOTCONN: no media yet, ENOMEM */
int  call_tones(struct call *c, bool on);
/** The last one that was heard, "" none */
const char *call_tone_heard(const struct call *c);
/** @return 0, ENOTCONN: nobody listens */
int  call_heard(struct call *c, struct stream_heard *h);

/* Messages --------------------------------------------------------------- */

enum { UA_MESSAGE_MAX = 60000 };         /* bytes of text                */

struct ua_message {
	const char *target;              /* as the user typed it; with call:
					    not looked at                    */
	unsigned call;                   /* in the dialog of this call, or 0 */
	const char *account;             /* NULL: by rule                    */
	const char *text;                /* UTF-8; composing: ""             */
	bool anonymous;                  /* it is not told who we are        */
	bool report;                     /* ask for a delivery report        */
	bool again;                      /* it has failed before: if nobody
					    is there now, "stored" is told   */
	unsigned id;                     /* ... its number, 0: a new one     */
	enum ua_composing {
		UA_NOT_COMPOSING = 0, UA_COMPOSING, UA_IDLE,
	} composing;                     /* tell that we write, no text      */
};
/** message.sent tells what becomes of it, by its id; nothing is told of
 *  composing. @return 0, EINVAL (text, target), ENOENT, ENOTCONN, EAGAIN */
int  ua_message(unsigned *idp, struct ua *ua, const struct ua_message *prm,
		char *err);

/**
 * A key was pressed in a message to target, or in this call: the other side is
 * told that we write, now and then, and that we have stopped when no key comes
 * any more (RFC 3994; option message-composing). The message itself ends it.
 * @return 0, EINVAL, EAGAIN, ENOMEM
 */
int  ua_typing(struct ua *ua, const char *target, unsigned call,
	       const char *account);
/** It is not going to be sent */
void ua_typing_end(struct ua *ua, const char *target, unsigned call);

/* Calls of others ------------------------------------------------------------ */

struct ua_pickup;                        /* mem_deref gives up           */
/** Once: the number of the call that takes the one that rang; err: why there
 *  is none (ENOENT: none rings), text is the sentence */
typedef void (ua_pickup_h)(unsigned call, int err, const char *text,
			   void *arg);
/** Which call, and how */
enum ua_pickup_kind {
	UA_PICKUP_RINGING = 0,   /* the one that rings is taken              */
	UA_PICKUP_PARKED,        /* one that was answered is taken (5359 2.15) */
	UA_PICKUP_JOIN,          /* ... is joined (RFC 3911)                 */
};
/**
 * Take a call at target, a phone or an extension: it is asked for its dialogs
 * (RFC 4235) unless it has told them, and the one meant is replaced (RFC 3891)
 * or joined. @return 0, EINVAL (target), ENOENT (account)
 */
int  ua_pickup(struct ua_pickup **pp, struct ua *ua, const char *target,
	       const char *account, enum ua_pickup_kind kind, ua_pickup_h *h,
	       void *arg, char *err);

/** What peer wrote (NULL: anybody) was seen: who asked for it is told so (RFC
 *  5438 displayed; option message-reports) */
void ua_message_displayed(struct ua *ua, const char *peer);

/* Any request ------------------------------------------------------------------ */

struct ua_ask;                           /* mem_deref gives up           */
struct ua_ask_prm {
	const char *method;
	const char *target;              /* as the user typed it; with call:
					    not looked at                    */
	unsigned call;                   /* in its dialog, or 0              */
	const char *account;             /* NULL: by rule                    */
	const char *headers;             /* whole lines with CRLF, or NULL   */
	const char *ctype, *body;        /* NULL: none                       */
	bool anonymous;                  /* outside of calls: it is not told
					    who we are                       */
	unsigned about;                  /* outside of calls: it is about
					    this one (Target-Dialog, RFC
					    4538); 0: none                   */
};
/** Once: the final answer (in NULL: none came). keys: that were taken */
typedef void (ua_ask_h)(const struct sip_result *res,
			const struct sip_info *in, unsigned keys, void *arg);
/** @return 0, EINVAL (method, target, headers), ENOENT, ENOTCONN */
int  ua_ask(struct ua_ask **ap, struct ua *ua, const struct ua_ask_prm *prm,
	    ua_ask_h *h, void *arg, char *err);
/** Keys as INFO (option dtmf-info), one after the other; ms as above.
 *  @return as ua_ask */
int  call_dtmf_info(struct ua_ask **ap, struct call *c, const char *digits,
		    unsigned ms, ua_ask_h *h, void *arg, char *err);

/* What we watch (RFC 6665) ---------------------------------------------------- */

struct ua_subscribe {
	const char *event;               /* "presence", "dialog;x=y" ...     */
	const char *target;              /* as the user typed it             */
	const char *account;             /* NULL: by rule                    */
	const char *accept;              /* type, NULL: by the event         */
	uint32_t expires_s;              /* 0: once                          */
};
/** subscription.state, subscription.notify and, of what is understood,
 *  presence, dialog, mwi, registration tell. @return 0, EINVAL, ENOENT,
 *  EAGAIN */
int  ua_subscribe(unsigned *idp, struct ua *ua, const struct ua_subscribe *prm,
		  char *err);
/** @return 0, ENOENT: no such subscription */
int  ua_unsubscribe(struct ua *ua, unsigned id, char *err);
/** Ask for the state now, also while it waits for its next try. @return 0,
 *  ENOENT */
int  ua_resubscribe(struct ua *ua, unsigned id);

struct ua_subscription {
	unsigned id;
	const char *event, *target, *state;
	uint64_t next_ms;                /* refresh or retry, when it was told */
};
/** @return false: i is beyond the last */
bool ua_subscription(struct ua_subscription *s, const struct ua *ua, size_t i);

/**
 * Publish our presence (RFC 3903): status "open", "closed", or an activity
 * ("away", "busy" ...); "off" takes it back. Who watches us is told as well
 * (option watchers). Publication is told by event publication.state.
 * @return 0, EINVAL, ENOENT
 */
int  ua_publish(struct ua *ua, const char *account, const char *status,
		const char *note, char *err);

/** One sentence for a person: "Busy.", "Nobody answered for 30 s." */
void call_verdict(const struct call *c, char *buf, size_t sz);

/** A call by value: as it stands, or as it ended */
struct call_record {
	unsigned id;
	enum call_state state;   /* as call_state()                          */
	bool outgoing, was_active;
	struct sip_result result;
	uint64_t duration_ms;    /* since the answer                         */
	char peer[256];
	char codec[32];          /* "" none yet                              */
	char security[8];        /* none, sdes, dtls; "" no media            */
	char suite[32];          /* of SRTP, "" none                         */
	enum media_dir dir;
	bool media_expected;     /* we were to receive                       */
	bool limited;            /* it has reached option call-limit         */
	bool stats_known;        /* media has run; up to date, or the last   */
	struct stream_stats stats;
	double mos, loss_pct;    /* NAN: nothing came                        */
	double r_factor;         /* of the E-model, the same                 */
	unsigned seen;           /* bit per enum call_state it has been in   */
	char text[EVENT_WHY];    /* how it ended, one sentence               */
};
/** Of a living call, or of one of the last 64 that ended: they are kept for
 *  figures, $call.x, exit codes and wait. @return false: no such call */
bool ua_call_snapshot(struct call_record *r, const struct ua *ua,
		      unsigned id);
/** Of a call that has ended; NULL: it has not, or is forgotten */
const struct call_record *ua_call_record(const struct ua *ua, unsigned id);
/** Bits of the states a living call has been in */
unsigned call_seen(const struct call *c);

/** Why it ended, the stable token of events and scripts: "none", "status",
 *  "no-media" (answered, and nothing came) ... */
const char *call_record_cause(const struct call_record *r);

/** Exit code of interface.md section 5 for an ended call */
int  call_record_exit(const struct call_record *r);

#endif
