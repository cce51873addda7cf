/**
 * @file fuzz_contacts.c  Contacts: lines of the file, vCards, what is typed
 *
 * A contact that is read can be printed and read again; each contact of a card
 * can stand in the file, and no two have one name.
 */
#include <strings.h>
#include "fuzz.h"
#include "priv.h"
#include "offhook/app.h"
#include "offhook/text.h"


static void round_trip(const struct contact_conf *c)
{
	char value[CONF_VALUE], err[CONFIG_ERR] = "";
	struct contact_conf again;

	if (contact_print(c, value, sizeof(value)))
		return;
	if (contact_parse(&again, c->name, value, err)) {
		must(!*err);
		return;
	}
	must(!strcmp(c->uri, again.uri));
	must(!strcmp(c->note, again.note));
	must(!strcmp(c->account, again.account));
	must(c->speed == again.speed && c->lamp == again.lamp);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct contact_conf c, *v = NULL;
	char err[CONFIG_ERR] = "";
	enum conf_line_type type;
	struct conf_lines l;
	size_t n = 0;

	conf_lines_init(&l, text, size);
	while ((type = conf_lines_next(&l)) != CONF_LINE_END) {
		if (type != CONF_LINE_PAIR)
			continue;
		if (contact_parse(&c, l.name, l.value, err)) {
			must(*err);
			continue;
		}
		round_trip(&c);
		must(fuzzy_score(c.name, c.name) >= 0);
		(void)fuzzy_score(l.value, c.name);
	}

	if (!vcard_read(&v, &n, text, size, err)) {
		for (size_t i = 0; i < n; i++) {
			struct text_buf b = { 0 };

			round_trip(&v[i]);
			vcard_print(&b, &v[i]);
			must(b.s);
			text_buf_reset(&b);
			for (size_t k = 0; k < i && k < 50; k++)
				must(strcasecmp(v[i].name, v[k].name));
		}
	}
	mem_deref(v);

	return 0;
}
