/* resolve.c - destinations. A SIP username wins over a user id of the same spelling. */
#include "session/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "session/carrier.h"
#include "sip/credentials.h"

static nxv_status usernames(struct db_tx *tx, const char *user_id, int64_t now_ms, char **out, struct nxv_error *err)
{
	char *names[CARRIER_TARGETS_MAX];
	struct buf joined = BUF_INIT;
	size_t count = 0;
	nxv_status status = credentials_usernames(tx, user_id, now_ms, names, CARRIER_TARGETS_MAX, &count, err);

	*out = NULL;
	for (size_t i = 0; i < count; i++) {
		buf_printf(&joined, "%s%s", i ? " " : "", names[i]);
		free(names[i]);
	}
	if (status == NXV_OK && count && !(*out = buf_take(&joined)))
		status = error_nomem(err);
	buf_free(&joined);
	return status;
}

nxv_status resolve_caller(struct db_tx *tx, const char *user_id, int64_t now_ms, char **out, struct nxv_error *err)
{
	nxv_status status = usernames(tx, user_id, now_ms, out, err);

	if (status == NXV_OK && !*out)
		status = error_code(err, NXV_E_CONFLICT, "no_sip_credentials",
			"user %s has no SIP credential to ring; make one with generate-credentials and register a phone with it", user_id);
	return status;
}

bool resolve_is_caller_id(const char *from, bool strict_e164)
{
	if (!from)
		return false;
	if (*from == '+')
		return text_is_number(from) && (!strict_e164 || (from[1] != '0' && strlen(from) >= 8));
	return text_is_user_id(from) && !strchr(from, '@');
}

/* "sip:user@domain" of the own domain -> user. @param out [owned] */
static nxv_status user_of_uri(const char *uri, const char *domain, char **out, struct nxv_error *err)
{
	const char *user = uri + 4, *at = strchr(user, '@');

	*out = NULL;
	if (!at || at == user || strcasecmp(at + 1, domain) != 0)
		return error_code(err, NXV_E_UNCALLABLE, "destination_not_allowed",
			"only sip: addresses of the domain %s can be called", domain);
	*out = strndup(user, (size_t)(at - user));
	return *out ? NXV_OK : error_nomem(err);
}

bool resolve_dialled(const char *to, char *dialled, size_t size)
{
	const bool uri = strncasecmp(to, "sip:", 4) == 0;
	bool whole = text_copy(dialled, size, uri ? to + 4 : to);

	if (uri && strchr(dialled, '@')) {
		*strchr(dialled, '@') = '\0';
		whole = true;
	}
	return whole;
}

nxv_status resolve_callee(
	struct db_tx *tx, const char *to, const char *domain, bool trunk, int64_t now_ms, char **out, struct nxv_error *err)
{
	char *user = NULL, *owner = NULL;
	nxv_status status = NXV_OK;

	*out = NULL;
	if (strncasecmp(to, "sip:", 4) == 0)
		status = user_of_uri(to, domain, &user, err);
	else if (!(user = text_dup(to)))
		status = error_nomem(err);
	if (status == NXV_OK && !text_is_user_id(user))
		status = error_field(err, "toNumber", "write a number (+ and 2 to 15 digits), a SIP username, a userId or a sip: URI");
	if (status != NXV_OK)
		goto out;
	if (text_is_number(user) && trunk) {
		*out = user;
		user = NULL;
		goto out;
	}
	if (text_is_number(user)) {
		status = error_code(err, NXV_E_UNCALLABLE, "no_trunk",
			"%s is a telephone number and no trunk is configured (trunk.host); call a SIP username, a userId or a sip: URI", user);
		goto out;
	}
	status = credentials_owner(tx, user, now_ms, &owner, err);
	if (status == NXV_OK) {
		*out = user;
		user = NULL;
	} else if (status == NXV_E_NOT_FOUND) {
		status = usernames(tx, user, now_ms, out, err);
		if (status == NXV_OK && !*out)
			status = error_code(err, NXV_E_UNCALLABLE, "unknown_destination",
				"%s is neither a SIP username nor a user with SIP credentials here", user);
	}
out:
	free(user);
	free(owner);
	return status;
}
