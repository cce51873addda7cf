/**
 * @file sip/cert.c  What a certificate says
 *
 * Pure functions on what OpenSSL has decoded, main thread.  The names a
 * certificate gives for a SIP domain are found and compared as RFC 5922 wants
 * it, which is stricter than what web browsers do: whole names only, no
 * wildcard, no common name where there are alternative names.  All text is
 * made safe for terminals.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <offhook/random.h>
#include "priv.h"
#include "cert.h"


enum { NAMES_SHOWN = 4 };

/* RFC 5924: id-kp-sipDomain */
#define OID_SIP_DOMAIN "1.3.6.1.5.5.7.3.20"


/* Pins ----------------------------------------------------------------------- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}


static bool hex_read(uint8_t pin[CERT_PIN], const char *p, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		const int v = hex_value(p[i]);

		if (p[i] == ':')
			continue;
		if (v < 0 || n == 2 * CERT_PIN)
			return false;

		pin[n / 2] = (uint8_t)(n % 2 ? pin[n / 2] | v : v << 4);
		++n;
	}

	return n == 2 * CERT_PIN;
}


static bool base64_read(uint8_t pin[CERT_PIN], const char *p, size_t len)
{
	size_t n = CERT_PIN + 2;
	uint8_t buf[CERT_PIN + 2];

	if (len != 44 || p[43] != '=' || base64_decode(p, len, buf, &n) ||
	    n != CERT_PIN)
		return false;

	memcpy(pin, buf, CERT_PIN);

	return true;
}


static size_t prefix_len(const char *p, size_t len)
{
	static const char *const v[] = {"sha256//", "sha256/", "sha256:"};
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		const size_t n = strlen(v[i]);

		if (len > n && text_caseeq(p, n, v[i]))
			return n;
	}

	return 0;
}


int cert_pins_parse(struct cert_pins *pins, const char *text)
{
	struct cert_pins r = {.n = 0};
	const char *p = text;

	for (;;) {
		size_t len = strcspn(p, ","), skip = prefix_len(p, len);
		uint8_t *pin = r.v[r.n];

		if (r.n == CERT_PINS ||
		    (!hex_read(pin, p + skip, len - skip) &&
		     !base64_read(pin, p + skip, len - skip)))
			return EINVAL;
		++r.n;

		p += len;
		if (!*p)
			break;
		++p;
		p += strspn(p, " ");
	}

	*pins = r;

	return 0;
}


int cert_pin(uint8_t pin[CERT_PIN], const X509 *cert)
{
	const X509_PUBKEY *key = X509_get_X509_PUBKEY(cert);
	uint8_t *der = NULL;
	unsigned n = CERT_PIN;
	const int len = i2d_X509_PUBKEY(key, &der);
	int ok;

	if (len <= 0)
		return EINVAL;

	ok = EVP_Digest(der, (size_t)len, pin, &n, EVP_sha256(), NULL);
	OPENSSL_free(der);

	return ok ? 0 : ENOMEM;
}


int cert_pin_print(char *buf, size_t sz, const X509 *cert)
{
	uint8_t pin[CERT_PIN];
	char text[64];
	size_t n = sizeof(text) - 1;
	int err;

	err = cert_pin(pin, cert);
	if (!err)
		err = base64_encode(pin, sizeof(pin), text, &n);
	if (err)
		return err;

	text[n] = '\0';
	(void)snprintf(buf, sz, "sha256//%s", text);

	return 0;
}


bool cert_pinned(const struct cert_pins *pins, const X509 *cert)
{
	uint8_t pin[CERT_PIN], whole[CERT_PIN];
	unsigned i, n = CERT_PIN;

	if (cert_pin(pin, cert) ||
	    !X509_digest(cert, EVP_sha256(), whole, &n) || n != CERT_PIN)
		return false;

	for (i = 0; i < pins->n; i++) {
		if (!memcmp(pins->v[i], pin, CERT_PIN) ||
		    !memcmp(pins->v[i], whole, CERT_PIN))
			return true;
	}

	return false;
}


/* Names ---------------------------------------------------------------------- */

/* What is looked for, and what is seen on the way */
struct search {
	struct pl domain;           /* unset: all names are wanted           */
	struct sa addr;             /* the same as a number, or unset        */
	bool found;
	char *buf;                  /* names seen, NULL: not wanted          */
	size_t sz;
	unsigned seen;
};


static void name_seen(struct search *s, const char *p, size_t len)
{
	char text[80];
	size_t used;

	if (s->buf && s->seen < NAMES_SHOWN) {
		used = strlen(s->buf);
		(void)snprintf(s->buf + used, s->sz - used, "%s%s",
			       s->seen ? ", " : "",
			       text_escape(text, sizeof(text), p, len));
	}

	++s->seen;
}


/* "example.com." is the same name */
static struct pl undotted(const char *p, size_t len)
{
	if (len > 1 && p[len - 1] == '.')
		--len;

