/**
 * @file fake_locate.h  A name service that says what the test wants
 */
#ifndef FAKE_LOCATE_H
#define FAKE_LOCATE_H

#include <stdbool.h>

/** What `resolve` asked for: "locate URI over TRANSPORT [fresh]" */
const char *fake_locate_asked(void);
/** Its answer: three steps and, when found, two targets, one of them dead */
void fake_locate_done(bool found);
/** The number is that URI; NULL: not listed; "" : no answer */
void fake_enum_done(const char *uri);

#endif
