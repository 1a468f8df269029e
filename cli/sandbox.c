/* sandbox.c - beside a nexusd that runs with --sandbox: what it put in Twilio's place holds for nexusctl, too. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SECRET "NEXUSVOIP_TWILIO_AUTH_TOKEN="
enum { TEXT_MAX = 8192 };

/* The file's text; NULL: there is none, or nexusd has gone and left it behind. [owned] */
static char *read_note(const char *state_dir)
{
	char path[4096], *text = NULL;
	ssize_t len = -1;
	int fd = -1;

	if (snprintf(path, sizeof(path), "%s/sandbox.conf", state_dir) < (int)sizeof(path))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return NULL;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK && (text = calloc(1, TEXT_MAX)))
		len = read(fd, text, TEXT_MAX - 1);
	close(fd);
	if (len > 0)
		return text;
	free(text);
	return NULL;
}

/* The environment with the sandbox's token instead of a real one. */
static bool replace_secret(struct app *app, const char *secret)
{
	size_t count = 0, kept = 0;

	while (app->env[count])
		count++;
	app->sandbox_env = calloc(count + 2, sizeof(*app->sandbox_env));
	if (!app->sandbox_env)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strncmp(app->env[i], SECRET, sizeof(SECRET) - 1) != 0)
			app->sandbox_env[kept++] = app->env[i];
	app->sandbox_env[kept] = secret;
	app->env = app->sandbox_env;
	return true;
}

size_t sandbox_settings(struct app *app, const char **sets, size_t room)
{
	size_t count = 0;

	if (!(app->cmd->flags & CMD_TWILIO) || !(app->sandbox_text = read_note(app->state_dir)))
		return 0;
	for (char *line = strtok(app->sandbox_text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, SECRET, sizeof(SECRET) - 1) != 0 && count < room)
			sets[count++] = line;
		else if (!replace_secret(app, line))
			return 0;
	}
	return count;
}

void sandbox_forget(struct app *app)
{
	if (app->sandbox_text)
		explicit_bzero(app->sandbox_text, TEXT_MAX);
	free(app->sandbox_text);
	free(app->sandbox_env);
}
