/**
 * @file ua/priv.h  Inside the user agent
 *
 * ua.c holds the lists; a call is call.c (its life), call_state.c (the one
 * setter), call_event.c (what it tells), call_sip.c (what the SIP session
 * tells it), call_media.c (its stream), call_digits.c (keys), call_silence.c
 * (it is not heard), call_file.c (what plays and what is recorded),
 * call_control.c (what the user wants), call_look.c (what a screen may ask),
 * conference.c (several calls together), hold_music.c (what is heard on hold),
 * incoming.c (a call that comes), ending.c (how it ended), record.c (what is
 * kept of it), quality.c (how it sounds), vq.c (who is told of that), level.c
 * (how loud it is).  Main thread.
 */
#ifndef OFFHOOK_UA_PRIV_H
#define OFFHOOK_UA_PRIV_H

#include <math.h>
#include "offhook/ua.h"
#include "offhook/sip_call.h"
#include "offhook/clock.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "negotiate.h"
#include "account.h"

#define LOG_MODULE "ua"
#include "offhook/log.h"

enum {
	UA_URI      = 512,           /* longest URI we call                  */
	UA_RECORDS  = 64,
	UA_BUCKETS  = 64,            /* calls by id; a power of two          */
	EXPECT_MS   = 1000,          /* less time to receive proves nothing  */
};

/* Of many calls some at a time (rota.c) */
struct rota {
	unsigned turn, turns;        /* of a round; 0, 0: none has begun     */
};

struct ua {
	const struct config *config;
	struct event_bus *bus;
	struct media *media;
	struct sip_stack *sip;
	struct list accounts;        /* struct account, oldest first         */
	struct list leaving;         /* removed, not yet off                 */
	unsigned default_account;    /* id, 0: none was chosen               */
	struct timer tmr_settle, tmr_leaving;    /* register.c               */
	bool (*known_h)(const char *uri, void *arg);     /* guard.c          */
	ua_judge_h *judge_h;         /* invite.c; NULL: nobody               */
	void *judge_arg;
	void *known_arg;
	ua_lookup_h *lookup_h;                           /* lookup.c         */
	void *lookup_arg;
	struct list calls;           /* struct call, by id                   */
	struct hash *callh;          /* the same by id                       */
	struct list transfers;       /* struct transfer                      */
	struct {
		bool closed;
		char activity[32], note[256];
	} presence;                  /* what we tell                         */
	struct list publications;    /* struct publication                   */
	struct list watchers;        /* struct watcher                       */
	struct event_sub *call_sub;  /* NULL: nobody watches                 */
	struct timer tmr_watchers;
	struct list watches;         /* struct watch                         */
	unsigned next_watch;
	struct list messages;        /* struct message, under way            */
	unsigned next_message;
	struct list unseen;          /* struct unseen: reports asked for     */
	struct list typings, typists, deaf;      /* composing.c              */
	unsigned next_account, next_call;
	unsigned living;             /* calls that have not ended            */
	bool device;                 /* somebody listens at a sound device   */
	uint64_t router_deaf_ms;     /* not asked for ports until then       */
	struct list over;            /* struct call, to be freed             */
	struct timer tmr_over;
	struct timer tmr_quality, tmr_level;
	struct rota rota_quality, rota_level;
	struct list reports;         /* struct vq, under way                 */
	char cname[24];              /* RFC 7022: by chance, for this run    */

	/* the last WAV played, while calls run: many play the same */
	int16_t *sound, *sound_side;
	size_t soundc;
	uint32_t sound_hz;
	char *sound_path;
	int64_t sound_mtime_ns, sound_size;

	void (*trace_h)(bool tx, enum sip_transp tp, const struct sa *local,
			const struct sa *peer, const char *text, size_t len,
			void *arg);
	void *trace_arg;

	struct netwatch *netwatch;   /* network.c                            */
	struct timer tmr_net, tmr_watches;
	unsigned net_tries;

	bool closing;
	void (*done_h)(void *arg);
	void *done_arg;

	struct call_record *recordv;     /* UA_RECORDS, no memory before they
					    are used */
	unsigned recordc;            /* ever; the newest is at recordc - 1   */
};

