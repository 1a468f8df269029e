/* sound.c - G.711 over RTP: tones made here, an echo of what is said, or the other callee's packets. */
#include "sound.h"

#include "ulaw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	RATE = 8000,
	FRAME = 160, /* 20 ms */
	FRAME_MS = 20,
	ECHO_SAMPLES = 8192,
	ECHO_DELAY = 4000,
	PORT_MIN = 20000,
	PORT_MAX = 65000,
	PCMU = 0,
	PCMA = 8
};

struct sound_port {
	struct rtp_sock *rtp;
	struct sdp_session *sdp;
	struct sdp_media *media;
	struct sound_port *other; /* joined with */
	struct tmr tick;
	enum sound sound;
	bool running, marked;
	uint8_t payload;
	uint32_t timestamp;
	uint64_t due_ms;
	size_t position; /* in the sound */
	unsigned received;
	int16_t echo[ECHO_SAMPLES];
	size_t echo_in, echo_out; /* counted, not wrapped */
};

/* G.711 A-law. */
static uint8_t alaw_encode(int16_t sample)
{
	int sign = sample < 0 ? 0 : 0x80, level = sample < 0 ? -(int)sample - 1 : sample, exponent = 7, bits;

	level = level < 0 ? 0 : level;
	for (int mask = 0x4000; exponent > 0 && !(level & mask); mask >>= 1)
		exponent--;
	bits = exponent ? exponent << 4 | (level >> (exponent + 3) & 0x0f) : level >> 4;
	return (uint8_t)((sign | bits) ^ 0x55);
}

static int16_t alaw_decode(uint8_t code)
{
	int bits = code ^ 0x55, exponent = bits >> 4 & 7, level = (bits & 0x0f) << 4;

	level += exponent ? 0x108 : 8;
	if (exponent > 1)
		level <<= exponent - 1;
	return (int16_t)(bits & 0x80 ? level : -level);
}

static int16_t decode(uint8_t payload, uint8_t code)
{
	return payload == PCMA ? alaw_decode(code) : ulaw_decode(code);
}

static uint8_t encode(uint8_t payload, int16_t sample)
{
	return payload == PCMA ? alaw_encode(sample) : ulaw_encode(sample);
}

static bool may_send(const struct sound_port *port)
{
	return port->running && (sdp_media_dir(port->media) & SDP_SENDONLY) && sa_isset(sdp_media_raddr(port->media), SA_ALL);
}

static void transmit(struct sound_port *port, const int16_t *samples, size_t count)
{
	struct mbuf *mb = may_send(port) ? mbuf_alloc(RTP_HEADER_SIZE + count) : NULL;

	port->timestamp += (uint32_t)count;
	if (!mb)
		return;
	mb->pos = mb->end = RTP_HEADER_SIZE;
	for (size_t i = 0; i < count; i++)
		(void)mbuf_write_u8(mb, encode(port->payload, samples[i]));
	mb->pos = RTP_HEADER_SIZE;
	(void)rtp_send(port->rtp, sdp_media_raddr(port->media), false, !port->marked, port->payload, port->timestamp, mb);
	port->marked = true;
	mem_deref(mb);
}

