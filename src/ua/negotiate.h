/**
 * @file ua/negotiate.h  Offer and answer (RFC 3264, 6337): what both can do
 *
 * Abilities and descriptions in, descriptions and a struct media_plan out.
 * A struct nego remembers what must stay the same during a call: the shape
 * of the session (its lines in order), payload numbers, the version.  Zero
 * it, then nego_init.  No I/O, no clock, no chance; main thread.
 *
 * An answer that cannot be used, or an offer that is refused, changes
 * nothing.
 */
#ifndef OFFHOOK_UA_NEGOTIATE_H
#define OFFHOOK_UA_NEGOTIATE_H

#include "sdp.h"

enum {
	NEGO_CODECS = 8,         /* media_plan: one and also_codec          */
	NEGO_CLOCKS = 1 + MEDIA_EVENTS_ALSO, /* of telephone-event          */
	TE_COMMON_HZ = 8000,     /* its clock that every phone knows        */
	NARROW_HZ = 8000,        /* where comfort noise belongs             */
	NEGO_REDS = 2,           /* of redundancy: for narrow band, Opus    */
	PT_CN = 13,              /* comfort noise, for good (RFC 3551)      */
	NEGO_NONE = 0xff,
};

/** As enum media_policy of the options */
enum secure_policy { SECURE_OFF, SECURE_PREFER, SECURE_REQUIRE };

/** What we can do and want */
struct ability {
	const struct codec *codecv[NEGO_CODECS];  /* best first             */
	unsigned codecc;
	struct codec_param param;        /* our wishes, ptime_ms among them */
	struct sa rtp;                   /* our RTP address and port        */
	struct sa rtcp;                  /* unset: the port after it        */
	enum media_dir dir;              /* what we want                    */
	bool nowhere;                    /* offers have no address: the hold
					    of RFC 2543                     */
	bool red;                        /* redundancy (RFC 2198)           */
	bool cn;                         /* comfort noise (RFC 3389)        */
	struct {
		enum secure_policy policy;
		bool sdes, dtls;         /* ways to keys that may be used   */
		struct media_print print;        /* ours, for dtls          */
	} secure;
	struct {
		bool on;
		const struct media_gathered *have;       /* NULL: nothing   */
	} ice;
	bool mux;                        /* one port for both is wanted     */
	bool nack;                       /* offers ask for feedback         */
	bool bundle;                     /* our line is offered in a group
					    of its own (RFC 8843)           */
};

/** Names as in the option `codecs`. @return 0, EINVAL (none is known) */
int ability_codecs(struct ability *ab, const char *list);

/** One m= line of the session */
struct nego_line {
	char *type, *proto, *fmt;
	char *mid;               /* the peer's name for it, NULL: none      */
};

struct nego {
	uint64_t id;             /* of our o= line                          */
	uint64_t version;
	uint64_t hash;           /* of what we last wrote, without o=       */
	bool written;
	struct nego_line *linev; /* the lines both have agreed on           */
	unsigned linec;
	unsigned audio;          /* our line, linec: none                   */
	bool bundled;            /* it is alone in a group (RFC 8843)       */

	/* What numbers mean in packets to us; a number never changes its
	 * meaning during a call (RFC 3264 8.3.2) */
	uint8_t meaning[128];
	uint8_t codec_num[16];   /* index as in codec_table()               */
	uint8_t te_num[16];      /* by the first codec with that clock      */
	uint8_t red_num[NEGO_REDS];

	/* The answer we owe, in the order of the peer's offer */
	uint8_t answer_num[NEGO_CODECS];
	const struct codec *answer_codec[NEGO_CODECS];
	unsigned answer_codecc;
	uint8_t answer_te[NEGO_CLOCKS];
	uint32_t answer_te_hz[NEGO_CLOCKS];
	unsigned answer_tec;
	uint8_t answer_red, answer_cn;   /* 0: none; of the first codec */
	enum media_dir answer_dir;
	unsigned answer_ptime_ms;
	bool answer_mux, answer_rsize, answer_xr;
	bool answer_nack, answer_nack_all;

	/* How packets are protected */
	uint8_t key[MEDIA_SUITES][MEDIA_KEY_MAX];        /* for what we send:
				    by chance, from who makes the call      */
	bool keyed;                      /* they are made                   */
	enum media_keying keying;        /* agreed on                       */
	uint32_t answer_tag;             /* SDES                            */
	const struct media_suite *answer_suite;
	bool dtls_active;
	bool insecure;                   /* refused: it would not be protected */
	struct media_print peer_print;

	/* ICE: by chance, from who makes the call; a letter tells restarts */
	char ice_ufrag[12], ice_pwd[32];
	unsigned ice_turn;               /* restarts                        */
	bool ice_on;                     /* agreed on                       */
	bool ice_mismatch;               /* not, since addresses differ     */
	bool ice_controlling;
	char ice_peer[ICE_UFRAG_MAX];
};

void nego_init(struct nego *n, uint64_t id);
void nego_reset(struct nego *n);                 /* free what it holds */

/**
 * Write an offer. The version rises only when something has changed.
 * @return 0, EINVAL (no codecs), ENOMEM
 */
int nego_offer(struct mbuf **mbp, struct nego *n, const struct ability *ab);

/**
 * Read the peer's offer; of ab the family of rtp counts, not its port.
 * On return plan->codec NULL: it asks for no sound we could give (all lines
 * have port 0, or there is none), which is right too.
 *
 * @param held  the peer wants none of our sound; may be NULL
 *
 * @return 0, or the status to refuse with: 400, 488, 500
 */
int nego_take(struct media_plan *plan, bool *held, struct nego *n,
	      const struct ability *ab, const char *text, size_t len);
/** Write the answer to what nego_take took */
int nego_answer(struct mbuf **mbp, struct nego *n, const struct ability *ab);

/**
 * Read the answer to our offer. @return 0, or a status that says what is
 * wrong: 400 malformed, 488 nothing we could use, 500 no memory
 */
int nego_result(struct media_plan *plan, bool *held, struct nego *n,
		const struct ability *ab, const char *text, size_t len);

/* formats.c: the number under which we receive; NEGO_NONE: there is none left
 * (wish: there is none) */
uint8_t nego_codec_number(struct nego *n, const struct codec *c,
			  unsigned wish);
uint8_t nego_te_number(struct nego *n, uint32_t clock_hz, unsigned wish);
/* What the peer can receive and we can speak, into the plan and the answer.
 * @return false: no codec */
bool nego_take_codecs(struct media_plan *plan, struct nego *n,
		      const struct ability *ab, const struct desc_media *m,
		      bool offer);
/* The same for telephone-event, after the codecs */
void nego_take_events(struct media_plan *plan, struct nego *n,
		      const struct desc_media *m, bool offer);

/* The same for redundancy and comfort noise. A red is of one clock and as many
 * channels as its codec: which one goes with c, NEGO_NONE: none does */
unsigned nego_red_of(const struct codec *c);
uint8_t nego_red_number(struct nego *n, unsigned red, unsigned wish);
void nego_take_extras(struct media_plan *plan, struct nego *n,
		      const struct ability *ab, const struct desc_media *m,
		      bool offer);

/** Is it the same stream? */
bool plan_equal(const struct media_plan *a, const struct media_plan *b);

#endif
