/**
 * @file storm.c  Many calls without sound, over UDP, TCP or TLS
 *
 *   storm udp|tcp|tls [CERTIFICATE]
 *
 * It is a server of 127.0.0.1 that calls a phone: "port N" is printed, then
 * lines on stdin are done, each is answered by one:
 *
 *   register           until a phone has registered, asked for a password:
 *                      "registered URI"; it is called over its connection
 *   to PORT URI        call that one, over a connection of ours: "connected"
 *   stay RATE COUNT    that many calls, RATE of them a second, on which
 *                      nothing is to be sent, and which stay; answered as:
 *   run RATE COUNT     that many calls, RATE of them a second, each hung up
 *                      as soon as it is answered: a JSON object of how many
 *                      came to their end (ok), were refused or got lost
 *                      (failed), how much was sent twice by either side
 *                      (again), seconds it took, and ms from INVITE to 200
 *
 * What is not answered is sent again over UDP only, and given up after eight
 * seconds. The certificate (a file with its key) is shown, nothing is
 * verified: that is the phones' work, which is measured.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
	LINKS   = 16,
	MESSAGE = 16384,
	OUTPUT  = 1 << 22,
	T1_US   = 500000,
	GONE_US = 8000000,
};

enum state { WAITING, INVITED, HUNG_UP, ENDED };

struct call {
	enum state state;
	uint64_t sent_us;        /* the first INVITE                       */
	uint64_t next_us;        /* when what waits is sent again          */
	unsigned tries;
	uint32_t took_us;
	char tag[80], *target;   /* theirs                                 */
};

struct link {
	int fd;
	SSL *ssl;
	bool shaken;
	size_t in_len, out_len;
	char in[4 * MESSAGE];
	char *out;
};

static enum { UDP, TCP, TLS } over;
static const char *const names[] = { "UDP", "TCP", "TLS" };
static const char *const params[] = { "", ";transport=tcp",
				      ";transport=tls" };
static int listener;
static uint16_t here;
static struct sockaddr_in there;         /* of UDP                         */
static struct link *links[LINKS], *way;
static SSL_CTX *server, *client;
static char uri[512];
static struct call *calls;
static unsigned count, run_no;
static unsigned ok, failed, again;
static bool registering, staying;


static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}


static void fail(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what,
		errno ? strerror(errno) : "no");
	exit(1);
}


static void answer(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}


/* --- what it goes over ---------------------------------------------------- */

static void link_close(struct link *l)
{
	for (size_t i = 0; i < LINKS; i++) {
		if (links[i] == l)
			links[i] = NULL;
	}
	if (way == l)
		way = NULL;
	if (l->ssl)
		SSL_free(l->ssl);
	close(l->fd);
	free(l->out);
	free(l);
}


static struct link *link_new(int fd, bool outgoing)
{
	struct link *l = calloc(1, sizeof(*l));
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (size_t i = 0; i < LINKS; i++) {
		if (links[i])
			continue;
		links[i] = l;
		l->fd = fd;
		l->out = malloc(OUTPUT);
		l->shaken = over != TLS;
		if (over == TLS) {
			l->ssl = SSL_new(outgoing ? client : server);
			SSL_set_fd(l->ssl, fd);
			if (outgoing)
				SSL_set_connect_state(l->ssl);
			else
				SSL_set_accept_state(l->ssl);
		}
		return l;
	}
	fail("too many connections");

	return NULL;
}


static void link_flush(struct link *l)
{
	while (l->out_len) {
		ssize_t n = l->ssl
			? SSL_write(l->ssl, l->out, (int)l->out_len)
			: send(l->fd, l->out, l->out_len,
			       MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n <= 0)
			return;
		l->out_len -= (size_t)n;
		memmove(l->out, l->out + n, l->out_len);
	}
}


