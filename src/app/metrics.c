/**
 * @file app/metrics.c  Figures of the phone for monitors: OpenMetrics
 *
 * Counters are kept from events; what is true now is asked when it is
 * printed.  Main thread.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/metrics.h"

enum { CAUSES = 24, BUCKETS = 9 };

static const double setup_s[] = { 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30 };
static const double mos_le[] = { 1.5, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.4 };
static const double loss_le[] = { 0, 0.1, 0.5, 1, 2, 3, 5, 10, 25 };

_Static_assert(ARRAY_SIZE(setup_s) == BUCKETS && ARRAY_SIZE(mos_le) ==
	       BUCKETS && ARRAY_SIZE(loss_le) == BUCKETS, "as many");

/* what is counted */
static const enum event_type types[] = {
	EVENT_CALL_STATE, EVENT_ACCOUNT_STATE, EVENT_MESSAGE_RECEIVED,
	EVENT_MESSAGE_SENT, EVENT_CALL_DTMF,
};

struct histogram {
	const double *le;
	uint64_t v[BUCKETS];
	uint64_t count;
	double sum;
};

struct metrics {
	struct ua *ua;
	const struct media *media;
	struct event_sub *subv[ARRAY_SIZE(types)];
	uint64_t begin_ms;
	uint64_t started[2];     /* in, out                                  */
	struct {
		char cause[EVENT_NAME];
		uint64_t n[2];
	} ended[CAUSES];
	uint64_t talk_ms[2];
	struct histogram setup, mos, loss;
	uint64_t registrations, failures;
	uint64_t messages_in, messages_out;
	uint64_t digits;
	uint64_t packets_sent, packets_received, packets_lost;
};


/* Counting ------------------------------------------------------------------ */

static void observe(struct histogram *h, double v)
{
	if (!isfinite(v))
		return;

	for (unsigned i = 0; i < BUCKETS; i++)
		h->v[i] += v <= h->le[i];
	++h->count;
	h->sum += v;
}


static void count_end(struct metrics *m, const struct event *ev, bool out)
{
	const struct call_record *r = ua_call_record(m->ua, ev->call);
	const char *cause = ev->u.call_state.cause;
	unsigned i = 0;

	/* a table that is full puts what is new to the last */
	while (i + 1 < CAUSES && m->ended[i].cause[0] &&
	       strcmp(m->ended[i].cause, cause))
		++i;
	if (!m->ended[i].cause[0])
		snprintf(m->ended[i].cause, sizeof(m->ended[i].cause), "%s",
			 cause);
	++m->ended[i].n[out];

	if (!r || !r->was_active)
		return;

	m->talk_ms[out] += r->duration_ms;
	if (!r->stats_known)
		return;

	m->packets_sent += r->stats.packets_sent;
	m->packets_received += r->stats.packets_received;
	m->packets_lost += r->stats.lost;
	if (r->mos > 0.0)
		observe(&m->mos, r->mos);
	observe(&m->loss, r->loss_pct);
}


static void count_call(struct metrics *m, const struct event *ev)
{
	const bool out = !strcmp(ev->u.call_state.direction, "out");
	const char *state = ev->u.call_state.state;

	if (!strcmp(state, "calling") || !strcmp(state, "incoming"))
		++m->started[out];
	else if (!strcmp(state, "ended"))
		count_end(m, ev, out);
	else if (!strcmp(state, "active") && out &&
		 ev->u.call_state.setup_ms != EVENT_NONE)
		observe(&m->setup,
			(double)ev->u.call_state.setup_ms / 1000.0);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct metrics *m = arg;

	switch (ev->type) {

	case EVENT_CALL_STATE:
		count_call(m, ev);
		break;

	case EVENT_ACCOUNT_STATE:
		m->registrations +=
			!strcmp(ev->u.account_state.state, "registered");
		m->failures += !strcmp(ev->u.account_state.state, "failed");
		break;

	case EVENT_MESSAGE_RECEIVED:
		++m->messages_in;
		break;

	case EVENT_MESSAGE_SENT:
		++m->messages_out;
		break;

	case EVENT_CALL_DTMF:
		++m->digits;
		break;

	default:
		break;
	}
}


