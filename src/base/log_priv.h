/**
 * @file log_priv.h  Between the files of the log
 */
#ifndef OFFHOOK_LOG_PRIV_H
#define OFFHOOK_LOG_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <offhook/log.h>

enum { LOG_MODULE_SIZE = 16, LOG_TEXT_SIZE = 480 };

/** One line, before it has a form */
struct log_record {
	uint64_t time;              /* wall ms                               */
	enum log_level level;
	char module[LOG_MODULE_SIZE];
	char text[LOG_TEXT_SIZE];   /* escaped: one line of valid UTF-8      */
};

/* log_sink.c: main only */

/** Into whatever the log is; never waits */
void log_sink_write(const struct log_record *rec);
/** What has gone wrong there since it was asked, once; NULL: nothing */
const char *log_sink_trouble(void);

#endif