static void say(struct link *l, const struct sockaddr_in *to, const char *m,
		size_t n)
{
	if (over == UDP) {
		sendto(listener, m, n, 0, (const void *)to, sizeof(*to));
		return;
	}
	if (!l || l->out_len + n > OUTPUT)
		return;
	memcpy(l->out + l->out_len, m, n);
	l->out_len += n;
	link_flush(l);
}


/* --- messages ------------------------------------------------------------- */

/* the value of a header, without line end; its length in n */
static const char *header(const char *m, const char *name, char brief,
			  size_t *n)
{
	size_t len = strlen(name);

	for (const char *p = strstr(m, "\r\n"); p && p[2] != '\r';
	     p = strstr(p + 2, "\r\n")) {
		const char *v = p + 2;

		if (!strncasecmp(v, name, len))
			v += len;
		else if (brief && (*v | 32) == brief &&
			 strspn(v + 1, " \t:") > 0)
			v++;
		else
			continue;
		v += strspn(v, " \t");
		if (*v++ != ':')
			continue;
		v += strspn(v, " \t");
		*n = strcspn(v, "\r\n");
		return v;
	}
	*n = 0;

	return "";
}


/* as it is, all of that name */
static size_t copy_headers(const char *m, const char *name, char brief,
			   char *out, size_t size)
{
	size_t used = 0, n;

	for (const char *v = header(m, name, brief, &n); n;
	     v = header(v, name, brief, &n)) {
		if (used + n + 32 > size)
			break;
		used += (size_t)sprintf(out + used, "%s: %.*s\r\n", name,
					(int)n, v);
	}

	return used;
}


static void respond(struct link *l, const struct sockaddr_in *to,
		    const char *m, int code, const char *more)
{
	char out[MESSAGE];
	size_t n, tagged;
	int used = sprintf(out, "SIP/2.0 %d %s\r\n", code,
			   code == 200 ? "OK" : "Unauthorized");
	const char *v = header(m, "To", 't', &n);

	used += (int)copy_headers(m, "Via", 'v', out + used, 4096);
	used += (int)copy_headers(m, "From", 'f', out + used, 1024);
	used += (int)copy_headers(m, "Call-ID", 'i', out + used, 1024);
	used += (int)copy_headers(m, "CSeq", 0, out + used, 1024);
	tagged = memmem(v, n, "tag=", 4) != NULL;
	used += sprintf(out + used, "To: %.*s%s\r\n%sContent-Length: 0\r\n"
			"\r\n", (int)(n < 1024 ? n : 1024), v,
			tagged ? "" : ";tag=storm", more);
	say(l, to, out, (size_t)used);
}


/* a request of the call with that index */
static void request(unsigned i, const char *method)
{
	static const char body[] =
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
		"c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
		"a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=";
	const char *way_of_it = staying ? "inactive\r\n" : "sendrecv\r\n";
	struct call *c = &calls[i];
	bool first = !strcmp(method, "INVITE");
	bool bye = !strcmp(method, "BYE");
	char out[MESSAGE];
	int n = snprintf(out, sizeof(out), "%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/%s 127.0.0.1:%u;branch=z9hG4bK%d.%u.%u.%s;rport"
		"\r\nMax-Forwards: 70\r\n"
		"From: <sip:storm@127.0.0.1:%u>;tag=%u.%u\r\n"
		"To: <%s>%s%s\r\nCall-ID: %u.%u.%d@storm\r\n"
		"CSeq: %d %s\r\nContact: <sip:storm@127.0.0.1:%u%s>\r\n"
		"%sContent-Length: %zu\r\n\r\n%s%s", method,
		c->target ? c->target : uri, names[over], here, (int)getpid(),
		run_no, i, method, here, run_no, i, uri,
		*c->tag ? ";tag=" : "", c->tag, i, run_no, (int)getpid(),
		bye ? 2 : 1, method, here, params[over],
		first ? "Content-Type: application/sdp\r\n" : "",
		first ? sizeof(body) - 1 + strlen(way_of_it) : (size_t)0,
		first ? body : "", first ? way_of_it : "");

	say(way, &there, out, (size_t)n);
}


