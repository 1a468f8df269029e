/* list.h - lists of dialogs and contacts on their way to a driver's caller. */
#ifndef NXV_SIP_CONTROL_LIST_H
#define NXV_SIP_CONTROL_LIST_H

#include "base/json.h"
#include "sip/server.h"

/** Zero-initialise; keep holds the JSON that the items' text lies in. */
struct dialog_list {
	struct sip_dialog *items;
	size_t count, cap;
	struct json_object *keep;
	bool failed; /**< out of memory */
};
struct contact_list {
	struct sip_contact *items;
	size_t count, cap;
	struct json_object *keep;
	bool failed;
};

/** Add a dialog whose text lies in holder, which is kept. */
void dialog_list_add(struct dialog_list *list, const struct sip_dialog *dialog, struct json_object *holder);
void dialog_list_free(struct dialog_list *list);
/** Add a contact of "user@domain". agent: nullable. */
void contact_list_add(struct contact_list *list, const char *aor, const char *contact, const char *agent, int64_t expires_seconds);
/** How the contact added last was heard: received is a URI, socket the listener "ws:ADDRESS:PORT"; both nullable. */
void contact_list_heard(struct contact_list *list, const char *received, const char *socket);
void contact_list_free(struct contact_list *list);

/** session, leg, owner, from, to, when it was invited and rang and, of a confirmed one, the exact time of the answer, from the dialog's variables: an array
 * of objects with one member each. */
void dialog_take_values(struct sip_dialog *dialog, struct json_object *pairs);
/** "seconds.microseconds", the latter without leading zeros, in ms; 0 for a time that no clock shows. */
int64_t dialog_exact_ms(const char *text);
/** A member that counts UTC seconds, in ms; 0 for a time that no clock shows. */
int64_t dialog_time_ms(struct json_object *obj, const char *member);

#endif
