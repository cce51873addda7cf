/**
 * @file test_config.c  Options: defaults, setting, loading, saving
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/config.h>
#include <offhook/path.h>


static struct config *c;
static char dir[64], file[96];
static char err[CONFIG_ERR];


static int setup(void **state)
{
	(void)state;

	(void)snprintf(dir, sizeof(dir), "/tmp/offhook-config-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/offhook.conf", dir);
	err[0] = '\0';

	return config_alloc(&c);
}


static int teardown(void **state)
{
	char cmd[128];
	(void)state;

	c = mem_deref(c);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);

	return system(cmd);
}


static void file_is(const char *want)
{
	char *text = NULL;

	assert_int_equal(path_read(&text, NULL, file, 100000), 0);
	assert_string_equal(text, want);
	free(text);
}


static void file_put(const char *text)
{
	assert_int_equal(path_write(file, text, strlen(text), 0600), 0);
}


static void value_is(const char *name, const char *want)
{
	char buf[300];

	assert_int_equal(config_get(c, name, buf, sizeof(buf)), 0);
	assert_string_equal(buf, want);
}


static void test_table(void **state)
{
	size_t n;
	const struct option *o = option_table(&n);
	char buf[300];
	(void)state;

	assert_true(n > 20);

	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(option_find(o[i].name), &o[i]);
		assert_true(o[i].summary && o[i].summary[0]);
		assert_true(o[i].offset + o[i].size <=
			    sizeof(struct config));
		for (const char *p = o[i].name; *p; p++)
			assert_true(islower(*p) || *p == '-');

		/* a default is what a user may write, and reads the same */
		assert_int_equal(config_get(c, o[i].name, buf, sizeof(buf)),
				 0);
		assert_string_equal(buf, o[i].def);
		assert_int_equal(config_set(c, o[i].name, o[i].def, err), 0);
	}

	assert_null(option_find("codec"));
	assert_null(option_find(NULL));
}


static void test_defaults(void **state)
{
	(void)state;

	assert_string_equal(c->codecs, "opus,g722,pcmu,pcma,l16");
	assert_int_equal(c->packet_time_ms, 20);
	assert_int_equal(c->port_min, 10000);
	assert_int_equal(c->port_max, 19999);
	assert_int_equal(c->jitter_max_ms, 500);
	assert_int_equal(c->jitter_min_ms, 0);
	assert_int_equal(c->rtp_timeout_ms, 30000);
	assert_true(c->symmetric_rtp);
	assert_int_equal(c->ring_timeout_ms, 120000);
	assert_int_equal(c->sip_timeout_ms, 32000);
	assert_int_equal(c->resolve_timeout_ms, 10000);
	assert_int_equal(c->opus_complexity, 5);
	assert_int_equal(c->opus_bitrate, 40000);
	assert_true(c->opus_fec);
	assert_int_equal(c->audio_rate_hz, 16000);
	assert_int_equal(c->audio_latency_ms, 40);
	assert_true(c->hold_others);
	assert_int_equal(c->hold_by, HOLD_BY_SENDONLY);
	assert_int_equal(c->max_calls, 0);
	assert_string_equal(c->user_agent, "offhook/" OFFHOOK_VERSION);
	assert_string_equal(c->record_layout, "stereo");
	assert_int_equal(c->dtmf_duration_ms, 100);
	assert_int_equal(c->dtmf_pause_ms, 70);
}


static void test_set(void **state)
{
	struct config before;
	(void)state;

	assert_int_equal(config_set(c, "packet-time", "40ms", err), 0);
	assert_int_equal(c->packet_time_ms, 40);
	assert_int_equal(config_set(c, "media-ports", "20000-20099", err), 0);
	assert_int_equal(c->port_min, 20000);
	assert_int_equal(c->port_max, 20099);

	before = *c;
	assert_int_equal(config_set(c, "codec", "opus", err), ENOENT);
	assert_string_equal(err, "there is no option \"codec\"; did you mean"
			    " codecs?");
	assert_int_equal(config_set(c, "zzz\n", "1", err), ENOENT);
	assert_string_equal(err, "there is no option \"zzz?\"; `show` lists"
			    " them all");
	assert_int_equal(config_set(c, "packet-time", "21ms", err), ERANGE);
	assert_int_equal(config_set(c, "packet-time", "fast", NULL), EINVAL);
	assert_int_equal(config_set(c, NULL, "fast", err), EINVAL);
	assert_int_equal(config_set(c, "codecs", NULL, err), EINVAL);

	/* what two options say together */
	assert_int_equal(config_set(c, "jitter-min", "600ms", err), EINVAL);
	assert_string_equal(err, "jitter-min (600ms) must not be greater than"
			    " jitter-max (500ms)");
	assert_memory_equal(&before, c, sizeof(before));

	assert_int_equal(config_get(c, "codec", err, 10), ENOENT);
	assert_int_equal(config_get(c, "codecs", err, 4), EOVERFLOW);
}


