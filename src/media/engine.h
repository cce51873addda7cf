/**
 * @file media/engine.h  The cycle, the device it meets, sounds of the phone
 *
 * Included by priv.h, behind what it needs.  Media thread, but for what says
 * otherwise.
 */
#ifndef OFFHOOK_MEDIA_ENGINE_H
#define OFFHOOK_MEDIA_ENGINE_H

/* The engine (engine.c) ------------------------------------------------- */

/* beyond enum stream_event_type */
enum { POST_DEVICE_LOST = 1000, POST_RINGER_LOST, POST_SOUND_DONE,
       POST_MONITOR_LOST };

/** A sound of the phone itself (local.c) */
struct local {
	int16_t *v;              /* malloc, owned; NULL: none               */
	size_t n, pos;
	uint32_t rate_hz;
	unsigned times;          /* to be heard yet, 0: for ever            */
	unsigned serial;
	struct edge *edge;
};

/** The device that rings, when it is not the loudspeaker; main's, on loan */
struct ringer {
	const struct audio_driver *drv;
	struct audio_dev *dev;   /* NULL: there is none                     */
	uint32_t rate_hz;
	struct timer timer;
};

/** The device that hears the calls as well, on loan like the others */
struct monitor {
	const struct audio_driver *drv;
	struct audio_dev *dev;   /* NULL: there is none                     */
	uint32_t rate_hz;
	bool both;               /* our microphone, too                     */
	struct edge *edge;       /* NULL: it has the engine's rate          */
	struct drift *drift;
	uint64_t played_us;      /* last                                    */
	struct timer timer;
};

/** For main */
struct post {
	struct post *next;
	uint32_t id;             /* of the stream, 0: the device            */
	int type;
	unsigned serial;         /* of what played                          */
	struct stream_event ev;
	char text[128];          /* main's own posts                        */
};
typedef void (engine_post_h)(const struct post *p, void *arg);

/** The media thread writes, main reads: no door */
struct cycles {
	atomic_ullong n;         /* of the tick                             */
	atomic_ullong late;      /* by half a packet time or more           */
	atomic_ullong most_ns;
};

struct engine {
	struct list flows;       /* started                                 */
	struct list rooms;       /* conferences                             */
	struct inbox *inbox;
	int16_t (*scratch)[2][CODEC_FRAME_MAX];  /* to decode into          */
	engine_post_h *post_h;
	void *post_arg;
	struct sniff *sniff;     /* main's, on loan; NULL: nobody looks     */
	struct impair *impair;   /* the same; NULL: all is well             */
	/* the tick: for flows without a device, and devices without a clock */
	struct timer tick;
	unsigned tick_ms;        /* 0: it stands                            */
	uint64_t tick_ns;        /* when the next is due                    */
	struct cycles cycles;
	unsigned tick_flows;     /* driven by it,                           */
	unsigned brief_flows;    /*   with packets of other than 20 ms;     */
	unsigned uneven_flows;   /*   that come unevenly;                   */
	struct flow *tick_flow;  /*   the only one, if it is                */
	unsigned bound_flows;    /* that meet the device                    */
	/* the device: the inner ends only; main's, on loan (engine_device.c) */
	const struct audio_driver *drv;
	struct audio_dev *dev;   /* NULL: none                              */
	struct audio_info info;
	bool bound;              /* some flow meets it                      */
	int wake_fd;
	struct compat_fd wake;
	struct timer watch;
	uint64_t woken_us;       /* last time                               */
	size_t mic_n;            /* samples in this block                   */
	int16_t mic[BLOCK_MAX], spk[BLOCK_MAX];
	int16_t mic_side[BLOCK_MAX];  /* beside mic,                        */
	bool mic_two;            /*   if something was captured on one side */
	int16_t said_side[BLOCK_MAX];    /* of it, as loud as a flow says it */
	int16_t spk_side[BLOCK_MAX];  /* beside spk,                        */
	bool two;                /*   if something in this turn has a side  */
	int16_t edge[2 * BLOCK_MAX];  /* resampled for one flow             */
	int16_t edge_side[BLOCK_MAX];
	int16_t heard[BLOCK_MAX], said[BLOCK_MAX];
	int16_t beep[BLOCK_MAX];
	int16_t side[BLOCK_MAX];     /* of said, when a file has two channels */
	int16_t loud[BLOCK_MAX + 64];  /* heard, at the speaker's volume,    */
	int16_t loud_side[BLOCK_MAX + 64];  /*   and its side                */
	int16_t heard_side[BLOCK_MAX];
	struct local local[MEDIA_OUTS];
	struct ringer ringer;
	struct monitor monitor;
	struct probe *probe;     /* main's, on loan; NULL: nothing is tested */
	struct media_room room;
	struct dsp *dsp;         /* NULL: nothing is to be done             */
	struct dsp *dsp_right;   /* of two channels that are captured, when
				    that is the left one's              */
	bool two_told;           /* what is left out for them               */
	double mic_wait, spk_wait;   /* samples in the rings, on average    */
	struct drift *drift;     /* to the speaker's clock; NULL: no need   */
};

