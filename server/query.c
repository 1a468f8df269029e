/* query.c - parameters behind '?': each known one at most once, decoded. */
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "text.h"

static void fault(struct nxv_problems *problems, const char *field, const char *problem)
{
	struct nxv_problem *item = &problems->items[problems->count];

	if (problems->count == sizeof(problems->items) / sizeof(problems->items[0]))
		return;
	problems->count++;
	snprintf(item->field, sizeof(item->field), "%.63s", field);
	snprintf(item->problem, sizeof(item->problem), "%.159s", problem);
}

/* Is name one of the words of known? */
static bool knows(const char *known, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = known; len && (at = strstr(at, name)) != NULL; at += len)
		if ((at == known || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static void read_one(struct exchange *x, char *pair, struct nxv_problems *problems)
{
	char *value = strchr(pair, '='), problem[160];

	if (value)
		*value++ = '\0';
	if (!text_unescape(pair, true) || (value && !text_unescape(value, true))) {
		fault(problems, "query", "is not well encoded: write %XX for special characters");
	} else if (!knows(x->route->query, pair)) {
		snprintf(problem, sizeof(problem), "is not known here: this takes %.100s",
			x->route->query[0] ? x->route->query : "no parameters");
		fault(problems, pair, problem);
	} else if (query_get(x, pair)) {
		fault(problems, pair, "is given twice: give it once");
	} else if (!value || !*value) {
		fault(problems, pair, "is empty: give it a value or leave it out");
	} else if (x->queries < QUERY_MAX) {
		x->query[x->queries].name = pair;
		x->query[x->queries++].value = value;
	}
}

bool query_read(struct exchange *x, struct nxv_problems *problems)
{
	char *rest = NULL;

	if (x->route->flags & ROUTE_ANY_QUERY || !http_query(x->http)[0])
		return true;
	x->query_text = strdup(http_query(x->http));
	if (!x->query_text)
		return false;
	for (char *pair = strtok_r(x->query_text, "&", &rest); pair; pair = strtok_r(NULL, "&", &rest))
		read_one(x, pair, problems);
	return problems->count == 0;
}

const char *query_get(const struct exchange *x, const char *name)
{
	for (size_t i = 0; i < x->queries; i++)
		if (strcmp(x->query[i].name, name) == 0)
			return x->query[i].value;
	return NULL;
}

static void answer_fault(struct exchange *x, const char *name, const char *problem)
{
	struct nxv_problems problems = { 0 };

	fault(&problems, name, problem);
	answer_problem(x, 400, "bad_request", "A parameter is wrong; see details.", &problems);
}

bool query_word(struct exchange *x, const char *name, const char *const *words, size_t *index)
{
	const char *value = query_get(x, name);
	char problem[160] = "is not known: write";

	for (*index = 0; value && words[*index] && strcmp(words[*index], value) != 0; ++*index)
		snprintf(problem + strlen(problem), sizeof(problem) - strlen(problem), "%s %s", *index ? " or" : "", words[*index]);
	if (words[*index])
		return true;
	answer_fault(x, name, problem);
	return false;
}

bool query_limit(struct exchange *x, unsigned *limit)
{
	const char *value = query_get(x, "limit");
	size_t len = value ? strlen(value) : 0;
	unsigned long number = value ? strtoul(value, NULL, 10) : 0;

	if (value && (len > 4 || strspn(value, "0123456789") != len || number < 1 || number > 1000)) {
		answer_fault(x, "limit", "is out of range: write 1 to 1000");
		return false;
	}
	*limit = (unsigned)number;
	return true;
}

bool query_time(struct exchange *x, const char *name, int64_t *at_ms)
{
	const char *value = query_get(x, name);

	if (value && nxv_time_parse(value, at_ms, NULL) != NXV_OK) {
		answer_fault(x, name, "is no time: write RFC 3339, such as 2026-01-31T12:00:00Z (a + in it as %2B)");
		return false;
	}
	return true;
}
