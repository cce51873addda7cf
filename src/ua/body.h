/**
 * @file ua/body.h  Bodies of event packages and messages
 *
 * Presence (PIDF), dialogs, message waiting, registrations, progress of a
 * transfer, composing and delivery reports: text in, values out, and back.
 * Pure functions; any thread.  Everything read here is hostile: bounded in
 * size, depth and number, cut where it is too long, and still unescaped.
 */
#ifndef OFFHOOK_UA_BODY_H
#define OFFHOOK_UA_BODY_H

#include "offhook/compat.h"

enum {
	BODY_MAX      = 64 * 1024,     /* longest document that is read        */
	BODY_TEXT     = 256,           /* a value, with its NUL                */
	BODY_DIALOGS  = 16,            /* of one dialog-info                   */
	BODY_CONTACTS = 16,            /* of one reginfo                       */
	BODY_MEMBERS  = 64,            /* of one conference-info               */
};

/* XML ---------------------------------------------------------------------- */

/** An element; names without their prefix. Strings belong to the tree */
struct xml {
	const char *ns;                /* namespace URI, "" none               */
	const char *name;
	const char *text;              /* its own, joined and trimmed          */
	const struct xml *child;       /* the first                            */
	const struct xml *next;        /* sibling                              */
	const struct xml *parent;
	const char *const *attrv;      /* name, value, ..., NULL               */
};
/**
 * Read a whole document; a document type is refused. Free the root: mem_deref
 * @return 0, EBADMSG, E2BIG (too large or too deep), ENOMEM
 */
int xml_parse(const struct xml **root, const char *p, size_t len);
/** First child of that name, or the next one after it; NULL: none */
const struct xml *xml_child(const struct xml *x, const char *name);
const struct xml *xml_again(const struct xml *x);
/** Attribute, "" when absent */
const char *xml_attr(const struct xml *x, const char *name);
/** Text of a child, "" when absent */
const char *xml_text(const struct xml *x, const char *name);
/** Print as character data or attribute value: escaped, controls left out */
int xml_print(struct mbuf *mb, const char *text);

/* application/pidf+xml: RFC 3863, with activities of RFC 4480 -------------- */

struct pidf {
	char entity[BODY_TEXT];        /* pres: or sip: URI                    */
	bool open;                     /* any tuple is                         */
	char activity[32];             /* "away", "busy", "on-the-phone", ""   */
	char note[BODY_TEXT];
	char contact[BODY_TEXT];       /* of the best open tuple               */
};
/** @return 0, EBADMSG, E2BIG, ENOMEM */
int pidf_parse(struct pidf *p, const char *text, size_t len);
/** id: of the tuple, a token */
int pidf_print(struct mbuf *mb, const struct pidf *p, const char *id);

/* application/dialog-info+xml: RFC 4235 ------------------------------------ */

struct dialog_entry {
	char id[64];
	char callid[BODY_TEXT], local_tag[64], remote_tag[64];
	bool initiator;                /* it called                            */
	char state[16];                /* trying, proceeding, early, confirmed,
					  terminated                           */
	char event[24];                /* of the state: rejected, timeout ...  */
	uint16_t code;
	char local_uri[BODY_TEXT], remote_uri[BODY_TEXT];
	char remote_name[BODY_TEXT];
	char remote_target[BODY_TEXT];
};
struct dialog_info {
	char entity[BODY_TEXT];
	uint32_t version;
	bool full;
	unsigned count;
	struct dialog_entry v[BODY_DIALOGS];
};
/** Allocated, for it is large. @return 0, EBADMSG, E2BIG, ENOMEM */
int dialog_info_parse(struct dialog_info **dp, const char *text, size_t len);
int dialog_info_print(struct mbuf *mb, const struct dialog_info *d);
/**
 * Bring what is known of an entity up to date (4.3): a full state replaces, a
 * partial one changes by id; what terminated goes.
 * @return 0, EALREADY (old), ENOENT (a version is missing: ask anew)
 */
int dialog_info_merge(struct dialog_info *known,
		      const struct dialog_info *news);

/* application/simple-message-summary: RFC 3842 ----------------------------- */

struct mwi_summary {
	bool waiting;
	char account[BODY_TEXT];       /* URI to call for the messages         */
	uint32_t fresh, old;           /* voice messages; 0 when not told      */
	uint32_t fresh_urgent, old_urgent;
};
int mwi_parse(struct mwi_summary *m, const char *text, size_t len);
int mwi_print(struct mbuf *mb, const struct mwi_summary *m);

