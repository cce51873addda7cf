/**
 * @file app/capture.c  The SIP messages of the last minutes, kept in memory
 *
 * One list in the order of time, and for each Call-ID a dialog with its own:
 * which call it is, and what was said before, tells a retransmission.  Owns
 * copies of everything; bounded, the oldest go.  Main thread.
 */
#include <stdio.h>
#include "offhook/capture.h"
#include "offhook/clock.h"
#include "offhook/shelf.h"
#include "wire.h"

enum {
	BUCKETS   = 256,
	LOOK_BACK = 32,          /* messages of a dialog, for retransmissions */
	CALLID_MAX = 255,
	NOTE_MAX  = 400,
};

struct said;

struct dialog {
	struct le he;
	struct list said;        /* struct said, by le_dialog                */
	unsigned call;
	char callid[CALLID_MAX + 1];
};

struct said {
	struct capture_msg m;    /* first                                    */
	struct le le;
	struct le le_dialog;
	struct dialog *d;        /* NULL: no Call-ID                         */
	char text[];
};

struct capture_tap {
	struct le le;
	capture_h *h;
	void *arg;
};

/* what notes are made of */
static const enum event_type types[] = {
	EVENT_CALL_STATE, EVENT_CALL_MEDIA, EVENT_CALL_DTMF, EVENT_CALL_TONE,
	EVENT_DTMF_DONE,
};

struct capture {
	struct capture_limits lim;
	struct list said;        /* oldest first                             */
	struct shelf *shelf;     /* of them, and of what was said            */
	struct hash *dialogs;
	struct list taps;
	struct said **ring;      /* by seq, for who looks one up             */
	size_t ringc;
	size_t count, bytes;
	uint64_t seen, dropped;
	struct ua *ua;
	struct event_sub *subv[ARRAY_SIZE(types)];
};


/* By number ---------------------------------------------------------------- */

/* Numbers kept have no gaps: a ring as large as there are finds each at its
 * place.  Without memory the list is searched */
static void ring_put(struct capture *c, struct said *s)
{
	struct said **v = c->ring;
	size_t cap = c->ringc;

	if (c->count > cap) {
		cap = cap ? 2 * cap : 256;
		v = calloc(cap, sizeof(*v));
		free(c->ring);
		c->ring = v;
		c->ringc = v ? cap : 0;
		for (struct le *le = v ? c->said.head : NULL; le;
		     le = le->next) {
			struct said *o = le->data;

			v[o->m.seq % cap] = o;
		}
	}

	if (v)
		v[s->m.seq % cap] = s;
}


static void ring_take(struct capture *c, const struct said *s)
{
	if (c->ring && c->ring[s->m.seq % c->ringc] == s)
		c->ring[s->m.seq % c->ringc] = NULL;
}


/* Keeping ----------------------------------------------------------------- */

static void forget(struct capture *c, struct said *s)
{
	struct dialog *d = s->d;

	ring_take(c, s);
	list_unlink(&s->le);
	list_unlink(&s->le_dialog);
	--c->count;
	c->bytes -= sizeof(*s) + s->m.len;
	shelf_drop(s);

	if (d && !d->said.head) {
		hash_unlink(&d->he);
		shelf_drop(d);
	}
}


static void unfollow(struct capture *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->subv); i++)
		c->subv[i] = mem_deref(c->subv[i]);
}


static void capture_destructor(void *arg)
{
	struct capture *c = arg;

	unfollow(c);
	while (c->said.head)
		forget(c, c->said.head->data);
	while (c->taps.head)
		list_unlink(c->taps.head);
	mem_deref(c->dialogs);
	mem_deref(c->shelf);
	free(c->ring);
}


int capture_alloc(struct capture **cp, const struct capture_limits *lim)
{
	struct capture *c = mem_zalloc(sizeof(*c), capture_destructor);
	int err;

	if (!c)
		return ENOMEM;

	c->lim = *lim;
	err = shelf_alloc(&c->shelf);
	if (!err)
		err = hash_alloc(&c->dialogs, BUCKETS);
	if (err) {
		mem_deref(c);
		return err;
	}

	*cp = c;

	return 0;
}


