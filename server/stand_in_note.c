/* stand_in_note.c - sandbox.conf in the state folder: what nexusctl must know to place calls over the sandbox. It is locked for
 * as long as we live, so that one that was left behind is seen to be. */
#include "stand_in_note.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static bool paths(const char *state_dir, char path[4096], char made[4096])
{
	return snprintf(path, 4096, "%s/sandbox.conf", state_dir) < 4096 && snprintf(made, 4096, "%s/sandbox.conf.new", state_dir) < 4096;
}

int stand_in_note_open(const char *state_dir, char *const *settings, const char *secret)
{
	char path[4096], made[4096];
	bool good;
	int fd;

	if (!paths(state_dir, path, made))
		return -1;
	unlink(made);
	fd = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	good = flock(fd, LOCK_EX | LOCK_NB) == 0 && dprintf(fd, "%s\n", secret) > 0;
	for (; good && *settings; settings++)
		good = dprintf(fd, "%s\n", *settings) > 0;
	if (good && rename(made, path) == 0)
		return fd;
	unlink(made);
	close(fd);
	return -1;
}

void stand_in_note_close(const char *state_dir, int fd)
{
	char path[4096], made[4096];

	if (fd < 0)
		return;
	if (paths(state_dir, path, made))
		unlink(path);
	close(fd);
}
