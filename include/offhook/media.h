/**
 * @file media.h  The media engine: streams of RTP, mixed with a device
 *
 * One media thread owns RTP sockets, jitter buffers, codecs, the mixer and
 * the inner ends of the device's rings.  The functions below are called on
 * main; each goes through the one door (media_run) and is done when it
 * returns; the media thread never waits for anyone, so that is safe.  What
 * happens is told by value through the handlers, on main.
 *
 * The device is the clock: one 10 ms block in, one out.  A stream that meets
 * no device (echo, file, tone, silence) is driven once a packet time, all of
 * them from one timer; sockets are read then, not through the poll, and
 * arrival times are the kernel's.
 */
#ifndef OFFHOOK_MEDIA_H
#define OFFHOOK_MEDIA_H

#include "offhook/audio.h"
#include "offhook/codec.h"
#include "offhook/compat.h"
#include "offhook/media_nat.h"
#include "offhook/media_secure.h"

struct media;
struct stream;

/** The microphone is turned down while they speak: never, where an echo is left
 *  that the canceller cannot take away, always. As option echo-limiter */
enum media_limiter { MEDIA_LIMIT_OFF, MEDIA_LIMIT_AUTO, MEDIA_LIMIT_ON };

/** Rows of the table in cancel.c, as the option echo-canceller has them */
enum media_canceller {
	MEDIA_CANCEL_SPEEX,
	MEDIA_CANCEL_NONE,
	MEDIA_CANCELLERS
};

/** What is done to what a real microphone captures */
struct media_room {
	bool echo;               /* what the loudspeaker plays comes not back */
	enum media_canceller canceller;  /* ... by which                     */
	bool noise;              /* steady noise is suppressed               */
	bool agc;                /* quiet speech is made louder, with a limit */
	bool high_pass;          /* rumble and hum are taken away            */
	enum media_limiter limiter;      /* takes the canceller's place when
				    that is off, and stands behind it    */
};

/** How well that goes */
struct media_room_figures {
	bool running;            /* there is a sound device, and some is on  */
	double erle_db;          /* echo taken away; NAN: nothing is known   */
	double noise_dbfs;       /* of the room, while nobody speaks: as it is
				    captured, below 90 Hz apart; NAN         */
	double noise_less_db;    /* so much less of it is sent: measured;
				    NAN: nothing suppresses it               */
	unsigned delay_ms;       /* from the mixer to the mixer, by the
				    device's buffers                         */
	uint64_t slips;          /* times that had changed                   */
	bool agc;
	int agc_db;              /* what it adds now                         */
	bool limited;            /* the limiter has something to do          */
};

struct media_conf {
	struct media_room room;
	uint16_t port_min, port_max;     /* of RTP; even ports are used      */
	uint8_t dscp;                    /* of RTP and RTCP                  */
	unsigned latency_ms;             /* PortAudio's suggested latency    */
	bool two_mics;                   /* both channels of a microphone that
					    has two are captured            */
	unsigned channels;               /* that are heard: 1, 2; 0: two of a
					    sound card that has them         */
	uint32_t pipe_rate_hz;
	bool monitor_both;               /* it hears the microphone, too     */
	unsigned jitter_min_ms, jitter_max_ms;  /* playout delay's limits    */
};

enum media_device_state {
	MEDIA_DEV_NONE,      /* null by choice                               */
	MEDIA_DEV_OPENING,
	MEDIA_DEV_OPEN,
	MEDIA_DEV_LOST,      /* null stands in until it comes back           */
	MEDIA_DEV_BROKEN,    /* what it keeps on disk has broken off         */
};

/** What happened to the device; strings live during the call */
struct media_device_event {
	enum media_device_state state;
	const char *role;                /* "mic", "speaker", "sound" (both),
					    "ring", "monitor"                */
	const char *name;
	const char *text;                /* one sentence for the user        */
};
typedef void (media_device_h)(const struct media_device_event *ev, void *arg);

/**
 * Start the engine and its thread. @return 0 or errno. Free: mem_deref, on
 * main, inside or outside the loop; streams must be closed before.
 */
