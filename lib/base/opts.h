/* opts.h - taking a caller's options, whose struct may be shorter or longer than ours: it was built against another
 * release. */
#ifndef NXV_BASE_OPTS_H
#define NXV_BASE_OPTS_H

#include <stdbool.h>
#include <stddef.h>

/** Size of an options struct as first released; last: its last member then. Never changes. A member that is added later
 * must not fall into what was padding: nobody set that. */
#define OPTS_LEAST(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/** Copy options, which begin with their size_t size, into ours of size bytes. What a shorter struct lacks is zero, which
 * means default; what a longer one has beyond ours is not looked at.
 * @return false when from is NULL or its size is below least: it was not started with its INIT. */
bool opts_take(void *to, size_t size, const void *from, size_t least);

#endif
