/**
 * @file sip_peer.c  A raw SIP peer, in the same loop as what it tests
 *
 * Main thread of a test.  A peer owns its socket and every message that came.
 * On TCP it has one connection at a time.
 */
#include <stdio.h>
#include "offhook/timer.h"
#include "sip_peer.h"


enum { STRINGS = 8, TICK_MS = 2 };

struct peer {
	struct udp_sock *us;
	struct tcp_sock *ts;
	struct tcp_conn *tc;
	struct mbuf *stream;     /* what came by tc, not yet a message */
	unsigned accepted;
	struct sa addr;
	char uri[80];
	struct list queue;       /* struct got, in order               */
	struct list done;        /* waited for; kept for their readers */
	struct mbuf *raw;        /* last datagram that was no message  */
	unsigned raws;
	struct sa see;           /* unset: Via as it came              */
};

struct got {
	struct le le;
	struct sip_msg *msg;
};


/* The loop ---------------------------------------------------------------- */

/* libre's timers: they run on when the clock of ours stands still */
static struct wait {
	bool (*cond)(void *arg);
	void *arg;
	struct tmr tick, end;
	bool met;
	bool moves;
} w;


static void tick_h(void *arg)
{
	(void)arg;

	if (w.moves)
		timers_advance(TICK_MS);

	if (w.cond && w.cond(w.arg)) {
		w.met = true;
		re_cancel();
		return;
	}

	tmr_start(&w.tick, TICK_MS, tick_h, NULL);
}


static void end_h(void *arg)
{
	(void)arg;
	re_cancel();
}


void loop_moves_clock(bool moves)
{
	w.moves = moves;
}


bool loop_until(bool (*cond)(void *arg), void *arg, unsigned ms)
{
	w.cond = cond;
	w.arg = arg;
	w.met = false;
	tmr_init(&w.tick);
	tmr_init(&w.end);
	/* not at once: what has come is read first, a datagram a turn */
	tmr_start(&w.tick, TICK_MS, tick_h, NULL);
	tmr_start(&w.end, ms, end_h, NULL);
	(void)re_main(NULL);
	tmr_cancel(&w.tick);
	tmr_cancel(&w.end);

	return w.met || (cond && cond(arg));
}


void loop_run(unsigned ms)
{
	(void)loop_until(NULL, NULL, ms);
}


/* What comes -------------------------------------------------------------- */

static void got_destructor(void *arg)
{
	struct got *g = arg;

	list_unlink(&g->le);
	mem_deref(g->msg);
}


static void keep(struct peer *p, struct sip_msg *msg, const struct sa *src)
{
	struct got *g;

	msg->src = *src;

	g = mem_zalloc(sizeof(*g), got_destructor);
	if (!g) {
		mem_deref(msg);
		return;
	}

	g->msg = msg;
	list_append(&p->queue, &g->le, g);
}


static void raw_keep(struct peer *p, struct mbuf *mb, size_t len)
{
	mem_deref(p->raw);
	p->raw = mbuf_alloc(len);
	(void)mbuf_write_mem(p->raw, mbuf_buf(mb), len);
	++p->raws;
}


static void recv_h(const struct sa *src, struct mbuf *mb, void *arg)
{
	const size_t pos = mb->pos;
	struct peer *p = arg;
	struct sip_msg *msg;

	if (!sip_msg_decode(&msg, mb)) {
		keep(p, msg, src);
		return;
	}

	mb->pos = pos;
	raw_keep(p, mb, mbuf_get_left(mb));
}


/* Each message gets a buffer of its own */
static bool stream_take(struct peer *p)
{
	struct mbuf *all = p->stream, *one;
	struct sip_msg *msg;
	size_t start = all->pos, end;
	struct sa src;

	if (mbuf_get_left(all) >= 4 &&
	    !memcmp(mbuf_buf(all), "\r\n\r\n", 4)) {
		raw_keep(p, all, 4);
		all->pos += 4;
		return true;
	}

	if (sip_msg_decode(&msg, all)) {
		all->pos = start;
		return false;
	}

	end = all->pos + pl_u32(&msg->clen);
	mem_deref(msg);
	all->pos = start;
	if (end > all->end)
		return false;

	one = mbuf_alloc(end - start);
	(void)mbuf_write_mem(one, all->buf + start, end - start);
	one->pos = 0;
	all->pos = end;

	(void)tcp_conn_peer_get(p->tc, &src);
	if (!sip_msg_decode(&msg, one))
		keep(p, msg, &src);
	mem_deref(one);

	return true;
}


