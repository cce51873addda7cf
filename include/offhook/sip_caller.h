/**
 * @file sip_caller.h  What a request tells of who calls, and how
 *
 * Who the network says it is (P-Asserted-Identity, RFC 3325; Remote-Party-ID),
 * what is to be kept private (RFC 3323), who has sent the call on (Diversion,
 * RFC 5806; History-Info, RFC 7044), what an Identity header says (RFC 8224,
 * 8225), and whether the caller wants to be answered by the phone itself
 * (RFC 5373, Alert-Info, Call-Info).  Read only: whom to believe is the
 * user's business, no signature is checked, and everything is a stranger's
 * text.  Any thread that owns the message.
 */
#ifndef OFFHOOK_SIP_CALLER_H
#define OFFHOOK_SIP_CALLER_H

#include "offhook/sip.h"

struct sip_party {
	char uri[256];           /* "" none                                  */
	char name[128];          /* display name, "" none                    */
};

enum { SIP_DIVERTERS = 4 };

/** Somebody who has sent the call on */
struct sip_diverter {
	struct sip_party by;
	char reason[32];         /* as RFC 5806 has it: "user-busy" ...; ""  */
};

/** What a PASSporT claims; nothing of it is proven here */
struct sip_passport {
	bool there;              /* an Identity header came                  */
	bool readable;           /* ... and its token could be read          */
	char attest[4];          /* "A", "B", "C"; "" it does not say        */
	char type[16];           /* ppt: "shaken" ...                        */
	char orig[128];          /* number or URI that calls                 */
	char dest[128];          /* the first one that is called             */
	char origid[64];
	uint64_t iat_s;          /* when it was made, seconds since 1970     */
	char info[256];          /* where the certificate should be          */
};

struct sip_caller {
	struct sip_party asserted;       /* P-Asserted-Identity, sip: first  */
	char asserted_tel[128];          /* the tel: one beside it, "" none  */
	struct sip_party preferred;      /* P-Preferred-Identity             */
	struct sip_party remote;         /* Remote-Party-ID of the caller    */
	bool remote_screened;            /* ... screen=yes                   */
	char privacy[64];                /* "id", "header;user" ...; "" none */
	unsigned divertc;                /* who sent it on last comes first  */
	struct sip_diverter divertv[SIP_DIVERTERS];
	struct sip_passport passport;
};

/** @return false: the request tells nothing of the kind, c is zero */
bool sip_caller_read(struct sip_caller *c, const struct sip_info *in);
/** A URI with one name-addr or addr-spec taken apart, as in these headers.
 *  @return 0, EBADMSG, EOVERFLOW */
int  sip_party_parse(struct sip_party *p, const char *text, size_t len);
/** Claims of one Identity value. @return 0, EBADMSG (p says that one came) */
int  sip_passport_parse(struct sip_passport *p, const char *value,
			size_t len);

/** Earlier Diversion and History-Info of a request as whole lines with CRLF,
 *  for who sends it on; bounded. @return 0, ENOMEM, EOVERFLOW */
int  sip_diversion_lines(char **lines, const struct sip_info *in);
/**
 * What to put into a 302 beside its Contact (RFC 5806, 7044 10.1): we, uri by,
 * send a call on to target. earlier: lines of sip_diversion_lines, or NULL.
 * reason: "user-busy" ... @return 0, ENOMEM, EOVERFLOW
 */
int  sip_diversion_write(char **lines, const char *by, const char *target,
			 const char *reason, const char *earlier);

/** Does the caller ask the phone to answer by itself, or not to? */
struct sip_auto_answer {
	bool wanted;
	bool manual;             /* Answer-Mode: Manual                      */
	bool required;           /* ... or refuse the call with 403          */
	bool by_mode;            /* by Answer-Mode: an answer says how       */
	uint32_t after_ms;
};
void sip_auto_answer_read(struct sip_auto_answer *a,
			  const struct sip_info *in);

/** Is the sender one of the servers of this identity? */
bool sip_ident_serves(const struct sip_ident *id, const struct sip_info *in);

#endif
