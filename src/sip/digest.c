/**
 * @file sip/digest.c  Digest answers to challenges
 *
 * Main thread.  A struct digest is what one dialog, or one request outside of
 * a dialog, has learnt: for each realm the nonce in force and how often it
 * was used.  Passwords stay in struct sip_creds, are wiped with it, and never
 * reach a log.  Which servers may challenge is for the caller to decide: it
 * gives credentials only to requests that go to the account's own.
 */
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <offhook/random.h>
#include "priv.h"
#include "digest.h"


enum {
	REALMS_MAX = 4,
	CHALLENGES_MAX = 16,
	FIELD_MAX  = 512,        /* realm, nonce, opaque                    */
};

struct sip_creds {
	char *user, *password, *ha1;
};

struct realm {
	bool proxy;
	char *realm, *nonce, *opaque;
	char *algorithm;         /* as told, NULL: not                      */
	enum digest_algo algo;
	bool sess, userhash;
	const char *qop;
	uint32_t nc;
	char cnonce[17];
	bool tried;              /* went out with this nonce                */
	bool accepted;           /* and the server took it                  */
};

struct digest {
	struct sip_creds *creds;
	char *limitv[REALMS_MAX];   /* realms that are answered            */
	unsigned limitc;            /* 0: any                              */
	struct realm *realmv[REALMS_MAX];
	unsigned realmc;
};


static void creds_destructor(void *arg)
{
	struct sip_creds *c = arg;

	if (c->password)
		OPENSSL_cleanse(c->password, strlen(c->password));
	if (c->ha1)
		OPENSSL_cleanse(c->ha1, strlen(c->ha1));

	mem_deref(c->user);
	mem_deref(c->password);
	mem_deref(c->ha1);
}


static bool ha1_ok(const char *ha1)
{
	const size_t n = strspn(ha1, "0123456789abcdefABCDEF");

	return !ha1[n] && (n == 32 || n == 64);
}


