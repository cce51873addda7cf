/**
 * @file ui/junit.c  Results for test systems: JUnit's XML
 *
 * One case a line, with its time and what was wrong; a line that may fail
 * (`-`) and did is skipped.  Written when the program ends, whole or not at
 * all; more lines than CASES_MAX are only counted.  Main thread.
 */
#include <stdio.h>
#include "offhook/path.h"
#include "offhook/text.h"
#include "priv.h"

enum { CASES_MAX = 20000, TEXT_MAX = 64 << 20 };

struct junit {
	struct text_buf cases;
	unsigned count, kept, failures, skipped;
	uint64_t ms;
	char *path;
	char name[128];
};


/* Text inside of an attribute; XML has no control characters at all */
static void add_text(struct text_buf *b, const char *s)
{
	for (; *s; s++) {

		switch (*s) {

		case '<':  text_add(b, "&lt;"); break;
		case '>':  text_add(b, "&gt;"); break;
		case '&':  text_add(b, "&amp;"); break;
		case '"':  text_add(b, "&quot;"); break;
		default:
			if ((unsigned char)*s < ' ' || *s == 127)
				text_add(b, " ");
			else
				text_add_mem(b, s, 1);
		}
	}
}


static void add_safe(struct text_buf *b, const char *s)
{
	char safe[1200];

	add_text(b, text_escape(safe, sizeof(safe), s, strlen(s)));
}


void junit_add(struct junit *j, const struct reply *r, bool failed)
{
	const bool ok = reply_ok(r);
	struct text_buf *b = &j->cases;
	const char *where = reply_where(r);

	++j->count;
	j->ms += reply_took_ms(r);
	if (!ok && failed)
		++j->failures;
	else if (!ok)
		++j->skipped;

	/* what failed is never left out */
	if (j->kept >= CASES_MAX && !failed)
		return;
	++j->kept;

	text_add(b, "  <testcase classname=\"");
	add_safe(b, j->name);
	text_add(b, "\" name=\"");
	add_safe(b, *where ? where : "line");
	text_add(b, " ");
	add_safe(b, reply_line(r));
	text_add(b, "\" time=\"%.3f\"", (double)reply_took_ms(r) / 1000.0);

	if (ok) {
		text_add(b, "/>\n");
		return;
	}

	text_add(b, ">\n    <%s", failed ? "failure type=\"" : "skipped");
	if (failed) {
		add_safe(b, reply_token(r));
		text_add(b, "\"");
	}
	text_add(b, " message=\"");
	add_safe(b, reply_error_text(r));
	text_add(b, "\"/>\n  </testcase>\n");
}


int junit_write(const struct junit *j)
{
	struct text_buf b = { .max = TEXT_MAX + 4096 };
	int err;

	text_add(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		 "<testsuites>\n<testsuite name=\"");
	add_safe(&b, j->name);
	text_add(&b, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" "
		 "skipped=\"%u\" time=\"%.3f\">\n", j->count, j->failures,
		 j->skipped, (double)j->ms / 1000.0);
	if (j->cases.s)
		text_add_mem(&b, j->cases.s, j->cases.len);
	text_add(&b, "</testsuite>\n</testsuites>\n");

	err = j->cases.err ? j->cases.err : b.err;
	if (!err)
		err = path_write(j->path, b.s, b.len, 0666);
	text_buf_reset(&b);

	return err;
}


static void destructor(void *arg)
{
	struct junit *j = arg;

	text_buf_reset(&j->cases);
	mem_deref(j->path);
}


int junit_alloc(struct junit **jp, const char *path, const char *name)
{
	struct junit *j = mem_zalloc(sizeof(*j), destructor);
	int err;

	if (!j)
		return ENOMEM;

	j->cases.max = TEXT_MAX;
	snprintf(j->name, sizeof(j->name), "%s", name);
	err = str_dup(&j->path, path);

	if (err)
		mem_deref(j);
	else
		*jp = j;

	return err;
}
