/**
 * @file sip/tls.c  Whom we trust, and who we are
 *
 * Main thread.  An object of this kind is counted and shared by the
 * connections made with it; it holds the contexts of OpenSSL and the sessions
 * that may be resumed.  As server we show our certificate, or one that was
 * made for this run, and ask nobody for theirs.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include "tls.h"


enum {
	SESSIONS_MAX = 32,
	CA_FILES_MAX = 1000,
};

struct tlssession {
	struct le le;
	SSL_SESSION *session;
	char who[];
};


/* Sentences ------------------------------------------------------------------ */

/* Says what is wrong with what was configured. @return e */
static int wrong(char *err, size_t sz, int e, const char *what,
		 const char *file, const char *why)
{
	char shown[120];

	(void)snprintf(err, sz, "%s %s: %s", what,
		       text_escape(shown, sizeof(shown), file, strlen(file)),
		       why);
	ERR_clear_error();

	return e;
}


/* The last thing OpenSSL said */
static const char *ssl_says(void)
{
	const unsigned long e = ERR_peek_last_error();
	const char *s = e ? ERR_reason_error_string(e) : NULL;

	if (e && ERR_SYSTEM_ERROR(e))
		return strerror(ERR_GET_REASON(e));

	return s ? s : "cannot be read";
}


/* Sessions ------------------------------------------------------------------- */

static void session_destructor(void *arg)
{
	struct tlssession *s = arg;

	list_unlink(&s->le);
	SSL_SESSION_free(s->session);
}


static struct tlssession *session_of(const struct sip_tls *t,
				     const char *who)
{
	struct le *le;

	for (le = t->sessions.head; le; le = le->next) {
		struct tlssession *s = le->data;

		if (!strcmp(s->who, who))
			return s;
	}

	return NULL;
}


SSL_SESSION *tlssession_find(struct sip_tls *t, const char *who)
{
	struct tlssession *s = session_of(t, who);

	if (!s || !SSL_SESSION_is_resumable(s->session))
		return NULL;

	return SSL_SESSION_up_ref(s->session) ? s->session : NULL;
}


void tlssession_keep(struct sip_tls *t, const char *who,
		     SSL_SESSION *session)
{
	struct tlssession *s;

	mem_deref(session_of(t, who));
	if (list_count(&t->sessions) >= SESSIONS_MAX)
		mem_deref(list_ledata(t->sessions.head));

	s = mem_zalloc(sizeof(*s) + strlen(who) + 1, session_destructor);
	if (!s || !SSL_SESSION_up_ref(session)) {
		mem_deref(s);
		return;
	}

	s->session = session;
	memcpy(s->who, who, strlen(who) + 1);
	list_append(&t->sessions, &s->le, s);
}


/* Contexts ------------------------------------------------------------------- */

static void keylog_h(const SSL *ssl, const char *line)
{
	const struct sip_tls *t =
		SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	char buf[512];
	int n;

	if (!t || t->keylog_fd < 0)
		return;

	n = snprintf(buf, sizeof(buf), "%s\n", line);
	if (n > 0 && (size_t)n < sizeof(buf) &&
	    write(t->keylog_fd, buf, (size_t)n) != n)
		log_info("tls-keylog: %s", strerror(errno));
}


/* Never ask at the terminal; remember that it would have been needed */
static int passphrase_h(char *buf, int size, int rwflag, void *arg)
{
	bool *asked = arg;

	(void)buf;
	(void)size;
	(void)rwflag;

	if (asked)
		*asked = true;

	return 0;
}


static SSL_CTX *ctx_new(struct sip_tls *t)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	if (!ctx)
		return NULL;

	(void)SSL_CTX_set_min_proto_version(ctx, t->min);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
				  SSL_OP_NO_COMPRESSION);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_app_data(ctx, t);
	SSL_CTX_set_default_passwd_cb(ctx, passphrase_h);
	if (t->keylog_fd >= 0)
		SSL_CTX_set_keylog_callback(ctx, keylog_h);

	return ctx;
}


