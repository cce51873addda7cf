/**
 * @file priv.h  What the files of media share
 *
 * Two halves: stream.c, stream_play.c, device.c and record.c run on main and
 * hold what the user of the module sees; everything from engine.c down runs on
 * the media thread.  They meet in media.c: the door one way, posts the other.
 */
#ifndef OFFHOOK_MEDIA_PRIV_H
#define OFFHOOK_MEDIA_PRIV_H

#include <assert.h>
#include <stdatomic.h>
#include <offhook/clock.h>
#include <offhook/media.h>
#include <offhook/ring.h>
#include <offhook/timer.h>
#include "burst.h"
#include "adapt.h"
#include "band.h"
#include "clip.h"
#include "ear.h"
#include "dsp.h"
#include "follow.h"
#include "impair.h"
#include "jitter.h"
#include "mix.h"
#include "noise.h"
#include "talk.h"
#include "xr.h"

enum {
	BLOCK_MS_MAX = 20,       /* the engine's longest step               */
	BLOCK_MAX    = CODEC_RATE_MAX_HZ / 1000 * BLOCK_MS_MAX, /* samples  */
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Where am I ------------------------------------------------------------ */

enum { THREAD_MAIN = 1, THREAD_MEDIA = 2 };

extern _Thread_local unsigned media_thread;    /* tests are both */

#define assert_main()  assert(media_thread & THREAD_MAIN)
#define assert_media() assert(media_thread & THREAD_MEDIA)

#include "rtp.h"
#include "dtmf.h"

/* Record (record.c): a tap on the media thread, a file on main ---------- */

struct tap {
	struct ring *ring;       /* interleaved when stereo                 */
	enum record_layout layout;
	uint32_t rate_hz;        /* of the file                             */
	struct resampler *in, *out;   /* when the flow has another rate     */
	uint32_t from_hz;
	int16_t *in_v, *out_v;   /* resampled, waiting for the other        */
	size_t in_n, out_n;
	_Atomic uint64_t dropped;     /* frames that found the ring full    */
	bool paused;                  /* what comes now is left out         */
};

void tap_write(struct tap *t, const int16_t *in, const int16_t *out,
	       size_t n, uint32_t rate_hz);
void tap_release(struct tap *t);

/* Receiving (receive.c, playout.c) -------------------------------------- */

enum { RX_CODECS = 9 };

struct rx_codec {
	uint8_t pt;
	const struct codec *codec;
	struct codec_dec *dec;   /* made when first needed                  */
	bool two;                /* it makes two channels                   */
};

/* What is beside what is heard, when two channels come and are wanted */
struct rx_side {
	bool wanted;             /* who hears it has two channels           */
	bool has;                /* the piece under way has one             */
	int16_t (*v)[2][CODEC_FRAME_MAX];   /* to decode into; NULL: none
				    has come yet                            */
	int16_t *left;           /* beside the receiver's left              */
	size_t left_max;
	bool left_has;
};

struct receiver {
	uint32_t rate_hz;        /* of what comes out: the flow's           */
	struct rx_codec codecs[RX_CODECS];
	unsigned codec_count;
	struct codec_param param;
	struct rx_codec *cur;    /* decodes now                             */
	uint32_t clock_hz;       /* of the jitter buffer                    */
	uint32_t dur;            /* clock units in the last packet          */
	struct jitter *jitter;
	struct plc *plc;         /* for a codec without concealment         */
	uint32_t plc_hz;
	struct resampler *resampler;
	uint32_t resampler_hz;   /* its input                               */
	int16_t *left;           /* decoded and not yet taken               */
	size_t left_n, left_at, left_max;
	struct rx_side side;
	int16_t *ahead;          /* the packet behind a gap, decoded        */
	size_t ahead_n, ahead_max;
	struct source source;
	uint32_t probe_ssrc;     /* another source that spoke once          */
	uint16_t probe_seq;
	bool probe;
	struct media_events te[1 + MEDIA_EVENTS_ALSO]; /* telephone-event   */
	unsigned te_count;
	uint8_t red_pt, cn_pt;   /* 0: none                                 */
	struct nack *nack;       /* NULL: the peer does not send again      */
	struct noise noise;      /* of the peer's silence                   */
	struct dtmf_rx dtmf;
	struct level level;
	double peak;             /* mean square, decaying                   */
	bool quiet;              /* what was played last                    */
	bool silent;             /* nothing was due last time               */
	int16_t (*scratch)[2][CODEC_FRAME_MAX];  /* the engine's            */
	double loss;             /* share lost lately                       */
	bool waits;              /* for what is behind gaps                 */
	double run;              /* packets lost in a row, lately           */
	unsigned runs;           /* since it was looked at                  */
	uint16_t seq_last;       /* of the last packet with sound           */
	uint32_t reach;          /* units back is the oldest copy that came
				    with the latest packet                  */
	uint64_t lost_then, all_then, look_us;   /* when it was looked at   */
	uint64_t packets, bytes, discarded, decode_errors, lost_before;
	struct jitter_stats past;  /* of buffers before this one            */
	uint32_t ssrc_changes;
	struct burst burst;      /* how loss is spread                      */
	unsigned min_ms, max_ms; /* how long the buffer may delay           */
	unsigned hold_ms;        /* it must, for what is sent again         */
	uint8_t mark;            /* of the last packet, as struct packet has
				    it                                      */
	uint64_t first_us, last_us;
};

struct flow;

int  receive_start(struct receiver *r, const struct media_plan *plan,
		   const struct media_conf *conf);
/** The limits of its delay are others */
void receive_limit(struct receiver *r, const struct media_conf *mc);
/** At least so long, whatever the options say; 0: as they do */
void receive_hold(struct receiver *r, unsigned ms);
void receive_stop(struct receiver *r);
/** A packet from our peer */
void receive_packet(struct flow *f, const struct rtp *h, uint64_t arrival_us);
bool receive_knows(const struct receiver *r, uint8_t pt);
/** NULL: unknown */
struct rx_codec *receive_codec(struct receiver *r, uint8_t pt);
/** Nothing is listened to for now: what waits is void */
void receive_pause(struct receiver *r);
/** n samples to be heard now (playout.c). side: room for what is beside them,
 *  NULL when nobody hears it. @return whether there is something in it */
bool playout_block(struct receiver *r, int16_t *v, int16_t *side, size_t n,
		   uint64_t now_us);

/* Sending (send.c) ------------------------------------------------------ */

struct sender {
	const struct codec *codec;
	struct codec_enc *enc;
	struct codec_param param;
	uint8_t pt;
	int te_pt;
	size_t frame;            /* samples in a packet                     */
	uint32_t step;           /* clock units in a packet                 */
	unsigned ptime_ms;
	unsigned ptime_next;     /* from the next packet on                 */
	int16_t *part;           /* collected so far, and behind it room for
				    the side of what has two channels       */
	bool sides;              /* some of it has                          */
	size_t part_n;
	uint32_t ssrc;
	uint16_t seq;
	uint32_t ts;             /* of the next packet                      */
	uint32_t te_ts;          /* of the digit under way                  */
	bool marker;             /* the next packet begins a spurt          */
	struct dtmf_tx dtmf;
	struct spare *spare;     /* the packets before, for redundancy; NULL:
				    the peer takes none                     */
	uint8_t red_pt;
	struct vad *vad;         /* NULL: silence is sent like speech       */
	uint8_t cn_pt;
	struct dtmf_band_tx band;
	struct level level;
	uint64_t packets, bytes, errors;
	uint64_t again;          /* sent once more, since it was missed     */
	uint64_t reported;       /* packets at the last report              */
};

void send_init(struct sender *s);
int  send_start(struct sender *s, const struct media_plan *plan);
void send_stop(struct sender *s);
/** Packets of that length from the next one on */
void send_ptime(struct sender *s, unsigned ms);
/** For so long there was nothing to be sent: the time stamps go on */
void send_pause(struct flow *f, uint64_t us);
/** side: beside v (see codec.h), NULL: none */
void send_block(struct flow *f, const int16_t *v, const int16_t *side,
		size_t n);

/* A flow: the media thread's half of a stream (flow.c) ------------------ */

struct play {                    /* samples at the flow's rate              */
	int16_t *v;              /* malloc, owned; NULL: nothing plays      */
	int16_t *side;           /* within it; NULL: it has one channel     */
	size_t n, pos;
	uint64_t played;
	bool loop;
	bool mix;                /* with the source, not in place of it     */
	unsigned serial;         /* so that main knows which one ended      */
};

struct engine;
struct edge;

struct beep {
	uint32_t every_ms;       /* 0: none                                 */
	size_t at;               /* samples since the last began            */
	struct tone tone;
	bool sounds;             /* in this turn                            */
};

/** What gives a flow its turns */
enum {
	DRIVEN_DEVICE = 1 << 0,  /* it meets the device                     */
	DRIVEN_TICK   = 1 << 1,
	DRIVEN_BRIEF  = 1 << 2,  /* and its packets are not of 20 ms        */
	DRIVEN_UNEVEN = 1 << 3,  /* or come unevenly                        */
};

struct flow {
	struct le le;
	struct engine *eng;
	uint32_t id;
	bool started;
	bool device;             /* may meet it                             */
	uint8_t driven;          /* DRIVEN_*, as counted (tick.c)           */
	struct media_plan plan;
	atomic_bool vouched;     /* main: its peer wants packets; read by the
				    next cycle                              */
	uint32_t rate_hz;
	struct dtls_id *dtls_id; /* main's, on loan                         */
	uint64_t keep_packets, keep_us;  /* keep.c                          */
	struct transport tp;
	struct sender tx;
	struct receiver rx;
	struct report rtcp;
	struct adapt adapt;
	enum stream_source source;
	struct tone tone;
	double tone_hz;
	struct play play;
	struct tap *tap;         /* main's, on loan                         */
	struct ear *ear;         /* NULL: nobody expects anything           */
	struct callprog *prog;   /* NULL: no tones are looked for           */
	struct beep beep;        /* says that it is recorded                */
	struct clip clip;        /* what we say is cut                      */
	bool muted;
	struct talk *talk;       /* NULL: nobody asks who talks meanwhile   */
	struct edge *edge;       /* where it meets a device of another rate */
	struct member *member;   /* of a conference, NULL: alone            */
	struct gain mic_gain;    /* of what the device captured             */
	struct gain spk_gain;    /* of what it plays                        */
	struct pan pan;        /* where, if that has two channels         */
	struct meter meter_in, meter_out;
	struct dtmf_band_rx band;
	bool band_wanted;        /* keys in the sound are looked for        */
	uint32_t timeout_ms;
	uint64_t listen_us;      /* since when something should come        */
	uint64_t rtcp_look_us;   /* when RTCP was read                      */
	bool timed_out, flowing;
	bool uneven;             /* its packets come so                     */
	uint64_t uneven_look_us; /* when that was looked at                 */
	bool aligned;            /* the tick was put behind its packets     */
	struct follow follow;    /* ... and is kept there                   */
};

/** Any thread: the engine does not know it yet. mc NULL: no sockets */
int  flow_alloc(struct flow **fp, uint32_t id, const struct stream_conf *sc,
		const struct media_conf *mc);
void flow_attach(struct flow *f, struct engine *e);
int  flow_start(struct flow *f, const struct media_plan *plan,
		const struct media_conf *conf);
void flow_close(struct flow *f);         /* BYE, detach; then mem_deref */
void flow_set_source(struct flow *f, enum stream_source src, double hz);
/** Takes over play->v; the one before is freed, untold (flow_sound.c) */
void flow_play(struct flow *f, const struct play *play);
void flow_play_stop(struct flow *f);
/** n samples of it, if it sounds now (tap.c). @return false: it does not */
bool beep_take(struct flow *f, int16_t *v, size_t n);
/** Whether it meets the engine's device now */
bool flow_meets(const struct flow *f);
/** Whether that device's clock drives it: also when only another one of its
 *  conference meets it */
bool flow_bound(const struct flow *f);
/** flow_stats.c */
void flow_stats(const struct flow *f, struct stream_stats *st);

/* the steps of a cycle, in their order (flow_packet.c, flow_sound.c) */
void flow_drain(struct flow *f, uint64_t now_us);
void flow_packet(struct flow *f, struct packet *p);
/** One came to another socket of ours, as it is on the wire */
void flow_arrived(struct flow *f, struct packet *p);
/** side, @return: as playout_block() has it */
bool flow_hear(struct flow *f, int16_t *v, int16_t *side, size_t n,
	       uint64_t now_us);
/** A valid packet came from there */
void flow_prove(struct flow *f, const struct sa *from);
/** Keep a NAT open while nothing is said (keep.c) */
void flow_keep_open(struct flow *f, uint64_t now_us);
/** ICE has found one: the peer is there */
void flow_prove_way(struct flow *f);
/** May what we say go out now? */
bool flow_speaks(const struct flow *f);
/** mic_side: beside mic, NULL: nothing; others: the rest of its conference,
 *  NULL: it is alone */
void flow_say(struct flow *f, const int16_t *heard, const int16_t *mic,
	      const int16_t *mic_side, const int16_t *others, int16_t *v,
	      size_t n);
void flow_tend(struct flow *f, uint64_t now_us);
void flow_post(struct flow *f, const struct stream_event *ev);

/* Protection of a flow (flow_secure.c) */
/** As negotiated from now on, before f->plan is the new one. @return 0,
 *  ENOMEM, ENOSYS: this library does not know the suite */
int  flow_secure(struct flow *f, const struct media_plan *plan);
/** May it speak and hear: nothing protects it, or there are keys? */
bool flow_keyed(const struct flow *f);
/** Take the protection off, in place. @return false: drop it */
bool flow_open(struct flow *f, bool rtcp, struct packet *p);
/** A DTLS record came, to that port */
void flow_secure_packet(struct flow *f, bool rtcp, const struct packet *p);
/** Time passes */
void flow_secure_tend(struct flow *f, uint64_t now_us);
void flow_secure_end(struct flow *f);
void flow_secure_stats(const struct flow *f, struct stream_stats *st);

/* RTCP of a flow (flow_report.c) */
void flow_report_packet(struct flow *f, struct packet *p);
void flow_report_send(struct flow *f, uint64_t now_us, bool bye);
/** Ask for what is missing, and see to it that it is waited for */
void flow_report_nack(struct flow *f, uint64_t now_us);
/** The encoder is new: it is set to what is known of the way */
void flow_adapt(struct flow *f);

/* Conferences (room.c) -------------------------------------------------- */

struct room;

/** Into the conference of that number, made when it is the first; 0: out of
 *  the one it is in. @return 0, ENOMEM */
int  room_join(struct flow *f, unsigned no);
void room_gain(struct flow *f, double db);
/** Does the device drive one of its members, and so all? */
bool room_bound(const struct member *m);
/** A turn: what its members have heard, */
void room_begin(struct room *r, unsigned ms);
void room_heard(struct member *m, const int16_t *v, const int16_t *side,
		size_t n);
/** and what one of them hears of the others: n samples at its flow's rate */
const int16_t *room_others(struct member *m, size_t n);
/** What it has heard itself, and beside it; NULL: nothing */
const int16_t *room_own(const struct member *m);
const int16_t *room_own_side(const struct member *m);

#include "engine.h"

/* Main's half ----------------------------------------------------------- */

struct link;
struct record;
struct device;

struct media {
	struct media_conf conf;
	struct hash *streams;        /* by id                               */
	struct list wanting;         /* those that want the device, by id   */
	uint32_t id_last;
	int stamps;                  /* see stamps_keep; -1: no call yet    */
	struct device *dev, *ring, *monitor;
	struct worker *worker;       /* opens and closes devices; when needed */
	struct link *link;           /* the door and the way back           */
	struct engine *eng;          /* media thread's                      */
	struct sniff *sniff;         /* NULL: nobody looks at packets       */
	struct timer sniff_tmr;
	media_packet_h *sniff_h;
	void *sniff_arg;
	struct dtls_id *dtls_id;     /* NULL: nobody has asked yet          */
	struct probe *probe;         /* of the device; NULL: none            */
	unsigned sound_serial;
	unsigned sounds[MEDIA_OUTS]; /* serial of what is heard, 0: nothing */
};

/** Leave something for main; any thread. Copied */
void media_post(struct media *m, const struct post *p);
/** A stream came, went or wants something else: open or leave the device */
void media_look(struct media *m);

struct stream {
	struct le le;
	struct le wle;               /* media->wanting                      */
	struct media *m;
	uint32_t id;
	struct flow *flow;           /* once attached: media thread's       */
	bool attached;
	bool started;
	stream_event_h *h;
	void *arg;
	struct sa local;
	uint32_t ssrc;
	int te_send;
	uint32_t rate_hz;            /* 0: not known yet                    */
	uint32_t expect_hz;          /* what it may be; 0: nobody knows     */
	bool device;
	enum stream_source source;
	int16_t *play_v;             /* as given, while it plays            */
	int16_t *play_side;          /* within it; NULL: none               */
	size_t play_n;
	uint32_t play_hz;
	bool play_loop, playing;
	unsigned play_serial;
	struct record *rec;
	unsigned conference;     /* 0: none                                 */
	double part_db, mic_db, speaker_db;
	int place;                   /* from left, -100, to right           */
	bool play_mix;
	uint32_t beep_ms;
};

/** Run on the media thread when it knows the stream, else here */
void stream_run(struct stream *s, media_fn *fn, void *arg);
/* stream_nat.c. @return 0, ENOMEM */
int  stream_nat_open(struct stream *s, const struct media_nat *conf);
/** On main: what the flow, or a recording, has left for us */
void stream_handle(struct stream *s, const struct post *p);
bool stream_wants_device(const struct stream *s);

/* what it plays (stream_play.c) */
/** What its flow is to play, at the stream's rate; p->v: free().
 *  @return 0, EINVAL, ENOMEM */
int  play_make(struct play *p, const struct stream *s);
/** Media thread: the flow plays p from now on, or where it was when it is the
 *  same with another rate. Takes p->v over */
void play_take_over(struct flow *f, struct play *p);

int  record_start(struct record **rp, struct stream *s, const char *path,
		  enum record_layout layout, char *err, size_t errsz);
/** The stream's rate is known: the file gets it if it is still empty */
void record_rate(struct record *r, uint32_t rate_hz);
void record_pause(struct record *r, bool pause);
/** Write the rest and close. With tell by STREAM_RECORD_DONE */
void record_end(struct record *r, int err, bool tell);

enum device_kind {
	DEVICE_TALK,             /* microphone and loudspeaker              */
	DEVICE_RING,             /* these only play                         */
	DEVICE_MONITOR,
};

int  device_alloc(struct device **dp, struct media *m, enum device_kind kind,
		  media_device_h *h, void *arg);
const struct audio_spec *device_spec(const struct device *d);
int  device_set(struct device *d, const struct audio_spec *spec,
		char *err, size_t errsz);
int  device_list(struct device *d, media_list_h *h, media_list_done_h *done,
		 void *arg);
/** @return 0: it is open; EAGAIN: it may yet be; ENODEV */
int  device_ready(const struct device *d, struct audio_info *info);
/** How many channels it plays, or will when it is opened */
unsigned device_channels(const struct device *d);
/** Before the worker ends: what drivers keep between devices is let go */
void device_rest(struct media *m);
/** It takes its time to open */
bool device_slow(const struct device *d);
/** Streams that want it came or went; rate_hz: of the latest */
void device_want(struct device *d, bool wanted, uint32_t rate_hz);
/** The engine has lost it */
void device_lost(struct device *d);

#endif
