/* SPDX-License-Identifier: MIT */
/* What the files of the malt command share. The command uses the installed headers
 * only, as any other host. */
#pragma once

#include <malt/malt.h>
#include <stdio.h>

/* Exit statuses that have a meaning of their own; evaluated code adds its own with
 * exit(n). */
enum
{
  MALT_CLI_OK = 0,
  MALT_CLI_EXCEPTION = 1,
  MALT_CLI_USAGE = 2,
  MALT_CLI_WORKER = 3,
  MALT_CLI_SIGNAL_BASE = 128,
};

/* A subcommand. @argv starts with its name. */
typedef struct
{
  const char *name;
  const char *arguments;
  const char *summary;
  guint flags; /* MaltCliParseFlags */
  int (*run) (int argc, char **argv);
} MaltCliCommand;

int malt_cli_eval (int argc, char **argv);
int malt_cli_run (int argc, char **argv);
int malt_cli_backends (int argc, char **argv);
int malt_cli_config (int argc, char **argv);
int malt_cli_doctor (int argc, char **argv);
int malt_cli_completion (int argc, char **argv);
int malt_cli_help (int argc, char **argv);

/* Subcommands, in the order of the help text. A table that ends with an entry whose
 * name is NULL. */
extern const MaltCliCommand malt_cli_commands[];
const MaltCliCommand *malt_cli_find_command (const char *name);
/* Prints that there is no subcommand @name; returns MALT_CLI_USAGE. */
int malt_cli_unknown_command (const char *command, const char *name);

/* malt-cli-parse.c: the command line. */

/* What the options that choose and set up a worker said. Texts are bytes as given, in
 * no known encoding. */
typedef struct
{
  char *backend;
  char *module;
  char *julia;
  char *profile;
  char *check;
  char *threads;
  char *project;
  char **options;
  char **commands; /* --load=, --eval= and --print=, each with its value, in order */
  char **arguments; /* (nullable): behind `--`, with MALT_CLI_PARSE_ARGS */
  gboolean is_unjudged;
  gboolean is_interactive;
  gboolean is_lent; /* the worker has the command's own output; set with the config */
  gboolean is_help;
  gboolean is_version;
} MaltCliOptions;

/* How a subcommand reads its command line. */
typedef enum
{
  MALT_CLI_PARSE_DEFAULT = 0,
  MALT_CLI_PARSE_WORKER = 1 << 0, /* has the options that choose and set up a worker */
  MALT_CLI_PARSE_MODULE = 1 << 1, /* has --module */
  MALT_CLI_PARSE_STRICT = 1 << 2, /* options end at the first argument */
  MALT_CLI_PARSE_PROFILE = 1 << 3, /* has --profile */
  MALT_CLI_PARSE_CHECK = 1 << 4, /* has --check */
  MALT_CLI_PARSE_SESSION = 1 << 5, /* has --load and --unjudged */
  MALT_CLI_PARSE_PROGRAM = 1 << 6, /* has what julia has in place of a file */
  MALT_CLI_PARSE_ARGS = 1 << 7, /* arguments of the code stand behind `--` */
} MaltCliParseFlags;

void malt_cli_options_clear (MaltCliOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MaltCliOptions, malt_cli_options_clear)

/* Returns the arguments that are no options, or NULL when the command is done and
 * *out_status its exit status. */
char **malt_cli_parse (char **argv, MaltCliOptions *out_options, int *out_status);
/* "--help" and the like, in the order of the help text. (transfer full) */
char **malt_cli_dup_option_words (const MaltCliCommand *command);

/* malt-cli-guess.c: mistyped words. */

/* The one of @words that was probably meant; NULL: none is near. */
const char *malt_cli_guess (const char *typed, const char *const *words);
/* Prints that there is no such @kind of word, and what may be meant; returns MALT_CLI_USAGE. */
int malt_cli_unknown_error (const char *command, const char *kind, const char *typed,
                            const char *const *words);

/* malt-cli-help.c */
void malt_cli_print_version (void);

/* malt-cli-options.c: the config that the command line makes. */

/* Prints "malt COMMAND: message" and where to read more; returns MALT_CLI_USAGE. */
int malt_cli_usage_error (const char *command, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
/* The user's config with @options on top; and one for a worker of this command, which has
 * its process group, its environment, and its streams or their bytes. NULL when the
 * command is done and *out_status its exit status. */
MaltConfig *malt_cli_options_read_config (MaltCliOptions *options, int *out_status);
MaltConfig *malt_cli_options_make_config (MaltCliOptions *options, int *out_status);
gboolean malt_cli_set_program_flags (MaltConfig *config, const char *const *flags);

/* malt-cli-source.c: calls that do what julia does with its command line. */

void malt_cli_add_arguments (GPtrArray *calls, const char *file, char **arguments);
void malt_cli_add_commands (GPtrArray *calls, char **commands);
void malt_cli_add_text (GPtrArray *calls, const char *text, const char *name);

/* malt-cli-session.c: one worker, some calls one after the other, and the signals that
 * come in between. */

/* Takes the display text of the last call to standard output. @is_program: the calls
 * are a program, which gets its own signals. Returns the exit status of the command,
 * which then is over. */
int malt_cli_session_run (MaltConfig *config, GPtrArray *calls,
                          const MaltCliOptions *options, gboolean is_program);

/* malt-cli-output.c: what the command says. */

void malt_cli_set_display (MaltCall *call);
GBytes *malt_cli_describe_display (MaltValue *value);
char *malt_cli_describe_error (const GError *error, gboolean is_stderr_seen,
                               int *out_status);
int malt_cli_report_lost_output (int error_number);
int malt_cli_close_output (int status);

/* malt-cli-writer.c: writes to standard output and standard error without making the
 * main thread wait. */

typedef enum
{
  MALT_CLI_WRITER_LOST, /* standard output cannot be written any more */
  MALT_CLI_WRITER_DONE, /* all was written after malt_cli_writer_close() */
} MaltCliWriterEvent;

typedef struct _MaltCliWriter MaltCliWriter;
typedef void (*MaltCliWriterFunc) (MaltCliWriterEvent event, int error_number,
                                   gpointer user_data);

MaltCliWriter *malt_cli_writer_new (MaltCliWriterFunc func, gpointer user_data);
void malt_cli_writer_write (MaltCliWriter *writer, int descriptor, GBytes *bytes);
void malt_cli_writer_print (MaltCliWriter *writer, int descriptor, const char *text);
void malt_cli_writer_close (MaltCliWriter *writer);
void malt_cli_writer_free (MaltCliWriter *writer);
