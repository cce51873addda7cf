/**
 * @file cancel.c  Echo cancellers: the table
 *
 * Media thread.  The first row is what is taken unless told otherwise.
 */
#include <speex/speex_echo.h>
#include <offhook/media.h>
#include "cancel.h"


enum { TAIL_MS = 200 };


static void *speex_start(uint32_t rate_hz, size_t frame)
{
	SpeexEchoState *s;
	int rate = (int)rate_hz;

	s = speex_echo_state_init((int)frame, (int)(rate_hz * TAIL_MS / 1000));
	if (s)
		(void)speex_echo_ctl(s, SPEEX_ECHO_SET_SAMPLING_RATE, &rate);

	return s;
}


static void speex_stop(void *state)
{
	speex_echo_state_destroy(state);
}


static void speex_run(void *state, const int16_t *mic, const int16_t *far,
		      int16_t *out)
{
	speex_echo_cancellation(state, mic, far, out);
}


static void *speex_residual(void *state)
{
	return state;
}


static const struct canceller table[MEDIA_CANCELLERS] = {
	[MEDIA_CANCEL_SPEEX] = {
		.name = "speex",
		.summary = "speexdsp: an adaptive filter of 200 ms, and the "
			   "noise suppressor for what is left",
		.start = speex_start, .stop = speex_stop, .run = speex_run,
		.residual = speex_residual,
	},
	[MEDIA_CANCEL_NONE] = {
		.name = "none",
		.summary = "none: the room, or the device, does it",
	},
};

const struct canceller *canceller(enum media_canceller which)
{
	return &table[which < MEDIA_CANCELLERS ? which : 0];
}
