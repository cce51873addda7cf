/**
 * @file ua/body_xml.c  A small tree from a hostile document
 *
 * Expat reads; here the elements become nodes, bounded in number, depth and
 * text.  A document type is refused: nothing we speak has one, and entities
 * are how small documents grow.  The whole tree lives in one allocation list
 * that goes with its root.
 */
#include <expat.h>
#include "body.h"
#include "offhook/text.h"


enum {
	DEPTH_MAX = 16,
	NODES_MAX = 1024,
	ATTRS_MAX = 16,
};

/** Between namespace and name in what expat hands out */
#define NS_SEP '\n'

struct chunk {
	struct chunk *next;
	char mem[];
};

struct tree {
	struct xml root;            /* first: the tree is its root         */
	struct chunk *chunks;
};

struct reading {
	XML_Parser parser;
	struct tree *tree;
	struct xml *now;            /* the element that is open            */
	struct xml *last[DEPTH_MAX];   /* last child at each depth          */
	struct mbuf *text[DEPTH_MAX];
	unsigned depth, nodes;
	int err;
};


static void tree_destructor(void *arg)
{
	struct tree *t = arg;
	struct chunk *c, *next;

	for (c = t->chunks; c; c = next) {
		next = c->next;
		mem_deref(c);
	}
}


/* Memory that goes with the tree */
static void *take(struct reading *r, size_t size)
{
	struct chunk *c = mem_zalloc(sizeof(*c) + size, NULL);

	if (!c) {
		r->err = ENOMEM;
		return NULL;
	}

	c->next = r->tree->chunks;
	r->tree->chunks = c;

	return c->mem;
}


static const char *take_str(struct reading *r, const char *p, size_t len)
{
	char *s = take(r, len + 1);

	if (s)
		memcpy(s, p, len);

	return s;
}


static void stop(struct reading *r, int err)
{
	if (!r->err)
		r->err = err;
	(void)XML_StopParser(r->parser, XML_FALSE);
}


static const char *bare_name(const char *name)
{
	const char *sep = strchr(name, NS_SEP);

	return sep ? sep + 1 : name;
}


static void attrs_take(struct reading *r, struct xml *x, const char **attrv)
{
	const char **v;
	unsigned i, n = 0;

	while (attrv[n] && n < 2 * ATTRS_MAX)
		n += 2;

	v = take(r, (n + 1) * sizeof(*v));
	if (!v)
		return;

	for (i = 0; i < n; i += 2) {
		const char *name = bare_name(attrv[i]);

		v[i] = take_str(r, name, strlen(name));
		v[i + 1] = take_str(r, attrv[i + 1], strlen(attrv[i + 1]));
	}

	x->attrv = v;
}


static void XMLCALL start_h(void *arg, const XML_Char *name,
			    const XML_Char **attrv)
{
	const char *sep = strchr(name, NS_SEP);
	struct reading *r = arg;
	struct xml *x;

	if (r->depth == DEPTH_MAX || ++r->nodes > NODES_MAX) {
		stop(r, E2BIG);
		return;
	}

	x = r->depth ? take(r, sizeof(*x)) : &r->tree->root;
	r->text[r->depth] = mbuf_alloc(64);
	if (!x || !r->text[r->depth]) {
		mem_deref(r->text[r->depth]);
		r->text[r->depth] = NULL;
		stop(r, ENOMEM);
		return;
	}

	x->ns = sep ? take_str(r, name, (size_t)(sep - name)) : "";
	x->name = take_str(r, bare_name(name), strlen(bare_name(name)));
	x->text = "";
	attrs_take(r, x, attrv);

	x->parent = r->now;
	if (r->depth) {
		if (r->last[r->depth])
			r->last[r->depth]->next = x;
		else
			r->now->child = x;
		r->last[r->depth] = x;
	}

	r->now = x;
	++r->depth;
	if (r->depth < DEPTH_MAX)
		r->last[r->depth] = NULL;

	if (r->err)
		stop(r, r->err);
}


