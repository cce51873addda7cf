/**
 * @file selftest_phone.c  One of the two phones of the self-test
 *
 * A user agent with a bus, a configuration, a media thread and sockets of its
 * own.  Main thread.
 */
#include <offhook/clock.h>
#include <offhook/text.h>
#include "selftest.h"


void selftest_phone_free(struct selftest_phone *p)
{
	p->sub = mem_deref(p->sub);
	p->ua = mem_deref(p->ua);
	p->media = mem_deref(p->media);
	p->bus = mem_deref(p->bus);
	p->config = mem_deref(p->config);
}


static void device_event(const struct media_device_event *ev, void *arg)
{
	struct selftest_phone *p = arg;

	p->device_state = ev->state;
	p->device_ms = clock_ms();
	(void)text_escape(p->device, sizeof(p->device), ev->name ? ev->name :
			  "", ev->name ? strlen(ev->name) : 0);
	(void)text_escape(p->device_text, sizeof(p->device_text),
			  ev->text ? ev->text : "",
			  ev->text ? strlen(ev->text) : 0);
}


int selftest_phone_audio(struct selftest_phone *p, const char *audio,
			 char *err)
{
	struct audio_spec spec;
	int e;

	e = audio_spec_parse(&spec, audio, err, UA_ERR);

	return e ? e : media_set_audio(p->media, &spec, err, UA_ERR);
}


/* Each codec has a call, whatever the user has chosen of them */
static void all_codecs(struct config *c)
{
	const struct codec *const *codec = codec_table();
	struct text_buf b = { 0 };
	char err[CONFIG_ERR];

	for (; *codec; codec++)
		text_add(&b, "%s%s", b.len ? "," : "", (*codec)->name);
	if (b.s)
		(void)config_set(c, "codecs", b.s, err);
	text_buf_reset(&b);
}


int selftest_phone_alloc(struct selftest_phone *p,
			 const struct selftest_conf *conf, event_h *h,
			 void *arg, char *err)
{
	struct sip_listen_addr addr = { .udp = true, .tcp = true };
	struct ua_conf uc = { .addrv = &addr, .addrc = 1 };
	struct media_conf mc = { .port_min = 0 };
	int e;

	e = config_alloc(&p->config);
	if (e)
		return e;

	/* the user's own taste, but for what the test depends on */
	if (conf->config)
		*p->config = *conf->config;
	p->config->hold_others = false;
	p->config->max_calls = 0;
	all_codecs(p->config);
	(void)config_set(p->config, "record-layout", "them", err);
	err[0] = '\0';

	mc.port_min = (uint16_t)p->config->port_min;
	mc.port_max = (uint16_t)p->config->port_max;
	mc.dscp = (uint8_t)p->config->rtp_dscp;
	mc.latency_ms = (unsigned)p->config->audio_latency_ms;
	mc.channels = (unsigned)p->config->audio_channels;
	mc.two_mics = p->config->opus_stereo;
	mc.pipe_rate_hz = (uint32_t)p->config->audio_rate_hz;
	mc.jitter_min_ms = (unsigned)p->config->jitter_min_ms;
	mc.jitter_max_ms = (unsigned)p->config->jitter_max_ms;

	e = event_bus_alloc(&p->bus);
	if (!e)
		e = event_subscribe(&p->sub, p->bus, h, arg);
	if (!e)
		e = media_alloc(&p->media, &mc, device_event, p);
	if (!e)
		e = selftest_phone_audio(p, "null", err);
	if (!e)
		e = sa_set_str(&addr.addr, "127.0.0.1", 0);
	if (e)
		return e;

	uc.config = p->config;
	uc.bus = p->bus;
	uc.media = p->media;

	return ua_alloc(&p->ua, &uc, err);
}


bool selftest_phone_port(const struct selftest_phone *p, enum sip_transp want,
			 uint16_t *port)
{
	enum sip_transp tp;
	struct sa addr;

	for (size_t i = 0; ua_listener(p->ua, i, &addr, &tp); i++) {
		if (tp == want) {
			*port = sa_port(&addr);
			return true;
		}
	}

	return false;
}
