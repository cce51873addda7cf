/**
 * @file event.c  Publish and subscribe
 *
 * Main thread.  The bus owns an entry for each subscriber; the subscriber
 * owns a handle, and freeing it only marks the entry dead, so a walk over the
 * entries never meets freed memory.  Dead entries leave when the dispatch is
 * over.  An event published during a dispatch is copied behind those that
 * wait already: every subscriber sees the same order, and nothing recurses.
 *
 * Each type has a list of those who asked for it, and there is one of those
 * who hear all: with many programs that listen, an event costs what those do
 * who want it.  Both are walked together, in the order of subscription.
 */
#include <assert.h>
#include <offhook/compat.h>
#include <offhook/clock.h>
#include <offhook/event.h>
#include <offhook/log.h>

#define LOG_MODULE "event"


enum {
	WAITING_MAX = 1024,   /* beyond: what is said often gives way      */
	WAITING_END = 4096,   /* beyond: somebody publishes without end    */
};

struct event_bus {
	/* who wants a type, the last: all; in the order of subscription  */
	struct list entries[EVENT_TYPES + 1];
	uint64_t subscribed;             /* entries there ever were       */
	struct list waiting;             /* published during the dispatch */
	unsigned waiting_n;
	unsigned wanted[EVENT_TYPES];    /* who listens to this type      */
	uint64_t seq;                    /* of the last event dispatched  */
	unsigned lost;                   /* given up since last said      */
	enum event_type current;         /* being dispatched              */
	bool dispatching;
	event_set dirty;                 /* lists where some are dead     */
};

/* a subscriber as the bus sees it */
struct entry {
	struct le le;
	struct event_bus *bus;           /* NULL: gone before us          */
	event_h *h;                      /* NULL: dead                    */
	void *arg;
	enum event_type type;            /* EVENT_TYPES: all              */
	uint64_t order;                  /* of subscription               */
	uint64_t born;                   /* hears only what comes later   */
};

struct event_sub {
	struct entry *entry;
};

struct waiting {
	struct le le;
	struct event ev;
};


static void wanted_add(struct event_bus *bus, enum event_type type, int n)
{
	for (unsigned i = 0; i < EVENT_TYPES; i++) {
		if (type == EVENT_TYPES || type == (enum event_type)i)
			bus->wanted[i] += (unsigned)n;
	}
}


static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	list_unlink(&e->le);
}


static void waiting_destructor(void *arg)
{
	struct waiting *w = arg;

	list_unlink(&w->le);
}


static void sub_destructor(void *arg)
{
	struct event_sub *sub = arg;
	struct entry *e = sub->entry;

	if (!e)
		return;

	e->h = NULL;

	if (e->bus)
		wanted_add(e->bus, e->type, -1);

	if (e->bus && e->bus->dispatching)
		e->bus->dirty |= EVENT_BIT(e->type);
	else
		mem_deref(e);
}


static void bus_destructor(void *arg)
{
	struct event_bus *bus = arg;

	for (unsigned i = 0; i <= EVENT_TYPES; i++) {
		struct le *le = bus->entries[i].head;

		while (le) {
			struct entry *e = le->data;

			le = le->next;

			/* from now on the entry is its subscriber's */
			list_unlink(&e->le);
			e->bus = NULL;
			if (!e->h)
				mem_deref(e);
		}
	}

	list_flush(&bus->waiting);
}


int event_bus_alloc(struct event_bus **bp)
{
	struct event_bus *bus;

	if (!bp)
		return EINVAL;

	bus = mem_zalloc(sizeof(*bus), bus_destructor);
	if (!bus)
		return ENOMEM;

	*bp = bus;

	return 0;
}


int event_subscribe_type(struct event_sub **sp, struct event_bus *bus,
			 enum event_type type, event_h *h, void *arg)
{
	struct event_sub *sub;
	struct entry *e;

	if (!sp || !bus || !h || (unsigned)type > EVENT_TYPES)
		return EINVAL;

	sub = mem_zalloc(sizeof(*sub), sub_destructor);
	if (!sub)
		return ENOMEM;

	e = mem_zalloc(sizeof(*e), entry_destructor);
	if (!e) {
		mem_deref(sub);
		return ENOMEM;
	}

	e->bus = bus;
	e->h = h;
	e->arg = arg;
	e->type = type;
	e->born = bus->seq;
	e->order = ++bus->subscribed;
	list_append(&bus->entries[type], &e->le, e);
	wanted_add(bus, type, 1);

	sub->entry = e;
	*sp = sub;

	return 0;
}