static void on_packet(const struct sa *src, const struct rtp_header *header, struct mbuf *mb, void *arg)
{
	struct sound_port *port = arg;
	int16_t samples[FRAME * 4];
	size_t count = mbuf_get_left(mb);

	(void)src;
	if (header->pt != PCMU && header->pt != PCMA)
		return;
	port->received++;
	if (count > sizeof(samples) / sizeof(samples[0]))
		count = sizeof(samples) / sizeof(samples[0]);
	for (size_t i = 0; i < count; i++)
		samples[i] = decode(header->pt, mbuf_read_u8(mb));
	if (port->other) {
		transmit(port->other, samples, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		port->echo[port->echo_in++ % ECHO_SAMPLES] = samples[i];
}

static double wave(double hz, size_t at)
{
	return sin(2 * 3.14159265358979 * hz * (double)at / RATE);
}

/* What was said half a second ago. */
static int16_t echo_sample(struct sound_port *port)
{
	if (port->echo_in < port->echo_out + ECHO_DELAY)
		return 0;
	if (port->echo_in > port->echo_out + ECHO_SAMPLES)
		port->echo_out = port->echo_in - ECHO_DELAY;
	return port->echo[port->echo_out++ % ECHO_SAMPLES];
}

static int16_t sample(struct sound_port *port)
{
	size_t at = port->position++;

	switch (port->sound) {
	case SOUND_TONE: /* as somebody speaking: words of 440 Hz, pauses between */
		return at % 4800 < 3200 ? (int16_t)(6000 * wave(440, at)) : 0;
	case SOUND_RINGBACK:
		return at % (5 * RATE) < RATE ? (int16_t)(5000 * wave(425, at)) : 0;
	case SOUND_ECHO: /* a beep first, so that one knows that somebody is there */
		return at < RATE / 2 ? (int16_t)(6000 * wave(660, at)) : echo_sample(port);
	case SOUND_SILENCE:
		break;
	}
	return 0;
}

static void on_tick(void *arg)
{
	struct sound_port *port = arg;
	uint64_t now = tmr_jiffies();
	int16_t samples[FRAME];

	if (!port->other) {
		for (size_t i = 0; i < FRAME; i++)
			samples[i] = sample(port);
		transmit(port, samples, FRAME);
	}
	port->due_ms += FRAME_MS;
	if (port->due_ms + 200 < now)
		port->due_ms = now; /* the machine slept: no burst */
	tmr_start(&port->tick, port->due_ms > now ? port->due_ms - now : 0, on_tick, port);
}

static bool describe_formats(struct sound_port *port)
{
	return sdp_format_add(NULL, port->media, false, "0", "PCMU", RATE, 1, NULL, NULL, NULL, false, NULL) == 0 &&
		sdp_format_add(NULL, port->media, false, "8", "PCMA", RATE, 1, NULL, NULL, NULL, false, NULL) == 0;
}

struct sound_port *sound_open(const struct sa *local)
{
	struct sound_port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	tmr_init(&port->tick);
	if (rtp_listen(&port->rtp, IPPROTO_UDP, local, PORT_MIN, PORT_MAX, false, on_packet, NULL, port) == 0 &&
		sdp_session_alloc(&port->sdp, local) == 0 &&
		sdp_media_add(&port->media, port->sdp, sdp_media_audio, sa_port(rtp_local(port->rtp)), "RTP/AVP") == 0 &&
		describe_formats(port)) {
		port->timestamp = rand_u32();
		return port;
	}
	sound_close(port);
	return NULL;
}

void sound_close(struct sound_port *port)
{
	if (!port)
		return;
	sound_part(port);
	tmr_cancel(&port->tick);
	mem_deref(port->rtp);
	mem_deref(port->sdp);
	free(port);
}

struct mbuf *sound_describe(struct sound_port *port, bool offer)
{
	struct mbuf *mb = NULL;

	return sdp_encode(&mb, port->sdp, offer) == 0 ? mb : mem_deref(mb);
}

bool sound_heard_description(struct sound_port *port, struct mbuf *body, bool offer)
{
	const struct sdp_format *format;

	if (sdp_decode(port->sdp, body, offer) != 0)
		return false;
	format = sdp_media_rformat(port->media, NULL);
	if (!format || !sdp_media_rport(port->media))
		return false;
	port->payload = format->pt == PCMA ? PCMA : PCMU;
	return true;
}

void sound_start(struct sound_port *port)
{
	if (port->running)
		return;
	port->running = true;
	port->due_ms = tmr_jiffies();
	tmr_start(&port->tick, 0, on_tick, port);
}

void sound_play(struct sound_port *port, enum sound sound)
{
	port->sound = sound;
	port->position = 0;
	port->echo_in = port->echo_out = 0;
}

void sound_join(struct sound_port *a, struct sound_port *b)
{
	sound_part(a);
	sound_part(b);
	a->other = b;
	b->other = a;
}

void sound_part(struct sound_port *port)
{
	if (port->other)
		port->other->other = NULL;
	port->other = NULL;
}

unsigned sound_received(const struct sound_port *port)
{
	return port->received;
}
