/**
 * @file fuzz_request.c  A line of the control socket: a JSON request, or words
 *
 * Whatever it is, it is refused with a token of the table and a sentence, or
 * gives a command with values that its row allows; the reply is JSON. Nothing
 * is run.
 */
#include "fuzz.h"
#include "json.h"
#include "priv.h"


static void replied(const struct cmd *x, bool ready)
{
	static const enum client_form forms[] = {
		CLIENT_JSON, CLIENT_EXIT, CLIENT_PRINT,
	};

	must(!ready || reply_ok(x->reply));
	must(reply_ok(x->reply) || (error_find(reply_token(x->reply)) &&
				    *reply_error_text(x->reply)));

	for (size_t i = 0; i < 3; i++) {
		char *text = reply_json_form(x->reply, forms[i]);
		json_t *o = text ? json_loads(text, 0, NULL) : NULL;

		must(json_is_object(o) && json_object_get(o, "reply"));
		must(!strchr(text, '\n'));
		json_decref(o);
		free(text);
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct phone ph;
	static struct client *cl;
	struct cmd *x = NULL;
	const struct le *le;
	bool ready;

	if (!cl) {
		must(!event_bus_alloc(&ph.bus));
		must(!config_alloc(&ph.config));
		must(!client_alloc(&cl, &ph, NULL, NULL));
	}

	must(!cmd_alloc(&x, cl, "fuzz:1"));
	ready = cmd_take(x, (const char *)data, size);
	replied(x, ready);

	if (ready) {
		LIST_FOREACH(&x->values, le) {
			const struct bound *v = le->data;

			must(v->arg && v->arg->name && v->s);
		}
	}
	mem_deref(x);

	return 0;
}
