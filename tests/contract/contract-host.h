/* SPDX-License-Identifier: MIT */
/* What the contract suite asks the system for. One file per platform. */
#pragma once

#include <gio/gio.h>
#include <signal.h>

G_BEGIN_DECLS

/* Windows knows some signals by number only. */
#ifndef SIGKILL
#define SIGKILL 9
#endif

/* The signal by which code can end its own process at once, whatever runs there, and its
 * name. Where there are no signals, the one that the end of a process by a crash counts
 * as. */
int contract_host_get_death_signal (const char **out_name);

/* What tells a process from a later one of the same number; NULL: there is none. (transfer full) */
char *contract_host_dup_process (gint64 pid);

/* It has ended, whoever has yet to collect it. */
gboolean contract_is_process_gone (gint64 pid);

gint64 contract_host_get_pid (void);
guint contract_host_count_children (void);

/* Descriptors or handles of this process, and how many of them the library and GLib open
 * once and keep. */
guint contract_host_count_descriptors (void);
guint contract_host_get_n_kept_descriptors (void);

/* Runs @func in a process that is forked from this one, by fork() or by the system call
 * alone, and ends by exit() with what @func gives. Its status, which is from 0 to 255; or
 * CONTRACT_HOST_NO_FORKS where a process cannot be forked, CONTRACT_HOST_HAS_CRASHED if
 * it did not end so, or not soon. */
enum
{
  CONTRACT_HOST_NO_FORKS = -1,
  CONTRACT_HOST_HAS_CRASHED = -2
};

/* GLib takes locks of its own whenever an object goes. So all but the last kind wait
 * until no other thread of this process runs. */
typedef enum
{
  CONTRACT_FORK,
  CONTRACT_RAW_FORK,
  CONTRACT_FORK_AT_ONCE,
} ContractForkKind;

int contract_host_run_forked (ContractForkKind kind, int (*func) (gpointer data),
                              gpointer data);

/* Files of the library's in the folders that the system has for shared memory. */
guint contract_host_count_shared_memory (void);

/* Waits for the end of a process; NULL: it cannot be seen. The wait is over after
 * @deadline_ms in any case, and frees the watch. */
gpointer contract_host_watch (gint64 pid);
void contract_host_await (gpointer watch, int deadline_ms);

/* Of this program. (transfer full) */
char *contract_host_dup_program (void);

/* Without a chance for it to do anything. */
void contract_host_kill (GSubprocess *process);

/* Where files for a while are put. */
void contract_host_set_temporary_folder (const char *folder);

/* Ends the program after so many seconds; 0: does not. */
void contract_host_set_alarm (guint seconds);

G_END_DECLS
