// SPDX-License-Identifier: BSD-2-Clause
/* The connection to the broker: its options and key, what the library's threads tell of it, and its
 * end. */
#include "campaign/fleet/bus.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/fleet/bus_inside.h"
#include "campaign/fleet/nkey.h"
#include "core/text.h"

enum { SERVERS_MAX = 16, RETRY_MS = 500 };

bool bus_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= BUS_NAME_TEXT)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isascii(name[i]) || (!isalnum((unsigned char)name[i]) && name[i] != '_' &&
					  name[i] != '-'))
			return false;
	}
	return true;
}

/* --- what the library's threads tell --------------------------------------------------------- */

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
	struct bus *b = arg;
	const char *text = NULL;

	(void)sub;
	natsConnection_GetLastError(nc, &text);
	if (text == NULL || *text == '\0')
		text = natsStatus_GetText(s);
	pthread_mutex_lock(&b->lock);
	/* Of its own answers it is told by the call, in other words. */
	if (s != NATS_NOT_PERMITTED || strstr(text, "\"_INBOX.") == NULL)
		text_set(b->trouble, sizeof(b->trouble), text);
	if (s == NATS_NOT_PERMITTED) {
		text_set(b->denied, sizeof(b->denied), text);
		b->denials++;
	}
	pthread_cond_broadcast(&b->woken);
	pthread_mutex_unlock(&b->lock);
}

static void on_connected(natsConnection *nc, void *arg)
{
	struct bus *b = arg;

	(void)nc;
	pthread_mutex_lock(&b->lock);
	b->lives++;
	if (b->why_code != BP_EPERM)
		b->why[0] = '\0';
	b->learnt = (struct mono){0};
	pthread_mutex_unlock(&b->lock);
}

static void on_disconnected(natsConnection *nc, void *arg)
{
	struct bus *b = arg;
	const char *text = NULL;

	natsConnection_GetLastError(nc, &text);
	pthread_mutex_lock(&b->lock);
	b->losses++;
	b->why[0] = '\0';
	if (!b->closing)
		snprintf(b->trouble, sizeof(b->trouble), "the connection was lost%s%.400s",
			 text != NULL && *text != '\0' ? ": " : "", text != NULL ? text : "");
	pthread_cond_broadcast(&b->woken);
	pthread_mutex_unlock(&b->lock);
}

static void on_closed(natsConnection *nc, void *arg)
{
	struct bus *b = arg;

	pthread_mutex_lock(&b->lock);
	if (nc == b->left)
		b->left = NULL;
	else
		b->gone = true;
	pthread_cond_broadcast(&b->woken);
	pthread_mutex_unlock(&b->lock);
}

void bus_keep_why(struct bus *b, int code, const char *text)
{
	pthread_mutex_lock(&b->lock);
	b->why_code = code;
	text_set(b->why, sizeof(b->why), text);
	pthread_mutex_unlock(&b->lock);
}

/* Before the library tries all servers again; how long it waits is ours to say. */
static int64_t on_wait(natsConnection *nc, int attempts, void *arg)
{
	struct bus *b = arg;
	char text[BP_ERROR_TEXT];
	struct mono now = mono_now();
	bool due;

	(void)nc, (void)attempts;
	pthread_mutex_lock(&b->lock);
	due = !b->closing && (b->learnt.ns == 0 || b->why[0] == '\0' ||
			      mono_since(now, b->learnt) >= BUS_LEARN_NS);
	if (due)
		b->learnt = now;
	pthread_mutex_unlock(&b->lock);
	if (due) {
		bus_why(b->url, text, sizeof(text));
		bus_keep_why(b, BP_EAGAIN, text);
	}
	return RETRY_MS + randombytes_uniform(RETRY_MS);
}

/* --- the key --------------------------------------------------------------------------------- */

