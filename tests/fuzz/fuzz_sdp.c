/**
 * @file fuzz_sdp.c  A stranger's session description: offer and answer
 *
 * Whatever comes is refused or taken; what we then write can be read by
 * ourselves, has as many m= lines as the offer, and a plan only names what
 * can be used.
 */
#include "fuzz.h"
#include "negotiate.h"
#include "sdp_own.h"


static struct media_gathered gathered;


/* ICE as it may be: only with names of ours */
static void names_make(struct nego *n)
{
	strcpy(n->ice_ufrag, "abcdefgh");
	strcpy(n->ice_pwd, "abcdefghijklmnopqrstuvwxy");
}


static void ability_make(struct ability *ab, bool ice)
{
	memset(ab, 0, sizeof(*ab));
	must(!ability_codecs(ab, "opus,pcmu,pcma,l16"));
	ab->param.ptime_ms = 20;
	must(!sa_set_str(&ab->rtp, "192.0.2.1", 4000));
	ab->dir = MEDIA_SENDRECV;
	ab->ice.on = ice;
	ab->ice.have = &gathered;
	gathered.candc = 1;
	gathered.candv[0].type = CAND_HOST;
	gathered.candv[0].priority = 1;
	gathered.candv[0].addr = ab->rtp;
}


static unsigned lines(const struct mbuf *mb)
{
	struct desc *d = NULL;
	unsigned n;

	must(!desc_read(&d, (char *)mb->buf, mb->end));
	n = d->mediac;
	mem_deref(d);

	return n;
}


static void plan_check(const struct media_plan *p)
{
	if (!p->codec)
		return;
	must(p->pt_send < 128 && p->pt_recv < 128);
	must(p->te_send < 128 && p->te_recv < 128);
	must(p->also_count <= 8);
	must(p->te_also_count <= MEDIA_EVENTS_ALSO);
	must(!p->te_also_count || p->te_recv >= 0);
	for (unsigned i = 0; i < p->te_also_count; i++)
		must(p->te_also[i].pt < 128 && p->te_also[i].clock_hz &&
		     p->te_also[i].pt != p->te_recv);
	must(p->dir <= MEDIA_SENDRECV);
	must(p->ice.candc <= ICE_CANDS);
	must(!p->ice.on || (strlen(p->ice.peer_ufrag) >= 4 &&
			    strlen(p->ice.peer_pwd) >= 22));
	for (unsigned i = 0; i < p->ice.candc; i++)
		must(sa_port(&p->ice.candv[i].addr) &&
		     p->ice.candv[i].priority);
}


/* They offer, we answer */
static void offered(const struct ability *ab, const char *text, size_t len)
{
	struct media_plan plan;
	struct desc *d = NULL;
	struct mbuf *mb = NULL;
	struct nego n;
	bool held;

	memset(&n, 0, sizeof(n));
	memset(&plan, 0, sizeof(plan));
	nego_init(&n, 1);
	names_make(&n);
	if (!nego_take(&plan, &held, &n, ab, text, len)) {
		plan_check(&plan);
		must(!nego_answer(&mb, &n, ab));
		must(!desc_read(&d, text, len));
		must(lines(mb) == d->mediac);
	}
	mem_deref(d);
	mem_deref(mb);
	nego_reset(&n);
}


/* We offer, they answer, we offer again */
static void answered(const struct ability *ab, const char *text, size_t len)
{
	struct media_plan plan;
	struct mbuf *mb = NULL;
	struct nego n;
	bool held;

	memset(&n, 0, sizeof(n));
	memset(&plan, 0, sizeof(plan));
	nego_init(&n, 1);
	names_make(&n);
	must(!nego_offer(&mb, &n, ab));
	must(lines(mb) == 1);
	mb = mem_deref(mb);
	if (!nego_result(&plan, &held, &n, ab, text, len))
		plan_check(&plan);
	must(!nego_offer(&mb, &n, ab));
	must(lines(mb) >= 1);
	mem_deref(mb);
	nego_reset(&n);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ability ab;

	for (unsigned ice = 0; ice < 2; ice++) {
		ability_make(&ab, ice);
		offered(&ab, (const char *)data, size);
		answered(&ab, (const char *)data, size);
	}
	must(ua_sdp_lint((const char *)data, size, NULL, NULL) <=
	     UA_SDP_FINDINGS);

	return 0;
}