static void wait_for_more(struct call *c, uint64_t now)
{
	c->next_us = now + ((uint64_t)T1_US << (c->tries < 3 ? c->tries : 3));
	c->tries++;
}


static void end(unsigned i, bool good)
{
	calls[i].state = ENDED;
	if (good)
		ok++;
	else
		failed++;
}


static void response_came(const char *m)
{
	int code = atoi(m + 8), pid;
	uint64_t now = now_us();
	unsigned i, r;
	struct call *c;
	size_t n;
	const char *v = header(m, "Call-ID", 'i', &n), *t, *e;
	bool invite;

	if (sscanf(v, "%u.%u.%d@", &i, &r, &pid) != 3 || i >= count ||
	    r != run_no || pid != (int)getpid() || code < 200)
		return;
	v = header(m, "CSeq", 0, &n);
	invite = memmem(v, n, "INVITE", 6) != NULL;
	c = &calls[i];
	if (!invite) {
		if (c->state == HUNG_UP)
			end(i, code == 200);
		return;
	}
	if (c->state != INVITED) {
		again++;
		request(i, "ACK");
		return;
	}
	v = header(m, "To", 't', &n);
	t = memmem(v, n, "tag=", 4);
	snprintf(c->tag, sizeof(c->tag), "%.*s", t ? (int)(v + n - t - 4) : 0,
		 t ? t + 4 : "");
	v = header(m, "Contact", 'm', &n);
	t = memchr(v, '<', n);
	e = t ? memchr(t, '>', (size_t)(v + n - t)) : NULL;
	if (code < 300 && e)
		c->target = strndup(t + 1, (size_t)(e - t - 1));
	c->took_us = (uint32_t)(now - c->sent_us);
	request(i, "ACK");
	if (code >= 300 || staying) {
		end(i, code < 300);
		return;
	}
	request(i, "BYE");
	c->state = HUNG_UP;
	c->tries = 0;
	wait_for_more(c, now);
}


static void register_came(struct link *l, const struct sockaddr_in *from,
			  const char *m)
{
	size_t n;
	const char *v = header(m, "Contact", 'm', &n), *t, *e;
	char more[1024];

	header(m, "Authorization", 0, &n);
	if (!n) {
		respond(l, from, m, 401, "WWW-Authenticate: Digest realm="
			"\"bench\", nonce=\"0123456789abcdef\", "
			"algorithm=MD5\r\n");
		return;
	}
	v = header(m, "Contact", 'm', &n);
	snprintf(more, sizeof(more), "Contact: %.*s%s\r\n", (int)n, v,
		 memmem(v, n, "expires=", 8) ? "" : ";expires=300");
	respond(l, from, m, 200, more);
	t = memchr(v, '<', n);
	e = t ? memchr(t, '>', (size_t)(v + n - t)) : NULL;
	if (!e)
		return;
	snprintf(uri, sizeof(uri), "%.*s", (int)(e - t - 1), t + 1);
	way = l;
	if (from)
		there = *from;
	if (registering)
		answer("registered %s", uri);
	registering = false;
}


static void came(struct link *l, const struct sockaddr_in *from, char *m)
{
	if (!strncmp(m, "SIP/2.0 ", 8))
		response_came(m);
	else if (!strncmp(m, "REGISTER ", 9))
		register_came(l, from, m);
	else if (strncmp(m, "ACK ", 4))
		respond(l, from, m, 200, "");
}