int  engine_alloc(struct engine **ep, engine_post_h *h, void *arg);
/**
 * One step of ms milliseconds at now: with_device for the flows that meet
 * it, else for all others.
 */
void engine_cycle(struct engine *e, bool with_device, unsigned ms,
		  uint64_t now_us);

/** The device or a room changed, and all flows with it: set the tick anew
 *  (tick.c) */
void engine_retime(struct engine *e);

/** The same after what changed one flow alone, at the same cost however many
 *  others there are */
void engine_retime_flow(struct engine *e, struct flow *f);

/* The device as the engine sees it (engine_device.c) -------------------- */

/** A device is attached and moves the engine itself */
bool engine_clocked(const struct engine *e);
/** wake_fd: what the device writes to; not closed here */
int  engine_attach(struct engine *e, const struct audio_driver *drv,
		   struct audio_dev *dev, const struct audio_info *info,
		   int wake_fd);
void engine_detach(struct engine *e);

/** What is to be done with what it captures */
void engine_room(struct engine *e, const struct media_room *room);
/* the steps of a cycle that meet it */
void engine_capture(struct engine *e, unsigned ms);
/** The microphone at the flow's rate: n samples */
const int16_t *engine_mic(struct flow *f, size_t n);
/** What is beside that, NULL: nothing, or the flow does not send it */
const int16_t *engine_mic_side(const struct flow *f);
/** The device plays two channels */
bool engine_has_two(const struct engine *e);
/** side: beside it, NULL: it has none */
void engine_mix(struct flow *f, const int16_t *heard, const int16_t *side,
		size_t n);
void engine_play(struct engine *e);
void engine_delays(const struct engine *e, uint32_t *mic_ms, uint32_t *spk_ms);

/* A second loudspeaker (monitor.c) */
int  monitor_attach(struct engine *e, const struct audio_driver *drv,
		    struct audio_dev *dev, const struct audio_info *info);
void monitor_detach(struct engine *e);
/** Before engine_play(): what the calls gave in this turn */
void monitor_play(struct engine *e);

/* Sounds of the phone itself (local.c) */
void local_clear(struct local *l);
/** Add it to what is to be played: n samples at that rate */
void local_mix(struct engine *e, enum media_out out, int16_t *spk, size_t n,
	       uint32_t rate_hz);
int  ringer_attach(struct engine *e, const struct audio_driver *drv,
		   struct audio_dev *dev, const struct audio_info *info);
void ringer_detach(struct engine *e);
/** Main: it has ended by itself */
void local_done(struct media *m, unsigned serial);

/* Where a flow meets a device of another rate (edge.c) */
int  edge_alloc(struct edge **ep, uint32_t flow_hz, uint32_t dev_hz);
bool edge_fits(const struct edge *e, uint32_t flow_hz, uint32_t dev_hz);
/** mic, at the device's rate, to the flow's. @return samples in v */
size_t edge_in(struct edge *e, int16_t *v, size_t max,
	       const int16_t *mic, size_t n);
/** Samples of the flow go in, what the device is to play comes out */
void   edge_push(struct edge *e, const int16_t *v, size_t n);
/** The same with what is beside them: side NULL, and false: nothing. Of an edge
 *  only these, or only those */
void   edge_push_two(struct edge *e, const int16_t *v, const int16_t *side,
		     size_t n);
bool   edge_pull_two(struct edge *e, int16_t *spk, int16_t *side, size_t n);
size_t edge_ready(const struct edge *e);
void   edge_pull(struct edge *e, int16_t *spk, size_t n);

#endif