int  media_alloc(struct media **mp, const struct media_conf *conf,
		 media_device_h *h, void *arg);
/** Other settings: of the room and the jitter buffer at once, the others for
 *  what is opened from now on */
void media_configure(struct media *m, const struct media_conf *conf);
void media_room_look(struct media *m, struct media_room_figures *f);

/**
 * Choose the source and sink of sound. Nothing is opened until a stream
 * needs it. "auto" takes PortAudio's default and, when there is none, null
 * with one line said. Files are checked here. err: 256 bytes.
 */
int  media_set_audio(struct media *m, const struct audio_spec *spec,
		     char *err, size_t errsz);
enum media_role {
	MEDIA_ROLE_MIC,
	MEDIA_ROLE_SPEAKER,
	MEDIA_ROLE_RING,
	MEDIA_ROLE_MONITOR,      /* hears the calls as well                  */
	MEDIA_ROLES
};
/**
 * Take another device of the sound card by a part of its name, also while
 * calls run; "": the default one (it rings where it is heard, and there is no
 * monitor). What cannot be
 * opened is told by the handler, and null stands in. err: 256 bytes.
 * @return 0, EINVAL, ENOTSUP (sound is not the card's)
 */
int  media_set_device(struct media *m, enum media_role role, const char *name,
		      char *err, size_t errsz);
/** How many channels are heard, or will be when the device is opened */
unsigned media_channels(const struct media *m);
/** The name that was asked for, "" the default */
const char *media_device(const struct media *m, enum media_role role);
/** Fetch the list of devices (worker thread); h called per device on main,
 *  done last (err != 0: no list) */
struct media_listed {
	const char *driver;
	struct audio_listed dev;         /* latency: as it is now, when open */
	bool mic, speaker, ring, monitor;    /* it is what is chosen for that */
	bool open;                       /* and in use just now              */
};
typedef void (media_list_h)(const struct media_listed *ml, void *arg);
typedef void (media_list_done_h)(int err, void *arg);
int  media_list_devices(struct media *m, media_list_h *h,
			media_list_done_h *done, void *arg);

/* Testing the device (probe.c) ------------------------------------------- */

struct media_probe_conf {
	double hz, dbfs;         /* of the tone                              */
	bool mute;               /* play nothing: only listen                */
};

/** How it goes; levels since the last look, NAN: nothing was measured */
struct media_probe_look {
	int err;                 /* 0: it is open, EAGAIN: not yet, ENODEV   */
	struct audio_info dev;   /* what is open                             */
	unsigned ms;             /* of the microphone, so far                */
	double mic_dbfs, mic_peak_dbfs, speaker_dbfs;
	uint32_t clipped;        /* samples of the microphone at the limit   */
};

/** NAN: not known, or not heard */
struct media_probe_result {
	bool alive;              /* the microphone gave more than zeros      */
	uint32_t clipped;
	double noise_dbfs;       /* at the microphone, while nothing plays   */
	double tone_dbfs;        /* the tone there,                          */
	double loop_db;          /*   against what was played                */
	double loop_ms;          /* from the mixer to the room and back      */
};

/** The least it takes until all is measured */
enum { MEDIA_PROBE_MS = 2200 };

/**
 * Play a sweep and then a tone into the loudspeaker, from when the device is
 * open, and measure what the microphone makes of it; beside calls, if there
 * are any. Opens the device. @return 0, EALREADY, EINVAL, ENOMEM
 */
int  media_probe(struct media *m, const struct media_probe_conf *conf);
/** @return 0, ENOTCONN: nothing is tested */
int  media_probe_look(struct media *m, struct media_probe_look *l);
/** End it. r may be NULL */
void media_probe_end(struct media *m, struct media_probe_result *r);

/** Fingerprint of the certificate that this run shows to peers (DTLS-SRTP);
 *  the first one makes it, in about a millisecond. @return 0, ENOMEM, EPROTO */
int  media_print(struct media *m, struct media_print *print);

