/**
 * @file fake_sound.c  What commands ask of the sound of calls
 */
#include <string.h>
#include <math.h>
#include <stdio.h>
#include "fake_ua.h"


static unsigned place[32];       /* conference of each call                 */


int ua_conference(unsigned *nop, struct ua *ua, struct call *const *cv,
		  size_t n, char *err)
{
	char text[128] = "";
	(void)ua;
	(void)err;

	for (size_t i = 0; i < n; i++) {
		place[call_id(cv[i])] = 1;
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " %u", call_id(cv[i]));
	}

	asked("ua_conference%s", text);
	*nop = 1;

	return 0;
}


int call_conference_leave(struct call *c, char *err)
{
	(void)err;
	asked("call_conference_leave %u", call_id(c));
	place[call_id(c)] = 0;

	return 0;
}


unsigned call_conference(const struct call *c)
{
	return place[call_id(c)];
}


int call_part(struct call *c, double db, bool mute, char *err)
{
	(void)err;
	asked("call_part %u %.1f %d", call_id(c), db, mute);

	return 0;
}


double call_part_db(const struct call *c, bool *mute)
{
	(void)c;
	*mute = false;

	return 0.0;
}


int call_gain(struct call *c, bool mic, double db, char *err)
{
	(void)err;
	asked("call_gain %u %s %.1f", call_id(c), mic ? "mic" : "speaker",
	      db);

	return 0;
}


int call_pan(struct call *c, int at, char *err)
{
	(void)err;
	asked("call_pan %u %d", call_id(c), at);

	return 0;
}


int call_place(const struct call *c)
{
	return call_id(c) == 2 ? -40 : 0;
}


double call_gain_db(const struct call *c, bool mic)
{
	(void)c;

	return mic ? 3.0 : -6.0;
}


void media_room_look(struct media *m, struct media_room_figures *f)
{
	(void)m;

	memset(f, 0, sizeof(*f));
	f->running = true;
	f->erle_db = 30.0;
	f->noise_dbfs = -62.0;
	f->noise_less_db = 12.0;
}


double media_mouth_to_ear_ms(const struct stream_stats *st)
{
	return st->mic_ms + st->packet_ms + st->rtt_us / 2000.0 +
		st->delay_ms + st->speaker_ms;
}


/* A test of the devices: each look is a second later */
static struct media_probe_look look;
static bool probes;


void fake_probe(int err, bool has_in)
{
	memset(&look, 0, sizeof(look));
	look.err = err;
	look.dev = (struct audio_info) {
		.rate_hz = 48000, .in_name = "Headset", .out_name = "Room",
		.in_latency_ms = 10, .out_latency_ms = 12,
		.has_in = has_in, .has_out = true,
	};
	look.mic_dbfs = look.mic_peak_dbfs = -30.0;
	look.speaker_dbfs = -20.0;
}


int media_probe(struct media *m, const struct media_probe_conf *conf)
{
	(void)m;
	asked("media_probe %.0f %.0f %d", conf->hz, conf->dbfs, conf->mute);
	if (probes)
		return EALREADY;
	probes = true;

	return 0;
}


int media_probe_look(struct media *m, struct media_probe_look *l)
{
	(void)m;
	if (!look.err)
		look.ms += 1000;
	*l = look;

	return probes ? 0 : ENOTCONN;
}


void media_probe_end(struct media *m, struct media_probe_result *r)
{
	(void)m;
	if (probes)
		asked("media_probe_end");
	probes = false;
	if (!r)
		return;

	*r = (struct media_probe_result) {
		.alive = true, .noise_dbfs = -60.0, .tone_dbfs = -26.0,
		.loop_db = -6.0, .loop_ms = 41.5,
	};
}


void media_times(const struct media *m, struct media_times *t)
{
	(void)m;
	memset(t, 0, sizeof(*t));
}
