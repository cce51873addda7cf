/**
 * @file app/pcap.c  A pcapng file of what the phone sent and received
 *
 * Two interfaces: IP packets, and the clear text of what went through TLS.
 * Messages come from the capture, masked; packets from the media thread by
 * way of a ring.  Main writes; who reads a pipe too slowly loses whole blocks,
 * which are counted.  Frames are gathered for a moment: a system call for each
 * would be most of what a capture costs.  A file that begins in mid-call has at
 * its head the messages that say what its packets are.  Main thread.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/path.h"
#include "offhook/pcap.h"
#include "offhook/timer.h"
#include "pcap_agreed.h"

#define LOG_MODULE "pcap"
#include "offhook/log.h"

enum {
	BLOCK_SHB = 0x0a0d0d0a,
	BLOCK_IDB = 1,
	BLOCK_EPB = 6,
	LINK_RAW  = 101,         /* begins with an IP header                 */
	LINK_PDU  = 252,         /* tags, then what a dissector sees         */
	IF_IP = 0, IF_TLS = 1,
	CONNS = 64,
	SEQ_FIRST = 1 << 24,     /* there is room for what was said before   */
	MSS   = 16384,           /* of a stream that is told in pieces       */
	PENDING_MAX = 1 << 20,   /* for a reader that is slow                */
	UDP_MAX = 65000,
	GATHER  = 64 << 10,      /* bytes that are written at once           */
	GATHER_MS = 100,         /* ... or after so long                     */
	HEAD_PART = 4,           /* of a file, at most, for its head         */
	HEAD_MAX = 256 << 10,
};

/* A stream as it is told: how far either side has spoken */
struct conn {
	struct sa local, peer;
	uint32_t tx, rx;
	uint64_t used;
};

struct pcap {
	struct capture_tap *tap;
	struct media *media;     /* NULL: no packets                         */
	struct agreed *agreed;   /* NULL: nothing would be read by it        */
	char *path;
	int fd;
	struct text_buf out;     /* not yet written                          */
	size_t at;               /* of it that is                            */
	struct timer gather;
	uint64_t max, in_file;   /* bytes: of a file, of this one            */
	unsigned keep;
	struct conn connv[CONNS];
	uint64_t uses;
	struct pcap_stats st;
};


/* Out ---------------------------------------------------------------------- */

static void failed(struct pcap *p, int err)
{
	if (p->st.err)
		return;

	p->st.err = err;
	log_warn("the capture %s ends here: %s", p->path, strerror(err));
}


/* As much as is taken now */
static void flush(struct pcap *p)
{
	while (p->at < p->out.len && !p->st.err) {

		const ssize_t n = write(p->fd, p->out.s + p->at,
					p->out.len - p->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			failed(p, n < 0 ? errno : EIO);
			return;
		}
		p->at += (size_t)n;
		p->in_file += (uint64_t)n;
		p->st.bytes += (uint64_t)n;
	}

	p->at = 0;
	text_buf_reset(&p->out);
	p->out.max = PENDING_MAX;
}


static void put(struct pcap *p, const void *v, size_t n)
{
	text_add_mem(&p->out, v, n);
}


static void put32(struct pcap *p, uint32_t v)
{
	put(p, &v, sizeof(v));
}


/* Code, length, value: filled up to four bytes */
static void put_option(struct pcap *p, uint16_t code, const void *v, size_t n)
{
	static const char zero[4];
	const uint16_t len = (uint16_t)n;

	put(p, &code, sizeof(code));
	put(p, &len, sizeof(len));
	put(p, v, n);
	put(p, zero, -n & 3);
}


static uint32_t option_size(size_t n)
{
	return (uint32_t)(4 + ((n + 3) & ~(size_t)3));
}


static void put_header(struct pcap *p)
{
	static const char name[] = "offhook " OFFHOOK_VERSION;
	const uint32_t len = 28 + option_size(sizeof(name) - 1) + 4;
	const uint64_t unknown = UINT64_MAX;

	put32(p, BLOCK_SHB);
	put32(p, len);
	put32(p, 0x1a2b3c4d);            /* our byte order */
	put32(p, 1);                     /* version 1.0    */
	put(p, &unknown, sizeof(unknown));
	put_option(p, 4, name, sizeof(name) - 1);
	put32(p, 0);
	put32(p, len);
}


static void put_interface(struct pcap *p, uint16_t link, const char *name)
{
	const uint32_t len = 20 + option_size(strlen(name)) + 4;
	const uint16_t zero = 0;

	put32(p, BLOCK_IDB);
	put32(p, len);
	put(p, &link, sizeof(link));
	put(p, &zero, sizeof(zero));
	put32(p, 0);                     /* whole packets */
	put_option(p, 2, name, strlen(name));
	put32(p, 0);
	put32(p, len);
}


static int file_open(struct pcap *p, char *err);
static void put_agreed(struct pcap *p);