/** Where a sound of the phone itself is heard */
enum media_out {
	MEDIA_SPEAKER,           /* in the ear, beside the calls             */
	MEDIA_RING,              /* in the room                              */
	MEDIA_OUTS
};

/**
 * Play samples (rate a multiple of 100 Hz from 8000 up) that often, 0: again
 * and again, in place of what is heard there now; they are copied. Opens the
 * sound device when it must; without one it is quiet. @return 0, EINVAL,
 * ENOMEM
 */
int  media_sound(struct media *m, enum media_out out, const int16_t *v,
		 size_t n, uint32_t rate_hz, unsigned times);
void media_hush(struct media *m, enum media_out out);

/** fn(arg) on the media thread, returns when done; main only. The door. */
typedef void (media_fn)(void *arg);
void media_run(struct media *m, media_fn *fn, void *arg);

/* Streams ------------------------------------------------------------- */

enum media_dir {                 /* bits, from our point of view */
	MEDIA_INACTIVE = 0,
	MEDIA_RECVONLY = 1,
	MEDIA_SENDONLY = 2,
	MEDIA_SENDRECV = 3,
};
const char *media_dir_name(enum media_dir dir);

enum { MEDIA_EVENTS_ALSO = 3 };

/** A telephone-event that may come */
struct media_events {
	uint8_t pt;
	uint32_t clock_hz;
};

/** What was negotiated, by value; ua/negotiate.c makes it */
struct media_plan {
	const struct codec *codec;       /* NULL: no stream                  */
	struct codec_param param;        /* for our encoder                  */
	uint8_t pt_send;                 /* the peer's number for it         */
	uint8_t pt_recv;                 /* ours                             */
	int te_send, te_recv;            /* telephone-event PT, -1: none     */
	uint32_t te_clock_hz;            /* its clock                        */
	struct media_events te_also[MEDIA_EVENTS_ALSO]; /* at other clocks   */
	unsigned te_also_count;
	uint8_t also_recv[8];            /* other PTs we answered with,      */
	const struct codec *also_codec[8]; /* decoded when they come         */
	unsigned also_count;
	/* payload types, 0: none (that number is PCMU's for good) */
	uint8_t red_send, red_recv;      /* redundancy (RFC 2198)            */
	uint8_t cn_send, cn_recv;        /* comfort noise (RFC 3389); send:
					    nothing else goes out in silence */
	enum media_dir dir;
	struct sa rtp, rtcp;             /* where to send; rtcp unset: none  */
	bool rtcp_mux;
	bool rtcp_rsize;                 /* reports may be short (RFC 5506)  */
	bool xr;                         /* it wants extended reports        */
	bool nack;                       /* what is lost is asked for, and sent
					    again, both ways (RFC 4585)      */
	/** Nobody has confirmed that the peer is there and wants this (a
	 *  stranger's INVITE may name anybody): nothing is sent until a valid
	 *  packet has come from rtp or rtcp, or a plan without this */
	bool unproven;
	struct media_secure secure;
	struct media_ice ice;
	char cname[64];
};

enum stream_event_type {
	STREAM_FIRST_PACKET,     /* media flows                              */
	STREAM_TIMEOUT,          /* nothing came for timeout_ms, though both
				    sides may speak and the peer does not
				    say (RTCP RR) that it sends nothing      */
	STREAM_RESUMED,          /* it came back after a timeout             */
	STREAM_DTMF,             /* a digit ended                            */
	STREAM_DTMF_SENT,        /* all digits given so far are out          */
	STREAM_PLAY_DONE,        /* file ended or was stopped                */
	STREAM_RECORD_DONE,      /* file closed; err: why early              */
	STREAM_REMOTE_BYE,       /* RTCP BYE                                 */
	STREAM_MOVED,            /* its packets come from elsewhere, in mid-
				    stream: from, was                        */
	STREAM_CLIPPED,          /* the microphone is too loud: what we say is
				    cut                                      */
	STREAM_SECURED,          /* DTLS has keys: suite                     */
	STREAM_INSECURE,         /* it will have none; text says why         */
	STREAM_GATHERED,         /* see stream_gathered                      */
	STREAM_WAY,              /* ICE has chosen one; text says which      */
	STREAM_NO_WAY,           /* ICE found none, or lost it; text         */
	STREAM_TONE,             /* a tone of the network: tone              */
	STREAM_FAULT,            /* media_impair did something to a packet   */
	STREAM_TALK,             /* muted, and the microphone hears a voice:
				    talks; or none for five seconds          */
};

