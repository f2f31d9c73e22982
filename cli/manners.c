// SPDX-License-Identifier: BSD-2-Clause
/* Looks up who and what is allowed, and words it. */
#include "cli/manners.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "core/record/trace.h"

/* --- looking up ------------------------------------------------------------------------------- */

static void look_up_limits(struct manners *m, const struct plan_run *run)
{
	const struct passwd *pw;
	struct bp_error unread;

	m->knows_limits = limits_read(BP_LIMITS_FILE, &m->limits, &unread) == 0;
	if (!m->knows_limits) {
		limits_defaults(&m->limits);
		return;
	}
	pw = m->limits.user_count > 0 ? getpwuid(getuid()) : NULL;
	limits_check_run(&m->limits, limits_unlimited(&m->limits, getuid(),
						      pw != NULL ? pw->pw_name : NULL),
			 run, &m->refused);
}

int manners_look(struct manners *m, const struct plan_run *run, const char *contact_path,
		 struct bp_error *err)
{
	int rc;

	*m = (struct manners){0};
	rc = contact_load(contact_path, &m->contact, err);
	m->has_contact = rc == 0;
	if (rc < 0 && (rc != BP_ENOTFOUND || contact_path != NULL))
		return rc;
	look_up_limits(m, run);
	return 0;
}

void manners_fini(struct manners *m)
{
	limits_fini(&m->limits);
}

int manners_add_all(struct prefixset *to, const struct prefixset *from)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < from->count; i++)
		rc = prefixset_add(to, from->items[i]);
	prefixset_settle(to);
	return rc;
}

/* --- text ------------------------------------------------------------------------------------- */

void manners_put_methods(struct buf *out, unsigned methods)
{
	static const char *const names[] = {
		[METHOD_ICMP] = "ICMP echo", [METHOD_UDP] = "UDP", [METHOD_TCP] = "TCP SYN"};
	const char *between = "";

	for (int i = METHOD_ICMP; i <= METHOD_TCP; i++) {
		if (methods >> i & 1) {
			buf_printf(out, "%s%s", between, names[i]);
			between = ", ";
		}
	}
}

static void put_rate(struct buf *out, uint64_t mpps, const char *what)
{
	char text[TEXT_MILLI];

	if (mpps > 0)
		buf_printf(out, "%s%s", text_milli(mpps, text), what);
	else
		buf_printf(out, "no limit%s", what);
}

void manners_put_rates(struct buf *out, const struct plan_run *run)
{
	put_rate(out, run->rate_pps * UINT64_C(1000), " in all, ");
	put_rate(out, run->prefix_mpps, " into one network, ");
	put_rate(out, run->router_pps * UINT64_C(1000), " asked of one router");
}

static void put_seconds(struct buf *out, const struct forecast *f, int which)
{
	if (f->seconds[which] < 0)
		buf_str(out, "as fast as this machine sends");
	else
		duration_put(out, f->seconds[which]);
}

void manners_put_time(struct buf *out, const struct forecast *f)
{
	static const char *const bound_says[] = {
		[BOUND_NONE] = "no cap holds it back",
		[BOUND_RATE] = "the rate of the whole run holds it back",
		[BOUND_PREFIX] = "the cap of the busiest network holds it back",
		[BOUND_ROUTER] =
			"the cap per router holds it back: every path begins at the same ones",
	};

	if (f->seconds[CASE_USUAL] < 0) {
		buf_str(out, "as fast as this machine sends");
		return;
	}
	put_seconds(out, f, CASE_LEAST);
	buf_str(out, " at least, ");
	put_seconds(out, f, CASE_USUAL);
	buf_printf(out, " over %d hops, ", FORECAST_HOPS);
	put_seconds(out, f, CASE_MOST);
	buf_printf(out, " at most; %s", bound_says[f->bound[CASE_USUAL]]);
}

void manners_put_contact(struct buf *out, const struct manners *m)
{
	const struct contact *c = &m->contact;

	buf_printf(out, "%s%s%s%s%s", c->who, c->url[0] != '\0' ? ", " : "", c->url,
		   c->mail[0] != '\0' ? ", " : "", c->mail);
}

/* --- JSON ------------------------------------------------------------------------------------- */

void manners_put_json(struct json_writer *w, const struct manners *m, const struct plan_run *run)
{
	json_put_int(w, "rate_pps", run->rate_pps);
	json_put_decimal(w, "prefix_pps", (int64_t)run->prefix_mpps, 3);
	json_put_int(w, "router_pps", run->router_pps);
	json_put_bool(w, "allowed", m->refused.code == 0);
	if (m->refused.code < 0)
		json_put_str(w, "why", m->refused.text);
}

void manners_put_json_contact(struct json_writer *w, const struct manners *m)
{
	if (!m->has_contact)
		return;
	json_begin_object(w, "contact");
	json_put_str(w, "who", m->contact.who);
	if (m->contact.url[0] != '\0')
		json_put_str(w, "url", m->contact.url);
	if (m->contact.mail[0] != '\0')
		json_put_str(w, "mail", m->contact.mail);
	json_end(w);
}

void manners_put_cases(struct json_writer *w, const char *key, const uint64_t values[CASES])
{
	static const char *const cases[CASES] = {"least", "usual", "most"};

	json_begin_object(w, key);
	for (int c = 0; c < CASES; c++)
		json_put_int(w, cases[c], (int64_t)values[c]);
	json_end(w);
}

void manners_put_json_seconds(struct json_writer *w, const struct forecast *f)
{
	static const char *const cases[CASES] = {"least", "usual", "most"};

	json_begin_object(w, "seconds");
	for (int c = 0; c < CASES && f->seconds[CASE_USUAL] >= 0; c++)
		json_put_decimal(w, cases[c], (int64_t)(f->seconds[c] * 10 + 0.5), 1);
	json_end(w);
	json_put_str(w, "binds", word_of(forecast_bound_words, f->bound[CASE_USUAL]));
}

/* --- probing.txt ------------------------------------------------------------------------------ */

static void describe(struct buf *out, unsigned methods, const struct plan_run *run,
		     const char *more)
{
	buf_str(out, "Measurement of network paths (traceroute, borderpath " BP_VERSION ") by ");
	manners_put_methods(out, methods);
	if (more != NULL)
		buf_str(out, more);
	buf_str(out, ", at most ");
	put_rate(out, run->rate_pps * UINT64_C(1000), " packets a second, ");
	put_rate(out, run->prefix_mpps, " into one /24; no application data is sent");
}

int manners_write_probing(const struct manners *m, unsigned methods, const struct plan_run *run,
			  const char *more, const char *path, struct bp_error *err)
{
	struct buf what, text;
	FILE *f;
	int rc = 0;

	if (!m->has_contact)
		return bp_fail(err, BP_ENOTFOUND, "--probing-txt needs to know who measures: say it in "
			       "contact.yaml or with --contact FILE");
	buf_init(&what);
	buf_init(&text);
	describe(&what, methods, run, more);
	if (!what.failed)
		contact_write_probing(&text, &m->contact, what.bytes, wall_now());
	f = text.failed || what.failed ? NULL : fopen(path, "we");
	if (text.failed || what.failed)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	else if (f == NULL || fwrite(text.bytes, 1, text.used, f) != text.used)
		rc = bp_fail_sys(err, errno, "cannot write %s", path);
	if (f != NULL && fclose(f) != 0 && rc == 0)
		rc = bp_fail_sys(err, errno, "cannot write %s", path);
	buf_fini(&what);
	buf_fini(&text);
	return rc;
}
