/**
 * @file sip/transaction.c  Client transactions, RFC 3261 17.1
 *
 * Main thread.  libre's own cannot be ended before their time, their timers
 * live in a list that is walked from one end for each of them, and of a
 * connection that dies they hear nothing.  Over UDP a request is sent again
 * and again; over a connection it is sent once, and fails with it.
 *
 * A transaction belongs to the stack; its user holds a pointer that becomes
 * worthless with the final response.  Let go of, it sends its request no more,
 * but an INVITE still waits for signs of life, to cancel or acknowledge them.
 */
#include <offhook/random.h>
#include "request.h"
#include "conn.h"


enum { BUCKETS = 1024 };

enum state {
	CALLING,               /* INVITE, nothing heard                       */
	TRYING,                /* another, nothing heard                      */
	PROCEEDING,
	COMPLETED,             /* INVITE refused, the ACK is out              */
};

struct trans {
	struct le he;               /* stack->trans                         */
	struct sip_stack *stack;
	struct target tg;           /* where to, and by what                */
	struct conn_watch watch;    /* its connection                       */
	enum state state;
	bool invite;
	bool cancel;                /* as soon as it may be                 */
	bool adrift;                /* our address is gone: it waits        */
	uint32_t wait_ms;           /* until the next copy                  */
	uint64_t due_ms;            /* timer B or F                         */
	struct timer tmr;
	struct mbuf *mb;            /* the request; then the ACK            */
	char *lines;                /* more headers of its CANCEL, or NULL  */
	struct trans **self;        /* its user's pointer                   */
	int err;                    /* that it could not be delivered       */
	trans_h *h;                 /* NULL: nobody listens                 */
	void *arg;
	char branch[24];
	char method[];
};

struct transactions {
	struct hash *table;
};


static uint32_t t1(const struct trans *t)
{
	return stack_trans_t1(t->stack);
}


static void trans_destructor(void *arg)
{
	struct trans *t = arg;

	hash_unlink(&t->he);
	timer_cancel(&t->tmr);
	conn_unwatch(&t->watch);
	mem_deref(t->mb);
	mem_deref(t->lines);
}


static void table_destructor(void *arg)
{
	struct transactions *ts = arg;

	hash_flush(ts->table);
	mem_deref(ts->table);
}


int transactions_alloc(struct transactions **tp)
{
	struct transactions *ts;
	int err;

	ts = mem_zalloc(sizeof(*ts), table_destructor);
	if (!ts)
		return ENOMEM;

	err = hash_alloc(&ts->table, BUCKETS);
	if (err)
		mem_deref(ts);
	else
		*tp = ts;

	return err;
}


static int transmit(struct trans *t, struct mbuf *mb)
{
	mb->pos = 0;

	return target_send(&t->tg, mb);
}


/* Its user hears the last of it: the pointer is worthless from now on */
static trans_h *user_leave(struct trans *t, void **arg)
{
	trans_h *h = t->h;

	if (t->self)
		*t->self = NULL;

	*arg = t->arg;
	t->self = NULL;
	t->h = NULL;

	return h;
}


/* The end without a final response */
static void fail(struct trans *t, int err, const char *why)
{
	void *arg;
	trans_h *h = user_leave(t, &arg);

	mem_deref(t);
	if (h)
		h(err, why, NULL, arg);
}


static void conn_gone_h(int err, const char *why, void *arg)
{
	fail(arg, err, why);
}


static bool reliable(const struct trans *t)
{
	return t->tg.tp != SIP_TRANSP_UDP;
}


static void retransmit_h(void *arg)
{
	struct trans *t = arg;
	const uint64_t now = clock_ms();
	int err;

	if (now >= t->due_ms) {
		fail(t, ETIMEDOUT, NULL);
		return;
	}

	/* nobody wants it any more, or once is enough: only the deadline is
	   left */
	if (!t->h || t->cancel || t->adrift || reliable(t)) {
		timer_start(&t->tmr, t->due_ms - now, retransmit_h, t);
		return;
	}

	err = transmit(t, t->mb);
	if (err) {
		fail(t, err, NULL);
		return;
	}

	if (t->state == PROCEEDING)
		t->wait_ms = SIP_T2_MS;
	else if (t->state == CALLING || t->wait_ms < SIP_T2_MS / 2)
		t->wait_ms *= 2;
	else
		t->wait_ms = SIP_T2_MS;

	timer_start(&t->tmr, t->wait_ms < t->due_ms - now ? t->wait_ms :
		    t->due_ms - now, retransmit_h, t);
}


static void end_h(void *arg)
{
	fail(arg, ETIMEDOUT, NULL);
}


/* Our own message: its lines are as we wrote them */
static const char *line_find(const struct mbuf *mb, const char *name,
			     size_t *len)
{
	const char *p = (const char *)mb->buf, *end = p + mb->end;
	const size_t n = strlen(name);

	while (p < end && *p != '\r') {
		const char *next = memchr(p, '\n', (size_t)(end - p));

		next = next ? next + 1 : end;
		if ((size_t)(next - p) > n && !memcmp(p, name, n)) {
			*len = (size_t)(next - p);
			return p;
		}
		p = next;
	}

	return NULL;
}