static void put_begin(struct pcap *p)
{
	put_header(p);
	put_interface(p, LINK_RAW, "ip");
	put_interface(p, LINK_PDU, "tls");
	++p->st.files;
}


/* The next file; each can be read by itself */
static void turn(struct pcap *p)
{
	char err[UA_ERR];
	int e;

	flush(p);
	close(p->fd);
	p->fd = -1;
	e = path_turn(p->path, p->keep);
	if (!e)
		e = file_open(p, err);
	if (e) {
		failed(p, e);
		return;
	}

	p->in_file = 0;
	put_begin(p);
	put_agreed(p);
}


static void gathered(void *arg)
{
	struct pcap *p = arg;

	flush(p);
	if (p->out.len > p->at && !p->st.err)
		timer_start(&p->gather, GATHER_MS, gathered, p);
}


/* @return false: the reader is too slow */
static bool put_frame(struct pcap *p, uint32_t interface, uint64_t time_us,
		      bool tx, const uint8_t *head, size_t hn,
		      const void *body, size_t n, const char *comment)
{
	static const char zero[4];
	const size_t all = hn + n, cn = strlen(comment);
	const uint32_t flags = tx ? 2 : 1;
	const uint32_t len = (uint32_t)(32 + ((all + 3) & ~(size_t)3) + 8 +
					(cn ? option_size(cn) : 0) + 4);

	if (p->max && !p->st.err &&
	    p->in_file + p->out.len - p->at + len > p->max)
		turn(p);
	if (p->out.len + len > PENDING_MAX)
		flush(p);
	if (p->st.err || p->out.len + len > PENDING_MAX) {
		++p->st.lost;
		return false;
	}

	put32(p, BLOCK_EPB);
	put32(p, len);
	put32(p, interface);
	put32(p, (uint32_t)(time_us >> 32));
	put32(p, (uint32_t)time_us);
	put32(p, (uint32_t)all);
	put32(p, (uint32_t)all);
	put(p, head, hn);
	put(p, body, n);
	put(p, zero, -all & 3);
	if (cn)
		put_option(p, 1, comment, cn);
	put_option(p, 2, &flags, sizeof(flags));
	put32(p, 0);
	put32(p, len);

	if (p->out.len - p->at >= GATHER)
		flush(p);
	else if (!timer_running(&p->gather))
		timer_start(&p->gather, GATHER_MS, gathered, p);

	return true;
}


/* In ----------------------------------------------------------------------- */

static struct conn *conn_get(struct pcap *p, const struct capture_msg *m)
{
	struct conn *c = NULL;

	for (unsigned i = 0; i < CONNS; i++) {

		struct conn *k = &p->connv[i];

		if (k->used && sa_cmp(&k->local, &m->local, SA_ALL) &&
		    sa_cmp(&k->peer, &m->peer, SA_ALL)) {
			c = k;
			break;
		}
		if (!c || k->used < c->used)
			c = k;
	}

	if (!c->used || !sa_cmp(&c->local, &m->local, SA_ALL) ||
	    !sa_cmp(&c->peer, &m->peer, SA_ALL)) {
		c->local = m->local;
		c->peer = m->peer;
		c->tx = c->rx = SEQ_FIRST;
	}
	c->used = ++p->uses;

	return c;
}


static void put_stream(struct pcap *p, const struct capture_msg *m,
		       const struct sa *src, const struct sa *dst,
		       const char *comment)
{
	struct conn *c = conn_get(p, m);
	uint32_t *mine = m->tx ? &c->tx : &c->rx;
	const uint32_t theirs = m->tx ? c->rx : c->tx;
	uint8_t head[PCAP_HEAD_MAX];

	for (size_t i = 0; i < m->len; ) {

		const uint8_t *v = (const uint8_t *)m->text + i;
		const size_t n = m->len - i < MSS ? m->len - i : MSS;
		const size_t hn = pcap_tcp_head(head, src, dst, *mine, theirs,
						v, n);

		(void)put_frame(p, IF_IP, m->time_us, m->tx, head, hn, v, n,
				i ? "" : comment);
		*mine += (uint32_t)n;
		i += n;
	}
}


static void put_message(struct pcap *p, const struct capture_msg *m,
			const char *what)
{
	const struct sa *src = m->tx ? &m->local : &m->peer;
	const struct sa *dst = m->tx ? &m->peer : &m->local;
	const uint8_t *v = (const uint8_t *)m->text;
	uint8_t head[PCAP_HEAD_MAX];
	char comment[64] = "";

	if (m->call)
		snprintf(comment, sizeof(comment), "call %u%s%s", m->call,
			 *what ? ", " : "", what);
	else
		snprintf(comment, sizeof(comment), "%s", what);

	if (m->tp == SIP_TRANSP_TLS) {
		(void)put_frame(p, IF_TLS, m->time_us, m->tx, head,
				pcap_sips_head(head, src, dst), v, m->len,
				comment);
	}
	else if (m->tp == SIP_TRANSP_TCP) {
		put_stream(p, m, src, dst, comment);
	}
	else {
		const size_t n = m->len < UDP_MAX ? m->len : UDP_MAX;

		(void)put_frame(p, IF_IP, m->time_us, m->tx, head,
				pcap_udp_head(head, src, dst, v, n), v, n,
				comment);
	}
}


