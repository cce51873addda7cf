/**
 * @file pane_devices.c  Devices: microphone, loudspeaker and ringer
 *
 * What there is, which of it is used for what, and how loud it is while a
 * call runs.  The list comes from a worker; whoever leaves before it is there
 * takes it no more.  Choosing goes by the command `device`.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "call_rows.h"
#include "lists.h"

enum {
	DEVICES_MAX = 128, NAME_X = 16,
	TOLD_MAX = 4, TOLD_TEXT = 300,
	LEVEL_MS = 1500,         /* a meter that moved no more is none       */
};

struct device_row {
	char driver[16];
	char name[AUDIO_NAME];
	bool in, out, is_default;
};

/** A list in the making */
struct look {
	struct tui *t;           /* NULL: nobody waits for it                */
	int n;
	struct device_row v[DEVICES_MAX];
};

struct devices_pane {
	struct look *look;
	struct device_row v[DEVICES_MAX];
	int n;
	bool known;
	int err;
	struct rows rows;

	/* a test: device.level meanwhile, its reply at the end */
	struct client *client;
	bool tests;
	struct trend level;
	uint64_t level_ms;
	char told[TOLD_MAX][TOLD_TEXT];
	int toldc;
	bool failed;
};

static const struct key_row devices_keys[] = {
	{ "Enter", "screen choose", "use", "Use this one for all it can" },
	{ "m", "screen own mic", "mic", "Use it as the microphone" },
	{ "s", "screen own speaker", "speaker", "Use it as the loudspeaker" },
	{ "r", "screen own ring", "ringer", "Use it as the ringer" },
	{ "o", "screen own monitor", NULL, "Use it as the monitor: a second "
	  "loudspeaker that hears the calls as well" },
	{ "t", "screen own test", "test", "Play a tone, and hear it come "
	  "back through the microphone" },
	{ "0", "screen own default", "default", "Back to the system's own "
	  "devices" },
	{ "w", "screen own keep", "keep", "Keep what is chosen: into "
	  "offhook.conf" },
	{ "R", "screen own look", NULL, "Look again what there is" },
	{ NULL, NULL, NULL, NULL }
};

static const struct {
	enum media_role role;
	const char *title, *use, *option;
} roles[] = {
	{ MEDIA_ROLE_MIC, "microphone", "mic", "audio-mic" },
	{ MEDIA_ROLE_SPEAKER, "loudspeaker", "speaker", "audio-speaker" },
	{ MEDIA_ROLE_RING, "ringer", "ring", "audio-ring" },
	{ MEDIA_ROLE_MONITOR, "monitor", "monitor", "audio-monitor" },
};


/* The list --------------------------------------------------------------- */

static void look_handler(const struct media_listed *ml, void *arg)
{
	struct look *l = arg;
	struct device_row *d = &l->v[l->n];

	if (!l->t || l->n == DEVICES_MAX)
		return;

	snprintf(d->driver, sizeof(d->driver), "%.15s", ml->driver);
	snprintf(d->name, sizeof(d->name), "%s", ml->dev.name);
	d->in = ml->dev.in_channels > 0;
	d->out = ml->dev.out_channels > 0;
	d->is_default = ml->dev.default_in || ml->dev.default_out;
	++l->n;
}


static void look_done(int err, void *arg)
{
	struct look *l = arg;
	struct devices_pane *p = l->t ? tui_state(l->t, &pane_devices) : NULL;

	if (p) {
		p->look = NULL;
		p->known = true;
		p->err = err;
		p->n = l->n;
		memcpy(p->v, l->v, sizeof(p->v));
		tui_dirty(l->t);
	}
	mem_deref(l);
}


static void look(struct tui *t, struct devices_pane *p)
{
	struct look *l;

	if (!t->ph->media || p->look)
		return;

	l = mem_zalloc(sizeof(*l), NULL);
	if (!l)
		return;

	l->t = t;
	p->look = l;
	p->err = media_list_devices(t->ph->media, look_handler, look_done, l);
	if (p->err) {
		p->look = NULL;
		p->known = true;
		mem_deref(l);
	}
}


/* A test ----------------------------------------------------------------- */

/* What of the reply a person wants to read, in this order; decimals -1: only
 * when it is not 0 */
static const struct test_figure {
	const char *name, *before, *behind;
	int decimals;
} figures[] = {
	{ "loop-ms",    "the tone is back after ", " ms", 0 },
	{ "loop-db",    "at ", " dB", 1 },
	{ "noise-dbfs", "noise ", " dBFS", 0 },
	{ "latency-ms", "the devices take ", " ms", 0 },
	{ "rate-hz",    "", " Hz", 0 },
	{ "clipped",    "", " samples at the limit", -1 },
	{ "tone-dbfs", NULL, NULL, 0 },
	{ "mic-alive", NULL, NULL, 0 },
	/* these stand above */
	{ "mic",       NULL, NULL, 0 },
	{ "speaker",   NULL, NULL, 0 },
};


