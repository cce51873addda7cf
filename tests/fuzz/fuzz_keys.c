/**
 * @file fuzz_keys.c  The attributes crypto, fingerprint and candidate: what is
 * taken can be written and read again, and is the same then
 */
#include "fuzz.h"
#include "ice.h"
#include "keys.h"


static void crypto(const char *s, size_t len)
{
	struct crypto_line a, b;
	char text[256];

	if (crypto_read(&a, s, len))
		return;

	must(a.suite && a.mki_len <= MEDIA_MKI_MAX);
	must(!crypto_print(text, sizeof(text), a.tag, a.suite, a.key));
	must(!crypto_read(&b, text, strlen(text)));
	must(a.tag == b.tag && a.suite == b.suite &&
	     !memcmp(a.key, b.key, sizeof(a.key)));
}


static void fingerprint(const char *s, size_t len)
{
	struct media_print a, b;
	char text[256];

	if (print_read(&a, s, len))
		return;

	must(a.len >= 20 && a.len <= MEDIA_PRINT_MAX);
	must(!print_print(text, sizeof(text), &a));
	must(!print_read(&b, text, strlen(text)));
	must(a.len == b.len && !memcmp(a.v, b.v, a.len));
}


static void candidate(const char *s, size_t len)
{
	struct media_cand a, b;
	char text[256];

	if (cand_read(&a, s, len))
		return;

	must(a.priority && sa_isset(&a.addr, SA_ALL));
	must(!cand_print(text, sizeof(text), &a));
	must(!cand_read(&b, text, strlen(text)));
	must(a.priority == b.priority && a.type == b.type &&
	     sa_cmp(&a.addr, &b.addr, SA_ALL));
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;

	crypto(s, size);
	fingerprint(s, size);
	candidate(s, size);

	return 0;
}
