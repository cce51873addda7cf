/**
 * @file fuzz_multipart.c  A body of several parts
 */
#include "fuzz.h"
#include "priv.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* on the heap, exactly as long as it is */
	struct mbuf *mb = mbuf_alloc(size ? size : 1);
	struct msg_ctype ctyp = {
		.type    = PL("multipart"),
		.subtype = PL("mixed"),
		.params  = PL(" ;boundary=\"b\""),
	};
	const uint8_t *p;

	must(mb && !mbuf_write_mem(mb, data, size));
	mb->pos = 0;

	if (!multipart_sdp(&ctyp, mb)) {
		p = mbuf_buf(mb);
		must(mb->end <= size && mb->pos <= mb->end);
		must(!mbuf_get_left(mb) || (p >= mb->buf));
		must(!pl_strcasecmp(&ctyp.subtype, "sdp"));
	}
	else {
		must(mb->pos == 0 && mb->end == size);
	}

	mem_deref(mb);

	return 0;
}
