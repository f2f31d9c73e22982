// SPDX-License-Identifier: BSD-2-Clause
/*
 * Alerts to a real receiver on loopback and to a real program: which events are told, once by id,
 * signed; what happens while the receiver refuses, is dead, starts again, and when we do.
 */
#include "campaign/alert.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "campaign/alert_inside.h"
#include "core/record/jsonl.h"

#define PATIENCE_NS (60 * NS_PER_S)
#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

struct bed {
	char dir[64], box[128], secret[128], log[128], program[128];
	struct campaign_plan plan;
	struct alert *alert;
	int port, listener;
	pid_t server;
	unsigned notes;
	struct bp_error err;
};

/* --- the receiver ----------------------------------------------------------------------------- */

static const char *header_of(const char *head, const char *name)
{
	static char value[256];
	const char *at = strcasestr(head, name);

	value[0] = '\0';
	if (at != NULL)
		sscanf(at + strlen(name), ": %255[^\r\n]", value);
	return value;
}

/* Reads one request and answers with the status; what came, as "ID SIGNED BODY" on a line of the
 * log. */
static void serve_one(struct bed *b, int fd, int status)
{
	static char text[1 << 16];
	size_t used = 0, length;
	char *body = NULL, id[64], stamp[32], theirs[ALERT_SIGNATURE_TEXT + 1];
	char ours[ALERT_SIGNATURE_TEXT], answer[128];
	FILE *log;

	while (body == NULL || used < (size_t)(body - text) + length) {
		ssize_t n = read(fd, text + used, sizeof(text) - 1 - used);

		if (n <= 0)
			return;
		used += (size_t)n;
		text[used] = '\0';
		body = strstr(text, "\r\n\r\n");
		if (body == NULL)
			continue;
		body += 4;
		length = strtoul(header_of(text, "\r\nContent-Length"), NULL, 10);
	}
	snprintf(id, sizeof(id), "%s", header_of(text, "\r\nwebhook-id"));
	snprintf(stamp, sizeof(stamp), "%s", header_of(text, "\r\nwebhook-timestamp"));
	snprintf(theirs, sizeof(theirs), "%s", header_of(text, "\r\nwebhook-signature"));
	alert_sign((const unsigned char *)"0123456789abcdef0123456789abcdef", 32, id, stamp, body,
		   length, ours);
	if (status == 200) {
		log = fopen(b->log, "a");
		fprintf(log, "%s %s %s\n", id, strcmp(ours, theirs) == 0 ? "signed" : "unsigned",
			body);
		fclose(log);
	}
	snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close"
		 "\r\n\r\n", status);
	if (write(fd, answer, strlen(answer)) < 0)
		_exit(1);
}

/* A receiver that answers the first `refused` requests with 503. */
static void start_server(struct bed *b, unsigned refused)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)b->port),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(at);
	int one = 1;

	b->listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(b->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(b->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(b->listener, 8), 0);
	assert_int_equal(getsockname(b->listener, (struct sockaddr *)&at, &n), 0);
	b->port = ntohs(at.sin_port);
	b->server = fork();
	assert_true(b->server >= 0);
	if (b->server == 0) {
		for (;;) {
			int fd = accept(b->listener, NULL, NULL);

			serve_one(b, fd, refused > 0 ? 503 : 200);
			refused -= refused > 0;
			close(fd);
		}
	}
	close(b->listener);
}

static void stop_server(struct bed *b)
{
	if (b->server > 0) {
		kill(b->server, SIGKILL);
		waitpid(b->server, NULL, 0);
	}
	b->server = 0;
}

/* Lines of the log; the n-th from 0 into line. */
static unsigned logged(struct bed *b, unsigned n, char *line, int size)
{
	static char text[1 << 16];
	unsigned count = 0;
	FILE *f = fopen(b->log, "r");

	if (line != NULL)
		line[0] = '\0';
	while (f != NULL && fgets(text, sizeof(text), f) != NULL) {
		if (line != NULL && count == n)
			snprintf(line, (size_t)size, "%.*s", size - 1, text);
		count++;
	}
	if (f != NULL)
		fclose(f);
	return count;
}

/* --- ours ------------------------------------------------------------------------------------- */

