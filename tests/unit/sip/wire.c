/**
 * @file wire.c  Bytes in, bytes out: raw sockets beside a stack
 */
#include "wire.h"


struct sip_stack *stack;
struct sip_stack_h stack_h;
struct sa udp_addr, tcp_addr;

struct wire {
	struct udp_sock *us;
	struct tcp_sock *ts;
	struct tcp_conn *tc;
	struct sa addr;
	struct mbuf *mb;             /* what came, and a NUL             */
	bool up, closed;
};


int wire_setup(void **state)
{
	struct sip_listen_addr la = {.udp = true, .tcp = true};
	const struct sip_stack_conf conf = {
		.user_agent = "test", .addrv = &la, .addrc = 1,
		.resolve_ms = 300,
	};
	enum sip_transp tp;
	char err[256];
	struct sa sa;
	size_t i;
	(void)state;

	if (libre_init() || timers_open())
		return -1;

	(void)sa_set_str(&la.addr, "127.0.0.1", 0);
	if (sip_stack_alloc(&stack, &conf, &stack_h, NULL, err,
			    sizeof(err))) {
		fprintf(stderr, "%s\n", err);
		return -1;
	}

	for (i = 0; sip_stack_listener(stack, i, &sa, &tp); i++) {
		if (tp == SIP_TRANSP_UDP)
			udp_addr = sa;
		else
			tcp_addr = sa;
	}

	return 0;
}


int wire_teardown(void **state)
{
	(void)state;

	stack = mem_deref(stack);
	memset(&stack_h, 0, sizeof(stack_h));
	assert_int_equal(timers_count(), 0);
	timers_close();
	libre_close();

	return 0;
}


static void wire_destructor(void *arg)
{
	struct wire *w = arg;

	mem_deref(w->us);
	mem_deref(w->tc);
	mem_deref(w->ts);
	mem_deref(w->mb);
}


static void add(struct wire *w, struct mbuf *mb)
{
	(void)mbuf_write_mem(w->mb, mbuf_buf(mb), mbuf_get_left(mb));
	(void)mbuf_write_u8(w->mb, 0);
	--w->mb->pos;
	--w->mb->end;
}


static void udp_h(const struct sa *src, struct mbuf *mb, void *arg)
{
	(void)src;
	add(arg, mb);
}


static void conn_up_h(void *arg)
{
	struct wire *w = arg;

	w->up = true;
}


static void conn_h(struct mbuf *mb, void *arg)
{
	add(arg, mb);
}


static void conn_close_h(int err, void *arg)
{
	struct wire *w = arg;
	(void)err;

	w->closed = true;
}


static void conn_new_h(const struct sa *peer, void *arg)
{
	struct wire *w = arg;
	(void)peer;

	mem_deref(w->tc);
	w->tc = NULL;
	(void)tcp_accept(&w->tc, w->ts, NULL, conn_h, conn_close_h, w);
}


static bool is_up(void *arg)
{
	const struct wire *w = arg;

	return w->up;
}


static struct wire *wire_new(void)
{
	struct wire *w = mem_zalloc(sizeof(*w), wire_destructor);

	w->mb = mbuf_alloc(4096);
	memset(w->mb->buf, 0, w->mb->size);

	return w;
}


int wire_alloc(struct wire **wp, bool tcp)
{
	struct wire *w = wire_new();
	struct sa any;
	int err;

	if (tcp) {
		err = tcp_connect(&w->tc, &tcp_addr, conn_up_h, conn_h,
				  conn_close_h, w);
		if (!err && !loop_until(is_up, w, WAIT_MS))
			err = ETIMEDOUT;
		if (!err)
			err = tcp_conn_local_get(w->tc, &w->addr);
	}
	else {
		(void)sa_set_str(&any, "127.0.0.1", 0);
		err = udp_listen(&w->us, &any, udp_h, w);
		if (!err)
			err = udp_local_get(w->us, &w->addr);
	}

	if (err)
		mem_deref(w);
	else
		*wp = w;

	return err;
}


