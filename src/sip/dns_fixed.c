/**
 * @file sip/dns_fixed.c  Names whose addresses the user has said
 *
 * As a hosts file of one's own, for a test or a server that is not in DNS yet.
 * Such a name has these addresses and nothing else: neither NAPTR nor SRV
 * records, so nobody is asked for it.  Main thread, const once made.
 */
#include "locate.h"


enum { FIXED_MAX = 32, FIXED_S = 3600 };

struct name_fixed {
	unsigned n;
	struct {
		char name[NAME_LEN];
		struct sa addr;
	} v[FIXED_MAX];
};


/* "name=addr" up to len. @return false: it is not */
static bool one_parse(struct name_fixed *f, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len);
	const size_t n = eq ? (size_t)(eq - s) : 0;
	char name[NAME_LEN], addr[64];

	if (!n || s[n - 1] == '.' || f->n == FIXED_MAX ||
	    name_canon(name, s, n) ||
	    text_copy(addr, sizeof(addr), eq + 1, len - n - 1))
		return false;

	if (!name_ok(name) || sa_set_str(&f->v[f->n].addr, addr, 0))
		return false;

	memcpy(f->v[f->n++].name, name, n + 1);

	return true;
}


int name_fixed_parse(struct name_fixed **fp, const char *list,
		     const char **bad)
{
	struct name_fixed *f = mem_zalloc(sizeof(*f), NULL);
	const char *p = list ? list : "";

	if (!f)
		return ENOMEM;

	while (*(p += strspn(p, ", \t"))) {
		const size_t len = strcspn(p, ", \t");

		if (!one_parse(f, p, len)) {
			*bad = p;
			mem_deref(f);
			return EINVAL;
		}
		p += len;
	}

	*fp = f->n ? f : mem_deref(f);

	return 0;
}


/* "_sip._udp.example.com" is asked for the sake of example.com */
static const char *owner(enum name_type type, const char *name)
{
	while (type == NAME_SRV && *name == '_' && strchr(name, '.'))
		name = strchr(name, '.') + 1;

	return name;
}


bool name_fixed_has(const struct name_fixed *f, enum name_type type,
		    const char *name)
{
	unsigned i;

	name = owner(type, name);

	for (i = 0; f && i < f->n; i++) {
		if (!strcmp(f->v[i].name, name))
			return true;
	}

	return false;
}


static bool wanted(enum name_type type, int af)
{
	return type == NAME_HOST || (type == NAME_A && af == AF_INET) ||
		(type == NAME_AAAA && af == AF_INET6);
}


void name_fixed_answer(struct name_answer *a, const struct name_fixed *f,
		       const char *name)
{
	unsigned i;

	a->ttl_s = FIXED_S;
	a->state = a->type == NAME_SRV ? NAME_ABSENT : NAME_EMPTY;

	for (i = 0; f && i < f->n; i++) {
		struct name_rec *rec;

		if (strcmp(f->v[i].name, name) ||
		    !wanted(a->type, sa_af(&f->v[i].addr)))
			continue;

		rec = name_answer_add(a);
		if (!rec)
			break;
		rec->u.addr = f->v[i].addr;
		rec->ttl_s = FIXED_S;
		a->state = NAME_FOUND;
	}
}


int sip_dns_hosts_check(const char *list, char *err, size_t errsz)
{
	struct name_fixed *f = NULL;
	const char *bad = "";
	char shown[80];
	int e = name_fixed_parse(&f, list, &bad);

	mem_deref(f);
	if (!e)
		return 0;

	(void)text_escape(shown, sizeof(shown), bad, strcspn(bad, ", \t"));
	(void)snprintf(err, errsz, "dns-hosts takes up to %d of NAME=ADDRESS "
		       "with commas between them; not %s", FIXED_MAX, shown);

	return e;
}