static void test_load(void **state)
{
	(void)state;

	assert_int_equal(config_load(c, file, err), 0);     /* no file */
	assert_int_equal(config_load(c, dir, err), EISDIR);
	assert_non_null(strstr(err, "cannot read"));

	/* the order of what depends on each other does not matter */
	file_put("# mine\ncodecs = pcmu, opus  # the best\r\n"
		 "jitter-min = 600ms\njitter-max = 1s\n"
		 "user-agent = \"my # phone\"\n");
	assert_int_equal(config_load(c, file, err), 0);
	value_is("codecs", "pcmu,opus");
	value_is("jitter-min", "600ms");
	value_is("user-agent", "my # phone");
	value_is("packet-time", "20ms");

	file_put("");
	assert_int_equal(config_load(c, file, err), 0);
}


static void load_fails(const char *text, int code, const char *message)
{
	const struct config before = *c;

	file_put(text);
	assert_int_equal(config_load(c, file, err), code);
	assert_memory_equal(&before, c, sizeof(before));
	assert_memory_equal(err, file, strlen(file));
	assert_string_equal(err + strlen(file), message);
}


static void test_load_errors(void **state)
{
	(void)state;

	load_fails("max-calls = 3\njiter-max = 1s\n", ENOENT, " line 2: there"
		   " is no option \"jiter-max\"; did you mean jitter-max?");
	load_fails("max-calls = 3\n\nopus-fec = maybe\n", EINVAL, " line 3:"
		   " opus-fec must be yes or no, not \"maybe\"");
	load_fails("max-calls = 3\nmax-calls = 4\n", EINVAL, " line 2:"
		   " max-calls was already set in line 1");
	load_fails("max-calls 3\n", EINVAL, " line 1: a line is `name ="
		   " value`, and here is no `=`");
	load_fails("[work]\n", EINVAL, " line 1: options have no sections;"
		   " accounts belong in the file `accounts`");
	load_fails("max-calls = 3\njitter-min = 2s\n", EINVAL, ": jitter-min"
		   " (2000ms) must not be greater than jitter-max (500ms)");
}


static void test_save(void **state)
{
	struct stat st;
	(void)state;

	/* nothing differs from the defaults: nothing is said */
	assert_int_equal(config_save(c, file, err), 0);
	file_is("");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	file_put("# my phone\n\n  max-calls=3   # not more\r\n"
		 "codecs = PCMU , opus\n# packet-time = 20ms\nopus-fec = no");
	assert_int_equal(config_load(c, file, err), 0);
	assert_int_equal(config_set(c, "max-calls", "5", err), 0);
	assert_int_equal(config_set(c, "packet-time", "40ms", err), 0);
	assert_int_equal(config_set(c, "user-agent", "a # b", err), 0);
	assert_int_equal(config_save(c, file, err), 0);
	file_is("# my phone\n\nmax-calls = 5   # not more\r\n"
		"codecs = PCMU , opus\n# packet-time = 20ms\nopus-fec = no\n"
		"packet-time = 40ms\nuser-agent = \"a # b\"\n");

	/* saved once more: the same */
	assert_int_equal(config_save(c, file, err), 0);
	file_is("# my phone\n\nmax-calls = 5   # not more\r\n"
		"codecs = PCMU , opus\n# packet-time = 20ms\nopus-fec = no\n"
		"packet-time = 40ms\nuser-agent = \"a # b\"\n");

	/* back to a default: said as well, for the file says otherwise */
	assert_int_equal(config_set(c, "max-calls", "0", err), 0);
	assert_int_equal(config_save(c, file, err), 0);
	mem_deref(c);
	assert_int_equal(config_alloc(&c), 0);
	assert_int_equal(config_load(c, file, err), 0);
	value_is("max-calls", "0");
	value_is("packet-time", "40ms");
	value_is("user-agent", "a # b");
	value_is("codecs", "pcmu,opus");
}


/* Another phone has written in between: what it wrote stays */
static void test_save_others(void **state)
{
	(void)state;

	file_put("packet-time = 30ms\n");
	assert_int_equal(config_load(c, file, err), 0);
	assert_int_equal(config_set(c, "max-calls", "5", err), 0);
	file_put("packet-time = 40ms\nhistory-max = 300\n");
	assert_int_equal(config_save(c, file, err), 0);
	file_is("packet-time = 40ms\nhistory-max = 300\nmax-calls = 5\n");
}


static void test_save_failures(void **state)
{
	char deep[160];
	(void)state;

	/* a file with an error in it is not written over */
	file_put("max-calls = 3\nnonsense\n");
	assert_int_equal(config_set(c, "max-calls", "5", err), 0);
	assert_int_equal(config_save(c, file, err), EINVAL);
	assert_non_null(strstr(err, "line 2"));
	file_is("max-calls = 3\nnonsense\n");

	/* directories are made */
	(void)snprintf(deep, sizeof(deep), "%s/a/b/offhook.conf", dir);
	assert_int_equal(config_save(c, deep, err), 0);
	assert_int_equal(access(deep, R_OK), 0);

	(void)snprintf(deep, sizeof(deep), "%s/x/offhook.conf", file);
	assert_int_equal(config_save(c, deep, err), ENOTDIR);
	assert_non_null(strstr(err, "Not a directory"));
}


