/**
 * @file media/stun.h  STUN messages (RFC 8489), read and written
 *
 * A message is read in place, whole or not at all; attributes that we do not
 * know are noted when they must be understood.  Ours and not libre's: no
 * memory is taken for what comes from outside.  Pure; any thread.
 */
#ifndef OFFHOOK_MEDIA_STUN_H
#define OFFHOOK_MEDIA_STUN_H

#include <offhook/compat.h>

enum {
	STUN_HEAD    = 20,
	STUN_TID     = 12,
	STUN_MSG_MAX = 1500,
	STUN_TEXT    = 256,      /* realm, nonce, user name                 */
};

/* Methods */
enum {
	SM_BINDING = 0x001, SM_ALLOCATE = 0x003, SM_REFRESH = 0x004,
	SM_SEND = 0x006, SM_DATA = 0x007, SM_PERMISSION = 0x008,
	SM_CHANNEL = 0x009,
};

enum stun_class { SC_REQUEST, SC_INDICATION, SC_SUCCESS, SC_ERROR };

/* Attributes */
enum {
	SA_MAPPED = 0x0001, SA_USERNAME = 0x0006, SA_INTEGRITY = 0x0008,
	SA_ERROR = 0x0009, SA_UNKNOWN = 0x000a, SA_CHANNEL = 0x000c,
	SA_LIFETIME = 0x000d, SA_PEER = 0x0012, SA_DATA = 0x0013,
	SA_REALM = 0x0014, SA_NONCE = 0x0015, SA_RELAYED = 0x0016,
	SA_FAMILY = 0x0017, SA_TRANSPORT = 0x0019, SA_XOR_MAPPED = 0x0020,
	SA_PRIORITY = 0x0024, SA_USE = 0x0025, SA_SOFTWARE = 0x8022,
	SA_ALTERNATE = 0x8023, SA_FINGERPRINT = 0x8028,
	SA_CONTROLLED = 0x8029, SA_CONTROLLING = 0x802a,
};

/** One that came; points into the packet */
struct stun_in {
	const uint8_t *p;
	size_t len;
	enum stun_class cls;
	unsigned method;
	const uint8_t *tid;
	struct sa mapped;        /* unset: none; XOR-MAPPED comes first     */
	struct sa relayed, peer;
	struct sa alternate;     /* go there instead (error 300)            */
	struct pl user, realm, nonce, data;
	unsigned error;          /* of an error response, 0: none           */
	uint32_t lifetime, priority;
	bool has_lifetime, has_priority, use;
	bool controlling, controlled;
	uint64_t tiebreak;
	size_t integrity;        /* where it begins, 0: none                */
	unsigned unknown;        /* first one that had to be understood     */
};

/** Is it STUN by its first bytes and length (RFC 7983)? */
bool stunmsg_is(const uint8_t *p, size_t len);
/** @return 0, EBADMSG */
int  stunmsg_read(struct stun_in *m, const uint8_t *p, size_t len);
/** Its MESSAGE-INTEGRITY by this key. @return 0, EACCES (wrong, or none) */
int  stunmsg_check(const struct stun_in *m, const uint8_t *key, size_t keylen);

/** One that goes */
struct stun_out {
	uint8_t p[STUN_MSG_MAX];
	size_t len;
	bool full;               /* it did not fit: of no use               */
};

/** tid NULL: by chance */
void stunmsg_begin(struct stun_out *o, unsigned method, enum stun_class cls,
		   const uint8_t *tid);
void stunmsg_attr(struct stun_out *o, unsigned type, const void *v,
		  size_t len);
void stunmsg_u32(struct stun_out *o, unsigned type, uint32_t v);
void stunmsg_u64(struct stun_out *o, unsigned type, uint64_t v);
void stunmsg_addr(struct stun_out *o, unsigned type, const struct sa *sa);
void stunmsg_error(struct stun_out *o, unsigned code, const char *reason);
/** key NULL: without MESSAGE-INTEGRITY; then FINGERPRINT.
 *  @return 0, EOVERFLOW */
int  stunmsg_end(struct stun_out *o, const uint8_t *key, size_t keylen,
		 bool fingerprint);

/** Key of the long-term credentials (RFC 8489 9.2.2), 16 bytes.
 *  @return 0, EOVERFLOW, ENOSYS (there is no MD5) */
int  stunmsg_long_key(uint8_t key[16], const char *user, const struct pl *realm,
		      const char *password);

#endif
