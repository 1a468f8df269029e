/* setup_trunk.c - the trunk and Twilio's addresses among the SIP server's settings, and the digest of the trunk's password,
 * which is looked up only when a configuration is written and stands nowhere else. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "sip/setup_trunk.h"

nxv_status setup_trunk_load(struct sip_setup *setup, const struct config *cfg, struct nxv_error *err)
{
	struct sip_settings *set = &setup->set;
	const char *realm = config_text(cfg, CFG_TRUNK_REALM), *host = config_text(cfg, CFG_TRUNK_HOST);
	bool twilio = *config_text(cfg, CFG_TWILIO_ACCOUNT_SID) != '\0';
	const struct {
		const char **member, *text;
	} rows[] = {
		{ &set->trunk_host, host },
		{ &set->trunk_transport, config_text(cfg, CFG_TRUNK_TRANSPORT) },
		{ &set->trunk_username, config_text(cfg, CFG_TRUNK_USERNAME) },
		{ &set->trunk_realm, *realm ? realm : host },
		{ &set->trunk_addresses, config_text(cfg, CFG_TRUNK_ADDRESSES) },
		{ &set->twilio_addresses, twilio ? config_text(cfg, CFG_TWILIO_ADDRESSES) : "" },
	};
	nxv_status status = NXV_OK;

	set->trunk_port = config_int(cfg, CFG_TRUNK_PORT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && status == NXV_OK; i++)
		status = setup_own(setup, rows[i].member, text_dup(rows[i].text), err);
	return status;
}

nxv_status setup_trunk_secret(const struct sip_setup *setup, char ha1[33], struct nxv_error *err)
{
	const struct sip_settings *set = &setup->set;
	char *password = NULL, *text = NULL;
	nxv_status status;

	ha1[0] = '\0';
	if (!set->trunk_host || !*set->trunk_host || !*set->trunk_username || !setup->secrets)
		return NXV_OK;
	status = secret_get(setup->secrets, SECRET_TRUNK_PASSWORD, &password, err);
	if (status == NXV_E_NOT_FOUND) {
		error_clear(err);
		return NXV_OK; /* the check of the settings says what is missing */
	}
	if (status == NXV_OK && !(text = text_printf("%s:%s:%s", set->trunk_username, set->trunk_realm, password)))
		status = error_nomem(err);
	if (status == NXV_OK && !digest_hex(DIGEST_MD5, text, strlen(text), ha1))
		status = error_set(err, NXV_E_UNSUPPORTED, "OpenSSL refuses MD5 (FIPS mode?), which the trunk's digest needs");
	text_wipe_free(password);
	text_wipe_free(text);
	return status;
}
