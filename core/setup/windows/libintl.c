/* SPDX-License-Identifier: MIT */
/* Stands in for gettext where GLib is built for Windows: messages stay English. */
#include <libintl.h>

#define UNUSED __attribute__ ((unused))

char *
gettext (const char *text)
{
  return (char *) text;
}

char *
dgettext (UNUSED const char *domain, const char *text)
{
  return (char *) text;
}

char *
dcgettext (UNUSED const char *domain, const char *text, UNUSED int category)
{
  return (char *) text;
}

char *
ngettext (const char *one, const char *many, unsigned long n)
{
  return (char *) (n == 1 ? one : many);
}

char *
dngettext (UNUSED const char *domain, const char *one, const char *many, unsigned long n)
{
  return ngettext (one, many, n);
}

char *
dcngettext (UNUSED const char *domain, const char *one, const char *many, unsigned long n,
            UNUSED int category)
{
  return ngettext (one, many, n);
}

char *
textdomain (const char *domain)
{
  return (char *) (domain != NULL ? domain : "messages");
}

char *
bindtextdomain (UNUSED const char *domain, const char *folder)
{
  return (char *) folder;
}

char *
bind_textdomain_codeset (UNUSED const char *domain, const char *codeset)
{
  return (char *) codeset;
}
