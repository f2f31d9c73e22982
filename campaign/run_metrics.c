// SPDX-License-Identifier: BSD-2-Clause
/*
 * The daemon's metrics: one page for all its plans, the ports that the plans name (each once), and
 * a textfile a plan. A port or a file that cannot be had is told once and tried again: neither is a
 * reason not to measure.
 */
#include "campaign/run_inside.h"

#include <stdlib.h>
#include <string.h>

#define PORT_AGAIN_NS (60 * NS_PER_S)

struct run_port {
	char listen[64];
	struct metrics_server *server; /* NULL: not yet */
	struct mono again;
	bool told, wanted;
	struct run_port *next;
};

void run_metrics_init(struct run *run)
{
	if (metrics_new(&run->metrics) < 0) {
		run->metrics = NULL;
		run_note(run, NULL, "no metrics: out of memory");
	}
}

static void free_port(struct run_port *p)
{
	metrics_server_free(p->server);
	free(p);
}

void run_metrics_fini(struct run *run)
{
	struct run_port *p;

	while ((p = run->ports) != NULL) {
		run->ports = p->next;
		free_port(p);
	}
	metrics_free(run->metrics);
	run->metrics = NULL;
}

/* --- what there is to tell -------------------------------------------------------------------- */

void run_metrics_desk(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct run *run = d->run;
	int rc;

	if (run->metrics == NULL)
		return;
	rc = metrics_campaign(run->metrics, p->campaign, p->vantage, d->book->profile, p->every_ns,
			      wall_now());
	if (rc < 0)
		run_note(run, d, "no metrics: %s", bp_strerror(rc));
	metrics_geo(run->metrics, p->campaign, p->vantage, d->book->geo);
	d->metrics_told = false;
	d->metrics_due = true;
}

void run_metrics_cell(struct run_desk *d, const struct cell *c, const struct events_now *now)
{
	if (d->run->metrics != NULL)
		metrics_cell(d->run->metrics, c, now);
}

void run_metrics_event(struct run_desk *d, const struct event *e)
{
	const struct campaign_plan *p = d->book->plan;

	if (d->run->metrics != NULL)
		metrics_event(d->run->metrics, p->campaign, p->vantage, e);
	d->metrics_due = true;
}

void run_metrics_round(struct run_desk *d, const struct round *r)
{
	if (d->run->metrics != NULL)
		metrics_round(d->run->metrics, r);
	d->metrics_due = true;
}

void run_metrics_recall(struct run_desk *d, const struct round *r)
{
	if (d->run->metrics != NULL)
		metrics_recall(d->run->metrics, r);
}

void run_metrics_refused(struct run *run, const struct refused *r)
{
	for (unsigned i = 0; run->metrics != NULL && i < run->desk_count; i++) {
		struct run_desk *d = &run->desks[i];
		const struct campaign_plan *p = d->book->plan;

		metrics_refused(run->metrics, p->campaign, p->vantage, r);
		d->metrics_due = true;
	}
}

/* What nobody tells us when it changes. */
static void look_around(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct alert_counts counts;
	struct spool_state state;

	spool_state(d->spool, &state);
	if (d->round != NULL)
		state.traces -= d->round->r.traces < state.traces ? d->round->r.traces :
				state.traces;
	metrics_spool(d->run->metrics, p->campaign, p->vantage, state.traces);
	if (d->alert == NULL)
		return;
	alert_count(d->alert, &counts);
	metrics_alerts(d->run->metrics, p->campaign, p->vantage, &counts);
}

/* --- a file ----------------------------------------------------------------------------------- */

void run_metrics_write(struct run_desk *d)
{
	const struct campaign_plan *p;
	struct bp_error err;

	d->metrics_due = false;
	if (d->run->metrics == NULL)
		return;
	look_around(d);
	p = d->book->plan;
	if (p->metrics_textfile[0] == '\0')
		return;
	if (metrics_textfile(d->run->metrics, p->campaign, p->metrics_textfile, &err) == 0) {
		if (d->metrics_told)
			run_note(d->run, d, "metrics: %s is written again", p->metrics_textfile);
		d->metrics_told = false;
		return;
	}
	if (!d->metrics_told)
		run_note(d->run, d, "%s; tried again after each round", err.text);
	d->metrics_told = true;
}

