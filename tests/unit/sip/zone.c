/**
 * @file zone.c  A stack without sockets and a name service made of text
 */
#include "zone.h"


struct sip_stack zone_stack;
struct leg zone_leg4, zone_leg6;
const struct zone *zone;
uint32_t zone_rand;
bool zone_chance;
unsigned zone_asked;
char zone_log[2000];


static uint32_t rand_h(void *arg)
{
	static uint64_t state = 1;
	(void)arg;

	if (!zone_chance)
		return zone_rand;

	state = state * 6364136223846793005u + 1442695040888963407u;

	return (uint32_t)(state >> 32);
}


static void record_read(struct name_rec *rec, enum name_type type,
			const char *text)
{
	struct name_naptr *na = &rec->u.naptr;
	struct name_srv *srv = &rec->u.srv;
	int n;

	switch (type) {

	case NAME_SRV:
		n = sscanf(text, "%hu %hu %hu %255s", &srv->priority,
			   &srv->weight, &srv->port, srv->target);
		assert_int_equal(n, 4);
		if (!strcmp(srv->target, "-"))
			srv->target[0] = '\0';
		break;

	case NAME_NAPTR:
		n = sscanf(text, "%hu %hu %7s %63s %255s %255s", &na->order,
			   &na->pref, na->flags, na->service, na->regexp,
			   na->replace);
		assert_int_equal(n, 6);
		if (!strcmp(na->flags, "-"))
			na->flags[0] = '\0';
		if (!strcmp(na->regexp, "-"))
			na->regexp[0] = '\0';
		if (!strcmp(na->replace, "-"))
			na->replace[0] = '\0';
		break;

	default:
		assert_int_equal(sa_set_str(&rec->u.addr, text, 0), 0);
		break;
	}
}


static bool script_h(struct name_answer *a, const char *name, void *arg)
{
	const struct zone *z;
	const size_t len = strlen(zone_log);
	bool there = false;
	(void)arg;

	++zone_asked;
	(void)snprintf(zone_log + len, sizeof(zone_log) - len, "%s %s\n",
		       name_type_text(a->type), name);

	a->ttl_s = 10;

	for (z = zone; z && z->name; z++) {
		struct name_rec *rec;

		if (strcmp(z->name, name))
			continue;

		there = true;
		if (z->type != a->type)
			continue;

		if (!strcmp(z->data, "SILENT"))
			return false;
		if (!strcmp(z->data, "FAILED")) {
			a->state = NAME_FAILED;
			strcpy(a->why, "server failure");
			return true;
		}
		if (!strcmp(z->data, "EMPTY"))
			continue;

		rec = name_answer_add(a);
		if (!rec)
			continue;
		rec->ttl_s = z->ttl_s ? z->ttl_s : 60;
		if (a->n == 1 || rec->ttl_s < a->ttl_s)
			a->ttl_s = rec->ttl_s;
		record_read(rec, a->type, z->data);
	}

	a->state = a->n ? NAME_FOUND : there ? NAME_EMPTY : NAME_ABSENT;

	return true;
}


unsigned zone_count(const char *line)
{
	const size_t len = strlen(line);
	const char *p = zone_log;
	unsigned n = 0;

	while ((p = strstr(p, line))) {
		if (p[len] == '\n' && (p == zone_log || p[-1] == '\n'))
			++n;
		p += len;
	}

	return n;
}


static void leg_open(struct leg *l, const char *addr)
{
	memset(l, 0, sizeof(*l));
	l->stack = &zone_stack;
	(void)sa_set_str(&l->addr, addr, 0);
	(void)sa_set_str(&l->udp, addr, 5060);
	(void)sa_set_str(&l->tcp, addr, 5060);
	list_append(&zone_stack.legl, &l->le, l);
}


int zone_setup(void **state)
{
	(void)state;

	memset(&zone_stack, 0, sizeof(zone_stack));
	zone = NULL;
	zone_rand = 0;
	zone_chance = false;
	zone_asked = 0;
	zone_log[0] = '\0';

	clock_fake_start(1000000000000ull);
	if (libre_init() || timers_open())
		return -1;

	zone_stack.resolve_ms = RESOLVE_MS;
	leg_open(&zone_leg4, "127.0.0.1");
	leg_open(&zone_leg6, "::1");

	if (names_alloc(&zone_stack.names, NULL) ||
	    deads_alloc(&zone_stack.deads))
		return -1;

	names_script(zone_stack.names, script_h, rand_h, NULL);

	return 0;
}


int zone_teardown(void **state)
{
	(void)state;

	target_stack_gone(&zone_stack);
	mem_deref(zone_stack.names);
	mem_deref(zone_stack.deads);
	list_clear(&zone_stack.legl);

	assert_int_equal(timers_count(), 0);
	timers_close();
	clock_fake_stop();
	libre_close();

	return 0;
}