struct stream_event {
	enum stream_event_type type;
	char digit;              /* DTMF                                     */
	bool band;               /* DTMF: heard in the sound, no event       */
	unsigned duration_ms;    /* DTMF, play, record                       */
	unsigned count;          /* DTMF_SENT: characters given to
				    stream_dtmf since it was opened, all out */
	int err;                 /* 0 or errno                               */
	bool stopped;            /* play, record: on request                 */
	const struct media_suite *suite;
	const char *tone;        /* TONE: dial, ringback, busy, congestion,
				    sit, fax; it lives for ever              */
	bool relayed;            /* WAY: by our relay                        */
	struct {
		const char *name;    /* drop, reorder, duplicate, corrupt;
					it lives for ever                    */
		bool out, rtcp;
		int seq;             /* of RTP, -1: none                     */
		unsigned untold;     /* before it, of all streams: there were
					too many to tell                     */
		struct sa remote;    /* it comes from or goes to             */
	} fault;                 /* FAULT                                    */
	bool talks;              /* TALK                                     */
	struct sa from, was;     /* MOVED                                    */
	const char *text;        /* sentence for err, "" if none             */
};
typedef void (stream_event_h)(const struct stream_event *ev, void *arg);

struct stream_conf {
	struct sa local;                 /* address to bind; port ignored    */
	bool device;                     /* meets the device by default      */
	bool fixed_peer;                 /* no symmetric RTP: hear only the
					    host that was named, and send
					    to the address that was named   */
	unsigned timeout_ms;             /* RTP timeout, 0: none             */
	uint32_t dtmf_ms, dtmf_pause_ms;
	unsigned dtmf_volume;            /* of events: dBm0 without its sign */
	const struct media_nat *nat;     /* servers to ask, ICE; NULL: none;
					    STREAM_GATHERED follows         */
};

/**
 * Open RTP and RTCP sockets on an even/odd pair. @return 0, EADDRINUSE (no
 * free pair in the range), EMFILE ..., ENOMEM. Handlers come on main until
 * stream_close.
 */
int  stream_open(struct stream **sp, struct media *m,
		 const struct stream_conf *conf,
		 stream_event_h *h, void *arg);
const struct sa *stream_local(const struct stream *s);   /* RTP address */
/** Another local address, with ports of its own: packets leave from there and
 *  are awaited there from now on. @return 0, EADDRINUSE, EADDRNOTAVAIL ...:
 *  nothing has changed */
int  stream_move(struct stream *s, const struct sa *local);
uint32_t stream_ssrc(const struct stream *s);
/** What gathering has brought so far */
void stream_gathered(struct stream *s, struct media_gathered *g);
/** The ways that ICE looks at, now. @return 0, ENOENT: it does not run */
int  stream_ways(struct stream *s, struct media_ways *w);
/** After stream_move: its servers, and the router (NULL: none), are asked
 *  anew; STREAM_GATHERED follows. basev: the addresses that ICE may use now,
 *  as in struct media_nat. @return false: there are no servers, and it does
 *  not follow */
bool stream_regather(struct stream *s, const struct sa *gateway,
		     const struct sa *basev, unsigned basec);
/** Does its sound leave from its own address, by the relay, or from one of
 *  these? */
bool stream_based(struct stream *s, const struct sa *basev, unsigned basec);

/** It is about to begin with sound of this rate or less: if it will want a
 *  device that takes its time to open, that is opened already */