static struct dialog *dialog_find(const struct capture *c, const char *callid)
{
	struct le *le = list_head(hash_list(c->dialogs,
					    hash_joaat_str(callid)));

	for (; le; le = le->next) {
		struct dialog *d = le->data;

		if (!strcmp(d->callid, callid))
			return d;
	}

	return NULL;
}


static struct dialog *dialog_get(struct capture *c, struct piece callid)
{
	char id[CALLID_MAX + 1];
	struct dialog *d;

	if (!callid.p || text_copy(id, sizeof(id), callid.p, callid.n))
		return NULL;

	d = dialog_find(c, id);
	if (d)
		return d;

	d = shelf_put(c->shelf, sizeof(*d));
	if (!d)
		return NULL;

	memcpy(d->callid, id, sizeof(id));
	hash_append(c->dialogs, hash_joaat_str(id), &d->he, d);

	return d;
}


/* The same bytes the same way before */
static bool said_before(const struct said *s)
{
	const struct le *le = s->d ? s->d->said.tail : NULL;

	for (unsigned n = 0; le && n < LOOK_BACK; n++, le = le->prev) {

		const struct said *o = le->data;

		if (o->m.tx == s->m.tx && o->m.len == s->m.len &&
		    !memcmp(o->text, s->text, s->m.len))
			return true;
	}

	return false;
}


static void piece_copy(char *buf, size_t sz, struct piece s)
{
	const size_t n = s.n < sz ? s.n : sz - 1;

	memcpy(buf, s.p, n);
	buf[n] = '\0';
}


static void read_message(struct capture_msg *m)
{
	struct wire_start st;
	struct piece cseq = wire_header(m->text, m->len, "CSeq", 0);
	struct piece method;
	size_t n = 0;

	if (!wire_start(&st, m->text, m->len))
		return;

	m->code = st.code;
	if (st.code)
		piece_copy(m->reason, sizeof(m->reason), st.reason);

	while (cseq.p && n < cseq.n && cseq.p[n] >= '0' && cseq.p[n] <= '9')
		++n;
	(void)text_u32(&m->cseq, cseq.p, n, UINT32_MAX);

	method = st.method;
	if (st.code && cseq.p) {
		while (n < cseq.n && (cseq.p[n] == ' ' || cseq.p[n] == '\t'))
			++n;
		method = (struct piece){ cseq.p + n, cseq.n - n };
	}
	if (method.p)
		piece_copy(m->method, sizeof(m->method), method);

	m->sdp = wire_description(m->text, m->len).p != NULL;
}


/* @return false: it was not kept */
static bool keep(struct capture *c, struct said *s)
{
	struct le *le;

	if (s->d)
		list_append(&s->d->said, &s->le_dialog, s);
	list_append(&c->said, &s->le, s);
	s->m.seq = ++c->seen;
	++c->count;
	c->bytes += sizeof(*s) + s->m.len;
	ring_put(c, s);

	for (le = c->taps.head; le; ) {
		struct capture_tap *t = le->data;

		le = le->next;
		t->h(&s->m, t->arg);
	}

	while (c->count > c->lim.messages || c->bytes > c->lim.bytes) {
		const bool all = c->said.head == c->said.tail;

		++c->dropped;
		forget(c, c->said.head->data);
		if (all)
			return false;
	}

	return true;
}


static struct said *said_alloc(struct capture *c, uint64_t time_us,
			       const char *text, size_t len)
{
	struct said *s = shelf_put(c->shelf, sizeof(*s) + len + 1);

	if (!s)
		return NULL;

	memcpy(s->text, text, len);
	s->m.text = s->text;
	s->m.len = len;
	s->m.callid = "";
	s->m.time_us = time_us ? time_us : clock_wall_us();

	return s;
}


