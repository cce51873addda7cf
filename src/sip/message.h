/**
 * @file sip/message.h  A message that is written plainly, decoded at once
 */

/**
 * Decode a message as libre does, sooner.  Main thread.
 *
 * @param mp  set; the struct libre would have made, but that its headers are
 *            part of it: none is held longer than the message
 * @param mb  from its position on; it is held, and stands at the body then
 *
 * @return 0, EBADMSG, ENODATA, ENOMEM and others of sip_msg_decode
 */
int message_decode(struct sip_msg **mp, struct mbuf *mb);

/** Without libre's help. @return 0, ENOMEM, EAGAIN: it is not plain */
int message_plain(struct sip_msg **mp, struct mbuf *mb);
