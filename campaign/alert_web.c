// SPDX-License-Identifier: BSD-2-Clause
/*
 * The webhook: libcurl's multi handle on our poll loop (socket and timer callbacks), one transfer
 * at a time. http and https only, no redirects: what was signed goes where the plan says.
 */
#include "campaign/alert_inside.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum { TRANSFER_S = 30, ANSWER_MAX = 1 << 16 };

struct alert_web {
	char *url;
	char shown[128];        /* the host: the rest of a URL may be a secret */
	unsigned char *secret;  /* NULL: not signed */
	size_t secret_size;
	CURLM *multi;
	CURL *easy;             /* NULL: nothing under way */
	struct curl_slist *headers;
	struct buf body;
	size_t answered;        /* bytes of the answer, which nobody reads */
	char error[CURL_ERROR_SIZE];
	struct pollfd fds[DELIVERY_FDS_MAX];
	unsigned fd_count;
	bool timed;
	struct mono timer;
};

/* --- signing ---------------------------------------------------------------------------------- */

void alert_sign(const unsigned char *secret, size_t secret_size, const char *id, const char *stamp,
		const void *body, size_t n, char out[static ALERT_SIGNATURE_TEXT])
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, secret, secret_size);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)id, strlen(id));
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)".", 1);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)stamp, strlen(stamp));
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)".", 1);
	crypto_auth_hmacsha256_update(&st, body, n);
	crypto_auth_hmacsha256_final(&st, mac);
	memcpy(out, "v1,", 3);
	sodium_bin2base64(out + 3, ALERT_SIGNATURE_TEXT - 3, mac, sizeof(mac),
			  sodium_base64_VARIANT_ORIGINAL);
}

size_t alert_secret(const char *text, unsigned char *out, size_t size)
{
	static const char prefix[] = "whsec_";
	size_t n = strcspn(text, "\r\n"), used = 0;

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0) {
		if (n > size)
			return 0;
		memcpy(out, text, n);
		return n;
	}
	text += sizeof(prefix) - 1;
	n -= sizeof(prefix) - 1;
	if (sodium_base642bin(out, size, text, n, NULL, &used, NULL,
			      sodium_base64_VARIANT_ORIGINAL) < 0)
		return 0;
	return used;
}

