/**
 * @file test_ringer.c  What is heard beside the calls, and the tones
 */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rig.h"
#include "tones.h"


static struct ringer *a, *b;


static int setup(void **state)
{
	int err = rig_setup(state);

	if (!err)
		err = ringer_alloc(&a, alice.ua, alice.bus, alice.media,
				   alice.conf);
	if (!err)
		err = ringer_alloc(&b, bob.ua, bob.bus, bob.media, bob.conf);

	return err;
}


static int teardown(void **state)
{
	a = mem_deref(a);
	b = mem_deref(b);
	assert_int_equal(0, fake_sound(MEDIA_RING));
	assert_int_equal(0, fake_sound(MEDIA_SPEAKER));

	return rig_teardown(state);
}


#define RINGER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#define PLAIN "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"		\
	"c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n"


static void check(const struct ringer *r, const char *ear, const char *room)
{
	assert_string_equal(ringer_sound(r, false), ear);
	assert_string_equal(ringer_sound(r, true), room);
}


static void rings_and_ends(void **state)
{
	(void)state;

	check(a, "", "");
	assert_int_equal(1, dial(&alice, bob.uri));
	await("bob call.state 1 incoming in");
	await("alice call.state 1 ringing");
	check(a, "ringback", "");
	check(b, "", "ring");
	assert_true(fake_sound(MEDIA_RING) > 0);

	assert_int_equal(0, call_answer(call_of(&bob, 1), said));
	await("alice call.state 1 active out");
	check(a, "", "");
	check(b, "", "");

	/* who did not hang up hears that the other did */
	assert_int_equal(0, call_hangup(call_of(&bob, 1), 0, NULL, said));
	await("alice call.state 1 ended");
	await("bob call.state 1 ended");
	check(a, "busy", "");
	check(b, "", "");

	/* until the next call */
	assert_int_equal(2, dial(&alice, bob.uri));
	await("alice call.state 2 ringing");
	check(a, "ringback", "");
	assert_int_equal(0, call_hangup(call_of(&alice, 2), 0, NULL, said));
	await("alice call.state 2 ended");
	check(a, "", "");
	await("bob call.state 2 ended");
	check(b, "", "");
}


static void refused(void **state)
{
	(void)state;

	assert_int_equal(0, config_set(alice.conf, "end-tone", "50ms",
				       said));
	assert_int_equal(1, dial(&alice, bob.uri));
	await("bob call.state 1 incoming in");
	assert_int_equal(0, call_reject(call_of(&bob, 1), 486, NULL, said));
	await("alice call.state 1 ended");
	check(a, "busy", "");
	await_none("nothing");
	check(a, "", "");

	assert_int_equal(2, dial(&alice, bob.uri));
	await("bob call.state 2 incoming in");
	assert_int_equal(0, call_reject(call_of(&bob, 2), 503, NULL, said));
	await("alice call.state 2 ended");
	check(a, "congestion", "");
}


/* RFC 3960 3.2 */
static void early_media(void **state)
{
	const struct stream_event first = {
		.type = STREAM_FIRST_PACKET, .text = ""
	};
	(void)state;

	/* a description alone is no reason to ring, nor not to */
	peer_start();
	carol.early = PLAIN;
	carol.ring = false;
	assert_int_equal(1, dial(&alice, carol.uri));
	await("alice call.state 1 early out");
	check(a, "", "");
	assert_int_equal(0, sip_call_ring(carol.call, 180, NULL, NULL));
	await("alice call.progress 1 180 -");
	check(a, "ringback", "");

	/* what comes is heard, and nothing beside it */
	fake_event(fake_stream(0), &first);
	await("alice call.progress 1 0 sound");
	check(a, "", "");
	assert_int_equal(0, sip_call_ring(carol.call, 180, NULL, NULL));
	await("alice call.progress 1 180 sound");
	check(a, "", "");

	assert_int_equal(0, call_hangup(call_of(&alice, 1), 0, NULL, said));
	await("alice call.state 1 ended");
	peer_stop();
}


