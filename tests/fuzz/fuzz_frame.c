/**
 * @file fuzz_frame.c  A stream cut into messages
 *
 * However its bytes arrive, the messages are the same, and none of them ends
 * beyond what has arrived.
 */
#include "fuzz.h"
#include "frame.h"


/* The first n bytes are one message or what else is first among them */
static void look(struct frame *f, const char *p, size_t n)
{
	frame_look(f, p, n);

	switch (f->kind) {

	case FRAME_MORE:
		break;

	case FRAME_BLANK:
		must(f->len == 2 && n >= 2);
		break;

	case FRAME_MESSAGE:
		must(f->head && f->head <= f->len && f->len <= n);
		must(f->len - f->head <= FRAME_BODY_MAX);
		break;

	case FRAME_BAD:
		must(f->len <= n && f->why);
		break;
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;

	while (size) {
		struct frame whole = {0}, slow = {0};
		size_t n = 0, step = 1;

		look(&whole, p, size);

		while (n < size && slow.kind == FRAME_MORE) {
			n = n + step < size ? n + step : size;
			step = step % 7 + 1;
			look(&slow, p, n);
		}

		must(slow.kind == whole.kind && slow.len == whole.len &&
		     slow.head == whole.head);

		if (whole.kind != FRAME_BLANK && whole.kind != FRAME_MESSAGE)
			break;

		p += whole.len;
		size -= whole.len;
	}

	return 0;
}
