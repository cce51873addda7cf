/**
 * @file event.h  Everything that happens, as values
 *
 * An event is a plain value published on the main thread; screens, JSON,
 * scripts and policies subscribe.  It carries states by name and short
 * strings, never a pointer that outlives the dispatch: what a subscriber
 * keeps, it copies.  One row per type in the table drives JSON, the manual
 * and `wait EVENT field=value`.  All functions: main thread.
 */
#ifndef OFFHOOK_EVENT_H
#define OFFHOOK_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_type {
	EVENT_ACCOUNT_STATE,
	EVENT_CALL_STATE,
	EVENT_CALL_HOLD,
	EVENT_CALL_MEDIA,
	EVENT_CALL_DTMF,
	EVENT_CALL_TRANSFER,
	EVENT_CALL_INFO,
	EVENT_CALL_REDIRECT,
	EVENT_CALL_UPDATE,
	EVENT_CALL_FINDING,
	EVENT_CALL_QUALITY,
	EVENT_CALL_LEVEL,
	EVENT_CALL_REPORT,
	EVENT_CALL_CONFERENCE,
	EVENT_CALL_PLACE,
	EVENT_CALL_PROGRESS,
	EVENT_CALL_FORKED,
	EVENT_CALL_PEER,
	EVENT_DTMF_DONE,
	EVENT_MESSAGE_RECEIVED,
	EVENT_MESSAGE_SENT,
	EVENT_MESSAGE_COMPOSING,
	EVENT_SUBSCRIPTION_STATE,
	EVENT_SUBSCRIPTION_NOTIFY,
	EVENT_PRESENCE,
	EVENT_DIALOG,
	EVENT_MWI,
	EVENT_REGISTRATION,
	EVENT_CONFERENCE,
	EVENT_PUBLICATION_STATE,
	EVENT_PLAY_DONE,
	EVENT_RECORD_DONE,
	EVENT_DEVICE_LOST,
	EVENT_DEVICE_FOUND,
	EVENT_DEVICE_LEVEL,
	EVENT_CALL_TONE,
	EVENT_CALL_UNHEARD,
	EVENT_CALL_MOVED,
	EVENT_CALL_CLIPPED,
	EVENT_NETWORK_CHANGED,
	EVENT_TLS_REFUSED,
	EVENT_SIP_FAULT,
	EVENT_RTP_FAULT,
	EVENT_LOG,

	EVENT_TYPES
};

/** A set of types: bits EVENT_BIT(type) */
typedef uint64_t event_set;
#define EVENT_BIT(type) ((event_set)1 << (type))
#define EVENT_ALL (EVENT_BIT(EVENT_TYPES) - 1)
_Static_assert(EVENT_TYPES < 64, "they are bits of an event_set");

enum {
	EVENT_NAME = 32,     /* state, codec, cause ...           */
	EVENT_TEXT = 256,    /* reason, URI, path, log line       */
	EVENT_WHY  = 400,    /* one sentence that says what is wrong */
	EVENT_BODY = 4096,   /* text of a message, a body         */
};

/**
 * A number that may be absent: JSON leaves the field out, `$call.x` is unset.
 * For doubles absent is NAN, for integers EVENT_NONE, for strings "".
 */
#define EVENT_NONE INT64_MIN