/* The seed of a file of one line; the caller wipes it. */
static int read_seed(const char *file, char seed[static NKEY_SEED_TEXT], struct bp_error *err)
{
	char text[256] = "", *start = text;
	struct stat st;
	ssize_t n;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return bp_fail_sys(err, errno, "nkey %s", file);
	/* systemd hands a credential over as root's own that one user may read, by an access list:
	 * that shows as the group's right. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (st.st_uid == 0 ? 037 : 077)) != 0)
		rc = bp_fail(err, BP_EPERM, "nkey %s: others may read it: chmod 600", file);
	n = rc < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		rc = bp_fail_sys(err, errno, "nkey %s", file);
	close(fd);
	if (rc == 0) {
		char public_key[NKEY_PUBLIC_TEXT];

		start[strcspn(start, " \t\r\n")] = '\0';
		if (strlen(start) != NKEY_SEED_TEXT - 1 || nkey_public_of(start, public_key) < 0)
			rc = bp_fail(err, BP_EPARSE, "nkey %s: no seed of a user's key", file);
		else
			memcpy(seed, start, NKEY_SEED_TEXT);
	}
	sodium_memzero(text, sizeof(text));
	return rc;
}

/* The file is read at each connection: a key may be replaced under a running program. libnats 3.4.1
 * takes the signature for a text and sends none where its first byte is 0, once in 256 times; the
 * server's next question has another one. */
static natsStatus on_sign(char **text, unsigned char **signature, int *length, const char *nonce,
			  void *arg)
{
	struct bus *b = arg;
	char seed[NKEY_SEED_TEXT];
	struct bp_error err;
	natsStatus s;

	if (read_seed(b->nkey_file, seed, &err) < 0) {
		*text = strdup(err.text);
		return NATS_ERR;
	}
	s = nats_Sign(seed, nonce, signature, length);
	sodium_memzero(seed, sizeof(seed));
	if (s == NATS_OK && (*signature)[0] == 0) {
		free(*signature);
		*signature = NULL;
		*text = strdup("a signature that the library cannot send");
		pthread_mutex_lock(&b->lock);
		b->unlucky = true;
		pthread_mutex_unlock(&b->lock);
		s = NATS_ERR;
	}
	return s;
}

/* --- dialling -------------------------------------------------------------------------------- */

static natsStatus set_servers(natsOptions *o, const char *url, bool *tls)
{
	char text[2048], *at = text, *one;
	const char *list[SERVERS_MAX];
	int n = 0;

	if (!text_set(text, sizeof(text), url))
		return NATS_INVALID_ARG;
	*tls = false;
	while ((one = strsep(&at, ", ")) != NULL) {
		if (*one == '\0')
			continue;
		if (n == SERVERS_MAX)
			return NATS_INVALID_ARG;
		if (strncmp(one, "tls://", 6) == 0)
			*tls = true;
		list[n++] = one;
	}
	return n == 0 ? NATS_INVALID_ARG : natsOptions_SetServers(o, list, n);
}

static natsStatus set_options(struct bus *b, natsOptions *o, struct bp_error *err)
{
	char public_key[NKEY_PUBLIC_TEXT], seed[NKEY_SEED_TEXT], inbox[BUS_INBOX_TEXT];
	int64_t dial_ms = (b->patient && b->wait_ns > 2 * NS_PER_S ? 2 * NS_PER_S : b->wait_ns) /
			  NS_PER_MS;
	bool tls = false;
	natsStatus s = set_servers(o, b->url, &tls);

#define SET(call) (s = s == NATS_OK ? (call) : s)
	snprintf(inbox, sizeof(inbox), "_INBOX.%s", b->inbox);
	SET(natsOptions_SetName(o, b->name));
	SET(natsOptions_SetCustomInboxPrefix(o, inbox));
	SET(natsOptions_SetTimeout(o, dial_ms > 0 ? dial_ms : 1));
	SET(natsOptions_SetMaxReconnect(o, -1));
	SET(natsOptions_SetCustomReconnectDelay(o, on_wait, b));
	SET(natsOptions_SetPingInterval(o, 20000));
	SET(natsOptions_SetMaxPingsOut(o, 2));
	SET(natsOptions_SetWriteDeadline(o, 10000));
	SET(natsOptions_SetSendAsap(o, true));
	SET(natsOptions_SetErrorHandler(o, on_error, b));
	SET(natsOptions_SetDisconnectedCB(o, on_disconnected, b));
	SET(natsOptions_SetReconnectedCB(o, on_connected, b));
	SET(natsOptions_SetClosedCB(o, on_closed, b));
	if (b->patient && !b->refused)
		SET(natsOptions_SetRetryOnFailedConnect(o, true, on_connected, b));
	if (tls) {
		SET(natsOptions_SetSecure(o, true));
		if (b->ca_file != NULL)
			SET(natsOptions_LoadCATrustedCertificates(o, b->ca_file));
	}
	if (s == NATS_OK && b->nkey_file != NULL) {
		if (read_seed(b->nkey_file, seed, err) < 0)
			return NATS_NOT_PERMITTED;
		nkey_public_of(seed, public_key);
		sodium_memzero(seed, sizeof(seed));
		SET(natsOptions_SetNKey(o, public_key, on_sign, b));
	}
#undef SET
	return s;
}

static int tls_failed(const struct bus *b, const char *said, struct bp_error *err)
{
	if (strstr(said, "mismatch") != NULL)
		return bp_fail(err, BP_EPERM, "%s: the broker's certificate is for another name: %s",
			       b->url, said);
	if (strstr(said, "certificate") != NULL || strstr(said, "cert=") != NULL)
		return bp_fail(err, BP_EPERM, "%s: the broker's certificate is not trusted%s%s: %s",
			       b->url, b->ca_file != NULL ? " by " : ": --ca says by whom it is",
			       b->ca_file != NULL ? b->ca_file : "", said);
	return bp_fail(err, BP_EPERM, "%s: TLS: %s", b->url, said);
}

/* What keeps a connection from being made, as one of our errors. BP_EAGAIN: a server that is not
 * there; bus_why knows more. */
static int dial_failed(struct bus *b, natsStatus s, struct bp_error *err)
{
	const char *said = nats_GetLastError(NULL);
	char why[BP_ERROR_TEXT];

	if (said == NULL || *said == '\0')
		said = natsStatus_GetText(s);
	/* Not where in the library. */
	if (*said == '(' && strstr(said, "): ") != NULL)
		said = strstr(said, "): ") + 3;
	switch (s) {
	case NATS_CONNECTION_AUTH_FAILED:
		if (b->nkey_file == NULL)
			return bp_fail(err, BP_EPERM, "%s: the broker asks for a key: --nkey",
				       b->url);
		return bp_fail(err, BP_EPERM, "%s: the broker does not know the key of %s (revoked, "
			       "or of another fleet?)", b->url, b->nkey_file);
	case NATS_SSL_ERROR:
		return tls_failed(b, said, err);
	case NATS_SECURE_CONNECTION_REQUIRED:
		return bp_fail(err, BP_EPERM, "%s: the broker wants TLS: tls://", b->url);
	case NATS_SECURE_CONNECTION_WANTED:
		return bp_fail(err, BP_EPERM, "%s: the broker has no TLS: nats://, or its "
			       "configuration is at fault", b->url);
	case NATS_INVALID_ARG:
	case NATS_ADDRESS_MISSING:
		return bp_fail(err, BP_EINVAL, "%s: no address of a server", b->url);
	case NATS_NO_MEMORY:
		return bp_fail(err, BP_ENOMEM, "out of memory");
	default:
		bus_why(b->url, why, sizeof(why));
		return bp_fail(err, BP_EAGAIN, "%s", why);
	}
}

static natsStatus connect_now(struct bus *b, natsOptions *o, natsConnection **nc)
{
	enum { TRIES = 4 };
	natsStatus s = NATS_ERR;
	bool again = true;

	for (int i = 0; i < TRIES && again; i++) {
		pthread_mutex_lock(&b->lock);
		b->unlucky = false;
		pthread_mutex_unlock(&b->lock);
		s = natsConnection_Connect(nc, o);
		pthread_mutex_lock(&b->lock);
		again = s != NATS_OK && s != NATS_NOT_YET_CONNECTED && b->unlucky;
		pthread_mutex_unlock(&b->lock);
	}
	return s;
}

static int dial(struct bus *b, struct bp_error *err)
{
	natsOptions *o = NULL;
	natsConnection *nc = NULL;
	struct bp_error why = {0};
	natsStatus s = natsOptions_Create(&o);
	int rc = 0;

	pthread_mutex_lock(&b->lock);
	b->gone = false;
	pthread_mutex_unlock(&b->lock);
	if (s == NATS_OK)
		s = set_options(b, o, &why);
	b->own_fault = s != NATS_OK;
	if (s == NATS_NOT_PERMITTED) {
		rc = bp_fail(err, why.code, "%s", why.text);
	} else {
		if (s == NATS_OK)
			s = connect_now(b, o, &nc);
		if (s == NATS_OK) {
			bus_keep_why(b, 0, "");
			on_connected(nc, b);
		} else if (s != NATS_NOT_YET_CONNECTED) {
			rc = dial_failed(b, s, err);
		}
		b->own_fault |= rc == BP_EINVAL;
	}
	natsOptions_Destroy(o);
	b->nc = nc;
	b->made++;
	b->barred = (struct mono){0};
	b->reopen = mono_add(mono_now(), BUS_REOPEN_NS);
	/* One that is only away is the library's to wait for. */
	b->refused = rc < 0 && rc != BP_EAGAIN;
	if (rc < 0 && err != NULL)
		bus_keep_why(b, err->code, err->text);
	return rc;
}

/* Waits for the library to say that it is done with us: its threads hold our address. False: it did
 * not. */
static bool hang_up(struct bus *b)
{
	struct timespec until;
	bool gone;

	if (b->answers != NULL)
		natsSubscription_Destroy(b->answers);
	b->answers = NULL;
	if (b->nc == NULL)
		return true;
	pthread_mutex_lock(&b->lock);
	b->closing = true;
	pthread_mutex_unlock(&b->lock);
	natsConnection_Close(b->nc);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 5;
	pthread_mutex_lock(&b->lock);
	while (!b->gone && pthread_cond_timedwait(&b->woken, &b->lock, &until) == 0) {
	}
	gone = b->gone;
	if (!gone)
		b->left = b->nc;
	b->closing = false;
	pthread_mutex_unlock(&b->lock);
	natsConnection_Destroy(b->nc);
	b->nc = NULL;
	return gone;
}

/* --- the bus --------------------------------------------------------------------------------- */

static void drop(struct bus *b)
{
	if (!hang_up(b))
		return; /* the library still holds our address: its memory is the price */
	free(b->url);
	free(b->nkey_file);
	free(b->ca_file);
	free(b->name);
	if (b->answer != NULL)
		natsMsg_Destroy(b->answer);
	pthread_cond_destroy(&b->woken);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static char *copy(const char *text, bool *failed)
{
	char *out = text != NULL ? strdup(text) : NULL;

	*failed |= text != NULL && out == NULL;
	return out;
}

int bus_open(const struct bus_options *o, bool patient, struct bus **out, struct bp_error *err)
{
	struct bus *b;
	struct bp_error why = {0};
	pthread_condattr_t attr;
	bool failed = false;
	int rc;

	if (sodium_init() < 0)
		return bp_fail(err, BP_EIO, "libsodium does not start");
	rc = o->url != NULL ? bus_url_check(o->url, err) : 0;
	if (rc < 0)
		return rc;
	if (o->url == NULL || o->inbox == NULL || !bus_name_ok(o->inbox))
		return bp_fail(err, BP_EINVAL, "a broker needs an address and a name for its answers");
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->woken, &attr);
	pthread_condattr_destroy(&attr);
	b->url = copy(o->url, &failed);
	b->nkey_file = copy(o->nkey_file, &failed);
	b->ca_file = copy(o->ca_file, &failed);
	b->name = copy(o->name != NULL ? o->name : "borderpath", &failed);
	text_set(b->inbox, sizeof(b->inbox), o->inbox);
	b->wait_ns = o->wait_ns > 0 ? o->wait_ns : BUS_WAIT_NS;
	b->patient = patient;
	rc = failed ? bp_fail(err, BP_ENOMEM, "out of memory") : dial(b, &why);
	/* Patience is for servers; a key that cannot be read is ours to mend. */
	if (rc < 0 && !failed && patient && !b->own_fault)
		rc = 0;
	else if (rc < 0 && !failed && err != NULL)
		*err = why;
	if (rc < 0) {
		drop(b);
		return rc;
	}
	*out = b;
	return 0;
}

void bus_close(struct bus *b)
{
	if (b != NULL)
		drop(b);
}

void bus_over(void)
{
	nats_CloseAndWait(5000);
}

static bool is_barred(const struct bus *b)
{
	return b->barred.ns != 0 && !mono_reached(mono_now(), b->barred);
}

bool bus_is_connected(const struct bus *b)
{
	return b->nc != NULL && natsConnection_Status(b->nc) == NATS_CONN_STATUS_CONNECTED &&
	       !is_barred(b);
}

unsigned bus_lives(struct bus *b)
{
	unsigned lives;

	pthread_mutex_lock(&b->lock);
	lives = b->lives;
	pthread_mutex_unlock(&b->lock);
	return lives;
}

bool bus_trouble(struct bus *b, char *text, size_t size)
{
	bool any;

	pthread_mutex_lock(&b->lock);
	any = b->trouble[0] != '\0';
	if (any)
		text_set(text, size, b->trouble);
	b->trouble[0] = '\0';
	pthread_mutex_unlock(&b->lock);
	return any;
}

/* As far as it is known why. */
static int is_away(struct bus *b, struct bp_error *err)
{
	int rc = BP_EAGAIN;

	pthread_mutex_lock(&b->lock);
	if (b->why[0] != '\0')
		rc = bp_fail(err, b->why_code, "%s", b->why);
	else
		bp_fail(err, rc, "%s is away", b->url);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int bus_ready(struct bus *b, struct bp_error *err)
{
	struct bp_error why;
	bool gone;

	if (b->stale && b->nc != NULL) { /* it forgets with its connection, and not before */
		hang_up(b);
		b->reopen = mono_now();
	}
	b->stale = false;
	if (bus_is_connected(b))
		return 0;
	pthread_mutex_lock(&b->lock);
	gone = b->gone;
	pthread_mutex_unlock(&b->lock);
	if (gone && b->nc != NULL) { /* a refused key, twice: the library does not come back */
		hang_up(b);
		b->refused = true;
		b->reopen = (struct mono){0};
	}
	/* Who was refused, and is only away by now, is the library's again. */
	for (unsigned i = 0; i < 2 && b->nc == NULL; i++) {
		bool learns = b->refused;

		if (i == 0 && !mono_reached(mono_now(), b->reopen))
			break;
		if (dial(b, &why) != BP_EAGAIN || !learns || !b->patient)
			break;
	}
	return bus_is_connected(b) ? 0 : is_away(b, err);
}

int bus_look(struct bus *b, struct bp_error *err)
{
	int rc = bus_ready(b, err);

	return rc < 0 ? rc : bus_answers_open(b, err);
}

int bus_status(struct bus *b, natsStatus s, struct bp_error *err, const char *fmt, ...)
{
	char what[BUS_SUBJECT_TEXT + 64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	switch (s) {
	case NATS_OK:
		return 0;
	case NATS_NO_MEMORY:
		return bp_fail(err, BP_ENOMEM, "out of memory");
	case NATS_MAX_PAYLOAD:
		return bp_fail(err, BP_ERANGE, "%s: larger than the server takes", what);
	case NATS_INVALID_ARG:
	case NATS_INVALID_SUBJECT:
	case NATS_INVALID_QUEUE_NAME:
		return bp_fail(err, BP_EINVAL, "%s: %s", what, natsStatus_GetText(s));
	case NATS_TIMEOUT:
		return bp_fail(err, BP_EAGAIN, "%s: no answer in time", what);
	default:
		return bp_fail(err, BP_EAGAIN, "%s: %s: %s", what, b->url, natsStatus_GetText(s));
	}
}
