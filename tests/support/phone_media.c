/* phone_media.c - a test phone's SDP and RTP: one codec, a tone out, the last second heard kept. */
#include "phone_inside.h"

#include "tone.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FRAME = 160 }; /* 20 ms at 8000 Hz */

static const char *our_direction(const struct dialog *d, bool answer)
{
	if (!answer) {
		return d->held ? "sendonly" : "sendrecv";
	}
	if (strcmp(d->their_direction, "sendonly") == 0) {
		return "recvonly";
	}
	if (strcmp(d->their_direction, "recvonly") == 0) {
		return "sendonly";
	}
	return strcmp(d->their_direction, "inactive") == 0 ? "inactive" : "sendrecv";
}

void media_write(struct phone *phone, struct dialog *d, bool answer, struct text *out)
{
	int pt = phone->opts.payload;
	text_add(out, "v=0\r\no=- %u %u IN %s\r\ns=-\r\nc=IN %s\r\nt=0 0\r\n", phone->rtp_ssrc, ++d->sdp_version, phone->media_at,
		phone->media_at);
	text_add(out, "m=audio %u RTP/AVP %d\r\na=rtpmap:%d %s/8000\r\na=ptime:20\r\na=%s\r\n", phone->rtp_port + (d->early && d->script.moves ? 2 : 0), pt, pt,
		pt == 8 ? "PCMA" : "PCMU", our_direction(d, answer));
}

static const char *sdp_line(const char *sdp, const char *start)
{
	for (const char *p = sdp; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		if (strncmp(p, start, strlen(start)) == 0) {
			return p + strlen(start);
		}
	}
	return NULL;
}

static bool offers_payload(const char *line, int payload)
{
	char *end;
	const char *p = strstr(line, "RTP/AVP");
	const char *stop = strchr(line, '\n');
	if (!p) {
		return false;
	}
	for (p += 7; p < (stop ? stop : line + strlen(line)); p = end) {
		long pt = strtol(p, &end, 10);
		if (end == p) {
			return false;
		}
		if (pt == payload) {
			return true;
		}
	}
	return false;
}

bool media_take(struct phone *phone, struct dialog *d, const char *sdp)
{
	static const char *const directions[] = { "sendrecv", "sendonly", "recvonly", "inactive" };
	const char *audio = sdp_line(sdp, "m=audio ");
	if (!audio) {
		return false;
	}
	const char *address = sdp_line(audio, "c=IN IP");
	address = address ? address : sdp_line(sdp, "c=IN IP");
	char host[64] = "0.0.0.0";
	if (address && address[0] && address[1] == ' ') {
		address += 2;
		size_t n = strcspn(address, "\r\n /");
		snprintf(host, sizeof(host), "%.*s", (int)n, address);
	}
	snprintf(d->their_direction, sizeof(d->their_direction), "sendrecv");
	for (size_t i = 0; i < 4; i++) {
		char line[32];
		snprintf(line, sizeof(line), "a=%s", directions[i]);
		if (sdp_line(sdp, line)) {
			snprintf(d->their_direction, sizeof(d->their_direction), "%s", directions[i]);
		}
	}
	d->media = wire_address(host, (unsigned)atoi(audio));
	bool flows = d->media.sin6_port != 0 && strcmp(host, "0.0.0.0") != 0 && strcmp(d->their_direction, "inactive") != 0;
	if (!flows) {
		d->media.sin6_port = 0;
	}
	if (d->media.sin6_port == 0 && atoi(audio) == 0) {
		return true;
	}
	if (!offers_payload(audio, phone->opts.payload)) {
		return false;
	}
	if (flows) {
		call_moment(phone, d, PHONE_JOINED);
	}
	return true;
}

static unsigned char to_ulaw(int sample)
{
	int sign = sample < 0 ? 0x80 : 0, magnitude = abs(sample) + 132, exponent = 7;
	magnitude = magnitude > 32767 ? 32767 : magnitude;
	for (int mask = 0x4000; exponent > 0 && !(magnitude & mask); mask >>= 1) {
		exponent--;
	}
	return (unsigned char)~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 0x0f));
}

static short from_ulaw(unsigned char code)
{
	code = (unsigned char)~code;
	int magnitude = (((code & 0x0f) << 3) + 132) << (code >> 4 & 7);
	return (short)(code & 0x80 ? 132 - magnitude : magnitude - 132);
}

void media_readable(struct phone *phone)
{
	unsigned char data[2048];
	ssize_t n;
	while ((n = recv(phone->rtp, data, sizeof(data), 0)) > 12) {
		if ((data[1] & 0x7f) != 0) {
			continue; /* not PCMU: RTCP, telephone events */
		}
		phone->heard_packets++;
		for (ssize_t i = 12; i < n; i++) {
			phone->heard[phone->heard_total++ % PHONE_HEARD_MAX] = from_ulaw(data[i]);
		}
	}
}

static void send_frame(struct phone *phone, const struct dialog *d)
{
	unsigned char data[12 + FRAME] = { 0x80, 0 };
	uint16_t seq = htons(phone->rtp_seq++);
	uint32_t stamp = htonl(phone->rtp_stamp), ssrc = htonl(phone->rtp_ssrc);
	memcpy(data + 2, &seq, 2);
	memcpy(data + 4, &stamp, 4);
	memcpy(data + 8, &ssrc, 4);
	phone->rtp_stamp += FRAME;
	for (int i = 0; i < FRAME; i++) {
		data[12 + i] = to_ulaw((int)(8000 * sin(phone->phase)));
		phone->phase = fmod(phone->phase + 2 * 3.14159265358979323846 * phone->opts.tone_hz / 8000, 2 * 3.14159265358979323846);
	}
	sendto(phone->rtp, data, sizeof(data), 0, (const struct sockaddr *)&d->media, sizeof(d->media));
}

int64_t media_timers(struct phone *phone, int64_t now)
{
	if (phone->opts.tone_hz <= 0) {
		return 0;
	}
	for (const struct dialog *d = phone->dialogs; d; d = d->next) {
		bool up = d->seen.live && d->seen.at_us[PHONE_ACKED] && d->media.sin6_port && !d->held;
		if (!up || strcmp(d->their_direction, "sendonly") == 0) {
			continue;
		}
		if (phone->rtp_at < now - 200) {
			phone->rtp_at = now;
		}
		while (phone->rtp_at <= now) {
			send_frame(phone, d);
			phone->rtp_at += 20;
		}
		return phone->rtp_at;
	}
	return 0;
}

unsigned phone_heard_packets(struct phone *phone)
{
	pthread_mutex_lock(&phone->lab->lock);
	unsigned n = phone->heard_packets;
	pthread_mutex_unlock(&phone->lab->lock);
	return n;
}

double phone_heard(struct phone *phone, double hz)
{
	short last[PHONE_HEARD_MAX];
	pthread_mutex_lock(&phone->lab->lock);
	size_t total = phone->heard_total, count = total < PHONE_HEARD_MAX ? total : PHONE_HEARD_MAX;
	for (size_t i = 0; i < count; i++) {
		last[i] = phone->heard[(total - count + i) % PHONE_HEARD_MAX];
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return tone_share(last, count, 8000, hz);
}
