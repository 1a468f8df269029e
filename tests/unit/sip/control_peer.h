/* control_peer.h - a control client and the socket of a server that the test plays. */
#ifndef TESTS_SIP_CONTROL_PEER_H
#define TESTS_SIP_CONTROL_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "sip/control/control.h"

static char dir[64], path[96];
static struct env env;
static struct loop *loop;
static struct control *control;
static int server = -1;

static inline int open_all(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	(void)state;
	env_defaults(&env);
	snprintf(dir, sizeof(dir), "/tmp/nxv-control-XXXXXX");
	if (!mkdtemp(dir) || loop_open(&loop, NULL) != NXV_OK)
		return -1;
	snprintf(path, sizeof(path), "%s/server.sock", dir);
	memcpy(addr.sun_path, path, strlen(path));
	server = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(server, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -1;
	return control_open(&env, loop, path, dir, &control, NULL) == NXV_OK ? 0 : -1;
}

static inline int close_all(void **state)
{
	(void)state;
	control_close(control);
	control = NULL;
	loop_close(loop);
	close(server);
	return unlink(path) == 0 && rmdir(dir) == 0 ? 0 : -1; /* nothing of the client's is left there */
}

#endif
