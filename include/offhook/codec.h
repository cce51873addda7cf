/**
 * @file codec.h  A frame into bytes and back
 *
 * One const struct per codec; codec_table() is the registry.  State is made
 * for one stream and used on one thread only.  Samples are mono, 16 bit, at
 * the codec's own rate; where there are two channels they are their mean, and
 * beside it lies the side: half of what left has more than right.  A frame is
 * what one packet carries.  Wherever the room given is too small the answer is
 * EOVERFLOW; what is malformed is EINVAL; both leave the state as it was.
 */
#ifndef OFFHOOK_CODEC_H
#define OFFHOOK_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CODEC_PTIME_MAX_MS = 120,
	CODEC_RATE_MAX_HZ  = 48000,
	CODEC_FRAME_MAX    = 5760,    /* samples: 120 ms at 48 kHz          */
	CODEC_BYTES_MAX    = 1460,    /* one packet's payload we would send */
};

/** Settings of one stream, from the options and the peer's fmtp */
struct codec_param {
	unsigned ptime_ms;      /* we send                                  */
	unsigned ptime_max_ms;  /* we may send when the way is narrow, 0: no
				   more                                     */
	int bitrate;            /* bit/s, 0: codec's choice                 */
	int complexity;         /* opus 0..10, -1: codec's choice           */
	bool fec;               /* in-band FEC: we want it; then: both do   */
	bool dtx;               /* send nothing in silence                  */
	bool cbr;               /* constant bit rate                        */
	bool stereo;            /* we may send two channels; then: and the
				   peer wants them                          */
	bool stereo_in;         /* we like to be sent two channels          */
	bool two;               /* dec_alloc: for decode_two, conceal_two   */
	int max_rate_hz;        /* opus maxplaybackrate, 0: none            */
	int loss_pct;           /* what the peer reports                    */
};

struct codec_enc;               /* private to the codec                     */
struct codec_dec;

/**
 * A known answer. With bytes: pcm encodes to exactly those. Without (the
 * bits are the encoder's choice): pcm is one period of a steady sound and
 * min_snr_db holds once the codec has settled.
 */
struct codec_vector {
	const int16_t *pcm;
	size_t samples;
	const uint8_t *bytes;
	size_t len;
	double min_snr_db;      /* decode(encode(x)) against x, aligned     */
};

struct codec {
	const char *name;       /* in options: "pcmu"                       */
	const char *sdp_name;   /* in SDP: "PCMU"                           */
	uint32_t rate_hz;       /* of the samples                           */
	uint32_t clock_hz;      /* of the RTP time stamp (G.722: 8000)      */
	uint8_t  sdp_channels;  /* opus 2, else 1                           */
	int      pt;            /* static payload type or -1                */
	unsigned ptime_min_ms;  /* 0: 10                                    */
	unsigned ptime_max_ms;
	unsigned ptime_step_ms; /* above the least: multiples of this       */
	size_t   delay_samples; /* algorithmic delay of enc+dec             */
	const struct codec_vector *vector;

	/** For codec_ready(); NULL: always */
	bool (*ready)(void);

	/** @return 0, EINVAL, ENOMEM; freed with mem_deref */
	int (*enc_alloc)(struct codec_enc **ep, const struct codec *c,
			 const struct codec_param *prm);
	int (*dec_alloc)(struct codec_dec **dp, const struct codec *c,
			 const struct codec_param *prm);

	/**
	 * One packet from n samples (a packet time codec_ptime() allows).
	 * *len is the room on entry, the bytes made on return; 0 bytes:
	 * nothing to send (DTX).
	 */
	int (*encode)(struct codec_enc *e, uint8_t *buf, size_t *len,
		      const int16_t *v, size_t n);

	/**
	 * The same with a side, of an encoder that was made for stereo; NULL
	 * when the codec sends one channel only. Packets with and without may
	 * follow each other.
	 */
	int (*encode_two)(struct codec_enc *e, uint8_t *buf, size_t *len,
			  const int16_t *v, const int16_t *side, size_t n);

	/** New settings in mid-stream (bitrate, loss); may be NULL */
	int (*tune)(struct codec_enc *e, const struct codec_param *prm);

	/** *n is the room on entry, the samples made on return */
	int (*decode)(struct codec_dec *d, int16_t *v, size_t *n,
		      const uint8_t *buf, size_t len);

	/**
	 * Make up n samples for what was lost. next/nextlen is the packet
	 * after the gap when it is already there (in-band FEC), else NULL.
	 * n is a multiple of 2.5 ms, at most CODEC_FRAME_MAX.
	 * NULL when the codec has none: the caller uses struct plc.
	 */
	int (*conceal)(struct codec_dec *d, int16_t *v, size_t n,
		       const uint8_t *next, size_t nextlen);

	/** Channels in a packet that is not malformed; NULL: always one */
	unsigned (*channels)(const uint8_t *buf, size_t len);

	/** The same as decode and conceal, with the side of it, of a decoder
	 *  that was made for two; NULL where there is only one channel. A
	 *  packet of one channel gets a side of zeros */
	int (*decode_two)(struct codec_dec *d, int16_t *v, int16_t *side,
			  size_t *n, const uint8_t *buf, size_t len);
	int (*conceal_two)(struct codec_dec *d, int16_t *v, int16_t *side,
			   size_t n, const uint8_t *next, size_t nextlen);

	/** Samples in a packet without decoding it, 0: malformed */
	size_t (*samples)(const uint8_t *buf, size_t len);

	/** Our fmtp for an offer/answer, "" when none; may be NULL. prm is
	 *  our own wishes, not what fmtp_parse made of them. */
	void (*fmtp_print)(char *buf, size_t sz,
			   const struct codec_param *prm);
	/**
	 * Read the peer's fmtp (NULL: absent) into prm, which holds our own
	 * wishes on entry and what both agree on after; may be NULL.
	 * @return 0, or EINVAL when it cannot be spoken
	 */
	int (*fmtp_parse)(struct codec_param *prm, const char *fmtp);
};

/** What this build speaks, in default order of preference; NULL ends it */
const struct codec *const *codec_table(void);
const struct codec *codec_find(const char *name);
/** What it needs is there. Asked when it is about to be used: the first time
 *  a library may be loaded for it */
bool codec_ready(const struct codec *c);
/** By rtpmap: name without case, clock rate, channels (0: any) */
const struct codec *codec_find_sdp(const char *name, uint32_t clock_hz,
				   unsigned channels);
const struct codec *codec_find_pt(int pt);      /* static payload types */
/** The packet time nearest below want_ms (0: 20) that the codec can make */
unsigned codec_ptime(const struct codec *c, unsigned want_ms);

/* Concealment for codecs that bring none -------------------------------- */

/**
 * Pitch-repeating concealment in the time domain (in the spirit of G.711
 * Appendix I): keeps the last 25 ms heard, continues the pitch with fade-out,
 * cross-fades back into what comes next. Pure; any rate from 8 to 48 kHz;
 * allocates nothing after plc_alloc; until something is lost plc_good only
 * copies.
 */
struct plc;
int  plc_alloc(struct plc **pp, uint32_t rate_hz);       /* free: mem_deref */
void plc_good(struct plc *p, int16_t *v, size_t n);  /* may edit the start */
void plc_lost(struct plc *p, int16_t *v, size_t n);
/** The last n samples of a gap, when the packet behind it is here: next is
 *  only looked at, and given to plc_good in its turn */
void plc_bridge(struct plc *p, int16_t *v, size_t n, const int16_t *next,
		size_t next_n);

#endif