	return (struct pl){.p = p, .l = len};
}


static bool name_is(struct search *s, const char *p, size_t len)
{
	const struct pl name = undotted(p, len);
	struct sa sa;

	name_seen(s, p, len);

	if (sa_isset(&s->addr, SA_ADDR))
		return !sa_set(&sa, &name, 0) &&
			sa_cmp(&sa, &s->addr, SA_ADDR);

	/* whole, without case; a NUL inside is a difference */
	return s->domain.l && name.l == s->domain.l &&
		!pl_casecmp(&name, &s->domain);
}


static const char *str_of(const ASN1_STRING *str, size_t *len)
{
	*len = (size_t)ASN1_STRING_length(str);

	return (const char *)ASN1_STRING_get0_data(str);
}


/* A domain, not a person: sip: without a user */
static bool sip_domain(struct pl *host, const GENERAL_NAME *gn)
{
	struct suri u;
	struct pl uri;

	if (gn->type != GEN_URI)
		return false;

	uri.p = str_of(gn->d.uniformResourceIdentifier, &uri.l);
	if (suri_parse(&u, &uri) || !u.sip || u.sips || u.user.p)
		return false;

	*host = u.host;

	return true;
}


static bool addr_is(struct search *s, const ASN1_OCTET_STRING *ip)
{
	const uint8_t *p = ASN1_STRING_get0_data(ip);
	struct sa sa;
	char text[64];

	switch (ASN1_STRING_length(ip)) {

	case 4:
		sa_set_in(&sa, (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			  (uint32_t)p[2] << 8 | p[3], 0);
		break;

	case 16:
		sa_set_in6(&sa, p, 0);
		break;

	default:
		return false;
	}

	if (!sa_ntop(&sa, text, sizeof(text)))
		name_seen(s, text, strlen(text));

	return sa_isset(&s->addr, SA_ADDR) &&
		sa_cmp(&sa, &s->addr, SA_ADDR);
}


/* RFC 5922 7.1: DNS names count only where no URI names a domain */
static void search_alternative(struct search *s, const GENERAL_NAMES *names)
{
	const int n = sk_GENERAL_NAME_num(names);
	bool uri = false;
	struct pl host;
	int i;

	for (i = 0; i < n; i++) {
		const GENERAL_NAME *gn = sk_GENERAL_NAME_value(names, i);

		if (!sip_domain(&host, gn))
			continue;

		uri = true;
		s->found |= name_is(s, host.p, host.l);
	}

	for (i = 0; i < n; i++) {
		const GENERAL_NAME *gn = sk_GENERAL_NAME_value(names, i);
		size_t len;
		const char *p;

		if (gn->type == GEN_IPADD) {
			s->found |= addr_is(s, gn->d.iPAddress);
		}
		else if (gn->type == GEN_DNS && !uri) {
			p = str_of(gn->d.dNSName, &len);
			s->found |= name_is(s, p, len);
		}
	}
}


static void search_common(struct search *s, const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	const X509_NAME_ENTRY *entry;
	const char *p;
	int i = -1, last = -1;
	size_t len;

	while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >=
	       0)
		last = i;
	if (last < 0)
		return;

	entry = X509_NAME_get_entry(subject, last);
	p = str_of(X509_NAME_ENTRY_get_data(entry), &len);
	if (len)
		s->found |= name_is(s, p, len);
}


static void search(struct search *s, const X509 *cert)
{
	GENERAL_NAMES *names;

	names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	if (names) {
		search_alternative(s, names);
		GENERAL_NAMES_free(names);
	}
	else if (X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) < 0) {
		search_common(s, cert);
	}

	ERR_clear_error();
}


bool cert_names(const X509 *cert, const char *domain)
{
	struct search s = {.found = false};

	if (!cert || !domain || !*domain)
		return false;

	s.domain = undotted(domain, strlen(domain));
	if (sa_set(&s.addr, &s.domain, 0))
		sa_init(&s.addr, AF_UNSPEC);

	search(&s, cert);

	return s.found;
}


char *cert_names_print(char *buf, size_t sz, const X509 *cert)
{
	struct search s = {.buf = buf, .sz = sz};

	*buf = '\0';
	sa_init(&s.addr, AF_UNSPEC);
	search(&s, cert);

	if (!s.seen)
		(void)snprintf(buf, sz, "no name at all");
	else if (s.seen > NAMES_SHOWN)
		(void)snprintf(buf + strlen(buf), sz - strlen(buf),
			       " and %u more", s.seen - NAMES_SHOWN);

	return buf;
}


bool cert_for_sip(const X509 *cert)
{
	EXTENDED_KEY_USAGE *uses;
	bool found = false;
	char oid[64];
	int i;

	uses = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);

	for (i = 0; uses && i < sk_ASN1_OBJECT_num(uses); i++) {
		const ASN1_OBJECT *use = sk_ASN1_OBJECT_value(uses, i);

		(void)OBJ_obj2txt(oid, sizeof(oid), use, 1);
		found |= !strcmp(oid, OID_SIP_DOMAIN);
	}

	EXTENDED_KEY_USAGE_free(uses);
	ERR_clear_error();

	return found;
}


