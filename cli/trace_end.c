// SPDX-License-Identifier: BSD-2-Clause
/* Sums, sentences and the last object. */
#include "cli/trace_end.h"

#include "cli/cli.h"
#include "core/json.h"
#include "core/record/jsonl_write.h"

/* At a clean end; a path that failed is finished in its way. */
static uint64_t done(const struct trace_end *e)
{
	return e->traces - e->cut - e->failed;
}

static void tell_loss(const struct trace_end *e)
{
	const struct frame_end *f = &e->frame;

	if (f->drops > 0)
		cli_say("the kernel dropped %llu captured packets: hops that answered may look silent; "
			"measure again at a lower --rate", (unsigned long long)f->drops);
	if (f->slowed_times > 0)
		cli_say("answers were lost at this speed: the pace, of the run or of a router, was cut "
			"%u time%s, to %u a second at the lowest, and %u probe%s sent again; a lower "
			"--rate avoids it", f->slowed_times, f->slowed_times == 1 ? "" : "s",
			f->slowed_pps, f->repeated, f->repeated == 1 ? " was" : "s were");
}

int trace_end_tell(const struct trace_end *e, bool quiet)
{
	if (!quiet)
		tell_loss(e);
	if (e->frame.interrupted) {
		uint64_t begun = e->traces < e->planned ? e->traces : e->planned;

		cli_say("interrupted: %llu of %llu paths are complete, %llu as far as they came, "
			"%llu not begun", (unsigned long long)done(e),
			(unsigned long long)e->planned, (unsigned long long)e->cut,
			(unsigned long long)(e->planned - begun));
		return CLI_PARTIAL;
	}
	if (e->frame.code < 0) {
		cli_say("%s", e->frame.text);
		return e->traces > e->failed ? CLI_PARTIAL : CLI_FAILURE;
	}
	if (e->failed > 0)
		cli_say("%llu of %llu paths not measured: %s", (unsigned long long)e->failed,
			(unsigned long long)e->planned, e->failure);
	if (e->avoided > 0)
		cli_say("%llu target%s left out: on the do-not-probe list",
			(unsigned long long)e->avoided, e->avoided == 1 ? "" : "s");
	if (e->traces == e->failed && (e->failed > 0 || e->wrong > 0))
		return CLI_FAILURE;
	return e->failed > 0 || e->wrong > 0 || e->avoided > 0 || e->traces < e->planned ?
	       CLI_PARTIAL : CLI_OK;
}

bool trace_end_marked(const struct trace_end *e)
{
	return e->frame.interrupted || (e->frame.code < 0 && e->traces > 0) ||
	       e->frame.drops > 0 || e->frame.slowed_times > 0;
}

void trace_end_write(struct buf *out, const struct trace_end *e)
{
	const struct frame_end *f = &e->frame;
	struct json_writer w;
	char text[WALL_TEXT];

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "run");
	json_put_int(&w, "version", 1);
	json_put_str(&w, "vantage", e->vantage);
	json_put_str(&w, "start", wall_format(e->start, text));
	json_put_str(&w, "end", wall_format(e->end, text));
	json_put_str(&w, "tool", "borderpath " BP_VERSION);
	json_put_bool(&w, "complete", !f->interrupted && f->code >= 0 && e->cut == 0 &&
		      e->failed == 0 && e->traces >= e->planned);
	if (f->code < 0)
		json_put_str(&w, "error", f->text);
	json_put_int(&w, "planned", (int64_t)e->planned);
	json_put_int(&w, "done", (int64_t)done(e));
	json_put_int(&w, "cut", (int64_t)e->cut);
	json_put_int(&w, "failed", (int64_t)e->failed);
	json_put_int(&w, "sent", (int64_t)f->sent);
	json_put_int(&w, "received", (int64_t)f->received);
	json_put_int(&w, "drops", (int64_t)f->drops);
	jsonl_put_refused(&w, &f->refused);
	jsonl_put_slowed(&w, f->slowed_times, f->slowed_pps, f->repeated);
	json_end(&w);
	buf_char(out, '\n');
}
