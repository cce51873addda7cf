/**
 * @file media/turn.h  A relay's client (RFC 8656): one allocation
 *
 * Over UDP its messages go by a handler and come by turn_recv; over TCP and
 * TLS it has a connection of its own.  Peers are reached by channels, which
 * are permissions too.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_TURN_H
#define OFFHOOK_MEDIA_TURN_H

#include <offhook/media_nat.h>

enum { TURN_PEERS = 16, TURN_ERR = 160 };

struct turn;
struct turn_stream;

typedef void (turn_send_h)(const uint8_t *p, size_t len, void *arg);
/** Something came from a peer; p may be worked on in place */
typedef void (turn_data_h)(const struct sa *peer, uint8_t *p, size_t len,
			   void *arg);

/** @return 0, EINVAL, ENOMEM ... */
int  turn_alloc(struct turn **tp, const struct media_nat *conf,
		turn_send_h *send_h, turn_data_h *data_h, void *arg);
/** A datagram, or a whole frame, from the server */
void turn_recv(struct turn *t, uint8_t *p, size_t len);
/** Say again, refresh; each 20 to 500 ms */
void turn_tick(struct turn *t, uint64_t now_us);
/** @return 0: allocated, EAGAIN: under way, else it failed for good */
int  turn_state(const struct turn *t);
const char *turn_error(const struct turn *t);
/** Where it sends us instead, once it failed; unset: nowhere */
const struct sa *turn_alternate(const struct turn *t);
const struct sa *turn_relayed(const struct turn *t);
const struct sa *turn_mapped(const struct turn *t);
/** We shall speak with that peer. @return 0, ENOSPC */
int  turn_permit(struct turn *t, const struct sa *peer);
/** @return 0, ENOTCONN (not permitted yet) */
int  turn_send(struct turn *t, const struct sa *peer, const uint8_t *p,
	       size_t len);
/** Is it there yet? Its state is EAGAIN until that is known */
void turn_check(struct turn *t);
/** Give the allocation back */
void turn_end(struct turn *t);

/* Over a connection (turn_stream.c) */

typedef void (turn_frame_h)(uint8_t *p, size_t len, void *arg);
typedef void (turn_lost_h)(const char *why, void *arg);
int  turn_stream_open(struct turn_stream **sp, const struct media_nat *conf,
		      turn_frame_h *frame_h, turn_lost_h *lost_h, void *arg);
void turn_stream_send(struct turn_stream *s, const uint8_t *p, size_t len);

#endif
