/* log.c - structured lines on standard error, each in one write, so that lines of different threads do not mix. */
#include "log.h"

#include <nexusvoip/wire.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put(nxv_log_level level, const char *module, const char *fields, const char *message)
{
	struct text line;
	char when[32], *data;
	size_t len;

	nxv_time_format(wall_ms(), when);
	text_begin(&line);
	text_add(&line, "time=%s level=%s module=%s", when, level_names[level], module);
	if (fields)
		text_add(&line, " %s", fields);
	if (message) {
		text_add(&line, " msg=");
		text_add_logged(&line, message);
	}
	text_add(&line, "\n");
	data = text_take(&line, &len);
	if (data)
		(void)!write(STDERR_FILENO, data, len);
	free(data);
}

void log_write(void *user, nxv_log_level level, const char *module, const char *text)
{
	(void)user;
	put(level, module, NULL, text);
}

void log_fields(nxv_log_level level, const char *module, const char *fields)
{
	put(level, module, fields, NULL);
}

void log_sparse(const char *module, const char *text)
{
	static atomic_llong last_ms;
	static atomic_uint left_out;
	long long now = wall_ms(), last = atomic_load(&last_ms);
	char fields[32];

	if (now - last < 60000 || !atomic_compare_exchange_strong(&last_ms, &last, now)) {
		atomic_fetch_add(&left_out, 1);
		return;
	}
	snprintf(fields, sizeof(fields), "left_out=%u", atomic_exchange(&left_out, 0));
	put(NXV_LOG_WARN, module, fields, text);
}