static void stream_h(struct mbuf *mb, void *arg)
{
	struct peer *p = arg;
	const size_t pos = p->stream->pos;

	p->stream->pos = p->stream->end;
	(void)mbuf_write_mem(p->stream, mbuf_buf(mb), mbuf_get_left(mb));
	p->stream->pos = pos;

	while (mbuf_get_left(p->stream) && stream_take(p))
		;
}


static void estab_h(void *arg)
{
	(void)arg;
}


static void gone_h(int err, void *arg)
{
	struct peer *p = arg;
	(void)err;

	p->tc = mem_deref(p->tc);
}


static void accept_h(const struct sa *src, void *arg)
{
	struct peer *p = arg;
	(void)src;

	mem_deref(p->tc);
	p->tc = NULL;
	p->stream->pos = p->stream->end = 0;
	if (!tcp_accept(&p->tc, p->ts, estab_h, stream_h, gone_h,
			p))
		++p->accepted;
}


void peer_drop(struct peer *p)
{
	p->tc = mem_deref(p->tc);
}


unsigned peer_accepted(const struct peer *p)
{
	return p->accepted;
}


static void peer_destructor(void *arg)
{
	struct peer *p = arg;

	mem_deref(p->us);
	mem_deref(p->tc);
	mem_deref(p->ts);
	mem_deref(p->stream);
	mem_deref(p->raw);
	list_flush(&p->queue);
	list_flush(&p->done);
}


int peer_alloc(struct peer **pp)
{
	struct peer *p;
	struct sa any;
	int err;

	p = mem_zalloc(sizeof(*p), peer_destructor);
	if (!p)
		return ENOMEM;

	(void)sa_set_str(&any, "127.0.0.1", 0);
	err = udp_listen(&p->us, &any, recv_h, p);
	if (!err)
		err = udp_local_get(p->us, &p->addr);
	if (err) {
		mem_deref(p);
		return err;
	}

	(void)re_snprintf(p->uri, sizeof(p->uri), "sip:peer@%J", &p->addr);
	*pp = p;

	return 0;
}


int peer_alloc_tcp(struct peer **pp, const struct sa *dst)
{
	struct peer *p;
	struct sa any;
	int err;

	p = mem_zalloc(sizeof(*p), peer_destructor);
	if (!p)
		return ENOMEM;

	(void)sa_set_str(&any, "127.0.0.1", 0);
	p->stream = mbuf_alloc(4096);

	if (dst) {
		err = tcp_connect(&p->tc, dst, estab_h, stream_h,
				  gone_h, p);
		if (!err)
			err = tcp_conn_local_get(p->tc, &p->addr);
	}
	else {
		err = tcp_listen(&p->ts, &any, accept_h, p);
		if (!err)
			err = tcp_sock_local_get(p->ts, &p->addr);
	}
	if (err) {
		mem_deref(p);
		return err;
	}

	(void)re_snprintf(p->uri, sizeof(p->uri),
			  "sip:peer@%J;transport=tcp", &p->addr);
	*pp = p;

	return 0;
}


const struct sa *peer_addr(const struct peer *p)
{
	return &p->addr;
}


const char *peer_uri(const struct peer *p)
{
	return p->uri;
}


static bool msg_is(const struct sip_msg *msg, const char *what)
{
	const char *method = strchr(what, ' ');

	if (msg->req)
		return !method && !pl_strcmp(&msg->met, what);

	return method && msg->scode == atoi(what) &&
		!pl_strcmp(&msg->cseq.met, method + 1);
}


static struct got *find(const struct peer *p, const char *what)
{
	struct le *le;

	for (le = p->queue.head; le; le = le->next) {
		struct got *g = le->data;

		if (msg_is(g->msg, what))
			return g;
	}

	return NULL;
}


struct want {
	const struct peer *p;
	const char *what;
};


static bool came(void *arg)
{
	const struct want *want = arg;

	return find(want->p, want->what) != NULL;
}


