/* credentials.c - SIP credentials: made, shown, listed, revoked. The password exists only in the answer to create.
 * nexusvoip.db is the truth and is written first; auth.db is its copy, repaired by subscriber_sync() after a crash. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/opts.h"
#include "base/text.h"
#include "ctx.h"
#include "engine/engine.h"
#include "sip/credentials_sql.h"
#include "sip/manager.h"

enum { USERNAME_DIGITS = 16, PASSWORD_CHARS = 24, PAGE_DEFAULT = 100, PAGE_MAX = 1000, GONE_TIMEOUT_MS = 5000 };

struct digests {
	char md5[33], sha256[65], sha512t256[65];
};

/* Every character equally likely: bytes past the largest multiple of n are thrown away. */
static nxv_status random_text(const struct env *env, const char *alphabet, char *out, size_t len, struct nxv_error *err)
{
	size_t n = strlen(alphabet), at = 0;
	unsigned limit = 256 - 256 % (unsigned)n;
	nxv_status status = NXV_OK;
	uint8_t pool[64];

	for (int round = 0; at < len && status == NXV_OK; round++) {
		if (round == 16)
			return error_set(err, NXV_E_INTERNAL, "the random generator repeats itself");
		status = env_random(env, pool, sizeof(pool), err);
		for (size_t i = 0; status == NXV_OK && i < sizeof(pool) && at < len; i++)
			if (pool[i] < limit)
				out[at++] = alphabet[pool[i] % n];
	}
	out[at] = '\0';
	explicit_bzero(pool, sizeof(pool));
	return status;
}

static nxv_status new_username(const struct env *env, char **out, struct nxv_error *err)
{
	char digits[USERNAME_DIGITS + 1];
	nxv_status status = random_text(env, "0123456789", digits, USERNAME_DIGITS, err);

	if (status != NXV_OK)
		return status;
	*out = text_printf("user_%s", digits);
	return *out ? NXV_OK : error_nomem(err);
}

static nxv_status new_password(const struct env *env, char **out, struct nxv_error *err)
{
	*out = calloc(1, PASSWORD_CHARS + 1);
	if (!*out)
		return error_nomem(err);
	return random_text(
		env, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *out, PASSWORD_CHARS, err);
}

/* What a phone can dial. */
static nxv_status add_proxy(const nxv_ctx *ctx, struct nxv_credential *cred, struct nxv_error *err)
{
	const struct sip_settings *set = &ctx->sip->set;

	cred->proxy_server = text_dup(*set->advertise ? set->advertise : set->listen);
	return cred->proxy_server ? NXV_OK : error_nomem(err);
}

static nxv_status fill(
	nxv_ctx *ctx, struct nxv_credential *cred, const struct nxv_credential_opts *opts, struct digests *digests, struct nxv_error *err)
{
	nxv_status status;

	cred->created_at_ms = env_now_ms(&ctx->env);
	cred->expires_at_ms = opts->expires_at_ms;
	cred->id = id_new("cred");
	cred->user_id = text_dup(opts->user_id);
	cred->domain = text_dup(ctx->sip->set.domain);
	if (!cred->id || !cred->user_id || !cred->domain)
		return error_nomem(err);
	status = add_proxy(ctx, cred, err);
	if (status == NXV_OK)
		status = new_username(&ctx->env, &cred->username, err);
	if (status == NXV_OK)
		status = new_password(&ctx->env, &cred->password, err);
	if (status != NXV_OK)
		return status;
	cred->sip_uri = text_printf("sip:%s@%s", cred->username, cred->domain);
	if (!cred->sip_uri)
		return error_nomem(err);
	return subscriber_digests(
		cred->username, cred->domain, cred->password, digests->md5, digests->sha256, digests->sha512t256, err);
}

static nxv_status store(nxv_ctx *ctx, const struct nxv_credential *cred, const struct digests *digests, struct nxv_error *err)
{
	const struct subscriber sub = { .username = cred->username,
		.domain = cred->domain,
		.ha1 = digests->md5,
		.ha1_sha256 = digests->sha256,
		.ha1_sha512t256 = digests->sha512t256,
		.owner = cred->user_id,
		.call_limit = ctx->sip->set.calls_per_user,
		.expires_at_ms = cred->expires_at_ms };
	nxv_status status = credentials_insert(ctx->db, cred->id, &sub, cred->created_at_ms, err);

	if (status != NXV_OK)
		return status;
	status = subscriber_put(ctx->auth, &sub, err);
	if (status != NXV_OK && credentials_undo(ctx->db, cred->id, cred->user_id, cred->created_at_ms, NULL) != NXV_OK)
		env_log(&ctx->env, NXV_LOG_WARN, "sip", "credential %s was stored but not handed out; revoke it", cred->id);
	return status;
}

