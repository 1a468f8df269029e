/* router.h - the one table of routes: method, pattern, who may use it, what it takes, who handles it. */
#ifndef NEXUSD_ROUTER_H
#define NEXUSD_ROUTER_H

#include <nexusvoip/wire.h>

struct exchange;

enum {
	ROUTE_OPEN = 1,     /**< needs no API key */
	ROUTE_CREATES = 2,  /**< takes an Idempotency-Key */
	ROUTE_ANY_QUERY = 4, /**< parameters are ignored rather than refused */
	ROUTE_RAW = 8       /**< the handler reads the body itself, whatever its type */
};

struct route {
	const char *method;
	const char *pattern; /**< "/a/:name": one parameter at most */
	unsigned permissions; /**< the key needs one of these; 0: any valid key */
	unsigned flags;
	nxv_body_kind body;
	const char *query; /**< parameters it takes, separated by spaces */
	void (*handle)(struct exchange *x);
};

/** What a path and method lead to. */
struct route_match {
	const struct route *route; /**< NULL: none with this method */
	char allow[64];            /**< methods of the path, for Allow; "" when the path is unknown */
	char param[160];           /**< the parameter's value, decoded */
};

void router_find(const char *method, const char *path, struct route_match *out);
/** The index-th route; NULL past the end. */
const struct route *router_at(size_t index);
size_t router_index(const struct route *route);

#endif
