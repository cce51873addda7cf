/**
 * @file fake_pa.h  A PortAudio that a test can arrange
 */
#ifndef TEST_AUDIO_FAKE_PA_H
#define TEST_AUDIO_FAKE_PA_H

#include <stdbool.h>
#include <portaudio.h>

enum { FAKE_DEVICES = 8, FAKE_STREAMS = 4 };

struct fake_device {
	const char *name;
	int in, out;             /* channels                                */
	double rate;             /* the only one it takes; 0: any           */
	PaError open_err;        /* opening fails with this                 */
	bool mono;               /* whatever it says of its channels        */
	PaError start_err;       /* starting fails with this                */
};

struct fake_stream {
	bool open, started;
	bool is_in;
	int channels;
	int device;
	double rate, latency;
	unsigned long frames;
	PaStreamCallback *cb;
	PaStreamFinishedCallback *finished;
	void *arg;
};

extern struct fake_pa {
	struct fake_device devices[FAKE_DEVICES];
	int count;
	int def_in, def_out;
	PaError init_err;
	int initialised;         /* how often more than terminated          */
	unsigned inits;          /* how often in all,                       */
	int seen;                /*   and what there was the last time      */
	int opened, closed;
	struct fake_stream streams[FAKE_STREAMS];
} fake_pa;

/** No devices, nothing open */
void fake_pa_reset(void);
void fake_pa_add(const char *name, int in, int out, double rate);
/** The open stream of a direction, or NULL */
struct fake_stream *fake_pa_stream(bool is_in);
/** Let a stream run for so many blocks; playback ends up in v (may be NULL) */
void fake_pa_run(bool is_in, const short *in, short *out, unsigned long n);

#endif
