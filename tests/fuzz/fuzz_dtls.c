/**
 * @file fuzz_dtls.c  Datagrams for a handshake: two bytes of length before
 * each; the first byte says whether we began
 */
#include "fuzz.h"
#include "dtls.h"


static void sent(const uint8_t *p, size_t len, void *arg)
{
	(void)p;
	(void)arg;
	must(len > 0 && len <= DTLS_MTU);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dtls_id *id;
	struct bytes b = { data, size };
	struct media_print print;
	struct dtls *d = NULL;

	if (!id)
		must(!dtls_id_alloc(&id));
	dtls_id_print(id, &print);

	must(!dtls_alloc(&d, id, take(&b, 1) & 1, &print, sent, NULL));
	dtls_start(d);
	for (unsigned i = 0; i < 8 && b.left; i++) {
		size_t n = take(&b, 2);

		if (n > b.left)
			n = b.left;
		dtls_recv(d, b.p, n);
		dtls_poll(d);
		b.p += n;
		b.left -= n;
	}

	/* nobody knows our key by chance */
	must(dtls_state(d) != DTLS_DONE);
	mem_deref(d);

	return 0;
}