void capture_sip_at(struct capture *c, uint64_t time_us, bool tx,
		    enum sip_transp tp, const struct sa *local,
		    const struct sa *peer, const char *text, size_t len)
{
	struct said *s;

	if (!c || (!c->lim.messages && !c->taps.head))
		return;

	s = said_alloc(c, time_us, text, len);
	if (!s)
		return;

	s->m.tx = tx;
	s->m.tp = tp;
	s->m.local = *local;
	s->m.peer = *peer;
	read_message(&s->m);

	s->d = dialog_get(c, wire_header(text, len, "Call-ID", 0));
	if (s->d) {
		s->m.callid = s->d->callid;
		s->m.call = s->d->call;
		s->m.again = said_before(s);
	}

	(void)keep(c, s);
}


void capture_sip(struct capture *c, bool tx, enum sip_transp tp,
		 const struct sa *local, const struct sa *peer,
		 const char *text, size_t len)
{
	capture_sip_at(c, 0, tx, tp, local, peer, text, len);
}


void capture_note(struct capture *c, uint64_t time_us, unsigned call,
		  const char *text)
{
	size_t len = strlen(text);
	struct said *s;

	if (!c || (!c->lim.messages && !c->taps.head))
		return;

	s = said_alloc(c, time_us, text, len < NOTE_MAX ? len : NOTE_MAX);
	if (!s)
		return;

	s->m.kind = CAPTURE_NOTE;
	s->m.call = call;

	(void)keep(c, s);
}


void capture_bind(struct capture *c, const char *callid, unsigned call)
{
	struct dialog *d = c ? dialog_find(c, callid) : NULL;
	struct le *le;

	if (!d || d->call == call)
		return;

	d->call = call;
	LIST_FOREACH(&d->said, le)
		((struct said *)le->data)->m.call = call;
}


/* What the events tell ----------------------------------------------------- */