static int line_copy(struct mbuf *dst, const struct mbuf *src,
		     const char *name)
{
	size_t len;
	const char *p = line_find(src, name, &len);

	return p ? mbuf_write_mem(dst, (const uint8_t *)p, len) : EINVAL;
}


static int routes_copy(struct mbuf *dst, const struct mbuf *src)
{
	struct mbuf rest = *src;
	const char *p;
	size_t len;
	int err = 0;

	while (!err && (p = line_find(&rest, "Route: ", &len))) {
		err = mbuf_write_mem(dst, (const uint8_t *)p, len);
		rest.end -= (size_t)(p + len - (const char *)rest.buf);
		rest.buf = (uint8_t *)p + len;
	}

	return err;
}


/*
 * CANCEL (9.1) or the ACK of a refusal (17.1.1.3): what names the transaction
 * is the request's, but the ACK answers the To of its response
 */
static int companion(struct mbuf **mbp, const struct trans *t,
		     const char *method, const struct sip_msg *resp)
{
	const char *lines = resp || !t->lines ? "" : t->lines;
	const struct mbuf *req = t->mb;
	const char *uri, *end, *cseq;
	struct mbuf *mb;
	size_t len;
	int err;

	uri = memchr(req->buf, ' ', req->end);
	end = uri ? memchr(uri, '\r', req->end) : NULL;
	cseq = line_find(req, "CSeq: ", &len);
	if (!uri || !end || !cseq)
		return EINVAL;

	mb = mbuf_alloc(512);
	if (!mb)
		return ENOMEM;

	err = mbuf_write_str(mb, method);
	if (!err)
		err = mbuf_write_mem(mb, (const uint8_t *)uri,
				     (size_t)(end - uri));
	if (!err)
		err = mbuf_write_str(mb, "\r\n");
	if (!err)
		err = line_copy(mb, req, "Via: ");
	if (!err)
		err = mbuf_write_str(mb, "Max-Forwards: 70\r\n");
	if (!err)
		err = routes_copy(mb, req);
	if (!err)
		err = line_copy(mb, req, "From: ");
	if (!err)
		err = resp ? mbuf_printf(mb, "To: %r\r\n", &resp->to.val) :
			line_copy(mb, req, "To: ");
	if (!err)
		err = line_copy(mb, req, "Call-ID: ");
	if (!err)
		err = mbuf_printf(mb, "CSeq: %u %s\r\n%sUser-Agent: %s\r\n"
				  "Content-Length: 0\r\n\r\n",
				  (unsigned)strtoul(cseq + 6, NULL, 10),
				  method, lines, t->stack->user_agent);

	if (err)
		mem_deref(mb);
	else
		*mbp = mb;

	return err;
}


/* Its own transaction under the same branch. @return 0 or errno */
static int start(struct trans **tp, const struct target *tg,
		 const char *method, const char *branch, struct mbuf *mb,
		 trans_h *h, void *arg)
{
	struct sip_stack *s = tg->leg->stack;
	struct trans *t;
	struct conn *c;
	int err;

	t = mem_zalloc(sizeof(*t) + strlen(method) + 1, trans_destructor);
	if (!t)
		return ENOMEM;

	t->stack = s;
	t->tg = *tg;
	t->mb = mem_ref(mb);
	strcpy(t->method, method);
	(void)snprintf(t->branch, sizeof(t->branch), "%s", branch);
	t->invite = !strcmp(method, "INVITE");
	t->state = t->invite ? CALLING : TRYING;
	t->wait_ms = t1(t);
	t->due_ms = clock_ms() + 64 * t1(t);

	err = transmit(t, mb);
	if (err) {
		mem_deref(t);
		return err;
	}

	t->h = h;
	t->arg = arg;
	t->self = tp;
	hash_append(s->trans->table, hash_joaat_str(t->branch), &t->he, t);
	timer_start(&t->tmr, reliable(t) ? 64 * t1(t) : t->wait_ms,
		    retransmit_h, t);

	c = reliable(t) ? conn_find(s, tg->flow) : NULL;
	if (c)
		conn_watch(c, &t->watch, conn_gone_h, t);

	if (tp)
		*tp = t;

	return 0;
}


static void dummy_h(int err, const char *why, const struct sip_msg *msg,
		    void *arg)
{
	(void)err;
	(void)why;
	(void)msg;
	(void)arg;
}


static void cancel_send(struct trans *t)
{
	struct mbuf *mb = NULL;

	/* 9.1: if no final response comes it is over all the same */
	t->due_ms = clock_ms() + 64 * t1(t);
	timer_start(&t->tmr, 64 * t1(t), end_h, t);

	if (!companion(&mb, t, "CANCEL", NULL))
		(void)start(NULL, &t->tg, "CANCEL", t->branch, mb, dummy_h,
			    NULL);

	mem_deref(mb);
}


/* Responses ---------------------------------------------------------------- */