const struct sip_msg *peer_wait(struct peer *p, const char *what,
				unsigned ms)
{
	struct want want = {.p = p, .what = what};
	struct got *g;

	if (!find(p, what) && !loop_until(came, &want, ms)) {
		struct le *le;

		fprintf(stderr, "peer: no %s; queued:", what);
		for (le = p->queue.head; le; le = le->next) {
			const struct got *q = le->data;

			(void)re_fprintf(stderr, " %r/%u", q->msg->req ?
					 &q->msg->met : &q->msg->cseq.met,
					 q->msg->scode);
		}
		fprintf(stderr, "\n");
		return NULL;
	}

	g = find(p, what);
	list_unlink(&g->le);
	list_append(&p->done, &g->le, g);

	return g->msg;
}


unsigned peer_count(const struct peer *p, const char *what)
{
	struct le *le;
	unsigned n = 0;

	for (le = p->queue.head; le; le = le->next) {
		const struct got *g = le->data;

		n += msg_is(g->msg, what);
	}

	return n;
}


void peer_forget(struct peer *p)
{
	while (p->queue.head) {
		struct got *g = p->queue.head->data;

		list_unlink(&g->le);
		list_append(&p->done, &g->le, g);
	}
}


const uint8_t *peer_raw(const struct peer *p, size_t *len, unsigned *n)
{
	if (len)
		*len = p->raw ? p->raw->end : 0;
	if (n)
		*n = p->raws;

	return p->raw ? p->raw->buf : NULL;
}


void peer_see(struct peer *p, const struct sa *addr)
{
	if (addr)
		p->see = *addr;
	else
		sa_init(&p->see, AF_UNSPEC);
}


static const char *string(const struct pl *pl)
{
	static char ring[STRINGS][4096];
	static unsigned n;
	char *s = ring[n++ % STRINGS];

	if (!pl || !pl->p)
		*s = '\0';
	else
		(void)pl_strcpy(pl, s, sizeof(ring[0]));

	return s;
}


const char *msg_header(const struct sip_msg *msg, const char *name)
{
	const struct le *le;

	for (le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (!pl_strcasecmp(&hdr->name, name))
			return string(&hdr->val);
	}

	return "";
}


const char *msg_body(const struct sip_msg *msg)
{
	struct pl pl = {.p = (const char *)mbuf_buf(msg->mb),
			.l = mbuf_get_left(msg->mb)};

	return string(&pl);
}


const char *msg_ruri(const struct sip_msg *msg)
{
	return string(&msg->ruri);
}


/* What goes --------------------------------------------------------------- */

void peer_send(struct peer *p, const struct sa *dst, const char *text,
	       size_t len)
{
	struct mbuf *mb = mbuf_alloc(len + 1);

	(void)mbuf_write_mem(mb, (const uint8_t *)text, len);
	mb->pos = 0;
	if (p->us)
		(void)udp_send(p->us, dst, mb);
	else if (p->tc)
		(void)tcp_send(p->tc, mb);
	mem_deref(mb);
}


static void send_mb(struct peer *p, const struct sa *dst, struct mbuf *mb,
		    const char *body)
{
	if (body)
		(void)mbuf_printf(mb, "Content-Type: application/sdp\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
				  strlen(body), body);
	else
		(void)mbuf_printf(mb, "Content-Length: 0\r\n\r\n");

	peer_send(p, dst, (char *)mb->buf, mb->end);
}


/* Via, with received and rport as RFC 3581 has them */
static void via_write(struct mbuf *mb, const struct peer *p,
		      const struct sip_hdr *hdr)
{
	static const char rport[] = ";rport";
	const char *val = string(&hdr->val), *at = strstr(val, rport);

	if (!sa_isset(&p->see, SA_ADDR) || !at) {
		(void)mbuf_printf(mb, "Via: %s\r\n", val);
		return;
	}

	(void)mbuf_printf(mb, "Via: %b;rport=%u;received=%j%s\r\n",
			  val, (size_t)(at - val), sa_port(&p->see), &p->see,
			  at + sizeof(rport) - 1);
}


