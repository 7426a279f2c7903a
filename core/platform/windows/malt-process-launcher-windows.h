/* SPDX-License-Identifier: MIT */
/* What only Windows knows of child processes. */
#pragma once

#include "platform/windows/malt-handle.h"

G_BEGIN_DECLS

/* What interrupts a child: CTRL_BREAK_EVENT. Tests can set another one, where the system
 * does not deliver this. */
extern DWORD malt_child_interrupt_event;

/* With which exit code a process ends that is ended in the place of being sent a signal:
 * one that no program is likely to use. */
UINT malt_child_exit_code_of_signal (int signum);

G_END_DECLS