/* At the time when they were said. A stream goes on behind them where it is:
 * here they were said before */
static void put_agreed(struct pcap *p)
{
	const size_t max = p->max && p->max / HEAD_PART < HEAD_MAX ?
		(size_t)(p->max / HEAD_PART) : HEAD_MAX;
	const struct capture_msg *const *v;
	const size_t n = p->agreed ? agreed_list(p->agreed, &v, max) : 0;

	for (size_t i = 0; i < n; i++) {
		struct conn *c = v[i]->tp == SIP_TRANSP_TCP ?
			conn_get(p, v[i]) : NULL;

		if (c)
			*(v[i]->tx ? &c->tx : &c->rx) -= (uint32_t)v[i]->len;
	}

	for (size_t i = 0; i < n; i++)
		put_message(p, v[i], "said before this file");
}


static void message_handler(const struct capture_msg *m, void *arg)
{
	struct pcap *p = arg;

	if (m->kind != CAPTURE_SIP || p->st.err)
		return;

	put_message(p, m, "");
	if (p->agreed)
		agreed_note(p->agreed, m);
	++p->st.messages;
}


static void packet_handler(const struct media_packet *mp, void *arg)
{
	const struct sa *src = mp->tx ? &mp->local : &mp->peer;
	const struct sa *dst = mp->tx ? &mp->peer : &mp->local;
	struct pcap *p = arg;
	uint8_t head[PCAP_HEAD_MAX];
	const size_t hn = pcap_udp_head(head, src, dst, mp->p, mp->len);

	if (put_frame(p, IF_IP, mp->time_us, mp->tx, head, hn, mp->p, mp->len,
		      ""))
		++p->st.packets;
}


/* The file ------------------------------------------------------------------ */

static void pcap_destructor(void *arg)
{
	struct pcap *p = arg;

	mem_deref(p->tap);
	if (p->media)
		(void)media_sniff(p->media, false, NULL, NULL);
	/* the last packets came just now */
	timer_cancel(&p->gather);
	if (p->fd >= 0) {
		flush(p);
		close(p->fd);
	}
	text_buf_reset(&p->out);
	mem_deref(p->agreed);
	mem_deref(p->path);
}


static int file_open(struct pcap *p, char *err)
{
	struct stat st;

	/* a pipe without a reader would hold us up */
	p->fd = open(p->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK,
		     0600);
	if (p->fd < 0) {
		const int e = errno;

		if (e == ENXIO)
			snprintf(err, UA_ERR, "nobody reads the pipe");
		return e;
	}

	/* a pipe has no end, and is not renamed */
	if (fstat(p->fd, &st) || !S_ISREG(st.st_mode))
		p->max = 0;
	else if (ftruncate(p->fd, 0))
		return errno;

	return 0;
}


int pcap_open(struct pcap **pp, const struct pcap_conf *conf,
	      struct capture *c, struct media *m, char *err)
{
	const struct capture_msg *msg = NULL;
	struct pcap *p;
	int e;

	err[0] = '\0';
	p = mem_zalloc(sizeof(*p), pcap_destructor);
	if (!p)
		return ENOMEM;

	p->fd = -1;
	p->out.max = PENDING_MAX;

	p->keep = conf->keep;
	p->max = conf->max;
	e = str_dup(&p->path, conf->path);
	if (!e)
		e = file_open(p, err);
	if (e)
		goto out;

	put_begin(p);
	if (conf->media) {
		e = agreed_alloc(&p->agreed);
		while (!e && !conf->past && (msg = capture_next(c, msg)))
			agreed_note(p->agreed, msg);
		if (!e)
			put_agreed(p);
		if (e)
			goto out;
	}
	flush(p);

	while (conf->past && (msg = capture_next(c, msg)))
		message_handler(msg, p);

	e = capture_listen(&p->tap, c, message_handler, p);
	if (!e && conf->media && m) {
		e = media_sniff(m, conf->clear, packet_handler, p);
		if (!e)
			p->media = m;
	}
	if (!e)
		e = p->st.err;

 out:
	if (e)
		mem_deref(p);
	else
		*pp = p;

	return e;
}


void pcap_stats(struct pcap *p, struct pcap_stats *st)
{
	flush(p);
	*st = p->st;
	if (p->media)
		st->lost += media_sniff_lost(p->media);
}


const char *pcap_path(const struct pcap *p)
{
	return p->path;
}
