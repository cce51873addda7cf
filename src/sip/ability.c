/**
 * @file sip/ability.c  What we can do: Allow, Accept, Supported, Allow-Events,
 * Recv-Info
 *
 * Main thread.  One list of tokens of each kind and stack, kept as the text
 * that goes into the header.  It begins with what this layer does by itself;
 * whoever serves a method, a type, an option or an event package adds it.
 */
#include "priv.h"
#include "offhook/sip_rx.h"


enum { ABILITY_MAX = 512 };

struct ability {
	char text[SIP_AB_KINDS][ABILITY_MAX];
};

static const char *const names[SIP_AB_KINDS] = {
	[SIP_AB_METHOD] = "Allow",
	[SIP_AB_TYPE]   = "Accept",
	[SIP_AB_OPTION] = "Supported",
	[SIP_AB_EVENT]  = "Allow-Events",
	[SIP_AB_INFO]   = "Recv-Info",
};

static const struct {
	enum sip_ability what;
	const char *token;
} ours[] = {
	{SIP_AB_METHOD, "INVITE"},
	{SIP_AB_METHOD, "ACK"},
	{SIP_AB_METHOD, "CANCEL"},
	{SIP_AB_METHOD, "BYE"},
	{SIP_AB_METHOD, "OPTIONS"},
	{SIP_AB_METHOD, "PRACK"},
	{SIP_AB_METHOD, "UPDATE"},
	{SIP_AB_TYPE,   SIP_ACCEPT},
	{SIP_AB_TYPE,   SIP_PARTS},
	{SIP_AB_OPTION, "100rel"},
	{SIP_AB_OPTION, "199"},
	{SIP_AB_OPTION, "timer"},
};


/* A token, with the '/' of a media type */
static bool token_ok(const char *token)
{
	const size_t len = strlen(token);

	return len && len < 64 &&
		strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		       "abcdefghijklmnopqrstuvwxyz0123456789"
		       "-.!%*_+`'~/") == len;
}


/* Where it stands in "a, b, c". Methods know upper and lower case */
static const char *find(const char *text, enum sip_ability what,
			const char *token, size_t len)
{
	while (*text) {
		const size_t n = strcspn(text, ",");

		if (n == len && !(what == SIP_AB_METHOD ?
				  strncmp(text, token, n) :
				  strncasecmp(text, token, n)))
			return text;

		text += n;
		text += strspn(text, ", ");
	}

	return NULL;
}


int sip_stack_able(struct sip_stack *s, enum sip_ability what,
		   const char *token, bool able)
{
	char *text, *at;
	size_t len, n;

	if (!s || !s->ability || (unsigned)what >= SIP_AB_KINDS || !token ||
	    !token_ok(token))
		return EINVAL;

	text = s->ability->text[what];
	len = strlen(text);
	n = strlen(token);
	at = (char *)find(text, what, token, n);

	if (able == (at != NULL))
		return 0;

	if (able) {
		if (len + n + 3 > ABILITY_MAX)
			return EOVERFLOW;

		(void)snprintf(text + len, ABILITY_MAX - len, "%s%s",
			       len ? ", " : "", token);
		return 0;
	}

	/* with the comma before it, or behind the first one */
	if (at > text) {
		memmove(at - 2, at + n, strlen(at + n) + 1);
	}
	else {
		n += strspn(at + n, ", ");
		memmove(at, at + n, strlen(at + n) + 1);
	}

	return 0;
}


bool sip_stack_is_able(const struct sip_stack *s, enum sip_ability what,
		       const char *token)
{
	struct pl pl;

	if (!token)
		return false;

	pl_set_str(&pl, token);

	return ability_has(s, what, &pl);
}


bool ability_has(const struct sip_stack *s, enum sip_ability what,
		 const struct pl *token)
{
	return s && s->ability && (unsigned)what < SIP_AB_KINDS &&
		token->p && find(s->ability->text[what], what, token->p,
				 token->l);
}


int ability_write(struct mbuf *mb, const struct sip_stack *s, unsigned kinds)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < SIP_AB_KINDS && !err; i++) {
		const char *text = s->ability->text[i];

		/* an empty Supported says that there is nothing, an empty
		   Recv-Info that packages are known, but none */
		if (kinds & 1u << i && (*text || i == SIP_AB_OPTION ||
					i == SIP_AB_INFO))
			err = mbuf_printf(mb, "%s: %s\r\n", names[i], text);
		if (!err && i == SIP_AB_TYPE && kinds & AB_ACCEPT)
			err = mbuf_write_str(mb, "Accept-Encoding: "
					     "identity\r\n");
	}

	return err;
}


/* Is it among names, a list that ends with NULL? */
static bool among(const char *token, size_t len, const char *const *names_)
{
	for (; *names_; names_++) {
		if (text_caseeq(token, len, *names_))
			return true;
	}

	return false;
}


int ability_write_options(struct mbuf *mb, const struct sip_stack *s,
			  const char *const *drop)
{
	const char *p = s->ability->text[SIP_AB_OPTION];
	const char *comma = "";
	int err = mbuf_write_str(mb, "Supported: ");

	while (*p && !err) {
		const size_t n = strcspn(p, ",");

		if (!among(p, n, drop)) {
			err = mbuf_write_str(mb, comma);
			if (!err)
				err = mbuf_write_mem(mb, (const uint8_t *)p,
						     n);
			comma = ", ";
		}

		p += n;
		p += strspn(p, ", ");
	}

	return err ? err : mbuf_write_str(mb, "\r\n");
}


bool ability_any(const struct sip_stack *s, enum sip_ability what)
{
	return s && s->ability && *s->ability->text[what];
}


int ability_lines(char **lines, const struct sip_stack *s, unsigned kinds)
{
	struct mbuf *mb = mbuf_alloc(256);
	int err;

	if (!mb)
		return ENOMEM;

	err = ability_write(mb, s, kinds);
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, lines, mb->end);
	}

	mem_deref(mb);

	return err;
}


int ability_alloc(struct sip_stack *s)
{
	size_t i;

	s->ability = mem_zalloc(sizeof(*s->ability), NULL);
	if (!s->ability)
		return ENOMEM;

	for (i = 0; i < COUNTOF(ours); i++)
		(void)sip_stack_able(s, ours[i].what, ours[i].token, true);

	return 0;
}
