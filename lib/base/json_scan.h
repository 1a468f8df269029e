/* json_scan.h - a look over JSON text before json-c parses it: what json-c lets pass, and members that stand twice. */
#ifndef NXV_BASE_JSON_SCAN_H
#define NXV_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/** Check strings and numbers by the letter of RFC 8259. *members: how many members the text spells.
 * @return false: *bad is the offset of what is wrong. Structure is left to the parser. */
bool json_scan(const char *text, size_t len, size_t *members, size_t *bad);
/** Name of the first member that the outermost object spells twice; "" if none is found. */
void json_scan_double(const char *text, size_t len, char *name, size_t size);

#endif
