/**
 * @file astray.h  Has the echo gone to where the canceller does not look?
 */
#ifndef OFFHOOK_MEDIA_ASTRAY_H
#define OFFHOOK_MEDIA_ASTRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Blocks of 10 ms; zeroed is a fresh one */
struct astray {
	double room;             /* mean square of what it still holds      */
	double in, out;          /* lately: captured, left of it            */
	double back, cause;      /* echo and what it came from              */
	unsigned learnt;         /* blocks in which it went well            */
	unsigned wrong;          /* ... and not                             */
	unsigned rests;          /* blocks for which it has rested; 0: not  */
	unsigned recovers;       /* blocks that it may need for that        */
	bool down;               /* this block is to be hidden              */
	float gain;              /* 1 - what it is, so that zero is none    */
};

/** The canceller is not to learn just now, and is passed by */
bool astray_rests(const struct astray *a);
/**
 * What it made of a block. Mean squares: far of the reference, mic of what was
 * captured, left of what came out; left as mic while it rests. doubt: there are
 * other signs that the echo has gone elsewhere
 */
void astray_look(struct astray *a, double far, double mic, double left,
		 bool doubt);
/** It rests no more: the echo has been found, or was never gone */
void astray_found(struct astray *a);
/** Turns down what is to be sent, as long as that is an echo */
void astray_hide(struct astray *a, int16_t *v, size_t n);

#endif
