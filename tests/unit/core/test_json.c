// SPDX-License-Identifier: BSD-2-Clause
/* The JSON writer: commas, escapes, numbers; what it writes is read back by jansson. */
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/json.h"

static void nesting_and_commas(void **state)
{
	struct json_writer w;
	struct buf b;

	(void)state;
	buf_init(&b);
	json_start(&w, &b);
	json_begin_object(&w, NULL);
	json_begin_object(&w, "empty");
	json_end(&w);
	json_begin_array(&w, "a");
	json_end(&w);
	json_begin_array(&w, "b");
	json_put_int(&w, NULL, 1);
	json_begin_object(&w, NULL);
	json_put_bool(&w, "t", true);
	json_put_bool(&w, "f", false);
	json_end(&w);
	json_put_null(&w, NULL);
	json_begin_array(&w, NULL);
	json_put_str(&w, NULL, "x");
	json_end(&w);
	json_end(&w);
	json_put_raw(&w, "raw", "[1.10]", 6);
	json_put_real(&w, "r", 0.5);
	json_end(&w);
	assert_string_equal(b.bytes, "{\"empty\":{},\"a\":[],\"b\":[1,{\"t\":true,\"f\":false},null,"
				     "[\"x\"]],\"raw\":[1.10],\"r\":0.5}");
	assert_false(b.failed);
	buf_fini(&b);
}

static const struct { const char *in, *out; } strings[] = {
	{"", "\"\""},
	{"plain text", "\"plain text\""},
	{"\"quoted\\\"", "\"\\\"quoted\\\\\\\"\""},
	{"a/b", "\"a/b\""},
	{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
	{"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
	{"bfnrt", "\"bfnrt\""},
	{"\xc3\xa9\xe6\x9c\x9d\xf0\x9f\x9b\xb0!", "\"\xc3\xa9\xe6\x9c\x9d\xf0\x9f\x9b\xb0!\""},
	{"a\xffz", "\"a\xef\xbf\xbdz\""},
	{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	{"\xe6\x9c", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
};

static void strings_are_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct json_writer w;
		json_t *v;
		struct buf b;

		buf_init(&b);
		json_start(&w, &b);
		json_put_str(&w, NULL, strings[i].in);
		assert_string_equal(b.bytes, strings[i].out);
		v = json_loadb(b.bytes, b.used, JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		json_decref(v);
		/* A key is text as any. */
		buf_clear(&b);
		json_start(&w, &b);
		json_begin_object(&w, NULL);
		json_put_int(&w, strings[i].in, 1);
		json_end(&w);
		v = json_loadb(b.bytes, b.used, 0, NULL);
		assert_non_null(v);
		json_decref(v);
		buf_fini(&b);
	}
}

static const struct { int64_t v; unsigned places; const char *out; } decimals[] = {
	{0, 0, "0"}, {0, 6, "0"}, {5, 0, "5"}, {-5, 0, "-5"}, {12345, 3, "12.345"},
	{5000, 3, "5"}, {20100, 3, "20.1"}, {1, 6, "0.000001"}, {-1, 6, "-0.000001"},
	{999999, 6, "0.999999"}, {1000000, 6, "1"}, {1000001, 6, "1.000001"}, {100, 0, "100"},
	{INT64_MAX, 0, "9223372036854775807"}, {INT64_MIN, 0, "-9223372036854775808"},
	{INT64_MAX, 6, "9223372036854.775807"}, {INT64_MIN, 3, "-9223372036854775.808"},
	{7, 19, "0.0000000000000000007"},
};

static void decimals_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(decimals) / sizeof(decimals[0]); i++) {
		struct json_writer w;
		struct buf b;

		buf_init(&b);
		json_start(&w, &b);
		json_put_decimal(&w, NULL, decimals[i].v, decimals[i].places);
		assert_string_equal(b.bytes, decimals[i].out);
		if (decimals[i].places == 0) {
			buf_clear(&b);
			json_start(&w, &b);
			json_put_int(&w, NULL, decimals[i].v);
			assert_string_equal(b.bytes, decimals[i].out);
		}
		buf_fini(&b);
	}
}

static const struct { double v; const char *out; } reals[] = {
	{0, "0"}, {-0.0, "0"}, {1, "1"}, {0.97, "0.97"}, {-2.1, "-2.1"}, {0.1, "0.1"},
	{1e-6, "0.000001"}, {1e-7, "1e-07"}, {1.0 / 3, "0.3333333333333333"}, {1e21, "1e+21"},
	{123456789.5, "123456789.5"}, {0.1 + 0.2, "0.30000000000000004"},
	{NAN, "null"}, {INFINITY, "null"}, {-INFINITY, "null"},
};

static void reals_come_back(void **state)
{
	uint64_t s = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		struct json_writer w;
		struct buf b;

		buf_init(&b);
		json_start(&w, &b);
		json_put_real(&w, NULL, reals[i].v);
		assert_string_equal(b.bytes, reals[i].out);
		buf_fini(&b);
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct json_writer w;
		struct buf b;
		json_t *v;
		double d;

		s = s * UINT64_C(6364136223846793005) + 1442695040888963407;
		memcpy(&d, &s, sizeof(d));
		if (!isfinite(d) || fabs(d) > 1e300 || fabs(d) < DBL_MIN)
			continue;
		buf_init(&b);
		json_start(&w, &b);
		json_put_real(&w, NULL, d);
		v = json_loadb(b.bytes, b.used, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
		assert_non_null(v);
		assert_true(json_real_value(v) == d);
		json_decref(v);
		buf_fini(&b);
	}
}

static void misuse_fails_and_does_not_crash(void **state)
{
	struct json_writer w;
	struct buf b;

	(void)state;
	buf_init(&b);
	json_start(&w, &b);
	json_end(&w);
	assert_true(b.failed);
	buf_clear(&b);
	json_start(&w, &b);
	for (unsigned i = 0; i < 2 * JSON_DEPTH_MAX; i++)
		json_begin_array(&w, NULL);
	assert_true(b.failed);
	buf_clear(&b);
	/* One level less than the most is fine. */
	json_start(&w, &b);
	for (unsigned i = 0; i + 1 < JSON_DEPTH_MAX; i++)
		json_begin_array(&w, NULL);
	for (unsigned i = 0; i + 1 < JSON_DEPTH_MAX; i++)
		json_end(&w);
	assert_false(b.failed);
	assert_int_equal(b.used, 2 * (JSON_DEPTH_MAX - 1));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas), cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(decimals_are_exact), cmocka_unit_test(reals_come_back),
		cmocka_unit_test(misuse_fails_and_does_not_crash),
	};

	return cmocka_run_group_tests_name("core/json", tests, NULL, NULL);
}
