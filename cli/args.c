/* args.c - parses the command line by the table of commands. */
#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "output.h"

const struct opt global_opts[] = {
	{ "state", "DIR", false, "state folder" },
	{ "config", "FILE", false, "configuration file (default: nexusvoip.conf in the state folder)" },
	{ "set", "KEY=VALUE", false, "override a configuration option; may be repeated" },
	{ "json", NULL, false, "JSON for scripts" },
	{ "verbose", NULL, false, "log to standard error" },
	{ "help", NULL, false, "explain a command" },
	{ 0 },
};

/* Edit distance, counting a swap of neighbours as one; words longer than the table are never near. */
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	size_t d[MAX + 1][MAX + 1], n = strlen(a), m = strlen(b);

	if (n > MAX || m > MAX)
		return MAX;
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[n][m];
}

const char *args_nearest(const char *word, const char *const *words, size_t count)
{
	size_t best = strlen(word) / 3 + 2; /* farther than this is another word, not a slip */
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, words[i]);
		if (strlen(word) > 1 && !strncmp(word, words[i], strlen(word)) && d > 1)
			d = 1; /* an abbreviation */
		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}

static int unknown_word(const struct app *app, const char *word, const char *noun)
{
	const char *words[96];
	size_t count = 0;

	for (const struct command *c = commands; c->noun && count < 96; c++)
		if (!(c->flags & CMD_HIDDEN) && (!noun || (!strcmp(c->noun, noun) && c->verb)))
			words[count++] = noun ? c->verb : c->noun;
	const char *near = args_nearest(word, words, count);
	if (near)
		return out_usage(app, "there is no command \"%s%s%s\"; did you mean \"%s%s%s\"?", noun ? noun : "", noun ? " " : "", word,
			noun ? noun : "", noun ? " " : "", near);
	return out_usage(app, "there is no command \"%s%s%s\"", noun ? noun : "", noun ? " " : "", word);
}

static int unknown_option(const struct app *app, const char *name, size_t len)
{
	const char *words[OPTS_MAX + 8];
	size_t count = 0;
	char given[33];

	for (const struct opt *o = app->cmd ? app->cmd->opts : NULL; o && o->name; o++)
		words[count++] = o->name;
	for (const struct opt *o = global_opts; o->name; o++)
		words[count++] = o->name;
	if (len >= sizeof(given))
		len = sizeof(given) - 1;
	memcpy(given, name, len);
	given[len] = '\0';
	const char *near = args_nearest(given, words, count);
	if (near)
		return out_usage(app, "there is no option --%s here; did you mean --%s?", given, near);
	return out_usage(app, "there is no option --%s here%s", given, app->cmd ? "" : "; a command's own options follow the command");
}

static const struct opt *find(const struct opt *opts, const char *name, size_t len)
{
	for (; opts && opts->name; opts++)
		if (strlen(opts->name) == len && !strncmp(opts->name, name, len))
			return opts;
	return NULL;
}

static int take_set(struct app *app, const char *value)
{
	const char *keys[128];
	size_t count = 0, len = strcspn(value, "=");

	if (!value[len])
		return out_usage(app, "--set takes KEY=VALUE, such as --set sip.domain=sip.example.com");
	if (app->set_count == SETS_MAX)
		return out_usage(app, "--set may be given %d times at most; use a configuration file", SETS_MAX);
	for (const struct nxv_config_option *o; count < 128 && (o = nxv_config_option_at(count)); count++) {
		keys[count] = o->key;
		if (strlen(o->key) == len && !strncmp(o->key, value, len)) {
			app->sets[app->set_count++] = value;
			return RC_DONE;
		}
	}
	char key[33];
	if (len >= sizeof(key))
		len = sizeof(key) - 1;
	memcpy(key, value, len);
	key[len] = '\0';
	const char *near = args_nearest(key, keys, count);
	if (near)
		return out_usage(app, "there is no configuration option \"%s\"; did you mean %s?", key, near);
	return out_usage(app, "there is no configuration option \"%s\"; `nexusctl config list` shows them all", key);
}

static int take_global(struct app *app, const struct opt *opt, const char *value)
{
	switch (opt - global_opts) {
	case 0:
		app->state_dir = value;
		return *value ? RC_DONE : out_usage(app, "--state takes a folder");
	case 1:
		app->config_file = value;
		return *value ? RC_DONE : out_usage(app, "--config takes a file");
	case 2:
		return take_set(app, value);
	case 3:
		app->json_asked = true;
		return RC_DONE;
	case 4:
		app->verbose = true;
		return RC_DONE;
	default:
		app->help = true;
		return RC_DONE;
	}
}

/* One --option at argv[*at], with its value behind "=" or in the next argument. */
static int take_option(struct app *app, char **argv, int argc, int *at)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	const struct opt *own = app->cmd ? find(app->cmd->opts, name, len) : NULL;
	const struct opt *opt = own ? own : find(global_opts, name, len);
	const char *value = name[len] ? name + len + 1 : NULL;

	if (!opt)
		return unknown_option(app, name, len);
	if (!opt->arg && value)
		return out_usage(app, "--%s takes no value", opt->name);
	if (opt->arg && !value) {
		if (*at + 1 >= argc)
			return out_usage(app, "--%s needs a value: --%s %s", opt->name, opt->name, opt->arg);
		value = argv[++*at];
	}
	if (!own)
		return take_global(app, opt, value);
	const char **slot = &app->values[own - app->cmd->opts];
	if (*slot)
		return out_usage(app, "--%s is given twice", opt->name);
	*slot = value ? value : "";
	return RC_DONE;
}

