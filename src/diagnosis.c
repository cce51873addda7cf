/**
 * @file diagnosis.c  What is kept of the messages, and where copies go
 *
 * The stack hands every message over once, masked; from here it goes into the
 * trace and the capture, at which `ladder`, `pcap` and HEP hang.  Main thread.
 */
#include <stdio.h>
#include "offhook/log.h"
#include "main.h"

#define LOG_MODULE "main"

enum { HEP_PORT = 9060 };


static void listen_or_not(struct app *a)
{
	if (a->ph.ua)
		sip_stack_set_trace(ua_sip(a->ph.ua),
				    a->ph.capture || trace_on(a->trace));
}


int diagnosis_trace(const char *path, void *arg)
{
	struct app *a = arg;
	const int err = trace_to(a->trace, path);

	listen_or_not(a);

	return err;
}


void diagnosis_message(bool tx, enum sip_transp tp, const struct sa *local,
		       const struct sa *peer, const char *text, size_t len,
		       void *arg)
{
	struct app *a = arg;

	trace_message(a->trace, tx, tp, local, peer, text, len);
	capture_sip(a->ph.capture, tx, tp, local, peer, text, len);
}


static int hep_start(struct app *a)
{
	const char *s = a->ph.config->hep_server;
	char addr[64];
	struct sa sa;
	uint16_t port;
	int err;

	err = text_addr(addr, sizeof(addr), &port, s, strlen(s));
	if (!err)
		err = sa_set_str(&sa, addr, port ? port : HEP_PORT);
	if (!err)
		err = hep_open(&a->hep, a->ph.capture, &sa,
			       (uint32_t)a->ph.config->hep_id);
	if (err)
		log_warn("no copies to hep-server %s: %s", s, strerror(err));

	return 0;
}


int diagnosis_start(struct app *a)
{
	const struct config *config = a->ph.config;
	const struct capture_limits lim = {
		.messages = (size_t)config->capture_messages,
		.bytes = (size_t)config->capture_bytes,
	};
	int err;

	if (!lim.messages && !config->hep_server[0])
		return 0;

	err = capture_alloc(&a->ph.capture, &lim);
	if (!err && config->hep_server[0])
		err = hep_start(a);

	return err;
}


/* What is asked for and cannot be had is an error, as a port is */
static int monitors_start(struct app *a)
{
	const char *where = a->ph.config->metrics;
	char err[UA_ERR], text[CONFIG_ERR];
	const int e = metrics_serve(&a->monitors, a->ph.metrics, where, err);

	if (!e)
		return 0;

	snprintf(text, sizeof(text), "metrics=%.200s: %s", where,
		 err[0] ? err : strerror(e));
	fatal(a, "bad-config", text);

	return e;
}


static int journal_start(struct app *a)
{
	const char *file = a->args.journal;
	const int err = journal_open(&a->journal, file, a->ph.bus,
				     a->ph.capture);

	if (err)
		fatal_file(a, file, err);

	return err;
}


void diagnosis_reply(const struct reply *r, bool failed, void *arg)
{
	struct app *a = arg;
	(void)failed;

	if (a->journal)
		journal_line(a->journal, reply_line(r), reply_ok(r),
			     reply_error_text(r), reply_took_ms(r));
}


int diagnosis_follow(struct app *a)
{
	int err = 0;

	listen_or_not(a);

	/* the capture first: it must know whose the messages are */
	if (a->ph.capture)
		err = capture_follow(a->ph.capture, a->ph.ua, a->ph.bus);

	if (!err)
		err = findings_start(&a->findings, a->ph.ua, a->ph.bus,
				     a->ph.capture);
	if (!err)
		err = metrics_alloc(&a->ph.metrics, a->ph.ua, a->ph.media,
				    a->ph.bus);
	if (!err && a->args.journal)
		err = journal_start(a);
	if (!err && a->ph.config->metrics[0])
		err = monitors_start(a);

	return err;
}


void diagnosis_stop(struct app *a)
{
	a->ph.pcap = mem_deref(a->ph.pcap);
	a->hep = mem_deref(a->hep);
	a->findings = mem_deref(a->findings);
	a->journal = mem_deref(a->journal);
	a->monitors = mem_deref(a->monitors);
	a->ph.metrics = mem_deref(a->ph.metrics);
	a->ph.capture = mem_deref(a->ph.capture);
}
