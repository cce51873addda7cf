/**
 * @file sip/rx.c  A request that came in, and its answer
 *
 * Main thread.  It is counted: the dispatcher holds it while its handler
 * runs, whoever answers later holds it longer.  A handler that answers at once
 * and plainly leaves no transaction behind, only the memory that it did
 * (keep.c); otherwise its transaction repeats the answer.  Nobody
 * can leave a peer without one: RFC 4320 wants it before 64*T1 are over, a
 * 100 after a while (of UDP), and never a 408.
 */
#include "priv.h"
#include "offhook/sip_rx.h"


enum {
	TRYING_T1 = 7,              /* Timer E has reached T2 by then      */
	ANSWER_T1 = 60,             /* a little before the peer gives up   */
	RX_MAX    = 256,            /* waiting at once                     */
	RETRY_S   = 5,
};

struct sip_rx {
	struct le le;               /* stack->rxs                          */
	struct leg *leg;            /* NULL: the stack is gone             */
	struct sip_msg *msg;
	struct strans *st;          /* from when it waits, or 1xx went out */
	struct sip_info *info;      /* once asked for                      */
	struct timer tmr;
	bool waiting;               /* its handler has returned            */
	bool tried;                 /* 1xx went out                        */
	bool answered;
};


/* 2xx to these makes or refreshes a dialog */
static bool makes_dialog(const struct pl *met)
{
	static const char *const v[] = {"SUBSCRIBE", "REFER", "UPDATE"};
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (!pl_strcmp(met, v[i]))
			return true;
	}

	return false;
}


/* Does headers have a line of this name? */
static bool lines_have(const char *headers, const char *name)
{
	const size_t len = strlen(name);
	const char *p = headers;

	while (p && *p) {
		if (!strncasecmp(p, name, len) && p[len] == ':')
			return true;
		p = strchr(p, '\n');
		if (p)
			++p;
	}

	return false;
}


/* The lines that a status calls for */
static int extras_write(struct mbuf *mb, const struct sip_rx *rx,
			uint16_t code, const char *headers)
{
	static const struct {
		uint16_t code;
		enum sip_ability what;
		const char *name;
	} v[] = {
		{405, SIP_AB_METHOD, "Allow"},
		{501, SIP_AB_METHOD, "Allow"},
		{415, SIP_AB_TYPE,   "Accept"},
		{489, SIP_AB_EVENT,  "Allow-Events"},
		{469, SIP_AB_INFO,   "Recv-Info"},
	};
	size_t i;
	int err = 0;

	for (i = 0; i < COUNTOF(v) && !err; i++) {
		if (code == v[i].code && !lines_have(headers, v[i].name))
			err = ability_write(mb, rx->leg->stack,
					    1u << v[i].what);
	}

	if (!err && code > 100 && code < 300 && makes_dialog(&rx->msg->met) &&
	    !lines_have(headers, "Contact")) {
		char user[256] = "";

		(void)pl_strcpy(&rx->msg->uri.user, user, sizeof(user));
		err = mbuf_write_str(mb, "Contact: ");
		if (!err)
			err = leg_contact(mb, rx->leg, rx->msg->tp, user,
					  target_secure(rx->msg));
		if (!err)
			err = mbuf_write_str(mb, "\r\n");
	}

	if (!err && headers)
		err = mbuf_write_str(mb, headers);

	return err;
}


static int reply(struct sip_rx *rx, uint16_t code, const char *reason,
		 const char *headers, const char *ctype, const char *body)
{
	const bool final = code >= 200;
	const bool dialog = code > 100 && code < 300 &&
		makes_dialog(&rx->msg->met);
	struct mbuf *mb = mbuf_alloc(256);
	int err;

	if (!mb)
		return ENOMEM;

	err = extras_write(mb, rx, code, headers);
	if (err)
		goto out;

	if (final) {
		timer_cancel(&rx->tmr);
		rx->answered = true;
	}

	/* nothing but the status: no transaction is needed to repeat it */
	if (final && !rx->st && !reason && !mb->end && !body && !dialog) {
		err = keep_reply(rx->leg, rx->msg, code);
		goto out;
	}

	if (body)
		err = mbuf_printf(mb, "Content-Type: %s\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
				  ctype, strlen(body), body);
	else
		err = mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");
	if (err)
		goto out;

	err = strans_reply(&rx->st, NULL, rx->leg, rx->msg, dialog, code,
			   reason ? reason : sip_phrase(code), mb);

 out:
	mem_deref(mb);

	return err;
}


int sip_rx_reply(struct sip_rx *rx, uint16_t code, const char *reason,
		 const char *headers, const char *ctype, const char *body)
{
	if (!rx || code < 100 || code > 699 ||
	    (reason && !header_text_ok(reason)) ||
	    (headers && !header_lines_ok(headers)) ||
	    (ctype && !header_text_ok(ctype)) || (body && !ctype))
		return EINVAL;
	if (rx->answered)
		return EALREADY;
	if (!rx->leg)
		return ENOTCONN;

	rx->tried = true;

	return reply(rx, code, reason, headers && *headers ? headers : NULL,
		     ctype, body);
}