/* Files of certificates, whatever they are called */
static int ca_dir(X509_STORE *store, const char *dir, unsigned *n)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	if (!d)
		return errno;

	while ((de = readdir(d)) && *n < CA_FILES_MAX) {
		char path[1024];
		struct stat st;

		if (de->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, de->d_name) >=
		    (int)sizeof(path) || stat(path, &st) ||
		    !S_ISREG(st.st_mode))
			continue;

		/* what is none is passed over */
		*n += X509_STORE_load_file(store, path) > 0;
	}

	(void)closedir(d);
	ERR_clear_error();

	return 0;
}


static int ca_load(struct sip_tls *t, const char *ca, char *err, size_t sz)
{
	X509_STORE *store = SSL_CTX_get_cert_store(t->client);
	unsigned n = 0;
	struct stat st;
	int e;

	if (!ca || !*ca) {
		(void)SSL_CTX_set_default_verify_paths(t->client);
		ERR_clear_error();
		return 0;
	}

	if (stat(ca, &st))
		return wrong(err, sz, errno, "tls-ca", ca, strerror(errno));

	if (S_ISDIR(st.st_mode)) {
		e = ca_dir(store, ca, &n);
		if (e)
			return wrong(err, sz, e, "tls-ca", ca, strerror(e));
		if (!n)
			return wrong(err, sz, EINVAL, "tls-ca", ca,
				     "no file in it holds a certificate");
		return 0;
	}

	if (X509_STORE_load_file(store, ca) <= 0)
		return wrong(err, sz, EINVAL, "tls-ca", ca,
			     "holds no certificate in PEM form");

	return 0;
}


static int cert_load(SSL_CTX *ctx, const char *cert, const char *key,
		     char *err, size_t sz)
{
	bool asked = false;
	struct stat st;

	if (stat(cert, &st))
		return wrong(err, sz, errno, "tls-cert", cert,
			     strerror(errno));
	if (stat(key, &st))
		return wrong(err, sz, errno, "tls-key", key, strerror(errno));

	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return wrong(err, sz, EINVAL, "tls-cert", cert,
			     ERR_GET_LIB(ERR_peek_error()) ==
			     ERR_LIB_PEM ? "holds no certificate in PEM form"
			     : ssl_says());

	SSL_CTX_set_default_passwd_cb_userdata(ctx, &asked);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		const unsigned long e = ERR_peek_error();

		SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);

		if (asked)
			return wrong(err, sz, EINVAL, "tls-key", key,
				     "is protected by a passphrase; a key "
				     "without one is needed");
		if (ERR_GET_LIB(e) == ERR_LIB_X509)
			return wrong(err, sz, EINVAL, "tls-key", key,
				     "is not the key of tls-cert");

		return wrong(err, sz, EINVAL, "tls-key", key,
			     "holds no private key in PEM form");
	}
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);

	if (SSL_CTX_check_private_key(ctx) != 1)
		return wrong(err, sz, EINVAL, "tls-key", key,
			     "is not the key of tls-cert");

	return 0;
}


static int keylog_open(struct sip_tls *t, const char *file, char *err,
		       size_t sz)
{
	struct stat st;

	if (!file || !*file)
		return 0;

	t->keylog_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
			    O_NOFOLLOW, 0600);
	if (t->keylog_fd < 0 || fstat(t->keylog_fd, &st))
		return wrong(err, sz, errno, "tls-keylog", file,
			     strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_mode & 077)
		return wrong(err, sz, EPERM, "tls-keylog", file,
			     "others may read it, and with it all that is "
			     "said: chmod 600");

	log_warn("tls-keylog: whoever reads %s can read all that is said "
		 "over TLS", file);

	return 0;
}


static int min_parse(int *min, const char *text, char *err, size_t sz)
{
	*min = TLS1_2_VERSION;

	if (!text || !*text || !strcmp(text, "1.2"))
		return 0;

	if (strcmp(text, "1.3"))
		return wrong(err, sz, EINVAL, "tls-min", text,
			     "it is 1.2 or 1.3");

	*min = TLS1_3_VERSION;

	return 0;
}


