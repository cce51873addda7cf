/**
 * @file plain_peer.c  A SIP peer on a thread of its own, without libre
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fault.h"
#include "plain_peer.h"

enum { SIZE = 8192, AGAIN_MS = 60, TRIES = 25, POLL_MS = 5 };

static struct {
	pthread_t thread;
	atomic_bool stop, done;
	int fd;
	uint16_t port, to;           /* to 0: it waits to be called          */
	struct plain_result r;
	char callid[256];            /* of the last INVITE it was sent       */
	char in[SIZE], out[SIZE];
	char ok[SIZE];               /* 200, until its ACK comes; "": none   */
	struct sockaddr_in ok_to;
	unsigned ok_age;             /* waits since it was sent              */
} peer;

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
	"c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8\r\n"
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n";


/* A header line of what came, without its end; "" when there is none */
static int line(char *buf, size_t sz, const char *name)
{
	char start[40];
	const char *p, *end;

	(void)snprintf(start, sizeof(start), "\r\n%s: ", name);
	p = strcasestr(peer.in, start);
	p = p ? p + 2 : "";
	end = strstr(p, "\r\n");

	return snprintf(buf, sz, "%.*s", end ? (int)(end - p) : 0, p);
}


static void put(const struct sockaddr_in *to)
{
	(void)sendto(peer.fd, peer.out, strlen(peer.out), 0, (void *)to,
		     sizeof(*to));
}


static void reply(const struct sockaddr_in *to, unsigned code, bool body)
{
	char via[1024], from[512], whom[512], id[300], cseq[100];

	(void)line(via, sizeof(via), "Via");
	(void)line(from, sizeof(from), "From");
	(void)line(whom, sizeof(whom), "To");
	(void)line(id, sizeof(id), "Call-ID");
	(void)line(cseq, sizeof(cseq), "CSeq");

	(void)snprintf(peer.out, sizeof(peer.out), "SIP/2.0 %u X\r\n%s\r\n"
		       "%s\r\n%s%s\r\n%s\r\n%s\r\n"
		       "Contact: <sip:peer@127.0.0.1:%u>\r\n%s"
		       "Content-Length: %zu\r\n\r\n%s", code, via, from, whom,
		       strstr(whom, "tag=") ? "" : ";tag=peer", id, cseq,
		       peer.port, body ? "Content-Type: application/sdp\r\n" :
		       "", body ? strlen(sdp) : 0, body ? sdp : "");
	put(to);
}


static bool is(const char *method)
{
	return !strncmp(peer.in, method, strlen(method));
}


/* A request of the other side's */
static void request(const struct sockaddr_in *from)
{
	char id[300];

	(void)line(id, sizeof(id), "Call-ID");

	if (is("INVITE ")) {
		if (strcmp(id, peer.callid))
			++peer.r.invited;
		(void)snprintf(peer.callid, sizeof(peer.callid), "%.255s",
			       id);
		reply(from, 180, false);
		reply(from, 200, true);
		peer.r.answered = true;
		memcpy(peer.ok, peer.out, sizeof(peer.ok));
		peer.ok_to = *from;
		peer.ok_age = 0;
	}
	else {
		peer.ok[0] = '\0';
	}

	if (!is("ACK ") && !is("INVITE ")) {
		if (is("BYE ") || is("CANCEL "))
			peer.r.over = true;
		reply(from, 200, false);
	}
}


/* @return status of a final response to this CSeq, 0: none came in time */
static unsigned await(int ms, const char *cseq)
{
	struct pollfd p = { .fd = peer.fd, .events = POLLIN };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char got[100];
	unsigned code;
	ssize_t n;

	if (poll(&p, 1, ms) != 1)
		return 0;

	n = recvfrom(peer.fd, peer.in, sizeof(peer.in) - 1, 0, (void *)&from,
		     &len);
	if (n <= 0)
		return 0;
	peer.in[n] = '\0';

	if (!is("SIP/2.0 ")) {
		request(&from);
		return 0;
	}

	(void)line(got, sizeof(got), "CSeq");
	if (!cseq || strcmp(got, cseq) ||
	    sscanf(peer.in, "SIP/2.0 %u", &code) != 1 || code < 200)
		return 0;

	return code;
}


