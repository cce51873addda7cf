/**
 * @file test_pcap.c  Frames that a dissector takes, blocks that add up
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/path.h"
#include "offhook/pcap.h"
#include "pcap_agreed.h"
#include "offhook/timer.h"

#define OPTIONS								\
	"OPTIONS sip:x SIP/2.0\r\nCall-ID: two@here\r\n"		\
	"CSeq: 1 OPTIONS\r\n\r\n"


static unsigned ones(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		s += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);

	return s;
}


/* With its own checksum in it everything sums up to all ones */
static void heads(void **state)
{
	static const char *const addrs[] = { "192.0.2.1", "2001:db8::1" };
	static const uint8_t body[] = "an odd number of bytes";
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {

		const size_t n = sizeof(body);
		const size_t ip = i ? 40 : 20, at = i ? 8 : 12, an = i ? 32 : 8;
		uint8_t p[PCAP_HEAD_MAX + sizeof(body)];
		struct sa src, dst;
		size_t h;

		assert_int_equal(sa_set_str(&src, addrs[i], 5060), 0);
		dst = src;
		sa_set_port(&dst, 1234);

		h = pcap_udp_head(p, &src, &dst, body, n);
		assert_int_equal(h, ip + 8);
		memcpy(p + h, body, n);
		if (!i)
			assert_int_equal(ones(p, ip, 0), 0xffff);
		assert_int_equal(ones(p + ip, 8 + n,
				      17 + 8 + (uint32_t)n +
				      ones(p + at, an, 0)), 0xffff);
		assert_int_equal(p[ip] << 8 | p[ip + 1], 5060);
		assert_int_equal(p[ip + 4] << 8 | p[ip + 5], 8 + n);

		h = pcap_tcp_head(p, &src, &dst, 7, 9, body, n);
		assert_int_equal(h, ip + 20);
		memcpy(p + h, body, n);
		assert_int_equal(ones(p + ip, 20 + n,
				      6 + 20 + (uint32_t)n +
				      ones(p + at, an, 0)), 0xffff);
		assert_int_equal(p[ip + 7], 7);

		h = pcap_sips_head(p, &src, &dst);
		assert_true(h < PCAP_HEAD_MAX && !(h & 3));
		assert_memory_equal(p, "\0\x0c\0\x04sip", 7);
		assert_memory_equal(p + h - 4, "\0\0\0", 4);
	}
}


static struct capture *make(const char *local, enum sip_transp tp)
{
	const struct capture_limits lim = { 100, 1 << 20 };
	struct capture *c = NULL;
	struct sa us, peer;

	assert_int_equal(capture_alloc(&c, &lim), 0);
	assert_int_equal(sa_set_str(&us, local, 5060), 0);
	peer = us;
	sa_set_port(&peer, 5070);
	capture_sip(c, true, tp, &us, &peer, OPTIONS, strlen(OPTIONS));
	capture_sip(c, false, tp, &us, &peer, OPTIONS, strlen(OPTIONS));

	return c;
}


static uint32_t u32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));

	return v;
}


/* Every block ends with the length that it begins with */
static void blocks(void **state)
{
	static const struct {
		const char *addr;
		enum sip_transp tp;
	} ways[] = {
		{ "127.0.0.1", SIP_TRANSP_UDP }, { "::1", SIP_TRANSP_UDP },
		{ "127.0.0.1", SIP_TRANSP_TCP }, { "::1", SIP_TRANSP_TLS },
	};
	char path[] = "/tmp/offhook-pcap-XXXXXX", err[UA_ERR], *text;
	const int fd = mkstemp(path);
	(void)state;

	assert_true(fd >= 0);
	close(fd);

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {

		const struct pcap_conf conf = { .path = path, .past = true };
		struct capture *c = make(ways[i].addr, ways[i].tp);
		unsigned types[8] = { 0 }, n = 0;
		struct pcap_stats st;
		struct pcap *p = NULL;
		struct sa sa;
		size_t len;

		assert_int_equal(pcap_open(&p, &conf, c, NULL, err), 0);
		(void)sa_set_str(&sa, ways[i].addr, 1);
		capture_sip(c, true, ways[i].tp, &sa, &sa, "x", 1);
		capture_note(c, 0, 1, "not a message");
		pcap_stats(p, &st);
		assert_int_equal(st.messages, 3);
		assert_int_equal(st.lost, 0);
		assert_int_equal(st.err, 0);
		mem_deref(p);
		mem_deref(c);

		assert_int_equal(path_read(&text, &len, path, 1 << 20), 0);
		assert_int_equal(st.bytes, len);
		for (size_t at = 0; at < len; n++) {

			const uint32_t size = u32(text + at + 4);

			assert_true(size >= 12 && !(size & 3) &&
				    at + size <= len);
			assert_int_equal(u32(text + at + size - 4), size);
			++types[u32(text + at) & 7];
			at += size;
		}
		assert_int_equal(n, 6);
		assert_int_equal(types[1], 2);
		assert_int_equal(types[6], 3);
		free(text);
	}

	unlink(path);
}


