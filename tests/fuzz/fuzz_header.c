/**
 * @file fuzz_header.c  Values of headers that we take apart ourselves
 *
 * The first byte says which; what is read stays within its buffers, and what
 * is read of a whole message is read of one that libre has parsed.
 */
#include "fuzz.h"
#include "priv.h"
#include "filter.h"
#include "offhook/sip_call.h"
#include "offhook/sip_caller.h"
#include "offhook/sip_event.h"

#define ENDS(array) must(memchr((array), '\0', sizeof(array)))


static void dialog_id(const char *text, bool target_dialog)
{
	struct sip_dialog_id id;

	if (sip_dialog_id_parse(&id, text, target_dialog))
		return;

	must(*id.callid);        /* a tag may be none (0) */
	ENDS(id.callid);
	ENDS(id.ltag);
	ENDS(id.rtag);
	must(!strpbrk(id.callid, "\r\n"));
}


static void refer_to(const char *text)
{
	struct sip_refer_to to;

	if (sip_refer_to_parse(&to, text))
		return;

	must(*to.uri && *to.method);
	ENDS(to.uri);
	ENDS(to.method);
	ENDS(to.replaces);
	must(!strpbrk(to.uri, "\r\n") && !strpbrk(to.replaces, "\r\n"));
}


static void reason(const char *text)
{
	char what[64];
	uint32_t cause = 70000;

	memset(what, 'x', sizeof(what));
	if (!sip_reason_parse(text, "SIP", &cause, what, sizeof(what))) {
		must(cause <= 65535);
		ENDS(what);
	}
	(void)sip_reason_parse(text, "Q.850", &cause, NULL, 0);
}


static void party(const char *text)
{
	struct sip_party p;

	if (sip_party_parse(&p, text, strlen(text)))
		return;

	must(*p.uri);
	ENDS(p.uri);
	ENDS(p.name);
}


static void passport(const char *text)
{
	struct sip_passport p;

	memset(&p, 0, sizeof(p));
	(void)sip_passport_parse(&p, text, strlen(text));
	ENDS(p.attest);
	ENDS(p.orig);
	ENDS(p.dest);
	ENDS(p.info);
}


/* Who calls, who has sent the call on, what he wants, whether he is who he
 * says */
static void message(const uint8_t *data, size_t size)
{
	static struct sip_creds *creds;
	static struct nonces nonces;
	struct mbuf *mb = mbuf_alloc(size + 1);
	struct sip_caller *c = mem_zalloc(sizeof(*c), NULL);
	struct sip_info *in = mem_zalloc(sizeof(*in), NULL);
	struct sip_auto_answer a;
	struct sip_msg *msg = NULL;
	char *lines = NULL;

	must(creds || !sip_creds_alloc(&creds, "u", "p", NULL));
	must(mb && c && in && !mbuf_write_mem(mb, data, size));
	mb->pos = 0;
	if (sip_msg_decode(&msg, mb) || !msg->req)
		goto out;

	sip_info_fill(in, msg);
	if (sip_caller_read(c, in)) {
		must(c->divertc <= SIP_DIVERTERS);
		ENDS(c->asserted.uri);
		ENDS(c->privacy);
	}
	sip_auto_answer_read(&a, in);
	must(!(a.wanted && a.manual));
	must(a.after_ms <= 3600 * 1000);
	(void)sip_info_sips(in);
	if (!sip_diversion_lines(&lines, in) && lines)
		must(!*lines || header_lines_ok(lines));

	must(auth_check(&nonces, msg, creds, "r", 1000) != AUTH_GOOD);

 out:
	mem_deref(lines);
	mem_deref(msg);
	mem_deref(in);
	mem_deref(c);
	mem_deref(mb);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	const char which = (char)take(&b, 1);
	char *text;

	if (which == 'm') {
		message(b.p, b.left);
		return 0;
	}

	text = take_text(&b, 4000);
	switch (which) {

	case 'r': dialog_id(text, false); break;
	case 't': dialog_id(text, true);  break;
	case 'f': refer_to(text);         break;
	case 'e': reason(text);           break;
	case 'p': party(text);            break;
	case 'i': passport(text);         break;
	default:                          break;
	}
	free(text);

	return 0;
}