static void destructor(void *arg)
{
	struct metrics *m = arg;

	for (size_t i = 0; i < ARRAY_SIZE(m->subv); i++)
		mem_deref(m->subv[i]);
}


int metrics_alloc(struct metrics **mp, struct ua *ua,
		  const struct media *media, struct event_bus *bus)
{
	struct metrics *m = mem_zalloc(sizeof(*m), destructor);
	int err;

	if (!m)
		return ENOMEM;

	m->ua = ua;
	m->media = media;
	m->begin_ms = clock_wall_ms();
	m->setup.le = setup_s;
	m->mos.le = mos_le;
	m->loss.le = loss_le;

	err = event_subscribe_types(m->subv, bus, types, ARRAY_SIZE(types),
				    event_handler, m);
	if (err)
		mem_deref(m);
	else
		*mp = m;

	return err;
}


/* Printing ------------------------------------------------------------------- */

static void head(struct text_buf *b, const char *name, const char *type,
		 const char *unit, const char *help)
{
	text_add(b, "# TYPE %s %s\n", name, type);
	if (*unit)
		text_add(b, "# UNIT %s %s\n", name, unit);
	text_add(b, "# HELP %s %s\n", name, help);
}


/* A label's value: backslash, quote and newline are written otherwise */
static void label(struct text_buf *b, const char *s)
{
	char safe[300];

	text_escape(safe, sizeof(safe), s, strlen(s));
	for (const char *p = safe; *p; p++)
		text_add(b, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
}


static void number(struct text_buf *b, const char *name, const char *type,
		   const char *unit, const char *help, double v)
{
	head(b, name, type, unit, help);
	text_add(b, "%s%s %.17g\n", name, !strcmp(type, "counter") ?
		 "_total" : "", v);
}


static void in_out(struct text_buf *b, const char *name, const char *unit,
		   const char *help, double in, double out)
{
	head(b, name, "counter", unit, help);
	text_add(b, "%s_total{direction=\"in\"} %.17g\n", name, in);
	text_add(b, "%s_total{direction=\"out\"} %.17g\n", name, out);
}


/* A limit is written as a number with a point, always the same way */
static bool whole(double v)
{
	return v >= 0.0 && v < 1e6 && v == floor(v);
}


static void histogram(struct text_buf *b, const char *name, const char *unit,
		      const char *help, const struct histogram *h)
{
	head(b, name, "histogram", unit, help);
	for (unsigned i = 0; i < BUCKETS; i++)
		text_add(b, "%s_bucket{le=\"%g%s\"} %llu\n", name, h->le[i],
			 whole(h->le[i]) ? ".0" : "",
			 (unsigned long long)h->v[i]);
	text_add(b, "%s_bucket{le=\"+Inf\"} %llu\n%s_count %llu\n%s_sum "
		 "%.17g\n", name, (unsigned long long)h->count, name,
		 (unsigned long long)h->count, name, h->sum);
}


static void print_accounts(struct text_buf *b, const struct metrics *m)
{
	const struct account *a = NULL;

	head(b, "offhook_registered", "gauge", "",
	     "Is the account registered?");

	while ((a = ua_account_next(m->ua, a))) {

		if (!account_registers(a))
			continue;
		text_add(b, "offhook_registered{account=\"");
		label(b, account_config(a)->aor);
		text_add(b, "\"} %d\n", !strcmp(account_state(a),
						"registered") ||
			 !strcmp(account_state(a), "refreshing"));
	}
}


static void print_calls(struct text_buf *b, const struct metrics *m)
{
	unsigned states[CALL_STATES] = { 0 };
	struct call *c = NULL;

	while ((c = ua_call_next(m->ua, c)))
		++states[call_state(c)];

	head(b, "offhook_calls", "gauge", "", "Calls now, by state");
	for (unsigned i = CALL_IDLE + 1; i < CALL_ENDED; i++)
		text_add(b, "offhook_calls{state=\"%s\"} %u\n",
			 call_state_name((enum call_state)i), states[i]);

	in_out(b, "offhook_calls_started", "", "Calls that began",
	       (double)m->started[0], (double)m->started[1]);

	head(b, "offhook_calls_ended", "counter", "",
	     "Calls that ended, by cause");
	for (unsigned i = 0; i < CAUSES && m->ended[i].cause[0]; i++) {
		for (unsigned out = 0; out < 2; out++) {
			text_add(b, "offhook_calls_ended_total{direction=\""
				 "%s\",cause=\"", out ? "out" : "in");
			label(b, m->ended[i].cause);
			text_add(b, "\"} %llu\n",
				 (unsigned long long)m->ended[i].n[out]);
		}
	}

	in_out(b, "offhook_talk_seconds", "seconds", "Time of talking",
	       (double)m->talk_ms[0] / 1000.0, (double)m->talk_ms[1] / 1000.0);
	histogram(b, "offhook_call_setup_seconds", "seconds",
		  "From INVITE to answer, of calls of ours", &m->setup);
	histogram(b, "offhook_call_mos", "", "Listening quality, each call",
		  &m->mos);
	histogram(b, "offhook_call_loss_percent", "percent",
		  "Packets that never came, each call", &m->loss);
}


static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		++n;
	if (d)
		closedir(d);

	/* not ".", ".." and the folder itself */
	return n > 3 ? n - 3 : 0;
}


