/**
 * @file test_body.c  Bodies of events and messages, read and written
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "body.h"
#include "offhook/text.h"


static size_t len(const char *s)
{
	return strlen(s);
}


/* XML ---------------------------------------------------------------------- */

static void test_xml_tree(void **state)
{
	static const char doc[] =
		"<?xml version=\"1.0\"?>\n"
		"<a:top xmlns:a=\"urn:one\" k='v &amp; w'>\n"
		"  <a:x>first &lt;1&gt;</a:x><y xmlns=\"urn:two\"/>\n"
		"  <a:x p=\"2\"> second </a:x>\n"
		"</a:top>";
	const struct xml *root, *x;
	(void)state;

	assert_int_equal(xml_parse(&root, doc, len(doc)), 0);
	assert_string_equal(root->name, "top");
	assert_string_equal(root->ns, "urn:one");
	assert_string_equal(xml_attr(root, "k"), "v & w");
	assert_string_equal(xml_attr(root, "none"), "");

	x = xml_child(root, "x");
	assert_string_equal(x->text, "first <1>");
	assert_ptr_equal(x->parent, root);
	assert_string_equal(x->next->ns, "urn:two");
	x = xml_again(x);
	assert_string_equal(x->text, "second");
	assert_string_equal(xml_attr(x, "p"), "2");
	assert_null(xml_again(x));
	assert_string_equal(xml_text(root, "z"), "");

	mem_deref((void *)root);
}


/* n elements inside each other, or beside each other */
static char *nested(unsigned n, bool deep)
{
	struct text_buf b = { .max = 0 };
	unsigned i;

	text_add(&b, "<r>");
	for (i = 0; i < n; i++)
		text_add(&b, deep ? "<a>" : "<a/>");
	for (i = 0; deep && i < n; i++)
		text_add(&b, "</a>");
	text_add(&b, "</r>");

	return b.s;
}


static void test_xml_hostile(void **state)
{
	static const char *const bad[] = {
		"", "x", "<a>", "<a></b>", "<a/><b/>", "<a b=c/>",
		"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
		"<!DOCTYPE a SYSTEM \"http://127.0.0.1/\"><a/>",
		"<a>&undefined;</a>", "<a>\xff</a>", "<a>\x01</a>",
	};
	const struct xml *root;
	char *doc, *big;
	unsigned i;
	(void)state;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(xml_parse(&root, bad[i], len(bad[i])),
				 EBADMSG);

	doc = nested(15, true);
	assert_int_equal(xml_parse(&root, doc, len(doc)), 0);
	mem_deref((void *)root);
	free(doc);
	doc = nested(16, true);
	assert_int_equal(xml_parse(&root, doc, len(doc)), E2BIG);
	free(doc);
	doc = nested(1024, false);
	assert_int_equal(xml_parse(&root, doc, len(doc)), E2BIG);
	free(doc);

	big = calloc(1, BODY_MAX + 1);
	assert_non_null(big);
	assert_int_equal(xml_parse(&root, big, BODY_MAX + 1), E2BIG);
	free(big);
}


/* Presence ----------------------------------------------------------------- */

static const char presence[] =
	"<?xml version='1.0' encoding='UTF-8'?>\n"
	"<presence xmlns='urn:ietf:params:xml:ns:pidf'\n"
	" xmlns:d='urn:ietf:params:xml:ns:pidf:data-model'\n"
	" xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'\n"
	" entity='pres:bob@example.com'>\n"
	"<tuple id='one'><status><basic>closed</basic></status>\n"
	"<contact priority='1.0'>sip:closed@example.com</contact></tuple>\n"
	"<tuple id='two'><status><basic>open</basic></status>\n"
	"<contact priority='0.2'>sip:low@example.com</contact></tuple>\n"
	"<tuple id='three'><status><basic>open</basic></status>\n"
	"<contact priority='0.8'>sip:high@example.com</contact>\n"
	"<note>at the desk</note></tuple>\n"
	"<d:person id='p'><r:activities><r:note>x</r:note>\n"
	"<r:on-the-phone/><r:away/></r:activities></d:person>\n"
	"</presence>";