static void compose(const char *method, unsigned cseq, unsigned branch,
		    const char *tag, const char *body)
{
	(void)snprintf(peer.out, sizeof(peer.out),
		       "%s sip:phone@127.0.0.1:%u SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKp%u%u\r\n"
		       "Max-Forwards: 70\r\n"
		       "From: <sip:peer@127.0.0.1:%u>;tag=peer\r\n"
		       "To: <sip:phone@127.0.0.1:%u>%s\r\n"
		       "Call-ID: %u-%u\r\nCSeq: %u %s\r\n"
		       "Contact: <sip:peer@127.0.0.1:%u>\r\n%s"
		       "Content-Length: %zu\r\n\r\n%s", method, peer.to,
		       peer.port, peer.port, branch, peer.port, peer.to, tag,
		       peer.port, peer.to, cseq, method, peer.port,
		       *body ? "Content-Type: application/sdp\r\n" : "",
		       strlen(body), body);
}


/* Send it until it is answered. @return the final status, 0: none */
static unsigned ask(const char *method, unsigned cseq, const char *tag,
		    const char *body)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(peer.to),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	char want[100];

	(void)snprintf(want, sizeof(want), "CSeq: %u %s", cseq, method);

	for (unsigned i = 0; i < TRIES && !peer.stop; i++) {

		compose(method, cseq, cseq, tag, body);
		put(&to);

		for (unsigned k = 0; k < AGAIN_MS / POLL_MS; k++) {
			const unsigned code = await(POLL_MS, want);

			if (!code)
				continue;

			if (!strcmp(method, "INVITE")) {
				compose("ACK", cseq, cseq + (code < 300 ?
					100 : 0), tag, "");
				put(&to);
			}
			return code;
		}
	}

	return 0;
}


static void call(void)
{
	char whom[512], tag[256] = "", hold[sizeof(sdp) + 20];
	const char *p;

	peer.r.invite = ask("INVITE", 1, "", sdp);
	if (peer.r.invite < 200 || peer.r.invite > 299)
		return;

	(void)line(whom, sizeof(whom), "To");
	p = strstr(whom, ";tag=");
	(void)snprintf(tag, sizeof(tag), "%.200s", p ? p : "");
	(void)snprintf(hold, sizeof(hold), "%sa=sendonly\r\n", sdp);

	/* the phone may have hung up already: then it is 481 */
	peer.r.reinvite = ask("INVITE", 2, tag, hold);
	peer.r.bye = ask("BYE", 3, tag, "");
}


static void *run(void *arg)
{
	(void)arg;

	fault_exempt(true);
	if (peer.to) {
		call();
		peer.done = true;
	}

	while (!peer.stop) {
		(void)await(POLL_MS, NULL);

		if (peer.ok[0] && ++peer.ok_age % (AGAIN_MS / POLL_MS) == 0)
			(void)sendto(peer.fd, peer.ok, strlen(peer.ok), 0,
				     (void *)&peer.ok_to,
				     sizeof(peer.ok_to));
	}

	return NULL;
}


static uint16_t start(uint16_t to)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(a);

	memset(&peer, 0, sizeof(peer));
	peer.to = to;
	fault_exempt(true);
	peer.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fault_exempt(false);
	if (peer.fd < 0)
		return 0;

	if (bind(peer.fd, (void *)&a, len) ||
	    getsockname(peer.fd, (void *)&a, &len)) {
		(void)close(peer.fd);
		return 0;
	}

	peer.port = ntohs(a.sin_port);
	if (pthread_create(&peer.thread, NULL, run, NULL)) {
		(void)close(peer.fd);
		return 0;
	}

	return peer.port;
}


uint16_t plain_peer_listen(void)
{
	return start(0);
}


uint16_t plain_peer_call(uint16_t port)
{
	return start(port);
}


bool plain_peer_done(void)
{
	return peer.done;
}


void plain_peer_stop(struct plain_result *r)
{
	peer.stop = true;
	(void)pthread_join(peer.thread, NULL);
	(void)close(peer.fd);
	*r = peer.r;
}
