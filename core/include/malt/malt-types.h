/* SPDX-License-Identifier: MIT */
/* The types that several headers name, and the enumerations that belong to no single one. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <gio/gio.h>
#include <malt/malt-version.h>

G_BEGIN_DECLS

typedef struct _MaltWorker MaltWorker;
typedef struct _MaltFuture MaltFuture;
typedef struct _MaltChannel MaltChannel;
typedef struct _MaltConfig MaltConfig;
typedef struct _MaltCall MaltCall;
typedef struct _MaltBackend MaltBackend;

/**
 * MaltCapabilities:
 * @MALT_CAPABILITY_NONE: none
 * @MALT_CAPABILITY_ISOLATED: evaluated code cannot end or corrupt the host, and shares
 *   nothing with other workers
 * @MALT_CAPABILITY_CAN_KILL: malt_worker_kill() works
 * @MALT_CAPABILITY_CAN_INTERRUPT_WAITING: a call that waits can be interrupted
 * @MALT_CAPABILITY_CAN_INTERRUPT_BUSY: a call that hogs the processor can be interrupted
 * @MALT_CAPABILITY_CHANNELS: malt_worker_channel() works
 * @MALT_CAPABILITY_HANDLES: objects can stay on the worker, as handles
 * @MALT_CAPABILITY_HOST_FUNCTIONS: C functions can be exported to Julia code
 * @MALT_CAPABILITY_NATIVE: Julia functions can be called through C function pointers
 * @MALT_CAPABILITY_REMOTE: the worker may be on another machine
 * @MALT_CAPABILITY_OUTPUT: output of evaluated code can be handed to the host, see
 *   #MaltWorker::output
 *
 * What a worker can do. Code above the backends asks for these bits and never for a backend's name.
 */
typedef enum
{
  MALT_CAPABILITY_NONE = 0,
  MALT_CAPABILITY_ISOLATED = 1 << 0,
  MALT_CAPABILITY_CAN_KILL = 1 << 1,
  MALT_CAPABILITY_CAN_INTERRUPT_WAITING = 1 << 2,
  MALT_CAPABILITY_CAN_INTERRUPT_BUSY = 1 << 3,
  MALT_CAPABILITY_CHANNELS = 1 << 4,
  MALT_CAPABILITY_HANDLES = 1 << 5,
  MALT_CAPABILITY_HOST_FUNCTIONS = 1 << 6,
  MALT_CAPABILITY_NATIVE = 1 << 7,
  MALT_CAPABILITY_REMOTE = 1 << 8,
  MALT_CAPABILITY_OUTPUT = 1 << 9,
} MaltCapabilities;

/**
 * MaltStream:
 * @MALT_STREAM_STDOUT: standard output
 * @MALT_STREAM_STDERR: standard error
 *
 * Which stream a piece of output was written to.
 */
typedef enum
{
  MALT_STREAM_STDOUT = 1,
  MALT_STREAM_STDERR = 2,
} MaltStream;

/**
 * MaltInterruptFlags:
 * @MALT_INTERRUPT_DEFAULT: hit the call that is meant, or nothing
 * @MALT_INTERRUPT_FORCE: if the call cannot be reached, signal the worker although other calls are
 *   outstanding: whichever of them runs at that moment is hit
 * @MALT_INTERRUPT_UNJUDGED: if the call cannot be reached, throw wherever its code is, also where
 *   nothing can tell whether that is safe. It may end the worker, at once or later, and the
 *   worker's standard error has a warning of Julia's. What cannot be done so either is still
 *   %MALT_INTERRUPT_UNDELIVERABLE: on Julia 1.10 and later, where it would always end the worker,
 *   and with workers of other machines
 *
 * How far an interrupt may go. The flags can be combined.
 */
typedef enum
{
  MALT_INTERRUPT_DEFAULT = 0,
  MALT_INTERRUPT_FORCE = 1 << 0,
  MALT_INTERRUPT_UNJUDGED = 1 << 1,
} MaltInterruptFlags;

/**
 * MaltInterruptResult:
 * @MALT_INTERRUPT_DELIVERED: InterruptException was thrown into the call
 * @MALT_INTERRUPT_IDLE: nothing was running; nothing was sent
 * @MALT_INTERRUPT_GONE: the call had ended by itself when the interrupt arrived
 * @MALT_INTERRUPT_UNDELIVERABLE: the call goes on: it cannot be reached (it is in foreign
 *   code, or hogs the processor where the backend may not signal), or reaching it might
 *   hit another call
 *
 * What became of an interrupt.
 */
typedef enum
{
  MALT_INTERRUPT_DELIVERED,
  MALT_INTERRUPT_IDLE,
  MALT_INTERRUPT_GONE,
  MALT_INTERRUPT_UNDELIVERABLE,
} MaltInterruptResult;

/**
 * MaltExportFlags:
 * @MALT_EXPORT_DEFAULT: the function runs in a thread of the library, several calls at
 *   once: it may block, and it may use the worker again
 * @MALT_EXPORT_IN_CONTEXT: the function runs in the main context that was the
 *   thread-default one of the exporting thread. While nobody runs that context, Julia
 *   waits: a thread that blocks until a call is done, and runs the context of a function
 *   which that call needs, waits for itself
 * @MALT_EXPORT_DIRECT: the function runs in the thread of Julia, with nothing in between.
 *   It must not block and must not use the worker. Only for workers with
 *   %MALT_CAPABILITY_NATIVE
 * @MALT_EXPORT_DESTROY_IN_CONTEXT: what lets the function's data go runs in the exporting
 *   thread: at once, if that is the one that lets it go, else in the main context that was
 *   its thread-default one. For languages whose objects belong to a thread; their bindings
 *   find functions that add it
 *
 * Where a host function runs, and where it ends.
 */
typedef enum
{
  MALT_EXPORT_DEFAULT = 0,
  MALT_EXPORT_IN_CONTEXT = 1 << 0,
  MALT_EXPORT_DIRECT = 1 << 1,
  MALT_EXPORT_DESTROY_IN_CONTEXT = 1 << 2,
} MaltExportFlags;

/**
 * MaltJuliaThreadFunc:
 * @user_data: what was given to malt_worker_invoke_on_julia_thread()
 *
 * A function that runs in the thread of Julia.
 */
typedef void (*MaltJuliaThreadFunc) (gpointer user_data);

G_END_DECLS
