/**
 * @file fuzz_sip.c  What we read of SIP messages and URIs ourselves
 */
#include "fuzz.h"
#include "message_same.h"
#include "message.h"


static bool value_h(const struct pl *val, void *arg)
{
	const struct sip_msg *msg = arg;
	struct addr_parts a;

	must((uint8_t *)val->p >= msg->mb->buf);
	must((uint8_t *)val->p + val->l <= msg->mb->buf + msg->mb->size);
	if (!addr_parse(&a, val))
		must(pl_isset(&a.uri));

	return false;
}


static void message(const uint8_t *data, size_t size)
{
	struct mbuf *mb = mbuf_alloc(size + 1);
	struct sip_msg *msg = NULL, *ours = NULL;
	struct sip_info *in = mem_zalloc(sizeof(*in), NULL);
	struct sip_result res;
	struct pl contact;
	uint32_t n;
	int err;

	must(mb && in && !mbuf_write_mem(mb, data, size));
	mb->pos = 0;
	err = message_plain(&ours, mb);
	must(err == EAGAIN || !err);
	mb->pos = 0;
	if (sip_msg_decode(&msg, mb)) {
		must(err);
		goto out;
	}
	must(err || !message_differs(ours, msg));

	sip_info_fill(in, msg);
	header_find(msg, SIP_HDR_CONTACT, "Contact", 'm');
	header_contact(msg, &contact);
	header_u32(msg, "Expires", 100000, &n);
	header_has(msg, "Supported", 'k', "100rel");
	header_values(msg, "Contact", 'm', value_h, msg);
	header_values(msg, "Route", 0, value_h, msg);
	if (!msg->req) {
		memset(&res, 0, sizeof(res));
		sip_result_status(&res, msg);
		must(memchr(res.reason, '\0', sizeof(res.reason)));
		sanity_response_ok(msg);
	}

 out:
	mem_deref(ours);
	mem_deref(msg);
	mem_deref(in);
	mem_deref(mb);
}


static void uri(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	char *text = take_text(&b, 2000);
	char buf[256], again[256], err[256] = "", user[128], host[128];
	uint16_t port;

	if (sip_uri_check(buf, sizeof(buf), text, err, sizeof(err))) {
		must(*err);
	}
	else {
		must(!sip_uri_check(again, sizeof(again), buf, err,
				    sizeof(err)));
		must(!strcmp(buf, again));
	}
	sip_uri_parts(text, user, sizeof(user), host, sizeof(host), &port);
	free(text);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	message(data, size);
	uri(data, size);

	return 0;
}
