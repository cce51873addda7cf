/**
 * @file lookup.c  What was typed may stand for something else
 *
 * A contact's name, a number by the dial plan: whoever knows those is asked
 * here, before the text becomes a URI.  A call for help goes out as it was
 * dialled.  Main thread.
 */
#include <strings.h>
#include "priv.h"


void ua_set_lookup(struct ua *ua, ua_lookup_h *h, void *arg)
{
	if (!ua)
		return;

	ua->lookup_h = h;
	ua->lookup_arg = arg;
}


bool lookup_emergency(const char *list, const char *text)
{
	char number[64];

	if (!text_number(number, sizeof(number), text))
		return false;

	while (*list) {
		const size_t n = strcspn(list, ", ");

		if (n && n == strlen(number) && !memcmp(list, number, n))
			return true;
		list += n + strspn(list + n, ", ");
	}

	return false;
}


bool ua_emergency(const struct config *config, const char *text)
{
	return config && text &&
		lookup_emergency(config->emergency_numbers, text);
}


const char *lookup_text(struct ua_lookup *l, const struct ua *ua,
			const char *text)
{
	size_t len;
	char s[sizeof(l->text)];

	memset(l, 0, sizeof(*l));

	while (*text == ' ' || *text == '\t')
		++text;
	len = strlen(text);
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		--len;

	if (!ua->lookup_h || text_copy(s, sizeof(s), text, len) || !len ||
	    strpbrk(s, "@<>") || !strncasecmp(s, "sip:", 4) ||
	    !strncasecmp(s, "sips:", 5) || !strncasecmp(s, "tel:", 4) ||
	    lookup_emergency(ua->config->emergency_numbers, s))
		return text;

	return ua->lookup_h(l, s, ua->lookup_arg) && l->text[0] ? l->text :
		text;
}
