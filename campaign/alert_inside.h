// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two ways to hand a message over, shared by campaign/alert*.c and by nobody else: one message
 * at a time, never waiting. What became of it is asked for by *_state.
 */
#ifndef CAMPAIGN_ALERT_INSIDE_H
#define CAMPAIGN_ALERT_INSIDE_H

#include <poll.h>
#include <stdbool.h>

#include "campaign/outbox.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"

enum delivery { DELIVERY_NONE, DELIVERY_UNDER_WAY, DELIVERY_TAKEN, DELIVERY_FAILED };

enum { DELIVERY_FDS_MAX = 16 };

/* A program: the message on its stdin, its stdout goes to our stderr; 0 is "taken". */
struct alert_exec;
int alert_exec_new(const char *program, struct alert_exec **out);
void alert_exec_free(struct alert_exec *x); /* ends what runs */
/* message is a descriptor at its begin, borrowed; env: NAME=VALUE words behind ours, ends with
 * NULL. */
int alert_exec_start(struct alert_exec *x, int message, char *const *env, struct bp_error *err);
unsigned alert_exec_poll(const struct alert_exec *x, struct pollfd *fds, unsigned max,
			 struct mono *wake);
/* TAKEN and FAILED are told once (why: one line); then NONE. */
enum delivery alert_exec_state(struct alert_exec *x, char *why, size_t size);

/* A POST by libcurl. */
struct alert_web;
/* secret: raw key bytes, NULL: not signed. */
int alert_web_new(const char *url, const unsigned char *secret, size_t n, struct alert_web **out,
		  struct bp_error *err);
void alert_web_free(struct alert_web *w);
/* body is taken over and left empty. */
int alert_web_start(struct alert_web *w, const char *id, struct wall now, struct buf *body,
		    struct bp_error *err);
unsigned alert_web_poll(const struct alert_web *w, struct pollfd *fds, unsigned max,
			struct mono *wake);
enum delivery alert_web_state(struct alert_web *w, char *why, size_t size);
/* "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body" (standardwebhooks.com, 1.0). */
enum { ALERT_SIGNATURE_TEXT = 3 + 44 + 1 };
void alert_sign(const unsigned char *secret, size_t secret_size, const char *id, const char *stamp,
		const void *body, size_t n, char out[static ALERT_SIGNATURE_TEXT]);
/* The key in the words of a secret file: "whsec_" and base64, else the first line as it is. Returns
 * its size, 0: none, or too long. */
size_t alert_secret(const char *text, unsigned char *out, size_t size);

#endif
