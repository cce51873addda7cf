/**
 * @file headset.c  Keys of a headset: answer, hang up, mute
 *
 * Reads what Linux says of an input device (struct input_event, evdev) and
 * submits command lines, as all that has keys does.  What is plugged out is
 * looked for again.  Main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "offhook/text.h"
#include "offhook/timer.h"
#include "offhook/ua.h"
#include "priv.h"
#ifdef __linux__
#include <linux/input.h>
#endif

#define LOG_MODULE "ui"
#include "offhook/log.h"

enum { RETRY_MS = 3000, READS_MAX = 64 };


#ifdef __linux__

/* As the kernel has them; older headers lack some. %u is the call */
static const struct row {
	uint16_t code;
	const char *incoming;    /* when a call asks, NULL: nothing          */
	const char *call;        /* else when there is one                   */
	const char *muted;       /* ... that is muted; NULL: the same        */
} rows[] = {
	{ 169,   "answer %u", "hangup %u", NULL },        /* KEY_PHONE       */
	{ 226,   "answer %u", "hangup %u", NULL },        /* KEY_MEDIA       */
	{ 164,   "answer %u", "hangup %u", NULL },        /* KEY_PLAYPAUSE   */
	{ 0x1bd, "answer %u", NULL, NULL },        /* KEY_PICKUP_PHONE       */
	{ 0x1be, "reject %u", "hangup %u", NULL }, /* KEY_HANGUP_PHONE       */
	{ 113,   NULL, "mute %u", "unmute %u" },          /* KEY_MUTE        */
	{ 248,   NULL, "mute %u", "unmute %u" },          /* KEY_MICMUTE     */
};

struct ui_headset {
	struct phone *ph;
	struct client *cl;
	char path[512];
	int fd;
	bool watched, told;
	struct compat_fd watch;
	struct timer retry;
	struct input_event ev;   /* as much of it as has come                */
	size_t n;
};


static void headset_open(struct ui_headset *h);


static void headset_close(struct ui_headset *h)
{
	if (h->watched)
		compat_fd_close(&h->watch);
	h->watched = false;
	if (h->fd >= 0)
		(void)close(h->fd);
	h->fd = -1;
	h->n = 0;
}


static void destructor(void *arg)
{
	struct ui_headset *h = arg;

	timer_cancel(&h->retry);
	headset_close(h);
	mem_deref(h->cl);
}


static void retry_handler(void *arg)
{
	headset_open(arg);
}


/* Told once, until it is there again */
static void headset_lost(struct ui_headset *h, int err)
{
	char show[128];

	headset_close(h);
	if (!h->told)
		log_warn("no keys from %s: %s; it is tried again",
			 text_escape(show, sizeof(show), h->path,
				     strlen(h->path)), strerror(err));
	h->told = true;
	timer_start(&h->retry, RETRY_MS, retry_handler, h);
}


/* Which call a key is about: one that asks, one that is talked in, any */
static const struct call *call_meant(const struct ua *ua)
{
	const struct call *c = NULL, *any = NULL, *active = NULL;

	while ((c = ua_call_next(ua, c))) {

		const enum call_state st = call_state(c);

		if (st == CALL_INCOMING)
			return c;
		if (st == CALL_ENDED)
			continue;
		if (st == CALL_ACTIVE && !call_held(c) && !active)
			active = c;
		if (!any)
			any = c;
	}

	return active ? active : any;
}


static void headset_key(struct ui_headset *h, const struct row *r)
{
	const struct call *c = call_meant(h->ph->ua);
	const char *what;
	char line[64];

	if (!c)
		return;

	what = call_state(c) == CALL_INCOMING ? r->incoming :
		call_muted(c) && r->muted ? r->muted : r->call;
	if (!what)
		return;

	/* of two of the table's lines, one number each */
	snprintf(line, sizeof(line), "%.*s%u", (int)strcspn(what, "%"), what,
		 call_id(c));
	(void)client_submit(h->cl, line, strlen(line), "headset");
}


static void headset_event(struct ui_headset *h)
{
	/* pressed; not let go, not repeated */
	if (h->ev.type != EV_KEY || h->ev.value != 1)
		return;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].code == h->ev.code)
			headset_key(h, &rows[i]);
	}
}


static void read_handler(int flags, void *arg)
{
	struct ui_headset *h = arg;
	(void)flags;

	for (unsigned i = 0; i < READS_MAX; i++) {

		const ssize_t n = read(h->fd, (char *)&h->ev + h->n,
				       sizeof(h->ev) - h->n);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			headset_lost(h, n ? errno : ENODEV);
			return;
		}

		h->n += (size_t)n;
		if (h->n < sizeof(h->ev))
			continue;
		h->n = 0;
		headset_event(h);
	}
}


static void headset_open(struct ui_headset *h)
{
	int err = 0;

	h->fd = open(h->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (h->fd < 0)
		err = errno;
	if (!err) {
		/* a regular file cannot be waited for: EPERM */
		err = compat_fd_listen(&h->watch, h->fd, FD_READ,
				       read_handler, h);
		h->watched = !err;
	}
	if (err) {
		headset_lost(h, err);
		return;
	}

	if (h->told)
		log_info("keys of the headset are there again");
	h->told = false;
}


static void reply_handler(const struct reply *r, bool failed, void *arg)
{
	char *text;
	(void)arg;

	if (!failed)
		return;

	text = reply_print(r);
	log_info("a key of the headset: %s", text ? text : "failed");
	free(text);
}


int ui_headset_alloc(struct ui_headset **hp, struct phone *ph,
		     const char *path)
{
	static const struct client_h ch = { .reply_h = reply_handler };
	struct ui_headset *h;
	int err;

	h = mem_zalloc(sizeof(*h), destructor);
	if (!h)
		return ENOMEM;

	h->ph = ph;
	h->fd = -1;
	err = text_copy(h->path, sizeof(h->path), path, strlen(path));
	if (!err)
		err = client_alloc(&h->cl, ph, &ch, h);
	if (err) {
		mem_deref(h);
		return err;
	}

	headset_open(h);
	*hp = h;

	return 0;
}

#else

int ui_headset_alloc(struct ui_headset **hp, struct phone *ph,
		     const char *path)
{
	(void)hp;
	(void)ph;
	(void)path;
	log_warn("option headset: only Linux tells of such keys");

	return ENOSYS;
}

#endif