static void test_pidf(void **state)
{
	struct pidf p, q;
	struct mbuf *mb = mbuf_alloc(64);
	(void)state;

	assert_int_equal(pidf_parse(&p, presence, len(presence)), 0);
	assert_string_equal(p.entity, "pres:bob@example.com");
	assert_true(p.open);
	assert_string_equal(p.contact, "sip:high@example.com");
	assert_string_equal(p.note, "at the desk");
	assert_string_equal(p.activity, "on-the-phone");

	(void)snprintf(p.note, sizeof(p.note), "<&\"\x01> there");
	assert_int_equal(pidf_print(mb, &p, "t1"), 0);
	assert_int_equal(pidf_parse(&q, (char *)mb->buf, mb->end), 0);
	assert_string_equal(q.note, "<&\"> there");
	assert_string_equal(q.activity, "on-the-phone");
	assert_string_equal(q.entity, p.entity);
	assert_string_equal(q.contact, p.contact);
	assert_true(q.open);

	/* an activity that is no name is left out, not written raw */
	mbuf_rewind(mb);
	(void)snprintf(p.activity, sizeof(p.activity), "a/><b");
	assert_int_equal(pidf_print(mb, &p, "t1"), 0);
	assert_int_equal(pidf_parse(&q, (char *)mb->buf, mb->end), 0);
	assert_string_equal(q.activity, "");

	assert_int_equal(pidf_parse(&p, "<other/>", 8), EBADMSG);
	mem_deref(mb);
}


/* Dialogs ------------------------------------------------------------------ */

static const char busy[] =
	"<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='7'"
	" state='full' entity='sip:bob@example.com'>"
	"<dialog id='d1' call-id='c1' local-tag='l' remote-tag='r'"
	" direction='recipient'><state event='rejected' code='486'>early"
	"</state><local><identity>sip:bob@example.com</identity></local>"
	"<remote><identity display='Carol'>sip:carol@example.org</identity>"
	"<target uri='sip:carol@192.0.2.7'/></remote></dialog>"
	"<dialog id='d2' direction='initiator'><state>confirmed</state>"
	"</dialog></dialog-info>";


static void test_dialog_info(void **state)
{
	struct dialog_info *d, *e;
	struct mbuf *mb = mbuf_alloc(64);
	(void)state;

	assert_int_equal(dialog_info_parse(&d, busy, len(busy)), 0);
	assert_int_equal(d->version, 7);
	assert_true(d->full);
	assert_int_equal(d->count, 2);
	assert_string_equal(d->v[0].callid, "c1");
	assert_string_equal(d->v[0].state, "early");
	assert_string_equal(d->v[0].event, "rejected");
	assert_int_equal(d->v[0].code, 486);
	assert_false(d->v[0].initiator);
	assert_string_equal(d->v[0].remote_name, "Carol");
	assert_string_equal(d->v[0].remote_target, "sip:carol@192.0.2.7");
	assert_true(d->v[1].initiator);

	assert_int_equal(dialog_info_print(mb, d), 0);
	assert_int_equal(dialog_info_parse(&e, (char *)mb->buf, mb->end), 0);
	assert_memory_equal(d, e, sizeof(*d));

	mem_deref(e);
	mem_deref(d);
	mem_deref(mb);
}


static void test_dialog_merge(void **state)
{
	struct dialog_info *known, *news;
	(void)state;

	known = mem_zalloc(sizeof(*known), NULL);
	assert_int_equal(dialog_info_parse(&news, busy, len(busy)), 0);

	assert_int_equal(dialog_info_merge(known, news), 0);
	assert_int_equal(known->count, 2);

	/* one ends, one begins */
	news->full = false;
	news->version = 8;
	(void)snprintf(news->v[0].state, sizeof(news->v[0].state),
		       "terminated");
	(void)snprintf(news->v[1].id, sizeof(news->v[1].id), "d3");
	assert_int_equal(dialog_info_merge(known, news), 0);
	assert_int_equal(known->count, 2);
	assert_string_equal(known->v[0].id, "d2");
	assert_string_equal(known->v[1].id, "d3");

	/* the same again, and one that was missed */
	assert_int_equal(dialog_info_merge(known, news), EALREADY);
	news->version = 10;
	assert_int_equal(dialog_info_merge(known, news), ENOENT);
	assert_int_equal(known->version, 8);

	mem_deref(news);
	mem_deref(known);
}


