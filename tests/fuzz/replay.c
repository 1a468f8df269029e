/* replay.c - runs a fuzz target over every file of a folder, and over every file cut short at each of its bytes. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

enum { FILE_MAX = 256 * 1024, CUTS_MAX = 4096 };

static int replay(const char *path)
{
	static uint8_t data[FILE_MAX];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		fprintf(stderr, "cannot open %s\n", path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	for (size_t cut = 0; cut < size && cut < CUTS_MAX; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1); /* so that reading past the end is seen */
		if (!exact)
			return 1;
		memcpy(exact, data, cut);
		LLVMFuzzerTestOneInput(exact, cut);
		free(exact);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	int files = 0, failed = 0;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;

	if (!dir) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir))) {
		char path[1024];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		failed += replay(path);
		files++;
	}
	closedir(dir);
	printf("%d files, each whole and cut short\n", files);
	return failed || !files;
}
