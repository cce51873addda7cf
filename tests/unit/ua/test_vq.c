/**
 * @file test_vq.c  A voice quality report as RFC 6035 has it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vq.h"


static char *text_of(const struct vq_report *r)
{
	struct mbuf *mb = mbuf_alloc(64);
	char *s;

	assert_int_equal(vq_print(mb, r), 0);
	mb->pos = 0;
	assert_int_equal(mbuf_strdup(mb, &s, mb->end), 0);
	mem_deref(mb);

	return s;
}


static struct media_plan plan(void)
{
	struct media_plan p = {
		.codec = codec_find("pcmu"), .param = { .ptime_ms = 20 },
	};

	return p;
}


static struct vq_report report(const struct media_plan *p,
			       struct stream_stats *st)
{
	struct vq_report r = {
		.kind = VQ_END, .callid = "4711@host", .local_tag = "us",
		.remote_tag = "them", .local = "sip:alice@example.com",
		.remote = "sip:bob@example.net", .outgoing = true,
		.agent = "phone/1", .plan = p, .st = st, .ssrc = 0xabc,
		.begin_ms = 1700000000000, .end_ms = 1700000062500,
		.buffer_max_ms = 200,
	};

	memset(st, 0, sizeof(*st));
	assert_int_equal(sa_set_str(&r.laddr, "192.0.2.1", 4000), 0);
	assert_int_equal(sa_set_str(&st->remote, "2001:db8::5", 5000), 0);

	return r;
}


#define HEAD(kind)							\
	kind "\r\n"							\
	"CallID:4711@host\r\n"						\
	"LocalID:<sip:alice@example.com>\r\n"				\
	"RemoteID:<sip:bob@example.net>\r\n"				\
	"OrigID:<sip:alice@example.com>\r\n"				\
	"LocalAddr:IP=192.0.2.1 PORT=4000 SSRC=0x00000abc\r\n"

#define TIMES "Timestamps:START=2023-11-14T22:13:20.000Z "		\
	"STOP=2023-11-14T22:14:22.500Z\r\n"

/* Everything is known */
static void test_whole(void **state)
{
	const struct media_plan p = plan();
	struct stream_stats st;
	struct vq_report r = report(&p, &st);
	char *s;
	(void)state;

	st.packets_sent = 1000;
	st.packets_received = 950;
	st.lost = 50;
	st.late = 10;
	st.ssrc_remote = 0xdef;
	st.delay_ms = 40;
	st.delay_target_ms = 45;
	st.rtt_us = 60400;
	st.jitter_us = 2600;
	st.level_in_dbfs = -21.2;
	st.burst_pct = 33.34;
	st.burst_ms = 120;
	st.gap_pct = 0.5;
	st.gap_ms = 9000;
	st.burst_ratio = 1.0;
	st.remote_known = st.xr_known = true;
	st.remote_jitter_us = 7000;
	st.xr_loss_pct = 1.5;
	st.xr_discard_pct = 0.4;
	st.xr_burst_pct = 20.0;
	st.xr_burst_ms = 80;
	st.xr_gap_ms = 5000;
	st.xr_end_delay_ms = 55;
	st.xr_r = 88.0;
	st.xr_mos_cq = 4.1;

	s = text_of(&r);
	assert_non_null(strstr(s, HEAD("VQSessionReport: CallTerm")
		"RemoteAddr:IP=2001:db8::5 PORT=5000 SSRC=0x00000def\r\n"
		"LocalGroup:phone/1\r\nRemoteGroup:unknown\r\n"
		"LocalMetrics:\r\n" TIMES
		"SessionDesc:PT=0 PD=PCMU SR=8000 FD=20 FPP=1 PPS=50 PLC=3"
		" SSUP=off\r\n"
		"JitterBuffer:JBA=3 JBR=0 JBN=45 JBM=200 JBX=200\r\n"
		"PacketLoss:NLR=5.0 JDR=1.0\r\n"
		"BurstGapLoss:BLD=33.3 BD=120 GLD=0.5 GD=9000 GMIN=16\r\n"
		"Delay:RTD=60 ESD=60 SOWD=90 IAJ=3\r\n"
		"Signal:SL=-18\r\n"
		"QualityEst:"));
	assert_non_null(strstr(s, " QoEEstAlg=G.107\r\n"
		"RemoteMetrics:\r\n" TIMES
		"SessionDesc:PT=0 PD=PCMU SR=8000 FD=20 FPP=1 PPS=50"
		" PLC=3\r\n"
		"PacketLoss:NLR=1.5 JDR=0.4\r\n"
		"BurstGapLoss:BLD=20.0 BD=80 GLD=0.0 GD=5000 GMIN=16\r\n"
		"Delay:RTD=60 ESD=55 IAJ=7\r\n"
		"QualityEst:RCQ=88 MOSCQ=4.1 QoEEstAlg=G.107\r\n"
		"DialogID:4711@host;to-tag=them;from-tag=us\r\n"));
	mem_deref(s);
}