static void tls_destructor(void *arg)
{
	struct sip_tls *t = arg;

	list_flush(&t->sessions);
	SSL_CTX_free(t->client);
	SSL_CTX_free(t->server);
	mem_deref(t->cert);
	mem_deref(t->key);
	if (t->keylog_fd >= 0)
		(void)close(t->keylog_fd);
}


int sip_tls_pin_check(const char *pin, char *err, size_t errsz)
{
	struct cert_pins pins;

	if (!cert_pins_parse(&pins, pin))
		return 0;

	return wrong(err, errsz, EINVAL, "tls-pin", pin, "it is the SHA-256 "
		     "of a certificate or a public key, 64 hex digits or 44 characters of "
		     "base64; several with commas, at most 8");
}


static int tls_read(struct sip_tls *t, const struct sip_tls_conf *conf,
		    char *err, size_t sz)
{
	int e;

	e = min_parse(&t->min, conf->min, err, sz);
	if (!e && conf->pin && *conf->pin) {
		e = sip_tls_pin_check(conf->pin, err, sz);
		if (!e)
			e = cert_pins_parse(&t->pins, conf->pin);
	}
	if (!e)
		e = keylog_open(t, conf->keylog, err, sz);
	if (e)
		return e;

	if (conf->cert && *conf->cert) {
		e = str_dup(&t->cert, conf->cert);
		if (!e)
			e = str_dup(&t->key, conf->key && *conf->key ?
				    conf->key : conf->cert);
		if (e)
			return e;
	}
	else if (conf->key && *conf->key) {
		return wrong(err, sz, EINVAL, "tls-key", conf->key,
			     "tls-cert is missing");
	}

	t->client = ctx_new(t);
	if (!t->client)
		return ENOMEM;

	(void)SSL_CTX_set_session_cache_mode(t->client,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);

	e = ca_load(t, conf->ca, err, sz);
	if (!e && t->cert)
		e = cert_load(t->client, t->cert, t->key, err, sz);

	return e;
}


int sip_tls_alloc(struct sip_tls **tp, const struct sip_tls_conf *conf,
		  char *err, size_t errsz)
{
	struct sip_tls *t;
	int e;

	if (!tp || !conf || !err || !errsz)
		return EINVAL;

	*err = '\0';

	t = mem_zalloc(sizeof(*t), tls_destructor);
	if (!t)
		return ENOMEM;

	t->keylog_fd = -1;
	t->verify = conf->verify;

	e = tls_read(t, conf, err, errsz);
	ERR_clear_error();
	if (e) {
		if (!*err)
			(void)snprintf(err, errsz, "TLS cannot be used: %s",
				       strerror(e));
		mem_deref(t);
		return e;
	}

	*tp = t;

	return 0;
}


bool sip_tls_open(const struct sip_tls *t)
{
	return t && !t->verify && !t->pins.n;
}


/* As server ------------------------------------------------------------------ */

static int cert_own(struct sip_tls *t, SSL_CTX *ctx, const char *names)
{
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int err;

	err = cert_make(&cert, &key, "offhook", names);
	if (err)
		return err;

	if (SSL_CTX_use_certificate(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1)
		err = EINVAL;
	else
		err = cert_pin_print(t->pin, sizeof(t->pin), cert);

	X509_free(cert);
	EVP_PKEY_free(key);

	return err;
}


int tls_serve(struct sip_tls *t, const char *names, char *err, size_t errsz)
{
	static const uint8_t id[] = "offhook";
	SSL_CTX *ctx;
	int e;

	if (t->server)
		return 0;

	*err = '\0';

	ctx = ctx_new(t);
	if (!ctx)
		return ENOMEM;

	(void)SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);

	/* clients keep their sessions themselves, as tickets: strangers must
	   not fill our memory */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(ctx, 1);

	e = t->cert ? cert_load(ctx, t->cert, t->key, err, errsz) :
		cert_own(t, ctx, names);
	ERR_clear_error();
	if (e) {
		if (!*err)
			(void)snprintf(err, errsz, "no certificate for TLS "
				       "could be made: %s", strerror(e));
		SSL_CTX_free(ctx);
		return e;
	}

	t->server = ctx;

	return 0;
}
