/**
 * @file fuzz_journal.c  A journal: its messages, and the script made of it
 *
 * Any text is refused with a sentence, or gives messages that can be walked
 * and a script of whole lines without control characters.
 */
#include "fuzz.h"
#include "offhook/journal.h"
#include "offhook/text.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "{\"journal\":\"1\"}\n";
	const size_t n = size & 1 ? sizeof(head) - 1 : 0;
	char *text = malloc(n + size + 1), err[UA_ERR];
	const struct capture_msg *m = NULL;
	struct text_buf b = { .max = 1 << 20 };
	struct capture *c = NULL;

	must(text);
	memcpy(text, head, n);
	memcpy(text + n, data, size);
	text[n + size] = '\0';
	if (!journal_capture_text(&c, text, err)) {
		while ((m = capture_next(c, m)))
			must(m->text);
	}
	else {
		must(*err && !c);
	}
	mem_deref(c);

	memcpy(text, head, n);
	memcpy(text + n, data, size);
	text[n + size] = '\0';
	if (!journal_script_text(&b, text, err)) {
		must(b.len && b.s[b.len - 1] == '\n');
		must(!strchr(b.s, '\r'));
	}
	text_buf_reset(&b);
	free(text);

	return 0;
}
