/**
 * @file seen.c  What its owner has looked at already
 *
 * One JSON object, `{"sip:bob@example.com": 1764460800000}`.  A file that is
 * none counts as empty: at worst something old is shown as new.  Main thread.
 */
#include <string.h>
#include "json.h"
#include "offhook/path.h"
#include "seen.h"

#define LOG_MODULE "seen"
#include "offhook/log.h"

enum { FILE_MAX_BYTES = 1 << 20, KEYS_MAX = 4096 };

struct seen {
	char *path;
	json_t *o;               /* NULL: not read yet                       */
};


static void load(struct seen *s)
{
	char *text = NULL;
	size_t len;

	if (s->o)
		return;

	if (s->path && !path_read(&text, &len, s->path, FILE_MAX_BYTES))
		s->o = json_loadb(text, len, 0, NULL);
	free(text);

	if (!json_is_object(s->o) || json_object_size(s->o) > KEYS_MAX) {
		json_decref(s->o);
		s->o = json_object();
	}
}


uint64_t seen_get(struct seen *s, const char *key)
{
	json_int_t ms;

	if (!s || !key)
		return 0;

	load(s);
	ms = json_integer_value(json_object_get(s->o, key));

	return ms > 0 ? (uint64_t)ms : 0;
}


void seen_set(struct seen *s, const char *key, uint64_t ms)
{
	char *text;
	int err;

	if (!s || !key)
		return;

	/* another phone may have written it meanwhile */
	if (s->path) {
		json_decref(s->o);
		s->o = NULL;
	}

	if (seen_get(s, key) >= ms)
		return;

	(void)json_object_set_new(s->o, key, json_integer((json_int_t)ms));
	if (!s->path)
		return;

	text = json_dumps(s->o, JSON_INDENT(1) | JSON_SORT_KEYS);
	err = text ? path_write(s->path, text, strlen(text), 0600) : ENOMEM;
	free(text);
	if (err)
		log_info("%s cannot be written: %s", s->path, strerror(err));
}


static void destructor(void *arg)
{
	struct seen *s = arg;

	json_decref(s->o);
	mem_deref(s->path);
}


int seen_alloc(struct seen **sp, const char *path)
{
	struct seen *s = mem_zalloc(sizeof(*s), destructor);

	if (!s)
		return ENOMEM;

	if (path && str_dup(&s->path, path)) {
		mem_deref(s);
		return ENOMEM;
	}

	*sp = s;

	return 0;
}
