// SPDX-License-Identifier: BSD-2-Clause
/* The files of analysis/report/web as texts; the Makefile writes the C file. */
#ifndef ANALYSIS_REPORT_WEB_H
#define ANALYSIS_REPORT_WEB_H

extern const char web_figure_css[], web_page_css[], web_page_js[];

#endif
