/**
 * @file ua/message.h  Inside messages
 */
#ifndef OFFHOOK_UA_MESSAGE_H
#define OFFHOOK_UA_MESSAGE_H

#include "priv.h"
#include "reach.h"
#include "requests.h"

#endif
