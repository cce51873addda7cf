/**
 * @file audio.h  Sound devices and what stands in for them
 *
 * A driver moves 16-bit samples: what it captures is mono, what it plays may
 * have two channels.  As everywhere these are their mean and, beside it, the
 * side: half of what left has more than right.  Two kinds of drivers: those
 * with a clock of their own (PortAudio: two one-way streams, each with a
 * lock-free ring, the capture callback wakes the engine), and those without
 * (file, tone, silence, pipe, null), which the engine reads and writes from
 * its timer.
 */
#ifndef OFFHOOK_AUDIO_H
#define OFFHOOK_AUDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUDIO_BLOCK_MS = 10, AUDIO_NAME = 128 };

/** What -A said, parsed */
struct audio_spec {
	char driver[16];         /* auto portaudio null file tone silence pipe */
	char in[512];            /* device name fragment, file, pipe path, Hz  */
	char out[512];
};

/** @return 0 or EINVAL with a sentence in err (at least 256 bytes) */
int audio_spec_parse(struct audio_spec *as, const char *text,
		     char *err, size_t errsz);

struct audio_param {
	char in[512];            /* as in the spec, "" default/none          */
	char out[512];
	uint32_t rate_hz;        /* wanted; what cannot be had is resampled  */
	uint32_t pipe_rate_hz;   /* of raw pipes                             */
	unsigned latency_ms;     /* suggested, PortAudio                     */
	unsigned channels;       /* to play, at most; 0: one                 */
	unsigned in_channels;    /* to capture, at most; 0: one              */
	int wake_fd;             /* eventfd the callback writes 8 bytes to   */
	bool out_only;           /* no microphone: it rings                  */
};

struct audio_dev;                /* private to the driver; one open device  */

/** What a device can tell after it is open; filled by open() */
struct audio_info {
	uint32_t rate_hz;        /* samples are at this rate                 */
	char in_name[AUDIO_NAME];
	char out_name[AUDIO_NAME];
	unsigned in_latency_ms;
	unsigned out_latency_ms;
	bool has_in, has_out;
	unsigned channels;       /* that it plays: 2, else one               */
	unsigned in_channels;    /* that it captures: 2, else one            */
};

/** A device of a driver's list; name lives during the call */
struct audio_listed {
	const char *name;
	unsigned in_channels;    /* it captures so many, 0: it does not      */
	unsigned out_channels;   /* the same of what it plays                */
	uint32_t rate_hz;        /* its own                                  */
	unsigned in_latency_ms;  /* what its driver says it takes, at least  */
	unsigned out_latency_ms;
	bool default_in, default_out;
};
typedef void (audio_list_h)(const struct audio_listed *al, void *arg);

struct audio_driver {
	const char *name;
	const char *summary;     /* one line for `help` and `devices`        */
	bool clock;              /* wakes the engine itself                  */
	bool blocks;             /* open/close/list only on a worker thread  */

	/** Devices one by one; NULL: the driver has no list */
	int (*list)(audio_list_h *h, void *arg);

	/**
	 * Main, before anything starts: what can be known to be wrong now.
	 * Waits for nobody and leaves nothing behind. NULL: nothing can.
	 * @return 0 or errno, with a sentence in err (256 bytes)
	 */
	int (*check)(const struct audio_spec *as, char *err, size_t errsz);

	/**
	 * Open; with .blocks on the device thread, else on main. *devp is
	 * untouched on failure. err gets one sentence (256 bytes).
	 * @return 0, ENODEV (no such device), ENOENT, EINVAL, EIO, ENOMEM
	 */
	int (*open)(struct audio_dev **devp, struct audio_info *info,
		    const struct audio_param *prm, char *err, size_t errsz);

	/**
	 * Media thread, never blocks. read gives what has been captured, at
	 * most n samples; a driver without a clock always gives n (silence
	 * when its source has ended).
	 */
	size_t (*read)(struct audio_dev *dev, int16_t *v, size_t n);
	size_t (*write)(struct audio_dev *dev, const int16_t *v, size_t n);

	/** The same of a device that was opened to capture two channels: n
	 *  samples each of left and of right. NULL: the driver opens none */
	size_t (*read_two)(struct audio_dev *dev, int16_t *left,
			   int16_t *right, size_t n);

