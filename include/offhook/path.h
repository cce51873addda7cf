/**
 * @file path.h  Where files are, and writing them whole or not at all
 *
 * Main thread (it touches the disk).
 */
#ifndef OFFHOOK_PATH_H
#define OFFHOOK_PATH_H

#include <stdbool.h>
#include <stddef.h>

enum path_base {
	PATH_CONFIG,    /* $XDG_CONFIG_HOME/offhook                  */
	PATH_STATE,     /* $XDG_STATE_HOME/offhook                   */
	PATH_RUNTIME,   /* $XDG_RUNTIME_DIR/offhook                  */
};

/**
 * Build the path of a file in a base directory (nothing is created).
 * @return 0, ENOENT when neither the variable nor HOME is set, EOVERFLOW
 */
int path_base(char *buf, size_t sz, enum path_base base, const char *file);
int path_join(char *buf, size_t sz, const char *dir, const char *file);

/** A directory and its parents, mode 0700 for what is made. @return errno */
int path_mkdirs(const char *dir);

/** Read a whole file of at most max bytes, NUL added. Caller frees *textp */
int path_read(char **textp, size_t *lenp, const char *path, size_t max);

/**
 * Replace a file by a new one: temporary file, fsync, rename; mode applies
 * to a new file, 0666 less what the umask takes away; an existing one keeps
 * its own. The old file is untouched on failure. Main thread.
 * @return 0 or errno
 */
int path_write(const char *path, const char *text, size_t len, unsigned mode);

/** FILE becomes FILE.1, that FILE.2 ... and the one behind `keep` is gone;
 *  0: FILE itself. @return 0 or errno */
int  path_turn(const char *path, unsigned keep);

/**
 * While files of the folder that path is in are read, changed and written:
 * another phone waits, as this one does for 500 ms at most, each in its turn.
 * A folder that can hold no lock is no hindrance: *fdp is -1.
 * @return 0: end it with path_unlock(*fdp); EBUSY
 */
int  path_lock(int *fdp, const char *path);
void path_unlock(int fd);

/** The sounds directory: $OFFHOOK_SOUNDS, the installed one, or the source's */
int path_sound(char *buf, size_t sz, const char *file);

#endif
