/* sip_client.h - a bare SIP endpoint: sends what it is told, forged or not, and shows what arrives.
 * One thread; messages are text. */
#ifndef TEST_SIP_CLIENT_H
#define TEST_SIP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "sip_stream.h"

struct client;
/** A message that arrived: [owned] by the client until the next client_forget(). NULL when none came. */
typedef const char message;

struct client *client_open(const char *username, int server_port);
/** On this address and port (0: any). */
struct client *client_open_at(const char *username, int server_port, const char *address, int port);
/** The same on a connection, which it takes over; its Contact is what a browser writes: a host that does not exist. */
struct client *client_open_stream(const char *username, struct stream *stream);
/** Claim to be reached at this URI; NULL: the truth. */
void client_claim_contact(struct client *c, const char *uri);
void client_close(struct client *c);
/** Put a body of so many bytes into each INVITE. */
void client_body(struct client *c, size_t bytes);
/** Answer challenges of this algorithm (NULL: MD5) with this password (NULL: "pw-USERNAME"). */
void client_secret(struct client *c, const char *algorithm, const char *password);
const char *client_name(const struct client *c);
int client_port(const struct client *c);
/** Call-ID of the last request. */
const char *client_call_id(const struct client *c);

/** A new request outside any dialog; challenges are answered. from: URI, NULL for the own. headers: further lines with
 * CRLF, nullable. @return first answer from 180 on, NULL after 3 s. */
message *client_request(struct client *c, const char *method, const char *uri, const char *from, const char *headers);
/** The same for an INVITE, without waiting for more than the challenge. */
void client_dial(struct client *c, const char *uri, const char *from, const char *headers);
/** Send an INVITE, and wait for nothing. */
void client_call_in(struct client *c, const char *uri, const char *from, const char *headers);
/** REGISTER. @return the status; 0: none came. */
int client_register(struct client *c, int expires);
/** Next answer with this status, or request of this method: "200", "INVITE" ... Others are kept for later. */
message *client_expect(struct client *c, const char *what, int timeout_ms);
/** Answer a request; INVITEs keep one tag. */
void client_reply(struct client *c, message *request, int status, const char *reason);
/** The same with further header lines. */
void client_reply_with(struct client *c, message *request, int status, const char *reason, const char *headers);
/** Inside the call that this client placed and answer confirmed: ACK, BYE, INFO ... uri NULL: the peer's Contact. */
void client_in_call(struct client *c, const char *method, message *answer, const char *uri, const char *headers);
/** Inside the call that reached this client as invite. */
void client_in_call_back(struct client *c, const char *method, message *invite, const char *headers);
/** CANCEL the last INVITE; ACK its refusal. */
void client_cancel(struct client *c);
void client_ack_refusal(struct client *c, message *answer);
/** Anything at all. */
void client_raw(struct client *c, const char *text);
void client_forget(struct client *c);

int message_status(message *m);
/** Value of a header up to CRLF; out is "" if it is not there. */
void message_header(message *m, const char *name, char *out, size_t size);
bool message_has(message *m, const char *text);

#endif