/* application/reginfo+xml: RFC 3680 ---------------------------------------- */

struct reginfo_contact {
	char uri[BODY_TEXT], name[BODY_TEXT];
	char state[16], event[24];     /* active/terminated; registered ...    */
	uint32_t expires_s;
};
struct reginfo {
	char aor[BODY_TEXT];
	char state[16];                /* init, active, terminated             */
	uint32_t version;
	bool full;
	unsigned count;
	struct reginfo_contact v[BODY_CONTACTS];
};
/** Allocated, for it is large. Of several registrations, the first */
int reginfo_parse(struct reginfo **rp, const char *text, size_t len);

/* application/conference-info+xml: RFC 4575 -------------------------------- */

enum conf_news { CONF_FULL, CONF_PARTIAL, CONF_DELETED };

struct conf_member {
	char uri[BODY_TEXT], name[BODY_TEXT];
	char state[24];                /* connected, on-hold, alerting ...     */
	enum conf_news news;
};
struct conf_info {
	char entity[BODY_TEXT];
	char subject[BODY_TEXT];       /* "" not told                          */
	uint32_t version;
	enum conf_news news;           /* deleted: there is no conference      */
	bool users_told, users_whole;  /* a list of members is there; of all   */
	unsigned count;
	struct conf_member v[BODY_MEMBERS];
};
/** Allocated, for it is large. @return 0, EBADMSG, E2BIG, ENOMEM */
int conf_info_parse(struct conf_info **cp, const char *text, size_t len);
/** Who came, changed, or left (state "left") */
typedef void (conf_change_h)(const struct conf_member *m, void *arg);
/**
 * Bring what is known of a conference up to date (4.4); h is told of each
 * member that is otherwise than before.
 * @return 0, EALREADY (old), ENOENT (a version is missing: ask anew)
 */
int conf_info_merge(struct conf_info *known, const struct conf_info *news,
		    conf_change_h *h, void *arg);

/* message/sipfrag: RFC 3420, as a transfer reports (RFC 3515 2.4.5) -------- */

struct sipfrag {
	uint16_t code;
	char reason[BODY_TEXT];
};
int sipfrag_parse(struct sipfrag *f, const char *text, size_t len);
int sipfrag_print(struct mbuf *mb, uint16_t code, const char *reason);

/* application/im-iscomposing+xml: RFC 3994 --------------------------------- */

struct composing {
	bool active;
	uint32_t refresh_s;            /* 0: not told                          */
};
int composing_parse(struct composing *c, const char *text, size_t len);
int composing_print(struct mbuf *mb, const struct composing *c);

/* message/cpim (RFC 3862) and message/imdn+xml (RFC 5438) ------------------ */

enum { CPIM_ROUTES = 4 };

#define IMDN_TYPE "message/imdn+xml"

struct cpim {
	char from[BODY_TEXT], to[BODY_TEXT];
	char message_id[64];           /* imdn.Message-ID, "" none             */
	bool want_delivered, want_failed, want_displayed;
				       /* imdn.Disposition-Notification        */
	char original[BODY_TEXT];      /* imdn.Original-To: whom it was for
					  before a server changed To, "" none  */
	char routev[CPIM_ROUTES][BODY_TEXT];   /* read: who wants the reports
					  to pass him (imdn.IMDN-Record-Route);
					  written: whom this report passes     */
	unsigned routec;               /* 0 as well: there were too many       */
	char subject[BODY_TEXT];
	char imdn[32];                 /* the prefix of its namespace          */
	char date[48];
	char ctype[128];               /* of what it wraps                     */
	struct pl body;                /* slice of what was read               */
};
int cpim_parse(struct cpim *c, const char *text, size_t len);
/** Is what is wrapped a report (RFC 5438 7.2.1)? */
bool cpim_is_report(const struct cpim *c);
/** body follows as it is; header values must not hold line ends: EINVAL */
int cpim_print(struct mbuf *mb, const struct cpim *c);

struct imdn {
	char message_id[64];
	char status[16];               /* delivered, displayed, failed,
					  forbidden, error, processed, stored  */
	char recipient[BODY_TEXT];     /* who has it, "" not told              */
	char original[BODY_TEXT];      /* whom it was for at first, the same   */
};
int imdn_parse(struct imdn *i, const char *text, size_t len);
int imdn_print(struct mbuf *mb, const struct imdn *i, const char *date);

#endif
