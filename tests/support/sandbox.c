/* sandbox.c - nexus-sandbox under test. */
#include "sandbox.h"

#include "http.h"
#include "proc.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Basic credentials of SANDBOX_ACCOUNT and SANDBOX_TOKEN. */
#define LOGIN "Authorization: Basic " \
	"QUM1YTRkYjBjNWE0ZGIwYzVhNGRiMGM1YTRkYjBjNWE0ZDowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="
#define READY "nexus-sandbox ready on "

enum { ARGS_MAX = 24, START_MS = 20000, STOP_MS = 10000 };

bool sandbox_start(struct sandbox_run *sandbox, const char *const *args)
{
	static const char *const env[] = { "NEXUS_SANDBOX_ACCOUNT_SID=" SANDBOX_ACCOUNT, "NEXUS_SANDBOX_AUTH_TOKEN=" SANDBOX_TOKEN,
		"NEXUS_SANDBOX_API_KEY_SID=" SANDBOX_KEY, "NEXUS_SANDBOX_API_KEY_SECRET=" SANDBOX_KEY_SECRET, NULL };
	const char *argv[ARGS_MAX + 2] = { NEXUS_SANDBOX_PATH };
	char *output, *at;

	for (size_t i = 0; args && args[i] && i < ARGS_MAX; i++)
		argv[i + 1] = args[i];
	snprintf(sandbox->log, sizeof(sandbox->log), "%s/nexus-sandbox.log", proc_temp_dir());
	sandbox->proc = proc_start(argv, sandbox->log, env);
	if (!sandbox->proc || !proc_wait_output(sandbox->proc, READY, START_MS)) {
		output = sandbox->proc ? proc_output(sandbox->proc) : NULL;
		fprintf(stderr, "nexus-sandbox does not start: %s\n", output ? output : "");
		free(output);
		return false;
	}
	output = proc_output(sandbox->proc);
	at = strstr(output, READY) + strlen(READY);
	snprintf(sandbox->url, sizeof(sandbox->url), "%.*s", (int)strcspn(at, "\r\n"), at);
	free(output);
	return true;
}

int sandbox_stop(struct sandbox_run *sandbox)
{
	int status = proc_stop(sandbox->proc, STOP_MS);

	sandbox->proc = NULL;
	return status;
}

static struct json_object *ask(struct sandbox_run *sandbox, const char *method, const char *path, const char *body, int *status)
{
	struct http_reply reply;
	struct json_object *json;
	char url[256];

	snprintf(url, sizeof(url), "%s%s", sandbox->url, path);
	http_send(&(struct http_request){ .method = method, .url = url, .body = body, .headers = { LOGIN } }, &reply);
	*status = reply.status;
	json = json_object_get(reply.json);
	http_free(&reply);
	return json;
}

bool sandbox_fault(struct sandbox_run *sandbox, const char *text)
{
	int status;
	struct json_object *json = ask(sandbox, "POST", "/sandbox/v1/faults", text, &status);

	if (status != 201)
		fprintf(stderr, "%s: %s\n", text, json_text(json, "message"));
	json_object_put(json);
	return status == 201;
}

bool sandbox_no_faults(struct sandbox_run *sandbox)
{
	int status;

	json_object_put(ask(sandbox, "DELETE", "/sandbox/v1/faults", NULL, &status));
	return status == 204;
}

struct json_object *sandbox_get(struct sandbox_run *sandbox, const char *path)
{
	int status;
	struct json_object *json = ask(sandbox, "GET", path, NULL, &status);

	if (status == 200)
		return json;
	json_object_put(json);
	return NULL;
}

int sandbox_truth(struct sandbox_run *sandbox, const char *session, char parent[24], char child[24])
{
	struct json_object *json, *calls, *call;
	char path[200];
	int creates = 0;

	parent[0] = child[0] = '\0';
	snprintf(path, sizeof(path), "/sandbox/v1/calls?session=%s", session);
	json = sandbox_get(sandbox, path);
	if (!json)
		return -1;
	calls = json_object_object_get(json, "calls");
	for (size_t i = 0; i < json_object_array_length(calls); i++) {
		call = json_object_array_get_idx(calls, i);
		bool is_child = json_object_object_get(call, "parentSid");
		char *out = is_child ? child : parent;

		creates += !is_child;
		if (!*out)
			snprintf(out, 24, "%s", json_text(call, "status"));
	}
	json_object_put(json);
	return creates;
}
