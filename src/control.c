/**
 * @file control.c  The phone's own control socket: where it is, who may
 *
 * One phone of a configuration directory has it: the one that holds the lock
 * beside it, so a second phone neither takes it away nor shares it.  TCP is
 * for who was configured to, with a token that the phone makes itself.  Main
 * thread.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <offhook/random.h>
#include "offhook/log.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "main.h"

#define LOG_MODULE "control"

enum { TOKEN_BYTES = 24, TOKEN_MAX = 4096, TOKEN_LEAST = 16 };


int control_path(const struct app *a, char *buf, size_t sz, const char *ext)
{
	char name[PLACE_NAME + 8];

	place_name(a, name);
	strcat(name, ext);

	return path_base(buf, sz, PATH_RUNTIME, name);
}


/* A phone that stays; what ends with one call is nobody's to join */
static bool wanted(const struct app *a)
{
	return a->ph.config->control && !a->args.command && !a->args.file;
}


/* @return 0, EWOULDBLOCK: another phone has it */
static int lock_take(struct app *a)
{
	char path[1024], dir[1024];
	int err;

	err = control_path(a, path, sizeof(path), ".lock");
	if (!err)
		err = text_copy(dir, sizeof(dir), path,
				(size_t)(strrchr(path, '/') - path));
	if (!err)
		err = path_mkdirs(dir);
	if (err)
		return err;

	a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	if (a->lock_fd < 0)
		return errno;

	if (flock(a->lock_fd, LOCK_EX | LOCK_NB)) {
		err = errno;
		close(a->lock_fd);
		a->lock_fd = -1;
		return err;
	}

	return 0;
}


/* TCP ---------------------------------------------------------------------- */

/* "5099", "ADDR:5099", "[V6]:5099" */
static int tcp_parse(struct sa *sa, const char *text)
{
	char addr[64];
	uint16_t port = 0;
	uint32_t n;

	if (!text_u32(&n, text, strlen(text), 65535))
		return n ? sa_set_str(sa, "127.0.0.1", (uint16_t)n) : EINVAL;

	if (text_addr(addr, sizeof(addr), &port, text, strlen(text)) || !port)
		return EINVAL;

	return sa_set_str(sa, addr, port);
}


static int token_make(const char *path, char *buf, size_t sz)
{
	unsigned char bytes[TOKEN_BYTES];
	size_t n = 0;

	random_fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		n += (size_t)snprintf(buf + n, sz - n, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
	buf[n] = '\n';
	buf[n + 1] = '\0';

	return path_write(path, buf, n + 1, 0600);
}


/* In the configuration directory; made when it is not there */
static int token_read(const struct app *a, char *buf, size_t sz, char *err)
{
	char path[1024], *text = NULL;
	struct stat st;
	size_t len;
	int e;

	if (!a->ph.config_dir[0]) {
		snprintf(err, UA_ERR, "control-tcp: there is no configuration "
			 "directory for its token");
		return ENOENT;
	}

	e = path_join(path, sizeof(path), a->ph.config_dir, "control-token");
	if (!e)
		e = path_read(&text, &len, path, TOKEN_MAX);
	if (e == ENOENT) {
		e = path_mkdirs(a->ph.config_dir);
		if (!e)
			e = token_make(path, buf, sz);
	}
	else if (!e) {
		e = text_copy(buf, sz, text, len);
		explicit_bzero(text, len);
	}
	free(text);

	if (!e && !stat(path, &st) && st.st_mode & 077) {
		snprintf(err, UA_ERR, "%.150s: others may read it; chmod 600 "
			 "keeps it secret", path);
		return EACCES;
	}

	buf[e ? 0 : strcspn(buf, "\r\n")] = '\0';
	if (!e && strlen(buf) < TOKEN_LEAST) {
		snprintf(err, UA_ERR, "%.150s: a token has at least %d "
			 "characters", path, TOKEN_LEAST);
		return EINVAL;
	}
	if (e)
		snprintf(err, UA_ERR, "%.150s: %s", path, strerror(e));

	return e;
}


/* Start -------------------------------------------------------------------- */

int control_start(struct app *a)
{
	char path[1024], token[TOKEN_MAX] = "", err[UA_ERR] = "";
	const char *tcp = a->ph.config->control_tcp;
	struct ui_control_conf conf = { .path = path, .token = token };
	struct sa sa;
	int e;

	if (!wanted(a))
		return 0;

	e = lock_take(a);
	if (e == EWOULDBLOCK) {
		log_info("another phone with this configuration runs: it has "
			 "the control socket");
		return 0;
	}
	if (!e)
		e = control_path(a, path, sizeof(path), ".sock");
	if (e) {
		/* a phone nobody can talk to is a phone */
		log_warn("no control socket: %s", strerror(e));
		return 0;
	}

	if (*tcp) {
		/* all addresses are more than anybody means, and are not
		 * known when it is said */
		e = tcp_parse(&sa, tcp);
		if (e || sa_is_any(&sa)) {
			snprintf(err, sizeof(err), "control-tcp is '%.60s'; "
				 "it takes a port, or ADDR:PORT%s", tcp,
				 e ? "" : ", and one address, not all");
			fatal(a, "bad-config", err);
			return EXIT_USAGE;
		}
		if (token_read(a, token, sizeof(token), err)) {
			fatal(a, "bad-config", err);
			return EXIT_USAGE;
		}
		conf.tcp = &sa;
	}

	e = ui_control_alloc(&a->control, &a->ph, &conf, err);
	explicit_bzero(token, sizeof(token));
	if (e && *tcp) {
		fatal(a, error_token(e), err[0] ? err : strerror(e));
		return e == EADDRINUSE ? EXIT_NETWORK : 1;
	}
	if (e)
		log_warn("no control socket: %s", err[0] ? err : strerror(e));

	return 0;
}


void control_stop(struct app *a)
{
	ui_control_stop(a->control);
	a->control = mem_deref(a->control);

	/* the file stays: another phone may hold it open already */
	if (a->lock_fd >= 0)
		close(a->lock_fd);
	a->lock_fd = -1;
}