/** A file to play or to record, before and while it runs */
struct call_file {
	char *path;                  /* NULL: none                           */
	uint64_t begin_ms;           /* 0: waits for media                   */
	bool loop;
	bool mix;
	uint64_t wall_ms;            /* the same of the wall clock           */
};

/** One that waits for those before it */
struct call_next {
	struct le le;
	char *path;
	bool loop, mix;
};

/** How it sounds to others and to us, and as the stream was told */
struct call_room {
	unsigned no, no_told;        /* conference, 0: none                  */
	unsigned no_then;            /* events have told                     */
	double db, db_told;          /* to the others of it                  */
	bool mute;                   /* they do not hear it                  */
	double mic_db, mic_told;
	double speaker_db, speaker_told;
	int place, place_told;       /* from left to right                   */
	bool placed;                 /* by the user                          */
};

/** Music on hold */
struct call_music {
	bool on;
	bool failed;                 /* in this hold                         */
	unsigned owed;               /* ends that are nobody's business      */
};

/** Digits on their way out */
struct call_digits {
	unsigned given;              /* characters, since the stream opened  */
	unsigned count;              /* digits among those not told of yet   */
	uint64_t before;             /* digits told of                       */
	uint64_t until_ms;           /* when all should be out               */
	bool open;                   /* dtmf.done is owed                    */
};

/** What had been counted, and when; to tell what came since */
struct call_vq_mark {
	uint64_t ms;                 /* clock_ms(), 0: there is none         */
	uint64_t received, lost, late, sent, remote_lost;
};

/** What is reported to who collects it: vq.c */
struct call_vq {
	struct sa laddr;             /* of its media                         */
	uint32_t ssrc;
	char *ltag, *rtag;           /* of its dialog, NULL: not seen yet    */
	double mos;                  /* the mean of the last seconds         */
	unsigned seconds;            /* that had one                         */
	int severity;                /* enum vq_severity, as told            */
	uint64_t told_ms;
	struct call_vq_mark mark;    /* at the last report of an interval    */
	bool ended;                  /* its end is reported                  */
};

struct call {
	struct le le;                /* ua->calls                            */
	struct le he;                /* ua->callh                            */
	struct ua *ua;
	unsigned id;
	enum call_state state;       /* set by call_state_set alone          */
	unsigned seen;
	bool outgoing;
	bool remote_ring;            /* 180 was sent                         */
	bool rung;                   /* 180 came                             */
	bool flows;                  /* something was heard                  */
	struct mbuf *early;          /* callee: our description in a 183     */
	bool late_offer;             /* the INVITE had none                  */
	bool ending;                 /* we have hung up                      */
	bool acked;                  /* callee: our answer is confirmed      */
	bool proven;                 /* callee: the caller heard from us     */
	bool signal_tls;             /* callee: the INVITE came encrypted    */
	bool finished;               /* ended, waits for its turn to go      */
	bool keep_others;            /* holds no other when it is answered   */
	struct sip_result why;       /* cause: we end it for this reason     */
	struct account *acc;         /* NULL: none                           */
	char *peer;                  /* URI, valid UTF-8                     */
	char *name;
	char *ring_tone;         /* NULL: nobody has said                   */
	char *called;                /* callee without account: To, or NULL  */
	struct {
		struct sip_msg *msg;
		char *to, *ruri;     /* URIs                                 */
	} invite;                    /* callee, until it is answered; NULL   */
	uint16_t refuse_offers;      /* in mid-call, with this; 0: do not    */
	char *headers;               /* of the INVITE, NULL: none            */
	char *replaces;              /* the same: NULL: nothing              */
	bool anonymous;              /* we do not tell who we are            */
	struct call_wish {
		char *codecs;        /* NULL: as the account or option says  */
		unsigned shut;       /* bits of enum media_dir not wanted    */
	} wish, wish_then;           /* now; as both have agreed on          */
	bool wish_open;              /* ... which differ                     */
	const char *answered_by;     /* auto, manual; NULL: not told         */
	struct caller *caller;       /* callee; NULL: nothing special        */
	struct sip_party *now;       /* who it has become; NULL: as at first */
	struct sa src;               /* callee: who sent the INVITE          */
	bool vouched;                /* ... a server of the account          */
	struct {
		unsigned left;       /* attempts                             */
		uint32_t after_ms;
		char *on;            /* reasons                              */
		bool waits;          /* for the next one                     */
		struct vigil *vigil; /* ... until he is free; NULL: a time   */
	} redial;
	unsigned joins;              /* ... and the call it wants to join    */
	uint32_t ring_ms;
	struct sip_call_ext ext;     /* caller                               */
	enum sip_redirect redirects;
	bool late;                   /* the peer shall make the offer        */
	char *sdp_own;               /* ours as the user has written it      */
	char *sdp_next;              /* the same of the next one alone       */
	char *redirect;              /* where we are sent, NULL: nowhere     */
	bool turned;                 /* to servers of the other family       */
	bool plain;                  /* feedback was offered, and refused    */

