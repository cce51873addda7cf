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

/* wants to know who prints; we only divert what libre does */
#define DEBUG_MODULE "offhook"
#define DEBUG_LEVEL 0
#include <re_dbg.h>
#undef DEBUG_MODULE
#undef DEBUG_LEVEL

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

/*
 * A watched descriptor.  From 3.6.0 libre hands out an object for it where it
 * used to be known by its number.  The watch must not move while it is on.
 */
struct compat_fd {
#if RE_VER >= 30600
	struct re_fhs *fhs;
#else
	int fd;
#endif
};

static inline int compat_fd_listen(struct compat_fd *w, int fd, int flags,
				   fd_h *h, void *arg)
{
#if RE_VER >= 30600
	return fd_listen(&w->fhs, fd, flags, h, arg);
#else
	w->fd = fd;
	return fd_listen(fd, flags, h, arg);
#endif
}

/** Before the descriptor itself is closed */
static inline void compat_fd_close(struct compat_fd *w)
{
#if RE_VER >= 30600
	w->fhs = fd_close(w->fhs);
#else
	fd_close(w->fd);
	w->fd = -1;
#endif
}

/** The descriptor of a UDP socket; before 4.0.0 it has one a family */
static inline int compat_udp_fd(const struct udp_sock *us, int af)
{
#if RE_VER >= 40000
	(void)af;
	return (int)udp_sock_fd(us);
#else
	return udp_sock_fd(us, af);
#endif
}

/** The descriptor of a TCP connection; -1 from 2.3.0 on, which hides it */
static inline int compat_tcp_fd(const struct tcp_conn *tc)
{
#if RE_VER >= 20300
	(void)tc;
	return -1;
#else
	return tcp_conn_fd(tc);
#endif
}

/** Version of libre as the build saw it, for --version */
static inline const char *compat_re_version(void)
{
	return sys_libre_version_get();
}

#endif
