/**
 * @file term.c  The terminal: modes, bytes in, bytes out, and as it was
 *
 * Its own open file description, so that O_NONBLOCK is not the shell's too.
 * Capabilities come from terminfo (ncursesw); curses' own windows and input
 * are not used: they would write and wait where the phone must not.  What
 * puts the terminal back lies ready in static memory for signal handlers.
 * Main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/compat.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "info.h"
#include "term.h"

enum {
	CLOSE_MS = 200,
	QUEUE_MAX = 4 << 20,     /* a paint of the largest screen, and more  */
	RESTORE_MAX = 256,
};

struct term {
	struct term_conf conf;
	struct info *info;
	int in, out;
	bool entered, watched_in, watched_out, lost;
	struct compat_fd win, wout;
	struct timer gone;
	int gone_err;
	char *q;                 /* to be written                            */
	size_t pos, len, cap;
	int style;               /* enum style, -1: not known                */
	int cursor;              /* 1 on, 0 off, -1 not known                */
};

/* For signal handlers */
static struct {
	volatile sig_atomic_t on;
	int fd;
	struct termios tio;
	char bytes[RESTORE_MAX];
	size_t len;
} back;

static const int fatal_signals[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGSYS,
};
static struct sigaction old_actions[ARRAY_SIZE(fatal_signals)];


/* The same of one that only gives keys */
static struct {
	volatile sig_atomic_t on;
	int fd;
	struct termios tio;
} plain;


void term_restore(void)
{
	if (plain.on) {
		plain.on = 0;
		(void)tcsetattr(plain.fd, TCSANOW, &plain.tio);
	}
	if (!back.on)
		return;

	back.on = 0;
	/* a stopped terminal takes nothing; that must not hold us */
	(void)!write(back.fd, back.bytes, back.len);
	(void)tcsetattr(back.fd, TCSANOW, &back.tio);
}


/* Who had the signal before us gets it again: the sanitizer, or the core */
static void crash(int sig, siginfo_t *info, void *context)
{
	(void)context;

	term_restore();

	for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
		if (fatal_signals[i] == sig)
			(void)sigaction(sig, &old_actions[i], NULL);
	}

	/* returning faults again; what somebody sent is sent again */
	if (info->si_code <= 0)
		(void)raise(sig);
}


static void crash_watch(bool on)
{
	static bool watching;
	struct sigaction sa;

	if (on == watching)
		return;
	watching = on;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = crash;
	sa.sa_flags = SA_SIGINFO;
	sigemptyset(&sa.sa_mask);

	for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], on ? &sa : &old_actions[i],
				on ? &old_actions[i] : NULL);
}


/* Keys only -------------------------------------------------------------- */

int term_plain(int fd)
{
	struct termios tio;

	if (plain.on)
		return EBUSY;
	if (tcgetattr(fd, &plain.tio))
		return errno;

	/* Ctrl-C stays a signal; Ctrl-Z is a key: all shells are to find the
	 * terminal as they left it */
	tio = plain.tio;
	tio.c_iflag &= ~(tcflag_t)(INLCR | IGNCR | ISTRIP);
	tio.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
	tio.c_cc[VSUSP] = _POSIX_VDISABLE;
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;

	plain.fd = fd;
	plain.on = 1;
	crash_watch(true);
	if (tcsetattr(fd, TCSANOW, &tio)) {
		const int err = errno;

		term_plain_end();
		return err;
	}

	return 0;
}


void term_plain_end(void)
{
	if (!plain.on)
		return;

	plain.on = 0;
	(void)tcsetattr(plain.fd, TCSANOW, &plain.tio);
	crash_watch(back.on);
}


/* Out -------------------------------------------------------------------- */

static void gone(void *arg)
{
	struct term *t = arg;

	t->conf.lost_h(t->gone_err, t->conf.arg);
}


static void lose(struct term *t, int err)
{
	if (t->lost)
		return;

	t->lost = true;
	t->pos = t->len = 0;
	t->gone_err = err;
	if (t->watched_in)
		compat_fd_close(&t->win);
	if (t->watched_out)
		compat_fd_close(&t->wout);
	t->watched_in = t->watched_out = false;
	back.on = 0;
	timer_start(&t->gone, 0, gone, t);
}


static void writable(int flags, void *arg);


