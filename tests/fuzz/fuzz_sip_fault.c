/**
 * @file fuzz_sip_fault.c  Other bytes in messages that may be anything
 *
 * Whatever a message is, an edit keeps to its bounds: what is taken out is
 * shorter, what is added is there, noise changes no length.
 */
#include "fuzz.h"
#include "fault.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"Via", "Contact", "X", SIP_FAULT_START_LINE,
	};
	struct bytes b = { data, size };
	struct sip_fault f = { .out = true };
	struct fault_look l;
	struct mbuf *mb = NULL;
	uint64_t rng = 1;

	f.kind = (enum sip_fault_kind)(take(&b, 1) % SIP_FAULT_KINDS);
	f.bytes = take(&b, 1) % (SIP_FAULT_BYTES + 1);
	/* the first line is only mangled: the rules see to that */
	str_ncpy(f.name, names[take(&b, 1) % (f.kind == SIP_FAULT_MANGLE ?
					      4 : 3)], sizeof(f.name));
	if (take(&b, 1) & 1)
		str_ncpy(f.value, "value", sizeof(f.value));

	fault_look(&l, (const char *)b.p, b.left);
	must(strlen(l.method) < sizeof(l.method));
	must(!(l.request && l.code));

	must(!fault_edit(&mb, &f, &rng, (const char *)b.p, b.left));
	must(rng && mb->pos == 0);
	switch (f.kind) {

	case SIP_FAULT_REMOVE:
		must(mb->end <= b.left);
		break;

	case SIP_FAULT_ADD:
		must(mb->end > b.left);
		break;

	case SIP_FAULT_MANGLE:
		break;

	default:
		must(mb->end == b.left);
		break;
	}
	mem_deref(mb);

	return 0;
}