	struct sip_call *sip;        /* NULL before the INVITE               */
	struct sip_target *target;   /* while it is looked for               */
	struct sip_enum *enm;        /* while its number is looked up        */
	char number[32];             /* "" : is not, or was not one          */
	struct sip_result result;

	/* media */
	struct nego nego;
	struct stream *stream;       /* NULL: not open                       */
	struct media_plan plan;      /* in force; codec NULL: none           */
	struct media_plan next;      /* agreed, starts with the answer       */
	const struct media_suite *suite;         /* DTLS agreed on it        */
	bool insecure;               /* it did not                           */
	bool gathering;              /* servers are asked for our addresses  */
	bool answer_waits;           /* for that                             */
	bool regather;               /* ... again, after a move              */
	struct ua_nat *nat;          /* while servers are looked for         */
	struct sa laddr;             /* while it is                          */
	struct media_gathered gathered;
	const char *path;            /* that ICE has chosen, NULL: none      */
	bool started;
	bool hold;                   /* what we want                         */
	bool hold_told;              /* what both have agreed on and events say */
	bool held_remote;
	bool next_held;              /* of next                              */
	bool muted;
	bool moving;                 /* the peer does not know our address   */
	bool mod_busy;               /* our re-INVITE is under way           */
	bool mod_again;              /* ... and no longer what we want       */
	const char *mod_told;        /* the user asked for it: by method     */
	bool silent_told;
	enum stream_source source;   /* when not held                        */
	double tone_hz;
	enum stream_source source_told;          /* as the stream has it     */
	double tone_told_hz;
	bool muted_told, band_told;
	bool tones_asked, tones_told;    /* of the network: look for them    */
	const char *tone_heard;  /* the last one, NULL none                  */
	bool talk_told;              /* muted: look for a voice              */
	bool talks;                  /* muted, and there is one              */
	struct call_file play, record;
	struct call_file play_old, record_old;   /* stopped, event awaited   */
	struct list play_next;       /* struct call_next                     */
	struct call_digits digits;
	struct call_room room;
	struct call_music music;
	uint64_t recv_from_ms;       /* 0: nothing is to come now            */
	uint64_t recv_ms;            /* how long something was to come       */
	uint64_t q_received, q_lost, q_late; /* at the last call.quality     */
	struct call_vq vq;

	uint64_t begin_ms, active_ms, end_ms;    /* clock_ms(), 0: not yet   */
	uint64_t limit_ms;           /* 0: none                              */
	bool limited;                /* ... and it was reached               */
	bool media_expected;         /* sound was to come, once it has ended */
	struct stream_stats last;    /* when the stream was closed           */
	bool last_known;
	struct sip_req *probe;       /* is the silent peer there?            */
	struct timer tmr_ring, tmr_limit, tmr_turn, tmr_probe;
};

/* invite.c */
/** Keep what the INVITE says. @return 0, ENOMEM */
int  call_invite_take(struct call *c, const struct sip_info *in);
void call_invite_drop(struct call *c);
/** A request that is no INVITE: the status it is refused with, 0: it is not */
uint16_t ua_judge(const struct ua *ua, const struct sip_info *in);

/* ability.c */
/** acc NULL: none. @return 0, EINVAL: no codec is known */
int  ua_ability(struct ability *ab, const struct ua *ua,
		const struct account *acc);
void call_ability(struct call *c, const struct sa *rtp,
		  struct ability *ab);

/* reach.c */
/** The account of that name, or the default one, which may be none (NULL).
 *  @return 0, ENOENT */