static void provisional(struct trans *t, const struct sip_msg *msg)
{
	const bool first = t->state != PROCEEDING;

	if (t->state == COMPLETED)
		return;

	t->state = PROCEEDING;

	if (t->invite && first) {
		timer_cancel(&t->tmr);
		if (t->cancel)
			cancel_send(t);
	}

	if (t->h)
		t->h(0, NULL, msg, t->arg);
}


static void refused(struct trans *t, const struct sip_msg *msg)
{
	struct mbuf *ack = NULL;
	trans_h *h;
	void *arg;

	if (t->state == COMPLETED) {
		(void)transmit(t, t->mb);
		return;
	}

	h = user_leave(t, &arg);
	t->state = COMPLETED;

	if (companion(&ack, t, "ACK", msg)) {
		mem_deref(t);
	}
	else {
		mem_deref(t->mb);
		t->mb = ack;
		mbuf_trim(ack);
		t->lines = mem_deref(t->lines);
		(void)transmit(t, ack);
		conn_unwatch(&t->watch);

		/* over a connection no copy of the refusal comes */
		if (reliable(t))
			mem_deref(t);
		else
			timer_start(&t->tmr, 64 * t1(t), end_h, t);
	}

	if (h)
		h(0, NULL, msg, arg);
}


static bool key_h(struct le *le, void *arg)
{
	const struct trans *t = le->data;
	const struct sip_msg *msg = arg;

	return !pl_strcmp(&msg->via.branch, t->branch) &&
		!pl_strcmp(&msg->cseq.met, t->method);
}


bool trans_response(struct leg *l, const struct sip_msg *msg)
{
	struct trans *t;
	trans_h *h;
	void *arg;

	t = list_ledata(hash_lookup(l->stack->trans->table,
				    hash_joaat_pl(&msg->via.branch), key_h,
				    (void *)msg));
	if (!t || t->tg.leg != l || t->tg.tp != msg->tp)
		return false;

	if (msg->scode < 200) {
		provisional(t, msg);
		return true;
	}

	if (t->invite && msg->scode >= 300) {
		refused(t, msg);
		return true;
	}

	/* a 2xx after a refusal, or to a call let go of: its dialog's user is
	   told by uas.c, as of all later ones */
	if (!t->h) {
		if (t->state != COMPLETED)
			mem_deref(t);
		return false;
	}

	/* timer K would keep it for copies of the response, to drop them; they
	   are dropped because they fit nothing */
	h = user_leave(t, &arg);
	mem_deref(t);
	h(0, NULL, msg, arg);

	return true;
}


static void undelivered_h(void *arg)
{
	struct trans *t = arg;

	fail(t, t->err, NULL);
}


struct lost {
	const struct leg *leg;
	const struct sa *dst;
	int err;
};


static bool lost_h(struct le *le, void *arg)
{
	const struct lost *lost = arg;
	struct trans *t = le->data;

	/* who has answered once is there */
	if (t->tg.tp == SIP_TRANSP_UDP && t->tg.leg == lost->leg &&
	    (t->state == CALLING || t->state == TRYING) &&
	    sa_cmp(&t->tg.dst, lost->dst, SA_ALL)) {
		t->err = lost->err;
		timer_start(&t->tmr, 0, undelivered_h, t);
	}

	return false;
}


void trans_dst_failed(struct leg *l, const struct sa *dst, int err)
{
	struct lost lost = {.leg = l, .dst = dst, .err = err};

	(void)hash_apply(l->stack->trans->table, lost_h, &lost);
}


/* For request.c ------------------------------------------------------------- */

int trans_send(struct trans **tp, const struct target *tg,
	       const char *method, const char *uri, const struct mbuf *rest,
	       trans_h *h, void *arg)
{
	struct mbuf *mb;
	char branch[24];
	int err;

	(void)snprintf(branch, sizeof(branch), "z9hG4bK%016llx",
		       (unsigned long long)random_u64());

	mb = mbuf_alloc(strlen(uri) + rest->end + 160);
	if (!mb)
		return ENOMEM;

	err = mbuf_printf(mb, "%s %s SIP/2.0\r\n"
			  "Via: SIP/2.0/%s %J;branch=%s;rport\r\n",
			  method, uri, sip_transp_name(tg->tp),
			  leg_laddr(tg->leg, tg->tp), branch);
	if (!err)
		err = mbuf_write_mem(mb, rest->buf, rest->end);
	if (!err)
		err = start(tp, tg, method, branch, mb, h, arg);

	mem_deref(mb);

	return err;
}


void trans_adrift(struct trans *t)
{
	conn_unwatch(&t->watch);
	t->adrift = true;
}


void trans_move(struct trans *t, const struct target *tg)
{
	conn_unwatch(&t->watch);
	t->tg = *tg;
}


void trans_cancel(struct trans *t, const char *lines)
{
	if (!t->invite || t->cancel || t->state == COMPLETED)
		return;

	if (lines)
		(void)str_dup(&t->lines, lines);
	t->cancel = true;
	if (t->state == PROCEEDING)
		cancel_send(t);
}


struct trans *trans_drop(struct trans *t)
{
	if (!t)
		return NULL;

	t->h = NULL;
	t->self = NULL;

	if (!t->invite)
		mem_deref(t);
	else
		trans_cancel(t, NULL);

	return NULL;
}