/* Lines -------------------------------------------------------------------- */

static void test_mwi(void **state)
{
	static const char full[] =
		"Messages-Waiting: yes\r\n"
		"Message-Account: sip:box@example.com\r\n"
		"Voice-Message: 2/8 (1/3)\r\n\r\n"
		"Messages-Waiting: no\r\n";
	struct mwi_summary m, n;
	struct mbuf *mb = mbuf_alloc(64);
	(void)state;

	assert_int_equal(mwi_parse(&m, full, len(full)), 0);
	assert_true(m.waiting);
	assert_string_equal(m.account, "sip:box@example.com");
	assert_int_equal(m.fresh, 2);
	assert_int_equal(m.old, 8);
	assert_int_equal(m.fresh_urgent, 1);
	assert_int_equal(m.old_urgent, 3);

	assert_int_equal(mwi_print(mb, &m), 0);
	assert_int_equal(mwi_parse(&n, (char *)mb->buf, mb->end), 0);
	assert_memory_equal(&m, &n, sizeof(m));
	mem_deref(mb);

	assert_int_equal(mwi_parse(&m, "messages-waiting:no\n"
				   "voice-message:0/4\n", 38), 0);
	assert_false(m.waiting);
	assert_int_equal(m.old, 4);

	assert_int_equal(mwi_parse(&m, "", 0), EBADMSG);
	assert_int_equal(mwi_parse(&m, "Messages-Waiting: maybe\r\n", 25),
			 EBADMSG);
	assert_int_equal(mwi_parse(&m, "Messages-Waiting: yes\r\n"
				   "Voice-Message: 4294967296/0\r\n", 52),
			 EBADMSG);
}


static void test_sipfrag(void **state)
{
	static const char *const bad[] = {
		"", "SIP/2.0", "SIP/2.0 20 OK", "SIP/2.0 2000 OK",
		"SIP/3.0 200 OK", "x SIP/2.0 200 OK", "SIP/2.0 700 No",
		"SIP/2.0 099 No", "HTTP/1.1 200 OK",
	};
	struct sipfrag f;
	struct mbuf *mb = mbuf_alloc(16);
	unsigned i;
	(void)state;

	assert_int_equal(sipfrag_parse(&f, "SIP/2.0 486 Busy Here\r\n"
				       "To: x\r\n", 30), 0);
	assert_int_equal(f.code, 486);
	assert_string_equal(f.reason, "Busy Here");
	assert_int_equal(sipfrag_parse(&f, "sip/2.0 200", 11), 0);
	assert_int_equal(f.code, 200);

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(sipfrag_parse(&f, bad[i], len(bad[i])),
				 EBADMSG);

	assert_int_equal(sipfrag_print(mb, 100, "Trying"), 0);
	assert_memory_equal(mb->buf, "SIP/2.0 100 Trying\r\n", mb->end);
	mem_deref(mb);
}


static void test_composing(void **state)
{
	struct composing c = { .active = true, .refresh_s = 90 }, d;
	struct mbuf *mb = mbuf_alloc(64);
	(void)state;

	assert_int_equal(composing_print(mb, &c), 0);
	assert_int_equal(composing_parse(&d, (char *)mb->buf, mb->end), 0);
	assert_true(d.active);
	assert_int_equal(d.refresh_s, 90);

	mbuf_rewind(mb);
	c.active = false;
	assert_int_equal(composing_print(mb, &c), 0);
	assert_int_equal(composing_parse(&d, (char *)mb->buf, mb->end), 0);
	assert_false(d.active);
	mem_deref(mb);

	assert_int_equal(composing_parse(&d, "<isComposing/>", 14), EBADMSG);
}