static const struct test_figure *figure_of(const char *line)
{
	const size_t n = strcspn(line, " \n");

	for (size_t i = 0; i < ARRAY_SIZE(figures) && line[n] == ' '; i++) {
		if (strlen(figures[i].name) == n &&
		    !strncmp(line, figures[i].name, n))
			return &figures[i];
	}

	return NULL;
}


static void figure_add(char *buf, size_t sz, const char *line,
		       const struct test_figure *f)
{
	const size_t have = strlen(buf), n = strlen(f->name);
	char value[32], *end;
	double v;

	snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + n, "\n"),
		 line + n);
	v = strtod(value, &end);
	if (!f->before || end == value || !isfinite(v) ||
	    (f->decimals < 0 && !(v > 0)))
		return;

	/* no -0.0 */
	v = fabs(v) < 0.05 ? 0.0 : v;
	snprintf(buf + have, sz - have, "%s%s%.*f%s", have ? ", " : "",
		 f->before, f->decimals > 0 ? f->decimals : 0, v, f->behind);
}


/* What it means first, the figures in one row below */
static void test_told(struct devices_pane *p, const char *text)
{
	char row[TOLD_TEXT] = "";

	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		for (const char *s = text; *s; s += strspn(s, "\n")) {

			const size_t n = strcspn(s, "\n");
			const struct test_figure *f = figure_of(s);

			if (f && f == figures + i)
				figure_add(row, sizeof(row), s, f);
			else if (!f && !i && p->toldc + 1 < TOLD_MAX)
				snprintf(p->told[p->toldc++], TOLD_TEXT,
					 "%.*s", (int)n, s);
			s += n;
		}
	}
	if (row[0])
		snprintf(p->told[p->toldc++], TOLD_TEXT, "%s", row);
}


static void test_handler(const struct reply *r, bool failed, void *arg)
{
	struct devices_pane *p = tui_state(arg, &pane_devices);
	char *text = reply_print(r);
	(void)failed;

	if (!p) {
		free(text);
		return;
	}

	p->tests = false;
	p->failed = !reply_ok(r);
	p->toldc = 0;
	if (p->failed)
		snprintf(p->told[p->toldc++], TOLD_TEXT, "%s",
			 reply_error_text(r));
	else if (text)
		test_told(p, text);
	free(text);
	tui_dirty(arg);
}


static void test(struct tui *t, struct devices_pane *p)
{
	static const struct client_h h = { .reply_h = test_handler };
	static const char line[] = "devices test";

	if (p->tests || (!p->client && client_alloc(&p->client, t->ph, &h,
						    t)))
		return;

	p->toldc = 0;
	p->level.levels = 0;
	p->tests = true;
	if (client_submit(p->client, line, sizeof(line) - 1, NULL))
		p->tests = false;
}


static int8_t level_of(double dbfs)
{
	return (int8_t)(isfinite(dbfs) ? dbfs < -96 ? -96 : dbfs > 0 ? 0 :
			dbfs : -96);
}


static void level(struct devices_pane *p, const struct event *ev)
{
	const unsigned i = p->level.levels++ % TREND_LEVELS;

	p->level.out[i] = level_of(ev->u.device_level.mic_dbfs);
	p->level.in[i] = level_of(ev->u.device_level.speaker_dbfs);
	p->level_ms = clock_ms();
}


/* The meters to be shown: of the test, else of the call; or NULL */
static const struct trend *meters(struct tui *t, const struct devices_pane *p)
{
	const struct call *c = tui_call(t);
	const struct trend *tr = c ? tui_trend(t, call_id(c)) : NULL;

	if (p->level.levels && clock_ms() - p->level_ms < LEVEL_MS)
		return &p->level;

	return tr && tr->levels ? tr : NULL;
}


/* Is it the one that is used for this? */
static bool used(const struct tui *t, const struct device_row *d,
		 enum media_role role)
{
	const char *name = media_device(t->ph->media, role);

	if (role == MEDIA_ROLE_MIC ? !d->in : !d->out)
		return false;
	if (!*name && role == MEDIA_ROLE_MONITOR)
		return false;
	if (!*name && role == MEDIA_ROLE_RING)
		name = media_device(t->ph->media, MEDIA_ROLE_SPEAKER);

	return *name ? strcasestr(d->name, name) != NULL : d->is_default;
}


