/**
 * @file red.h  Redundant audio (RFC 2198): packets before once more
 *
 * Pure.
 */
#ifndef OFFHOOK_MEDIA_RED_H
#define OFFHOOK_MEDIA_RED_H

#include <stddef.h>
#include <stdint.h>

enum {
	RED_BLOCKS   = 6,        /* more in a packet is not believed        */
	RED_COPIES   = 3,        /* that we send in one                     */
	RED_DEPTH    = 4,        /* packets back is the oldest of them      */
	RED_BYTES    = 1200,     /* and no larger packet than that          */
	RED_BACK_MAX = 0x3fff,   /* clock units                             */
	RED_LEN_MAX  = 0x3ff,    /* bytes of a block that is not the last   */
};

struct red_block {
	uint8_t pt;
	uint32_t back;           /* clock units before the packet's stamp   */
	const uint8_t *p;
	size_t len;
};

/** Blocks as they come: the oldest first, the packet's own (back 0) last.
 *  @return how many, 0: malformed; they point into p */
unsigned red_read(struct red_block v[RED_BLOCKS], const uint8_t *p,
		  size_t len);
/** @return bytes, 0: it does not fit, or cannot be said */
size_t red_write(uint8_t *p, size_t size, const struct red_block *v,
		 unsigned n);

#endif
