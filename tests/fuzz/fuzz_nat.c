/**
 * @file fuzz_nat.c  What comes to who asks a STUN server about NATs
 */
#include "fuzz.h"
#include "stun_nat.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sa mapped, other;
	uint8_t tid[12] = "abcdefghijkl";
	uint8_t *p;
	int err;

	if (!size || size > 1500)
		return 0;

	/* behind its end nothing may be read */
	p = malloc(size);
	must(p);
	memcpy(p, data, size);
	if (size >= 20 && !(p[0] & 0x80))
		memcpy(tid, p + 8, sizeof(tid));

	err = stun_answer_read(p, size, tid, &mapped, &other);
	must(err || sa_isset(&mapped, SA_ADDR));
	must(!err || err == EBADMSG || err == EPROTO);
	must(nat_kind_name((enum nat_kind)(p[0] & 3)));
	free(p);

	return 0;
}