static void note(struct capture *c, unsigned call, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void note(struct capture *c, unsigned call, const char *fmt, ...)
{
	char text[NOTE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	capture_note(c, 0, call, text);
}


static void note_media(struct capture *c, const struct event *ev)
{
	const char *how = ev->u.call_media.security;

	note(c, ev->call, "sound: %s/%lld, %s, %s, to %s, from %s",
	     ev->u.call_media.codec, (long long)ev->u.call_media.rate_hz,
	     ev->u.call_media.direction, *how && strcmp(how, "none") ? how :
	     "not encrypted", ev->u.call_media.remote,
	     ev->u.call_media.local);
}


static void note_end(struct capture *c, const struct event *ev)
{
	const struct call_record *r = ua_call_record(c->ua, ev->call);
	const struct stream_stats *st;

	if (!r || !r->stats_known)
		return;

	st = &r->stats;
	note(c, ev->call, "sound: %llu packets sent, %llu received, %llu "
	     "lost, jitter %.1f ms%s", (unsigned long long)st->packets_sent,
	     (unsigned long long)st->packets_received,
	     (unsigned long long)st->lost, st->jitter_us / 1000.0,
	     st->packets_received ? "" : ": nothing was heard");
}


static void event_handler(const struct event *ev, void *arg)
{
	struct capture *c = arg;
	struct call *call = ua_call(c->ua, ev->call);

	switch (ev->type) {

	case EVENT_CALL_STATE:
		if (call && call_sip_id(call)[0])
			capture_bind(c, call_sip_id(call), ev->call);
		if (!strcmp(ev->u.call_state.state, "ended"))
			note_end(c, ev);
		break;

	case EVENT_CALL_MEDIA:
		note_media(c, ev);
		break;

	case EVENT_CALL_DTMF:
		note(c, ev->call, "key %s received (%s)",
		     ev->u.call_dtmf.digit, ev->u.call_dtmf.via);
		break;

	case EVENT_CALL_TONE:
		note(c, ev->call, "%s tone heard", ev->u.call_tone.tone);
		break;

	case EVENT_DTMF_DONE:
		note(c, ev->call, "%lld key%s sent",
		     (long long)ev->u.dtmf_done.sent,
		     ev->u.dtmf_done.sent == 1 ? "" : "s");
		break;

	default:
		break;
	}
}


int capture_follow(struct capture *c, struct ua *ua, struct event_bus *bus)
{
	c->ua = ua;
	unfollow(c);

	return event_subscribe_types(c->subv, bus, types, ARRAY_SIZE(types),
				     event_handler, c);
}


/* Looking ------------------------------------------------------------------ */

static void tap_destructor(void *arg)
{
	struct capture_tap *t = arg;

	list_unlink(&t->le);
}


int capture_listen(struct capture_tap **tp, struct capture *c, capture_h *h,
		   void *arg)
{
	struct capture_tap *t = mem_zalloc(sizeof(*t), tap_destructor);

	if (!t)
		return ENOMEM;

	t->h = h;
	t->arg = arg;
	list_append(&c->taps, &t->le, t);

	*tp = t;

	return 0;
}


/* m is the first field of what is in the list */
static const struct said *said_of(const struct capture_msg *m)
{
	return (const struct said *)(const void *)m;
}


static const struct capture_msg *msg_of(const struct le *le)
{
	return le ? &((const struct said *)le->data)->m : NULL;
}


const struct capture_msg *capture_next(const struct capture *c,
				       const struct capture_msg *prev)
{
	if (prev)
		return msg_of(said_of(prev)->le.next);

	return c ? msg_of(c->said.head) : NULL;
}


const struct capture_msg *capture_prev(const struct capture *c,
				       const struct capture_msg *next)
{
	if (next)
		return msg_of(said_of(next)->le.prev);

	return c ? msg_of(c->said.tail) : NULL;
}


const struct capture_msg *capture_find(const struct capture *c, uint64_t seq)
{
	const struct capture_msg *m = NULL;

	if (c && c->ring) {
		const struct said *s = c->ring[seq % c->ringc];

		return s && s->m.seq == seq ? &s->m : NULL;
	}

	while ((m = capture_prev(c, m)) && m->seq >= seq) {
		if (m->seq == seq)
			return m;
	}

	return NULL;
}


void capture_stats(const struct capture *c, struct capture_stats *st)
{
	memset(st, 0, sizeof(*st));
	if (!c)
		return;

	st->messages = c->count;
	st->bytes = c->bytes;
	st->seen = c->seen;
	st->dropped = c->dropped;
}


void capture_label(char *buf, size_t sz, const struct capture_msg *m)
{
	if (m->kind == CAPTURE_NOTE)
		snprintf(buf, sz, "%s", m->text);
	else if (m->code)
		snprintf(buf, sz, "%u %s", m->code, m->reason);
	else
		snprintf(buf, sz, "%s", m->method[0] ? m->method : "?");
}


void capture_sdp(char *buf, size_t sz, const struct capture_msg *m)
{
	struct wire_sdp s;

	buf[0] = '\0';

	if (!m->sdp || !wire_sdp(&s, wire_description(m->text, m->len)))
		return;

	snprintf(buf, sz, "%s %s%s%s:%u %s%s%s%s", s.codecs,
		 strchr(s.addr, ':') ? "[" : "", s.addr,
		 strchr(s.addr, ':') ? "]" : "", s.port, s.direction,
		 s.crypto ? " sdes" : "", s.dtls ? " dtls" : "",
		 s.ice ? " ice" : "");
}


int capture_header(char *buf, size_t sz, const struct capture_msg *m,
		   const char *name, unsigned i)
{
	const struct piece h = wire_header(m->text, m->len, name, i);
	size_t n = 0;

	if (!h.p)
		return ENOENT;

	for (size_t k = 0; k < h.n; k++) {

		if (h.p[k] == '\r' || h.p[k] == '\n')
			continue;
		if (n + 1 >= sz)
			return EOVERFLOW;
		buf[n++] = h.p[k];
	}
	buf[n] = '\0';

	return 0;
}
