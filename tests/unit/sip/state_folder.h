/* state_folder.h - a private state folder under /tmp and the pieces of a context that the SIP tests need. */
#ifndef TESTS_SIP_STATE_FOLDER_H
#define TESTS_SIP_STATE_FOLDER_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "sip/manager.h"

static struct env test_env;
static char folder[40];

static inline void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[1024];

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (strlen(path) > 512)
			continue;
		snprintf(name, sizeof(name), "%.512s/%.256s", path, entry->d_name);
		if (unlink(name) != 0)
			remove_tree(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static inline int folder_make(void **state)
{
	(void)state;
	memset(&test_env, 0, sizeof(test_env));
	env_defaults(&test_env);
	strcpy(folder, "/tmp/nxv-sip-XXXXXX");
	return mkdtemp(folder) ? 0 : 1;
}

static inline int folder_remove(void **state)
{
	(void)state;
	remove_tree(folder);
	return 0;
}

/* Text of a file below the folder; freed by the caller; NULL if there is none. */
static inline char *folder_read(const char *name)
{
	char path[256];
	char *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (!file || !text) {
		free(text);
		return NULL;
	}
	text[fread(text, 1, 65535, file)] = '\0';
	fclose(file);
	return text;
}

static inline void folder_write(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline mode_t folder_mode(const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Load the settings with these KEY=VALUE overrides (NULL-ended list). */
static inline nxv_status setup_load(const char *const *set, struct sip_setup **out, struct nxv_error *err)
{
	struct config *cfg;
	nxv_status status = config_load(NULL, false, NULL, set, &cfg, err);

	*out = NULL;
	if (status == NXV_OK)
		status = sip_setup_load(&test_env, cfg, folder, out, err);
	config_free(cfg);
	return status;
}

#endif
