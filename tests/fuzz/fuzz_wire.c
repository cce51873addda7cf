/**
 * @file fuzz_wire.c  Messages as the ladder, findings and captures look at them
 *
 * Every piece that is found lies within the message, whatever it is; what is
 * told of a description is text.
 */
#include "fuzz.h"
#include "wire.h"
#include "offhook/text.h"


static const char *begin, *end;


static void inside(struct piece s)
{
	must(!s.n || s.p);
	must(!s.p || (s.p >= begin && s.p <= end &&
		      s.n <= (size_t)(end - s.p)));
}


static void line_inside(struct piece s)
{
	inside(s);
	must(!s.n || !memchr(s.p, '\n', s.n));
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"Via", "From", "Call-ID", "CSeq", "Contact", "X", "",
		"Content-Type", "Reason", "Warning", "Refer-To",
	};
	char *copy = malloc(size ? size : 1);
	struct wire_start st;
	struct piece s, body;
	struct wire_sdp sdp;

	/* a buffer of its very size: what reads on is seen */
	must(copy);
	memcpy(copy, data, size);
	begin = copy;
	end = copy + size;

	s = wire_description(copy, size);
	inside(s);
	(void)wire_sdp(&sdp, s);

	if (wire_start(&st, copy, size)) {
		line_inside(st.method);
		line_inside(st.uri);
		line_inside(st.reason);
		must(st.code ? st.code >= 100 && st.code <= 699 :
		     st.method.n > 0);
	}

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (unsigned k = 0; k < 3; k++) {
			s = wire_header(copy, size, names[i], k);
			inside(s);
			if (!s.p)
				break;
		}
	}

	body = wire_body(copy, size);
	inside(body);
	for (unsigned k = 0; k < 4; k++)
		line_inside(wire_line(body, "a=", k));

	if (wire_sdp(&sdp, body)) {
		must(strlen(sdp.addr) < sizeof(sdp.addr));
		must(strlen(sdp.proto) < sizeof(sdp.proto));
		must(strlen(sdp.codecs) < sizeof(sdp.codecs));
		must(*sdp.direction);
	}

	free(copy);

	return 0;
}
