/**
 * @file turn_stream.c  The connection to a relay: TCP, or TLS over it
 *
 * Media thread, on its loop.  Frames are cut out of the stream here; what
 * cannot be written at once waits, and beyond a limit is dropped, since sound
 * that is late is of no use.  Over TLS the server must show a certificate for
 * its name, unless that is turned off.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <offhook/timer.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "stun.h"
#include "turn.h"


enum {
	IN_MAX  = 4096,          /* longer than any frame we take           */
	OUT_MAX = 65536,
};

struct turn_stream {
	int fd;
	struct compat_fd watch;
	bool watched, connected, lost;
	int flags;               /* watched for                             */
	uint8_t in[IN_MAX];
	size_t in_n;
	uint8_t *out;
	size_t out_n;
	SSL_CTX *ctx;            /* NULL: TCP                               */
	SSL *ssl;
	BIO *rbio, *wbio;
	char why[TURN_ERR];
	struct timer tmr;        /* to tell of the end on a turn of its own */
	turn_frame_h *frame_h;
	turn_lost_h *lost_h;
	void *arg;
};


static void unwatch(struct turn_stream *s)
{
	if (s->watched)
		compat_fd_close(&s->watch);
	s->watched = false;
	s->flags = 0;
}


static void destructor(void *arg)
{
	struct turn_stream *s = arg;

	timer_cancel(&s->tmr);
	unwatch(s);
	if (s->fd >= 0)
		(void)close(s->fd);
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	free(s->out);
}


static void told_h(void *arg)
{
	struct turn_stream *s = arg;

	s->lost_h(s->why, s->arg);
}


static void lose(struct turn_stream *s, const char *what, const char *why)
{
	if (s->lost)
		return;

	s->lost = true;
	unwatch(s);
	(void)snprintf(s->why, sizeof(s->why), "%s%s", what, why);
	timer_start(&s->tmr, 0, told_h, s);
}


static void io_h(int flags, void *arg);


static void watch(struct turn_stream *s)
{
	const int flags = FD_READ |
		(s->out_n || !s->connected ? FD_WRITE : 0);
	int err;

	if (s->lost || flags == s->flags)
		return;

	unwatch(s);
	err = compat_fd_listen(&s->watch, s->fd, flags, io_h, s);
	if (err) {
		lose(s, "cannot be watched: ", strerror(err));
		return;
	}
	s->watched = true;
	s->flags = flags;
}


/* Bytes out -------------------------------------------------------------- */

static void flush(struct turn_stream *s)
{
	size_t at = 0;

	while (s->connected && at < s->out_n) {
		const ssize_t n = send(s->fd, s->out + at, s->out_n - at,
				       MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				lose(s, "hangs up: ", strerror(errno));
			break;
		}
		at += (size_t)n;
	}

	s->out_n -= at;
	memmove(s->out, s->out + at, s->out_n);
	watch(s);
}


static void raw_send(struct turn_stream *s, const uint8_t *p, size_t len)
{
	if (s->lost || len > OUT_MAX - s->out_n)
		return;

	memcpy(s->out + s->out_n, p, len);
	s->out_n += len;
	flush(s);
}


static void tls_flush(struct turn_stream *s)
{
	uint8_t buf[4096];
	int n;

	while ((n = BIO_read(s->wbio, buf, sizeof(buf))) > 0)
		raw_send(s, buf, (size_t)n);
}


void turn_stream_send(struct turn_stream *s, const uint8_t *p, size_t len)
{
	if (!s->ssl) {
		raw_send(s, p, len);
		return;
	}

	if (!SSL_is_init_finished(s->ssl)) {
		/* the first request waits for the handshake: at the top of
		 * what is to go out once it is through */
		if (s->in_n || len > sizeof(s->in))
			return;
		memcpy(s->in, p, len);
		s->in_n = len;
		return;
	}

	(void)SSL_write(s->ssl, p, (int)len);
	ERR_clear_error();
	tls_flush(s);
}


/* Bytes in --------------------------------------------------------------- */

/* @return bytes of the first frame, 0: not known yet, SIZE_MAX: nonsense */
static size_t frame_len(const uint8_t *p, size_t n)
{
	size_t len;

	if (n < 4)
		return 0;

	len = (size_t)(p[2] << 8 | p[3]);
	if (p[0] >= 0x40 && p[0] < 0x80)
		len = (len + 4 + 3) & ~(size_t)3;
	else if (p[0] < 4)
		len += STUN_HEAD;
	else
		return SIZE_MAX;

	return len > IN_MAX ? SIZE_MAX : len;
}


static void take(struct turn_stream *s, const uint8_t *p, size_t n)
{
	while (n && !s->lost) {
		size_t k = IN_MAX - s->in_n, len;

		if (k > n)
			k = n;
		memcpy(s->in + s->in_n, p, k);
		s->in_n += k;
		p += k;
		n -= k;

		while ((len = frame_len(s->in, s->in_n)) && len <= s->in_n) {
			_Alignas(8) uint8_t frame[IN_MAX];

			memcpy(frame, s->in, len);
			s->in_n -= len;
			memmove(s->in, s->in + len, s->in_n);
			s->frame_h(frame, len, s->arg);
		}
		if (len == SIZE_MAX)
			lose(s, "speaks no TURN", "");
	}
}


