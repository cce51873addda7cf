/**
 * @file media/dtmf.h  Digits as events of telephones (RFC 4733)
 *
 * Included by priv.h, behind what it needs.  Media thread, but for what says
 * otherwise.
 */
#ifndef OFFHOOK_MEDIA_DTMF_H
#define OFFHOOK_MEDIA_DTMF_H

/* Digits (dtmf.c) ------------------------------------------------------- */

enum { DTMF_QUEUE = 256 };

struct dtmf_tx {
	char queue[DTMF_QUEUE];
	bool band[DTMF_QUEUE];   /* in the sound, not as an event           */
	uint16_t on[DTMF_QUEUE]; /* so long, ms                             */
	unsigned head, count;    /* queue[head] is under way when active    */
	uint16_t on_ms;          /* of what is added from now on            */
	uint32_t off_ms;
	uint8_t volume;          /* dBm0 without its sign                   */
	uint32_t clock_hz;
	bool active;             /* a digit sounds                          */
	uint32_t done_ms;        /* of it                                   */
	uint32_t before;         /* clock units in segments that are over   */
	unsigned ends;           /* end packets still to send               */
	uint32_t pause_ms;       /* left                                    */
	bool told;               /* that all are out                        */
	uint64_t sent;           /* digits                                  */
	uint64_t taken;          /* digits and pauses                       */
};

struct dtmf_event {
	uint8_t payload[4];
	bool marker;             /* first packet of a digit                 */
	uint32_t ahead;          /* its ts is so much later from here on    */
	char key;
};

enum dtmf_step {
	DTMF_SOUND,              /* nothing to say: sound goes              */
	DTMF_PACKET,             /* send this one, with the digit's ts      */
	DTMF_FIRST,              /* the same, and ts of now is the digit's  */
	DTMF_TONE,               /* the sound is that of ev->key            */
};

/** volume: dBm0 without its sign, 63 at most (RFC 4733 2.3.3) */
void dtmf_tx_begin(struct dtmf_tx *d, uint32_t on_ms, uint32_t off_ms,
		   unsigned volume);
/** How long digits sound that are added from now on: 40 to 10000 ms */
void dtmf_tx_duration(struct dtmf_tx *d, uint32_t ms);
/** @return 0, EINVAL (nothing queued), ENOSPC (nothing queued) */
int  dtmf_check(const char *digits);
int  dtmf_tx_add(struct dtmf_tx *d, const char *digits);
/** The same as tones in the sound */
int  dtmf_tx_add_band(struct dtmf_tx *d, const char *digits);
/** One packet time passes. *sent: the last digit is out, told once */
enum dtmf_step dtmf_tx_step(struct dtmf_tx *d, uint32_t ms,
			    struct dtmf_event *ev, bool *all_sent);

struct dtmf_digit {
	char digit;
	uint32_t duration_ms;
};

struct dtmf_rx {
	bool active;             /* a digit sounds                          */
	uint8_t event;
	uint32_t ts;             /* its name                                */
	uint16_t duration;       /* clock units of this segment             */
	uint32_t before;         /* of segments before                      */
	uint64_t heard_us;
	uint32_t done[8];        /* time stamps that are over               */
	unsigned done_count, done_pos;
	uint32_t clock_hz;
	uint64_t received;
};

void dtmf_rx_begin(struct dtmf_rx *d, uint32_t clock_hz);
/** A telephone-event came. @return digits that ended with it, 0..2 */
unsigned dtmf_rx_put(struct dtmf_rx *d, uint32_t ts, const uint8_t *p,
		     size_t len, uint64_t now_us, struct dtmf_digit out[2]);
/** Time passes. @return 1 when a digit ended by silence */
unsigned dtmf_rx_poll(struct dtmf_rx *d, uint64_t now_us,
		      struct dtmf_digit *out);

#endif
