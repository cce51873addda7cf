/**
 * @file extension.c  What is negotiated beside the session
 *
 * Allow, Supported and Require in both directions, and whether an INVITE can
 * be served as both sides want it (RFC 3261 8.1.1.9, 8.2.2.3, 3262, 4028).
 * What a stack can do at all stands in ability.c; a call may do less.  Main
 * thread.
 */
#include "session.h"


static bool says(const struct sip_msg *msg, const char *tag)
{
	return header_has(msg, "Supported", 'k', tag) ||
		header_has(msg, "Require", 0, tag);
}


void ext_learn(struct sip_call *c, const struct sip_msg *msg)
{
	if (header_find_name(msg, "Allow"))
		c->peer_update = header_has(msg, "Allow", 0, "UPDATE");

	if (says(msg, "timer"))
		c->peer_timer = true;

	if (msg->req) {
		c->peer_100rel = says(msg, "100rel");
		c->need_100rel = header_has(msg, "Require", 0, "100rel");
		c->peer_199 = says(msg, "199");
		c->peer_from_change = says(msg, "from-change");
	}
}


static bool off(const struct sip_call *c, const char *tag)
{
	if (!sip_stack_is_able(c->stack, SIP_AB_OPTION, tag))
		return true;

	if (!strcmp(tag, "100rel"))
		return c->ext.rel100 == SIP_EXT_OFF;

	return c->ext.timer == SIP_EXT_OFF;
}


int ext_write(struct mbuf *mb, const struct sip_call *c, bool first)
{
	static const char *const tags[] = {"100rel", "timer"};
	const char *drop[COUNTOF(tags) + 1];
	const bool rel = c->ext.rel100 == SIP_EXT_REQUIRED;
	const bool timer = c->ext.timer == SIP_EXT_REQUIRED;
	size_t i, n = 0;
	int err;

	for (i = 0; i < COUNTOF(tags); i++) {
		if (off(c, tags[i]))
			drop[n++] = tags[i];
	}
	drop[n] = NULL;

	err = ability_write(mb, c->stack, AB_ALLOW |
			    (ability_any(c->stack, SIP_AB_INFO) ? AB_INFO :
			     0));
	if (!err)
		err = ability_write_options(mb, c->stack, drop);
	if (!err && first && (rel || timer))
		err = mbuf_printf(mb, "Require: %s%s%s\r\n",
				  rel ? "100rel" : "",
				  rel && timer ? ", " : "",
				  timer ? "timer" : "");

	return err;
}


static uint16_t refusal(char **lines, uint16_t code, const char *name,
			const char *value)
{
	if (lines)
		(void)re_sdprintf(lines, "%s: %s\r\n", name, value);

	return code;
}


bool ext_rel100(const struct sip_call *c)
{
	return !off(c, "100rel");
}


uint16_t ext_check(const struct sip_call *c, const struct sip_msg *msg,
		   char **lines)
{
	uint32_t min_s;

	if (c->need_100rel && off(c, "100rel"))
		return refusal(lines, 420, "Unsupported", "100rel");

	if (header_has(msg, "Require", 0, "timer") && off(c, "timer"))
		return refusal(lines, 420, "Unsupported", "timer");

	if (c->ext.rel100 == SIP_EXT_REQUIRED && !c->peer_100rel)
		return refusal(lines, 421, "Require", "100rel");

	if (se_too_small(c, msg, &min_s)) {
		char num[16];

		(void)snprintf(num, sizeof(num), "%u", min_s);
		return refusal(lines, 422, "Min-SE", num);
	}

	return 0;
}
