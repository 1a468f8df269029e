/* help.c - usage lines, help and completion. */
#include "help.h"

#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"

static void synopsis(const struct command *c, FILE *to)
{
	fprintf(to, "%s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
	if (c->operand)
		fprintf(to, " %s", c->operand);
	for (const struct opt *o = c->opts; o && o->name; o++)
		fprintf(to, o->required ? " --%s%s%s" : " [--%s%s%s]", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

void help_usage(const struct app *app, FILE *to)
{
	fputs("usage: nexusctl ", to);
	if (app->cmd)
		synopsis(app->cmd, to);
	else
		fputs("[--state DIR] [--config FILE] [--set KEY=VALUE] [--json] NOUN VERB ...  (`nexusctl help` lists the commands)", to);
	fputc('\n', to);
}

static void print_options(const struct opt *opts)
{
	for (const struct opt *o = opts; o && o->name; o++) {
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		printf("  %-28s %s\n", left, o->help);
	}
}

static void print_command(const struct app *app)
{
	help_usage(app, stdout);
	printf("\n%s\n", app->cmd->summary);
	if (app->cmd->opts) {
		puts("\nOptions:");
		print_options(app->cmd->opts);
	}
}

static int print_json(void)
{
	const char *comma = "";

	putchar('[');
	for (const struct command *c = commands; c->noun; c++) {
		if (c->flags & CMD_HIDDEN)
			continue;
		char *summary = nxv_json_string(c->summary);
		printf("%s\n{\"command\":\"%s%s%s\",\"usage\":\"", comma, c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
		synopsis(c, stdout);
		printf("\",\"summary\":%s}", summary ? summary : "\"\"");
		free(summary);
		comma = ",";
	}
	puts("\n]");
	return RC_DONE;
}

int help_print(struct app *app)
{
	if (app->cmd && app->help) {
		print_command(app);
		return RC_DONE;
	}
	if (app->json)
		return print_json();
	puts("nexusctl - API keys, SIP credentials, calls and the SIP server of a voice gateway\n");
	app->cmd = NULL;
	help_usage(app, stdout);
	puts("\nCommands:");
	for (const struct command *c = commands; c->noun; c++)
		if (!(c->flags & CMD_HIDDEN)) {
			char name[40];
			snprintf(name, sizeof(name), "%s%s%s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "", c->operand ? " " : "",
				c->operand ? c->operand : "");
			printf("  %-28s %s\n", name, c->summary);
		}
	puts("\nOptions of every command:");
	print_options(global_opts);
	puts("\n`nexusctl NOUN VERB --help` explains one. Exit status: 0 done, 1 failed, 2 wrong use, 3 not found, 4 refused,\n"
		"5 unreachable. Manual: nexusctl(1).");
	return RC_DONE;
}

static void offer_options(const struct opt *opts)
{
	for (; opts && opts->name; opts++)
		printf("--%s\n", opts->name);
}

static bool option_takes_value(const struct opt *opts, const char *name)
{
	for (; opts && opts->name; opts++)
		if (!strcmp(opts->name, name))
			return opts->arg;
	return false;
}

int help_complete(struct app *app)
{
	const char *noun = NULL;
	const struct command *found = NULL;

	for (char **word = app->rest; word && *word && word[1]; word++) { /* the last one is what is being typed */
		if (!strncmp(*word, "--", 2)) {
			bool value = option_takes_value(global_opts, *word + 2) || (found && option_takes_value(found->opts, *word + 2));
			if (value && !word[1][0])
				return RC_DONE;
			word += value && word[2];
		} else if (!noun) {
			noun = *word;
		}
		for (const struct command *c = commands; noun && !found && c->noun; c++)
			if (!strcmp(c->noun, noun) && (!c->verb || !strcmp(c->verb, *word)))
				found = c;
	}
	const char *last = NULL;
	for (const struct command *c = commands; !found && c->noun; c++) {
		const char *offer = !noun ? c->noun : strcmp(c->noun, noun) ? NULL : c->verb;
		if (offer && !(c->flags & CMD_HIDDEN) && (!last || strcmp(last, offer) != 0))
			puts(last = offer);
	}
	if (found)
		offer_options(found->opts);
	offer_options(global_opts);
	return RC_DONE;
}
