/* release.c - whether a release of a SIP server is one of those that the tests ran on. */
#include <string.h>

#include "sip/server.h"

bool sip_driver_tried(const struct sip_driver *driver, const char *version)
{
	const size_t len = strspn(version, "0123456789") + 1; /* and the dot; then the minor number */
	const size_t release = len + strspn(version + (version[len - 1] ? len : 0), "0123456789");

	for (const char *at = driver->releases; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (version[len - 1] == '.' && strncmp(at, version, release) == 0 && !(at[release] >= '0' && at[release] <= '9'))
			return true;
	return false;
}
