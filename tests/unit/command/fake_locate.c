/**
 * @file fake_locate.c  A name service that says what the test wants
 */
#include <stdio.h>
#include "offhook/sip_locate.h"
#include "offhook/ua.h"
#include "fake_locate.h"


static struct {
	sip_locate_h *h;
	sip_enum_h *enum_h;
	void *arg;
	char asked[300];
} fake;


const char *sip_step_kind_name(enum sip_step_kind kind)
{
	static const char *const names[] = {
		"note", "answer", "record", "target"};

	return names[kind];
}


const char *sip_step_print(char *buf, size_t sz, const struct sip_step *st)
{
	(void)snprintf(buf, sz, "%s: %s", sip_step_kind_name(st->kind),
		       st->text);

	return buf;
}


int sip_locate(struct sip_locate **lp, struct sip_stack *s,
	       const struct sip_locate_conf *conf, sip_locate_h *h, void *arg)
{
	(void)s;

	*lp = mem_zalloc(8, NULL);
	fake.h = h;
	fake.arg = arg;
	(void)snprintf(fake.asked, sizeof(fake.asked), "locate %s over %s%s",
		       conf->uri, conf->transport ? conf->transport : "-",
		       conf->fresh ? " fresh" : "");

	return *lp ? 0 : ENOMEM;
}


bool ua_enum_number(char *buf, size_t sz, const struct ua *ua,
		    const char *text)
{
	(void)ua;
	(void)snprintf(buf, sz, "%s", text);

	return !strncmp(text, "sip:+", 5);
}


int sip_enum_find(struct sip_enum **ep, struct sip_stack *s,
		  const char *number, const char *domain, sip_enum_h *h,
		  void *arg)
{
	(void)s;
	*ep = mem_zalloc(8, NULL);
	fake.enum_h = h;
	fake.arg = arg;
	(void)snprintf(fake.asked, sizeof(fake.asked), "enum %s in '%s'",
		       number, domain);

	return *ep ? 0 : ENOMEM;
}


const char *fake_locate_asked(void)
{
	return fake.asked;
}


static struct sip_steps *steps_alloc(unsigned n)
{
	struct sip_steps *steps;

	steps = mem_zalloc(sizeof(*steps) + n * sizeof(steps->v[0]), NULL);
	steps->n = n;

	return steps;
}


void fake_locate_done(bool found)
{
	const struct sip_result res = {
		.cause = SIP_CAUSE_RESOLVE, .reason = "there is no such name",
	};
	struct sip_steps *steps = steps_alloc(found ? 5 : 3);
	struct sip_step *v = steps->v;

	strcpy(v[0].text, "the URI");
	v[1].kind = SIP_STEP_ANSWER;
	strcpy(v[1].type, "SRV");
	strcpy(v[1].name, "_sip._udp.x");
	strcpy(v[1].text, "1 record");
	v[1].known = true;
	v[1].ttl_known = true;
	v[1].ttl_s = 60;
	v[2].kind = SIP_STEP_RECORD;
	strcpy(v[2].text, "a \x1b[31m record");

	for (unsigned i = 3; i < steps->n; i++) {
		v[i].kind = SIP_STEP_TARGET;
		v[i].tp = i == 3 ? SIP_TRANSP_TLS : SIP_TRANSP_UDP;
		(void)sa_set_str(&v[i].addr, i == 3 ? "2001:db8::1" :
				 "192.0.2.1", 5060);
		(void)sa_set_str(&v[i].local, i == 3 ? "2001:db8::2" :
				 "192.0.2.2", 0);
		v[i].dead = i == 4;
		v[i].dead_s = i == 4 ? 17 : 0;
	}

	fake.h(found ? NULL : &res, steps, fake.arg);
	mem_deref(steps);
}


void fake_enum_done(const char *uri)
{
	struct sip_result res = {.reason = "it is not listed"};
	struct sip_steps *steps = steps_alloc(1);
	const bool found = uri && *uri;

	if (uri)
		res.cause = SIP_CAUSE_RESOLVE;
	strcpy(steps->v[0].text, "the number");
	fake.enum_h(found ? uri : NULL, found ? NULL : &res, steps,
		    fake.arg);
	mem_deref(steps);
}