int sip_creds_alloc(struct sip_creds **cp, const char *user,
		    const char *password, const char *ha1)
{
	struct sip_creds *c;
	int err;

	if (!cp || !user || !header_text_ok(user) ||
	    (!(ha1 && *ha1) && !password) ||
	    (ha1 && *ha1 && !ha1_ok(ha1)))
		return EINVAL;

	c = mem_zalloc(sizeof(*c), creds_destructor);
	if (!c)
		return ENOMEM;

	err = str_dup(&c->user, user);
	if (!err && ha1 && *ha1)
		err = str_dup(&c->ha1, ha1);
	else if (!err)
		err = str_dup(&c->password, password);

	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


/* Hashing --------------------------------------------------------------- */

struct part {
	const char *p;
	size_t len;
};


static const EVP_MD *algo_md(enum digest_algo algo)
{
	switch (algo) {

	case DIGEST_MD5:        return EVP_md5();
	case DIGEST_SHA256:     return EVP_sha256();
	case DIGEST_SHA512_256: return EVP_sha512_256();
	default:                return NULL;
	}
}


static int hash_hex(char out[DIGEST_HEX_SIZE], enum digest_algo algo,
		    const struct part *v, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned i, len = 0;
	EVP_MD_CTX *ctx;
	size_t k;
	int ok;

	ctx = EVP_MD_CTX_new();
	if (!ctx)
		return ENOMEM;

	ok = EVP_DigestInit_ex(ctx, algo_md(algo), NULL);
	for (k = 0; k < n && ok; k++) {
		if (k)
			ok = EVP_DigestUpdate(ctx, ":", 1);
		if (ok)
			ok = EVP_DigestUpdate(ctx, v[k].p, v[k].len);
	}
	ok = ok && EVP_DigestFinal_ex(ctx, md, &len);
	EVP_MD_CTX_free(ctx);

	if (!ok || len > (DIGEST_HEX_SIZE - 1) / 2)
		return ENOTSUP;

	for (i = 0; i < len; i++) {
		out[2 * i]     = hex[md[i] >> 4];
		out[2 * i + 1] = hex[md[i] & 15];
	}
	out[2 * len] = '\0';

	OPENSSL_cleanse(md, sizeof(md));

	return 0;
}


#define STR(s) {(s), strlen(s)}


int digest_userhash(char out[DIGEST_HEX_SIZE], enum digest_algo algo,
		    const char *user, const char *realm)
{
	const struct part v[] = {STR(user), STR(realm)};

	return hash_hex(out, algo, v, COUNTOF(v));
}


static int ha1_make(char out[DIGEST_HEX_SIZE], const struct digest_input *in)
{
	int err;

	if (in->ha1) {
		const size_t n = strlen(in->ha1);
		size_t i;

		for (i = 0; i <= n; i++)
			out[i] = (char)tolower((unsigned char)in->ha1[i]);
	}
	else {
		const struct part v[] = {STR(in->user), STR(in->realm),
					 STR(in->password)};

		err = hash_hex(out, in->algo, v, COUNTOF(v));
		if (err)
			return err;
	}

	if (in->sess) {
		char base[DIGEST_HEX_SIZE];
		const struct part v[] = {STR(strcpy(base, out)),
					 STR(in->nonce), STR(in->cnonce)};

		err = hash_hex(out, in->algo, v, COUNTOF(v));
		OPENSSL_cleanse(base, sizeof(base));
		if (err)
			return err;
	}

	return 0;
}


int digest_response(char out[DIGEST_HEX_SIZE], const struct digest_input *in)
{
	char ha1[DIGEST_HEX_SIZE], ha2[DIGEST_HEX_SIZE];
	char hbody[DIGEST_HEX_SIZE], nc[9];
	bool integrity = in->qop && !strcmp(in->qop, "auth-int");
	int err;

	err = ha1_make(ha1, in);
	if (err)
		goto out;

	if (integrity) {
		const struct part v[] = {{in->body ? in->body : "",
					  in->body ? in->bodylen : 0}};

		err = hash_hex(hbody, in->algo, v, COUNTOF(v));
		if (err)
			goto out;
	}

	{
		const struct part v[] = {STR(in->method), STR(in->uri),
					 {hbody, integrity ? strlen(hbody) :
					  0}};

		err = hash_hex(ha2, in->algo, v, integrity ? 3 : 2);
		if (err)
			goto out;
	}

	(void)snprintf(nc, sizeof(nc), "%08x", in->nc);

	if (in->qop) {
		const struct part v[] = {STR(ha1), STR(in->nonce), STR(nc),
					 STR(in->cnonce), STR(in->qop),
					 STR(ha2)};

		err = hash_hex(out, in->algo, v, COUNTOF(v));
	}
	else {
		const struct part v[] = {STR(ha1), STR(in->nonce), STR(ha2)};

		err = hash_hex(out, in->algo, v, COUNTOF(v));
	}

 out:
	OPENSSL_cleanse(ha1, sizeof(ha1));

	return err;
}


/* Challenges ------------------------------------------------------------- */

static void realm_destructor(void *arg)
{
	struct realm *r = arg;

	mem_deref(r->realm);
	mem_deref(r->nonce);
	mem_deref(r->opaque);
	mem_deref(r->algorithm);
}


static void digest_destructor(void *arg)
{
	struct digest *d = arg;
	unsigned i;

	for (i = 0; i < d->realmc; i++)
		mem_deref(d->realmv[i]);
	for (i = 0; i < d->limitc; i++)
		mem_deref(d->limitv[i]);

	mem_deref(d->creds);
}


int digest_alloc(struct digest **dp, struct sip_creds *creds)
{
	struct digest *d = mem_zalloc(sizeof(*d), digest_destructor);

	if (!d)
		return ENOMEM;

	d->creds = mem_ref(creds);
	*dp = d;

	return 0;
}


bool creds_fit(const struct sip_creds *cr, enum digest_algo algo)
{
	if (!cr->ha1)
		return true;

	return strlen(cr->ha1) == (algo == DIGEST_MD5 ? 32 : 64);
}


const char *creds_user(const struct sip_creds *cr)
{
	return cr->user;
}


void creds_fill(struct digest_input *in, const struct sip_creds *cr)
{
	in->user = cr->user;
	in->password = cr->password ? cr->password : "";
	in->ha1 = cr->ha1;
}


void digest_limit(struct digest *d, char *const realmv[], unsigned n)
{
	while (d && n-- && d->limitc < REALMS_MAX)
		d->limitv[d->limitc++] = mem_ref(realmv[n]);
}


const char *digest_realm(const struct digest *d, unsigned i)
{
	unsigned k;

	for (k = 0; d && k < d->realmc; k++) {
		const struct realm *r = d->realmv[k];

		if (!r->proxy && r->accepted && !i--)
			return r->realm;
	}

	return NULL;
}


/*
 * A 401 may come from whoever is called: with a realm of his own he would get
 * a digest of our password to work on.
 */
static bool realm_allowed(const struct digest *d, const struct pl *realm)
{
	unsigned i;

	for (i = 0; i < d->limitc; i++) {
		if (!pl_strcmp(realm, d->limitv[i]))
			return true;
	}

	return !d->limitc;
}


struct found {
	const struct sip_creds *creds;
	const struct digest *digest;
	struct challenge v[CHALLENGES_MAX];
	bool proxy[CHALLENGES_MAX];
	unsigned n;
};


/* Of several challenges of one realm the strongest, the first of equals */
static void found_add(struct found *f, const struct challenge *c, bool proxy)
{
	unsigned i;

	if (!creds_fit(f->creds, c->algo) || c->realm.l > FIELD_MAX ||
	    c->nonce.l > FIELD_MAX || c->opaque.l > FIELD_MAX)
		return;

	for (i = 0; i < f->n; i++) {

		if (f->proxy[i] != proxy || pl_cmp(&f->v[i].realm, &c->realm))
			continue;

		if (c->algo > f->v[i].algo)
			f->v[i] = *c;
		return;
	}

	if (f->n < REALMS_MAX) {
		f->proxy[f->n] = proxy;
		f->v[f->n++] = *c;
	}
}


static void found_header(struct found *f, const struct sip_hdr *hdr)
{
	const bool proxy = !pl_strcasecmp(&hdr->name, "Proxy-Authenticate");
	struct challenge v[CHALLENGES_MAX];
	unsigned i, n;

	if (!proxy && pl_strcasecmp(&hdr->name, "WWW-Authenticate"))
		return;

	n = challenge_parse(v, COUNTOF(v), &hdr->val);
	for (i = 0; i < n; i++) {
		if (proxy || realm_allowed(f->digest, &v[i].realm))
			found_add(f, &v[i], proxy);
	}
}


static struct realm *realm_find(const struct digest *d,
				const struct challenge *c, bool proxy)
{
	unsigned i;

	for (i = 0; i < d->realmc; i++) {
		struct realm *r = d->realmv[i];

		if (r->proxy == proxy && !pl_strcmp(&c->realm, r->realm))
			return r;
	}

	return NULL;
}


static int realm_new(struct realm **rp, const struct challenge *c, bool proxy)
{
	struct realm *r = mem_zalloc(sizeof(*r), realm_destructor);
	int err;

	if (!r)
		return ENOMEM;

	r->proxy = proxy;
	r->algo = c->algo;
	r->sess = c->sess;
	r->userhash = c->userhash;
	r->qop = c->qop_auth ? "auth" : c->qop_int ? "auth-int" : NULL;
	(void)snprintf(r->cnonce, sizeof(r->cnonce), "%016llx",
		       (unsigned long long)random_u64());

	err = pl_strdup(&r->realm, &c->realm);
	if (!err)
		err = pl_strdup(&r->nonce, &c->nonce);
	if (!err && c->opaque.p)
		err = pl_strdup(&r->opaque, &c->opaque);
	if (!err && c->algorithm.p)
		err = pl_strdup(&r->algorithm, &c->algorithm);

	if (err)
		mem_deref(r);
	else
		*rp = r;

	return err;
}


/*
 * Is this a refusal of what we sent?  Not if the server says that only the
 * nonce is too old, and not if it took the last one and now wants another:
 * servers that change their nonces often forget to say stale.
 */
static bool refused(const struct realm *r, const struct challenge *c)
{
	if (!r->tried || c->stale)
		return false;

	return !r->accepted || !pl_strcmp(&c->nonce, r->nonce);
}


int digest_challenge(struct digest *d, const struct sip_msg *msg)
{
	struct found f = {.n = 0};
	struct le *le;
	unsigned i;

	if (!d || !d->creds)
		return EACCES;

	f.creds = d->creds;
	f.digest = d;
	for (le = list_head(&msg->hdrl); le; le = le->next)
		found_header(&f, le->data);

	if (!f.n)
		return ENOTSUP;

	for (i = 0; i < f.n; i++) {
		const struct realm *r = realm_find(d, &f.v[i], f.proxy[i]);

		if (r && refused(r, &f.v[i]))
			return EAUTH;
	}

	for (i = 0; i < f.n; i++) {
		struct realm *old = realm_find(d, &f.v[i], f.proxy[i]);
		struct realm *r;
		unsigned k;
		int err;

		if (!old && d->realmc == REALMS_MAX)
			return ENOTSUP;

		err = realm_new(&r, &f.v[i], f.proxy[i]);
		if (err)
			return err;

		if (!old) {
			d->realmv[d->realmc++] = r;
			continue;
		}

		for (k = 0; d->realmv[k] != old; k++)
			;
		d->realmv[k] = r;
		mem_deref(old);
	}

	return 0;
}


/* It names no realm, so it counts only when one alone can be meant */
static void next_nonce(struct digest *d, const struct sip_hdr *hdr)
{
	const bool proxy = !pl_strcasecmp(&hdr->name,
					  "Proxy-Authentication-Info");
	struct realm *one = NULL;
	char *nonce = NULL;
	struct pl val;
	unsigned i;

	if (!proxy && pl_strcasecmp(&hdr->name, "Authentication-Info"))
		return;

	for (i = 0; i < d->realmc; i++) {
		struct realm *r = d->realmv[i];

		if (r->proxy != proxy || !r->tried)
			continue;
		if (one)
			return;
		one = r;
	}

	if (!one || !challenge_nextnonce(&val, &hdr->val) ||
	    val.l > FIELD_MAX || !pl_strcmp(&val, one->nonce) ||
	    pl_strdup(&nonce, &val))
		return;

	mem_deref(one->nonce);
	one->nonce = nonce;
	one->nc = 0;
}


void digest_accepted(struct digest *d, const struct sip_msg *msg)
{
	struct le *le;
	unsigned i;

	if (!d)
		return;

	for (i = 0; i < d->realmc; i++)
		d->realmv[i]->accepted |= d->realmv[i]->tried;

	for (le = list_head(&msg->hdrl); le; le = le->next)
		next_nonce(d, le->data);
}


static int write_quoted(struct mbuf *mb, const char *s)
{
	int err = mbuf_write_u8(mb, '"');

	for (; *s && !err; s++) {
		if (*s == '"' || *s == '\\')
			err = mbuf_write_u8(mb, '\\');
		if (!err)
			err = mbuf_write_u8(mb, (uint8_t)*s);
	}

	return err ? err : mbuf_write_u8(mb, '"');
}


static int realm_write(struct realm *r, const struct sip_creds *cr,
		       struct mbuf *mb, struct digest_input *in)
{
	char resp[DIGEST_HEX_SIZE], hash[DIGEST_HEX_SIZE];
	int err;

	in->algo   = r->algo;
	in->sess   = r->sess;
	in->realm  = r->realm;
	in->nonce  = r->nonce;
	in->cnonce = r->cnonce;
	in->qop    = r->qop;
	in->nc     = ++r->nc;

	err = digest_response(resp, in);
	if (!err && r->userhash)
		err = digest_userhash(hash, r->algo, cr->user, r->realm);
	if (err)
		return err;

	err = mbuf_write_str(mb, r->proxy ?
			     "Proxy-Authorization: Digest username=" :
			     "Authorization: Digest username=");
	if (!err)
		err = write_quoted(mb, r->userhash ? hash : cr->user);
	if (!err)
		err = mbuf_printf(mb, ", realm=\"%s\", nonce=\"%s\", "
				  "uri=\"%s\", response=\"%s\"",
				  r->realm, r->nonce, in->uri, resp);
	if (!err && r->algorithm)
		err = mbuf_printf(mb, ", algorithm=%s", r->algorithm);
	if (!err && (r->qop || r->sess))
		err = mbuf_printf(mb, ", cnonce=\"%s\"", r->cnonce);
	if (!err && r->qop)
		err = mbuf_printf(mb, ", qop=%s, nc=%08x", r->qop, r->nc);
	if (!err && r->opaque)
		err = mbuf_printf(mb, ", opaque=\"%s\"", r->opaque);
	if (!err && r->userhash)
		err = mbuf_write_str(mb, ", userhash=true");
	if (!err)
		err = mbuf_write_str(mb, "\r\n");

	r->tried = true;

	return err;
}


int digest_write(struct digest *d, struct mbuf *mb, const char *method,
		 const char *uri, const char *body, size_t bodylen)
{
	struct digest_input in = {
		.method = method, .uri = uri,
		.body = body, .bodylen = bodylen,
	};
	unsigned i;
	int err = 0;

	if (!d || !d->creds)
		return 0;

	creds_fill(&in, d->creds);

	for (i = 0; i < d->realmc && !err; i++)
		err = realm_write(d->realmv[i], d->creds, mb, &in);

	return err;
}
