// SPDX-License-Identifier: BSD-2-Clause
/* One member each, null where it is not known. */
#include "analysis/json_null.h"

#include "analysis/power.h"

void json_null_time(struct json_writer *w, const char *key, struct wall t)
{
	char text[WALL_TEXT];

	if (t.ns != 0)
		json_put_str(w, key, wall_format(t, text));
	else
		json_put_null(w, key);
}

void json_null_text(struct json_writer *w, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put_str(w, key, text);
	else
		json_put_null(w, key);
}

void json_null_prefix(struct json_writer *w, const char *key, struct prefix p)
{
	char text[PREFIX_TEXT];

	if (addr_is_set(p.addr))
		json_put_str(w, key, prefix_format(p, text));
	else
		json_put_null(w, key);
}

void json_null_asn(struct json_writer *w, const char *key, uint32_t asn)
{
	if (asn != 0)
		json_put_int(w, key, asn);
	else
		json_put_null(w, key);
}

void json_null_ms(struct json_writer *w, const char *key, bool known, int64_t ns)
{
	if (known)
		json_put_decimal(w, key, ns, 6);
	else
		json_put_null(w, key);
}

void json_null_seconds(struct json_writer *w, const char *key, int64_t ns)
{
	if (ns > 0)
		json_put_decimal(w, key, ns, 9);
	else
		json_put_null(w, key);
}

void json_power(struct json_writer *w, const struct power *p)
{
	json_begin_object(w, "power");
	json_put_decimal(w, "probability", POWER_PERCENT, 2);
	json_null_seconds(w, "switch_s", p->switch_ns);
	json_null_ms(w, "shift_ms", p->shift_ns > 0, p->shift_ns);
	json_end(w);
}
