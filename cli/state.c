/* state.c - finds the state folder and works as its owner. */
#include "state.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

static const char *variable(const struct app *app, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *e = app->env; *e; e++)
		if (!strncmp(*e, name, len) && (*e)[len] == '=' && (*e)[len + 1])
			return *e + len + 1;
	return NULL;
}

int state_locate(struct app *app)
{
	const char *base, *home;
	int n = -1;

	if (!app->state_dir)
		app->state_dir = variable(app, "NEXUSVOIP_STATE");
	if (app->state_dir)
		return RC_DONE;
	if (geteuid() == 0)
		n = snprintf(app->state_default, sizeof(app->state_default), "/var/lib/nexusvoip");
	else if ((base = variable(app, "XDG_STATE_HOME")) && *base == '/')
		n = snprintf(app->state_default, sizeof(app->state_default), "%s/nexusvoip", base);
	else if ((home = variable(app, "HOME")))
		n = snprintf(app->state_default, sizeof(app->state_default), "%s/.local/state/nexusvoip", home);
	if (n < 0 || (size_t)n >= sizeof(app->state_default))
		return out_fail(app, RC_FAILED, "no_state", "no state folder is known: give --state DIR");
	app->state_dir = app->state_default;
	return RC_DONE;
}

static int make_parents(const struct app *app)
{
	char path[sizeof(app->state_default)];

	if (strlen(app->state_dir) >= sizeof(path))
		return out_fail(app, RC_FAILED, "no_state", "the path of the state folder is too long");
	strcpy(path, app->state_dir);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return out_fail(app, RC_FAILED, "io", "cannot make the folder %s: %s", path, strerror(errno));
		*slash = '/';
	}
	return RC_DONE;
}

static int become(const struct app *app, uid_t uid, gid_t gid)
{
	struct passwd *user = getpwuid(uid);
	bool done;

	if (user)
		done = initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 && setuid(uid) == 0;
	else
		done = setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0;
	if (!done || geteuid() != uid)
		return out_fail(app, RC_FAILED, "io", "cannot work as the owner of %s: %s", app->state_dir, strerror(errno));
	return RC_DONE;
}

int state_enter(struct app *app, bool create)
{
	struct stat st;

	if (stat(app->state_dir, &st) != 0) {
		if (errno != ENOENT)
			return out_fail(app, RC_FAILED, "io", "cannot use the state folder %s: %s", app->state_dir, strerror(errno));
		if (create)
			return make_parents(app);
		return out_fail(app, RC_FAILED, "no_state", "there is no state folder %s; make it with `nexusctl --state %s init`, or name another with --state",
			app->state_dir, app->state_dir);
	}
	if (!S_ISDIR(st.st_mode))
		return out_fail(app, RC_FAILED, "no_state", "%s is no folder", app->state_dir);
	if (geteuid() == 0 && st.st_uid != 0)
		return become(app, st.st_uid, st.st_gid);
	return RC_DONE;
}