struct event {
	enum event_type type;
	uint64_t seq;        /* set by event_publish, from 1, no gaps       */
	uint64_t time;       /* wall ms; set by event_publish when 0        */
	unsigned call;       /* id, 0 if none                               */
	unsigned account;    /* id, 0 if none                               */
	union {
		struct {
			char state[EVENT_NAME];   /* off, registered ...    */
			char aor[EVENT_TEXT];
			char cause[EVENT_TEXT];   /* stable token, failed   */
			char text[EVENT_WHY];     /* one sentence, failed   */
			int64_t code;             /* SIP status             */
			char reason[EVENT_TEXT];  /* reason phrase          */
			int64_t next_ms;          /* until the next attempt */
			char server[EVENT_TEXT];  /* addr:port              */
			char transport[EVENT_NAME]; /* udp, tcp, tls        */
			int64_t flow;             /* 1, 2: of several       */
		} account_state;
		struct {
			char state[EVENT_NAME];   /* calling ... ended      */
			char direction[EVENT_NAME]; /* in, out              */
			char peer[EVENT_TEXT];    /* URI                    */
			char name[EVENT_TEXT];    /* display name           */
			int64_t code;             /* SIP status             */
			char reason[EVENT_TEXT];  /* reason phrase          */
			char cause[EVENT_NAME];   /* stable token, ended    */
			char by[EVENT_NAME];      /* local, remote: ended   */
			char text[EVENT_WHY];     /* one sentence, ended    */
			int64_t duration_ms;      /* ended, 0: not answered */
			int64_t setup_ms;         /* active: since INVITE   */
			/* incoming: what the INVITE tells of its caller    */
			char asserted[EVENT_TEXT];
			char asserted_name[EVENT_TEXT];
			char privacy[EVENT_NAME];
			char diverted_by[EVENT_TEXT];
			char diverted_reason[EVENT_NAME];
			char first_called[EVENT_TEXT];
			char attest[EVENT_NAME];  /* A, B, C ...            */
			char attest_orig[EVENT_TEXT];
			char attest_dest[EVENT_TEXT];
			int64_t attest_iat;
			char answer_mode[EVENT_NAME]; /* auto, manual       */
			int64_t joins;            /* number of a call       */
			int64_t redial_ms;        /* calling: once more     */
			char redial_when[EVENT_NAME]; /* the same: free     */
		} call_state;
		struct {
			bool local;
			bool remote;
			int64_t code;               /* of a refusal         */
			char cause[EVENT_NAME];     /* "" it was agreed     */
		} call_hold;
		struct {
			char peer[EVENT_TEXT];
			char name[EVENT_TEXT];
			bool asserted;
		} call_peer;
		struct {
			char codec[EVENT_NAME];
			int64_t rate_hz;
			int64_t ptime_ms;
			char security[EVENT_NAME];  /* none, sdes, dtls     */
			char suite[EVENT_NAME];     /* AEAD_AES_256_GCM ... */
			char print[208];            /* of DTLS: theirs      */
			char print_own[208];
			char path[EVENT_NAME];      /* direct, relay        */
			char direction[EVENT_NAME]; /* sendrecv ...         */
			char local[EVENT_TEXT];     /* addr:port            */
			char remote[EVENT_TEXT];
		} call_media;
		struct {
			char digit[2];
			char via[EVENT_NAME];       /* rtp, info, inband    */
			int64_t duration_ms;
		} call_dtmf;
		struct {
			char state[EVENT_NAME];     /* trying ... failed    */
			char by[EVENT_NAME];        /* local, remote        */
			char from[EVENT_TEXT];      /* of a remote one      */
			char target[EVENT_TEXT];    /* URI                  */
			int64_t code;
			char reason[EVENT_TEXT];
			char cause[EVENT_NAME];
			int64_t new_call;           /* that we made for it  */
		} call_transfer;
		struct {
			char from[EVENT_TEXT];      /* URI                  */
			char name[EVENT_TEXT];
			char to[EVENT_TEXT];
			char type[EVENT_TEXT];      /* text/plain ...       */
			char text[EVENT_BODY];
			bool cut;                   /* there was more       */
		} message_received;
		struct {
			int64_t id;
			char to[EVENT_TEXT];
			char result[EVENT_NAME];    /* sent, failed ...     */
			int64_t code;
			char reason[EVENT_TEXT];
			char cause[EVENT_NAME];
			char text[EVENT_BODY];
		} message_sent;
		struct {
			char package[EVENT_NAME];   /* RFC 6086, or ""      */
			char type[EVENT_TEXT];
			char body[EVENT_BODY];
			bool cut;
		} call_info;
		struct {
			char from[EVENT_TEXT];
			bool active;
		} message_composing;
		struct {
			int64_t subscription;       /* its number           */
			char package[EVENT_TEXT];
			char target[EVENT_TEXT];    /* URI                  */
			char state[EVENT_NAME];     /* trying, active ...   */
			int64_t code;
			char reason[EVENT_TEXT];
			char cause[EVENT_NAME];
			int64_t next_ms;
		} subscription_state;
		struct {
			int64_t subscription;
			char package[EVENT_TEXT];
			char type[EVENT_TEXT];
			char body[EVENT_BODY];
			bool cut;
		} subscription_notify;
		struct {
			char who[EVENT_TEXT];       /* URI                  */
			char status[EVENT_NAME];    /* open, closed         */
			char activity[EVENT_NAME];
			char note[EVENT_TEXT];
			char contact[EVENT_TEXT];
		} presence;
		struct {
			char who[EVENT_TEXT];
			char state[EVENT_NAME];     /* free, ringing, busy  */
			int64_t count;
			char peer[EVENT_TEXT];
			char direction[EVENT_NAME];
		} dialog;
		struct {
			char who[EVENT_TEXT];
			bool waiting;
			int64_t fresh, old, urgent;
			char mailbox[EVENT_TEXT];
		} mwi;
		struct {
			char aor[EVENT_TEXT];
			char contact[EVENT_TEXT];
			char state[EVENT_NAME];
			char why[EVENT_NAME];
			int64_t expires_s;
		} registration;
		struct {
			char room[EVENT_TEXT];
			char subject[EVENT_TEXT];
			char who[EVENT_TEXT];
			char name[EVENT_TEXT];
			char state[EVENT_NAME];
			int64_t count;
		} conference;
		struct {
			char aor[EVENT_TEXT];
			char state[EVENT_NAME];     /* published, failed .. */
			int64_t code;
			char reason[EVENT_TEXT];
			char cause[EVENT_NAME];
			int64_t next_ms;
		} publication_state;
		struct {
			char state[EVENT_NAME];     /* asked, followed ...  */
			char target[EVENT_TEXT];    /* URI                  */
			int64_t code;               /* 302 ...              */
			char reason[EVENT_TEXT];
		} call_redirect;
		struct {
			char method[EVENT_NAME];    /* INVITE, UPDATE       */
			int64_t code;
			char reason[EVENT_TEXT];
			char cause[EVENT_NAME];     /* "" it was agreed     */
		} call_update;
		struct {
			char result[EVENT_NAME];    /* done, lost           */
			int64_t sent;
			int64_t lost;
		} dtmf_done;
		struct {
			int64_t packets_sent;
			int64_t packets_received;
			int64_t packets_lost;
			double loss_pct;            /* this second          */
			int64_t jitter_ms;
			int64_t delay_ms;           /* playout delay        */
			int64_t target_ms;          /* what it should be    */
			int64_t late, discarded;    /* packets, in the call */
			int64_t recovered;          /* from later packets   */
			int64_t concealed_ms;       /* in the call, as are  */
			int64_t stretched_ms, compressed_ms;
			int64_t rtt_ms;             /* RTCP                 */
			int64_t network_ms;         /* half of it           */
			int64_t mic_ms, speaker_ms; /* the device's buffers */
			int64_t mouth_to_ear_ms;    /* all of it            */
			double mos;
			double r_factor;            /* of the E-model       */
			double remote_mos;          /* as the peer says     */
		} call_quality;
		struct {
			double in_dbfs, in_peak_dbfs;   /* from the peer    */
			double out_dbfs, out_peak_dbfs; /* to it            */
			int64_t in_clipped, out_clipped;
			double erle_db;                 /* of the room      */
			double noise_dbfs, noise_less_db;
		} call_level;
		struct {
			char report[EVENT_NAME];    /* end, asked, alert    */
			char severity[EVENT_NAME];  /* of an alert          */
			char to[EVENT_TEXT];        /* URI                  */
			char result[EVENT_NAME];    /* sent, failed         */
			int64_t code;
			char reason[EVENT_TEXT];
		} call_report;
		struct {
			int64_t code;               /* 180, 183 ...         */
			char reason[EVENT_TEXT];
			bool sound;                 /* it is heard          */
		} call_progress;
		struct {
			char contact[EVENT_TEXT];   /* URI                  */
		} call_forked;
		struct {
			char state[EVENT_NAME];     /* joined, left         */
			int64_t conference;         /* its number           */
			int64_t members;            /* calls in it          */
		} call_conference;
		struct {
			int64_t place;              /* -100 left, 100 right */
		} call_place;
		struct {
			char file[EVENT_TEXT];
			char result[EVENT_NAME];    /* done, stopped, error */
			char text[EVENT_TEXT];      /* what went wrong      */
			int64_t duration_ms;
		} file_done;                        /* play, record         */
		struct {
			char device[EVENT_TEXT];
			char role[EVENT_NAME];      /* mic, speaker         */
			char text[EVENT_TEXT];
		} device;
		struct {
			char tone[EVENT_NAME];      /* busy, dial, fax ...  */
		} call_tone;
		struct {
			char peer[EVENT_TEXT];      /* who does not hear it */
		} call_unheard;              /* and of call_clipped */
		struct {
			char from[EVENT_TEXT];      /* addr:port            */
			char was[EVENT_TEXT];
		} call_moved;
		struct {
			double mic_dbfs, mic_peak_dbfs;
			double speaker_dbfs;
			int64_t clipped;
		} device_level;
		struct {
			char cause[EVENT_NAME];     /* addresses, resume .. */
			char added[EVENT_TEXT];     /* addresses            */
			char removed[EVENT_TEXT];
			int64_t calls;              /* that are moved       */
			int64_t slept_ms;           /* resume               */
		} network_changed;
		struct {
			char domain[EVENT_TEXT];    /* who was meant        */
			char server[EVENT_TEXT];    /* addr:port            */
			char subject[EVENT_TEXT];   /* of its certificate   */
			char issuer[EVENT_TEXT];
			char text[EVENT_TEXT];      /* what is wrong        */
		} tls_refused;
		struct {
			char fault[EVENT_NAME];     /* drop, delay ...      */
			char way[EVENT_NAME];       /* in, out              */
			char method[EVENT_NAME];
			int64_t code;               /* of a response        */
			int64_t rule;               /* its number           */
			char header[EVENT_TEXT];    /* the one meant        */
			char remote[EVENT_TEXT];    /* addr:port            */
			char transport[EVENT_NAME];
		} sip_fault;
		struct {
			char fault[EVENT_NAME];     /* drop, duplicate ...  */
			char way[EVENT_NAME];       /* in, out              */
			char protocol[EVENT_NAME];  /* rtp, rtcp            */
			int64_t sequence;           /* of RTP               */
			char remote[EVENT_TEXT];    /* addr:port            */
			int64_t untold;             /* before it            */
		} rtp_fault;
		struct {
			char finding[EVENT_NAME];   /* stable               */
			char stage[EVENT_TEXT];
			char text[EVENT_BODY];      /* a paragraph          */
		} call_finding;
		struct {
			char level[EVENT_NAME];
			char module[EVENT_NAME];
			char text[EVENT_TEXT];
		} log;
	} u;
};

