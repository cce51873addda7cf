/**
 * @file test_contacts.c  The contacts file: read whole, written around what
 * its owner wrote
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/contact.h>
#include <offhook/path.h>


static char dir[64], file[128];
static char err[CONFIG_ERR];


static int setup(void **state)
{
	(void)state;

	(void)snprintf(dir, sizeof(dir), "/tmp/offhook-contacts-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/contacts", dir);

	return 0;
}


static int teardown(void **state)
{
	(void)state;
	(void)unlink(file);
	(void)rmdir(dir);

	return 0;
}


static void put(const char *text)
{
	assert_int_equal(path_write(file, text, strlen(text), 0600), 0);
}


static void file_is(const char *want)
{
	char *text = NULL;

	assert_int_equal(path_read(&text, NULL, file, 1 << 20), 0);
	assert_string_equal(text, want);
	free(text);
}


struct found {
	struct contact_conf v[8];
	size_t n;
};


static int found_handler(const struct contact_conf *c, void *arg)
{
	struct found *f = arg;

	assert_true(f->n < 8);
	f->v[f->n++] = *c;

	return 0;
}


static void test_load(void **state)
{
	struct found f = { .n = 0 };
	(void)state;

	assert_int_equal(contacts_load(file, found_handler, &f, err), 0);
	assert_int_equal(f.n, 0);

	put("# people\nBob Smith = sip:bob@example.com\n"
	    "M\xc3\xbcller = <sip:m@example.com;transport=tcp>;account=work"
	    ";speed=3;lamp=yes  # upstairs\n"
	    "7 = +49 30 123;note=the%3B door\n");
	/* a blank is not for an address */
	assert_int_equal(contacts_load(file, found_handler, &f, err), EINVAL);
	assert_non_null(strstr(err, ":4:"));
	assert_int_equal(f.n, 0);

	put("# people\nBob Smith = sip:bob@example.com\n"
	    "M\xc3\xbcller = <sip:m@example.com;transport=tcp>;account=work"
	    ";speed=3;lamp=yes  # upstairs\n"
	    "7 = +4930123;note=the%3B door\n");
	assert_int_equal(contacts_load(file, found_handler, &f, err), 0);
	assert_int_equal(f.n, 3);
	assert_string_equal(f.v[0].name, "Bob Smith");
	assert_string_equal(f.v[0].uri, "sip:bob@example.com");
	assert_string_equal(f.v[1].uri, "sip:m@example.com;transport=tcp");
	assert_string_equal(f.v[1].account, "work");
	assert_int_equal(f.v[1].speed, 3);
	assert_true(f.v[1].lamp && !f.v[1].presence);
	assert_string_equal(f.v[2].note, "the; door");
}


static void test_wrong(void **state)
{
	static const struct { const char *text, *why; } t[] = {
		{ "bob sip:bob@x\n", "`=`" },
		{ "bob =\n", "no address" },
		{ "bob = <sip:bob@x\n", "'>'" },
		{ "bob = sip:bob@x;sped=3\n", "speed" },
		{ "bob = sip:bob@x;speed=100\n", "speed" },
		{ "bob = sip:bob@x;speed=1;speed=2\n", "twice" },
		{ "bob = sip:bob@x;note=%zz\n", "note" },
		{ "bob = sip:bob@x;note=%01\n", "note" },
		{ "sip:bob = sip:bob@x\n", "is an address" },
		{ "[people]\n", "sections" },
		{ "bob = a@x\nann = b@x\nBOB = c@x\n", ":3: BOB is in line 1" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct found f = { .n = 0 };

		put(t[i].text);
		err[0] = '\0';
		if (!contacts_load(file, found_handler, &f, err) || f.n ||
		    !strstr(err, t[i].why))
			fail_msg("%s: %s", t[i].text, err);
	}
}


static void test_print(void **state)
{
	static const char *const t[] = {
		"sip:bob@example.com", "+4930123",
		"<sip:bob@example.com;transport=tcp>;account=work;speed=9",
		"tel:112;note=a%3Bb %25 c;presence=yes",
	};
	struct contact_conf c, d;
	char buf[600];
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(contact_parse(&c, "x", t[i], err), 0);
		assert_int_equal(contact_print(&c, buf, sizeof(buf)), 0);
		assert_int_equal(contact_parse(&d, "x", buf, err), 0);
		assert_memory_equal(&c, &d, sizeof(c));
	}
	assert_int_equal(contact_parse(&c, "x", t[0], err), 0);
	assert_int_equal(contact_print(&c, buf, 4), EOVERFLOW);
}


static void test_save(void **state)
{
	struct contact_conf v[2];
	(void)state;

	put("# people\n\nbob = sip:bob@example.com # upstairs\n"
	    "# she is\n# away\nann = sip:ann@example.com");
	assert_int_equal(contact_parse(&v[0], "Bob", "<sip:bob@new;x=y>;"
				       "speed=2", err), 0);
	assert_int_equal(contact_parse(&v[1], "eve", "eve@example.com", err),
			 0);
	assert_int_equal(contacts_save(file, v, 2, err), 0);
	file_is("# people\n\nBob = <sip:bob@new;x=y>;speed=2 # upstairs\n"
		"# she is\n# away\nann = sip:ann@example.com\n"
		"eve = eve@example.com\n");

	/* what is true already stays as it stands */
	assert_int_equal(contacts_save(file, v, 2, err), 0);
	file_is("# people\n\nBob = <sip:bob@new;x=y>;speed=2 # upstairs\n"
		"# she is\n# away\nann = sip:ann@example.com\n"
		"eve = eve@example.com\n");

	assert_int_equal(contacts_forget(file, "ANN", err), 0);
	file_is("# people\n\nBob = <sip:bob@new;x=y>;speed=2 # upstairs\n"
		"eve = eve@example.com\n");
	assert_int_equal(contacts_forget(file, "ann", err), ENOENT);

	/* a file that cannot be read is not written */
	put("oops\n");
	assert_int_equal(contacts_save(file, v, 2, err), EINVAL);
	assert_int_equal(contacts_forget(file, "bob", err), EINVAL);
	file_is("oops\n");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test(test_print),
		cmocka_unit_test_setup_teardown(test_save, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
