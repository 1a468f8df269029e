/* baresip.c - runs baresip in a folder of its own and talks to it over ctrl_tcp (netstrings of JSON). */
#include "baresip.h"

#include "proc.h"
#include "tone.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 1 << 18, TONE_SECONDS = 20 };

struct baresip {
	const char *dir;
	struct proc *proc;
	unsigned control_port;
	int control;
	char *events;
	size_t events_len;
};

static bool write_files(const struct baresip *phone, const struct baresip_opts *opts)
{
	char path[128], text[2048];
	unsigned sip = proc_free_port(2), rtp = proc_free_port(20); /* it takes the port after its SIP port too */
	snprintf(path, sizeof(path), "%s/rec", phone->dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/tone.wav", phone->dir);
	bool ok = tone_write_wav(path, opts->tone_hz, TONE_SECONDS);
	snprintf(text, sizeof(text),
		"sip_listen 127.0.0.1:%u\nsip_certificate\ncall_max_calls 4\naudio_source aufile,%s/tone.wav\naudio_alert aufile,/dev/null\n"
		"ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\nnet_interface 127.0.0.1\nrtp_ports %u-%u\n"
		"module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule uuid.so\n"
		"module account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:%u\nsnd_path %s/rec\n",
		sip, phone->dir, rtp, rtp + 18, phone->control_port, phone->dir);
	snprintf(path, sizeof(path), "%s/config", phone->dir);
	ok = ok && proc_write_file(path, text);
	snprintf(text, sizeof(text),
		"<sip:%s@%s>;auth_user=%s;auth_pass=%s;outbound=\"sip:%s;transport=udp\";regint=300;answermode=%s;audio_codecs=pcmu\n",
		opts->username, opts->domain, opts->username, opts->password, opts->server, opts->answers ? "auto" : "manual");
	snprintf(path, sizeof(path), "%s/accounts", phone->dir);
	ok = ok && proc_write_file(path, text);
	snprintf(path, sizeof(path), "%s/contacts", phone->dir);
	return ok && proc_write_file(path, "");
}

static bool connect_control(struct baresip *phone)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)phone->control_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	for (int i = 0; i < 100; i++) {
		phone->control = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(phone->control, (struct sockaddr *)&sin, sizeof(sin)) == 0) {
			return true;
		}
		close(phone->control);
		phone->control = -1;
		poll(NULL, 0, 20);
	}
	return false;
}

struct baresip *baresip_start(const struct baresip_opts *opts)
{
	struct baresip *phone = calloc(1, sizeof(*phone));
	if (!phone) {
		return NULL;
	}
	phone->control = -1;
	phone->dir = proc_temp_dir();
	phone->control_port = proc_free_port(1);
	phone->events = calloc(1, EVENTS_MAX);
	const char *const argv[] = { "baresip", "-f", phone->dir, NULL };
	bool ok = phone->events && write_files(phone, opts);
	phone->proc = ok ? proc_start(argv, NULL, NULL) : NULL;
	if (!phone->proc || !connect_control(phone)) {
		baresip_free(phone);
		return NULL;
	}
	return phone;
}

bool baresip_registered(struct baresip *phone, int timeout_ms)
{
	return proc_wait_output(phone->proc, "[1 binding]", timeout_ms);
}

static int count_event(const struct baresip *phone, const char *event)
{
	char needle[64];
	int n = 0;
	snprintf(needle, sizeof(needle), "\"type\":\"%s\"", event);
	for (const char *p = phone->events; (p = strstr(p, needle)); p++) {
		n++;
	}
	return n;
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool baresip_wait(struct baresip *phone, const char *event, int nth, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	while (count_event(phone, event) < nth) {
		struct pollfd pfd = { .fd = phone->control, .events = POLLIN };
		int64_t left = deadline - now_ms();
		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0) {
			return false;
		}
		size_t room = EVENTS_MAX - 1 - phone->events_len;
		ssize_t n = recv(phone->control, phone->events + phone->events_len, room, 0);
		if (n <= 0) {
			return false;
		}
		phone->events_len += (size_t)n;
		phone->events[phone->events_len] = '\0';
	}
	return true;
}

bool baresip_command(struct baresip *phone, const char *command, const char *params)
{
	char json[512], line[600];
	int n = snprintf(json, sizeof(json), "{\"command\":\"%s\",\"params\":\"%s\",\"token\":\"t\"}", command, params ? params : "");
	int len = snprintf(line, sizeof(line), "%d:%s,", n, json);
	return send(phone->control, line, (size_t)len, MSG_NOSIGNAL) == len;
}

char *baresip_output(const struct baresip *phone)
{
	return phone->proc ? proc_output(phone->proc) : NULL;
}

void baresip_stop(struct baresip *phone)
{
	if (phone->control >= 0) {
		close(phone->control);
		phone->control = -1;
	}
	proc_stop(phone->proc, 3000);
	phone->proc = NULL;
}

double baresip_heard(const struct baresip *phone, double hz)
{
	char path[512];
	double best = 0;
	snprintf(path, sizeof(path), "%s/rec", phone->dir);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (strstr(e->d_name, "-dec.wav")) {
			snprintf(path, sizeof(path), "%s/rec/%s", phone->dir, e->d_name);
			double share = tone_in_wav(path, hz);
			best = share > best ? share : best;
		}
	}
	if (dir) {
		closedir(dir);
	}
	return best;
}

void baresip_free(struct baresip *phone)
{
	if (!phone) {
		return;
	}
	baresip_stop(phone);
	free(phone->events);
	free(phone);
}
