/**
 * @file ua/requests.c  Requests that are no calls: who serves which
 *
 * One row a method; what the rows serve is what Allow says.  In a dialog the
 * call is known, outside it is NULL and the request must be for one of us.
 * Main thread.
 */
#include "priv.h"
#include "offhook/sip_rx.h"
#include "requests.h"


static const struct service {
	const char *method;
	request_service_h *h;
} services[] = {
	{ "INFO", info_request },
	{ "MESSAGE", message_request },
	{ "NOTIFY", control_notify },
	{ "REFER", transfer_request },
	{ "SUBSCRIBE", presence_subscribe },
};


static request_service_h *service_find(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		if (!strcmp(method, services[i].method))
			return services[i].h;
	}

	return NULL;
}


int requests_call(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	request_service_h *h = service_find(in->method);
	struct call *c = arg;

	if (!call_living(c))
		return 481;

	return h ? h(c->ua, c, rx, in) : 405;
}


int requests_lone(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	request_service_h *h = service_find(in->method);
	struct ua *ua = arg;

	/* the method first (RFC 3261 8.2.1), then whom it is for (8.2.2) */
	if (!h)
		return 405;
	if (ua_account(ua, 0) && !account_match(ua, in))
		return 404;

	return h(ua, NULL, rx, in);
}


/* Packages of INFO that somebody here waits for. @return 0, EINVAL */
static int packages_tell(struct ua *ua)
{
	const char *p = ua->config->info_packages;
	int err = 0;

	while (*p && !err) {
		const size_t n = strcspn(p, ", \t");
		char word[64];

		if (n)
			err = text_copy(word, sizeof(word), p, n) ? EINVAL :
				sip_stack_able(ua->sip, SIP_AB_INFO, word,
					       true);
		p += n;
		p += strspn(p, ", \t");
	}

	return err;
}


int requests_init(struct ua *ua)
{
	static const char *const types[] = {
		"text/plain", "message/cpim", "message/imdn+xml",
		"application/im-iscomposing+xml", "message/sipfrag",
	};
	static const char *const told[] = { "presence", "dialog" };
	static const char *const options[] = {
		"answermode", "from-change", "histinfo", "join", "replaces",
		"tdialog",
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(services) && !err; i++)
		err = sip_stack_able(ua->sip, SIP_AB_METHOD,
				     services[i].method, true);
	for (size_t i = 0; i < ARRAY_SIZE(types) && !err; i++)
		err = sip_stack_able(ua->sip, SIP_AB_TYPE, types[i], true);
	if (!err)
		err = sip_stack_able(ua->sip, SIP_AB_EVENT, "refer", true);
	if (!err)
		err = packages_tell(ua);
	for (size_t i = 0; i < ARRAY_SIZE(told) && !err; i++)
		err = sip_stack_able(ua->sip, SIP_AB_EVENT, told[i],
				     ua->config->watchers);
	for (size_t i = 0; i < ARRAY_SIZE(options) && !err; i++)
		err = sip_stack_able(ua->sip, SIP_AB_OPTION, options[i],
				     true);

	return err;
}