/* Painting --------------------------------------------------------------- */

static void draw_level(const struct area *a, int x, int y, const int8_t *v,
		       const struct trend *tr)
{
	const int n = a->w - x - 10 < 24 ? a->w - x - 10 : 24;
	char db[16];

	if (n < 4)
		return;

	show_levels(a, x, y, n, v, tr->levels);
	area_text(a, x + n + 1, y, STYLE_DIM, show_level(
		db, sizeof(db), v[(tr->levels - 1) % TREND_LEVELS]));
}


/* What is used for what, and how loud it is. @return row below */
static int draw_roles(struct tui *t, const struct devices_pane *p,
		      const struct area *a, int y)
{
	const struct trend *tr = meters(t, p);
	const int mid = a->w > 76 ? 44 : a->w;

	for (size_t i = 0; i < ARRAY_SIZE(roles) && y < a->h; i++, y++) {

		const char *name = media_device(t->ph->media, roles[i].role);

		area_text(a, 3, y, STYLE_DIM, roles[i].title);
		if (*name)
			area_cut(a, NAME_X, y, mid - NAME_X - 1, STYLE_BOLD,
				 name);
		else
			area_text(a, NAME_X, y, STYLE_NORMAL, roles[i].role ==
				  MEDIA_ROLE_RING ? "where calls are heard" :
				  roles[i].role == MEDIA_ROLE_MONITOR ?
				  "none" : "the system's own");
		if (!tr || roles[i].role >= MEDIA_ROLE_RING)
			continue;
		draw_level(a, mid, y, roles[i].role == MEDIA_ROLE_MIC ?
			   tr->out : tr->in, tr);
	}

	return y;
}


static void draw_device(const struct tui *t, const struct area *a, int y,
			const struct device_row *d)
{
	const int mid = a->w > 76 ? 44 : a->w * 6 / 10;
	bool any = false;
	int x;

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		any |= used(t, d, roles[i].role);

	area_text(a, 1, y, any ? STYLE_OK : STYLE_DIM, sign(a->cv, any ?
		  SIGN_OK : SIGN_OFF));
	area_cut(a, 3, y, mid - 4, any ? STYLE_BOLD : STYLE_NORMAL, d->name);
	x = area_text(a, mid, y, STYLE_DIM, d->in && d->out ?
		      "both ways" : d->in ? "microphone" : "loudspeaker");
	x = x > mid + 13 ? x : mid + 13;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (used(t, d, roles[i].role))
			x = area_text(a, x, y, STYLE_OK, roles[i].use) + 1;
	}
	if (d->is_default)
		area_text(a, x, y, STYLE_DIM, "(default)");
}


/* Sound that is not the card's */
static bool draw_other(const struct tui *t, const struct area *a, int y)
{
	const struct audio_spec *as = &t->ph->audio;
	char text[300];

	if (!as->driver[0] || !strcmp(as->driver, "auto") ||
	    !strcmp(as->driver, "portaudio"))
		return false;

	snprintf(text, sizeof(text), "Sound is '%.15s%s%.100s' for this run: "
		 "--audio said so. A device is chosen when it is the sound "
		 "card's.", as->driver, as->in[0] ? ":" : "", as->in);
	area_wrap(a, 3, y, a->w - 5, STYLE_WORK, text, 0);

	return true;
}


/* How the test went. @return row below */
static int draw_told(const struct devices_pane *p, const struct area *a, int y)
{
	if (p->tests)
		area_text(a, 3, y++, STYLE_WORK, "A sweep and a tone are "
			  "played ...");
	for (int i = 0; i < p->toldc && y < a->h - 2; i++)
		y += area_wrap(a, 3, y, a->w - 5, p->failed ? STYLE_BAD :
			       i ? STYLE_DIM : STYLE_BOLD, p->told[i], 0);

	return y + (p->tests || p->toldc);
}