static void test_cpim_imdn(void **state)
{
	struct cpim c, d;
	struct imdn i, j;
	struct mbuf *mb = mbuf_alloc(64);
	(void)state;

	memset(&c, 0, sizeof(c));
	(void)snprintf(c.from, sizeof(c.from), "sip:alice@example.com");
	(void)snprintf(c.to, sizeof(c.to), "sip:bob@example.com");
	(void)snprintf(c.message_id, sizeof(c.message_id), "34jk324j");
	(void)snprintf(c.date, sizeof(c.date), "2026-11-21T10:00:00Z");
	c.want_delivered = c.want_displayed = true;
	pl_set_str(&c.body, "hello\r\n\r\nworld");

	assert_int_equal(cpim_print(mb, &c), 0);
	assert_int_equal(cpim_parse(&d, (char *)mb->buf, mb->end), 0);
	assert_string_equal(d.from, c.from);
	assert_string_equal(d.to, c.to);
	assert_string_equal(d.message_id, c.message_id);
	assert_string_equal(d.date, c.date);
	assert_true(d.want_delivered && d.want_displayed);
	assert_string_equal(d.ctype, "text/plain");
	assert_int_equal(pl_strcmp(&d.body, "hello\r\n\r\nworld"), 0);

	/* each wish by itself */
	assert_false(d.want_failed);
	c.want_failed = true;
	c.want_delivered = c.want_displayed = false;
	mbuf_rewind(mb);
	assert_int_equal(cpim_print(mb, &c), 0);
	assert_int_equal(cpim_parse(&d, (char *)mb->buf, mb->end), 0);
	assert_true(d.want_failed && !d.want_delivered && !d.want_displayed);
	c.want_failed = false;
	mbuf_rewind(mb);
	assert_int_equal(cpim_print(mb, &c), 0);
	assert_null(memmem(mb->buf, mb->end, "Disposition-Not", 15));

	(void)snprintf(c.from, sizeof(c.from), "x\r\nTo: <y>");
	assert_int_equal(cpim_print(mb, &c), EINVAL);
	assert_int_equal(cpim_parse(&d, "From: <a>\r\n\r\n", 13), EBADMSG);

	memset(&i, 0, sizeof(i));
	(void)snprintf(i.message_id, sizeof(i.message_id), "34jk324j");
	(void)snprintf(i.status, sizeof(i.status), "displayed");
	(void)snprintf(i.recipient, sizeof(i.recipient), "im:bob@a.b");
	(void)snprintf(i.original, sizeof(i.original), "im:all@a.b");
	mbuf_rewind(mb);
	assert_int_equal(imdn_print(mb, &i, c.date), 0);
	assert_int_equal(imdn_parse(&j, (char *)mb->buf, mb->end), 0);
	assert_string_equal(j.message_id, "34jk324j");
	assert_string_equal(j.status, "displayed");
	assert_string_equal(j.recipient, "im:bob@a.b");
	assert_string_equal(j.original, "im:all@a.b");
	(void)snprintf(i.status, sizeof(i.status), "x/><y");
	assert_int_equal(imdn_print(mb, &i, c.date), EINVAL);
	assert_int_equal(imdn_parse(&j, "<imdn/>", 7), EBADMSG);
	mem_deref(mb);
}


static void test_reginfo(void **state)
{
	static const char doc[] =
		"<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='3'"
		" state='full'><registration aor='sip:joe@example.com'"
		" id='a7' state='active'><contact id='76' state='active'"
		" event='registered' expires='600'><uri>sip:joe@192.0.2.1"
		"</uri><display-name>Joe</display-name></contact>"
		"<contact id='77' state='terminated' event='expired'>"
		"<uri>sip:joe@192.0.2.2</uri></contact>"
		"</registration></reginfo>";
	struct reginfo *r;
	(void)state;

	assert_int_equal(reginfo_parse(&r, doc, len(doc)), 0);
	assert_string_equal(r->aor, "sip:joe@example.com");
	assert_string_equal(r->state, "active");
	assert_int_equal(r->version, 3);
	assert_int_equal(r->count, 2);
	assert_string_equal(r->v[0].uri, "sip:joe@192.0.2.1");
	assert_string_equal(r->v[0].name, "Joe");
	assert_int_equal(r->v[0].expires_s, 600);
	assert_string_equal(r->v[1].event, "expired");
	mem_deref(r);

	assert_int_equal(reginfo_parse(&r, "<reginfo/>", 10), EBADMSG);
}


