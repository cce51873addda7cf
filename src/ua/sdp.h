/**
 * @file ua/sdp.h  Reading session descriptions (RFC 8866)
 *
 * What a phone needs to know of a description, checked and bounded.  All
 * strings point into the caller's text, which must outlive the result.  What
 * we do not understand is skipped where the RFC allows it; what breaks the
 * grammar is refused as a whole.  Pure; main thread.
 */
#ifndef OFFHOOK_UA_SDP_H
#define OFFHOOK_UA_SDP_H

#include "offhook/media.h"

/* libre's own has had two names */
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

enum {
	DESC_TEXT_MAX    = 65536,
	DESC_MEDIA_MAX   = 32,
	DESC_FORMATS_MAX = 128,  /* in one m= line                          */
	DESC_TOKEN_MAX   = 63,   /* media type, protocol, format            */
	DESC_CRYPTO_MAX  = 16,   /* what is beyond is not looked at         */
	DESC_PRINT_MAX   = 4,
	DESC_CAND_MAX    = 32,
	DESC_GROUP_MAX   = 4,
};

struct desc_format {
	struct pl id;            /* as written                              */
	int pt;                  /* payload type, -1: it is none            */
	struct pl name;          /* of the rtpmap, unset: there is none     */
	uint32_t clock_hz;
	unsigned channels;       /* 0: not said                             */
	struct pl fmtp;          /* unset: there is none                    */
};

struct desc_media {
	struct pl type;          /* "audio"                                 */
	struct pl proto;         /* "RTP/AVP"                               */
	uint16_t port;           /* 0: refused or removed                   */
	struct desc_format *fmtv;
	unsigned fmtc;
	/** Its own c= or the session's; unset: none, a host name, multicast,
	 *  another kind of network: nothing we can send to */
	struct sa addr;
	enum media_dir dir;      /* as its writer sees it                   */
	uint32_t ptime_ms;       /* 0: not said                             */
	uint32_t maxptime_ms;
	uint16_t rtcp_port;      /* a=rtcp, 0: not said                     */
	struct sa rtcp_addr;     /* unset: as addr                          */
	bool rtcp_mux, rtcp_rsize;
	bool xr;                 /* a=rtcp-xr with voip-metrics             */
	bool nack_all;           /* a=rtcp-fb:* nack,                       */
	uint64_t nack_pt[2];     /*   or of these payload types: bits       */
	struct pl cryptov[DESC_CRYPTO_MAX];      /* values of a=crypto      */
	unsigned cryptoc;
	struct pl printv[DESC_PRINT_MAX];        /* a=fingerprint, its own
						    or the session's        */
	unsigned printc;
	struct pl setup;         /* the same for a=setup; unset: not said   */
	struct pl ufrag, pwd;    /* of ICE: its own or the session's        */
	bool ice_mismatch;       /* somebody has written another address    */
	struct pl candv[DESC_CAND_MAX];          /* values of a=candidate   */
	unsigned candc;
	struct pl mid;           /* its name among the lines; unset: none   */
	bool bundle_only;        /* port 0 means: by the bundle's           */
	bool bundled;            /* of a group that shares one port         */
};

struct desc {
	uint64_t id, version;    /* of the o= line                          */
	bool ice_lite;
	struct desc_format *fmtv;/* all formats, owned                      */
	unsigned mediac;
	struct desc_media mediav[];
};

/** libre's sa_isset takes 0.0.0.0, which is an old way to say hold, for
 *  no address */
static inline bool desc_addr_given(const struct sa *sa)
{
	return sa_af(sa) != AF_UNSPEC;
}


/**
 * Read a description. Free: mem_deref
 *
 * @return 0, EBADMSG (malformed), EOVERFLOW (beyond a limit), ENOMEM
 */
int desc_read(struct desc **dp, const char *text, size_t len);

/**
 * Lines that share one port (RFC 8843): what stands at the first of a group
 * alone holds for the others, too.
 *
 * @param groupv  values of a=group: "BUNDLE audio video"
 */
void desc_bundle(struct desc *d, const struct pl *groupv, unsigned groupc);

#endif