static void refused(void **state)
{
	struct pcap_conf conf = { .path = "/nonexistent/x" };
	struct capture *c = make("127.0.0.1", SIP_TRANSP_UDP);
	char path[] = "/tmp/offhook-pcap-XXXXXX", err[UA_ERR];
	struct pcap *p = NULL;
	(void)state;

	assert_int_equal(pcap_open(&p, &conf, c, NULL, err), ENOENT);
	assert_null(p);

	/* a pipe nobody reads */
	assert_non_null(mkdtemp(path));
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	conf.path = path;
	assert_int_equal(pcap_open(&p, &conf, c, NULL, err), ENXIO);
	unlink(path);

	/* a full disk ends it, and is told */
	conf.path = "/dev/full";
	if (!access(conf.path, W_OK)) {
		assert_int_equal(pcap_open(&p, &conf, c, NULL, err), ENOSPC);
		assert_null(p);
	}

	mem_deref(c);
}


static void hep(void **state)
{
	struct capture *c = make("127.0.0.1", SIP_TRANSP_UDP);
	const struct capture_msg *m = capture_next(c, NULL);
	uint8_t buf[600], got[600];
	socklen_t len = sizeof(struct sockaddr_in);
	struct hep *h = NULL;
	struct sa sa, us;
	size_t n;
	int fd;
	(void)state;

	n = hep_build(buf, sizeof(buf), m, 2001);
	assert_true(n > strlen(OPTIONS));
	assert_memory_equal(buf, "HEP3", 4);
	assert_int_equal(buf[4] << 8 | buf[5], n);

	/* the chunks add up */
	for (size_t at = 6; at < n; ) {
		const size_t k = (size_t)(buf[at + 4] << 8 | buf[at + 5]);

		assert_true(k >= 6 && at + k <= n);
		at += k;
	}
	assert_memory_equal(buf + n - strlen(OPTIONS), OPTIONS,
			    strlen(OPTIONS));
	assert_int_equal(hep_build(buf, 100, m, 1), 0);
	assert_int_equal(hep_build(buf, 3, m, 1), 0);

	/* and it goes out */
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(sa_set_str(&sa, "127.0.0.1", 0), 0);
	assert_int_equal(bind(fd, &sa.u.sa, sa.len), 0);
	assert_int_equal(getsockname(fd, &sa.u.sa, &len), 0);
	assert_int_equal(hep_open(&h, c, &sa, 7), 0);
	(void)sa_set_str(&us, "127.0.0.1", 5060);
	capture_sip(c, false, SIP_TRANSP_UDP, &us, &us, OPTIONS,
		    strlen(OPTIONS));
	assert_true(recv(fd, got, sizeof(got), 0) > 100);
	assert_memory_equal(got, "HEP3", 4);
	mem_deref(h);
	close(fd);

	mem_deref(c);
}


static int begin(void **state)
{
	(void)state;

	return libre_init() || timers_open() ? -1 : 0;
}


static int end(void **state)
{
	(void)state;
	timers_close();
	libre_close();

	return 0;
}


/* Calls ------------------------------------------------------------------- */

static void say(struct capture *c, bool tx, const char *start,
		const char *method, unsigned call, unsigned cseq,
		const char *body)
{
	char text[1024];
	struct sa us, peer;

	(void)sa_set_str(&us, "127.0.0.1", 5060);
	(void)sa_set_str(&peer, "127.0.0.1", 5070);
	snprintf(text, sizeof(text), "%s\r\nCall-ID: call-%u\r\nCSeq: %u %s\r\n"
		 "%sContent-Length: %zu\r\n\r\n%s", start, call, cseq, method,
		 *body ? "Content-Type: application/sdp\r\n" : "",
		 strlen(body), body);
	capture_sip(c, tx, SIP_TRANSP_UDP, &us, &peer, text, strlen(text));
}