/* Nothing came: what is not known is not said, least of all zeros */
static void test_nothing(void **state)
{
	static const char *const never[] = {
		"JitterBuffer", "PacketLoss", "BurstGapLoss", "Delay",
		"Signal", "QualityEst", "RemoteMetrics", "DialogID",
	};
	const struct media_plan p = plan();
	struct stream_stats st;
	struct vq_report r = report(&p, &st);
	char *s;
	(void)state;

	r.remote_tag = "";
	s = text_of(&r);
	for (size_t i = 0; i < COUNT_OF(never); i++)
		assert_null(strstr(s, never[i]));
	assert_non_null(strstr(s, "SessionDesc:"));
	mem_deref(s);
}


/* Asked for, alerts, a call that came to us */
static void test_kinds(void **state)
{
	const struct media_plan p = plan();
	struct stream_stats st;
	struct vq_report r = report(&p, &st);
	char *s;
	(void)state;

	r.kind = VQ_ASKED;
	r.outgoing = false;
	s = text_of(&r);
	assert_memory_equal(s, "VQSessionReport\r\nCallID:", 24);
	assert_non_null(strstr(s, "OrigID:<sip:bob@example.net>\r\n"));
	assert_non_null(strstr(s, ";to-tag=us;from-tag=them\r\n"));
	mem_deref(s);

	/* of an interval only what is known of it */
	r.kind = VQ_INTERVAL;
	st.packets_received = 99;
	st.lost = 1;
	s = text_of(&r);
	assert_memory_equal(s, "VQIntervalReport\r\nCallID:", 25);
	assert_non_null(strstr(s, "PacketLoss:NLR=1.0 JDR=0.0\r\n"));
	assert_null(strstr(s, "BurstGapLoss"));
	mem_deref(s);
	st.packets_received = st.lost = 0;

	for (int sev = VQ_CLEAR; sev <= VQ_CRITICAL; sev++) {
		static const char *const want[] = {
			"VQAlertReport: Type=MOSCQ Severity=Clear Dir=local",
			"VQAlertReport: Type=MOSCQ Severity=Warning Dir=local",
			"VQAlertReport: Type=MOSCQ Severity=Critical Dir=local",
		};

		r.kind = VQ_ALERT;
		r.severity = (enum vq_severity)sev;
		s = text_of(&r);
		assert_memory_equal(s, want[sev], strlen(want[sev]));
		mem_deref(s);
	}
}


/* What others chose adds no line, and of any length there is room for */
static void test_hostile(void **state)
{
	const struct media_plan p = plan();
	struct stream_stats st;
	struct vq_report r = report(&p, &st);
	char longest[4000];
	char *s;
	(void)state;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	r.callid = "1\r\nPacketLoss:NLR=0";
	r.remote = longest;
	s = text_of(&r);
	assert_non_null(strstr(s, "CallID:1??PacketLoss:NLR=0\r\n"));
	assert_non_null(strstr(s, longest));
	mem_deref(s);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
