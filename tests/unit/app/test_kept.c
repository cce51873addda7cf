/**
 * @file test_kept.c  What the phone keeps: history, messages, contacts, and
 * the files they are in
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/app.h"
#include "offhook/clock.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "store.h"
#include "seen.h"


static char dir[64];
static struct event_bus *bus;
static struct config *config;


static int setup(void **state)
{
	(void)state;

	clock_fake_set(1000000000);
	(void)snprintf(dir, sizeof(dir), "/tmp/offhook-kept-XXXXXX");
	if (!mkdtemp(dir) || timers_open() || event_bus_alloc(&bus) || config_alloc(&config))
		return -1;

	return 0;
}


static int teardown(void **state)
{
	static const char *const files[] = {
		"history", "history.lock", "history.seen", "messages",
		"messages.lock", "messages.seen", "contacts", "f", "f.lock", ".lock",
	};
	char path[160];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
	bus = mem_deref(bus);
	config = mem_deref(config);
	timers_close();
	clock_fake_set(0);

	return 0;
}


static const char *in_dir(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);

	return path;
}


/* The store ---------------------------------------------------------------- */

struct heard {
	char text[65536];
	unsigned resets, lines;
};


static void line_handler(const char *line, size_t len, void *arg)
{
	struct heard *h = arg;
	const size_t n = strlen(h->text);

	++h->lines;
	if (n + len + 2 < sizeof(h->text))
		snprintf(h->text + n, sizeof(h->text) - n, "%.*s,", (int)len,
			 line);
}


static void reset_handler(void *arg)
{
	struct heard *h = arg;

	++h->resets;
	h->lines = 0;
	h->text[0] = '\0';
}


static struct store *store(struct heard *h, size_t max)
{
	struct store *s = NULL;

	assert_int_equal(store_alloc(&s, in_dir("f"), max, reset_handler,
				     line_handler, h), 0);

	return s;
}


static void test_store(void **state)
{
	struct heard a = { .lines = 0 }, b = { .lines = 0 };
	struct store *s = store(&a, 100), *t = store(&b, 100);
	FILE *f;
	(void)state;

	store_add(s, "1");
	assert_int_equal(a.lines, 0);
	store_add(t, "2");
	store_refresh(s);
	store_refresh(t);
	assert_string_equal(a.text, "1,2,");
	assert_string_equal(b.text, "1,2,");
	timers_advance(100);
	store_add(t, "3");
	store_refresh(s);
	store_refresh(s);
	assert_string_equal(a.text, "1,2,3,");

	/* a line that was cut off spoils only itself */
	f = fopen(in_dir("f"), "a");
	fputs("to", f);
	fclose(f);
	store_refresh(s);
	assert_string_equal(a.text, "1,2,3,");
	store_add(s, "4");
	store_refresh(s);
	store_refresh(t);
	assert_string_equal(a.text, "1,2,3,to,4,");
	assert_string_equal(b.text, "1,2,3,to,4,");

	assert_int_equal(store_clear(s), 0);
	store_refresh(t);
	assert_string_equal(b.text, "");
	timers_advance(100);
	store_add(t, "5");
	store_refresh(s);
	assert_string_equal(a.text, "5,");

	mem_deref(s);
	mem_deref(t);
}


static void test_store_bounds(void **state)
{
	struct heard a = { .lines = 0 }, b = { .lines = 0 };
	struct store *s = store(&a, 40), *t = store(&b, 40);
	char line[32];
	(void)state;

	for (unsigned i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "%u", i);
		store_add(s, line);
	}
	timers_advance(100);
	store_refresh(t);
	assert_int_equal(b.lines, 40);
	assert_non_null(strstr(b.text, "160,161,"));
	assert_null(strstr(b.text, "159,"));
	store_refresh(s);
	assert_string_equal(a.text, b.text);

	mem_deref(s);
	mem_deref(t);
}


static long file_size(void)
{
	struct stat st;

	return stat(in_dir("f"), &st) ? -1 : (long)st.st_size;
}


/* The first line is in the file at once, those right behind it together */
static void test_store_gathers(void **state)
{
	struct heard a = { .lines = 0 };
	struct store *s = store(&a, 1000);
	(void)state;

	store_add(s, "1");
	assert_int_equal(file_size(), 2);
	store_add(s, "2");
	store_add(s, "3");
	assert_int_equal(file_size(), 2);
	timers_advance(100);
	assert_int_equal(file_size(), 6);
	assert_int_equal(timers_count(), 0);

	/* no more wait than the memory holds, and none is lost at the end */
	for (unsigned i = 0; i < 300; i++)
		store_add(s, "x");
	assert_int_equal(file_size(), 6 + 2 * 256);
	mem_deref(s);
	assert_int_equal(file_size(), 6 + 2 * 300);
	assert_int_equal(timers_count(), 0);
}