enum event_field_type {
	EVF_STR,      /* char[]                      */
	EVF_INT,      /* int64_t, EVENT_NONE: absent */
	EVF_DOUBLE,   /* double, NAN: absent         */
	EVF_BOOL,     /* bool                        */
};

struct event_field {
	const char *name;             /* script's form, hyphens; NULL ends  */
	enum event_field_type type;
	size_t offset;                /* in struct event                    */
	size_t size;                  /* EVF_STR: of the array              */
	const char *summary;
};

struct event_row {
	const char *name;                     /* "call.state"               */
	const char *summary;
	const struct event_field *fields;
};

/** Statistics and log lines: a slow reader may miss them */
bool event_minor(enum event_type type);

/** The table; index is enum event_type */
const struct event_row *event_row(enum event_type type);
/** @return type, or EVENT_TYPES when there is none of that name */
enum event_type event_type_find(const char *name);

struct event_bus;
struct event_sub;
typedef void (event_h)(const struct event *ev, void *arg);

int  event_bus_alloc(struct event_bus **bp);          /* free: mem_deref */

/** Zeroed, typed, numbers absent. @return ev */
struct event *event_init(struct event *ev, enum event_type type);

/**
 * Give it to every subscriber at once; published during a dispatch it waits
 * its turn, so the order is total. Beyond 1024 waiting the oldest call.quality,
 * call.level or log among them is dropped, never a state, unless 4096 wait. What is
 * logged while a `log` event is being dispatched does not become an event.
 */