static void on_note(void *arg, const char *text)
{
	struct bed *b = arg;

	assert_null(strchr(text, '\n'));
	assert_null(strstr(text, "token=")); /* of the URL, a secret */
	b->notes++;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/alert-XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	snprintf(b->box, sizeof(b->box), "%s/box", b->dir);
	snprintf(b->secret, sizeof(b->secret), "%s/secret", b->dir);
	snprintf(b->log, sizeof(b->log), "%s/log", b->dir);
	snprintf(b->program, sizeof(b->program), "%s/hook", b->dir);
	write_text(b->secret, SECRET "\n", 0600);
	strcpy(b->plan.campaign, "c");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	char command[128];

	alert_close(b->alert);
	stop_server(b);
	snprintf(command, sizeof(command), "rm -r '%s'", b->dir);
	if (system(command) != 0)
		return -1;
	free(b);
	return 0;
}

static void open_alert(struct bed *b)
{
	alert_close(b->alert);
	b->alert = NULL;
	if (alert_open(&b->plan, b->box, on_note, b, &b->alert, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

static void use_web(struct bed *b)
{
	snprintf(b->plan.webhook_url, sizeof(b->plan.webhook_url),
		 "http://127.0.0.1:%d/hook?token=x", b->port);
	strcpy(b->plan.webhook_secret, b->secret);
	open_alert(b);
}

static struct event *event(enum event_kind kind, enum event_status status, unsigned prefix,
			   unsigned revision)
{
	static struct event e;
	char text[32];

	event_init(&e);
	strcpy(e.profile, "dprk");
	e.kind = (uint8_t)kind;
	e.status = (uint8_t)status;
	e.scope = EVENT_SCOPE_PREFIX;
	snprintf(text, sizeof(text), "175.45.%u.0/24", 176 + prefix);
	assert_int_equal(prefix_parse(text, &e.prefix), 0);
	e.at.ns = INT64_C(1506848871) * NS_PER_S;
	e.seen.ns = e.at.ns + NS_PER_S;
	strcpy(e.summary, "It moved \"here\".");
	event_set_fingerprint(&e);
	event_set_id(&e, e.at, revision);
	return &e;
}

static void tell(struct bed *b, const struct event *e)
{
	if (alert_event(b->alert, e, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

/* --- which are told --------------------------------------------------------------------------- */

static const struct {
	enum event_kind kind;
	enum event_status status;
	bool withdrawn;
	unsigned revision;
	bool told;
	const char *why;
} words[] = {
	{EVENT_BORDER_SWITCH, EVENT_PROVISIONAL, false, 1, false, "one round from one place"},
	{EVENT_BORDER_SWITCH, EVENT_CONFIRMED, false, 2, true, "now it is sure"},
	{EVENT_BORDER_SWITCH, EVENT_CONFIRMED, false, 3, false, "one more saw it: the same word"},
	{EVENT_BORDER_SWITCH, EVENT_CONFIRMED, false, 2, false, "again, after a crash"},
	{EVENT_PATH_CHANGE, EVENT_RESOLVED, true, 2, false, "did not hold: was never told"},
	{EVENT_OUTAGE, EVENT_CONFIRMED, false, 2, true, "down"},
	{EVENT_RECOVERY, EVENT_RESOLVED, false, 3, true, "over"},
	{EVENT_FLAPPING, EVENT_CONFIRMED, false, 1, true, "flapping"},
	{EVENT_FLAPPING, EVENT_CONFIRMED, false, 2, true, "still"},
	{EVENT_FLAPPING, EVENT_RESOLVED, false, 3, true, "over"},
};

static void which_are_told(void **state)
{
	struct bed *b = *state;
	unsigned waiting = 0;

	b->port = 9; /* nobody is asked: nothing is stepped */
	use_web(b);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct event *e = event(words[i].kind, words[i].status, 0, words[i].revision);
		struct alert_counts c;

		e->withdrawn = words[i].withdrawn;
		tell(b, e);
		waiting += words[i].told;
		alert_count(b->alert, &c);
		if (c.waiting[ALERT_WEBHOOK] != waiting)
			fail_msg("row %zu: %s", i, words[i].why);
		if (i % 2)
			open_alert(b);
	}
}

/* --- the webhook ------------------------------------------------------------------------------ */

static void signed_and_once(void **state)
{
	struct bed *b = *state;
	struct record r;
	char line[8192], *json;
	struct event read;

	start_server(b, 0);
	use_web(b);
	tell(b, event(EVENT_BORDER_SWITCH, EVENT_CONFIRMED, 0, 2));
	tell(b, event(EVENT_BORDER_SWITCH, EVENT_CONFIRMED, 1, 2));
	assert_int_equal(alert_flush(b->alert, PATIENCE_NS), 0);
	assert_int_equal(logged(b, 0, line, sizeof(line)), 2);
	assert_non_null(strstr(line, " signed {"));
	/* What is sent is the event, with more. */
	json = strchr(line, '{');
	record_init(&r);
	assert_int_equal(jsonl_read(json, strlen(json), &r, &b->err), 0);
	assert_int_equal(event_read(&r, &read, &b->err), 0);
	record_fini(&r);
	assert_memory_equal(line, read.id, strlen(read.id));
	assert_string_equal(read.summary, "It moved \"here\".");
	assert_non_null(strstr(json, "\"severity\":\"warning\""));
	open_alert(b);
	tell(b, event(EVENT_BORDER_SWITCH, EVENT_CONFIRMED, 0, 2));
	assert_int_equal(alert_flush(b->alert, PATIENCE_NS), 0);
	assert_int_equal(logged(b, 0, NULL, 0), 2);
}

/* The receiver refuses, is killed, starts again; we are killed in between: each event once. */
static void through_deaths(void **state)
{
	struct bed *b = *state;
	struct alert_counts c;
	char line[8192];

	start_server(b, 2);
	use_web(b);
	for (unsigned i = 0; i < 4; i++)
		tell(b, event(EVENT_OUTAGE, EVENT_CONFIRMED, i, 2));
	/* The first is refused twice, with pauses, then taken; the order stays. */
	assert_int_equal(alert_flush(b->alert, PATIENCE_NS), 0);
	alert_count(b->alert, &c);
	assert_int_equal(c.failed[ALERT_WEBHOOK], 2);
	assert_int_equal(c.ok[ALERT_WEBHOOK], 4);
	assert_int_equal(b->notes, 2); /* that it refused, that it takes again */
	assert_int_equal(logged(b, 0, line, sizeof(line)), 4);
	assert_non_null(strstr(line, "175.45.176.0/24"));
	stop_server(b);
	for (unsigned i = 0; i < 4; i++)
		tell(b, event(EVENT_RECOVERY, EVENT_RESOLVED, i, 3));
	assert_int_equal(alert_flush(b->alert, NS_PER_S / 10), 4);
	open_alert(b);
	for (unsigned i = 0; i < 4; i++) /* the engine reads its history again */
		tell(b, event(EVENT_RECOVERY, EVENT_RESOLVED, i, 3));
	start_server(b, 0);
	assert_int_equal(alert_flush(b->alert, PATIENCE_NS), 0);
	assert_int_equal(logged(b, 0, NULL, 0), 8);
}

static void for_alertmanager(void **state)
{
	struct bed *b = *state;
	struct event *e;
	char line[8192];

	start_server(b, 0);
	b->plan.webhook_body = CAMPAIGN_BODY_ALERTMANAGER;
	use_web(b);
	tell(b, event(EVENT_OUTAGE, EVENT_CONFIRMED, 0, 2));
	e = event(EVENT_RECOVERY, EVENT_RESOLVED, 0, 3);
	e->until.ns = e->at.ns + 3600 * NS_PER_S;
	tell(b, e);
	assert_int_equal(alert_flush(b->alert, PATIENCE_NS), 0);
	assert_int_equal(logged(b, 0, line, sizeof(line)), 2);
	assert_non_null(strstr(line, "\"kind\":\"outage\""));
	assert_non_null(strstr(line, "\"startsAt\":\"2017-10-01T09:07:51"));
	/* Not over: it is not ended by its resolve_timeout. */
	assert_non_null(strstr(line, "\"endsAt\":\"2017-10-08T"));
	assert_non_null(strstr(line, "\"severity\":\"critical\",\"fingerprint\""));
	logged(b, 1, line, sizeof(line));
	/* The same labels: Alertmanager ends that alert. */
	assert_non_null(strstr(line, "\"kind\":\"outage\""));
	assert_non_null(strstr(line, "\"endsAt\":\"2017-10-01T10:07:51"));
	assert_non_null(strstr(line, e->fingerprint));
	assert_non_null(strstr(line, "\"severity\":\"critical\",\"fingerprint\""));
	/* A change has no end: it is news for a day, whenever it is delivered within it. */
	tell(b, event(EVENT_BORDER_SWITCH, EVENT_CONFIRMED, 1, 2));
	assert_int_equal(alert_flush(b->alert, PATIENCE_NS), 0);
	logged(b, 2, line, sizeof(line));
	assert_non_null(strstr(line, "\"endsAt\":\"2017-10-02T"));
}

/* --- the program ------------------------------------------------------------------------------ */

static void a_program(void **state)
{
	struct bed *b = *state;
	struct alert_counts c;
	char line[8192], text[512];

	/* Fails the first time. */
	snprintf(text, sizeof(text), "#!/bin/sh\n[ -e %s/once ] || { : >%s/once; exit 3; }\n"
		 "{ printf '%%s %%s ' \"$BORDERPATH_EVENT_ID\" \"$BORDERPATH_CAMPAIGN\"; cat; "
		 "echo; } >>%s\n", b->dir, b->dir, b->log);
	write_text(b->program, text, 0700);
	strcpy(b->plan.alert_exec, b->program);
	open_alert(b);
	tell(b, event(EVENT_OUTAGE, EVENT_CONFIRMED, 0, 2));
	assert_int_equal(alert_flush(b->alert, PATIENCE_NS), 0);
	alert_count(b->alert, &c);
	assert_int_equal(c.failed[ALERT_EXEC], 1);
	assert_int_equal(c.ok[ALERT_EXEC], 1);
	assert_int_equal(logged(b, 0, line, sizeof(line)), 1);
	assert_memory_equal(line, "ev-", 3);
	assert_non_null(strstr(line, " c {\"type\":\"event\""));
	assert_non_null(strstr(line, "\"severity\":\"critical\""));
	/* The plan has another hook now: nobody waits for what this one did not take. */
	write_text(b->program, "#!/bin/sh\nexit 1\n", 0700);
	tell(b, event(EVENT_OUTAGE, EVENT_CONFIRMED, 1, 2));
	assert_int_equal(alert_flush(b->alert, NS_PER_S / 10), 1);
	b->plan.alert_exec[0] = '\0';
	open_alert(b);
	alert_count(b->alert, &c);
	assert_int_equal(c.waiting[ALERT_EXEC], 0);
	assert_int_equal(c.dropped[ALERT_EXEC], 1);
}

/* --- what cannot be opened -------------------------------------------------------------------- */

static void what_is_refused(void **state)
{
	struct bed *b = *state;
	struct alert *a = NULL;

	strcpy(b->plan.alert_exec, b->program);
	assert_int_equal(alert_open(&b->plan, b->box, on_note, b, &a, &b->err), BP_ENOTFOUND);
	assert_non_null(strstr(b->err.text, b->program));
	b->plan.alert_exec[0] = '\0';
	strcpy(b->plan.webhook_url, "http://127.0.0.1:9/");
	write_text(b->secret, "\n", 0600);
	strcpy(b->plan.webhook_secret, b->secret);
	assert_int_equal(alert_open(&b->plan, b->box, on_note, b, &a, &b->err), BP_EINVAL);
	assert_non_null(strstr(b->err.text, "has no secret"));
	assert_null(a);
}

/* The example of the specification (standardwebhooks.com, "Signature scheme"). */
static void signature(void **state)
{
	static const char body[] = "{\"test\": 2432232314}";
	unsigned char key[64];
	char out[ALERT_SIGNATURE_TEXT];
	size_t n = alert_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", key, sizeof(key));

	(void)state;
	assert_int_equal(n, 24);
	alert_sign(key, n, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, strlen(body), out);
	assert_string_equal(out, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	assert_int_equal(alert_secret("plain words\r\n", key, sizeof(key)), 11);
	assert_int_equal(alert_secret("whsec_!!", key, sizeof(key)), 0);
	assert_int_equal(alert_secret("", key, sizeof(key)), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature),
		T(which_are_told),
		T(signed_and_once),
		T(through_deaths),
		T(for_alertmanager),
		T(a_program),
		T(what_is_refused),
	};

	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