static nxv_status check_opts(
	const nxv_ctx *ctx, const struct nxv_credential_opts *in, struct nxv_credential_opts *opts, struct nxv_error *err)
{
	if (!opts_take(opts, sizeof(*opts), in, OPTS_LEAST(struct nxv_credential_opts, expires_at_ms)))
		return error_field(err, "opts", "start the options with NXV_CREDENTIAL_OPTS_INIT");
	if (!text_is_user_id(opts->user_id))
		return error_field(err, "userId", "must be 1 to 64 letters, digits or . _ @ + -");
	if (opts->expires_at_ms && opts->expires_at_ms <= env_now_ms(&ctx->env))
		return error_field(err, "expiresAt", "must lie in the future");
	return NXV_OK;
}

/* It has been made, or is void, whatever comes of this: the engine ends the registration, now or when it expires. */
static void tell_engine(nxv_ctx *ctx, const char *what, const char *username)
{
	const char *args[] = { what, username, NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = engine_call(ctx, args, GONE_TIMEOUT_MS, NULL, &err);

	if (status != NXV_OK && status != NXV_E_NOT_RUNNING)
		env_log(&ctx->env, NXV_LOG_WARN, "sip", "the engine could not be told of credential %s: %s", username, err.message);
}

nxv_status nxv_credential_create(
	nxv_ctx *ctx, const struct nxv_credential_opts *in, struct nxv_credential **out, struct nxv_error *err)
{
	struct nxv_credential_opts opts;
	struct nxv_credential *cred = NULL;
	struct digests digests;
	nxv_status status;

	*out = NULL;
	error_clear(err);
	status = check_opts(ctx, in, &opts, err);
	for (int attempt = 0; status == NXV_OK; attempt++) {
		cred = calloc(1, sizeof(*cred));
		if (!cred)
			return error_nomem(err);
		status = fill(ctx, cred, &opts, &digests, err);
		if (status == NXV_OK)
			status = store(ctx, cred, &digests, err);
		if (status == NXV_OK)
			break;
		nxv_credential_free(cred);
		cred = NULL;
		if (status == NXV_E_CONFLICT && attempt < 3)
			status = NXV_OK; /* the username was taken: draw another */
	}
	explicit_bzero(&digests, sizeof(digests));
	if (status == NXV_OK)
		error_clear(err);
	if (status == NXV_OK && cred->expires_at_ms)
		tell_engine(ctx, "credential.expires", cred->username);
	*out = cred;
	return status;
}

nxv_status nxv_credential_get(nxv_ctx *ctx, const char *id, struct nxv_credential **out, struct nxv_error *err)
{
	nxv_status status;

	*out = NULL;
	error_clear(err);
	if (!id)
		return error_field(err, "id", "is missing");
	status = credentials_find(ctx->db, id, env_now_ms(&ctx->env), out, err);
	if (status == NXV_OK)
		status = add_proxy(ctx, *out, err);
	if (status != NXV_OK) {
		nxv_credential_free(*out);
		*out = NULL;
	}
	return status;
}

nxv_status nxv_credential_list(
	nxv_ctx *ctx, const struct nxv_credential_list_opts *in, struct nxv_credential_page **out, struct nxv_error *err)
{
	struct nxv_credential_list_opts opts = NXV_CREDENTIAL_LIST_OPTS_INIT;
	nxv_status status;

	*out = NULL;
	error_clear(err);
	if (in && !opts_take(&opts, sizeof(opts), in, OPTS_LEAST(struct nxv_credential_list_opts, cursor)))
		return error_field(err, "opts", "start the options with NXV_CREDENTIAL_LIST_OPTS_INIT");
	if (opts.limit > PAGE_MAX)
		return error_field(err, "limit", "must be 1 to %d", PAGE_MAX);
	status = credentials_page(ctx->db, opts.user_id, opts.cursor, opts.limit ? opts.limit : PAGE_DEFAULT,
		env_now_ms(&ctx->env), out, err);
	for (size_t i = 0; status == NXV_OK && i < (*out)->count; i++)
		status = add_proxy(ctx, (*out)->items[i], err);
	if (status != NXV_OK) {
		nxv_credential_page_free(*out);
		*out = NULL;
	}
	return status;
}

nxv_status nxv_credential_revoke(nxv_ctx *ctx, const char *id, struct nxv_error *err)
{
	char *username = NULL;
	bool changed = false;
	nxv_status status;

	error_clear(err);
	if (!id)
		return error_field(err, "id", "is missing");
	status = credentials_mark(ctx->db, id, env_now_ms(&ctx->env), &username, &changed, err);
	if (status == NXV_OK) /* again too for one revoked before: a first attempt may have ended here */
		status = subscriber_delete(ctx->auth, username, err);
	if (status == NXV_OK && changed)
		tell_engine(ctx, "credential.gone", username);
	if (status == NXV_OK && !changed)
		status = error_set(err, NXV_E_NOT_FOUND, "this SIP credential is revoked already");
	free(username);
	return status;
}

void nxv_credential_free(struct nxv_credential *credential)
{
	if (!credential)
		return;
	free(credential->id);
	free(credential->user_id);
	free(credential->username);
	text_wipe_free(credential->password);
	free(credential->domain);
	free(credential->sip_uri);
	free(credential->proxy_server);
	free(credential);
}

void nxv_credential_page_free(struct nxv_credential_page *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		nxv_credential_free(list->items[i]);
	free(list->items);
	free(list->next_cursor);
	free(list);
}