/* A disk that fills up within a writing: each line is there once */
static void test_store_cut(void **state)
{
	struct heard a = { .lines = 0 };
	struct store *s = store(&a, 1000);
	struct rlimit was, small;
	(void)state;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 8;

	store_add(s, "111");
	store_add(s, "222");
	store_add(s, "333");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	timers_advance(100);
	small.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	store_refresh(s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_string_equal(a.text, "111,222,333,");
	assert_int_equal(file_size(), 10);
	mem_deref(s);

	s = store(&a, 1000);
	a.lines = 0;
	a.text[0] = '\0';
	store_add(s, "444");
	store_refresh(s);
	assert_string_equal(a.text, "111,222,33,444,");
	mem_deref(s);
}


/* While another one shortens the file nothing is lost, and nobody waits */
static void test_store_locked(void **state)
{
	struct heard a = { .lines = 0 };
	struct store *s = store(&a, 40);
	int fd;
	(void)state;

	store_add(s, "1");
	fd = open(in_dir("f.lock"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	timers_advance(100);
	store_add(s, "2");
	assert_int_equal(file_size(), 2);
	close(fd);
	timers_advance(100);
	store_add(s, "3");
	assert_int_equal(file_size(), 6);
	store_refresh(s);
	assert_string_equal(a.text, "1,2,3,");

	mem_deref(s);
}


/* Kept in memory when there is no file, or it cannot be written */
static void test_store_memory(void **state)
{
	struct heard a = { .lines = 0 };
	struct store *s = NULL;
	(void)state;

	assert_int_equal(store_alloc(&s, NULL, 10, reset_handler,
				     line_handler, &a), 0);
	for (unsigned i = 0; i < 1000; i++)
		store_add(s, "x");
	store_refresh(s);
	assert_int_equal(a.lines, 1000);
	mem_deref(s);

	memset(&a, 0, sizeof(a));
	assert_int_equal(store_alloc(&s, "/proc/none/f", 10, reset_handler,
				     line_handler, &a), 0);
	store_add(s, "x");
	store_refresh(s);
	assert_string_equal(a.text, "x,");
	mem_deref(s);
}


static void test_seen(void **state)
{
	struct seen *s = NULL, *t = NULL;
	(void)state;

	assert_int_equal(seen_alloc(&s, in_dir("f")), 0);
	assert_int_equal(seen_alloc(&t, in_dir("f")), 0);
	assert_int_equal(seen_get(s, "a"), 0);
	seen_set(s, "a", 1764460800000);
	seen_set(t, "b", 7);
	seen_set(s, "a", 5);
	assert_int_equal(seen_get(t, "a"), 1764460800000);
	assert_int_equal(seen_get(s, "a"), 1764460800000);
	mem_deref(s);
	mem_deref(t);

	assert_int_equal(path_write(in_dir("f"), "oops", 4, 0600), 0);
	assert_int_equal(seen_alloc(&s, in_dir("f")), 0);
	assert_int_equal(seen_get(s, "a"), 0);
	seen_set(s, "a", 9);
	assert_int_equal(seen_get(s, "a"), 9);
	mem_deref(s);
}


/* History ------------------------------------------------------------------ */

enum { SETUP = 2100 };


static void tell(unsigned id, uint64_t time, const char *state,
		 const char *direction, unsigned code, const char *cause,
		 const char *by, int64_t ms)
{
	struct event ev;

	event_init(&ev, EVENT_CALL_STATE);
	ev.call = id;
	ev.time = time;
	snprintf(ev.u.call_state.state, sizeof(ev.u.call_state.state), "%s",
		 state);
	snprintf(ev.u.call_state.direction,
		 sizeof(ev.u.call_state.direction), "%s", direction);
	snprintf(ev.u.call_state.peer, sizeof(ev.u.call_state.peer),
		 "sip:p%u@example.com", id);
	snprintf(ev.u.call_state.name, sizeof(ev.u.call_state.name),
		 "Name %u \xff\x1b[31m", id);
	snprintf(ev.u.call_state.cause, sizeof(ev.u.call_state.cause), "%s",
		 cause);
	snprintf(ev.u.call_state.by, sizeof(ev.u.call_state.by), "%s", by);
	ev.u.call_state.code = code;
	ev.u.call_state.duration_ms = ms;
	if (!strcmp(state, "active"))
		ev.u.call_state.setup_ms = SETUP;
	event_publish(bus, &ev);
}


static struct history *history(void)
{
	struct history *h = NULL;

	assert_int_equal(history_alloc(&h, NULL, bus, config, dir), 0);

	return h;
}


static void test_history(void **state)
{
	static const struct {
		const char *dir, *cause, *by;
		unsigned code;
		int64_t ms;
		const char *outcome;
	} t[] = {
		{ "out", "none", "local", 200, 5000, "answered" },
		{ "out", "status", "remote", 486, 0, "busy" },
		{ "out", "cancelled", "local", 487, 0, "cancelled" },
		{ "out", "no-answer", "local", 487, 0, "no-answer" },
		{ "out", "status", "remote", 403, 0, "refused" },
		{ "out", "resolve", "local", 0, 0, "failed" },
		{ "in", "none", "remote", 200, 1, "answered" },
		{ "in", "cancelled", "remote", 487, 0, "missed" },
		{ "in", "no-answer", "local", 480, 0, "missed" },
		{ "in", "status", "local", 486, 0, "refused" },
		{ "in", "status", "local", 302, 0, "forwarded" },
	};
	struct history *h = history();
	struct history_call c;
	(void)state;

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		tell(i + 1, 1764460800000 + i * 10000,
		     *t[i].dir == 'o' ? "calling" : "incoming", t[i].dir, 0,
		     "", "", 0);
		if (!i) {
			tell(1, 1764460801000, "ringing", "out", 180, "", "",
			     0);
			tell(1, 1764460802000, "active", "out", 200, "", "",
			     0);
		}
		tell(i + 1, 1764460805000 + i * 10000, "ended", t[i].dir,
		     t[i].code, t[i].cause, t[i].by, t[i].ms);
	}

	/* another one reads the same, and so does the next run */
	for (unsigned run = 0; run < 2; run++) {

		assert_int_equal(history_count(h), ARRAY_SIZE(t));
		for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
			assert_true(history_at(&c, h, ARRAY_SIZE(t) - 1 - i));
			assert_string_equal(c.outcome, t[i].outcome);
			assert_int_equal(c.time_ms, 1764460800000 +
					 i * 10000);
			assert_int_equal(c.outgoing, *t[i].dir == 'o');
			assert_int_equal(c.code, t[i].code);
			assert_int_equal(c.duration_ms, t[i].ms);
			/* only of what rang, and was answered */
			assert_int_equal(c.pdd_ms != EVENT_NONE, !i);
			assert_int_equal(c.setup_ms, i ? EVENT_NONE : SETUP);
			assert_true(i || (c.pdd_ms >= 0 && c.pdd_ms < 60000));
			assert_true(text_utf8_valid(c.name, strlen(c.name)));
		}
		assert_false(history_at(&c, h, ARRAY_SIZE(t)));
		assert_string_equal(history_last_dialled(h),
				    "sip:p6@example.com");
		assert_int_equal(history_missed(h), run ? 0 : 2);
		history_seen(h);
		assert_int_equal(history_missed(h), 0);
		assert_true(history_at(&c, h, 0));
		assert_true(history_score(&c, "p11") > 0);
		assert_int_equal(history_score(&c, "p12"), -1);

		mem_deref(h);
		h = history();
	}

	assert_int_equal(history_clear(h), 0);
	assert_int_equal(history_count(h), 0);
	assert_string_equal(history_last_dialled(h), "");
	mem_deref(h);
}


/* Whatever is in the file: no crash, and the rest counts */
static void test_history_hostile(void **state)
{
	static const char text[] = "oops\n[]\n{}\n{\"peer\":7}\n"
		"{\"peer\":\"sip:a@x\",\"time\":\"9999999-99-99\","
		"\"code\":-5,\"mos\":\"x\"}\n\0\n{\"peer\":\"sip:b@x\"}\n"
		"{\"peer\":\"sip:c@";
	struct history *h = history();
	struct history_call c;
	(void)state;

	assert_int_equal(path_write(in_dir("history"), text,
				    sizeof(text) - 1, 0600), 0);
	assert_int_equal(history_count(h), 2);
	assert_true(history_at(&c, h, 0));
	assert_string_equal(c.peer, "sip:b@x");
	assert_true(history_at(&c, h, 1));
	assert_int_equal(c.code, 0);
	mem_deref(h);
}


static void test_history_none(void **state)
{
	struct history *h;
	char err[CONFIG_ERR];
	(void)state;

	assert_int_equal(config_set(config, "history-max", "0", err), 0);
	h = history();
	tell(1, 1, "ended", "in", 487, "cancelled", "remote", 0);
	assert_int_equal(history_count(h), 0);
	assert_int_equal(access(in_dir("history"), F_OK), -1);
	mem_deref(h);
}


/* Messages ----------------------------------------------------------------- */

static void message_in(const char *from, const char *text, uint64_t time)
{
	struct event ev;

	event_init(&ev, EVENT_MESSAGE_RECEIVED);
	ev.time = time;
	snprintf(ev.u.message_received.from,
		 sizeof(ev.u.message_received.from), "%s", from);
	snprintf(ev.u.message_received.text,
		 sizeof(ev.u.message_received.text), "%s", text);
	event_publish(bus, &ev);
}


static void message_out(int64_t id, const char *result)
{
	struct event ev;

	event_init(&ev, EVENT_MESSAGE_SENT);
	ev.u.message_sent.id = id;
	snprintf(ev.u.message_sent.to, sizeof(ev.u.message_sent.to),
		 "sip:ann@x");
	snprintf(ev.u.message_sent.text, sizeof(ev.u.message_sent.text),
		 "to ann");
	snprintf(ev.u.message_sent.result, sizeof(ev.u.message_sent.result),
		 "%s", result);
	snprintf(ev.u.message_sent.reason, sizeof(ev.u.message_sent.reason),
		 "why");
	event_publish(bus, &ev);
}


static void test_messages(void **state)
{
	struct message_record r;
	struct messages *m = NULL;
	(void)state;

	assert_int_equal(messages_alloc(&m, bus, config, dir), 0);
	message_in("sip:bob@x", "hello\n\xe2\x80\xae you", 1764460800000);
	message_in("sip:ann@x", "hi", 1764460801000);
	message_out(1, "sent");
	message_out(2, "failed");
	message_out(1, "delivered");

	assert_int_equal(messages_count(m), 4);
	assert_int_equal(messages_unread(m, NULL), 2);
	assert_int_equal(messages_unread(m, "sip:ann@x"), 1);
	assert_true(messages_at(&r, m, 0));
	assert_string_equal(r.text, "hello\n\xe2\x80\xae you");
	assert_true(r.unread && !r.outgoing);
	assert_true(messages_at(&r, m, 2));
	assert_true(r.outgoing && !r.unread);
	assert_string_equal(r.state, "delivered");
	assert_true(messages_at(&r, m, 3));
	assert_string_equal(r.state, "failed");
	assert_string_equal(r.reason, "why");

	messages_seen(m, "sip:ann@x");
	assert_int_equal(messages_unread(m, NULL), 1);
	mem_deref(m);

	/* the next run knows what was read; its ids are its own */
	m = NULL;
	assert_int_equal(messages_alloc(&m, bus, config, dir), 0);
	message_out(1, "failed");
	assert_int_equal(messages_count(m), 5);
	assert_int_equal(messages_unread(m, NULL), 1);
	messages_seen(m, NULL);
	assert_int_equal(messages_unread(m, NULL), 0);
	assert_int_equal(messages_clear(m), 0);
	assert_int_equal(messages_count(m), 0);
	mem_deref(m);
}


/* Contacts ----------------------------------------------------------------- */

static void contacts_put_text(const char *text)
{
	/* another size each time: the clock of the disk is coarse */
	assert_int_equal(path_write(in_dir("contacts"), text, strlen(text),
				    0600), 0);
}


static void test_contacts(void **state)
{
	const struct contact_conf *v[4];
	struct contacts *cs = NULL;
	struct ua_lookup l;
	char err[CONFIG_ERR];
	unsigned version;
	(void)state;

	assert_int_equal(contacts_alloc(&cs, dir), 0);
	assert_int_equal(contacts_count(cs), 0);

	contacts_put_text("Bob Smith = sip:bob@example.com;account=work\n"
			  "Boris M\xc3\xbcller = +49301234567;speed=2\n"
			  "door = <sip:7@10.0.0.1:5070;transport=tcp>\n");
	assert_int_equal(contacts_count(cs), 3);
	version = contacts_version(cs);

	assert_string_equal(contacts_find(cs, "BOB smith")->uri,
			    "sip:bob@example.com");
	assert_null(contacts_find(cs, "bob"));
	assert_string_equal(contacts_by_speed(cs, 2)->name,
			    "Boris M\xc3\xbcller");
	assert_int_equal(contacts_search(cs, "bs", v, 4), 2);
	assert_string_equal(v[0]->name, "Bob Smith");
	assert_int_equal(contacts_search(cs, "muller", v, 4), 1);
	assert_int_equal(contacts_search(cs, "bo", v, 4), 2);
	assert_int_equal(contacts_search(cs, "", v, 4), 3);
	assert_int_equal(contacts_search(cs, "xyz", v, 4), 0);

	/* however their address is written */
	assert_non_null(contacts_by_uri(cs, "sips:bob@EXAMPLE.com:5061;a=b"));
	assert_null(contacts_by_uri(cs, "sip:bob@example.org"));
	assert_null(contacts_by_uri(cs, "sip:Bob@example.com"));
	assert_non_null(contacts_by_uri(cs, "sip:7@10.0.0.1"));
	assert_non_null(contacts_by_uri(cs, "sip:0301234567@gw.example"));
	assert_non_null(contacts_by_uri(cs, "tel:+49-30-123-4567"));
	assert_null(contacts_by_uri(cs, "sip:4567@gw.example"));
	assert_null(contacts_by_uri(cs, ""));
	assert_true(contacts_known("sip:bob@example.com", cs));

	memset(&l, 0, sizeof(l));
	assert_true(contacts_lookup(&l, "bob smith", cs));
	assert_string_equal(l.text, "sip:bob@example.com");
	assert_string_equal(l.account, "work");
	assert_false(contacts_lookup(&l, "eve", cs));

	/* a wrong file: as before, and it is told */
	contacts_put_text("oops\n");
	assert_non_null(strstr(contacts_error(cs), ":1:"));
	assert_int_equal(contacts_count(cs), 3);
	assert_int_equal(contacts_version(cs), version);
	assert_int_not_equal(contacts_remove(cs, "door", err), 0);

	contacts_put_text("Bob = sip:bob@example.com\n");
	assert_int_equal(contacts_count(cs), 1);
	assert_string_equal(contacts_error(cs), "");
	assert_int_equal(contacts_remove(cs, "bob", err), 0);
	assert_int_equal(contacts_count(cs), 0);
	mem_deref(cs);

	assert_int_equal(contacts_alloc(&cs, ""), 0);
	assert_int_equal(contacts_remove(cs, "bob", err), ENOENT);
	mem_deref(cs);
}


static void test_vcard(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf" "BEGIN:VCARD\r\nVERSION:3.0\r\n"
		"N:Smith;Bob;;;\r\nFN:Bob\r\n  Smith\r\n"
		"item1.TEL;TYPE=\"work,voice\":+49 (30) 123\r\n"
		"TEL;VALUE=uri;TYPE=cell:tel:+4917\r\n"
		"TEL;TYPE=fax:+4999\r\n"
		"IMPP:sip:bob@example.com\r\nIMPP:xmpp:bob@x\r\n"
		"NOTE:a\\, b\\nc\r\nEND:VCARD\r\n"
		"BEGIN:VCARD\nVERSION:2.1\n"
		"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCll=\n"
		"er;J=C3=B6rg\nTEL;CELL:0171/55\nX-SIP:joe@x\nEND:VCARD\n"
		"BEGIN:VCARD\nFN:=@\x01\nTEL:1\nTEL:1\nEND:VCARD\n"
		"BEGIN:VCARD\nTEL:+495\nNOTE:\xef\xbb\xbf\xe2\x80\xaex\n"
		"END:VCARD\n"
		"TEL:outside\nBEGIN:VCARD\nFN:cut off\nTEL:5\n";
	static const struct { const char *name, *uri; } want[] = {
		{ "Bob Smith", "tel:+4930123" },
		{ "Bob Smith (mobile)", "tel:+4917" },
		{ "Bob Smith (2)", "sip:bob@example.com" },
		{ "J\xc3\xb6rg M\xc3\xbcller", "tel:0171/55" },
		{ "J\xc3\xb6rg M\xc3\xbcller (2)", "sip:joe@x" },
		{ "--", "tel:1" },
		{ "+495", "tel:+495" },
	};
	struct contact_conf *v = NULL, *w = NULL;
	struct text_buf b = { 0 };
	char err[CONFIG_ERR] = "";
	size_t n = 0, m = 0;
	(void)state;

	assert_int_equal(vcard_read(&v, &n, text, sizeof(text) - 1, err), 0);
	for (size_t i = 0; i < n; i++) {
		char value[600];
		struct contact_conf c;

		assert_true(i < ARRAY_SIZE(want));
		assert_string_equal(v[i].name, want[i].name);
		assert_string_equal(v[i].uri, want[i].uri);
		/* the file can hold it */
		assert_int_equal(contact_print(&v[i], value, sizeof(value)),
				 0);
		assert_int_equal(contact_parse(&c, v[i].name, value, err), 0);
		vcard_print(&b, &v[i]);
	}
	assert_int_equal(n, ARRAY_SIZE(want));
	assert_string_equal(v[0].note, "a, b c");

	/* what we write we read */
	assert_int_equal(vcard_read(&w, &m, b.s, b.len, err), 0);
	assert_int_equal(m, n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(v[i].name, w[i].name);
		assert_string_equal(v[i].uri, w[i].uri);
		assert_string_equal(v[i].note, w[i].note);
	}

	assert_int_equal(vcard_read(&v, &n, "x\n", 2, err), EINVAL);
	text_buf_reset(&b);
	mem_deref(v);
	mem_deref(w);
}


/* No line of a card is too long for whoever reads it */
static void test_vcard_fold(void **state)
{
	struct contact_conf c = { .uri = "sip:x@y" };
	struct contact_conf *v = NULL;
	struct text_buf b = { 0 };
	char err[CONFIG_ERR];
	size_t n;
	(void)state;

	snprintf(c.name, sizeof(c.name), "x");
	for (size_t i = 0; i + 3 < sizeof(c.note); i += 2)
		memcpy(c.note + i, "\xc3\xb6", 3);
	vcard_print(&b, &c);
	for (const char *p = b.s; *p; p += strcspn(p, "\n") + 1) {
		assert_true(strcspn(p, "\r") <= 75);
		assert_true(text_utf8_valid(p, strcspn(p, "\r")));
	}
	assert_int_equal(vcard_read(&v, &n, b.s, b.len, err), 0);
	assert_string_equal(v[0].note, c.note);
	mem_deref(v);
	text_buf_reset(&b);
}


static void test_fuzzy(void **state)
{
	(void)state;

	assert_int_equal(fuzzy_score("", "x"), 0);
	assert_int_equal(fuzzy_score("x", ""), -1);
	assert_true(fuzzy_score("BS", "bob smith") > 0);
	assert_true(fuzzy_score("zurich", "Z\xc3\xbcrich") > 0);
	assert_true(fuzzy_score("\xd0\xb1\xd0\xbe\xd0\xb1",
				"\xd0\x91\xd0\xbe\xd0\xb1") > 0);
	assert_true(fuzzy_score("bob", "bob") > fuzzy_score("bob", "b.o.b"));
	assert_true(fuzzy_score("smi", "bob smith") >
		    fuzzy_score("smi", "asami"));
	assert_int_equal(fuzzy_score("sb", "bob"), -1);

	/* a number is not found digit by digit, but however it is grouped */
	assert_int_equal(fuzzy_score("20066", "phone@127.0.0.1:27866"), -1);
	assert_true(fuzzy_score("20066", "phone@127.0.0.1:20066") > 0);
	assert_true(fuzzy_score("p20066", "phone@127.0.0.1:20066") > 0);
	assert_true(fuzzy_score("493012", "+49 (30) 12-34") > 0);
	assert_true(fuzzy_score("3012", "+49 30.31 30.12") > 0);
	assert_true(fuzzy_score("b1", "bob 201") > 0);
	assert_int_equal(fuzzy_score("b12", "bob 1 x 2"), -1);
	assert_int_equal(fuzzy_score("12", "1"), -1);
	assert_true(fuzzy_score("12", "112") > 0);
	assert_int_equal(fuzzy_score("\xff", "\xfe"), fuzzy_score("x", "x"));
}


int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_store),
		TEST(test_store_bounds),
		TEST(test_store_gathers),
		TEST(test_store_cut),
		TEST(test_store_locked),
		TEST(test_store_memory),
		TEST(test_seen),
		TEST(test_history),
		TEST(test_history_hostile),
		TEST(test_history_none),
		TEST(test_messages),
		TEST(test_contacts),
		TEST(test_vcard),
		TEST(test_vcard_fold),
		cmocka_unit_test(test_fuzzy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
