/* sip_stream.h - SIP over TCP, TLS, WebSocket (RFC 7118) or secure WebSocket, as bytes on a connection. */
#ifndef TEST_SIP_STREAM_H
#define TEST_SIP_STREAM_H

#include <stdbool.h>

struct stream;
struct stream_opts {
	int port;
	bool tls, ws;
	const char *origin; /**< of the WebSocket handshake; NULL sends none */
};
/** Connect. @param status of the WebSocket handshake, 0 when there was no answer; nullable.
 * @return NULL when it was refused. */
struct stream *stream_open(const struct stream_opts *opts, int *status);
void stream_close(struct stream *s);
/** Wait until the server closes the connection, which is not one over TLS. What it says meanwhile is kept. */
bool stream_ended(struct stream *s, int timeout_ms);
/** "TCP", "TLS", "WS", "WSS". */
const char *stream_protocol(const struct stream *s);
void stream_send(struct stream *s, const char *text);
/** Next whole SIP message. @return [owned], free(); NULL when none came. */
char *stream_receive(struct stream *s, int timeout_ms);

#endif
