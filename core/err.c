// SPDX-License-Identifier: BSD-2-Clause
/* Error codes and one-line messages. Owns the wording; prints nothing. */
#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *bp_strerror(int code)
{
	switch ((enum bp_code)code) {
	case BP_OK: return "no error";
	case BP_EINVAL: return "invalid argument";
	case BP_ENOMEM: return "out of memory";
	case BP_EIO: return "system error";
	case BP_EPARSE: return "malformed input";
	case BP_ERANGE: return "value out of range";
	case BP_ENOTFOUND: return "not found";
	case BP_EPERM: return "not permitted";
	case BP_ETRUNC: return "input ends too early";
	case BP_EUNSUP: return "not supported";
	case BP_EAGAIN: return "try again later";
	case BP_EOF: return "end of input";
	case BP_EFOREIGN: return "not ours";
	}
	return "unknown error";
}

int bp_fail(struct bp_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	err->code = code;
	err->sys = 0;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

static int code_of_errno(int sys)
{
	switch (sys) {
	case EPERM:
	case EACCES: return BP_EPERM;
	case ENOENT: return BP_ENOTFOUND;
	case ENOMEM: return BP_ENOMEM;
	case EAGAIN: return BP_EAGAIN;
	default: return BP_EIO;
	}
}

int bp_fail_sys(struct bp_error *err, int sys, const char *fmt, ...)
{
	int code = code_of_errno(sys);
	va_list ap;
	size_t used;

	if (err == NULL)
		return code;
	err->code = code;
	err->sys = sys;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(sys));
	return code;
}

int bp_error_prefix(struct bp_error *err, const char *fmt, ...)
{
	char text[BP_ERROR_TEXT];
	size_t used;
	va_list ap;

	if (err == NULL)
		return BP_OK;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	used = strlen(text);
	if (used + 3 < sizeof(text))
		snprintf(text + used, sizeof(text) - used, ": %.*s",
			 (int)(sizeof(text) - used - 3), err->text);
	memcpy(err->text, text, sizeof(text));
	return err->code;
}
