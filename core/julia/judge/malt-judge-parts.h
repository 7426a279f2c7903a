/* SPDX-License-Identifier: MIT */
/* What the judge (malt-judge.c) has to know: of the process that it sits in, and of
 * Julia. It is found as the judge is loaded, and only read from then on, in a signal
 * handler as well. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

/* Of Julia (malt-judge-julia.c) */

typedef struct
{
  void *(*get_current_task) (void);
  void (*throw_exception) (void *exception);
  void **interrupt_exception;
  volatile uint32_t *signal_pending; /* (nullable) */
  void (*begin_deferral) (void);
  void (*end_deferral) (void); /* throws what is pending */
  volatile sig_atomic_t *n_deferrals; /* (nullable) */
  int8_t (*get_in_finalizer) (void); /* (nullable) */
  volatile int8_t *in_finalizer; /* (nullable): where there is no function */
  volatile int8_t *gc_state; /* (nullable) */
  size_t (*get_world) (void); /* (nullable): of the running task */
  size_t first_world; /* that users' code can run in */
} MaltJudgeJulia;

extern MaltJudgeJulia malt_judge_julia;

/* Whether a judge can be here at all. */
int malt_judge_julia_find (void);

/* Also in finalizers, and in type inference, which runs in the world of the system image:
 * both swallow exceptions. */
int malt_judge_julia_is_masked (void);
int malt_judge_julia_is_collecting (void);

/* Of an instruction and a stack (malt-judge-place.c) */

typedef struct
{
  uintptr_t instruction;
  uintptr_t stack;
  int is_compiled; /* the instruction is: looked up */
  int has_room; /* the stack has: looked up */
} MaltJudgePlace;

/* Called by Julia's interpreter, if the places in it are to be told. */
void malt_judge_place_prepare (void);
MaltJudgePlace malt_judge_place_new (const ucontext_t *context);
void malt_judge_place_look_up (MaltJudgePlace *place);
int malt_judge_place_is_in_system_image (const MaltJudgePlace *place);
int malt_judge_place_is_in_interpreter (const MaltJudgePlace *place);
