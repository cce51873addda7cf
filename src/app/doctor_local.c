/**
 * @file app/doctor_local.c  What the doctor sees on this machine: NAT, sound
 *
 * Main thread; a name is looked up by the worker.
 */
#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include "doctor_priv.h"

enum {
	DEVICES_MS = 10000,
};

/* A name that a worker looks up */
struct stun_job {
	struct doctor *d;
	char host[256];
	struct sa sa;
	int err;
};


/* NAT ----------------------------------------------------------------------------- */

static void nat_handler(const struct nat_result *res, void *arg)
{
	struct doctor *d = arg;
	char local[64], mapped[64];

	(void)re_snprintf(local, sizeof(local), "%j", &res->local);
	(void)re_snprintf(mapped, sizeof(mapped), "%J", &res->mapped);

	if (res->err) {
		doctor_tell(d, "nat", DOCTOR_WARN, "UDP may be blocked, or the STUN "
		     "server is away: try another", "no answer by STUN: %s",
		     strerror(res->err));
	}
	else if (!res->behind) {
		doctor_tell(d, "nat", DOCTOR_PASS, "", "no NAT: %s is our address "
		     "outside too; filtering is %s", local,
		     nat_kind_name(res->filtering));
	}
	else {
		const bool hard = res->mapping == NAT_ADDRESS ||
			res->mapping == NAT_ADDRESS_PORT;

		doctor_tell(d, "nat", hard ? DOCTOR_WARN : DOCTOR_PASS, hard ?
		     "STUN alone does not help here: use ICE with a TURN "
		     "server" : "", "behind a NAT, seen as %s; mapping is %s, "
		     "filtering is %s", mapped, nat_kind_name(res->mapping),
		     nat_kind_name(res->filtering));
	}

	d->stun = mem_deref(d->stun);
	doctor_next(d);
}


static void stun_look_up(void *arg)
{
	const struct addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM,
	};
	struct stun_job *j = arg;
	struct addrinfo *ai = NULL;

	if (getaddrinfo(j->host, NULL, &hints, &ai) || !ai) {
		j->err = ENOENT;
		return;
	}

	(void)sa_set_sa(&j->sa, ai->ai_addr);
	freeaddrinfo(ai);
}


static void stun_begin(struct doctor *d, const struct sa *sa)
{
	const int err = stun_nat_start(&d->stun, sa, nat_handler, d);

	if (!err)
		return;

	doctor_tell(d, "nat", DOCTOR_WARN, "is there a network?", "STUN cannot be "
	     "tried: %s", strerror(err));
	doctor_next(d);
}


static void stun_found(void *arg)
{
	struct stun_job *j = arg;
	struct doctor *d = j->d;
	const struct sa sa = j->sa;
	const int err = j->err;

	if (err)
		doctor_tell(d, "nat", DOCTOR_WARN, "check its name", "the STUN "
		     "server %s is not found", j->host);
	mem_deref(j);

	if (err)
		doctor_next(d);
	else
		stun_begin(d, &sa);
}


void doctor_nat(struct doctor *d)
{
	const char *s = d->conf.stun;
	struct stun_job *j;
	uint16_t port;

	if (!s || !*s) {
		doctor_next(d);
		return;
	}

	j = mem_zalloc(sizeof(*j), NULL);
	if (!j || text_addr(j->host, sizeof(j->host), &port, s, strlen(s))) {
		mem_deref(j);
		doctor_tell(d, "nat", DOCTOR_WARN, "write ADDR or ADDR:PORT",
		     "'%s' is no STUN server", s);
		doctor_next(d);
		return;
	}

	j->d = d;
	if (!port)
		port = STUN_PORT;

	if (!sa_set_str(&j->sa, j->host, port)) {
		const struct sa sa = j->sa;

		mem_deref(j);
		stun_begin(d, &sa);
		return;
	}

	sa_init(&j->sa, AF_INET);
	if (worker_post(d->worker, stun_look_up, stun_found, doctor_drop, j)) {
		mem_deref(j);
		doctor_next(d);
		return;
	}
}


/* Sound --------------------------------------------------------------------------- */

static void device_handler(const char *driver, const char *name, bool in,
			   bool out, bool is_default, void *arg)
{
	struct doctor *d = arg;
	(void)driver;

	d->mics += in;
	d->speakers += out;
	if (is_default && in)
		snprintf(d->device, sizeof(d->device), "%s", name);
}


static void devices_tell(struct doctor *d)
{
	d->listed = true;
	timer_cancel(&d->tmr);

	if (d->mics && d->speakers)
		doctor_tell(d, "sound", DOCTOR_PASS, "", "%u microphones and %u "
		     "loudspeakers%s%s", d->mics, d->speakers, d->device[0] ?
		     ", as a rule " : "", d->device);
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
		doctor_tell(d, "codecs", DOCTOR_PASS, "", "%u calls to oneself, each "
		     "codec carries speech and keys", d->calls);
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
		doctor_tell(d, "codecs", DOCTOR_WARN, "", "no self-test: %s",
		     strerror(err));
		doctor_next(d);
	}
}
