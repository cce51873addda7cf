/**
 * @file link.h  What the phone and whoever holds its terminal say to each
 * other: packets that begin with a letter
 */
#ifndef OFFHOOK_LINK_H
#define OFFHOOK_LINK_H

#include <stdbool.h>

enum {
	/* holder to phone */
	LINK_HELLO    = 'H',     /* struct link_hello, two descriptors       */
	LINK_SIZE     = 'W',     /* the terminal's size has changed          */
	LINK_CONTINUE = 'C',     /* it is ours again                         */
	LINK_LEAVE    = 'T',     /* a signal: hang up and leave              */
	/* phone to holder */
	LINK_DETACHED = 'D',     /* leave, the phone goes on; why, or ""     */
	LINK_SUSPEND  = 'Z',     /* the shell's turn                         */
	LINK_WORD     = 'M',     /* a sentence for the user                  */
	LINK_END      = 'X',     /* the phone ends with this exit code       */

	LINK_HEAD = 8,           /* bytes before a struct: aligned           */
	LINK_MSG = 512,
};

struct link_hello {
	char term[64], lang[64], colorfgbg[16];
	bool no_color;
};

#endif
