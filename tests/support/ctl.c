/* ctl.c - nexusctl as a tool of tests. */
#include "gateway.h"

#include "proc.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 40, CTL_MS = 30000 };

static char *last_out, *last_err;
static struct json_object *last_json;

int gateway_ctl(struct gateway *gw, const char *words, ...)
{
	char line[2048], *save = NULL;
	const char *argv[WORDS_MAX] = { NEXUSCTL_PATH, "--state", gw->state, "--json" };
	size_t count = 4;
	va_list args;
	va_start(args, words);
	vsnprintf(line, sizeof(line), words, args);
	va_end(args);
	for (char *word = strtok_r(line, " ", &save); word && count < WORDS_MAX - 1; word = strtok_r(NULL, " ", &save)) {
		argv[count++] = word;
	}
	free(last_out);
	free(last_err);
	json_object_put(last_json);
	int status = proc_run(argv, &last_out, &last_err, CTL_MS);
	last_json = last_out[0] ? json_tokener_parse(last_out) : NULL;
	return status;
}

struct json_object *gateway_ctl_json(void)
{
	return last_json;
}

const char *gateway_ctl_out(void)
{
	return last_out ? last_out : "";
}

const char *gateway_ctl_err(void)
{
	return last_err ? last_err : "";
}
