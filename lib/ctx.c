/* ctx.c - the composition root: opens everything a context holds, and closes it in reverse. */
#include "ctx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"
#include "limits/limits.h"
#include "secrets/secrets.h"
#include "sip/credentials.h"
#include "sip/manager.h"
#include "sip/subscriber.h"
#include "usage/usage_log.h"

enum { RATE_WINDOW_MS = 60000 };

static nxv_status open_folder(const struct nxv_opts *opts, nxv_ctx *ctx, struct nxv_error *err)
{
	struct stat st;

	if (!opts->state_dir || !*opts->state_dir)
		return error_field(err, "state_dir", "name the state folder");
	ctx->state_dir = text_dup(opts->state_dir);
	if (!ctx->state_dir)
		return error_nomem(err);
	if (opts->create && mkdir(opts->state_dir, 0700) != 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make the state folder %s", opts->state_dir);
	if (stat(opts->state_dir, &st) != 0) {
		if (errno == ENOENT)
			return error_code(err, NXV_E_NOT_FOUND, "no_state", "there is no state folder %s; `nexusctl --state %s init` makes one",
				opts->state_dir, opts->state_dir);
		return error_errno(err, errno, "cannot use the state folder %s", opts->state_dir);
	}
	if (!S_ISDIR(st.st_mode))
		return error_field(err, "state_dir", "%s is not a folder", opts->state_dir);
	if (faccessat(AT_FDCWD, opts->state_dir, R_OK | W_OK | X_OK, AT_EACCESS) != 0)
		return error_errno(err, errno, "this user cannot work in the state folder %s, run as its owner", opts->state_dir);
	if (st.st_uid != geteuid())
		env_log(&ctx->env, NXV_LOG_WARN, "ctx", "the state folder %s belongs to user %ld; run as that user, or it cannot use what is made here",
			opts->state_dir, (long)st.st_uid);
	if (st.st_mode & 077)
		env_log(&ctx->env, NXV_LOG_WARN, "ctx", "the state folder %s is open to others; chmod 700 it", opts->state_dir);
	return NXV_OK;
}

static nxv_status open_config(const struct nxv_opts *opts, nxv_ctx *ctx, struct nxv_error *err)
{
	char *own = opts->config_file ? NULL : text_printf("%s/nexusvoip.conf", ctx->state_dir);
	const char *file = opts->config_file ? opts->config_file : own;
	nxv_status status = file ? config_load(file, opts->config_file != NULL, opts->env, opts->set, &ctx->cfg, err)
				 : error_nomem(err);

	free(own);
	return status;
}

static nxv_status open_stores(nxv_ctx *ctx, struct nxv_error *err)
{
	char *path = text_printf("%s/nexusvoip.db", ctx->state_dir);
	nxv_status status = path ? db_open(&ctx->env, path, db_migrations, &ctx->db, err) : error_nomem(err);

	free(path);
	if (status == NXV_OK)
		status = secrets_open(&ctx->env, ctx->db, ctx->cfg, ctx->state_dir, &ctx->secrets, err);
	if (status == NXV_OK)
		status = sip_setup_load(&ctx->env, ctx->cfg, ctx->state_dir, &ctx->sip, err);
	if (status == NXV_OK)
		ctx->sip->secrets = ctx->secrets;
	if (status == NXV_OK)
		status = credentials_check_domain(ctx->db, config_text(ctx->cfg, CFG_SIP_DOMAIN), err);
	if (status == NXV_OK)
		status = subscriber_open(&ctx->env, ctx->sip->set.auth_db, &ctx->auth, err);
	if (status == NXV_OK)
		status = rate_open(&ctx->env, RATE_WINDOW_MS, &ctx->rate, err);
	if (status == NXV_OK)
		status = usage_log_open(&ctx->env, ctx->db, &ctx->usage, err);
	return status;
}

nxv_status nxv_open(const struct nxv_opts *given, nxv_ctx **out, struct nxv_error *err)
{
	struct nxv_opts opts;
	nxv_ctx *ctx;
	nxv_status status;

	*out = NULL;
	if (!opts_take(&opts, sizeof(opts), given, OPTS_LEAST(struct nxv_opts, user)))
		return error_field(err, "opts", "start the options with NXV_OPTS_INIT");
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return error_nomem(err);
	pthread_mutex_init(&ctx->lock, NULL);
	ctx->env = (struct env){ .clock = opts.clock, .random = opts.random, .log = opts.log, .level = opts.log_level,
		.user = opts.user };
	env_defaults(&ctx->env);
	status = open_folder(&opts, ctx, err);
	if (status == NXV_OK)
		status = open_config(&opts, ctx, err);
	if (status == NXV_OK)
		status = open_stores(ctx, err);
	if (status != NXV_OK) {
		nxv_close(ctx);
		return status;
	}
	*out = ctx;
	return NXV_OK;
}

void nxv_close(nxv_ctx *ctx)
{
	if (!ctx)
		return;
	nxv_stop(ctx);
	usage_log_close(ctx->usage);
	rate_close(ctx->rate);
	db_close(ctx->auth);
	sip_setup_free(ctx->sip);
	secrets_close(ctx->secrets);
	db_close(ctx->db);
	config_free(ctx->cfg);
	free(ctx->state_dir);
	pthread_mutex_destroy(&ctx->lock);
	free(ctx);
}

const char *nxv_config_get(const nxv_ctx *ctx, const char *key)
{
	return config_by_name(ctx->cfg, key);
}