/* The commented file is all comments, and without them all defaults */
static void test_default_text(void **state)
{
	char *text = config_default_text(), *p;
	size_t n, found = 0;
	const struct option *o = option_table(&n);
	struct config *other = NULL;
	(void)state;

	assert_non_null(text);
	file_put(text);
	assert_int_equal(config_load(c, file, err), 0);

	for (size_t i = 0; i < n; i++) {
		char line[300];

		(void)snprintf(line, sizeof(line), "\n# %s = ", o[i].name);
		p = strstr(text, line);
		assert_non_null(p);
		p[1] = p[2] = ' ';
		++found;
		assert_non_null(strstr(text, o[i].summary));
	}
	assert_int_equal(found, n);

	file_put(text);
	assert_int_equal(config_alloc(&other), 0);
	assert_int_equal(config_set(other, "max-calls", "9", err), 0);
	assert_int_equal(config_load(other, file, err), 0);
	for (size_t i = 0; i < n; i++) {
		char a[512], b[512];

		assert_int_equal(config_get(c, o[i].name, a, sizeof(a)), 0);
		assert_int_equal(config_get(other, o[i].name, b, sizeof(b)),
				 0);
		assert_string_equal(a, b);
		assert_int_equal(config_origin(c, o[i].name, NULL),
				 CONFIG_DEFAULT);
		assert_int_equal(config_origin(other, o[i].name, NULL),
				 CONFIG_FILE);
	}
	mem_deref(other);
	free(text);
}


struct changes {
	char text[2000];
};


static void change_handler(const struct option *o, const char *old,
			   const char *fresh, bool kept, void *arg)
{
	struct changes *ch = arg;
	const size_t n = strlen(ch->text);

	(void)snprintf(ch->text + n, sizeof(ch->text) - n, "%s %s>%s%s,",
		       o->name, old, fresh, kept ? " kept" : "");
}


static void test_reload(void **state)
{
	struct changes ch = { "" };
	unsigned line = 0;
	char buf[64];
	(void)state;

	file_put("# first\nmax-calls = 5\nring-timeout = 1m\n");
	assert_int_equal(config_load(c, file, err), 0);
	config_set_origin(c, CONFIG_ARGUMENT);
	assert_int_equal(config_set(c, "ring-timeout", "7s", err), 0);
	config_set_origin(c, CONFIG_COMMAND);
	assert_int_equal(config_set(c, "opus-fec", "no", err), 0);
	assert_int_equal(config_origin(c, "max-calls", &line), CONFIG_FILE);
	assert_int_equal(line, 2);
	assert_int_equal(config_origin(c, "ring-timeout", &line),
			 CONFIG_ARGUMENT);
	assert_int_equal(line, 0);
	assert_int_equal(config_origin(c, "opus-fec", NULL), CONFIG_COMMAND);
	assert_int_equal(config_origin(c, "codecs", NULL), CONFIG_DEFAULT);

	/* as it was: nothing changes */
	assert_int_equal(config_reload(c, file, change_handler, &ch, err), 0);
	assert_string_equal(ch.text, "ring-timeout 7s>1m kept,");
	ch.text[0] = '\0';

	/* a mistake changes nothing */
	file_put("max-calls = 6\nring-timeout = x\n");
	assert_int_not_equal(config_reload(c, file, change_handler, &ch, err),
			     0);
	assert_string_equal(ch.text, "");
	assert_int_equal(c->max_calls, 5);

	/* a line that is gone is the default again */
	file_put("jitter-max = 300ms\nring-timeout = 2s\n");
	assert_int_equal(config_reload(c, file, change_handler, &ch, err), 0);
	assert_non_null(strstr(ch.text, "max-calls 5>0,"));
	assert_non_null(strstr(ch.text, "jitter-max 500ms>300ms,"));
	assert_non_null(strstr(ch.text, "ring-timeout 7s>2s kept,"));
	assert_null(strstr(ch.text, "opus-fec"));
	assert_int_equal(config_get(c, "ring-timeout", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "7s");
	assert_int_equal(c->max_calls, 0);
	assert_int_equal(config_origin(c, "max-calls", NULL),
			 CONFIG_DEFAULT);
	assert_int_equal(config_origin(c, "jitter-max", &line), CONFIG_FILE);
	assert_int_equal(line, 1);

	/* without the file all of it is */
	(void)unlink(file);
	assert_int_equal(config_reload(c, file, NULL, NULL, err), 0);
	assert_int_equal(c->jitter_max_ms, 500);
}


int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_table),
		T(test_defaults),
		T(test_set),
		T(test_load),
		T(test_load_errors),
		T(test_save),
		T(test_save_others),
		T(test_save_failures),
		T(test_default_text),
		T(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
