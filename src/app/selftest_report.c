/**
 * @file selftest_report.c  What the self-test measured, and whether it is good
 *
 * A call passes when the speech arrived whole at the far end and every digit
 * was right; the limits below say what whole means.
 */
#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include <offhook/text.h>
#include "selftest.h"


static const double level_limit_db = 3.0;     /* louder or quieter by this */
static const double moved_limit_ms = 200.0;
static const double similar_limit  = 0.85;
static const double delay_limit_ms = 250.0;


static void line(struct selftest *st, struct text_buf *b)
{
	if (!b->err && b->s)
		st->line_h(b->s, st->arg);

	text_buf_reset(b);
}


void selftest_report_text(struct selftest *st, const char *text)
{
	st->line_h(text, st->arg);
}


void selftest_report_begin(struct selftest *st)
{
	struct text_buf b = {0};

	if (st->result_h)
		return;

	text_add(&b, "A call to ourselves over loopback: %.0f s of speech, "
		 "16 digits, hold and resume, with every codec.",
		 (double)st->speech_ms / 1000);
	line(st, &b);

	text_add(&b, "%-4s %-5s %6s %6s %7s %4s %6s %7s %4s %6s %4s  %s",
		 "sip", "codec", "setup", "delay", "level", "gaps", "gap ms",
		 "similar", "mos", "digits", "hold", "verdict");
	line(st, &b);
}


static int score_file(struct sound_score *sc, const char *speech,
		      const char *file, char *err, size_t errsz)
{
	int16_t *ref = NULL, *rec = NULL;
	size_t nref, nrec;
	uint32_t rate;
	int e;

	e = sound_read(&rec, &nrec, &rate, file, err, errsz);
	if (!e)
		e = sound_read_at(&ref, &nref, rate, speech, err, errsz);
	if (!e)
		e = sound_score(sc, ref, nref, rec, nrec, rate);

	free(ref);
	free(rec);

	return e;
}


/* The first thing that is not as it should be, "" none */
static void judge(struct selftest_case *c, const struct sound_score *far,
		  double delay_ms)
{
	if (c->why[0])
		return;

	if (!far->aligned)
		(void)snprintf(c->why, sizeof(c->why),
			       "The speech did not arrive.");
	else if (far->gaps)
		(void)snprintf(c->why, sizeof(c->why),
			       "%u gaps in the speech, %.0f ms in all.",
			       far->gaps, far->gap_ms);
	else if (far->moved_ms > moved_limit_ms)
		(void)snprintf(c->why, sizeof(c->why),
			       "The delay moved by %.0f ms in all.",
			       far->moved_ms);
	else if (fabs(far->level_db) > level_limit_db)
		(void)snprintf(c->why, sizeof(c->why),
			       "The level is off by %.1f dB.", far->level_db);
	else if (far->similarity < similar_limit)
		(void)snprintf(c->why, sizeof(c->why),
			       "What arrived sounds different (%.2f).",
			       far->similarity);
	else if (!(delay_ms < delay_limit_ms))
		(void)snprintf(c->why, sizeof(c->why),
			       "The sound is late by %.0f ms.", delay_ms);
	else if (!c->digits_ok)
		(void)snprintf(c->why, sizeof(c->why),
			       "Not every digit was right.");
	else if (!c->hold_ok)
		(void)snprintf(c->why, sizeof(c->why),
			       "Hold and resume did not work.");
}


static void case_device(struct selftest_case *c)
{
	const struct selftest_phone *p = &c->st->caller;
	char text[512];

	if (!c->device)
		return;

	if (p->device_state == MEDIA_DEV_OPEN)
		(void)snprintf(text, sizeof(text),
			       "sound card: %s, you should have heard it",
			       p->device);
	else
		(void)snprintf(text, sizeof(text), "sound card: none. %s",
			       p->device_text);

	selftest_report_text(c->st, text);
}


static void case_line(struct selftest *st, const struct selftest_result *r)
{
	struct text_buf b = {0};

	text_add(&b, "%-4s %-5s %3llu ms", r->sip, r->codec,
		 (unsigned long long)r->setup_ms);
	if (isfinite(r->level_db))
		text_add(&b, " %3.0f ms %+4.1f dB %4u %6.0f %7.2f",
			 isfinite(r->delay_ms) ? r->delay_ms : 0, r->level_db,
			 r->gaps, r->gap_ms, r->similarity);
	else
		text_add(&b, " %6s %7s %4s %6s %7s", "-", "-", "-", "-", "-");
	text_add(&b, " %4.1f %6s %4s  %s%s", r->mos,
		 r->digits ? "right" : "wrong", r->hold ? "yes" : "no",
		 r->pass ? "good" : "FAILED: ", r->text);

	line(st, &b);
}


void selftest_report_case(struct selftest_case *c)
{
	struct selftest *st = c->st;
	struct sound_score far, near;
	struct selftest_result r = {
		.sip = c->device ? "card" :
			c->tp == SIP_TRANSP_UDP ? "udp" : "tcp",
		.codec = c->codec->name, .setup_ms = c->setup_ms,
		.delay_ms = NAN, .level_db = NAN, .gap_ms = NAN,
		.moved_ms = NAN, .similarity = NAN, .mos = c->mos,
		.digits = c->digits_ok, .hold = c->hold_ok, .text = c->why,
	};
	char err[256] = "";

	memset(&far, 0, sizeof(far));
	memset(&near, 0, sizeof(near));

	if (!c->why[0] &&
	    (score_file(&far, st->speech, c->far_file, err, sizeof(err)) ||
	     score_file(&near, st->speech, c->near_file, err, sizeof(err))))
		(void)snprintf(c->why, sizeof(c->why), "%s",
			       err[0] ? err : "The recording is unreadable.");

	/* there and back again */
	if (near.aligned)
		r.delay_ms = near.delay_ms / 2;
	if (far.aligned) {
		r.level_db = far.level_db;
		r.gaps = far.gaps;
		r.gap_ms = far.gap_ms;
		r.moved_ms = far.moved_ms;
		r.similarity = far.similarity;
	}

	judge(c, &far, r.delay_ms);
	c->pass = r.pass = !c->why[0];

	if (c->pass)
		st->passed++;
	else
		st->failed++;

	if (st->result_h)
		st->result_h(&r, st->arg);
	else
		case_line(st, &r);
	case_device(c);
}


void selftest_report_end(struct selftest *st)
{
	struct text_buf b = {0};
	const bool ok = st->ok && st->passed && !st->failed;

	if (st->result_h)
		return;

	if (ok)
		text_add(&b, "All %u calls were good: the speech arrived "
			 "whole and every digit was right.", st->passed);
	else
		text_add(&b, "%u of %u calls failed.", st->failed,
			 st->passed + st->failed);

	line(st, &b);
}


void selftest_report_clean(struct selftest_case *c)
{
	if (c->far_file[0])
		(void)unlink(c->far_file);
	if (c->near_file[0])
		(void)unlink(c->near_file);

	c->far_file[0] = c->near_file[0] = '\0';
}
