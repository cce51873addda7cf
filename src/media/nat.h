/**
 * @file media/nat.h  What a flow does to get through NATs
 *
 * Gathers with the servers before anything is agreed on, keeps what they gave
 * open, and lets ICE find the way.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_NAT_PRIV_H
#define OFFHOOK_MEDIA_NAT_PRIV_H

#include <offhook/media_nat.h>

struct nat;
struct flow;
struct packet;

struct media_conf;
/** Begin to gather; STREAM_GATHERED tells the end. @return 0, ENOMEM */
int  nat_alloc(struct nat **np, struct flow *f, const struct media_nat *conf,
	       const struct media_conf *mc);
void nat_gathered(const struct nat *n, struct media_gathered *g);
/** What was agreed on; the same again changes nothing. @return 0, ENOMEM */
int  nat_agree(struct nat *n, const struct media_ice *ice);
/** Its socket is about to be another one; and it is */
void nat_leave(struct nat *n);
void nat_arrive(struct nat *n);
/** Ask all anew, from these addresses beside the flow's own; gw NULL: no
 *  router. @return false: nobody is asked */
bool nat_again(struct nat *n, const struct sa *gw, const struct sa *basev,
	       unsigned basec);
/** Is the address that the sound leaves from one of these, or the flow's own? */
bool nat_based(const struct nat *n, const struct sa *addrv, unsigned addrc);
/** Is it for us? */
bool nat_packet(struct nat *n, struct packet *p);

/** ICE decides where packets go and whom we hear */
bool nat_rules(const struct nat *n);
bool nat_way(const struct nat *n);
int  nat_send(struct nat *n, const uint8_t *p, size_t len);
/** How ICE stands. @return false: there is none */
bool nat_ways(const struct nat *n, struct media_ways *w);
bool nat_knows(const struct nat *n, const struct sa *from);
/** Good-bye to the relay */
void nat_end(struct nat *n);

#endif
