/* faults.c - which faults are armed, and whether one strikes. The first armed one that fits does. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

enum { FAULTS_MAX = 64 };

struct faults {
	struct fault items[FAULTS_MAX];
	size_t count;
};

static const struct {
	const char *name;
	unsigned on; /* where it can strike; the first bit is the default */
} kinds[FAULT_KINDS] = {
	[FAULT_NONE] = { "none", 0 },
	[FAULT_RATE_LIMIT] = { "rate_limit", 31 },
	[FAULT_UNAVAILABLE] = { "unavailable", 31 },
	[FAULT_ERROR_AFTER_COMMIT] = { "error_after_commit", 31 },
	[FAULT_RESET_BEFORE_COMMIT] = { "reset_before_commit", 31 },
	[FAULT_RESET_AFTER_COMMIT] = { "reset_after_commit", 31 },
	[FAULT_HTML] = { "html", 31 },
	[FAULT_HTML_AFTER_COMMIT] = { "html_after_commit", 31 },
	[FAULT_SLOW] = { "slow", 31 },
	[FAULT_LIST_LAG] = { "list_lag", FAULT_ON_CREATE },
	[FAULT_CALLBACK_LOST] = { "callback_lost", FAULT_ON_CALLBACK },
	[FAULT_CALLBACK_LATE] = { "callback_late", FAULT_ON_CALLBACK },
	[FAULT_CALLBACK_DOUBLED] = { "callback_doubled", FAULT_ON_CALLBACK },
	[FAULT_CALLBACK_REORDERED] = { "callback_reordered", FAULT_ON_CALLBACK },
};
static const char *const places[] = { "create", "fetch", "list", "update", "recording", "callback" };

struct faults *faults_new(void)
{
	return calloc(1, sizeof(struct faults));
}

void faults_free(struct faults *faults)
{
	free(faults);
}

bool faults_add(struct faults *faults, const struct fault *fault)
{
	struct fault *slot = NULL;

	for (size_t i = 0; i < faults->count && !slot; i++)
		if (faults->items[i].count == 0)
			slot = &faults->items[i];
	if (!slot && faults->count == FAULTS_MAX)
		return false;
	if (!slot)
		slot = &faults->items[faults->count++];
	*slot = *fault;
	slot->on &= kinds[fault->kind].on;
	if (!slot->on)
		slot->on = kinds[fault->kind].on & FAULT_ON_CALLBACK ? FAULT_ON_CALLBACK : FAULT_ON_CREATE;
	return true;
}

void faults_clear(struct faults *faults)
{
	faults->count = 0;
}

const struct fault *faults_at(const struct faults *faults, size_t i)
{
	return i < faults->count ? &faults->items[i] : NULL;
}

bool faults_hit(struct sandbox *sandbox, unsigned on, const char *to, const char *event, struct fault_hit *hit)
{
	struct faults *faults = sandbox->faults;

	*hit = (struct fault_hit){ 0 };
	for (size_t i = 0; i < faults->count; i++) {
		struct fault *f = &faults->items[i];

		if (!(f->on & on) || f->count == 0 || (*f->to && strcmp(f->to, to) != 0) ||
			(*f->event && strcmp(f->event, event) != 0) || !sandbox_chance(sandbox, f->probability))
			continue;
		if (f->count > 0)
			f->count--;
		f->struck++;
		*hit = (struct fault_hit){ f->kind, f->delay_ms, f->retry_after_s };
		return true;
	}
	return false;
}

const char *fault_name(enum fault_kind kind)
{
	return kinds[kind].name;
}

enum fault_kind fault_parse(const char *name)
{
	for (int kind = FAULT_NONE + 1; kind < FAULT_KINDS; kind++)
		if (strcmp(kinds[kind].name, name) == 0)
			return (enum fault_kind)kind;
	return FAULT_NONE;
}

unsigned fault_on_parse(const char *name)
{
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(places[i], name) == 0)
			return 1u << i;
	return 0;
}

const char *fault_on_name(unsigned bit)
{
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (bit == 1u << i)
			return places[i];
	return "";
}