/* what has come over a connection: whole messages out of it */
static void link_parse(struct link *l)
{
	while (l->in_len) {
		size_t skip = 0, n, body;
		char *end_of_head, was;

		while (skip < l->in_len && strchr("\r\n", l->in[skip]))
			skip++;
		if (skip == 4 && l->in_len == 4)        /* RFC 5626 4.4.1  */
			say(l, NULL, "\r\n", 2);
		if (skip) {
			l->in_len -= skip;
			memmove(l->in, l->in + skip, l->in_len);
			continue;
		}
		l->in[l->in_len] = '\0';
		end_of_head = strstr(l->in, "\r\n\r\n");
		if (!end_of_head)
			return;
		body = (size_t)atoi(header(l->in, "Content-Length", 'l', &n));
		n = (size_t)(end_of_head - l->in) + 4 + body;
		if (l->in_len < n)
			return;
		was = l->in[n];
		l->in[n] = '\0';
		came(l, NULL, l->in);
		l->in[n] = was;
		l->in_len -= n;
		memmove(l->in, l->in + n, l->in_len);
	}
}


static void link_ready(struct link *l)
{
	for (;;) {
		size_t room = sizeof(l->in) - 1 - l->in_len;
		ssize_t n;

		if (l->ssl && !l->shaken) {
			int r = SSL_do_handshake(l->ssl);
			int e = SSL_get_error(l->ssl, r);

			if (r != 1 && e != SSL_ERROR_WANT_READ &&
			    e != SSL_ERROR_WANT_WRITE)
				link_close(l);
			if (r != 1)
				return;
			l->shaken = true;
		}
		n = l->ssl ? SSL_read(l->ssl, l->in + l->in_len, (int)room)
			   : recv(l->fd, l->in + l->in_len, room,
				  MSG_DONTWAIT);
		if (n <= 0) {
			int e = l->ssl ? SSL_get_error(l->ssl, (int)n) : 0;

			if (l->ssl ? e != SSL_ERROR_WANT_READ &&
				     e != SSL_ERROR_WANT_WRITE
				   : !n || errno != EAGAIN)
				link_close(l);
			return;
		}
		l->in_len += (size_t)n;
		link_parse(l);
		if (l->in_len >= sizeof(l->in) - 1) {
			link_close(l);
			return;
		}
	}
}


/* --- the loop ------------------------------------------------------------- */

/* what came, waiting at most so long */
static void turn(int ms)
{
	struct pollfd p[LINKS + 1] = { { .fd = listener, .events = POLLIN } };
	struct link *l[LINKS + 1];
	nfds_t n = 1;

	for (size_t i = 0; i < LINKS; i++) {
		if (!links[i])
			continue;
		l[n] = links[i];
		p[n++] = (struct pollfd){
			.fd = links[i]->fd,
			.events = links[i]->out_len ? POLLIN | POLLOUT
						    : POLLIN,
		};
	}
	if (poll(p, n, ms) <= 0)
		return;
	for (nfds_t i = 1; i < n; i++) {
		if (p[i].revents & POLLOUT)
			link_flush(l[i]);
		if (p[i].revents & ~POLLOUT)
			link_ready(l[i]);
	}
	if (!p[0].revents)
		return;
	if (over != UDP) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

		if (fd >= 0)
			link_new(fd, false);
		return;
	}
	for (unsigned k = 0; k < 64; k++) {
		char m[MESSAGE + 1];
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(listener, m, MESSAGE, MSG_DONTWAIT,
				       (void *)&from, &len);

		if (got <= 0)
			return;
		m[got] = '\0';
		came(NULL, &from, m);
	}
}


static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}


static void tell(uint64_t took)
{
	uint32_t *v = calloc(count + 1, sizeof(*v));
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		if (calls[i].took_us)
			v[n++] = calls[i].took_us;
	}
	qsort(v, n, sizeof(*v), by_size);
	answer("{\"ok\":%u,\"failed\":%u,\"again\":%u,\"took\":%.3f,"
	       "\"median_ms\":%.3f,\"p99_ms\":%.3f}", ok, failed, again,
	       (double)took / 1e6, n ? v[n / 2] / 1e3 : 0,
	       n ? v[n * 99 / 100] / 1e3 : 0);
	free(v);
}