static const struct command *command_find(const char *noun, const char *verb, bool *noun_known)
{
	*noun_known = false;
	for (const struct command *c = commands; c->noun; c++) {
		if (strcmp(c->noun, noun) != 0)
			continue;
		*noun_known = true;
		if (!c->verb || (verb && !strcmp(c->verb, verb)))
			return c;
	}
	return NULL;
}

static int secret_argument(const struct app *app)
{
	return out_usage(app,
		"a secret is never given as an argument, where every user of this machine can see it; give it on standard input");
}

/* A word that is no option: noun, verb, then the operand. */
static int take_word(struct app *app, const char *word, const char **noun)
{
	bool known;

	if (app->cmd) {
		if (app->cmd->flags & CMD_SECRET && app->operand)
			return secret_argument(app);
		if (!app->cmd->operand || app->operand)
			return out_usage(app, "\"%s\" is one argument too many", word);
		if (!*word)
			return out_usage(app, "%s must not be empty", app->cmd->operand);
		app->operand = word;
		return RC_DONE;
	}
	app->cmd = command_find(*noun ? *noun : word, *noun ? word : NULL, &known);
	if (app->cmd)
		return RC_DONE;
	if (*noun || !known)
		return unknown_word(app, word, *noun);
	*noun = word;
	return RC_DONE;
}

static int missing_verb(const struct app *app, const char *noun)
{
	char verbs[256] = "";

	for (const struct command *c = commands; c->noun; c++)
		if (!strcmp(c->noun, noun)) {
			strncat(verbs, *verbs ? ", " : "", sizeof(verbs) - strlen(verbs) - 1);
			strncat(verbs, c->verb, sizeof(verbs) - strlen(verbs) - 1);
		}
	return out_usage(app, "\"%s\" needs a verb: %s", noun, verbs);
}

static int check_complete(struct app *app, const char *noun)
{
	if (app->help)
		return RC_DONE;
	if (!app->cmd)
		return noun ? missing_verb(app, noun) : out_usage(app, "no command is given");
	for (const struct opt *o = app->cmd->opts; o && o->name; o++)
		if (o->required && !app->values[o - app->cmd->opts])
			return out_usage(app, "--%s is missing: --%s %s", o->name, o->name, o->arg);
	if (app->cmd->operand && app->cmd->operand[0] != '[' && !app->operand)
		return out_usage(app, "%s is missing", app->cmd->operand);
	return RC_DONE;
}

int args_parse(struct app *app, int argc, char **argv)
{
	const char *noun = NULL;
	bool options = true;
	int rc = RC_DONE;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) /* a fault in front of it is to be told in JSON too */
		app->json = app->json || !strcmp(argv[i], "--json");
	for (int i = 1; i < argc && rc == RC_DONE; i++) {
		if (app->cmd && (app->cmd->flags & CMD_ANY_ARGS)) {
			app->rest = argv + i;
			return RC_DONE;
		}
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && !strcmp(argv[i], "-h"))
			app->help = true;
		else if (options && !strncmp(argv[i], "--", 2))
			rc = take_option(app, argv, argc, &i);
		else if (options && argv[i][0] == '-' && argv[i][1] && app->cmd && app->cmd->flags & CMD_SECRET)
			rc = secret_argument(app);
		else if (options && argv[i][0] == '-' && argv[i][1])
			rc = out_usage(app, "there is no option %s; options are written out, like --user", argv[i]);
		else
			rc = take_word(app, argv[i], &noun);
	}
	if (rc != RC_DONE)
		return rc;
	app->json = app->json_asked; /* it may have been the value of another option */
	return check_complete(app, noun);
}

const char *args_value(const struct app *app, const char *name)
{
	const struct opt *opt = find(app->cmd->opts, name, strlen(name));

	return opt ? app->values[opt - app->cmd->opts] : NULL;
}

int args_number(const struct app *app, const char *name, long min, long max, long *out)
{
	const char *text = args_value(app, name);
	char *end;

	if (!text)
		return RC_DONE;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || *end || end == text || value < min || value > max)
		return out_usage(app, "--%s takes a whole number from %ld to %ld", name, min, max);
	*out = value;
	return RC_DONE;
}

/* "30d" and the like. */
static bool parse_duration(const char *text, int64_t *out_ms)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	long value = strtol(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	if (errno || !unit || end[1] || value > 1000000)
		return false;
	*out_ms = value * seconds[unit - units] * 1000;
	return true;
}

int args_duration(const struct app *app, const char *name, int64_t *out_ms)
{
	const char *text = args_value(app, name);

	if (text && !parse_duration(text, out_ms))
		return out_usage(app, "--%s takes a duration such as 90s, 15m, 1h, 7d or 2w", name);
	return RC_DONE;
}

int args_time(const struct app *app, const char *name, int64_t *out_ms)
{
	const char *text = args_value(app, name);
	int64_t ms;

	if (!text)
		return RC_DONE;
	if ((*text == '+' || *text == '-') && parse_duration(text + 1, &ms))
		*out_ms = app_now_ms() + (*text == '+' ? ms : -ms);
	else if (nxv_time_parse(text, &ms, NULL) == NXV_OK && ms > 0)
		*out_ms = ms;
	else
		return out_usage(app, "--%s takes a time such as 2030-01-31T12:00:00Z, or one from now such as +30d or -1h", name);
	return RC_DONE;
}

int args_word(const struct app *app, const char *name, const char *const *words, int *index)
{
	const char *text = args_value(app, name);
	char list[128] = "";

	if (!text)
		return RC_DONE;
	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*index = i;
			return RC_DONE;
		}
		strncat(list, i ? ", " : "", sizeof(list) - strlen(list) - 1);
		strncat(list, words[i], sizeof(list) - strlen(list) - 1);
	}
	return out_usage(app, "--%s takes one of: %s", name, list);
}
