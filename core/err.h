// SPDX-License-Identifier: BSD-2-Clause
/*
 * Errors. Functions return 0 or a negative BP_E*. Functions that meet the outside (files, kernel,
 * users' text) also fill a caller's struct bp_error with one line for people: what, where, what to
 * do.
 * Owns the codes and their wording. Never prints and never exits: only the programs' mains do.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

enum bp_code {
	BP_OK = 0,
	BP_EINVAL = -1,     /* an argument or option makes no sense */
	BP_ENOMEM = -2,
	BP_EIO = -3,        /* the system refused: bp_error.sys holds errno */
	BP_EPARSE = -4,     /* malformed input */
	BP_ERANGE = -5,     /* well formed, but outside what is allowed */
	BP_ENOTFOUND = -6,  /* no such file, host, entry */
	BP_EPERM = -7,      /* privilege missing, or a limit forbids it */
	BP_ETRUNC = -8,     /* input ends too early */
	BP_EUNSUP = -9,     /* understood, but not supported */
	BP_EAGAIN = -10,    /* not now: try again later */
	BP_EOF = -11,       /* the stream ended cleanly */
	BP_EFOREIGN = -12,  /* valid, but not ours (a packet or record of somebody else) */
};

enum { BP_ERROR_TEXT = 512 };

struct bp_error {
	int code;  /* BP_E* */
	int sys;   /* errno, or 0 */
	char text[BP_ERROR_TEXT]; /* one line, no newline, no program name */
};

/* The fixed English name of a code, never NULL. */
const char *bp_strerror(int code);

/* Fills err (may be NULL) from the format and returns code. */
int bp_fail(struct bp_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As bp_fail, appends ": " and strerror(sys); code is derived from sys (EPERM, EACCES -> BP_EPERM;
 * ENOENT -> BP_ENOTFOUND; ENOMEM -> BP_ENOMEM; EAGAIN -> BP_EAGAIN; everything else BP_EIO). */
int bp_fail_sys(struct bp_error *err, int sys, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before err->text, for a caller that knows where. Returns err->code. */
int bp_error_prefix(struct bp_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
