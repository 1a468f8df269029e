/* fan.c - asks for many things one by one, eight requests in flight at most. */
#include "sip/control/fan.h"

#include <stdlib.h>

#include "base/error.h"

enum { IN_FLIGHT = 8 };

struct fan {
	struct control *control;
	const char *method;
	struct json_object *keys, *answers;
	size_t next;
	int pending, gone;
	bool sending;
	nxv_status status;
	struct nxv_error err;
	fan_params_fn *params;
	fan_done_fn *done;
	void *arg;
};

static void pump(struct fan *fan);

static void answered(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct fan *fan = arg;

	fan->pending--;
	if (status == NXV_OK) {
		json_object_array_add(fan->answers, json_object_get(result));
	} else if (status != NXV_E_NOT_FOUND && !(status == NXV_E_CONFLICT && err->detail == fan->gone) && fan->status == NXV_OK) {
		fan->status = status;
		fan->err = *err;
	}
	if (!fan->sending)
		pump(fan);
}

static void pump(struct fan *fan)
{
	const size_t count = json_object_array_length(fan->keys);

	fan->sending = true;
	while (fan->status == NXV_OK && fan->next < count && fan->pending < IN_FLIGHT) {
		const char *key = json_object_get_string(json_object_array_get_idx(fan->keys, fan->next++));

		fan->pending++;
		control_call(fan->control, fan->method, fan->params(fan->arg, key), answered, fan);
	}
	fan->sending = false;
	if (fan->pending > 0)
		return;
	fan->done(fan->arg, fan->status, fan->status == NXV_OK ? fan->answers : NULL, fan->status == NXV_OK ? NULL : &fan->err);
	json_object_put(fan->keys);
	json_object_put(fan->answers);
	free(fan);
}

void fan_start(struct control *c, const char *method, struct json_object *keys, int gone, fan_params_fn *params, fan_done_fn *done, void *arg)
{
	struct fan *fan = calloc(1, sizeof(*fan));
	struct nxv_error err = NXV_ERROR_INIT;

	if (fan)
		fan->answers = json_object_new_array();
	if (!fan || !fan->answers || !keys) {
		free(fan);
		json_object_put(keys);
		error_nomem(&err);
		done(arg, NXV_E_NOMEM, NULL, &err);
		return;
	}
	fan->control = c;
	fan->method = method;
	fan->keys = keys;
	fan->gone = gone;
	fan->params = params;
	fan->done = done;
	fan->arg = arg;
	pump(fan);
}
