// SPDX-License-Identifier: BSD-2-Clause
/*
 * scamper's binary files (warts) as a format: read by scamper's own sc_warts2json, run as a child
 * with the file on its stdin. Its library is GPL and is not linked. The child is ended when the
 * reader is, its status and what it complains of count. The one place in core that starts a
 * program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/record/format.h"

#define PROGRAM "sc_warts2json"
#define NOT_INSTALLED "scamper's warts is read by the program " PROGRAM \
	", which is not installed (Debian package: scamper)"

/* What posix_spawn() may leave to the child's status: the program could not be run. */
#define STATUS_NOT_RUN 127

extern char **environ;

struct warts {
	struct record_reader inner; /* of the program's output */
	FILE *output;
	pid_t program;         /* 0: none */
	int talk;              /* what the program writes to its stderr; a file in memory, or -1 */
};

/* The object type of a file begins with it (scamper_file_warts.c). */
static int detect(const char *head, size_t n)
{
	return n >= 2 && memcmp(head, "\x12\x05", 2) == 0 ? 100 : 0;
}

/* The file from its first byte, which was read already to tell what it is: the file itself where
 * one can go back, else a copy without a name. *copy is the caller's to close, NULL for the file.
 * The descriptor, or a negative BP_E*. */
static int from_the_start(struct record_reader *r, FILE **copy, struct bp_error *err)
{
	off_t unread = (r->end - r->at) + (r->rest_end - r->rest);
	int fd = fileno(r->file);

	*copy = NULL;
	if (fd >= 0 && lseek(fd, -unread, SEEK_CUR) >= 0)
		return fd;
	*copy = tmpfile();
	if (*copy == NULL)
		return bp_fail_sys(err, errno, "cannot make a file of the stream");
	do {
		fwrite(r->at, 1, (size_t)(r->end - r->at), *copy);
		r->at = r->end;
	} while (!ferror(*copy) && record_more(r));
	if (fflush(*copy) != 0 || ferror(*copy))
		return bp_fail_sys(err, errno, "cannot make a file of the stream");
	if (r->io_error != 0)
		return bp_fail_sys(err, r->io_error, "cannot read");
	rewind(*copy);
	return fileno(*copy);
}

static int start_program(struct warts *w, int in, int out, struct bp_error *err)
{
	char *const argv[] = {(char *)(uintptr_t)PROGRAM, NULL};
	posix_spawn_file_actions_t files;
	int rc;

	rc = posix_spawn_file_actions_init(&files);
	if (rc != 0)
		return bp_fail_sys(err, rc, "cannot run %s", PROGRAM);
	rc = posix_spawn_file_actions_adddup2(&files, in, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, out, 1);
	if (rc == 0 && w->talk >= 0)
		rc = posix_spawn_file_actions_adddup2(&files, w->talk, 2);
	if (rc == 0)
		rc = posix_spawnp(&w->program, PROGRAM, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (rc == 0)
		return 0;
	w->program = 0;
	if (rc == ENOENT)
		return bp_fail(err, BP_ENOTFOUND, NOT_INSTALLED);
	return bp_fail_sys(err, rc, "cannot run %s", PROGRAM);
}

/* The program, and w->output; what is not needed any more is closed on every way out. */
static int start(struct record_reader *r, struct warts *w, struct bp_error *err)
{
	int out[2] = {-1, -1}, in, rc = 0;
	FILE *copy = NULL;

	in = from_the_start(r, &copy, err);
	if (in < 0) {
		rc = in;
		goto out;
	}
	w->talk = memfd_create("talk", MFD_CLOEXEC);
	if (pipe2(out, O_CLOEXEC) < 0) {
		rc = bp_fail_sys(err, errno, "cannot make a pipe");
		goto out;
	}
	rc = start_program(w, in, out[1], err);
	if (rc < 0)
		goto out;
	w->output = fdopen(out[0], "r");
	if (w->output == NULL)
		rc = bp_fail_sys(err, errno, "cannot read from " PROGRAM);
	else
		out[0] = -1;
out:
	for (unsigned i = 0; i < 2; i++) {
		if (out[i] >= 0)
			close(out[i]);
	}
	if (copy != NULL)
		fclose(copy);
	return rc;
}

static int reap(struct warts *w)
{
	int status = 0;

	while (w->program > 0 && waitpid(w->program, &status, 0) < 0 && errno == EINTR)
		;
	w->program = 0;
	return status;
}

/* Its first line on stderr: a damaged file makes it talk, and end with 0 all the same. */
static bool complained(const struct warts *w, char *text, size_t size)
{
	ssize_t n = w->talk >= 0 ? pread(w->talk, text, size - 1, 0) : 0;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return n > 0;
}

/* The program's output is at its end: did it read the file to its end? */
static int conclude(struct record_reader *r, struct warts *w, struct bp_error *err)
{
	int status = reap(w);
	char text[160], clean[160];

	if (WIFSIGNALED(status))
		return bp_fail(err, BP_EIO, "%s: " PROGRAM " was ended by signal %d: damaged?",
			       r->name, WTERMSIG(status));
	if (WEXITSTATUS(status) == STATUS_NOT_RUN)
		return bp_fail(err, BP_ENOTFOUND, "%s: " NOT_INSTALLED, r->name);
	if (WEXITSTATUS(status) != 0)
		return bp_fail(err, BP_EIO, "%s: " PROGRAM " ended with status %d: damaged?",
			       r->name, WEXITSTATUS(status));
	if (complained(w, text, sizeof(text))) {
		text_set(clean, sizeof(clean), text);
		return bp_fail(err, BP_EIO, "%s: damaged: " PROGRAM " says: %s", r->name, clean);
	}
	return BP_EOF;
}

static void forward_skip(void *arg, const struct bp_error *why)
{
	struct record_reader *r = arg;

	r->skipped++;
	if (r->on_skip != NULL)
		r->on_skip(r->on_skip_arg, why);
}

static int begin(struct record_reader *r, struct bp_error *err)
{
	struct warts *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	w->talk = -1;
	r->state = w;
	rc = start(r, w, err);
	if (rc < 0)
		return bp_error_prefix(err, "%s", r->name);
	record_reader_init(&w->inner, w->output, r->name, &scamper_format);
	w->inner.on_skip = forward_skip;
	w->inner.on_skip_arg = r;
	return 0;
}

static int read_one(struct record_reader *r, struct record *out, struct bp_error *err)
{
	struct warts *w = r->state;
	int rc = 0;

	if (w == NULL) {
		rc = begin(r, err);
		w = r->state;
	}
	if (rc < 0)
		return rc;
	if (w->output == NULL)
		return BP_EOF;
	rc = scamper_format.read(&w->inner, out, err);
	r->line = w->inner.line;
	return rc == BP_EOF ? conclude(r, w, err) : rc;
}

static void fini(struct record_reader *r)
{
	struct warts *w = r->state;

	if (w->program > 0)
		kill(w->program, SIGKILL);
	reap(w);
	if (w->talk >= 0)
		close(w->talk);
	if (w->output != NULL) {
		record_reader_fini(&w->inner);
		fclose(w->output);
	}
	free(w);
}

const struct format warts_format = {
	.name = "warts",
	.says = "scamper's binary files, by way of sc_warts2json",
	.detect = detect,
	.read = read_one,
	.fini = fini,
};
