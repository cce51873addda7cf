/**
 * @file test_multipart.c  The SDP among the parts of a body
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"


#define SDP  "Content-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n"
#define ISUP "Content-Type: application/ISUP;version=x\r\n" \
	     "Content-Disposition: signal; handling=optional\r\n\r\n\1\2"

static struct msg_ctype ctyp;
static struct mbuf *mb;


static int narrow(const char *type, const char *body, size_t len)
{
	struct pl pl;

	mb = mem_deref(mb);
	mb = mbuf_alloc(16);
	assert_int_equal(mbuf_write_str(mb, "head"), 0);
	assert_int_equal(mbuf_write_mem(mb, (const uint8_t *)body, len), 0);
	mb->pos = 4;

	pl_set_str(&pl, type);
	assert_int_equal(msg_ctype_decode(&ctyp, &pl), 0);

	return multipart_sdp(&ctyp, mb);
}


#define NARROW(type, body) narrow(type, body, sizeof(body) - 1)

static void assert_body(const char *text)
{
	assert_int_equal(mbuf_get_left(mb), strlen(text));
	assert_memory_equal(mbuf_buf(mb), text, strlen(text));
	assert_int_equal(pl_strcasecmp(&ctyp.type, "application"), 0);
	assert_int_equal(pl_strcasecmp(&ctyp.subtype, "sdp"), 0);
}


/* It came as it was, and is so still */
static void assert_untouched(size_t len)
{
	assert_int_equal(mb->pos, 4);
	assert_int_equal(mbuf_get_left(mb), len);
	assert_int_equal(pl_strcasecmp(&ctyp.type, "multipart"), 0);
}


static int teardown(void **state)
{
	(void)state;
	mb = mem_deref(mb);

	return 0;
}


static void test_found(void **state)
{
	(void)state;

	/* first, last, with a preamble, between others */
	assert_int_equal(NARROW("multipart/mixed;boundary=b-1",
				"--b-1\r\n" SDP "\r\n--b-1\r\n" ISUP
				"\r\n--b-1--\r\n"), 0);
	assert_body("v=0\r\ns=-\r\n");
	assert_int_equal(NARROW("multipart/mixed; boundary=\"b 1\"",
				"for those who cannot read it\r\n--b 1\r\n"
				ISUP "\r\n--b 1 \t\r\n" SDP
				"\r\n--b 1--\r\nthe end"), 0);
	assert_body("v=0\r\ns=-\r\n");

	/* the headers of a part: any case, folded, others, none */
	assert_int_equal(NARROW("Multipart/Mixed;x=y;boundary=b",
				"--b\r\n\r\nplain\r\n--b\r\ncontent-TYPE:\r\n"
				" Application/SDP ; charset=x\r\n"
				"Content-Transfer-Encoding: 8bit\r\n"
				"Content-ID: <a@b>\r\n"
				"CONTENT-DISPOSITION : Session\r\n"
				"\r\nv=0\r\n--b--"), 0);
	assert_body("v=0");

	/* lines that end as lines of Unix do */
	assert_int_equal(NARROW("multipart/mixed;boundary=b",
				"--b\nContent-Type: application/sdp\n\nv=0\n"
				"\n--b--\n"), 0);
	assert_body("v=0\n");

	/* of two, the first; one within another */
	assert_int_equal(NARROW("multipart/alternative;boundary=b",
				"--b\r\nContent-Type: multipart/mixed;"
				"boundary=bb\r\n\r\n--bb\r\n" ISUP
				"\r\n--bb\r\n" SDP "\r\n--bb--\r\n--b\r\n"
				"Content-Type: application/sdp\r\n\r\nno"
				"\r\n--b--"), 0);
	assert_body("v=0\r\ns=-\r\n");
}


/* RFC 2045 6.7 and 6.8: as if it had come plain */
static void test_coded(void **state)
{
	(void)state;

	assert_int_equal(NARROW("multipart/mixed;boundary=b",
				"--b\r\nContent-Type: application/sdp\r\n"
				"Content-Transfer-Encoding: Base64\r\n\r\n"
				"dj0wDQpz\r\nPS0NCg==\r\n--b--\r\n"), 0);
	assert_body("v=0\r\ns=-\r\n");
	assert_int_equal(NARROW("multipart/mixed;boundary=b",
				"--b\r\nContent-Type: application/sdp\r\n"
				"Content-Transfer-Encoding: base64\r\n\r\n"
				"dj0wDQpzPS0=\r\n--b\r\n" ISUP
				"\r\n--b--\r\n"), 0);
	assert_body("v=0\r\ns=-");
	assert_int_equal(NARROW("multipart/mixed;boundary=b",
				"--b\r\nContent-Type: application/sdp\r\n"
				"Content-Transfer-Encoding: quoted-printable"
				"\r\n\r\nv=3D0\r\ns=3D=\r\n-=20\r\n"
				"--b--\r\n"), 0);
	assert_body("v=0\r\ns=- ");
}


