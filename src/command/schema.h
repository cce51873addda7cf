/**
 * @file command/schema.h  The JSON protocol as a JSON Schema
 */
#ifndef OFFHOOK_COMMAND_SCHEMA_H
#define OFFHOOK_COMMAND_SCHEMA_H

/** free() */
char *schema_dump(void);

#endif
