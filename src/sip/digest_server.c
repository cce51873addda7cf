/**
 * @file sip/digest_server.c  Who are you? Digest as a server
 *
 * RFC 3261 22, 7616, 8760: a 401 with a challenge for each algorithm, and the
 * check of what comes back.  A nonce is the time and a hash of it with a key
 * of ours, the realm and the Call-ID, so that nothing is kept of who only
 * asks, and what was overheard serves for no other call.  The time is an
 * argument.  Main thread.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <offhook/random.h>
#include "filter.h"


enum {
	NONCE_MS  = 60000,
	TIME_HEX  = 16,
	MAC_HEX   = 32,
	NONCE_LEN = TIME_HEX + MAC_HEX,
	FIELD_MAX = 256,
};


static int nonce_make(char nonce[NONCE_LEN + 1], struct nonces *n,
		      uint64_t at_ms, const char *realm,
		      const struct pl *callid)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char text[1024];
	unsigned len = 0, i;
	int l;

	if (!n->made) {
		random_fill(n->key, sizeof(n->key));
		n->made = true;
	}

	l = snprintf(text, sizeof(text), "%016llx:%s:%.*s",
		     (unsigned long long)at_ms, realm,
		     (int)(callid->l < 512 ? callid->l : 512), callid->p);
	if (l < 0 || (size_t)l >= sizeof(text))
		return EOVERFLOW;

	if (!HMAC(EVP_sha256(), n->key, sizeof(n->key),
		  (const unsigned char *)text, (size_t)l, mac, &len) ||
	    len < MAC_HEX / 2)
		return ENOTSUP;

	l = snprintf(nonce, NONCE_LEN + 1, "%016llx",
		     (unsigned long long)at_ms);
	for (i = 0; i < MAC_HEX / 2; i++)
		l += snprintf(nonce + l, 3, "%02x", mac[i]);

	return 0;
}


/* Is it one of ours, for this call? */
static bool nonce_ours(uint64_t *at_ms, struct nonces *n,
		       const struct pl *nonce, const char *realm,
		       const struct pl *callid)
{
	char want[NONCE_LEN + 1], hex[TIME_HEX + 1];
	char *end;

	if (nonce->l != NONCE_LEN)
		return false;

	memcpy(hex, nonce->p, TIME_HEX);
	hex[TIME_HEX] = '\0';
	if (strspn(hex, "0123456789abcdef") != TIME_HEX)
		return false;
	*at_ms = strtoull(hex, &end, 16);

	return !nonce_make(want, n, *at_ms, realm, callid) &&
		!CRYPTO_memcmp(want, nonce->p, NONCE_LEN);
}


/* The same answer twice is a copy */
static bool used_before(struct nonces *n, const struct authorization *a)
{
	const uint64_t key = (uint64_t)hash_joaat_pl(&a->response) << 32 |
		hash_joaat_pl(&a->nonce);
	unsigned i;

	for (i = 0; i < NONCES_KEPT; i++) {
		if (n->usedv[i] == key)
			return true;
	}

	n->usedv[n->usedc++ % NONCES_KEPT] = key;

	return false;
}


static bool copy(char *dst, size_t sz, const struct pl *pl)
{
	return pl->p && !text_copy(dst, sz, pl->p, pl->l);
}


/* The user's name: quotes in it are escaped */
static bool name_is(const struct pl *pl, const char *name)
{
	size_t i;

	for (i = 0; i < pl->l; i++) {
		if (pl->p[i] == '\\' && i + 1 < pl->l)
			++i;
		if (pl->p[i] != *name++)
			return false;
	}

	return !*name;
}


static enum auth_verdict answer_check(struct nonces *n,
				      const struct authorization *a,
				      const struct sip_msg *msg,
				      const struct sip_creds *creds,
				      const char *realm, uint64_t now_ms)
{
	char nonce[FIELD_MAX], cnonce[FIELD_MAX] = "", uri[SIP_URI_MAX];
	char method[32], want[DIGEST_HEX_SIZE];
	struct digest_input in = {
		.algo = a->algo, .realm = realm, .nonce = nonce,
		.cnonce = cnonce, .method = method, .uri = uri, .nc = a->nc,
		.qop = a->qop.p ? "auth" : NULL,
	};
	uint64_t at_ms;

	if (a->algo == DIGEST_UNKNOWN || a->sess ||
	    !creds_fit(creds, a->algo) || !name_is(&a->user, creds_user(creds)) ||
	    !copy(nonce, sizeof(nonce), &a->nonce) ||
	    !copy(uri, sizeof(uri), &a->uri) ||
	    !copy(method, sizeof(method), &msg->met))
		return AUTH_WRONG;

	/* one that knows RFC 2069 only has none of the three */
	if (a->qop.p && (pl_strcasecmp(&a->qop, "auth") || !a->nc ||
			 !copy(cnonce, sizeof(cnonce), &a->cnonce)))
		return AUTH_WRONG;

	creds_fill(&in, creds);
	if (digest_response(want, &in) ||
	    a->response.l != strlen(want) ||
	    CRYPTO_memcmp(want, a->response.p, a->response.l))
		return AUTH_WRONG;

	if (!nonce_ours(&at_ms, n, &a->nonce, realm, &msg->callid) ||
	    now_ms < at_ms || now_ms - at_ms > NONCE_MS)
		return AUTH_STALE;

	return used_before(n, a) ? AUTH_STALE : AUTH_GOOD;
}


enum auth_verdict auth_check(struct nonces *n, const struct sip_msg *msg,
			     const struct sip_creds *creds,
			     const char *realm, uint64_t now_ms)
{
	enum auth_verdict best = AUTH_NONE;
	struct le *le;

	for (le = list_head(&msg->hdrl); le; le = le->next) {
		const struct sip_hdr *hdr = le->data;
		struct authorization a;

		if (pl_strcasecmp(&hdr->name, "Authorization") ||
		    !authorization_parse(&a, &hdr->val) ||
		    pl_strcmp(&a.realm, realm))
			continue;

		best = answer_check(n, &a, msg, creds, realm, now_ms);
		if (best == AUTH_GOOD)
			break;
	}

	return best;
}


int auth_challenge(char **lines, struct nonces *n,
		   const struct sip_creds *creds, const char *realm,
		   const struct sip_msg *msg, bool stale, uint64_t now_ms)
{
	static const struct {
		enum digest_algo algo;
		const char *name;
	} v[] = {
		{DIGEST_SHA256, "SHA-256"},
		{DIGEST_MD5,    "MD5"},
	};
	struct mbuf *mb = mbuf_alloc(512);
	char nonce[NONCE_LEN + 1];
	size_t i;
	int err;

	if (!mb)
		return ENOMEM;

	err = nonce_make(nonce, n, now_ms, realm, &msg->callid);

	for (i = 0; i < COUNTOF(v) && !err; i++) {
		if (creds_fit(creds, v[i].algo))
			err = mbuf_printf(mb, "WWW-Authenticate: Digest "
					  "realm=\"%s\", nonce=\"%s\", "
					  "algorithm=%s, qop=\"auth\"%s\r\n",
					  realm, nonce, v[i].name,
					  stale ? ", stale=true" : "");
	}

	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, lines, mb->end);
	}
	mem_deref(mb);

	return err;
}
