/* owner.c - whose things a key may touch: an administrator's all, any other only those of its own user. */
#include <stdio.h>
#include <string.h>

#include "exchange.h"

bool owner_is_admin(const struct exchange *x)
{
	return x->pass && (x->pass->permissions & NXV_PERM_ADMIN);
}

bool owner_may(const struct exchange *x, const char *user_id)
{
	return owner_is_admin(x) || (user_id && x->pass && x->pass->user_id && strcmp(user_id, x->pass->user_id) == 0);
}

void owner_denied(struct exchange *x, const char *field)
{
	struct nxv_problems problems = { .count = 1 };

	snprintf(problems.items[0].field, sizeof(problems.items[0].field), "%s", field);
	snprintf(problems.items[0].problem, sizeof(problems.items[0].problem),
		"is another's: leave it out or give your own");
	answer_problem(x, 403, "forbidden",
		"This key acts for its own user only; use that user's key, or one with the permission admin.",
		&problems);
}

bool owner_filter(struct exchange *x, const char **user_id)
{
	const char *asked = query_get(x, "userId");

	if (asked && !owner_may(x, asked)) {
		owner_denied(x, "userId");
		return false;
	}
	*user_id = asked || owner_is_admin(x) ? asked : x->pass->user_id;
	return true;
}

void owner_not_found(struct exchange *x, const char *what)
{
	struct nxv_error err = { .status = NXV_E_NOT_FOUND };

	snprintf(err.code, sizeof(err.code), "not_found");
	snprintf(err.message, sizeof(err.message), "There is no such %s; check its id.", what);
	answer_error(x, &err);
}
