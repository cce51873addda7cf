/**
 * @file intercom.c  Whose wish to be answered at once is granted
 *
 * A call that asks the phone to answer by itself opens a microphone, so it is
 * answered only for those on a list.  Who calls is what a server of the
 * account vouches for; a mere From counts when it came by way of such a
 * server, or when there is no account and so nobody to vouch.  Main thread.
 */
#include <strings.h>
#include "offhook/app.h"
#include "offhook/text.h"


static bool address_is(const char *word, const struct sa *src)
{
	struct sa sa;

	return src && !sa_set_str(&sa, word, 0) && sa_cmp(&sa, src, SA_ADDR);
}


static bool is_address(const char *word)
{
	struct sa sa;

	return !sa_set_str(&sa, word, 0);
}


bool caller_listed(const struct call *c, const char *list)
{
	const bool credible = call_vouched(c) || !call_account(c);
	char user[128] = "", host[128] = "", who[264];

	if (!c || !list)
		return false;

	if (sip_uri_parts(call_identity(c), user, sizeof(user), host,
			  sizeof(host), NULL))
		return false;
	(void)re_snprintf(who, sizeof(who), "%s@%s", user, host);

	for (const char *p = list; *p; ) {
		const size_t n = strcspn(p, ", \t");
		char word[CONFIG_STR];
		const char *w = word;

		if (n && !text_copy(word, sizeof(word), p, n)) {
			if (!strncasecmp(w, "sip:", 4))
				w += 4;
			else if (!strncasecmp(w, "sips:", 5))
				w += 5;

			if (is_address(w)) {
				if (address_is(w, call_source(c)))
					return true;
			}
			else if (!strcasecmp(w, "known")) {
				if (credible && call_known(c))
					return true;
			}
			else if (credible && text_glob(w, strchr(w, '@') ||
						  *w == '*' ? who : host)) {
				return true;
			}
		}

		p += n;
		p += strspn(p, ", \t");
	}

	return false;
}