int event_subscribe_types(struct event_sub **sv, struct event_bus *bus,
			  const enum event_type *typev, size_t n, event_h *h,
			  void *arg)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = event_subscribe_type(&sv[i], bus, typev[i], h, arg);

	for (size_t i = 0; err && i < n; i++)
		sv[i] = mem_deref(sv[i]);

	return err;
}


int event_subscribe(struct event_sub **sp, struct event_bus *bus,
		    event_h *h, void *arg)
{
	return event_subscribe_type(sp, bus, EVENT_TYPES, h, arg);
}


bool event_wanted(const struct event_bus *bus, enum event_type type)
{
	return bus && (unsigned)type < EVENT_TYPES && bus->wanted[type] > 0;
}


/* Said so often that one more or less does not matter */
bool event_minor(enum event_type type)
{
	return type == EVENT_CALL_QUALITY || type == EVENT_CALL_LEVEL ||
		type == EVENT_DEVICE_LEVEL || type == EVENT_RTP_FAULT ||
		type == EVENT_LOG;
}


static struct waiting *waiting_oldest_frequent(const struct event_bus *bus)
{
	struct le *le;

	LIST_FOREACH(&bus->waiting, le) {
		struct waiting *w = le->data;

		if (event_minor(w->ev.type))
			return w;
	}

	return NULL;
}


static void waiting_remove(struct event_bus *bus, struct waiting *w)
{
	if (w)
		--bus->waiting_n;
	mem_deref(w);
}


static void event_wait(struct event_bus *bus, const struct event *ev)
{
	const unsigned n = bus->waiting_n;
	struct waiting *w;

	if (n >= WAITING_MAX) {
		w = waiting_oldest_frequent(bus);
		waiting_remove(bus, w);

		if (w || event_minor(ev->type) || n >= WAITING_END)
			++bus->lost;

		if (!w && (event_minor(ev->type) || n >= WAITING_END))
			return;
	}

	w = mem_alloc(sizeof(*w), waiting_destructor);
	if (!w) {
		++bus->lost;
		return;
	}

	memset(&w->le, 0, sizeof(w->le));
	w->ev = *ev;
	list_append(&bus->waiting, &w->le, w);
	++bus->waiting_n;
}


/* The first of two lists that are in order; it is left behind */
static const struct entry *entry_next(struct le **one, struct le **all)
{
	const struct entry *a = *one ? (*one)->data : NULL;
	const struct entry *b = *all ? (*all)->data : NULL;

	if (a && (!b || a->order < b->order)) {
		*one = (*one)->next;
		return a;
	}
	if (b)
		*all = (*all)->next;

	return b;
}


/* The dead stay where they are until the dispatch is over, and who comes
 * meanwhile does not hear this one: the walk may be ahead of a handler */
static void event_dispatch(struct event_bus *bus, struct event *ev)
{
	struct le *one = bus->entries[ev->type].head;
	struct le *all = bus->entries[EVENT_TYPES].head;
	const struct entry *e;

	ev->seq = ++bus->seq;
	bus->current = ev->type;

	while ((e = entry_next(&one, &all))) {
		if (e->h && e->born < ev->seq)
			e->h(ev, e->arg);
	}
}


static void entries_sweep(struct event_bus *bus)
{
	const event_set dirty = bus->dirty;

	bus->dirty = 0;

	for (unsigned i = 0; i <= EVENT_TYPES; i++) {
		struct le *le = dirty & EVENT_BIT(i) ?
			bus->entries[i].head : NULL;

		while (le) {
			struct entry *e = le->data;

			le = le->next;
			if (!e->h)
				mem_deref(e);
		}
	}
}


void event_publish(struct event_bus *bus, struct event *ev)
{
	struct le *le;
	unsigned lost;

	if (!bus || !ev)
		return;

	assert((unsigned)ev->type < EVENT_TYPES);

	if (!ev->time)
		ev->time = clock_wall_ms();

	if (bus->dispatching) {
		/* a listener to the log may log, but not for ever */
		if (ev->type != EVENT_LOG || bus->current != EVENT_LOG)
			event_wait(bus, ev);
		return;
	}

	mem_ref(bus);
	bus->dispatching = true;

	event_dispatch(bus, ev);

	while ((le = bus->waiting.head)) {
		struct waiting *w = le->data;

		/* out of the queue first: what follows may be dropped */
		list_unlink(&w->le);
		event_dispatch(bus, &w->ev);
		waiting_remove(bus, w);
	}

	bus->dispatching = false;
	if (bus->dirty)
		entries_sweep(bus);

	lost = bus->lost;
	bus->lost = 0;
	if (lost)
		log_warn("%u events were dropped, too many at once", lost);

	mem_deref(bus);
}
