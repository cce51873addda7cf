/**
 * @file compat.h  The one place that includes libre and librem
 *
 * libre's headers need defines that its .pc file does not give; the build
 * passes them together with RE_VER (10100 for 1.1.0, 20001 for 2.0.1), taken
 * from pkg-config, because no libre header carries a version.  Whatever
 * differs between the releases is wrapped here and nowhere else.
 */
#ifndef OFFHOOK_COMPAT_H
#define OFFHOOK_COMPAT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <re.h>
#include <rem.h>

#ifndef RE_VER
#error "the build must pass RE_VER"
#endif

/*
 * A sip_send_h in the shape this libre wants.  From 2.1.0 the source address
 * is writable and a container buffer is passed too; a handler in the wrong
 * shape would only warn and then corrupt memory.
 */
#if RE_VER >= 20100
#define DECL_SENDH(name)						\
	int name(enum sip_transp tp, struct sa *src,			\
		 const struct sa *dst, struct mbuf *mb,			\
		 struct mbuf **contp, void *arg)
#else
#define DECL_SENDH(name)						\
	int name(enum sip_transp tp, const struct sa *src,		\
		 const struct sa *dst, struct mbuf *mb, void *arg)
#endif

/** Version of libre as the build saw it, for --version */
static inline const char *compat_re_version(void)
{
	return sys_libre_version_get();
}

#endif
