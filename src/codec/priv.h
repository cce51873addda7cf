/**
 * @file priv.h  The codecs codec.c lists; each file keeps its own
 */
#ifndef OFFHOOK_CODEC_PRIV_H
#define OFFHOOK_CODEC_PRIV_H

#include <offhook/codec.h>

extern const struct codec codec_pcmu;
extern const struct codec codec_pcma;
extern const struct codec codec_l16;
extern const struct codec codec_opus;
extern const struct codec codec_g722;     /* with spandsp only */
extern const struct codec codec_gsm;      /* the same */

#endif