/* As much as it takes now */
static void drain(struct term *t)
{
	while (!t->lost && t->pos < t->len) {

		const ssize_t n = write(t->out, t->q + t->pos,
					t->len - t->pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			lose(t, errno);
			return;
		}
		t->pos += (size_t)n;
	}

	if (t->pos == t->len) {
		t->pos = t->len = 0;
		if (t->watched_out)
			compat_fd_close(&t->wout);
		t->watched_out = false;
	}
	else if (!t->watched_out && !t->lost) {
		t->watched_out = !compat_fd_listen(&t->wout, t->out, FD_WRITE,
						   writable, t);
	}
}


static void writable(int flags, void *arg)
{
	struct term *t = arg;
	(void)flags;

	drain(t);
	if (!t->lost && !t->len)
		t->conf.drained_h(t->conf.arg);
}


bool term_behind(const struct term *t)
{
	return t->len > t->pos;
}


void term_put(struct term *t, const char *p, size_t len)
{
	size_t cap = t->cap ? t->cap : 4096;
	char *q;

	if (t->lost || t->len + len > QUEUE_MAX)
		return;

	while (cap < t->len + len)
		cap *= 2;
	if (cap != t->cap) {
		q = realloc(t->q, cap);
		if (!q)
			return;
		t->q = q;
		t->cap = cap;
	}

	memcpy(t->q + t->len, p, len);
	t->len += len;
}


static void put_str(struct term *t, const char *s)
{
	if (s)
		term_put(t, s, strlen(s));
}


void term_flush(struct term *t)
{
	if (t->len && !t->watched_out)
		drain(t);
}


/* In --------------------------------------------------------------------- */

static void readable(int flags, void *arg)
{
	struct term *t = arg;
	char buf[1024];
	ssize_t n;
	(void)flags;

	n = read(t->in, buf, sizeof(buf));
	if (n > 0)
		t->conf.read_h(buf, (size_t)n, t->conf.arg);
	else if (n == 0)
		lose(t, EPIPE);
	else if (errno != EAGAIN && errno != EINTR)
		lose(t, errno);
}


/* Capabilities ----------------------------------------------------------- */

void term_forget(struct term *t)
{
	t->style = t->cursor = -1;
}


void term_move(struct term *t, int x, int y)
{
	char buf[64];

	put_str(t, info_move(t->info, buf, sizeof(buf), x, y));
}


void term_style(struct term *t, enum style st)
{
	if ((int)st == t->style)
		return;

	t->style = (int)st;
	put_str(t, info_style(t->info, st));
}


void term_set_light(struct term *t, bool light)
{
	info_set_light(t->info, light);
	t->style = -1;
}


void term_clear(struct term *t)
{
	t->style = -1;
	term_style(t, STYLE_NORMAL);
	put_str(t, info_cap(t->info, INFO_CLEAR));
}


void term_cursor(struct term *t, bool on)
{
	if (t->cursor == (int)on)
		return;

	t->cursor = on;
	put_str(t, info_cap(t->info, on ? INFO_SHOW : INFO_HIDE));
}


/* What is safe inside an OSC string: no controls, bounded */
static void put_safe(struct term *t, const char *text)
{
	char buf[200];

	text_escape(buf, sizeof(buf), text, strlen(text));
	for (char *p = buf; *p; p++)
		*p = *p == ';' ? ',' : *p;
	put_str(t, buf);
}


void term_title(struct term *t, const char *text)
{
	if (!info_xterm(t->info))
		return;

	put_str(t, "\033]2;");
	put_safe(t, text);
	put_str(t, "\007");
}


void term_notice(struct term *t, const char *title, const char *text)
{
	put_str(t, "\007");
	if (!info_xterm(t->info))
		goto out;

	put_str(t, "\033]777;notify;");
	put_safe(t, title);
	put_str(t, ";");
	put_safe(t, text);
	put_str(t, "\007\033]9;");
	put_safe(t, title);
	put_str(t, ": ");
	put_safe(t, text);
	put_str(t, "\007");

 out:
	term_flush(t);
}


/* Modes ------------------------------------------------------------------ */

static void raw(int fd, const struct termios *was)
{
	struct termios tio = *was;

	/* Ctrl-S and Ctrl-Q stay the terminal's own */
	tio.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | BRKINT |
				   PARMRK | INPCK);
	tio.c_oflag &= ~(tcflag_t)OPOST;
	tio.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	tio.c_cc[VMIN] = 0;
	tio.c_cc[VTIME] = 0;
	(void)tcsetattr(fd, TCSADRAIN, &tio);
}


