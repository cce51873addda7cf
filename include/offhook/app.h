/**
 * @file app.h  Policy that only listens and calls: auto-answer, self-test
 *
 * Subscribers of the event bus that act through ua.h. Not starting one is
 * switching it off. Main thread.
 */
#ifndef OFFHOOK_APP_H
#define OFFHOOK_APP_H

#include "offhook/ua.h"

/* answer.c: auto-answer and listen -------------------------------------- */

enum answer_sound {
	ANSWER_DEVICE = 0,       /* the device's source (-A)                 */
	ANSWER_ECHO, ANSWER_PLAY, ANSWER_TONE,
};

struct answer_rule {
	bool on;
	uint16_t code;           /* 200: answer, else refuse with it         */
	uint64_t after_ms;       /* ring so long first                       */
	uint64_t for_ms;         /* hang up so long after the answer, 0: no  */
	unsigned calls;          /* end after so many finished calls, 0: no  */
	uint64_t until_ms;       /* end after so long, 0: no                 */
	enum answer_sound sound;
	char play[512];
	double tone_hz;
	char record[512];        /* "" none; %n is the call's number         */
};

struct answer;
typedef void (answer_done_h)(void *arg);
/** done_h: calls or until was reached. Free: mem_deref */
int  answer_alloc(struct answer **ap, struct ua *ua, struct event_bus *bus,
		  answer_done_h *done_h, void *arg);
void answer_set(struct answer *a, const struct answer_rule *rule);
const struct answer_rule *answer_get(const struct answer *a);
bool answer_on(const struct answer *a);
/** Exit code of `listen`: first bad ending of a call it took, else 0 */
int  answer_exit(const struct answer *a);
unsigned answer_finished(const struct answer *a);

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
	double similarity;       /* 0..1 spectral envelope correlation       */
};
int  sound_score(struct sound_score *sc, const int16_t *ref, size_t nref,
		 const int16_t *rec, size_t nrec, uint32_t rate_hz);

#endif