static void waiting(void **state)
{
	(void)state;

	connect_both();
	assert_int_equal(2, dial(&alice, bob.uri));
	await("bob call.state 2 incoming in");
	check(b, "waiting", "");

	/* the first is over: now it rings in the room */
	assert_int_equal(0, call_hangup(call_of(&bob, 1), 0, NULL, said));
	await("bob call.state 1 ended");
	check(b, "", "ring");

	/* be quiet; the next one rings again */
	assert_true(ringer_hush(b));
	check(b, "", "");
	assert_false(ringer_hush(b));
	assert_int_equal(3, dial(&alice, bob.uri));
	await("bob call.state 3 incoming in");
	check(b, "", "ring");
}


static void not_asked_for(void **state)
{
	(void)state;

	ringer_set_device(b, false);
	assert_int_equal(1, dial(&alice, bob.uri));
	await("bob call.state 1 incoming in");
	check(b, "", "");
	assert_int_equal(0, config_set(bob.conf, "tones", "on", said));
	ringer_set_device(b, false);
	check(b, "", "ring");
	assert_int_equal(0, config_set(bob.conf, "tones", "off", said));
	ringer_set_device(b, true);
	check(b, "", "");
}


static void own_file(void **state)
{
	char dir[] = "/tmp/offhook-tones-XXXXXX", file[64];
	FILE *f;
	(void)state;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/ring.wav", dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(0, config_set(bob.conf, "tone-files", dir, said));
	assert_int_equal(1, dial(&alice, bob.uri));
	await("bob call.state 1 incoming in");
	assert_int_equal(800, fake_sound(MEDIA_RING)); /* the fake's length */
	(void)unlink(file);
	(void)rmdir(dir);
}


/* Whoever is nearest to the call says what it rings with */
static void ring_tones(void **state)
{
	const struct contact_conf known = {
		.name = "Alice", .ring = "warble"
	};
	struct contact_conf c = known;
	char dir[] = "/tmp/offhook-tones-XXXXXX", file[64];
	struct contacts *cs;
	(void)state;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(0, contacts_alloc(&cs, dir));

	assert_int_equal(1, dial(&alice, bob.uri));
	await("bob call.state 1 incoming in");
	assert_string_equal("bell", ringer_tone(b));
	assert_string_equal("", ringer_tone(a));

	assert_int_equal(0, config_set(bob.conf, "ring-tone", "soft", said));
	ringer_look(b);
	assert_string_equal("soft", ringer_tone(b));

	(void)snprintf(c.uri, sizeof(c.uri), "%s", call_peer(call_of(&bob,
								     1)));
	assert_int_equal(0, contacts_put(cs, &c, 1, said));
	ringer_set_contacts(b, cs);
	ringer_look(b);
	assert_string_equal("warble", ringer_tone(b));

	assert_int_equal(0, call_set_ring_tone(call_of(&bob, 1), "chime"));
	ringer_look(b);
	assert_string_equal("chime", ringer_tone(b));
	check(b, "", "ring");

	/* of two that ring the first one's, unless it is to be quiet */
	assert_int_equal(2, dial(&alice, bob.uri));
	await("bob call.state 2 incoming in");
	assert_string_equal("chime", ringer_tone(b));
	assert_int_equal(0, call_set_ring_tone(call_of(&bob, 1), "none"));
	ringer_look(b);
	assert_string_equal("warble", ringer_tone(b));
	assert_int_equal(0, call_set_ring_tone(call_of(&bob, 2), "none"));
	ringer_look(b);
	check(b, "", "");
	assert_string_equal("", ringer_tone(b));

	/* what is not there is no reason to be silent */
	assert_int_equal(0, call_set_ring_tone(call_of(&bob, 2),
					       "/nowhere/at.wav"));
	ringer_look(b);
	check(b, "", "ring");
	assert_true(fake_sound(MEDIA_RING) > 800);
	assert_int_equal(EINVAL, call_set_ring_tone(NULL, "x"));

	ringer_set_contacts(b, NULL);
	mem_deref(cs);
	(void)snprintf(file, sizeof(file), "%s/contacts", dir);
	(void)unlink(file);
	(void)rmdir(dir);
}