/* Sentences ------------------------------------------------------------------ */

static void name_print(char *buf, size_t sz, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	(void)snprintf(buf, sz, "(empty)");

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 &
				      ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >
	    0) {
		n = BIO_get_mem_data(bio, &p);
		if (n > 0)
			(void)text_escape(buf, sz, p, (size_t)n);
	}

	BIO_free(bio);
	ERR_clear_error();
}


void cert_parties(const X509 *cert, char *subject, size_t subjectsz,
		  char *issuer, size_t issuersz)
{
	name_print(subject, subjectsz, X509_get_subject_name(cert));
	name_print(issuer, issuersz, X509_get_issuer_name(cert));
}


static void when_print(char *buf, size_t sz, const char *what,
		       const ASN1_TIME *when)
{
	struct tm tm;

	if (when && ASN1_TIME_to_tm(when, &tm))
		(void)snprintf(buf, sz, "%s %04d-%02d-%02d %02d:%02d UTC",
			       what, tm.tm_year + 1900, tm.tm_mon + 1,
			       tm.tm_mday, tm.tm_hour, tm.tm_min);
	else
		(void)snprintf(buf, sz, "%s an unreadable date", what);
}


char *cert_flaw_print(char *buf, size_t sz, const X509 *cert, int err)
{
	char issuer[80];

	switch (cert ? err : X509_V_ERR_UNSPECIFIED) {

	case X509_V_ERR_CERT_HAS_EXPIRED:
		when_print(buf, sz, "expired since",
			   X509_get0_notAfter(cert));
		break;

	case X509_V_ERR_CERT_NOT_YET_VALID:
		when_print(buf, sz, "not valid before",
			   X509_get0_notBefore(cert));
		break;

	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		(void)snprintf(buf, sz, "self-signed");
		break;

	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		name_print(issuer, sizeof(issuer),
			   X509_get_subject_name(cert));
		(void)snprintf(buf, sz, "unknown issuer: %s", issuer);
		break;

	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		name_print(issuer, sizeof(issuer),
			   X509_get_issuer_name(cert));
		(void)snprintf(buf, sz, "unknown issuer: %s", issuer);
		break;

	case X509_V_ERR_INVALID_PURPOSE:
		(void)snprintf(buf, sz, "not meant for servers");
		break;

	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		(void)snprintf(buf, sz, "its key is too short to be safe");
		break;

	case X509_V_ERR_CA_MD_TOO_WEAK:
		(void)snprintf(buf, sz, "signed in a way that is not safe "
			       "any more");
		break;

	case X509_V_ERR_INVALID_CA:
		(void)snprintf(buf, sz, "signed by one that may not sign "
			       "others");
		break;

	default:
		(void)snprintf(buf, sz, "%s",
			       X509_verify_cert_error_string(err));
		break;
	}

	return buf;
}


char *cert_chain_flaw_print(char *buf, size_t sz, X509_STORE_CTX *ctx,
			    int err)
{
	const X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	const X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	const int depth = X509_STORE_CTX_get_error_depth(ctx);
	char flaw[120];

	(void)cert_flaw_print(flaw, sizeof(flaw), at ? at : leaf, err);
	(void)snprintf(buf, sz, "%s%s", depth > 0 && at &&
		       err == X509_V_ERR_CERT_HAS_EXPIRED ?
		       "an issuer's has " : "", flaw);

	return buf;
}


/* One of our own ------------------------------------------------------------- */

static int names_add(X509 *cert, const char *names)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);

	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, names);
	if (!ext)
		return EINVAL;

	ok = X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);

	return ok ? 0 : ENOMEM;
}


static int cert_fill(X509 *cert, EVP_PKEY *key, const char *cn,
		     const char *names)
{
	X509_NAME *name = X509_get_subject_name(cert);
	const long day = 24 * 3600;
	int err = 0;

	if (!X509_set_version(cert, 2) ||
	    !ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert),
				     random_u64() >> 1) ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					(const uint8_t *)cn, -1, -1, 0) ||
	    !X509_set_issuer_name(cert, name) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), -day) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), 365 * day) ||
	    !X509_set_pubkey(cert, key))
		return ENOMEM;

	if (names)
		err = names_add(cert, names);

	return err ? err : X509_sign(cert, key, EVP_sha256()) ? 0 : ENOMEM;
}


int cert_make(X509 **certp, EVP_PKEY **keyp, const char *cn,
	      const char *names)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	int err;

	err = key && cert ? cert_fill(cert, key, cn, names) : ENOMEM;
	if (err) {
		X509_free(cert);
		EVP_PKEY_free(key);
	}
	else {
		*certp = cert;
		*keyp = key;
	}

	ERR_clear_error();

	return err;
}
