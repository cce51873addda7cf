/**
 * @file media/bytes.h  Numbers as they stand in packets: the high byte first
 *
 * Whoever calls has looked that the bytes are there.
 */
#ifndef OFFHOOK_MEDIA_BYTES_H
#define OFFHOOK_MEDIA_BYTES_H

#include <stdint.h>


static inline uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}


static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		(uint32_t)p[2] << 8 | p[3];
}


/** @return what is behind it */
static inline uint8_t *put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;

	return p + 2;
}


static inline uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;

	return p + 4;
}

#endif
