/**
 * @file adapt.h  What an encoder should do about loss on the way
 *
 * The peer's reports in, settings out.  Pure; media thread.
 */
#ifndef OFFHOOK_MEDIA_ADAPT_H
#define OFFHOOK_MEDIA_ADAPT_H

#include <stdbool.h>
#include <stdint.h>

struct adapt {
	int wanted;              /* bit/s when all is well, 0: not known    */
	int bitrate;             /* bit/s now                               */
	int loss_pct;            /* the encoder is to expect                */
	double loss;             /* share lost, averaged                    */
	uint64_t sent_then;      /* packets, at the last report             */
	unsigned level;          /* of expectation                          */
	double dense;            /* share lost of its bursts, as it says    */
	bool in_band;            /* packets hold a copy of the one before   */
	double copy_loss;        /* share lost before there were copies     */
	unsigned copied;         /* reports since, 0: none are sent         */
	unsigned refrain;        /* reports until they are tried again      */
	unsigned calm;           /* reports in a row that ask for less      */
	double cut_loss;         /* most lost since we began to send less   */
	unsigned cuts;           /* times we did                            */
	unsigned vain;           /* reports until it is tried again         */
	unsigned ptime_wanted;   /* ms of a packet when all is well, 0: not
				    to be changed                           */
	unsigned ptime_most;
	unsigned ptime_ms;       /* now                                     */
};

/** bitrate: what is wanted when all is well, 0: the codec's own choice, left
 *  alone. What is known of the way is kept; zeroed memory knows nothing */
void adapt_want(struct adapt *a, int bitrate);
/** The encoder puts copies into its packets itself: see adapt_distance */
void adapt_in_band(struct adapt *a, bool on);
/** Packets may become longer, when less should be sent: in steps of 20 ms */
void adapt_packets(struct adapt *a, unsigned wanted_ms, unsigned most_ms);
/**
 * A report: lost of 256 since the last; sent: packets from the begin.
 * @return true when bitrate, loss_pct or ptime_ms have changed
 */
bool adapt_report(struct adapt *a, unsigned lost_256, uint64_t sent);

/** The peer tells what share of its packets is lost in bursts (RFC 3611) */
void adapt_burst(struct adapt *a, double burst_pct);

/** How many packets before should go along with each? 0: it misses none,
 *  lately; more the more it misses in a row */
unsigned adapt_copies(const struct adapt *a);
/** The same of an encoder whose packets hold a poorer copy of the one before,
 *  which mends what is lost singly: how far back is the one packet that should
 *  go along? 0: in-band copies are enough */
unsigned adapt_distance(const struct adapt *a);

#endif