static struct {
	struct conf_info *known;
	char told[8192];
} room;


static void change_h(const struct conf_member *m, void *arg)
{
	const size_t n = strlen(room.told);
	(void)arg;

	(void)re_snprintf(room.told + n, sizeof(room.told) - n, "%s:%s:%s;",
			  m->uri, m->name, m->state);
}


/* @return what merging it says; room.told: what was told */
static int room_take(const char *doc)
{
	struct conf_info *c = NULL;
	int err;

	room.told[0] = '\0';
	err = conf_info_parse(&c, doc, strlen(doc));
	if (!err)
		err = conf_info_merge(room.known, c, change_h, NULL);
	mem_deref(c);

	return err;
}


#define ROOM(attrs, body)						\
	"<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'"\
	" entity='sip:room@x' " attrs ">" body "</conference-info>"
#define ENDPOINT(status) "<endpoint entity='sip:d'><status>" status	\
	"</status></endpoint>"
#define USER(uri, attrs, body) "<user entity='" uri "' " attrs ">" body	\
	"</user>"


static void test_conference(void **state)
{
	char doc[20000] = "";
	size_t n;
	(void)state;

	room.known = mem_zalloc(sizeof(*room.known), NULL);

	/* a part of what is not known */
	assert_int_equal(room_take(ROOM("state='partial' version='4'", "")),
			 ENOENT);
	assert_int_equal(room_take(ROOM("state='full' version='4'",
		"<conference-description><subject>Plans</subject>"
		"</conference-description><users>"
		USER("sip:a@x", "", "<display-text>Ann</display-text>"
		     ENDPOINT("on-hold") ENDPOINT("connected"))
		USER("sip:b@x", "state='full'", ENDPOINT("alerting"))
		USER("", "", "") USER("sip:c@x", "", "") "</users>")), 0);
	assert_string_equal(room.told, "sip:a@x:Ann:connected;"
			    "sip:b@x::alerting;sip:c@x::connected;");
	assert_string_equal(room.known->subject, "Plans");
	assert_int_equal(room.known->count, 3);

	/* one came, one changed and one left; nothing new of the fourth */
	assert_int_equal(room_take(ROOM("state='partial' version='5'",
		"<users state='partial'>"
		USER("sip:d@x", "state='full'", ENDPOINT("dialing-in"))
		USER("sip:b@x", "state='partial'", ENDPOINT("connected"))
		USER("sip:a@x", "state='partial'", "<roles/>")
		USER("sip:c@x", "state='deleted'", "") "</users>")), 0);
	assert_string_equal(room.told, "sip:d@x::dialing-in;"
			    "sip:b@x::connected;sip:c@x::left;");
	assert_string_equal(room.known->v[0].name, "Ann");

	/* the same once more, and one that is missing */
	assert_int_equal(room_take(ROOM("state='partial' version='5'", "")),
			 EALREADY);
	assert_int_equal(room_take(ROOM("state='partial' version='7'", "")),
			 ENOENT);
	assert_int_equal(room_take(ROOM("state='partial' version='6'",
		"<users state='partial'>" USER("sip:d@x", "",
		"<endpoint entity='1' state='deleted'/>") "</users>")), 0);
	assert_string_equal(room.told, "sip:d@x::left;");

	/* who is not in a whole list has left */
	assert_int_equal(room_take(ROOM("version='1'", "<users>"
		USER("sip:a@x", "", "<display-text>Ann</display-text>"
		     ENDPOINT("connected")) "</users>")), 0);
	assert_string_equal(room.told, "sip:b@x::left;");
	assert_int_equal(room_take(ROOM("state='deleted' version='2'", "")),
			 0);
	assert_string_equal(room.told, "sip:a@x:Ann:left;");
	assert_int_equal(room.known->count, 0);

	/* more than there is room for */
	n = (size_t)snprintf(doc, sizeof(doc), "<conference-info version='3'>"
			     "<users>");
	for (unsigned i = 0; i < 2 * BODY_MEMBERS; i++)
		n += (size_t)snprintf(doc + n, sizeof(doc) - n,
				      "<user entity='sip:%u@x'/>", i);
	(void)snprintf(doc + n, sizeof(doc) - n, "</users></conference-info>");
	assert_int_equal(room_take(doc), 0);
	assert_int_equal(room.known->count, BODY_MEMBERS);

	assert_int_equal(room_take("<reginfo version='1'/>"), EBADMSG);
	assert_int_equal(room_take("<conference-info version='x'/>"),
			 EBADMSG);
	room.known = mem_deref(room.known);
}


