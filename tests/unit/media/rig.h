/**
 * @file rig.h  An engine driven by hand: no thread, no socket, a fake clock
 *
 * Flows send into a network that the test shapes; what they would tell main
 * is kept.  Time moves a millisecond at a time.
 */
#ifndef TEST_MEDIA_RIG_H
#define TEST_MEDIA_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "priv.h"

enum { RIG_FLOWS = 8, RIG_POSTS = 512, RIG_NET = 4096 };

struct rig;

/** @return delay in us, < 0: lost. Of every packet on the way from a flow */
typedef int64_t (rig_net_h)(struct rig *r, unsigned from, bool rtcp,
			    const uint8_t *p, size_t len);

struct rig_packet {
	bool used, rtcp;
	unsigned from, to;
	uint64_t due_us;
	size_t len;
	uint8_t p[1600];
};

struct rig_end {
	struct rig *r;
	unsigned no;
	struct flow *f;
	unsigned to;             /* whom it talks to, RIG_FLOWS: nobody     */
	uint64_t rtp, rtcp;      /* packets sent,                           */
	struct sa dst;           /*   the last of RTP to                    */
	uint8_t last[1600];
	size_t last_len;
	struct tap tap;          /* when the test listens                   */
};

struct rig {
	struct engine *e;
	struct rig_end ends[RIG_FLOWS];
	unsigned count;
	rig_net_h *net_h;
	struct rig_packet *net;
	struct post posts[RIG_POSTS];
	unsigned post_count;
	uint32_t rnd;
};

struct rig *rig_new(void);
void rig_free(struct rig *r);
/** A flow that sends to the rig's flow number to, if there is one */
struct flow *rig_flow(struct rig *r, unsigned to);
struct media_plan rig_plan(const char *codec, unsigned to);
void rig_start(struct rig *r, unsigned no, const struct media_plan *plan);
void rig_run(struct rig *r, unsigned ms);
double rig_rnd(struct rig *r);               /* 0..1 */
/** Where end no sends from */
struct sa rig_addr(unsigned no);
/** Posts of a type for a flow */
unsigned rig_posts(const struct rig *r, unsigned no, int type);
/** Digits told for a flow, in order */
const char *rig_digits(const struct rig *r, unsigned no);
/** Keep what is heard and said from now on, stereo */
void rig_listen(struct rig *r, unsigned no, unsigned seconds);
/** Take the right (heard) or left (said) side. @return samples */
size_t rig_heard(struct rig *r, unsigned no, int16_t *heard, int16_t *said,
		 size_t max);

/** Flows 0 and 1, talking to each other */
struct rig *rig_call(const char *codec);

/* Packets that no flow of ours made: a tone from a clock of its own */
struct pump {
	struct rig *r;
	unsigned to;
	const struct codec *codec;
	struct codec_enc *enc;
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
	double due_us, step_us;
	size_t at;
	struct sa from;
};

void pump_open(struct pump *p, struct rig *r, unsigned to,
	       const char *codec, double ppm);
/** One packet, now */
void pump_send(struct pump *p, uint64_t at_us);
/** Time passes */
void pump_run(struct pump *p, unsigned ms);
/** A rig whose flow 0 hears a pump of PCMU */
struct rig *pumped(struct pump *p, double ppm);
void pump_end(struct pump *p);

/** Level of one frequency, dB of full scale */
double goertzel(const int16_t *v, size_t n, double hz, uint32_t rate_hz);
/** The same as a share (0..1) of all the energy there is */
double purity(const int16_t *v, size_t n, double hz, uint32_t rate_hz);
void sine(int16_t *v, size_t n, size_t at, double hz, uint32_t rate_hz,
	  double amp);

#endif
