/**
 * @file fuzz_stun.c  STUN messages: read, and given to ICE and to a relay's
 * client; the first byte says as what
 */
#include "fuzz.h"
#include "ice.h"
#include "stun.h"
#include "turn.h"

#define PASSWORD "password0password0password0"


static void sent(const struct sa *dst, unsigned via, const uint8_t *p,
		 size_t len, void *arg)
{
	struct stun_in m;
	(void)dst;
	(void)via;
	(void)arg;

	/* whatever we say is well formed */
	must(!stunmsg_read(&m, p, len));
}


static void turn_out(const uint8_t *p, size_t len, void *arg)
{
	(void)p;
	(void)arg;
	must(len > 0);
}


static void turn_data(const struct sa *peer, uint8_t *p, size_t len,
		      void *arg)
{
	const uint8_t *const *range = arg;
	(void)peer;

	must(p >= range[0] && p + len <= range[1]);
}


static void to_ice(const struct sa *from, const uint8_t *p, size_t len)
{
	struct media_ice conf = { .on = true, .candc = 1 };
	struct ice_ours ours;
	struct ice *ice = NULL;

	for (unsigned i = 0; i < ICE_VIAS; i++)
		ours.addrv[i] = *from;
	strcpy(conf.ufrag, "frag0");
	strcpy(conf.pwd, PASSWORD);
	strcpy(conf.peer_ufrag, "frag1");
	strcpy(conf.peer_pwd, PASSWORD);
	conf.candv[0].addr = *from;
	conf.candv[0].priority = 1;
	must(!ice_alloc(&ice, &conf, &ours, sent, NULL));
	ice_tick(ice, 1000000);
	(void)ice_recv(ice, from, 0, p, len, 1000000);
	(void)ice_recv(ice, from, ICE_RELAY, p, len, 1000000);
	ice_tick(ice, 2000000);
	mem_deref(ice);
}


static void to_turn(const struct sa *server, const uint8_t *data, size_t len)
{
	struct media_nat conf = { .relay = RELAY_UDP };
	uint8_t *p = malloc(len ? len : 1);
	const uint8_t *range[2] = { p, p + len };
	struct turn *t = NULL;

	must(p);
	if (len)
		memcpy(p, data, len);
	conf.turn = *server;
	strcpy(conf.turn_user, "alice");
	strcpy(conf.turn_password, "secret");
	must(!turn_alloc(&t, &conf, turn_out, turn_data, range));
	turn_recv(t, p, len);
	turn_tick(t, 1000000);
	mem_deref(t);
	free(p);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stun_in m;
	struct sa sa;

	if (!size || size > STUN_MSG_MAX)
		return 0;
	must(!sa_set_str(&sa, "192.0.2.1", 3478));

	++data;
	--size;
	if (!stunmsg_read(&m, data, size)) {
		must(stunmsg_is(data, size));
		(void)stunmsg_check(&m, (const uint8_t *)PASSWORD,
				    strlen(PASSWORD));
		must(m.user.l <= size && m.data.l <= size);
	}

	if (data[-1] & 1)
		to_turn(&sa, data, size);
	else
		to_ice(&sa, data, size);

	return 0;
}
