/* sipp.c - runs sipp with one of our scenarios. Passwords go in by a file, not on the command line. */
#include "sipp.h"

#include "proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sipp takes credentials only within the scenario: fill them into a private copy. */
static bool fill(const char *scenario, const struct sipp_opts *opts, const char *path)
{
	char file[512];
	snprintf(file, sizeof(file), "%s/%s.xml", SIPP_SCENARIOS, scenario);
	char *text = proc_read_file(file);
	FILE *f = text ? fopen(path, "w") : NULL;
	const struct {
		const char *mark, *value;
	} marks[] = { { "@USER@", opts->username }, { "@PASSWORD@", opts->password }, { "@DOMAIN@", opts->domain },
		{ "@TARGET@", opts->target ? opts->target : "" } };
	for (const char *p = text; f && *p;) {
		size_t i = 0;
		while (i < 4 && strncmp(p, marks[i].mark, strlen(marks[i].mark)) != 0) {
			i++;
		}
		fputs(i < 4 ? marks[i].value : (char[]){ *p, '\0' }, f);
		p += i < 4 ? strlen(marks[i].mark) : 1;
	}
	free(text);
	return f && fclose(f) == 0;
}

int sipp_play(const struct sipp_opts *opts, char **trace)
{
	const char *dir = proc_temp_dir();
	char scenario[64], messages[64], port[16], *out = NULL, *err = NULL;
	snprintf(scenario, sizeof(scenario), "%s/s.xml", dir);
	snprintf(messages, sizeof(messages), "%s/messages", dir);
	snprintf(port, sizeof(port), "%u", opts->port ? opts->port : proc_free_port(1));
	if (!fill(opts->scenario, opts, scenario)) {
		return -1;
	}
	const char *const argv[] = { "sipp", opts->server, "-sf", scenario, "-i", "127.0.0.1", "-p", port, "-m", "1", "-nostdin",
		"-timeout", "8s", "-timeout_error", "-recv_timeout", "5000", "-trace_msg", "-message_file", messages, NULL };
	int status = proc_run(argv, &out, &err, opts->timeout_ms ? opts->timeout_ms : 10000);
	if (trace) {
		char *seen = proc_read_file(messages);
		size_t size = strlen(out) + strlen(err) + (seen ? strlen(seen) : 0) + 8;
		*trace = malloc(size);
		snprintf(*trace, size, "%s\n%s\n%s", err, out, seen ? seen : "");
		free(seen);
	}
	free(out);
	free(err);
	return status;
}