void stream_expect(struct stream *s, uint32_t rate_hz);
/** Begin, or change what runs: codec, address, direction. */
int  stream_start(struct stream *s, const struct media_plan *plan);
/** Its plan is unproven no longer: whoever waits there wants our packets.
 *  Does not wait for the media thread */
void stream_prove(struct stream *s);
/** Sends RTCP BYE, closes the files, frees everything; no event follows */
void stream_close(struct stream *s);

enum stream_source {
	SOURCE_DEVICE,           /* mic; silence when there is none          */
	SOURCE_SILENCE,
	SOURCE_ECHO,             /* what was received goes back              */
	SOURCE_TONE,
};
/** What we send when no file plays. DEVICE also plays what is received.
 *  @return 0 or EINVAL (a tone nobody hears) */
int  stream_set_source(struct stream *s, enum stream_source src, double hz);
enum stream_source stream_source(const struct stream *s);

/**
 * Play samples (any rate, resampled on main before they cross) in place of
 * the source; they begin when media flows and end with STREAM_PLAY_DONE. The
 * samples are copied. @return 0, EALREADY when one plays
 */
int  stream_play(struct stream *s, const int16_t *v, size_t n,
		 uint32_t rate_hz, bool loop);
/** The same with a side (sound_read_two), which a peer that takes stereo
 *  hears; NULL: none */
int  stream_play_two(struct stream *s, const int16_t *v, const int16_t *side,
		     size_t n, uint32_t rate_hz, bool loop);
void stream_play_stop(struct stream *s);

/** STEREO: we on the left, the peer on the right, both its channels in one */
enum record_layout { RECORD_STEREO, RECORD_MIXED, RECORD_THEM, RECORD_YOU };
/** Write a file, its form by its name (sound_open_write); what fails later is
 *  told by STREAM_RECORD_DONE */
int  stream_record(struct stream *s, const char *path,
		   enum record_layout layout, char *err, size_t errsz);
void stream_record_stop(struct stream *s);
/** Leave out what comes from now on, or go on */
void stream_record_pause(struct stream *s, bool pause);
/** While it is recorded both sides hear a short beep that often; 0: none */
void stream_beep(struct stream *s, uint32_t every_ms);
/** What plays from now on is mixed with the source, not in place of it */
void stream_play_mix(struct stream *s, bool mix);
bool stream_recording(const struct stream *s);
bool stream_playing(const struct stream *s);

void stream_mute(struct stream *s, bool mute);    /* send silence */

/**
 * Into the conference of that number (any but 0), made by its first member
 * and gone with its last: each member's peer hears all others and us, never
 * itself, at whatever rate it has. 0: alone again. @return 0, ENOMEM
 */
int  stream_conference(struct stream *s, unsigned no);
/** How loud its peer is for the others of its conference, dB; below -60: they
 *  do not hear it */
void stream_part(struct stream *s, double db);
/** How loud the microphone goes to it and it comes to the loudspeaker, dB,
 *  -60 to 30 */
void stream_gain(struct stream *s, double mic_db, double speaker_db);
/** Where it is heard when the loudspeaker has two channels: -100 at the very
 *  left, 0 in the middle, 100 at the very right */
void stream_place(struct stream *s, int percent);

/** How loud it was since the last look; known: something was measured */
struct stream_level {
	bool known;
	double in_dbfs, out_dbfs;        /* root mean square                 */
	double in_peak_dbfs, out_peak_dbfs;
	uint32_t in_clipped, out_clipped;    /* samples at the limit         */
};
/** Of n streams, through the door once. Measuring begins with the first look
 *  and ends when nobody looks for 3 s */
void media_levels(struct media *m, struct stream *const *sv,
		  struct stream_level *lv, size_t n);

/**
 * Queue digits 0-9 * # A-D (lower case too), '!' (the hook), ',' and 'w'
 * pauses (1 s, 500 ms). By telephone-event (RFC 4733). @return 0, EINVAL (a wrong
 * character), ENOTSUP (the peer takes none), ENOSPC (over 256 waiting)
 */