void run_metrics_look(struct run *run)
{
	for (unsigned i = 0; i < run->desk_count; i++) {
		if (run->desks[i].metrics_due)
			run_metrics_write(&run->desks[i]);
	}
}

int run_metrics_check(const struct run *run, struct bp_error *err)
{
	for (unsigned i = 0; i < run->desk_count; i++) {
		const struct campaign_plan *p = run->desks[i].book->plan;

		for (unsigned k = 0; k < i && p->metrics_textfile[0] != '\0'; k++) {
			const struct campaign_plan *q = run->desks[k].book->plan;

			if (strcmp(p->metrics_textfile, q->metrics_textfile) == 0)
				return bp_fail(err, BP_EINVAL, "%s and %s write one textfile: %s "
					       "(each plan needs its own)", q->file, p->file,
					       p->metrics_textfile);
		}
	}
	return 0;
}

/* --- ports ------------------------------------------------------------------------------------ */

static void open_port(struct run *run, struct run_port *p)
{
	struct addr address = {0};
	struct bp_error err;
	uint16_t port;

	if (metrics_serve(run->metrics, p->listen, &p->server, &err) < 0) {
		p->server = NULL;
		p->again = mono_add(run->now, PORT_AGAIN_NS);
		if (!p->told)
			run_note(run, NULL, "%s; tried again every minute", err.text);
		p->told = true;
		return;
	}
	if (p->told)
		run_note(run, NULL, "metrics: listening at %s now", p->listen);
	p->told = false;
	if (campaign_listen(p->listen, &address, &port) == 0 &&
	    addr_kind(address) != ADDR_KIND_LOOPBACK)
		run_note(run, NULL, "metrics: %s can be asked by others than this machine",
			 p->listen);
}

static void want_port(struct run *run, const char *listen_at)
{
	struct run_port **at = &run->ports;

	while (*at != NULL && strcmp((*at)->listen, listen_at) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL) {
			run_note(run, NULL, "metrics: out of memory");
			return;
		}
		text_set((*at)->listen, sizeof((*at)->listen), listen_at);
	}
	(*at)->wanted = true;
}

void run_metrics_ports(struct run *run)
{
	if (run->metrics == NULL || run->o->once)
		return;
	for (struct run_port *p = run->ports; p != NULL; p = p->next)
		p->wanted = false;
	for (unsigned i = 0; i < run->desk_count; i++) {
		const struct campaign_plan *p = run->desks[i].book->plan;

		if (p->metrics_listen[0] != '\0')
			want_port(run, p->metrics_listen);
	}
	/* Others first: a new one may be the same port at another address. */
	for (struct run_port **at = &run->ports, *p; (p = *at) != NULL;) {
		if (p->wanted) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free_port(p);
	}
	for (struct run_port *p = run->ports; p != NULL; p = p->next) {
		if (p->server == NULL)
			open_port(run, p);
	}
}

unsigned run_metrics_poll(struct run *run, struct pollfd *fds, unsigned max)
{
	unsigned n = 0;

	for (struct run_port *p = run->ports; p != NULL; p = p->next) {
		if (p->server == NULL && mono_reached(run->now, p->again))
			open_port(run, p);
		if (p->server == NULL)
			run_wake(run, p->again);
		else
			n += metrics_server_poll(p->server, fds + n, max - n, &run->wake);
	}
	return n;
}

void run_metrics_step(struct run *run, const struct pollfd *fds, unsigned n)
{
	bool asked = false;

	for (unsigned i = 0; i < n; i++)
		asked |= fds[i].revents != 0;
	for (unsigned i = 0; asked && i < run->desk_count; i++)
		look_around(&run->desks[i]);
	for (struct run_port *p = run->ports; p != NULL; p = p->next) {
		if (p->server != NULL)
			metrics_server_step(p->server);
	}
}
