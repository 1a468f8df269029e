/* manager_config.c - the rendered configuration file, and the check that nexusctl runs: parser and ports, starting nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "sip/manager_inside.h"
#include "sip/manager_log.h"
#include "sip/setup_trunk.h"

nxv_status manager_need_driver(const struct sip_setup *setup, struct nxv_error *err)
{
	if (setup->driver)
		return NXV_OK;
	return error_code(err, NXV_E_UNSUPPORTED, "no_sip_server",
		"no SIP server was found: install OpenSIPS or Kamailio, or set sip.server and sip.binary to one that is");
}

static nxv_status write_file(const char *path, const struct buf *text, struct nxv_error *err)
{
	char temp[264];
	nxv_status status = NXV_OK;
	int fd;

	snprintf(temp, sizeof(temp), "%s.new", path);
	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "cannot create %s", temp);
	if (write(fd, text->data, text->len) != (ssize_t)text->len || rename(temp, path) != 0) {
		status = error_errno(err, errno, "cannot write %s", path);
		unlink(temp);
	}
	close(fd);
	return status;
}

nxv_status manager_config_write(const struct sip_setup *setup, const char *name, char *path, size_t size, char *digest,
	struct nxv_error *err)
{
	struct sip_settings set = setup->set;
	struct buf text = BUF_INIT;
	char version[64], ha1[33];
	nxv_status status = sip_driver_version(setup->driver, setup->program, version, sizeof(version), err);

	set.trunk_ha1 = ha1;
	if (status == NXV_OK)
		status = setup_trunk_secret(setup, ha1, err);
	if (status == NXV_OK)
		status = setup->driver->render(&set, version, false, &text, err);
	explicit_bzero(ha1, sizeof(ha1));
	if (status == NXV_OK && text.failed)
		status = error_nomem(err);
	if (status == NXV_OK && !digest_hex(DIGEST_SHA256, text.data, text.len, digest))
		status = error_set(err, NXV_E_UNSUPPORTED, "OpenSSL refuses SHA-256");
	if (status == NXV_OK) {
		snprintf(path, size, "%s/%s", setup->set.run_dir, name);
		status = write_file(path, &text, err);
	}
	buf_wipe(&text);
	return status;
}

static nxv_status check_parser(const struct sip_setup *setup, struct buf *report, struct nxv_error *err)
{
	struct buf output = BUF_INIT;
	const char *argv[17] = { NULL };
	char path[256], digest[65], words[240];
	int exit_status = 0;
	nxv_status status = manager_config_write(setup, "check.cfg", path, sizeof(path), digest, err);

	if (status != NXV_OK)
		return status;
	setup->driver->argv(&setup->set, path, true, argv);
	status = process_run(setup->program, argv, setup->set.run_dir, MANAGER_CHECK_MS, &output, &exit_status, err);
	unlink(path);
	if (status == NXV_OK && exit_status != 0) {
		server_log_pick(output.data ? output.data : "", false, setup->set.secret, words, sizeof(words));
		status = error_code(err, NXV_E_INVALID, "bad_sip_config", "%s refuses its configuration: %s", setup->driver->name,
			*words ? words : "it does not say why");
	}
	if (status == NXV_OK)
		buf_printf(report, "configuration: accepted by %s's own parser\n", setup->driver->name);
	buf_free(&output);
	return status;
}

nxv_status sip_check(const struct env *env, const struct sip_setup *setup, struct buf *report, struct nxv_error *err)
{
	struct server_record rec;
	char version[64];
	nxv_status status = manager_need_driver(setup, err);

	(void)env;
	if (status != NXV_OK)
		return status;
	if (setup->external) {
		buf_printf(report, "external mode: %s at %s is configured by somebody else\n", setup->driver->name, setup->set.control);
		return NXV_OK;
	}
	status = sip_driver_version(setup->driver, setup->program, version, sizeof(version), err);
	if (status != NXV_OK)
		return status;
	buf_printf(report, "server: %s %s (%s)\n", setup->driver->name, version, setup->program);
	if (!sip_driver_tried(setup->driver, version))
		buf_printf(report, "warning: this program was tried with %s %s only\n", setup->driver->name, setup->driver->releases);
	status = check_parser(setup, report, err);
	if (status != NXV_OK)
		return status;
	if (record_load(setup->set.run_dir, &rec) && record_running(&rec)) {
		buf_printf(report, "ports: in use by our own server, process %d\n", (int)rec.pid);
		return NXV_OK;
	}
	status = probe_ports(&setup->set, err);
	if (status == NXV_OK)
		buf_printf(report, "ports: free\n");
	return status == NXV_OK && report->failed ? error_nomem(err) : status;
}