#define INVITE "INVITE sip:x@127.0.0.1 SIP/2.0"
#define BYE "BYE sip:x@127.0.0.1 SIP/2.0"


/* @return bodies of the descriptions in force, one behind the other */
static const char *in_force(struct agreed *a, size_t max)
{
	static char text[4096];
	const struct capture_msg *const *v;
	const size_t n = agreed_list(a, &v, max);

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const char *body = strstr(v[i]->text, "\r\n\r\n");

		assert_non_null(body);
		assert_true(!i || v[i - 1]->seq < v[i]->seq);
		strcat(text, body + 4);
	}

	return text;
}


static void note_handler(const struct capture_msg *m, void *arg)
{
	agreed_note(arg, m);
}


/* Of what goes on the last of either side, of what is over nothing */
static void agreed(void **state)
{
	const struct capture_limits lim = { 2, 1 << 20 };
	struct capture_tap *tap = NULL;
	struct capture *c = NULL;
	struct agreed *a = NULL;
	(void)state;

	assert_int_equal(capture_alloc(&c, &lim), 0);
	assert_int_equal(agreed_alloc(&a), 0);
	assert_int_equal(capture_listen(&tap, c, note_handler, a), 0);
	assert_string_equal(in_force(a, 10000), "");

	/* the capture forgets them, the list does not */
	say(c, true, INVITE, "INVITE", 1, 1, "a");
	say(c, true, INVITE, "INVITE", 1, 1, "a");
	say(c, false, "SIP/2.0 180 Ringing", "INVITE", 1, 1, "");
	say(c, false, "SIP/2.0 200 OK", "INVITE", 1, 1, "b");
	say(c, false, INVITE, "INVITE", 2, 1, "c");
	assert_string_equal(in_force(a, 10000), "abc");

	/* early media, then another answer; a late offer */
	say(c, true, "SIP/2.0 183 Progress", "INVITE", 2, 1, "d");
	say(c, true, "SIP/2.0 200 OK", "INVITE", 2, 1, "e");
	assert_string_equal(in_force(a, 10000), "abce");
	say(c, false, INVITE, "INVITE", 3, 1, "");
	say(c, true, "SIP/2.0 200 OK", "INVITE", 3, 1, "f");
	say(c, false, "ACK sip:x@127.0.0.1 SIP/2.0", "ACK", 3, 1, "g");
	assert_string_equal(in_force(a, 10000), "abcefg");

	/* one changes; one may not; one must prove who it is */
	say(c, true, INVITE, "INVITE", 1, 2, "h");
	say(c, false, "SIP/2.0 200 OK", "INVITE", 1, 2, "i");
	assert_string_equal(in_force(a, 10000), "cefghi");
	say(c, false, INVITE, "INVITE", 1, 3, "");
	say(c, true, "SIP/2.0 488 No", "INVITE", 1, 3, "k");
	assert_string_equal(in_force(a, 10000), "cefghi");
	say(c, true, INVITE, "INVITE", 4, 1, "l");
	say(c, false, "SIP/2.0 407 Who", "INVITE", 4, 1, "");
	assert_string_equal(in_force(a, 10000), "cefghi");
	say(c, true, INVITE, "INVITE", 4, 2, "m");
	assert_string_equal(in_force(a, 10000), "cefghim");

	/* little room: whole calls, who spoke last first */
	assert_string_equal(in_force(a, 0), "");
	assert_string_equal(in_force(a, 250), "m");

	/* over, by either side, or never come about */
	say(c, true, BYE, "BYE", 1, 4, "");
	say(c, false, "SIP/2.0 200 OK", "BYE", 1, 4, "");
	say(c, false, BYE, "BYE", 2, 2, "");
	say(c, false, "SIP/2.0 486 Busy", "INVITE", 4, 2, "");
	assert_string_equal(in_force(a, 10000), "fg");

	/* there is an end to how many */
	for (unsigned i = 0; i < 1000; i++)
		say(c, true, INVITE, "INVITE", 100 + i, 1, "n");
	assert_int_equal(strlen(in_force(a, 1 << 20)), 512);

	mem_deref(tap);
	mem_deref(a);
	mem_deref(c);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(blocks),
		cmocka_unit_test(refused),
		cmocka_unit_test(agreed),
		cmocka_unit_test(hep),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
