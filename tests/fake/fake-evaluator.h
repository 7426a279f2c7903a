/* SPDX-License-Identifier: MIT */
/* The evaluator of the fake backends: one thread that runs scripted functions. Internal
 * to tests/fake. */
#pragma once

#include "fake-worker.h"

G_BEGIN_DECLS

typedef struct _FakeEvaluator FakeEvaluator;
typedef struct _FakeCall FakeCall;
typedef struct _FakeChannel FakeChannel;

/* Work for the evaluator's thread; @is_ended says that the evaluator has ended and the
 * work is only to be settled. */
typedef void (*FakeMessageFunc) (FakeEvaluator *evaluator, gpointer data,
                                 gboolean is_ended);

/*
 * The state of one evaluator.
 *
 * Any thread may post messages; the evaluator's thread runs them in the order in which
 * they came. A function that "spins" keeps that thread busy, as a loop does in Julia, so
 * that no message is served: only the fields below the mutex reach it then.
 *
 * is_ending is set by the first who wants the evaluator to end and never cleared. The
 * thread then leaves its loop, sets is_ended (from then on messages are refused), settles
 * the messages that had come before, and reports to core.
 */
struct _FakeEvaluator
{
  gatomicrefcount ref_count;
  GWeakRef worker;
  GMainContext *context; /* (owned) */

  GMutex mutex; /* guards the fields down to stop_tasks */
  GCond changed;
  gboolean is_ending;
  gboolean is_ended;
  MaltTerminationReason reason;
  int status;
  gint64 spin_until_us; /* a spinning function gives up at that time */
  gboolean is_spinning;
  guint32 spinning_id;
  gboolean is_signalled;
  GPtrArray *stop_tasks; /* (owned): of GTask, returned when the evaluator has ended */

  /* Touched by the evaluator's thread only. */
  GPtrArray *calls; /* (owned): of FakeCall */
  GPtrArray *channels; /* (owned): of FakeChannel */
  GArray *record; /* (owned): of gint64: what "record" was called with */
};

/* A call that runs. Touched by the evaluator's thread only. */
struct _FakeCall
{
  FakeEvaluator *evaluator; /* (unowned) */
  guint32 id; /* 0: nobody waits for the answer */
  gboolean is_stubborn; /* cannot be interrupted */
  MaltResultMode mode;
  char *name; /* (owned) */
  MaltValue *argument; /* (owned) */
  GSource *timer; /* (owned) (nullable) */
};

/* A channel on the evaluator's side. Touched by the evaluator's thread only. */
struct _FakeChannel
{
  FakeEvaluator *evaluator; /* (unowned) */
  guint32 id;
  GQueue items; /* (owned): of MaltValue */
  guint n_credit;
  gboolean is_greedy; /* pushes without asking for credit */
  gboolean is_closed;
  gboolean is_end_told;
};

FakeEvaluator *fake_evaluator_new (MaltWorker *worker);
void fake_evaluator_unref (FakeEvaluator *evaluator);
gboolean fake_evaluator_is_running (FakeEvaluator *evaluator);
gboolean fake_evaluator_post (FakeEvaluator *evaluator, FakeMessageFunc func,
                              gpointer data);
void fake_evaluator_end (FakeEvaluator *evaluator, MaltTerminationReason reason,
                         int status, gint64 spin_until_us);
void fake_evaluator_end_then (FakeEvaluator *evaluator, gint64 spin_until_us,
                              GTask *task);
gboolean fake_evaluator_signal (FakeEvaluator *evaluator, guint32 call_id,
                                gboolean is_forced, MaltInterruptResult *out_result);
void fake_evaluator_answer (FakeEvaluator *evaluator, guint32 call_id, MaltValue *value,
                            GError *error);
GError *fake_evaluator_exception (FakeEvaluator *evaluator, const char *type,
                                  const char *message);

FakeCall *fake_call_new (FakeEvaluator *evaluator, MaltCall *call, guint32 id);
void fake_call_free (FakeCall *call);
void fake_call_run (FakeCall *call);
void fake_call_finish (FakeCall *call, MaltValue *value, GError *error);
MaltInterruptResult fake_call_interrupt (FakeEvaluator *evaluator, guint32 id);

void fake_channel_free (FakeChannel *channel);
void fake_channel_open (FakeEvaluator *evaluator, guint32 channel_id, const char *source,
                        guint n_credit, guint32 call_id);
void fake_channel_credit (FakeEvaluator *evaluator, guint32 channel_id, guint n_credit);
void fake_channel_put (FakeEvaluator *evaluator, guint32 channel_id, MaltValue *value,
                       guint32 call_id);
void fake_channel_close (FakeEvaluator *evaluator, guint32 channel_id, guint32 call_id);
void fake_channel_state (FakeEvaluator *evaluator, guint32 channel_id, guint32 call_id);
void fake_channel_forget (FakeEvaluator *evaluator, guint32 channel_id);

/* Counting. Every object that the fake makes is counted in and out. */
void fake_count_slot (FakeSlot slot);
void fake_count_refused_answer (void);
void fake_count_refused_item (void);
void fake_count_live (int change);

G_END_DECLS
