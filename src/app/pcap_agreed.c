/**
 * @file pcap_agreed.c  The descriptions by which the packets of now are read
 *
 * One entry for each Call-ID, with what was last said each way.  Main thread.
 */
#include "pcap_agreed.h"

enum {
	DIALOGS_MAX = 512,       /* the one that spoke last stays            */
	TEXT_MAX = 65536,        /* of a message that is kept                */
	BYTES_MAX = 4 << 20,     /* of all, but the last one stays           */
};

struct copy {
	struct capture_msg m;    /* first                                    */
	char text[];
};

struct dialog {
	struct le le;
	struct agreed *a;
	struct copy *v[2];       /* received, sent; NULL: none               */
	char *callid;
	bool answered;
};

struct agreed {
	struct list dialogs;     /* who spoke last is the last               */
	size_t bytes;            /* of their messages                        */
	const struct capture_msg *v[2 * DIALOGS_MAX];
};


static void copy_forget(struct dialog *d, unsigned i)
{
	if (d->v[i])
		d->a->bytes -= d->v[i]->m.len;
	d->v[i] = mem_deref(d->v[i]);
}


static void dialog_destructor(void *arg)
{
	struct dialog *d = arg;

	list_unlink(&d->le);
	copy_forget(d, 0);
	copy_forget(d, 1);
	mem_deref(d->callid);
}


static struct dialog *dialog_find(const struct agreed *a, const char *callid)
{
	/* most of what comes is of one that came just now */
	for (struct le *le = a->dialogs.tail; le; le = le->prev) {
		struct dialog *d = le->data;

		if (!strcmp(d->callid, callid))
			return d;
	}

	return NULL;
}


static struct dialog *dialog_add(struct agreed *a, const char *callid)
{
	struct dialog *d = mem_zalloc(sizeof(*d), dialog_destructor);

	if (!d || str_dup(&d->callid, callid))
		return mem_deref(d);

	d->a = a;
	list_append(&a->dialogs, &d->le, d);
	if (list_count(&a->dialogs) > DIALOGS_MAX)
		mem_deref(list_ledata(list_head(&a->dialogs)));

	return d;
}


/* There is no sound any more, or there will be none */
static bool ends(const struct dialog *d, const struct capture_msg *m)
{
	if (!strcmp(m->method, "BYE"))
		return true;

	return !d->answered && m->code >= 300 && !strcmp(m->method, "INVITE");
}


void agreed_note(struct agreed *a, const struct capture_msg *m)
{
	struct dialog *d;
	struct copy *copy;

	if (m->kind != CAPTURE_SIP || !m->callid[0])
		return;

	d = dialog_find(a, m->callid);

	/* which call it is was not known yet when the first was said */
	for (unsigned i = 0; d && m->call && i < 2; i++) {
		if (d->v[i])
			d->v[i]->m.call = m->call;
	}
	if (d && ends(d, m)) {
		mem_deref(d);
		return;
	}
	if (d && m->code >= 200 && m->code < 300 &&
	    !strcmp(m->method, "INVITE"))
		d->answered = true;

	/* a refusal may say what would be possible: that is not agreed */
	if (!m->sdp || m->again || m->len > TEXT_MAX || m->code >= 300)
		return;

	if (!d)
		d = dialog_add(a, m->callid);
	copy = d ? mem_zalloc(sizeof(*copy) + m->len + 1, NULL) : NULL;
	if (!copy)
		return;

	memcpy(copy->text, m->text, m->len);
	copy->m = *m;
	copy->m.text = copy->text;
	copy->m.callid = d->callid;

	copy_forget(d, m->tx);
	d->v[m->tx] = copy;
	a->bytes += m->len;
	if (m->code >= 200)
		d->answered = true;
	list_unlink(&d->le);
	list_append(&a->dialogs, &d->le, d);
	while (a->bytes > BYTES_MAX && a->dialogs.head != &d->le)
		mem_deref(list_ledata(list_head(&a->dialogs)));
}


static int by_seq(const void *p, const void *q)
{
	const struct capture_msg *a = *(const struct capture_msg *const *)p;
	const struct capture_msg *b = *(const struct capture_msg *const *)q;

	return a->seq < b->seq ? -1 : a->seq > b->seq;
}


size_t agreed_list(struct agreed *a, const struct capture_msg *const **v,
		   size_t max)
{
	size_t n = 0, bytes = 0;

	for (struct le *le = a->dialogs.tail; le; le = le->prev) {

		const struct dialog *d = le->data;

		for (unsigned i = 0; i < 2; i++)
			bytes += d->v[i] ? d->v[i]->m.len : 0;
		if (bytes > max)
			break;
		for (unsigned i = 0; i < 2; i++) {
			if (d->v[i])
				a->v[n++] = &d->v[i]->m;
		}
	}

	if (n)
		qsort(a->v, n, sizeof(a->v[0]), by_seq);
	*v = a->v;

	return n;
}


static void destructor(void *arg)
{
	struct agreed *a = arg;

	list_flush(&a->dialogs);
}


int agreed_alloc(struct agreed **ap)
{
	struct agreed *a = mem_zalloc(sizeof(*a), destructor);

	if (!a)
		return ENOMEM;

	*ap = a;

	return 0;
}