static void test_not_found(void **state)
{
	static const char other[] = "--b\r\n" ISUP "\r\n--b--\r\n";
	static const char early[] =
		"--b\r\nContent-Type: application/sdp\r\n"
		"Content-Disposition: early-session\r\n\r\nv=0\r\n--b--\r\n";
	static const char zipped[] =
		"--b\r\nContent-Type: application/sdp\r\n"
		"Content-Encoding: gzip\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b--\r\n";
	static const char broken[] =
		"--b\r\nContent-Type: application/sdp\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\ndj0=w\r\n--b--\r\n";
	static const char unquoted[] =
		"--b\r\nContent-Type: application/sdp\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		"v=0\r\n--b--\r\n";
	static const char open[] = "--b\r\n" SDP;
	static const char longer[] = "--bb\r\n" SDP "\r\n--bb--\r\n";
	static const char good[] = "--b\r\n" SDP "\r\n--b--\r\n";
	char boundary[128];
	(void)state;

	assert_int_equal(NARROW("multipart/mixed;boundary=b", other),
			 ENOENT);
	assert_untouched(sizeof(other) - 1);
	assert_int_equal(NARROW("multipart/mixed;boundary=b", early),
			 ENOENT);
	assert_int_equal(NARROW("multipart/mixed;boundary=b", zipped),
			 ENOENT);
	assert_int_equal(NARROW("multipart/mixed;boundary=b", broken),
			 ENOENT);
	assert_int_equal(NARROW("multipart/mixed;boundary=b", unquoted),
			 ENOENT);
	assert_int_equal(NARROW("multipart/mixed;boundary=b", open), ENOENT);
	assert_int_equal(NARROW("multipart/mixed;boundary=b", longer),
			 ENOENT);
	assert_untouched(sizeof(longer) - 1);
	assert_int_equal(NARROW("multipart/mixed;boundary=b", ""), ENOENT);

	/* no boundary, an empty one, one too long */
	assert_int_equal(NARROW("multipart/mixed", good), ENOENT);
	assert_int_equal(NARROW("multipart/mixed;boundary=\"\"", good),
			 ENOENT);
	memset(boundary, 'b', sizeof(boundary));
	memcpy(boundary, "multipart/mixed;boundary=", 25);
	boundary[25 + 71] = '\0';
	assert_int_equal(NARROW(boundary, good), ENOENT);

	/* no body of parts at all */
	assert_int_equal(NARROW("application/sdp", "v=0"), ENOENT);
	assert_body("v=0");
}


/* A part that must be understood is not, wherever it stands */
static void test_required(void **state)
{
	static const char body[] =
		"--b\r\n" SDP "\r\n--b\r\nContent-Type: text/x-law\r\n"
		"Content-Disposition: render;handling=REQUIRED\r\n\r\nx\r\n"
		"--b--\r\n";
	(void)state;

	assert_int_equal(NARROW("multipart/mixed;boundary=b", body),
			 ENOTSUP);
	assert_untouched(sizeof(body) - 1);
}


/* Deeper than anybody nests, more parts than anybody sends */
static void test_bounded(void **state)
{
	struct mbuf *text = mbuf_alloc(1024);
	unsigned i;
	(void)state;

	for (i = 0; i < 6; i++)
		(void)mbuf_printf(text, "--b%u\r\nContent-Type: "
				  "multipart/mixed;boundary=b%u\r\n\r\n",
				  i, i + 1);
	(void)mbuf_printf(text, "--b6\r\n" SDP "\r\n--b6--\r\n");
	for (i = 6; i-- > 0;)
		(void)mbuf_printf(text, "--b%u--\r\n", i);
	assert_int_equal(narrow("multipart/mixed;boundary=b0",
				(char *)text->buf, text->end), ENOENT);

	mbuf_reset(text);
	for (i = 0; i < 100; i++)
		(void)mbuf_printf(text, "--b\r\n\r\nx\r\n");
	(void)mbuf_printf(text, "--b\r\n" SDP "\r\n--b--\r\n");
	assert_int_equal(narrow("multipart/mixed;boundary=b",
				(char *)text->buf, text->end), ENOENT);
	mem_deref(text);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_found, teardown),
		cmocka_unit_test_teardown(test_coded, teardown),
		cmocka_unit_test_teardown(test_not_found, teardown),
		cmocka_unit_test_teardown(test_required, teardown),
		cmocka_unit_test_teardown(test_bounded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