static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long all = 0, rss = 0;

	if (!f)
		return 0.0;
	if (fscanf(f, "%lu %lu", &all, &rss) != 2)
		rss = 0;
	(void)fclose(f);

	return (double)rss * (double)sysconf(_SC_PAGESIZE);
}


static void print_process(struct text_buf *b, const struct metrics *m)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_SELF, &ru);
	number(b, "process_cpu_seconds", "counter", "seconds",
	       "Processor time used", (double)ru.ru_utime.tv_sec +
	       (double)ru.ru_stime.tv_sec + (double)(ru.ru_utime.tv_usec +
						     ru.ru_stime.tv_usec) /
	       1e6);
	number(b, "process_resident_memory_bytes", "gauge", "bytes",
	       "Memory in use", resident());
	number(b, "process_open_fds", "gauge", "", "Descriptors in use",
	       descriptors());
	number(b, "process_start_time_seconds", "gauge", "seconds",
	       "When it was started", (double)m->begin_ms / 1000.0);
}


static void print_media(struct text_buf *b, const struct metrics *m)
{
	struct media_times t;

	media_times(m->media, &t);
	number(b, "offhook_media_cycles", "counter", "",
	       "Turns of the media thread, of calls without a sound card",
	       (double)t.cycles);
	number(b, "offhook_media_cycles_late", "counter", "",
	       "Those that came 10 ms late or more", (double)t.late);
	number(b, "offhook_media_cycle_late_max_seconds", "gauge", "seconds",
	       "The latest of them", (double)t.most_us / 1e6);
}


void metrics_print(struct text_buf *b, const struct metrics *m)
{
	struct sip_stack_stats st = { 0 };

	head(b, "offhook_build", "info", "", "Version of the phone");
	text_add(b, "offhook_build_info{version=\"%s\"} 1\n",
		 OFFHOOK_VERSION);

	print_accounts(b, m);
	number(b, "offhook_registrations", "counter", "",
	       "Registrations that succeeded", (double)m->registrations);
	number(b, "offhook_registration_failures", "counter", "",
	       "Registrations that failed", (double)m->failures);
	print_calls(b, m);

	in_out(b, "offhook_messages", "", "Text messages",
	       (double)m->messages_in, (double)m->messages_out);
	number(b, "offhook_dtmf_received", "counter", "", "Keys received",
	       (double)m->digits);
	number(b, "offhook_rtp_sent_packets", "counter", "packets",
	       "RTP sent, of calls that ended", (double)m->packets_sent);
	number(b, "offhook_rtp_received_packets", "counter", "packets",
	       "RTP received, of calls that ended",
	       (double)m->packets_received);
	number(b, "offhook_rtp_lost_packets", "counter", "packets",
	       "RTP that never came, of calls that ended",
	       (double)m->packets_lost);

	if (ua_sip(m->ua))
		sip_stack_stats(ua_sip(m->ua), &st);
	number(b, "offhook_sip_refused", "counter", "",
	       "Requests stopped at the gate", (double)st.refused);
	number(b, "offhook_sip_discarded", "counter", "",
	       "Messages dropped", (double)st.discarded);

	print_media(b, m);
	print_process(b, m);
	text_add(b, "# EOF\n");
}
