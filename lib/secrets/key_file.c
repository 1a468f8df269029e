/* key_file.c - files that hold a key or a passphrase: read only when nobody else can, written whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "secrets/inside.h"

char *key_file_path(const struct secrets *secrets, const char *suffix)
{
	const char *path = config_text(secrets->cfg, CFG_SECRETS_KEY_FILE);

	return *path ? text_printf("%s%s", path, suffix) : text_printf("%s/secrets.key%s", secrets->state_dir, suffix);
}

char *key_file_credential(const struct secrets *secrets, const char *name)
{
	const char *dir = config_credentials_dir(secrets->cfg);

	return dir && *dir ? text_printf("%s/%s", dir, name) : NULL;
}

static nxv_status read_line(int fd, const char *path, char **text, struct nxv_error *err)
{
	char buf[PASSPHRASE_MAX_BYTES + 2];
	ssize_t got, len = 0;
	nxv_status status = NXV_OK;

	while ((got = read(fd, buf + len, sizeof(buf) - 1 - (size_t)len)) > 0)
		len += got;
	buf[len] = '\0';
	if (got < 0) {
		status = error_errno(err, errno, "cannot read %s", path);
	} else {
		buf[strcspn(buf, "\r\n")] = '\0';
		if (!*buf || strlen(buf) > PASSPHRASE_MAX_BYTES)
			status = error_code(err, NXV_E_DENIED, "sealing_key_missing", "%s must hold one line of 1 to %d bytes", path,
				PASSPHRASE_MAX_BYTES);
		else if (!(*text = text_dup(buf)))
			status = error_nomem(err);
	}
	explicit_bzero(buf, sizeof(buf));
	return status;
}

nxv_status key_file_read(const char *path, bool strict, char **text, struct nxv_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	nxv_status status;

	*text = NULL;
	if (fd < 0)
		return errno == ENOENT ? NXV_OK : error_errno(err, errno, "cannot open %s", path);
	if (fstat(fd, &st) != 0)
		status = error_errno(err, errno, "cannot look at %s", path);
	else if (!S_ISREG(st.st_mode))
		status = error_code(err, NXV_E_DENIED, "sealing_key_open", "%s is not a file", path);
	else if (strict && (st.st_mode & 077))
		status = error_code(err, NXV_E_DENIED, "sealing_key_open", "%s may be used by others; chmod 600 it", path);
	else if (strict && st.st_uid != geteuid() && st.st_uid != 0)
		status = error_code(err, NXV_E_DENIED, "sealing_key_open", "%s belongs to user %ld; chown it to the user that runs this", path,
			(long)st.st_uid);
	else
		status = read_line(fd, path, text, err);
	close(fd);
	return status;
}

/* So that the name of a file is as durable as what it holds. */
static nxv_status sync_folder(const char *path, struct nxv_error *err)
{
	char *folder = text_dup(path), *slash = folder ? strrchr(folder, '/') : NULL;
	nxv_status status = folder ? NXV_OK : error_nomem(err);
	int fd = -1;

	if (slash)
		slash[slash == folder] = '\0';
	if (status == NXV_OK) {
		fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsync(fd) != 0)
			status = error_errno(err, errno, "cannot write the folder of %s", path);
	}
	if (fd >= 0)
		close(fd);
	free(folder);
	return status;
}

static nxv_status fill(int fd, const char *path, const char *text, struct nxv_error *err)
{
	if (dprintf(fd, "%s\n", text) == (int)strlen(text) + 1 && fsync(fd) == 0)
		return NXV_OK;
	return error_errno(err, errno, "cannot write %s", path);
}

nxv_status key_file_write(const char *path, const char *text, bool over, struct nxv_error *err)
{
	char *made = text_printf("%s.XXXXXX", path);
	int fd = made ? mkstemp(made) : -1; /* mode 0600 */
	nxv_status status;

	if (!made)
		return error_nomem(err);
	if (fd < 0) {
		status = error_errno(err, errno, "cannot make the key file %s", path);
		free(made);
		return status;
	}
	status = fill(fd, path, text, err);
	close(fd);
	if (status == NXV_OK && over)
		status = key_file_rename(made, path, err);
	else if (status == NXV_OK && link(made, path) != 0)
		status = errno == EEXIST ? error_set(err, NXV_E_CONFLICT, "the key file %s is there already", path)
					 : error_errno(err, errno, "cannot make the key file %s", path);
	else if (status == NXV_OK)
		status = sync_folder(path, err);
	unlink(made);
	free(made);
	return status;
}

nxv_status key_file_rename(const char *from, const char *to, struct nxv_error *err)
{
	if (rename(from, to) != 0)
		return error_errno(err, errno, "cannot rename %s to %s", from, to);
	return sync_folder(to, err);
}