static void tls_go(struct turn_stream *s)
{
	uint8_t first[IN_MAX];
	const size_t n = s->in_n;
	long verify;

	if (SSL_do_handshake(s->ssl) == 1) {
		/* what had to wait */
		memcpy(first, s->in, n);
		s->in_n = 0;
		tls_flush(s);
		if (n)
			turn_stream_send(s, first, n);
		return;
	}

	tls_flush(s);
	verify = SSL_get_verify_result(s->ssl);
	if (verify != X509_V_OK)
		lose(s, "is not trusted: ",
		     X509_verify_cert_error_string(verify));
	else if (ERR_peek_error())
		lose(s, "fails at TLS: ",
		     ERR_reason_error_string(ERR_peek_error()));
	ERR_clear_error();
}


static void tls_take(struct turn_stream *s, const uint8_t *p, size_t len)
{
	uint8_t buf[4096];
	int n;

	(void)BIO_write(s->rbio, p, (int)len);

	if (!SSL_is_init_finished(s->ssl))
		tls_go(s);

	while (!s->lost && SSL_is_init_finished(s->ssl) &&
	       (n = SSL_read(s->ssl, buf, sizeof(buf))) > 0)
		take(s, buf, (size_t)n);

	ERR_clear_error();
	if (!s->lost)
		tls_flush(s);
}


static void connected(struct turn_stream *s)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
		lose(s, "is not reached: ", strerror(err));
		return;
	}

	s->connected = true;
	if (s->ssl)
		tls_go(s);
	flush(s);
}


static void io_h(int flags, void *arg)
{
	struct turn_stream *s = arg;
	uint8_t buf[8192];
	ssize_t n;

	if (!s->connected) {
		connected(s);
		return;
	}

	if (flags & FD_WRITE)
		flush(s);

	n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n > 0 && s->ssl)
		tls_take(s, buf, (size_t)n);
	else if (n > 0)
		take(s, buf, (size_t)n);
	else if (!n)
		lose(s, "hangs up", "");
	else if (errno != EAGAIN && errno != EINTR)
		lose(s, "hangs up: ", strerror(errno));
}


/* Opening ---------------------------------------------------------------- */

static int trust(SSL_CTX *ctx, const char *ca)
{
	struct stat st;
	bool dir;

	if (!ca[0])
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ? 0 : EIO;

	dir = !stat(ca, &st) && S_ISDIR(st.st_mode);

	return SSL_CTX_load_verify_locations(ctx, dir ? NULL : ca,
					     dir ? ca : NULL) == 1 ? 0 : EIO;
}


static int tls_open(struct turn_stream *s, const struct media_nat *conf)
{
	s->ctx = SSL_CTX_new(TLS_client_method());
	if (!s->ctx || SSL_CTX_set_min_proto_version(s->ctx,
						     TLS1_2_VERSION) != 1)
		return ENOMEM;

	if (conf->tls_verify) {
		SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
		if (trust(s->ctx, conf->tls_ca))
			return EIO;
	}

	s->ssl = SSL_new(s->ctx);
	s->rbio = BIO_new(BIO_s_mem());
	s->wbio = BIO_new(BIO_s_mem());
	if (!s->ssl || !s->rbio || !s->wbio) {
		BIO_free(s->rbio);
		BIO_free(s->wbio);
		return ENOMEM;
	}

	SSL_set_bio(s->ssl, s->rbio, s->wbio);
	SSL_set_connect_state(s->ssl);
	if (conf->tls_verify) {
		struct sa sa;

		/* an address stands in a certificate in a way of its own */
		if (!sa_set_str(&sa, conf->turn_host, 0))
			(void)X509_VERIFY_PARAM_set1_ip_asc(
				SSL_get0_param(s->ssl), conf->turn_host);
		else
			(void)SSL_set1_host(s->ssl, conf->turn_host);
	}
	(void)SSL_set_tlsext_host_name(s->ssl, conf->turn_host);

	return 0;
}


int turn_stream_open(struct turn_stream **sp, const struct media_nat *conf,
		     turn_frame_h *frame_h, turn_lost_h *lost_h, void *arg)
{
	const int af = sa_af(&conf->turn), on = 1;
	struct turn_stream *s;
	int err = 0;

	s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return ENOMEM;

	s->frame_h = frame_h;
	s->lost_h = lost_h;
	s->arg = arg;
	s->out = malloc(OUT_MAX);
	s->fd = socket(af, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!s->out || s->fd < 0) {
		err = s->out ? errno : ENOMEM;
		goto out;
	}

	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (conf->relay == RELAY_TLS)
		err = tls_open(s, conf);
	if (err)
		goto out;

	if (connect(s->fd, &conf->turn.u.sa, conf->turn.len) &&
	    errno != EINPROGRESS)
		lose(s, "is not reached: ", strerror(errno));
	watch(s);

 out:
	ERR_clear_error();
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}
