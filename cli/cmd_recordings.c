/* cmd_recordings.c - `nexusctl recordings ...`: recordings of calls over Twilio. */
#include <stdio.h>

#include "args.h"
#include "commands.h"
#include "output.h"

static const char *seconds(const struct nxv_recording *r, char *buf, size_t size)
{
	snprintf(buf, size, "%lld s", (long long)r->duration_seconds);
	return r->duration_seconds < 0 ? NULL : buf;
}

static int control(struct app *app, nxv_recording_action action)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_recording *r = NULL;
	char duration[32];
	int rc = RC_DONE;

	if (nxv_recording_control(app->ctx, app->operand, action, &r, &err) != NXV_OK)
		return out_error(app, &err);
	const struct out_pair pairs[] = { { "id", r->id }, { "call", r->session_id }, { "status", r->status },
		{ "duration", seconds(r, duration, sizeof(duration)) } };
	if (app->json)
		rc = out_json(app, nxv_json_recording(r));
	else
		out_record(pairs, sizeof(pairs) / sizeof(pairs[0]));
	nxv_recording_free(r);
	return rc;
}

int cmd_recordings_start(struct app *app)
{
	return control(app, NXV_RECORDING_START);
}

int cmd_recordings_pause(struct app *app)
{
	return control(app, NXV_RECORDING_PAUSE);
}

int cmd_recordings_resume(struct app *app)
{
	return control(app, NXV_RECORDING_RESUME);
}

int cmd_recordings_stop(struct app *app)
{
	return control(app, NXV_RECORDING_STOP);
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_recording_list *found = NULL;
	nxv_status status = nxv_recording_list(list->app->ctx, arg, &found, err);

	(void)limit, (void)cursor;
	for (size_t i = 0; status == NXV_OK && i < found->count; i++) {
		const struct nxv_recording *r = found->items[i];
		char created[32], duration[32];
		const char *cells[] = { r->id, r->status, seconds(r, duration, sizeof(duration)), out_time(r->created_at_ms, created), r->user_id };

		out_list_add(list, cells, list->app->json ? nxv_json_recording(r) : NULL);
	}
	nxv_recording_list_free(found);
	return status;
}

int cmd_recordings_list(struct app *app)
{
	static const char *const heads[] = { "ID", "STATUS", "DURATION", "STARTED", "USER", NULL };

	return out_pages(app, heads, 0, page, (void *)app->operand);
}

int cmd_recordings_delete(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_recording_delete(app->ctx, app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "deleted", app->operand);
}