	/**
	 * The same of a device that was opened with two channels: n samples
	 * each of the mean and of the side. write() plays both alike. NULL:
	 * the driver opens none
	 */
	size_t (*write_two)(struct audio_dev *dev, const int16_t *v,
			    const int16_t *side, size_t n);

	/** Media thread: samples waiting to be captured / still to be played,
	 *  of one channel */
	size_t (*in_fill)(const struct audio_dev *dev);
	size_t (*out_fill)(const struct audio_dev *dev);

	/** Media thread: samples of silence that were played because nothing
	 *  was there to be played, since it began; NULL: not known */
	size_t (*missed)(const struct audio_dev *dev);

	/** Media thread: false once the device is gone (unplugged, ended) */
	bool (*alive)(const struct audio_dev *dev);

	/**
	 * Main, about every 50 ms while open, and before close when the
	 * driver does not block: files written, watchdog; or NULL.
	 * @return 0, or errno with a sentence in err (256 bytes) when what
	 * is kept on disk has broken off; once
	 */
	int (*service)(struct audio_dev *dev, char *err, size_t errsz);

	/** Where open was called; nothing of dev is used afterwards */
	void (*close)(struct audio_dev *dev);

	/** The same, with all closed and at the end: let go of what makes the
	 *  next open quicker. NULL: there is nothing */
	void (*rest)(void);
};

const struct audio_driver *const *audio_table(void);    /* NULL ends it */
const struct audio_driver *audio_driver_find(const char *name);

/* Files of sound: libsndfile, on main --------------------------------- */

/**
 * Read a whole file as mono (channels averaged) at its own rate. WAV, FLAC,
 * Ogg, AIFF, AU; at most 30 min and 64 Mi samples. err gets one sentence.
 * @return 0, ENOENT, EINVAL (not a sound file), EFBIG; *vp: free()
 */
int sound_read(int16_t **vp, size_t *np, uint32_t *rate_hz,
	       const char *path, char *err, size_t errsz);

/** The same; of two channels *sidep gets half of what left has more than right,
 *  as many samples: free(). NULL: there is one channel, or they are alike */
int sound_read_two(int16_t **vp, int16_t **sidep, size_t *np,
		   uint32_t *rate_hz, const char *path, char *err,
		   size_t errsz);

/** The same, resampled to rate_hz */
int sound_read_at(int16_t **vp, size_t *np, uint32_t rate_hz,
		  const char *path, char *err, size_t errsz);

/** Writing bit by bit: FLAC (.flac), Opus (.opus, .ogg) or WAV, by the end of
 *  the name; what is there can be read at any moment, so a crash keeps it.
 *  When not even the first sample can be written no file is left */
struct sound_file;
int  sound_open_write(struct sound_file **fp, const char *path,
		      uint32_t rate_hz, unsigned channels,
		      char *err, size_t errsz);           /* mem_deref closes */
/** @return 0 or the errno of the first failed write (ENOSPC ..., ENOENT: the
 *  file was removed) */
int  sound_write(struct sound_file *f, const int16_t *v, size_t frames);
uint64_t sound_frames(const struct sound_file *f);

/* Resampling ----------------------------------------------------------- */

/** speexdsp; for stream edges. quality 0..10 */
struct resampler;
int  resampler_alloc(struct resampler **rp, uint32_t in_hz, uint32_t out_hz,
		     int quality);                        /* free: mem_deref */
/** *n_in, *n_out: given on entry, used on return */
int  resampler_run(struct resampler *r, const int16_t *in, size_t *n_in,
		   int16_t *out, size_t *n_out);
/**
 * The same where sound may have a side: NULL while it has none, which costs no
 * more than one channel. What begins to have one goes on without a gap, moved
 * by a part of a sample. Not to be mixed with resampler_run. *two: there is
 * something in side_out
 */
int  resampler_run_two(struct resampler *r, const int16_t *in,
		       const int16_t *side, size_t *n_in, int16_t *out,
		       int16_t *side_out, size_t *n_out, bool *two);
size_t resampler_delay(const struct resampler *r);  /* output samples */
/** From a clock to another one that nearly keeps its time */
int  resampler_alloc_near(struct resampler **rp, uint32_t rate_hz,
			  int quality);
/** Of one that is near: make so many samples in a million more, -50000 to
 *  50000, from now on; in steps of 20. Does not allocate. @return 0, EINVAL */
int  resampler_tune(struct resampler *r, int ppm);

#endif