static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void XMLCALL end_h(void *arg, const XML_Char *name)
{
	struct reading *r = arg;
	struct mbuf *mb;
	size_t a = 0, b;
	(void)name;

	--r->depth;
	mb = r->text[r->depth];

	for (b = mb->end; b && is_space(mb->buf[b - 1]); b--)
		;
	while (a < b && is_space(mb->buf[a]))
		++a;

	r->now->text = take_str(r, (const char *)mb->buf + a, b - a);
	r->text[r->depth] = mem_deref(mb);
	r->now = (struct xml *)r->now->parent;

	if (r->err)
		stop(r, r->err);
}


static void XMLCALL text_h(void *arg, const XML_Char *p, int len)
{
	struct reading *r = arg;

	if (r->depth && mbuf_write_mem(r->text[r->depth - 1],
				       (const uint8_t *)p, (size_t)len))
		stop(r, ENOMEM);
}


static void XMLCALL doctype_h(void *arg, const XML_Char *name,
			      const XML_Char *sysid, const XML_Char *pubid,
			      int internal)
{
	(void)name; (void)sysid; (void)pubid; (void)internal;

	stop(arg, EBADMSG);
}


int xml_parse(const struct xml **root, const char *p, size_t len)
{
	struct reading r;
	unsigned i;
	int err = 0;

	if (!root || !p)
		return EINVAL;
	if (len > BODY_MAX)
		return E2BIG;

	memset(&r, 0, sizeof(r));
	r.tree = mem_zalloc(sizeof(*r.tree), tree_destructor);
	r.parser = XML_ParserCreateNS(NULL, NS_SEP);
	if (!r.tree || !r.parser) {
		err = ENOMEM;
		goto out;
	}

	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, start_h, end_h);
	XML_SetCharacterDataHandler(r.parser, text_h);
	XML_SetStartDoctypeDeclHandler(r.parser, doctype_h);

	if (XML_Parse(r.parser, p, (int)len, 1) != XML_STATUS_OK)
		err = r.err ? r.err : EBADMSG;

 out:
	for (i = 0; i < DEPTH_MAX; i++)
		mem_deref(r.text[i]);
	if (r.parser)
		XML_ParserFree(r.parser);
	if (err)
		mem_deref(r.tree);
	else
		*root = &r.tree->root;

	return err;
}


static const struct xml *named(const struct xml *x, const char *name)
{
	while (x && strcmp(x->name, name))
		x = x->next;

	return x;
}


const struct xml *xml_child(const struct xml *x, const char *name)
{
	return x ? named(x->child, name) : NULL;
}


const struct xml *xml_again(const struct xml *x)
{
	return x ? named(x->next, x->name) : NULL;
}


const char *xml_attr(const struct xml *x, const char *name)
{
	const char *const *v;

	for (v = x ? x->attrv : NULL; v && v[0]; v += 2) {
		if (!strcmp(v[0], name))
			return v[1];
	}

	return "";
}


const char *xml_text(const struct xml *x, const char *name)
{
	const struct xml *c = xml_child(x, name);

	return c ? c->text : "";
}


int xml_print(struct mbuf *mb, const char *text)
{
	const char *p;
	int err = 0;

	for (p = text; *p && !err; p++) {
		switch (*p) {

		case '&':  err = mbuf_write_str(mb, "&amp;");  break;
		case '<':  err = mbuf_write_str(mb, "&lt;");   break;
		case '>':  err = mbuf_write_str(mb, "&gt;");   break;
		case '"':  err = mbuf_write_str(mb, "&quot;"); break;
		default:
			if ((uint8_t)*p >= ' ' || *p == '\t' || *p == '\n')
				err = mbuf_write_u8(mb, (uint8_t)*p);
			break;
		}
	}

	return err;
}
