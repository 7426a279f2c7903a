/* SPDX-License-Identifier: MIT */
/* What the parts of malt-hooks share: malt-hooks.c, which chooses hooks; hook-play.c, which runs a
 * scene in a worker; hook-scenes.c, what workers are made to do. */
#pragma once

#include <malt/malt.h>

enum
{
  MAX_HOOKS = 1000,
  MANY_SIGNALS = 8,
  PATIENCE_MS = 60000,
  HOLD_US = 30000 /* an interrupt's way to a hook that waits */
};

/* What the text shares with this program; number_hooks.py has the offsets. */
typedef struct
{
  guint32 n_signals;
  guint32 n_left; /* hooks that may still do something */
  guint32 is_reached; /* 1: what is to happen happens, 2: it has */
  guint32 is_held; /* whether the hook waits for this program */
  guint32 is_let_go;
  guint32 unused[11];
  guint32 counts[MAX_HOOKS]; /* how often each was passed */
  guint32 armed[MAX_HOOKS]; /* when it is passed how often; 0: not, or it has done it */
} HookPage;

typedef enum
{
  SCENE_IS_WARM =
      0, /* in a worker that has loaded its runtime, and serves other scenes, too */
  SCENE_IS_FRESH = 1 << 0, /* begins with the launch of a worker */
  SCENE_ENDS = 1 << 1, /* the worker has ended behind it */
  SCENE_IS_PROGRAM = 1 << 2, /* which has its signals to itself */
  SCENE_IS_LONG = 1 << 3, /* for interrupts */
  SCENE_IS_SPARE =
      1 << 5, /* others pass its hooks, but for a machine on which they did not */
  SCENE_IS_PAUSED = 1 << 4, /* the worker does not run while it is sent frames */
} HookSceneFlags;

typedef struct _HookScene HookScene;
struct _HookScene
{
  const char *name;
  HookSceneFlags flags;
  void (*run) (MaltWorker *worker, const HookScene *scene);
  const char *source;
  const char *expected; /* (nullable): any value */
};

typedef struct
{
  const char *name;
  guint n_times;
  gboolean is_interrupt; /* by this program; else SIGINT, by the worker */
} HookMode;

/* malt-hooks.c */

extern HookPage *hook_page;
extern const char *hook_backend;
extern const char *hook_directory;
extern char *hook_variable; /* (owned): by which workers find the page */
extern guint hook_n_faults;
void hook_fault (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* hook-play.c */

/* One that has loaded its runtime and serves several scenes. */
MaltWorker *hook_launch_warm (void);

/* In a worker of its own, or in the one that is kept for the next if that can be. `mode` says how
 * the hooks that are armed are hit. */
void hook_play (const HookScene *scene, const HookMode *mode, MaltWorker **kept);

/* Of a scene: an interrupt by this program has ended, and a call by an InterruptException. */
void hook_note_interrupt (MaltInterruptResult result);
void hook_note_interrupted (void);

/* Nothing that workers send is read, until this one can send no more and has nothing else to do. */
void hook_stop_reading (void);
void hook_read_again (MaltWorker *worker);

/* hook-scenes.c */

extern const HookScene hook_scenes[];
extern const guint n_hook_scenes;
