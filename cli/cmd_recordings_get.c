/* cmd_recordings_get.c - `nexusctl recordings get`: the sound of a recording into a file, which has its name only once it is whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "commands.h"
#include "output.h"

enum { PROGRESS_MS = 500 };

struct download {
	const struct app *app;
	char *name;  /* where it shall be; NULL: standard output */
	char *part;  /* where it is meanwhile; NULL: nowhere */
	FILE *to;
	long long bytes;
	int64_t shown_ms;
	bool show, whole; /* progress; of a range that was asked for: all came instead */
	int failed;       /* errno of a write */
};

static void show(struct download *d, const struct nxv_twilio_media *media)
{
	const int64_t now_ms = app_now_ms();

	if (!d->show || now_ms - d->shown_ms < PROGRESS_MS)
		return;
	d->shown_ms = now_ms;
	if (media->length_bytes > 0)
		fprintf(stderr, "\r%lld of %lld KiB, %d %% ", d->bytes / 1024, (long long)media->length_bytes / 1024,
			(int)(d->bytes * 100 / media->length_bytes));
	else
		fprintf(stderr, "\r%lld KiB ", d->bytes / 1024);
}

static bool take(void *user, const struct nxv_twilio_media *media, const void *data, size_t len)
{
	struct download *d = user;

	d->whole = !media->partial;
	if (fwrite(data, 1, len, d->to) != len) {
		d->failed = errno;
		return false;
	}
	d->bytes += (long long)len;
	show(d, media);
	return !app_interrupted();
}

static bool keep_on(void *user)
{
	(void)user;
	return !app_interrupted();
}

/* A file of its own beside the one it shall become: nobody else can read it, and nothing of that name is touched before. */
static int open_part(struct download *d, const char *output, const char *format)
{
	size_t room = strlen(output ? output : d->app->operand) + 16;
	int fd;

	d->to = stdout;
	if (output && strcmp(output, "-") == 0)
		return RC_DONE;
	d->name = malloc(room);
	d->part = malloc(room);
	if (!d->name || !d->part)
		return out_fail(d->app, RC_FAILED, "no_memory", "out of memory");
	if (output)
		snprintf(d->name, room, "%s", output);
	else
		snprintf(d->name, room, "%s.%s", d->app->operand, format);
	snprintf(d->part, room, "%s.XXXXXX", d->name);
	fd = mkstemp(d->part);
	d->to = fd < 0 ? NULL : fdopen(fd, "wb");
	if (d->to)
		return RC_DONE;
	out_fail(d->app, RC_FAILED, "io", "cannot write %s: %s; name another file with --output", d->name, strerror(errno));
	if (fd >= 0)
		close(fd);
	else
		d->part[0] = '\0';
	return RC_FAILED;
}

/* Everything is on the disk before the file gets its name. */
static int finish(struct download *d)
{
	if (fflush(d->to) != 0 || (d->name && fsync(fileno(d->to)) != 0) || (d->name && rename(d->part, d->name) != 0))
		return out_fail(d->app, RC_FAILED, "io", "cannot write %s: %s", d->name ? d->name : "to standard output", strerror(errno));
	if (!d->name)
		return RC_DONE;
	d->part[0] = '\0';
	if (!d->app->json) {
		out_line("%s: %lld bytes", d->name, d->bytes);
		return RC_DONE;
	}
	char *name = nxv_json_string(d->name), *id = nxv_json_string(d->app->operand);
	if (name && id)
		printf("{\"id\":%s,\"file\":%s,\"bytes\":%lld}\n", id, name, d->bytes);
	free(name);
	free(id);
	return RC_DONE;
}

static int fetch(struct download *d, const char *format, const char *range)
{
	struct nxv_twilio_media_opts opts = NXV_TWILIO_MEDIA_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	char bytes[64];
	nxv_status status;

	opts.wav = strcmp(format, "wav") == 0;
	opts.keep_on = keep_on;
	if (range) {
		snprintf(bytes, sizeof(bytes), "bytes=%s", range);
		opts.range = bytes;
	}
	status = nxv_recording_media(d->app->ctx, d->app->operand, &opts, take, d, &err);
	if (d->show && d->shown_ms)
		fputs("\r                                        \r", stderr);
	if (d->failed)
		return out_fail(d->app, RC_FAILED, "io", "cannot write %s: %s", d->name ? d->name : "to standard output", strerror(d->failed));
	if (app_interrupted())
		return out_fail(d->app, RC_FAILED, "interrupted", "interrupted; nothing is kept");
	if (status != NXV_OK)
		return out_error(d->app, &err);
	if (range && d->whole && d->bytes)
		out_note(d->app, "Twilio sent all of it, not the range");
	return finish(d);
}

static bool is_range(const char *range)
{
	size_t from = strspn(range, "0123456789"), to;

	if (range[from] != '-')
		return false;
	to = strspn(range + from + 1, "0123456789");
	return !range[from + 1 + to] && from + to > 0 && from < 19 && to < 19;
}

int cmd_recordings_get(struct app *app)
{
	static const char *const formats[] = { "mp3", "wav", NULL };
	const char *range = args_value(app, "range");
	struct download d = { .app = app };
	int format = 0, rc = args_word(app, "format", formats, &format);

	if (rc != RC_DONE)
		return rc;
	if (range && !is_range(range))
		return out_usage(app, "--range takes bytes as in 0-499, 500- or -500");
	app_catch_signals();
	d.show = !app->json && isatty(STDERR_FILENO);
	rc = open_part(&d, args_value(app, "output"), formats[format]);
	if (rc == RC_DONE)
		rc = fetch(&d, formats[format], range);
	if (d.to && d.to != stdout)
		fclose(d.to);
	if (d.part && *d.part)
		unlink(d.part);
	free(d.part);
	free(d.name);
	return rc;
}
