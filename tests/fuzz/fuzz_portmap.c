/**
 * @file fuzz_portmap.c  What a router answers: PCP and NAT-PMP
 *
 * Read as one message, and as the answers of a router that a live client gets
 * over a socket.
 */
#include <sys/socket.h>
#include <unistd.h>
#include <offhook/clock.h>
#include <offhook/portmap.h>
#include <offhook/timer.h>
#include "fuzz.h"
#include "portmap_msg.h"

static int router = -1;
static struct sa router_addr;
static unsigned told;


static void told_h(int err, const struct sa *external, void *arg)
{
	(void)arg;
	++told;
	must(err || (sa_isset(external, SA_ALL) &&
		     !sa_is_loopback(external) && !sa_is_any(external)));
}


static void begin(void)
{
	must(!libre_init() && !timers_open());
	must(!sa_set_str(&router_addr, "127.0.0.1", 0));
	router = socket(AF_INET, SOCK_DGRAM, 0);
	must(router >= 0 && !bind(router, &router_addr.u.sa,
				  router_addr.len));
	router_addr.len = sizeof(router_addr.u);
	must(!getsockname(router, &router_addr.u.sa, &router_addr.len));
}


static void stop_h(void *arg)
{
	(void)arg;
	re_cancel();
}


/* Its nonce and its port are filled in where an answer has them, so that
 * what lies behind those is reached */
static void to_client(const uint8_t *data, size_t size, bool fit)
{
	uint8_t p[PORTMAP_MAX], q[PORTMAP_OUT];
	struct portmap *m = NULL;
	struct timer tmr = { 0 };
	struct sa local, from;
	ssize_t n;

	must(!sa_set_str(&local, "127.0.0.1", 5004));
	must(!portmap_alloc(&m, &local, &router_addr, PORTMAP_AUTO, 0, told_h,
			    NULL));
	from.len = sizeof(from.u);
	n = recvfrom(router, q, sizeof(q), 0, &from.u.sa, &from.len);
	must(n == PORTMAP_OUT);

	memcpy(p, data, size);
	if (fit && size >= 42)
		memcpy(p + 24, q + 24, 18);
	else if (fit && size >= 10)
		memcpy(p + 8, q + 40, 2);
	(void)!sendto(router, p, size, 0, &from.u.sa, from.len);
	(void)!sendto(router, p, size, 0, &from.u.sa, from.len);

	timer_start(&tmr, 0, stop_h, NULL);
	must(!re_main(NULL));
	timer_start(&tmr, 0, stop_h, NULL);
	must(!re_main(NULL));
	timer_cancel(&tmr);
	mem_deref(m);
	while (recv(router, q, sizeof(q), MSG_DONTWAIT) > 0)
		;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct portmap_answer a;
	uint8_t *copy;

	if (!size || size > PORTMAP_MAX)
		return 0;
	if (router < 0)
		begin();

	copy = malloc(size);
	must(copy);
	memcpy(copy, data, size);
	if (!portmap_read(&a, copy, size)) {
		must(a.kind <= PORTMAP_MAP);
		(void)portmap_result(a.version, a.result);
		must(portmap_error(portmap_result(a.version, a.result)));
	}
	free(copy);

	to_client(data + 1, size - 1, data[0] & 1);

	return 0;
}
