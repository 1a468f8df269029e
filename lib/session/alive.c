/* alive.c - the mark: eight bytes overwritten in place. They survive SIGKILL; of a power cut, the last ones that the kernel
 * had written back. */
#include "session/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

struct alive {
	int fd;
	int64_t last_ms;
};

nxv_status alive_open(const char *path, struct alive **out, struct nxv_error *err)
{
	struct alive *alive = calloc(1, sizeof(*alive));
	nxv_status status;

	*out = NULL;
	if (!alive)
		return error_nomem(err);
	alive->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (alive->fd < 0) {
		status = error_errno(err, errno, "cannot open %s", path);
		free(alive);
		return status;
	}
	if (pread(alive->fd, &alive->last_ms, sizeof(alive->last_ms), 0) != (ssize_t)sizeof(alive->last_ms))
		alive->last_ms = 0;
	*out = alive;
	return NXV_OK;
}

void alive_close(struct alive *alive)
{
	if (!alive)
		return;
	close(alive->fd);
	free(alive);
}

int64_t alive_last(const struct alive *alive)
{
	return alive->last_ms;
}

void alive_mark(struct alive *alive, int64_t now_ms)
{
	const ssize_t n = pwrite(alive->fd, &now_ms, sizeof(now_ms), 0);

	(void)n; /* an older mark is better than none */
}