static void run(double rate, unsigned want, bool stay)
{
	uint64_t began = now_us(), looked = 0;
	unsigned sent = 0;

	staying = stay;
	count = want;
	calls = calloc(count, sizeof(*calls));
	run_no++;
	ok = failed = again = 0;
	while (ok + failed < count) {
		uint64_t now = now_us();
		uint64_t next;

		while (sent < count &&
		       began + (uint64_t)(1e6 * sent / rate) <= now) {
			calls[sent].state = INVITED;
			calls[sent].sent_us = now_us();
			request(sent, "INVITE");
			wait_for_more(&calls[sent], now);
			sent++;
		}
		/* a look at all of them is for what goes wrong */
		for (unsigned i = 0; now - looked > 50000 && i < sent; i++) {
			struct call *c = &calls[i];

			if (c->state == ENDED || now < c->next_us)
				continue;
			if (now - c->sent_us > GONE_US) {
				end(i, false);
				continue;
			}
			if (over == UDP) {
				again++;
				request(i, c->state == INVITED ? "INVITE"
							       : "BYE");
			}
			wait_for_more(c, now);
		}
		if (now - looked > 50000)
			looked = now;
		next = sent < count
			? began + (uint64_t)(1e6 * sent / rate) : now + 20000;
		now = now_us();
		turn(next > now ? (int)((next - now) / 1000) : 0);
		if (over != UDP && !way)               /* the phone is gone */
			failed = count - ok;
	}
	tell(now_us() - began);
	for (unsigned i = 0; i < count; i++)
		free(calls[i].target);
	free(calls);
	calls = NULL;
	count = 0;
}


static void call_that(unsigned port)
{
	there = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (over != UDP) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (void *)&there, sizeof(there)))
			fail("cannot connect");
		way = link_new(fd, true);
		if (way->ssl && SSL_do_handshake(way->ssl) != 1)
			fail("no TLS with the phone");
		way->shaken = true;
		if (fcntl(fd, F_SETFL, O_NONBLOCK))
			fail("fcntl");
	}
	answer("connected");
}


static void secure(const char *pem)
{
	server = SSL_CTX_new(TLS_server_method());
	client = SSL_CTX_new(TLS_client_method());
	if (!server || !client || !pem ||
	    SSL_CTX_use_certificate_chain_file(server, pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(server, pem, SSL_FILETYPE_PEM) != 1)
		fail("the certificate cannot be used");
	for (int i = 0; i < 2; i++)
		SSL_CTX_set_mode(i ? client : server,
				 SSL_MODE_ENABLE_PARTIAL_WRITE |
				 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				 SSL_MODE_AUTO_RETRY);
}


int main(int argc, char **argv)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sa);
	char line[1024];
	int size = 4 << 20;

	if (argc < 2)
		fail("udp, tcp or tls?");
	over = !strcmp(argv[1], "tcp") ? TCP : !strcmp(argv[1], "tls") ? TLS
								       : UDP;
	if (over == TLS)
		secure(argc > 2 ? argv[2] : NULL);
	listener = socket(AF_INET, over == UDP ? SOCK_DGRAM : SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(listener, (void *)&sa, sizeof(sa)) ||
	    (over != UDP && listen(listener, 8)) ||
	    getsockname(listener, (void *)&sa, &len))
		fail("no port");
	here = ntohs(sa.sin_port);
	answer("port %u", here);

	for (;;) {
		struct pollfd in = { .fd = 0, .events = POLLIN };
		unsigned port, n;
		double rate;

		turn(10);
		if (registering || poll(&in, 1, 0) <= 0)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		if (!strncmp(line, "register", 8) && *uri &&
		    (over == UDP || way))
			answer("registered %s", uri);
		else if (!strncmp(line, "register", 8))
			registering = true;
		else if (sscanf(line, "to %u %511s", &port, uri) == 2)
			call_that(port);
		else if (sscanf(line, "run %lf %u", &rate, &n) == 2)
			run(rate, n, false);
		else if (sscanf(line, "stay %lf %u", &rate, &n) == 2)
			run(rate, n, true);
		else
			fail(line);
	}
}