/* What leaves the screen as it was */
static void back_prepare(struct term *t)
{
	const char *parts[] = {
		info_style(t->info, STYLE_NORMAL),
		info_xterm(t->info) && t->conf.mouse ?
			"\033[?1006l\033[?1000l" : "",
		info_xterm(t->info) ? "\033[?2004l\033[23;2t" : "",
		info_cap(t->info, INFO_RESET),
		info_cap(t->info, INFO_SHOW),
		info_cap(t->info, INFO_KEYPAD_OFF),
		info_cap(t->info, INFO_LEAVE),
	};

	back.len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {

		const size_t n = parts[i] ? strlen(parts[i]) : 0;

		if (back.len + n > sizeof(back.bytes))
			break;
		if (n)
			memcpy(back.bytes + back.len, parts[i], n);
		back.len += n;
	}

	back.fd = t->out;
}


int term_enter(struct term *t)
{
	int err;

	if (t->entered)
		return 0;
	if (tcgetattr(t->in, &back.tio))
		return errno;

	back_prepare(t);
	back.on = 1;
	raw(t->in, &back.tio);
	t->entered = true;
	term_forget(t);

	put_str(t, info_cap(t->info, INFO_ENTER));
	put_str(t, info_cap(t->info, INFO_KEYPAD_ON));
	/* the title is kept and comes back; pasted text is marked */
	if (info_xterm(t->info))
		put_str(t, "\033[22;2t\033[?2004h");
	if (info_xterm(t->info) && t->conf.mouse)
		put_str(t, "\033[?1000h\033[?1006h");
	if (info_xterm(t->info) && t->conf.ask)
		put_str(t, "\033]11;?\007");
	term_clear(t);
	term_flush(t);

	err = compat_fd_listen(&t->win, t->in, FD_READ, readable, t);
	t->watched_in = !err;

	return err;
}


void term_leave(struct term *t)
{
	const uint64_t end = clock_ms() + CLOSE_MS;

	if (!t->entered)
		return;

	t->entered = false;
	if (t->watched_in)
		compat_fd_close(&t->win);
	t->watched_in = false;

	term_put(t, back.bytes, back.len);
	while (!t->lost && t->pos < t->len) {

		struct pollfd p = { .fd = t->out, .events = POLLOUT };
		const uint64_t now = clock_ms();

		if (now >= end || poll(&p, 1, (int)(end - now)) < 0)
			break;
		drain(t);
	}

	/* for whom it is stopped, it is at least no longer raw */
	if (!t->lost)
		(void)tcsetattr(t->in, TCSANOW, &back.tio);
	back.on = 0;
	t->pos = t->len = 0;
	if (t->watched_out)
		compat_fd_close(&t->wout);
	t->watched_out = false;
}


void term_size(const struct term *t, int *w, int *h)
{
	struct winsize ws;

	*w = 80;
	*h = 24;
	if (ioctl(t->out, TIOCGWINSZ, &ws) || !ws.ws_col || !ws.ws_row)
		return;

	*w = ws.ws_col < CANVAS_W_MAX ? ws.ws_col : CANVAS_W_MAX;
	*h = ws.ws_row < CANVAS_H_MAX ? ws.ws_row : CANVAS_H_MAX;
}


/* Its own description of the terminal, else a duplicate */
static int fd_open(int fd, int flags)
{
	char path[32];
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (own >= 0)
		return own;

	own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own >= 0)
		(void)fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);

	return own;
}


void term_close(struct term *t)
{
	if (!t)
		return;

	term_leave(t);
	crash_watch(plain.on);
	timer_cancel(&t->gone);
	if (t->in >= 0)
		close(t->in);
	if (t->out >= 0)
		close(t->out);
	free(t->q);
	info_free(t->info);
	free(t);
}


int term_open(struct term **tp, const struct term_conf *conf, char *err)
{
	struct term *t;
	int e = 0;

	if (back.on)
		return EBUSY;
	if (!isatty(conf->in_fd) || !isatty(conf->out_fd)) {
		snprintf(err, 256, "there is no terminal");
		return ENOTTY;
	}

	t = calloc(1, sizeof(*t));
	if (!t)
		return ENOMEM;

	t->conf = *conf;
	t->in = fd_open(conf->in_fd, O_RDONLY);
	t->out = fd_open(conf->out_fd, O_WRONLY);
	if (t->in < 0 || t->out < 0)
		e = errno;
	if (!e)
		e = info_alloc(&t->info, t->conf.name, t->out,
			       conf->colours, err);
	if (!e) {
		info_set_light(t->info, conf->light);
		crash_watch(true);
		e = term_enter(t);
	}
	if (e) {
		if (!err[0])
			snprintf(err, 256, "the terminal: %s", strerror(e));
		term_close(t);
		return e;
	}

	t->conf.name = NULL;
	*tp = t;

	return 0;
}