/* --- curl on a poll loop ---------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct alert_web *w = arg;
	unsigned i = 0;

	(void)easy;
	(void)unused;
	while (i < w->fd_count && w->fds[i].fd != fd)
		i++;
	if (what == CURL_POLL_REMOVE) {
		if (i < w->fd_count)
			w->fds[i] = w->fds[--w->fd_count];
		return 0;
	}
	if (i == DELIVERY_FDS_MAX)
		return -1;
	if (i == w->fd_count)
		w->fd_count++;
	w->fds[i] = (struct pollfd){
		.fd = fd,
		.events = (short)((what != CURL_POLL_OUT ? POLLIN : 0) |
				  (what != CURL_POLL_IN ? POLLOUT : 0)),
	};
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct alert_web *w = arg;

	(void)multi;
	w->timed = ms >= 0;
	w->timer = mono_add(mono_now(), ms * NS_PER_MS);
	return 0;
}

static size_t on_answer(char *bytes, size_t size, size_t n, void *arg)
{
	struct alert_web *w = arg;

	(void)bytes;
	w->answered += size * n;
	return w->answered <= ANSWER_MAX ? size * n : 0;
}

static void drop_transfer(struct alert_web *w)
{
	if (w->easy != NULL) {
		curl_multi_remove_handle(w->multi, w->easy);
		curl_easy_cleanup(w->easy);
	}
	w->easy = NULL;
	curl_slist_free_all(w->headers);
	w->headers = NULL;
	buf_clear(&w->body);
}

static void show_url(const char *url, char *out, size_t size)
{
	const char *host = strstr(url, "//"), *at;
	size_t n;

	host = host != NULL ? host + 2 : url;
	n = strcspn(host, "/?#");
	at = memchr(host, '@', n);
	if (at != NULL) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	text_copy(out, size, host, n);
}

int alert_web_new(const char *url, const unsigned char *secret, size_t n, struct alert_web **out,
		  struct bp_error *err)
{
	struct alert_web *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	buf_init(&w->body);
	show_url(url, w->shown, sizeof(w->shown));
	w->url = strdup(url);
	w->secret = secret != NULL ? malloc(n) : NULL;
	if (secret != NULL && w->secret != NULL) {
		memcpy(w->secret, secret, n);
		w->secret_size = n;
	}
	w->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == 0 ? curl_multi_init() : NULL;
	if (w->url == NULL || w->multi == NULL || (secret != NULL && w->secret == NULL)) {
		alert_web_free(w);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
	*out = w;
	return 0;
}

void alert_web_free(struct alert_web *w)
{
	if (w == NULL)
		return;
	if (w->multi != NULL) {
		drop_transfer(w);
		curl_multi_cleanup(w->multi);
		curl_global_cleanup();
	}
	buf_fini(&w->body);
	free(w->url);
	if (w->secret != NULL)
		sodium_memzero(w->secret, w->secret_size);
	free(w->secret);
	free(w);
}

static bool add_header(struct alert_web *w, const char *name, const char *value)
{
	char line[512];
	struct curl_slist *more;

	snprintf(line, sizeof(line), "%s: %s", name, value);
	more = curl_slist_append(w->headers, line);
	if (more != NULL)
		w->headers = more;
	return more != NULL;
}

static bool put_headers(struct alert_web *w, const char *id, struct wall now)
{
	char stamp[24], signature[ALERT_SIGNATURE_TEXT];
	bool ok;

	snprintf(stamp, sizeof(stamp), "%lld", (long long)(now.ns / NS_PER_S));
	ok = add_header(w, "Content-Type", "application/json") && add_header(w, "Expect", "") &&
	     add_header(w, "webhook-id", id) && add_header(w, "webhook-timestamp", stamp);
	if (w->secret == NULL)
		return ok;
	alert_sign(w->secret, w->secret_size, id, stamp, w->body.bytes, w->body.used, signature);
	return ok && add_header(w, "webhook-signature", signature);
}

int alert_web_start(struct alert_web *w, const char *id, struct wall now, struct buf *body,
		    struct bp_error *err)
{
	struct buf empty = {0};
	CURL *e;

	drop_transfer(w);
	buf_fini(&w->body);
	w->body = *body;
	*body = empty;
	w->answered = 0;
	w->error[0] = '\0';
	w->easy = e = curl_easy_init();
	if (e == NULL || !put_headers(w, id, now)) {
		if (e != NULL)
			curl_easy_cleanup(e);
		w->easy = NULL;
		drop_transfer(w);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	curl_easy_setopt(e, CURLOPT_URL, w->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, w->body.bytes);
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)w->body.used);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, w->headers);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "borderpath/" BP_VERSION);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)TRANSFER_S);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, w);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, w->error);
	curl_multi_add_handle(w->multi, e);
	return 0;
}

unsigned alert_web_poll(const struct alert_web *w, struct pollfd *fds, unsigned max,
			struct mono *wake)
{
	unsigned n = w->fd_count < max ? w->fd_count : max;

	if (w->easy == NULL)
		return 0;
	if (w->timed)
		*wake = mono_min(*wake, w->timer);
	memcpy(fds, w->fds, n * sizeof(fds[0]));
	return n;
}

/* Whatever is ready, found by a poll of our own: the caller need not hand his answers down. */
static void act(struct alert_web *w)
{
	struct pollfd fds[DELIVERY_FDS_MAX];
	unsigned n = w->fd_count;
	int running;

	memcpy(fds, w->fds, n * sizeof(fds[0]));
	if (n > 0 && poll(fds, n, 0) > 0) {
		for (unsigned i = 0; i < n; i++) {
			int bits = (fds[i].revents & POLLIN ? CURL_CSELECT_IN : 0) |
				   (fds[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
				   (fds[i].revents & (POLLERR | POLLHUP) ? CURL_CSELECT_ERR : 0);

			if (fds[i].revents != 0)
				curl_multi_socket_action(w->multi, fds[i].fd, bits, &running);
		}
	}
	if (w->timed && mono_reached(mono_now(), w->timer)) {
		w->timed = false;
		curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

enum delivery alert_web_state(struct alert_web *w, char *why, size_t size)
{
	CURLMsg *m;
	int left;
	long status = 0;
	CURLcode code;
	bool whole;

	if (w->easy == NULL)
		return DELIVERY_NONE;
	act(w);
	m = curl_multi_info_read(w->multi, &left);
	if (m == NULL || m->msg != CURLMSG_DONE)
		return DELIVERY_UNDER_WAY;
	code = m->data.result;
	curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &status);
	/* Who was done with so long an answer has said what it has to say. */
	whole = code == CURLE_OK || code == CURLE_WRITE_ERROR;
	if (!whole)
		snprintf(why, size, "%s: %.200s", w->shown,
			 w->error[0] != '\0' ? w->error : curl_easy_strerror(code));
	else if (status < 200 || status > 299)
		snprintf(why, size, "%s answered with status %ld", w->shown, status);
	drop_transfer(w);
	return whole && status >= 200 && status <= 299 ? DELIVERY_TAKEN : DELIVERY_FAILED;
}