void event_publish(struct event_bus *bus, struct event *ev);

/**
 * Subscribers may unsubscribe themselves or others at any time, also during
 * dispatch. mem_deref(sub) unsubscribes. @return 0 or errno
 */
int  event_subscribe(struct event_sub **sp, struct event_bus *bus,
		     event_h *h, void *arg);
/** Like it, for one type only; the bus knows whether anyone listens */
int  event_subscribe_type(struct event_sub **sp, struct event_bus *bus,
			  enum event_type type, event_h *h, void *arg);
/** The same for several of them, in n places of sv: who takes all of them has
 *  each call's figures made each second. On failure all are NULL */
int  event_subscribe_types(struct event_sub **sv, struct event_bus *bus,
			   const enum event_type *typev, size_t n, event_h *h,
			   void *arg);
bool event_wanted(const struct event_bus *bus, enum event_type type);

/**
 * Value of a field as text: those of the row, and event, seq, time, call,
 * account. @return 0, ENOENT (no such or absent), EOVERFLOW
 */
int  event_field_text(const struct event *ev, const char *name,
		      char *buf, size_t sz);

/** One JSON object without newline; caller frees with free(). NULL: ENOMEM */
char *event_json(const struct event *ev);

/** What event_pack() may need */
enum { EVENT_PACKED_MAX = 64 + 2 * sizeof(((struct event *)0)->u) };

/**
 * An event in as few bytes as it has values, to be kept: within this process,
 * main thread.
 *
 * @param buf  EVENT_PACKED_MAX bytes
 *
 * @return how many of them it takes, 0: there is no such event
 */
size_t event_pack(const struct event *ev, void *buf);
/** The event again, as it was published */
void  event_unpack(struct event *ev, const void *packed, size_t len);

/** The event for a person, one line: "call 1 active, sip:bob@..." */
void  event_print(const struct event *ev, char *buf, size_t sz);

#endif
