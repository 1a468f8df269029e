/* fuzz_config.c - configuration files. */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct config *cfg = NULL;
	struct nxv_error err = NXV_ERROR_INIT;
	int fd = memfd_create("conf", 0);
	nxv_status status;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	status = config_load(path, true, NULL, NULL, &cfg, &err);
	if (status != NXV_OK && (status != NXV_E_INVALID || !*err.message))
		abort();
	config_free(cfg);
	close(fd);
	return 0;
}