int  ua_account_named(const struct account **ap, const struct ua *ua,
		      const char *name, char *err);

/* target.c */
/** What the user typed as a URI, see interface.md. err: one sentence.
 *  @return 0, EINVAL, EPROTONOSUPPORT */
int  target_complete(char *uri, size_t sz, const char *text,
		     const struct account *a, char *err);
/** Does something of ours speak what the URI asks for? @return 0,
 *  EPROTONOSUPPORT */
int  target_spoken(const struct ua *ua, const char *uri, char *err);

/** ua_target without asking what the text stands for */
int  target_uri(char *uri, size_t sz, const struct ua *ua, const char *text,
		const struct account *acc, char *err);

/* lookup.c */
/** What was typed, or what it stands for; l holds that */
const char *lookup_text(struct ua_lookup *l, const struct ua *ua,
			const char *text);
/** list: numbers with commas between them */
bool lookup_emergency(const char *list, const char *text);

/* number.c */
/** As ua_target; number: "" or what is to be looked up first, and then uri
 *  may be tel:, when there is no account to dial it with */
int  number_target(char *uri, size_t sz, char *number, size_t numsz,
		   const struct ua *ua, const char *text,
		   const struct account *acc, char *err);
/** Look c->number up, then call_start */
void number_start(struct call *c);

/* call.c */
int  call_create(struct call **cp, struct ua *ua, bool outgoing,
		 struct account *acc, const char *peer, const char *name);
/** Find out where to, and call there */
void call_start(struct call *c);
/** The stream is open: offer and send the INVITE */
void call_invite(struct call *c);
/** Is it within max-calls? */
bool call_room(const struct ua *ua);
/** The end: media closes, the record is written, it is told, and the call
 *  is freed on a turn of its own. Not from inside a user's call. */
/** Its part in offers and answers, as before the first: with secrets anew */
void call_nego_begin(struct call *c);
void call_finish(struct call *c, const struct sip_result *res);
/** Those that are over are freed soon, or now when the phone closes */
void calls_over(struct ua *ua);
/** It is over for the user: result and figures stand, what is left goes
 *  over the wire; call_finish follows */
void call_ending(struct call *c, enum sip_cause cause, uint16_t code,
		 const char *reason);
/** The end on the next turn, for what fails on our side */
void call_fail(struct call *c, enum sip_cause cause, int err,
	       const char *reason);