int  stream_dtmf(struct stream *s, const char *digits);
/** The same as tones in the sound; a hook ('!') cannot be. @return as above */
int  stream_dtmf_band(struct stream *s, const char *digits);
/** How long the digits sound that are queued from now on: 40 to 10000 ms */
void stream_dtmf_duration(struct stream *s, uint32_t ms);
/** Look for keys in what is heard too (ITU-T Q.24) */
void stream_dtmf_listen(struct stream *s, bool on);

/** Tell by STREAM_TONE which tones of a network are heard, while on.
 *  @return 0, ENOMEM */
int  stream_tones(struct stream *s, bool on);

/** Tell by STREAM_TALK whether somebody talks into the microphone while it is
 *  muted, while on; each time anew. @return 0, ENOMEM */
int  stream_talk(struct stream *s, bool on);

/** What there was to be heard since stream_listen, in steps of 20 ms */
struct stream_heard {
	uint32_t tone_ms;            /* the tone, up to now without a break  */
	uint32_t quiet_ms;           /* silence, the same                    */
	uint32_t loud_ms;            /* sound, all together                  */
	uint32_t all_ms;
	double level_dbfs;           /* of the last step                     */
	double tone_share;           /* of its energy, 0 to 1                */
};
/** Begin to listen, for a tone of hz (0: none) and for sound; on: false ends
 *  it. @return 0, ENOMEM */
int  stream_listen(struct stream *s, bool on, double hz);
/** @return 0, ENOTCONN: nobody listens */
int  stream_heard(struct stream *s, struct stream_heard *h);

/* A bad network, on purpose ---------------------------------------------- */

/** What becomes of packets; shares in per cent */
struct media_fault {
	double loss_pct;
	double burst;                /* mean length of losses in a row, 1    */
	unsigned delay_ms, jitter_ms;
	double reorder_pct, duplicate_pct, corrupt_pct;
};
struct media_fault_count {
	uint64_t packets, lost, reordered, duplicated, corrupted;
};
/** All streams from now on; NULL: that way is well. The same seed, the same
 *  faults; each but delays is told by STREAM_FAULT, 50 a second at most.
 *  @return 0, ENOMEM */
int  media_impair(struct media *m, const struct media_fault *in,
		  const struct media_fault *out, uint64_t seed);
/** What has been done so far: in, out */
void media_impaired(struct media *m, struct media_fault_count count[2]);

/* Packets, for a capture ------------------------------------------------- */

struct media_packet {
	uint64_t time_us;            /* wall clock                           */
	bool tx, rtcp;
	struct sa local, peer;
	const uint8_t *p;            /* from the header of RTP or RTCP on    */
	size_t len;
};
typedef void (media_packet_h)(const struct media_packet *mp, void *arg);
/**
 * Tell, on main, of every packet that is sent and received from now on;
 * clear: without SRTP, else as on the wire. h NULL: no more. One at a time.
 * @return 0, ENOMEM
 */
int  media_sniff(struct media *m, bool clear, media_packet_h *h, void *arg);
/** Packets that came faster than main took them, so far */
uint64_t media_sniff_lost(const struct media *m);

/** How well the media thread keeps time: its cycle of calls that meet no sound
 *  card with a clock, since the start. Main; never waits */
struct media_times {
	uint64_t cycles;
	uint64_t late;               /* by 10 ms or more                     */
	uint64_t most_us;            /* the latest of all                    */
};
void media_times(const struct media *m, struct media_times *t);

