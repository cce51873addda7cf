/**
 * @file media/dtls.h  Keys for SRTP by a DTLS handshake (RFC 5764, 6347)
 *
 * One association, without a socket and without a clock: datagrams go in,
 * datagrams come out through a handler, and somebody asks now and then
 * whether something has to be said again.  The certificate of the other side
 * counts for nothing but its fingerprint, which its description told.
 */
#ifndef OFFHOOK_MEDIA_DTLS_H
#define OFFHOOK_MEDIA_DTLS_H

#include <offhook/media_secure.h>

enum {
	DTLS_MTU   = 1200,       /* what passes everywhere                  */
	DTLS_ERR   = 128,
};

/** Who we are in this run: a key and a certificate made for it */
struct dtls_id;

/** Any thread; takes about a millisecond. @return 0, ENOMEM, EPROTO */
int  dtls_id_alloc(struct dtls_id **idp);
void dtls_id_print(const struct dtls_id *id, struct media_print *print);

/* Of one thread */

enum dtls_state {
	DTLS_WAITING,            /* has not begun                           */
	DTLS_SHAKING,
	DTLS_DONE,               /* there are keys                          */
	DTLS_FAILED,             /* for good: see dtls_error                */
};

typedef void (dtls_send_h)(const uint8_t *p, size_t len, void *arg);

struct dtls;

/** @param id  outlives it
 *  @param active  we begin. @return 0, ENOMEM */
int  dtls_alloc(struct dtls **dp, struct dtls_id *id, bool active,
		const struct media_print *print, dtls_send_h *h, void *arg);
/** Begin if it is ours to */
void dtls_start(struct dtls *d);
void dtls_recv(struct dtls *d, const uint8_t *p, size_t len);
/** Say again what got lost; some times a second */
void dtls_poll(struct dtls *d);
/** Good-bye */
void dtls_end(struct dtls *d);
enum dtls_state dtls_state(const struct dtls *d);
/** Nothing of a handshake has come yet */
bool dtls_untouched(const struct dtls *d);
/** Why it failed, one sentence's end */
const char *dtls_error(const struct dtls *d);
/** What it agreed on; NULL: not yet */
const struct media_suite *dtls_suite(const struct dtls *d);
/** When it is done. tx, rx: MEDIA_KEY_MAX bytes. @return 0, ENOTCONN */
int  dtls_keys(const struct dtls *d, const struct media_suite **suite,
	       uint8_t *tx, uint8_t *rx);

/** Does it begin with a record of a handshake? */
static inline bool dtls_shakes(const uint8_t *p, size_t len)
{
	return len >= 13 && p[0] == 22;
}

/** Is it a DTLS record (RFC 7983)? */
static inline bool dtls_is(const uint8_t *p, size_t len)
{
	return len >= 13 && p[0] >= 20 && p[0] <= 63;
}

#endif