static void devices_draw(struct tui *t, void *state, const struct area *a)
{
	struct devices_pane *p = state;
	struct area list;
	int y = 1, x;
	bool other;

	if (!t->ph->media) {
		area_text(a, 1, 0, STYLE_DIM, "This phone has no sound.");
		return;
	}

	x = area_text(a, 1, 0, STYLE_TITLE, "DEVICES") + 2;
	if (p->look)
		area_text(a, x, 0, STYLE_WORK, "looking ...");
	else
		area_printf(a, x, 0, STYLE_DIM, "%d %s", p->n, p->n == 1 ?
			    "device" : "devices");

	if (a->h >= 10)
		++y;
	other = draw_other(t, a, y);
	y = other ? y + 2 : draw_roles(t, p, a, y);
	if (a->h >= 10)
		++y;

	y = draw_told(p, a, y);
	list = area_sub(a, 0, y, a->w, a->h - y);
	rows_fit(&p->rows, p->n, list.h);
	if (p->err && !p->look)
		area_printf(&list, 3, 0, STYLE_BAD, "The devices cannot be "
			    "listed: %s", strerror(p->err));
	else if (p->known && !p->n && !other)
		area_wrap(&list, 3, 0, list.w - 5, STYLE_WORK, "There is no "
			  "sound device. Calls go on without sound, or with "
			  "files: --audio file:IN.wav,OUT.wav", 0);

	for (y = 0; y < list.h; y++) {

		const int i = rows_at(&p->rows, y);

		if (i < 0)
			break;
		draw_device(t, &list, y, &p->v[i]);
		if (i == p->rows.cur)
			area_paint(&list, 0, y, list.w, STYLE_SELECTED);
	}
	rows_marks(&p->rows, &list);
}


/* Keys ------------------------------------------------------------------- */

static void use(struct tui *t, const struct device_row *d, const char *role)
{
	char word[2 * AUDIO_NAME];

	tui_submit(t, "device %s %s", role, tui_quote(d->name, word,
						      sizeof(word)));
}


static void keep(struct tui *t)
{
	char word[2 * AUDIO_NAME];

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		tui_submit(t, "set %s %s", roles[i].option, tui_quote(
			media_device(t->ph->media, roles[i].role), word,
			sizeof(word)));
	}
	tui_submit(t, "config save audio-mic audio-speaker audio-ring"
		   " audio-monitor");
}


static bool devices_act(struct tui *t, void *state, enum act act,
			const char *text)
{
	struct devices_pane *p = state;
	const struct device_row *d;

	if (rows_act(&p->rows, act))
		return true;
	if (!t->ph->media || (act != ACT_CHOOSE && act != ACT_USER))
		return false;

	if (act == ACT_USER && !strcmp(text, "look")) {
		look(t, p);
		return true;
	}
	if (act == ACT_USER && !strcmp(text, "test")) {
		test(t, p);
		return true;
	}
	if (act == ACT_USER && !strcmp(text, "keep")) {
		keep(t);
		return true;
	}
	if (act == ACT_USER && !strcmp(text, "default")) {
		for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
			tui_submit(t, "device %s default", roles[i].use);
		return true;
	}

	d = p->rows.cur >= 0 && p->rows.cur < p->n ? &p->v[p->rows.cur] :
		NULL;
	if (!d)
		return false;

	if (act == ACT_USER) {
		use(t, d, text);
		return true;
	}
	if (d->in)
		use(t, d, "mic");
	if (d->out)
		use(t, d, "speaker");

	return true;
}


static bool devices_click(struct tui *t, void *state, int x, int y)
{
	struct devices_pane *p = state;
	const int top = t->pane_area.h - p->rows.height;
	(void)x;

	return rows_click(t, &pane_devices, state, &p->rows, y - top);
}


/* One that came or went */
static void devices_event(struct tui *t, void *state, const struct event *ev)
{
	if (state && ev->type == EVENT_DEVICE_LEVEL)
		level(state, ev);
	if (state && t->pane == &pane_devices &&
	    (ev->type == EVENT_DEVICE_LOST || ev->type == EVENT_DEVICE_FOUND))
		look(t, state);
}


static unsigned devices_tick(struct tui *t, void *state)
{
	const struct call *c = tui_call(t);
	(void)state;

	return c && call_state(c) == CALL_ACTIVE ? 100 : 0;
}


static void devices_shown(struct tui *t, void *state)
{
	look(t, state);
}


static void devices_close(struct tui *t, void *state)
{
	struct devices_pane *p = state;
	(void)t;

	if (p->look)
		p->look->t = NULL;
	p->client = mem_deref(p->client);
}


const struct pane pane_devices = {
	.name = "devices", .title = "Devices",
	.summary = "microphone, loudspeaker and ringer",
	.min_w = 30, .min_h = 4,
	.state = sizeof(struct devices_pane),
	.keys = devices_keys,
	.help = "A lamp marks what is used. A device can be changed in the "
		"middle of a call, which goes on; what was unplugged is "
		"awaited. The meters move while there is a call or a test: "
		"the first is what you say, the second what you hear. t "
		"plays a tone and tells how loud and how late it comes back. "
		"w keeps the choice for the next start.",
	.draw = devices_draw,
	.act = devices_act,
	.click = devices_click,
	.event = devices_event,
	.tick_ms = devices_tick,
	.shown = devices_shown,
	.close = devices_close,
};
