/**
 * @file ua/body_priv.h  Shared by the readers of bodies
 */
#ifndef OFFHOOK_UA_BODY_PRIV_H
#define OFFHOOK_UA_BODY_PRIV_H

#include "body.h"
#include "offhook/text.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"

/** A copy that is cut on a character boundary */
void body_copy(char *dst, size_t sz, const char *src, size_t len);
void body_copy_str(char *dst, size_t sz, const char *src);
/** A number, 0 when it is none */
uint32_t body_u32(const char *s, uint32_t max);
/** The next line, without its end and the white space around it.
 *  @return false: no more */
bool body_line(struct pl *line, struct pl *rest);
/** "Name: value" in two; @return false: no colon */
bool body_field(struct pl *name, struct pl *val, const struct pl *line);
/** mbuf_printf of one element: <name>text</name> with the text escaped */
int body_element(struct mbuf *mb, const char *name, const char *text);

#endif