/* Each has notes in it but the one that is silence, and they differ */
static void ringings(void **state)
{
	size_t n, len = 0, before = 0;
	int16_t *v;
	(void)state;

	for (size_t i = 0; tone_ring_name(i); i++) {
		const bool none = !strcmp(tone_ring_name(i), "none");
		size_t turns = 0;
		int most = 0;

		assert_int_equal(0, tone_make_ring(&v, &n, tone_ring_name(i),
						   "de"));
		assert_true(!len || n == len);
		len = n;
		for (size_t j = 1; j < n; j++) {
			most = abs(v[j]) > most ? abs(v[j]) : most;
			turns += (v[j] < 0) != (v[j - 1] < 0);
		}
		assert_true(none ? !most : most > 3000 && most < 12000);
		assert_true(none || turns != before);
		before = turns;
		free(v);
	}
	assert_int_equal(ENOENT, tone_make_ring(&v, &n, "loud", "de"));
}


/* Every country of the table has every tone, and is a choice of the option */
static void countries(void **state)
{
	const struct option *o = option_find("tone-country");
	size_t i, commas = 0;
	(void)state;

	for (i = 0; tone_country(i); i++) {
		assert_int_equal(0, config_set(alice.conf, "tone-country",
					       tone_country(i), said));

		for (unsigned k = 0; k < TONE_KINDS; k++) {
			int16_t *v = NULL;
			size_t n = 0;
			int most = 0;

			assert_int_equal(0, tone_make(&v, &n,
						      (enum tone_kind)k,
						      tone_country(i)));
			assert_in_range(n, TONE_RATE_HZ / 4,
					TONE_RATE_HZ * 20);
			for (size_t j = 0; j < n; j++)
				most = abs(v[j]) > most ? abs(v[j]) : most;
			assert_in_range(most, 3000, 12000);
			free(v);
		}
	}
	for (const char *p = o->choices; *p; p++)
		commas += *p == ',';
	assert_int_equal(i, commas);     /* and auto */
	assert_string_equal("itu", tone_country(0));
}


static double at(const int16_t *v, size_t n, double hz)
{
	double re = 0, im = 0;

	for (size_t i = 0; i < n; i++) {
		re += v[i] * cos(2 * M_PI * hz * (double)i / TONE_RATE_HZ);
		im += v[i] * sin(2 * M_PI * hz * (double)i / TONE_RATE_HZ);
	}

	return 20 * log10(2 * sqrt(re * re + im * im) / (double)n / 32768 +
			  1e-9);
}


/* Frequencies and cadence are those of the table */
static void cadence(void **state)
{
	const size_t ms = TONE_RATE_HZ / 1000;
	int16_t *v;
	size_t n;
	(void)state;

	assert_int_equal(0, tone_make(&v, &n, TONE_RINGBACK, "gb"));
	assert_int_equal(n, 3000 * ms);
	assert_true(fabs(at(v + 50 * ms, 300 * ms, 400) + 17) < 1);
	assert_true(fabs(at(v + 50 * ms, 300 * ms, 450) + 17) < 1);
	assert_true(at(v + 50 * ms, 300 * ms, 700) < -40);
	for (size_t i = 400 * ms; i < 600 * ms; i++)
		assert_int_equal(0, v[i]);
	assert_true(fabs(at(v + 650 * ms, 300 * ms, 400) + 17) < 1);
	for (size_t i = 1000 * ms; i < n; i++)
		assert_int_equal(0, v[i]);
	free(v);

	assert_int_equal(ENOENT, tone_make(&v, &n, TONE_BUSY, "xx"));

	(void)setenv("LC_ALL", "de_AT.UTF-8", 1);
	assert_int_equal(0, tone_make(&v, &n, TONE_BUSY, "auto"));
	assert_int_equal(n, 800 * ms);
	free(v);
	(void)setenv("LC_ALL", "C", 1);
	assert_int_equal(0, tone_make(&v, &n, TONE_BUSY, "auto"));
	assert_int_equal(n, 1000 * ms);
	free(v);
	(void)unsetenv("LC_ALL");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		RINGER_TEST(rings_and_ends),
		RINGER_TEST(refused),
		RINGER_TEST(early_media),
		RINGER_TEST(waiting),
		RINGER_TEST(not_asked_for),
		RINGER_TEST(own_file),
		RINGER_TEST(ring_tones),
		RINGER_TEST(ringings),
		RINGER_TEST(countries),
		RINGER_TEST(cadence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