void peer_reply(struct peer *p, const struct sip_msg *req, unsigned code,
		const char *tag, const char *headers, const char *body)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct le *le;

	(void)mbuf_printf(mb, "SIP/2.0 %u Peer says so\r\n", code);

	for (le = req->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		switch (hdr->id) {

		case SIP_HDR_VIA:
			via_write(mb, p, hdr);
			break;

		case SIP_HDR_FROM: case SIP_HDR_CALL_ID:
		case SIP_HDR_CSEQ:
			(void)mbuf_printf(mb, "%r: %r\r\n", &hdr->name,
					  &hdr->val);
			break;

		case SIP_HDR_TO:
			(void)mbuf_printf(mb, "To: %r%s%s\r\n", &hdr->val,
					  *tag ? ";tag=" : "", tag);
			break;

		default:
			break;
		}
	}

	if (!strstr(headers, "Contact:") && code < 300 && code > 100)
		(void)mbuf_printf(mb, "Contact: <%s>\r\n", p->uri);

	(void)mbuf_write_str(mb, headers);
	send_mb(p, &req->src, mb, body);
	mem_deref(mb);
}


static void take(char *dst, size_t sz, const struct pl *pl)
{
	*dst = '\0';
	if (pl->p)
		(void)pl_strcpy(pl, dst, sz);
}


static void take_contact(char *dst, size_t sz, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	*dst = '\0';
	if (hdr && !sip_addr_decode(&addr, &hdr->val))
		take(dst, sz, &addr.auri);
}


void peer_dialog_uas(struct peer_dialog *d, const struct peer *p,
		     const struct sip_msg *req, const char *tag)
{
	(void)p;
	memset(d, 0, sizeof(*d));
	take(d->callid, sizeof(d->callid), &req->callid);
	take(d->local, sizeof(d->local), &req->to.auri);
	take(d->remote, sizeof(d->remote), &req->from.auri);
	take(d->rtag, sizeof(d->rtag), &req->from.tag);
	(void)snprintf(d->ltag, sizeof(d->ltag), "%s", tag);
	take_contact(d->target, sizeof(d->target), req);
	d->cseq = 100;
	d->dst = req->src;
}


void peer_dialog_uac(struct peer_dialog *d, const struct peer *p,
		     const struct sa *dst)
{
	memset(d, 0, sizeof(*d));
	(void)snprintf(d->callid, sizeof(d->callid), "%llx",
		       (unsigned long long)rand_u64());
	(void)snprintf(d->local, sizeof(d->local), "%s", p->uri);
	(void)snprintf(d->ltag, sizeof(d->ltag), "%x", rand_u32());
	(void)re_snprintf(d->remote, sizeof(d->remote), "sip:us@%J", dst);
	(void)re_snprintf(d->target, sizeof(d->target), "sip:us@%J", dst);
	d->dst = *dst;
}


void peer_dialog_take(struct peer_dialog *d, const struct sip_msg *resp)
{
	take(d->rtag, sizeof(d->rtag), &resp->to.tag);
	if (sip_msg_hdr(resp, SIP_HDR_CONTACT))
		take_contact(d->target, sizeof(d->target), resp);
}


void peer_request(struct peer *p, struct peer_dialog *d, const char *method,
		  const char *headers, const char *body)
{
	const bool ack = !strcmp(method, "ACK");
	const bool cancel = !strcmp(method, "CANCEL");
	struct mbuf *mb = mbuf_alloc(1024);

	if (!ack && !cancel)
		++d->cseq;
	if (!cancel)
		(void)snprintf(d->branch, sizeof(d->branch), "z9hG4bK%llx",
			       (unsigned long long)rand_u64());

	(void)mbuf_printf(mb, "%s %s SIP/2.0\r\n"
			  "Via: SIP/2.0/%s %J;branch=%s;rport\r\n"
			  "Max-Forwards: 70\r\n%s"
			  "From: <%s>%s%s\r\n"
			  "To: <%s>%s%s\r\n"
			  "Call-ID: %s\r\n"
			  "CSeq: %u %s\r\n",
			  method, d->target, p->us ? "UDP" : "TCP", &p->addr,
			  d->branch, d->route,
			  d->local, *d->ltag ? ";tag=" : "", d->ltag,
			  d->remote, *d->rtag ? ";tag=" : "", d->rtag,
			  d->callid, d->cseq, method);

	if (!strstr(headers, "Contact:") && !cancel)
		(void)mbuf_printf(mb, "Contact: <%s>\r\n", p->uri);

	(void)mbuf_write_str(mb, headers);
	send_mb(p, &d->dst, mb, body);
	mem_deref(mb);
}
