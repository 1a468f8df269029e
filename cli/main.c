/* main.c - nexusctl: parse the command line, open the state folder as its owner, run one command. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "args.h"
#include "help.h"
#include "output.h"
#include "sandbox.h"
#include "state.h"

extern char **environ;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted++;
}

int app_interrupted(void)
{
	return interrupted;
}

void app_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL); /* a reader that goes away must not cut a call off */
}

int64_t app_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void log_line(void *user, nxv_log_level level, const char *module, const char *text)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };

	(void)user;
	fprintf(stderr, "nexusctl: %s: %s: %s\n", words[level], module, text);
}

nxv_status app_open(struct app *app, bool create, struct nxv_error *err)
{
	struct nxv_opts opts = NXV_OPTS_INIT;
	const char *sets[SETS_MAX + SANDBOX_SETS_MAX + 2] = { "sip.keep_running=true" }; /* in front: --set is stronger */

	for (size_t i = 0; i < app->set_count; i++)
		sets[i + 1] = app->sets[i];
	sandbox_settings(app, sets + app->set_count + 1, SANDBOX_SETS_MAX);
	opts.state_dir = app->state_dir;
	opts.config_file = app->config_file;
	opts.env = app->env;
	opts.set = app->cmd->flags & CMD_ENGINE ? sets : sets + 1;
	opts.create = create;
	opts.log = app->verbose ? log_line : NULL;
	opts.log_level = NXV_LOG_DEBUG;
	return nxv_open(&opts, &app->ctx, err);
}

static int run(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	bool create = app->cmd->flags & CMD_CREATE;
	int rc;

	if (app->cmd->flags & CMD_NO_STATE)
		return app->cmd->run(app);
	rc = state_locate(app);
	if (rc == RC_DONE)
		rc = state_enter(app, create);
	if (rc != RC_DONE)
		return rc;
	if (app_open(app, create, &err) != NXV_OK)
		return out_error(app, &err);
	return app->cmd->run(app);
}

int main(int argc, char **argv)
{
	struct app app = { .env = (const char *const *)environ };
	int rc;

	setlocale(LC_CTYPE, "");
	rc = args_parse(&app, argc, argv);
	if (rc == RC_DONE)
		rc = app.help ? help_print(&app) : run(&app);
	nxv_close(app.ctx);
	sandbox_forget(&app);
	if ((fflush(stdout) != 0 || ferror(stdout)) && rc == RC_DONE)
		rc = out_fail(&app, RC_FAILED, "io", "cannot write the output: %s", strerror(errno));
	return rc;
}
