/**
 * @file call_wish.c  What this call alone is to use: codecs and direction
 *
 * A wish goes into every offer and answer of ours from now on.  One that the
 * other side refuses in mid-call is taken back: what was before stays in force
 * (RFC 3261 14.1).  Main thread.
 */
#include "priv.h"
#include "sdp_own.h"


static int direction_read(unsigned *shut, const char *word)
{
	static const enum media_dir v[] = {
		MEDIA_SENDRECV, MEDIA_SENDONLY, MEDIA_RECVONLY, MEDIA_INACTIVE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (!strcmp(word, media_dir_name(v[i]))) {
			*shut = (unsigned)(MEDIA_SENDRECV & ~v[i]);
			return 0;
		}
	}

	return EINVAL;
}


static void forget_old(struct call *c)
{
	c->wish_then.codecs = mem_deref(c->wish_then.codecs);
	c->wish_open = false;
}


int call_wish(struct call *c, const char *codecs, const char *direction,
	      char *err)
{
	unsigned shut = c->wish.shut;
	struct ability ab;
	char *list = NULL;
	int e = 0;

	if (direction && direction_read(&shut, direction))
		return call_error(err, EINVAL, "A direction is sendrecv, "
				  "sendonly, recvonly or inactive: not "
				  "\"%.40s\".", direction);
	memset(&ab, 0, sizeof(ab));
	if (codecs && ability_codecs(&ab, codecs))
		return call_error(err, EINVAL, "None of the codecs \"%.100s\""
				  " is known.", codecs);
	if (codecs)
		e = str_dup(&list, codecs);
	if (e)
		return call_error(err, e, "Out of memory.");

	/* what both have agreed on; a wish of a wish is of the same one */
	if (!c->wish_open) {
		c->wish_then.shut = c->wish.shut;
		c->wish_then.codecs = mem_ref(c->wish.codecs);
		c->wish_open = true;
	}

	c->wish.shut = shut;
	if (list) {
		mem_deref(c->wish.codecs);
		c->wish.codecs = list;
	}

	return 0;
}


void call_wish_settle(struct call *c, bool agreed)
{
	if (!c->wish_open)
		return;

	if (!agreed) {
		c->wish.shut = c->wish_then.shut;
		mem_deref(c->wish.codecs);
		c->wish.codecs = mem_ref(c->wish_then.codecs);
	}
	forget_old(c);
}


void call_wish_apply(const struct call *c, struct ability *ab)
{
	struct ability own = { 0 };

	if (c->wish.codecs && !ability_codecs(&own, c->wish.codecs)) {
		memcpy(ab->codecv, own.codecv, sizeof(ab->codecv));
		ab->codecc = own.codecc;
	}
	ab->dir = (enum media_dir)(ab->dir & ~c->wish.shut);
}


int call_describe(struct call *c, const char *sdp, char *err)
{
	char *text = NULL;

	if (!call_living(c))
		return call_gone(c, err);
	if (sdp && c->early && c->state == CALL_INCOMING)
		return call_error(err, EALREADY, "Call %u has early sound: it"
				  " has been described.", c->id);
	if (sdp && str_dup(&text, sdp))
		return call_error(err, ENOMEM, "Out of memory.");

	mem_deref(c->sdp_next);
	c->sdp_next = text;
	if (text)
		sdp_own_warn(c->id, text);

	return 0;
}


void call_wish_flush(struct call *c)
{
	forget_old(c);
	c->wish.codecs = mem_deref(c->wish.codecs);
}