struct stream_stats {
	uint64_t packets_sent, bytes_sent;
	uint64_t packets_received, bytes_received;
	uint64_t lost;               /* never came                           */
	uint64_t late;               /* came after their turn                */
	uint64_t duplicate, reordered;
	uint64_t concealed_ms;       /* made up                              */
	uint64_t recovered;          /* packets that a later one brought, or
					that were sent again and came in time */
	uint64_t asked;              /* packets the peer was asked for again */
	uint64_t resent;             /* that it has asked us for             */
	uint64_t stretched_ms;       /* put in, to play later from then on   */
	uint64_t compressed_ms;      /* left out, to play sooner             */
	uint64_t skipped_ms;         /* dropped: it had waited too long      */
	uint32_t resyncs;            /* times the peer's time line jumped    */
	uint64_t discarded;          /* malformed, wrong source, overflow    */
	uint64_t foreign;            /* of these: from a wrong address       */
	uint64_t forged;             /* ... protected with another key, or
					not at all, though it was agreed     */
	uint64_t replayed;           /* ... that came before                 */
	const struct media_suite *suite; /* protects it now, NULL: none does */
	uint32_t moves;              /* times the peer's address changed     */
	uint64_t decode_errors;
	uint32_t jitter_us;          /* RFC 3550 interarrival                */
	uint32_t delay_ms;           /* playout delay now                    */
	uint32_t delay_target_ms;
	uint32_t delay_min_ms, delay_max_ms;  /* least and most of the call;
					max 0: nothing has been played       */
	int      dscp;               /* how the last packet was marked when it
					came (RFC 2474), -1: not known       */
	uint32_t rtt_us;             /* RTCP, 0: not known                   */
	/* what the device's buffers take now; while the stream meets one */
	bool     device;
	uint32_t mic_ms;             /* from the room to the engine          */
	uint32_t speaker_ms;         /* from the mixer to the room           */
	uint32_t packet_ms;          /* what the peer puts into a packet     */
	uint64_t remote_lost;        /* what the peer reports                */
	uint32_t remote_jitter_us;
	uint32_t remote_loss_256;    /* fraction, of 256                     */
	bool     remote_known;
	int      send_bitrate;       /* bit/s asked of our encoder for what
					the peer reports, 0: its own choice  */
	int      send_loss_pct;      /* and the loss it is to expect         */
	uint64_t first_packet_ms;    /* clock_ms(), 0: none                  */
	uint64_t last_packet_ms;
	uint32_t ssrc_remote;
	uint32_t ssrc_changes;
	struct sa remote;            /* where media comes from               */
	double   level_in_dbfs;      /* of the last second, received         */
	double   level_out_dbfs;
	uint64_t dtmf_sent, dtmf_received;
	/* how loss is spread (RFC 3611): lost and discarded packets */
	double   burst_pct, gap_pct; /* share in bursts, and between them    */
	uint32_t burst_ms, gap_ms;   /* how long these are on average        */
	double   burst_ratio;        /* of G.107, 1 and more                 */
	/* what the peer says of our packets in extended reports */
	bool     xr_known;
	double   xr_r, xr_mos_lq, xr_mos_cq;     /* 0: it did not say        */
	double   xr_loss_pct, xr_discard_pct;
	double   xr_burst_pct, xr_gap_pct;
	uint32_t xr_burst_ms, xr_gap_ms;
	uint32_t xr_end_delay_ms;
};
int  stream_stats(struct stream *s, struct stream_stats *st);
/** stream_close, and the figures at the end; through the door once */
void stream_end(struct stream *s, struct stream_stats *st);
/** Of n streams, through the door once */
void media_stats(struct media *m, struct stream *const *sv,
		 struct stream_stats *stv, size_t n);
/** The whole way of a sound, as far as it is known: microphone, packet,
 *  network, jitter buffer and loudspeaker; the peer's own end is taken to be
 *  like ours. ms. Pure */
double media_mouth_to_ear_ms(const struct stream_stats *st);
/**
 * Rating by the E-model (ITU-T G.107) with the codec's own figures. loss_pct:
 * lost and discarded packets; burst_ratio: losses in a row against those of
 * independent ones, 1 or more; delay_ms: mouth to ear. Pure.
 * @return R 0..93.2, NAN when unknown
 */
double media_r(const struct codec *codec, double loss_pct, double burst_ratio,
	       double delay_ms);
/** The opinion that such a rating stands for. @return MOS 1..4.5, 0 unknown */
double media_mos_of(double r);
/** Both, for losses that are independent */
double media_mos(const struct codec *codec, double loss_pct,
		 double delay_ms);

#endif
