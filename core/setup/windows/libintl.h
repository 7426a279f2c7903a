/* SPDX-License-Identifier: MIT */
/* Stands in for gettext where GLib is built for Windows: messages stay English. */
#pragma once

#include <locale.h>

#ifndef LC_MESSAGES
#define LC_MESSAGES 1729 /* as gettext has it */
#endif

#define INTL_FORMAT(n) __attribute__ ((format_arg (n)))

char *gettext (const char *text) INTL_FORMAT (1);
char *dgettext (const char *domain, const char *text) INTL_FORMAT (2);
char *dcgettext (const char *domain, const char *text, int category) INTL_FORMAT (2);
char *ngettext (const char *one, const char *many, unsigned long n) INTL_FORMAT (1)
    INTL_FORMAT (2);
char *dngettext (const char *domain, const char *one, const char *many, unsigned long n)
    INTL_FORMAT (2) INTL_FORMAT (3);
char *dcngettext (const char *domain, const char *one, const char *many, unsigned long n,
                  int category) INTL_FORMAT (2) INTL_FORMAT (3);
char *textdomain (const char *domain);
char *bindtextdomain (const char *domain, const char *folder);
char *bind_textdomain_codeset (const char *domain, const char *codeset);

#undef INTL_FORMAT