/** Sentence for err into buf and back the error: "Call 2 has ended." */
int  call_error(char *buf, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool call_living(const struct call *c);

/* call_control.c */
/** How long a call may last by the account or the options, 0: for ever */
uint64_t call_limit_own(const struct call *c);
/** For a call that is not living: says so in err. @return ENOTCONN */
int  call_gone(const struct call *c, char *err);
/** Calls that somebody listens to, but c, go on hold (option hold-others) */
void call_hold_others(struct ua *ua, const struct call *c);

/* call_state.c */
bool call_state_allowed(enum call_state from, enum call_state to);
/** The one setter: logs, publishes. @return false: not allowed */
bool call_state_set(struct call *c, enum call_state to);

/** A new attempt of a call of ours: "calling" once more, told */
void call_state_again(struct call *c);

/* redial.c */
int  redial_set(struct call *c, const struct ua_dial *prm, char *err);
/** The call has failed: is it made again, or by the other family? */
bool redial_try(struct call *c, const struct sip_result *res);

/* call_event.c */
/** Begin one about the call. @return ev */
struct event *call_event(struct event *ev, enum event_type type,
			 const struct call *c);
void call_event_state(const struct call *c);
void call_event_media(const struct call *c);
void call_event_clipped(const struct call *c);
void call_event_moved(const struct call *c, const struct sa *from,
		      const struct sa *was);
/** A provisional response, or with in NULL: the first sound */
void call_event_progress(const struct call *c, const struct sip_info *in);
/** res: why what we wanted was refused, NULL: it was agreed */
void call_event_hold(const struct call *c, const struct sip_result *res);
void call_event_forked(const struct call *c, const struct sip_info *in);

/* call_sip.c */
extern const struct sip_call_h call_sip_handlers;
/** It is answered: by us or by them */
void call_answered(struct call *c);
/** A re-INVITE that says what we want now. @return 0, ENOTCONN, ENOMEM */
int  call_reoffer(struct call *c);
/** The same by a method of choice; bare: without a description */
int  call_reoffer_by(struct call *c, enum sip_modify how, bool bare);

/* call_wish.c */
/** In an offer or answer of ours */
void call_wish_apply(const struct call *c, struct ability *ab);
/** Our offer was accepted, or not */
void call_wish_settle(struct call *c, bool agreed);
void call_wish_flush(struct call *c);

/* call_session.c */
/** What is negotiated; prm NULL: nothing is said for this call alone */
void session_ext(struct sip_call_ext *ext, const struct ua *ua,
		 const struct account *acc, const struct ua_dial *prm);
enum sip_redirect session_redirects(const struct ua *ua,
				    const struct account *acc,
				    const struct ua_dial *prm);
void session_redirect_handler(const char *uri, const struct sip_info *in,
			      void *arg);
/** A change is done: told, if the user asked for it */
void session_modified(struct call *c, const struct sip_result *res);
/** Did the caller give up because another phone has answered? */
bool session_elsewhere(const struct call *c);

/* network.c */
/** Follow the machine's addresses, for as long as the ua lives */
int  network_watch(struct ua *ua);
void network_flush(struct ua *ua);
/** Where we are now the servers are known: call again */
void network_call_again(struct call *c);
/** It is active now: its peer may have an address of ours that is gone */
void network_answered(struct call *c);
/** A re-INVITE of ours is done */
void network_told(struct call *c, const struct sip_result *res);

/* call_media.c */
int  call_media_open(struct call *c, const struct sa *laddr);
/** The same; nat NULL: nobody is asked */
int  call_media_open_with(struct call *c, const struct sa *laddr,
			  const struct media_nat *nat);
/** Let the stream do what has been agreed; tells what has changed */
int  call_media_apply(struct call *c, const struct media_plan *plan,
		      bool held);
/** Callee: the caller has had a message of ours and answered it, so it is
 *  where it says and media may go there */
void call_media_prove(struct call *c);
/** What the user wants of it now: source, mute, files */
void call_media_settle(struct call *c);
void call_media_hold_tell(struct call *c, bool held);
/** The last figures are kept, the stream is closed; files end with their
 *  events */
void call_media_close(struct call *c);

/* nat.c */
/** Names for ICE */
void call_nat_init(struct call *c);
/** Has anybody to be asked before something is offered? */
bool call_nat_wanted(const struct call *c);
/** Open the stream and ask; then call_invite, or the answer that waits */
void call_nat_begin(struct call *c, const struct sa *laddr);
void call_nat_gathered(struct call *c);
/** Its stream has another local address. @return true: servers are asked
 *  first, then the peer is told */
bool call_nat_moved(struct call *c);
void call_nat_ability(const struct call *c, struct ability *ab);
/** There is no way any more, or there never was one */
void call_nat_lost(struct call *c, const char *why);
/** The machine's addresses have changed. @return true: what its sound left
 *  from is gone, and another way is looked for */
bool call_nat_look(struct call *c);
/** Addresses for ICE beside the first one (ice_base.c). @return how many */
unsigned ua_ice_bases(struct sa *v, unsigned max, const struct ua *ua,
		      const struct sa *first);

/* call_secure.c */
/** Keys for what it sends */
void call_secure_ability(struct call *c, struct ability *ab);
/** nego_offer and nego_answer, with our fingerprint where it belongs.
 *  @return 0, ENOMEM, or what kept a certificate from being made */
int  call_offer(struct mbuf **sdp, struct call *c, struct ability *ab);
int  call_answer_of(struct mbuf **sdp, struct call *c, struct ability *ab);
/** Is there a way to what is required? */
bool call_secure_possible(const struct ability *ab);
/** Why an answer was refused */
const char *call_secure_refusal(const struct ability *ab);
/** Before another plan is in force: a word when it takes protection away */
void call_secure_changed(const struct call *c, const struct media_plan *next);

/** There will be no keys: a call that is agreed on ends */
void call_secure_failed(struct call *c, const char *why);

/* call_digits.c */
/** One came from the peer */
void call_digits_heard(const struct call *c, const struct stream_event *se);
/** A tone of the network was heard; lives for ever */
void call_tone_event(struct call *c, const char *tone);
/** Look for tones, or no longer. @return 0 or errno */
int  call_tones_settle(struct call *c);
/** Look for a voice while it is muted, or no longer */
void call_talk_settle(struct call *c);
/** There is one, or there is none any more */
void call_talk(struct call *c, bool talks);
/** All characters up to count are out */
void call_digits_sent(struct call *c, unsigned count);
/** The call ends; c->last says how many went out */
void call_digits_end(struct call *c);

/* call_silence.c */
/** Nothing is heard where something should be, or it is again */
void call_silence(struct call *c, bool silent);

/* call_file.c */
/** Begin what waits. err: UA_ERR bytes */
int  call_file_play(struct call *c, char *err);
int  call_file_record(struct call *c, char *err);
/** Its one event, and forget it */
void call_file_done(struct call *c, struct call_file *f, const char *result,
		    const char *text, int64_t duration_ms);
/** The stream says that a file is through */
void call_file_event(struct call *c, const struct stream_event *se);
void call_file_stop_play(struct call *c);
/** The call ends */
void call_file_end(struct call *c);
void call_file_forget(struct ua *ua);    /* the samples kept */
/** Nothing that waits is played any more */
void call_file_drop(struct call *c);

/* call_recording.c */
/** The name that a template stands for. @return 0, EOVERFLOW */
int  recording_name(char *buf, size_t sz, const struct call *c,
		    const char *name);
/** Beside it a file that tells what it is (option record-notes) */
void recording_note(const struct call *c, const struct call_file *f,
		    const char *result, const char *text,
		    int64_t duration_ms);

/* rota.c */
/** Another turn of a round, in which each of n calls has one; a new round is
 *  begun when the last one is over. r is zero before the first.
 *  @return ms until the next turn: all those of a round make the interval */
uint64_t rota_turn(struct rota *r, size_t n, uint64_t interval_ms);
/** Is it the turn of the call with this number? */
bool rota_has(const struct rota *r, unsigned id);

/* quality.c */
/** A call is active: call.quality each second, if anybody listens */
void ua_quality_start(struct ua *ua);
/** NAN: nothing came */
double stats_loss_pct(const struct stream_stats *st);
double stats_unheard_pct(const struct stream_stats *st);
/** R of the E-model; unheard_pct: lost and late packets. NAN: not known */
double stats_r(const struct stream_stats *st, const struct codec *codec,
	       double unheard_pct);

/* level.c */
/** A call is active: call.level now and then, if anybody listens */
void ua_level_start(struct ua *ua);

/* fault.c */
/** Something was done to a packet of this call, on purpose */
void call_fault_event(const struct call *c, const struct stream_event *se);

/* conference.c */
/** The stream does what the user wants of gain and conference */
/** Those of a conference side by side, if the option says so; who is in none
 *  in the middle (place.c) */
void place_spread(struct ua *ua, unsigned no);
void conference_settle(struct call *c);
/** The call ends */
void conference_end(struct call *c);

/* hold_music.c */
void hold_music_settle(struct call *c);
void hold_music_stop(struct call *c);
/** A file is through: was it that? */
bool hold_music_done(struct call *c);

/* ua.c */
void ua_call_ended(struct ua *ua);

/* incoming.c */
int  incoming_invite(struct sip_call *sc, const struct sip_info *in,
		     struct mbuf *offer, void *arg);
int  incoming_options(const struct sip_info *in, void *arg);
int  incoming_ability(struct mbuf **sdp, const struct sa *laddr, void *arg);

/* ending.c */
/** Should it end now, it is for this reason of ours: when we hang up, or the
 *  session does for want of a description that is of use */
void call_blame(struct call *c, enum sip_cause cause, uint16_t code,
		const char *reason);
/** Put to a result what only we know: cause, status, reason */
void ending_complete(const struct call *c, struct sip_result *res);

/* record.c */
void record_keep(struct call *c);

/* utf8.c */
/** Copy whole characters only; what is no UTF-8 becomes '?' */
void utf8_copy(char *dst, size_t sz, const char *src);
/** The same into an array */
#define UTF8_PUT(array, src) utf8_copy((array), sizeof(array), (src))
int  utf8_dup(char **dst, const char *src, size_t max);

#endif