/* RFC 3862: whoever writes names the prefix, and says what must be understood */
static void test_cpim_namespaces(void **state)
{
	static const char own[] = "From: <a>\r\nTo: <b>\r\n"
		"NS: n <urn:ietf:params:imdn>\r\nNS: x <mid:other@x>\r\n"
		"Require: n.Message-ID, Subject\r\nx.Message-ID: no\r\n"
		"n.Message-ID: yes\r\nimdn.Disposition-Notification: display"
		"\r\nSubject:;lang=fr Objet\r\n\r\nContent-Type: text/plain"
		"\r\n\r\nhi";
	static const char plain[] = "NS: <urn:ietf:params:imdn>\r\n"
		"Message-ID: yes\r\nDisposition-Notification: "
		"positive-delivery\r\n\r\nContent-Type: text/plain\r\n\r\nhi";
	static const char other[] = "From: <a>\r\nNS: x <mid:other@x>\r\n"
		"Require: x.Vital\r\nx.Vital: y\r\n\r\n"
		"Content-Type: text/plain\r\n\r\nhi";
	static const char routes[] = "From: <a>\r\n"
		"NS: i <urn:ietf:params:imdn>\r\n"
		"Require: i.IMDN-Record-Route\r\n"
		"i.IMDN-Record-Route: One <sip:one@x>\r\n"
		"i.IMDN-Record-Route: <sip:two@x>\r\n%s\r\n"
		"Content-Type: text/plain\r\n\r\nhi";
	struct cpim c;
	char text[1024];
	int n;
	(void)state;

	/* all of them, or none: one that is missing would be passed by */
	n = snprintf(text, sizeof(text), routes, "");
	assert_int_equal(cpim_parse(&c, text, (size_t)n), 0);
	assert_int_equal(c.routec, 2);
	assert_string_equal(c.routev[0], "sip:one@x");
	assert_string_equal(c.routev[1], "sip:two@x");
	n = snprintf(text, sizeof(text), routes,
		     "i.IMDN-Record-Route: none\r\n");
	assert_int_equal(cpim_parse(&c, text, (size_t)n), 0);
	assert_int_equal(c.routec, 0);
	n = snprintf(text, sizeof(text), routes,
		     "i.IMDN-Record-Route: <sip:3@x>\r\n"
		     "i.IMDN-Record-Route: <sip:4@x>\r\n"
		     "i.IMDN-Record-Route: <sip:5@x>\r\n");
	assert_int_equal(cpim_parse(&c, text, (size_t)n), 0);
	assert_int_equal(c.routec, 0);

	assert_int_equal(cpim_parse(&c, own, sizeof(own) - 1), 0);
	assert_string_equal(c.message_id, "yes");
	assert_string_equal(c.subject, "Objet");
	assert_false(c.want_displayed);
	assert_int_equal(pl_strcmp(&c.body, "hi"), 0);

	assert_int_equal(cpim_parse(&c, plain, sizeof(plain) - 1), 0);
	assert_string_equal(c.message_id, "yes");
	assert_true(c.want_delivered);

	assert_int_equal(cpim_parse(&c, other, sizeof(other) - 1), ENOTSUP);
}


int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml_tree),
		cmocka_unit_test(test_xml_hostile),
		cmocka_unit_test(test_pidf),
		cmocka_unit_test(test_dialog_info),
		cmocka_unit_test(test_dialog_merge),
		cmocka_unit_test(test_mwi),
		cmocka_unit_test(test_sipfrag),
		cmocka_unit_test(test_composing),
		cmocka_unit_test(test_cpim_imdn),
		cmocka_unit_test(test_cpim_namespaces),
		cmocka_unit_test(test_reginfo),
		cmocka_unit_test(test_conference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
