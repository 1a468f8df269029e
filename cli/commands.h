/* commands.h - the table of commands, and the functions behind it (one cmd_<noun>.c each). */
#ifndef NEXUSCTL_COMMANDS_H
#define NEXUSCTL_COMMANDS_H

#include "app.h"

/** All commands; the last row has no noun. */
extern const struct command commands[];

int cmd_init(struct app *app);
int cmd_keys_create(struct app *app);
int cmd_keys_list(struct app *app);
int cmd_keys_show(struct app *app);
int cmd_keys_toggle(struct app *app);
int cmd_keys_enable(struct app *app);
int cmd_keys_disable(struct app *app);
int cmd_keys_rotate(struct app *app);
int cmd_keys_delete(struct app *app);
int cmd_credentials_create(struct app *app);
int cmd_credentials_list(struct app *app);
int cmd_credentials_revoke(struct app *app);
int cmd_sip_start(struct app *app);
int cmd_sip_stop(struct app *app);
int cmd_sip_status(struct app *app);
int cmd_sip_render(struct app *app);
int cmd_sip_check(struct app *app);
int cmd_registrations_list(struct app *app);
int cmd_registrations_watch(struct app *app);
int cmd_registrations_kick(struct app *app);
int cmd_call_start(struct app *app);
int cmd_call_show(struct app *app);
int cmd_call_list(struct app *app);
int cmd_call_export(struct app *app);
int cmd_call_trace(struct app *app);
int cmd_call_end(struct app *app);
int cmd_call_watch(struct app *app);
int cmd_calls_freeze(struct app *app);
int cmd_calls_thaw(struct app *app);
int cmd_calls_state(struct app *app);
int cmd_callers_add(struct app *app);
int cmd_callers_list(struct app *app);
int cmd_callers_remove(struct app *app);
int cmd_numbers_add(struct app *app);
int cmd_numbers_list(struct app *app);
int cmd_numbers_remove(struct app *app);
int cmd_recordings_start(struct app *app);
int cmd_recordings_pause(struct app *app);
int cmd_recordings_resume(struct app *app);
int cmd_recordings_stop(struct app *app);
int cmd_recordings_list(struct app *app);
int cmd_recordings_get(struct app *app);
int cmd_recordings_delete(struct app *app);
int cmd_secrets_set(struct app *app);
int cmd_secrets_list(struct app *app);
int cmd_secrets_unset(struct app *app);
int cmd_secrets_check(struct app *app);
int cmd_secrets_rotate(struct app *app);
int cmd_twilio_check(struct app *app);
int cmd_usage_list(struct app *app);
int cmd_usage_export(struct app *app);
int cmd_health(struct app *app);
int cmd_config_list(struct app *app);
int cmd_version(struct app *app);

#endif