int wire_listen(struct wire **wp)
{
	struct wire *w = wire_new();
	struct sa any;
	int err;

	(void)sa_set_str(&any, "127.0.0.1", 0);
	err = tcp_listen(&w->ts, &any, conn_new_h, w);
	if (!err)
		err = tcp_sock_local_get(w->ts, &w->addr);

	if (err)
		mem_deref(w);
	else
		*wp = w;

	return err;
}


const struct sa *wire_addr(const struct wire *w)
{
	return &w->addr;
}


void wire_send(struct wire *w, const struct sa *dst, const char *text,
	       size_t len)
{
	struct mbuf *mb = mbuf_alloc(len + 1);

	(void)mbuf_write_mem(mb, (const uint8_t *)text, len);
	mb->pos = 0;
	if (w->tc)
		(void)tcp_send(w->tc, mb);
	else
		(void)udp_send(w->us, dst, mb);
	mem_deref(mb);
}


const char *wire_text(const struct wire *w)
{
	return (const char *)w->mb->buf;
}


void wire_forget(struct wire *w)
{
	w->mb->pos = w->mb->end = 0;
	w->mb->buf[0] = 0;
}


struct want {
	const struct wire *w;
	const char *text;
};


static bool has_come(void *arg)
{
	const struct want *want = arg;

	return strstr(wire_text(want->w), want->text) != NULL;
}


const char *wire_wait(struct wire *w, const char *text)
{
	struct want want = {.w = w, .text = text};

	return loop_until(has_come, &want, WAIT_MS) ? wire_text(w) : NULL;
}


static bool is_closed(void *arg)
{
	const struct wire *w = arg;

	return w->closed;
}


bool wire_closed(struct wire *w)
{
	return loop_until(is_closed, w, WAIT_MS);
}


static bool named(const char *lines, const char *name)
{
	const size_t n = strlen(name);
	const char *p = lines;

	while (p && *p) {
		if (!strncasecmp(p, name, n) && p[n] == ':')
			return true;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}

	return false;
}


const char *request_text(const struct wire *w, const char *start,
			 const char *more, const char *body)
{
	static char buf[16384];
	static unsigned n;
	char via[160], cseq[80], callid[40], length[40];
	const struct {
		const char *name, *value;
	} usual[] = {
		{"Via", via},
		{"Max-Forwards", "70"},
		{"From", "<sip:al@here.example>;tag=1"},
		{"To", "<sip:bob@there.example>"},
		{"Call-ID", callid},
		{"CSeq", cseq},
		{"Content-Length", length},
	};
	size_t len, i;

	(void)re_snprintf(via, sizeof(via), "SIP/2.0/%s %J;branch=z9hG4bK%u"
			  ";rport", w->tc ? "TCP" : "UDP", &w->addr, ++n);
	(void)snprintf(callid, sizeof(callid), "call-%u", n);
	(void)snprintf(cseq, sizeof(cseq), "1 %.*s",
		       (int)strcspn(start, " "), start);
	(void)snprintf(length, sizeof(length), "%zu", strlen(body));

	len = (size_t)snprintf(buf, sizeof(buf), "%s\r\n%s", start, more);

	for (i = 0; i < COUNTOF(usual); i++) {
		if (!named(more, usual[i].name))
			len += (size_t)snprintf(buf + len, sizeof(buf) - len,
						"%s: %s\r\n", usual[i].name,
						usual[i].value);
	}

	(void)snprintf(buf + len, sizeof(buf) - len, "\r\n%s", body);

	return buf;
}


unsigned request_status(struct wire *w, const char *start, const char *more,
			const char *body)
{
	const char *text = request_text(w, start, more, body);

	wire_forget(w);
	wire_send(w, &udp_addr, text, strlen(text));

	if (!wire_wait(w, "\r\n\r\n"))
		return 0;

	return (unsigned)atoi(wire_text(w) + 8);
}
