/**
 * @file app/doctor_local.c  What the doctor sees on this machine: sound, codecs
 *
 * Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "doctor_priv.h"

enum {
	DEVICES_MS = 10000,
};


/* Sound --------------------------------------------------------------------------- */

static void device_handler(const struct media_listed *ml, void *arg)
{
	struct doctor *d = arg;

	d->mics += ml->dev.in_channels > 0;
	d->speakers += ml->dev.out_channels > 0;
	if (ml->dev.default_in)
		snprintf(d->device, sizeof(d->device), "%s", ml->dev.name);
}


static void devices_tell(struct doctor *d)
{
	d->listed = true;
	timer_cancel(&d->tmr);

	if (d->mics && d->speakers)
		doctor_tell(d, "sound", DOCTOR_PASS, "", "%u microphone%s and "
			    "%u loudspeaker%s%s%s", d->mics, d->mics == 1 ?
			    "" : "s", d->speakers, d->speakers == 1 ? "" :
			    "s", d->device[0] ? ", as a rule " : "",
			    d->device);
	else
		doctor_tell(d, "sound", DOCTOR_WARN, "plug a headset in, or start "
		     "the sound server; calls go on without",
		     d->mics ? "no loudspeaker" : d->speakers ?
		     "no microphone" : "no sound device");

	doctor_next(d);
}


static void devices_done(int err, void *arg)
{
	struct doctor *d = arg;
	(void)err;

	if (!d->listed)
		devices_tell(d);
}


static void devices_late(void *arg)
{
	struct doctor *d = arg;

	d->listed = true;
	doctor_tell(d, "sound", DOCTOR_WARN, "restart the sound server", "the list "
	     "of devices did not come within 10 s");
	doctor_next(d);
}


void doctor_devices(struct doctor *d)
{
	timer_start(&d->tmr, DEVICES_MS, devices_late, d);
	if (media_list_devices(d->conf.media, device_handler, devices_done, d))
		devices_tell(d);
}


static void selftest_line(const char *line, void *arg)
{
	struct doctor *d = arg;

	doctor_tell(d, "codecs", DOCTOR_NOTE, "", "%s", line);
}


static void selftest_result(const struct selftest_result *res, void *arg)
{
	struct doctor *d = arg;

	++d->calls;
	d->bad += !res->pass;

	if (!strcmp(res->sip, "card") && isfinite(res->delay_ms))
		doctor_tell(d, "loop-back", res->delay_ms < 300.0 ? DOCTOR_PASS :
		     DOCTOR_WARN, res->delay_ms < 300.0 ? "" : "lower option "
		     "audio-latency", "through the sound card and back in "
		     "%.0f ms", res->delay_ms);
	if (!res->pass)
		doctor_tell(d, "codecs", DOCTOR_FAIL, "report this, with `selftest "
		     "-vv`", "%s: %s", res->codec, res->text);
}


static void selftest_done(bool ok, void *arg)
{
	struct doctor *d = arg;

	if (ok)
		doctor_tell(d, "codecs", DOCTOR_PASS, "", "%u call%s to oneself, "
			    "each codec carries speech and keys", d->calls,
			    d->calls == 1 ? "" : "s");
	else if (!d->bad)
		doctor_tell(d, "codecs", DOCTOR_FAIL, "see `selftest`",
		     "the self-test failed");

	doctor_next(d);
}


void doctor_selftest(struct doctor *d)
{
	const struct selftest_conf conf = {
		.config = d->conf.config,
		.use_device = d->conf.use_device && d->mics && d->speakers,
		.result_h = selftest_result,
	};
	int err;

	if (d->conf.quick) {
		doctor_next(d);
		return;
	}

	err = selftest_start(&d->selftest, &conf, selftest_line,
			     selftest_done, d);
	if (err) {
		doctor_tell(d, "codecs", DOCTOR_WARN, "see `selftest`",
		     "no self-test: %s", strerror(err));
		doctor_next(d);
	}
}
