/**
 * @file ua/json.h  jansson beside libre
 *
 * Both name two enumerators alike; jansson's get another name here.
 */
#ifndef OFFHOOK_UA_JSON_H
#define OFFHOOK_UA_JSON_H

#include "offhook/compat.h"

#define JSON_STRING JANSSON_STRING
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>

#endif