static void late_h(void *arg)
{
	struct sip_rx *rx = arg;

	if (rx->tried) {
		log_info("a request was not answered in time: 500");
		(void)reply(rx, 500, NULL, NULL, NULL, NULL);
		return;
	}

	rx->tried = true;
	if (rx->msg->tp == SIP_TRANSP_UDP)
		(void)reply(rx, 100, NULL, NULL, NULL, NULL);
	timer_start(&rx->tmr, (ANSWER_T1 - TRYING_T1) *
		    stack_t1(rx->leg->stack), late_h, rx);
}


static void rx_destructor(void *arg)
{
	struct sip_rx *rx = arg;

	timer_cancel(&rx->tmr);
	list_unlink(&rx->le);

	if (rx->waiting && rx->leg && !rx->answered)
		(void)reply(rx, 500, NULL, NULL, NULL, NULL);

	mem_deref(rx->st);
	mem_deref(rx->info);
	mem_deref(rx->msg);
}


static int rx_alloc(struct sip_rx **rxp, struct leg *leg, const struct sip_msg *msg)
{
	struct sip_rx *rx;

	if (!rxp || !leg || !msg)
		return EINVAL;

	rx = mem_zalloc(sizeof(*rx), rx_destructor);
	if (!rx)
		return ENOMEM;

	rx->leg = leg;
	rx->msg = mem_ref((void *)msg);
	reply_tag_set(leg->stack, rx->msg);
	list_append(&leg->stack->rxs, &rx->le, rx);

	*rxp = rx;

	return 0;
}


/* It is not answered yet: copies of it must not come up to us again */
static int wait_begin(struct sip_rx *rx)
{
	rx->waiting = true;

	/* a 1xx has begun the transaction */
	if (!rx->st) {
		int err = strans_alloc(&rx->st, rx->leg, rx->msg, NULL, NULL);
		if (err)
			return err;
	}

	if (!timer_running(&rx->tmr))
		timer_start(&rx->tmr, TRYING_T1 * stack_t1(rx->leg->stack),
			    late_h, rx);

	return 0;
}


void rx_dispatch(struct leg *l, const struct sip_msg *msg, sip_rx_h *h,
		 void *arg)
{
	struct sip_stack *s = l->stack;
	struct sip_rx *rx;
	int status;

	if (list_count(&s->rxs) >= RX_MAX) {
		char line[32];

		(void)snprintf(line, sizeof(line), "Retry-After: %u\r\n",
			       RETRY_S);
		++s->stats.refused;
		(void)stack_reply(l, msg, 503, NULL, line);
		return;
	}

	if (rx_alloc(&rx, l, msg)) {
		(void)stack_reply(l, msg, 500, NULL, NULL);
		return;
	}

	status = h(rx, sip_rx_info(rx), arg);

	if (!rx->answered && rx->leg) {

		if (status) {
			if (status < 200 || status > 699)
				status = 500;
			if (status >= 400)
				++s->stats.refused;
			if (status == 405 || status == 501)
				status = uas_method_status(&msg->met);
			(void)reply(rx, (uint16_t)status, NULL, NULL, NULL,
				    NULL);
		}
		else if (wait_begin(rx)) {
			(void)reply(rx, 500, NULL, NULL, NULL, NULL);
		}
	}

	mem_deref(rx);
}


const struct sip_info *sip_rx_info(struct sip_rx *rx)
{
	if (!rx)
		return NULL;

	if (!rx->info) {
		rx->info = mem_zalloc(sizeof(*rx->info), NULL);
		if (rx->info)
			sip_info_fill(rx->info, rx->msg);
	}

	return rx->info;
}


const char *sip_rx_body(const struct sip_rx *rx, size_t *len)
{
	const size_t n = rx ? mbuf_get_left(rx->msg->mb) : 0;

	if (len)
		*len = n;

	return n ? (const char *)mbuf_buf(rx->msg->mb) : NULL;
}


bool sip_rx_ctype(const struct sip_rx *rx, const char *type,
		  const char *subtype)
{
	const struct msg_ctype *c;

	if (!rx || !type || !mbuf_get_left(rx->msg->mb))
		return false;

	c = &rx->msg->ctyp;

	return !pl_strcasecmp(&c->type, type) &&
		(!subtype || !pl_strcasecmp(&c->subtype, subtype));
}


bool sip_rx_in_dialog(const struct sip_rx *rx)
{
	return rx && pl_isset(&rx->msg->to.tag);
}


bool sip_rx_answered(const struct sip_rx *rx)
{
	return rx && rx->answered;
}


const struct sip_msg *rx_msg(const struct sip_rx *rx)
{
	return rx->msg;
}


struct leg *rx_leg(const struct sip_rx *rx)
{
	return rx->leg;
}


void rx_stack_gone(struct sip_stack *s)
{
	struct sip_rx *rx;

	while ((rx = list_ledata(list_head(&s->rxs)))) {
		timer_cancel(&rx->tmr);
		list_unlink(&rx->le);
		rx->st = mem_deref(rx->st);
		rx->leg = NULL;
	}
}
