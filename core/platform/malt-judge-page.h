/* SPDX-License-Identifier: MIT */
/* The page that a host, the runtime of its worker and the judge in that worker share. Included by the host as well as by the judge, so it
 * needs nothing but the C language. */
#pragma once

#include <stdint.h>

/* The host's signal; its value is the number of the call, and the flag above that. Nobody sends it before `magic` is there. */
#define MALT_JUDGE_SIGNAL_OFFSET 6 /* from SIGRTMIN */
#define MALT_JUDGE_FORCE (UINT64_C (1) << 32) /* other calls may be hit */

#define MALT_JUDGE_PAGE_BYTES 4096
#define MALT_JUDGE_MAGIC 0x4a4d0002u
#define MALT_JUDGE_N_CALLS 64

/* What a call is at. */
enum
{
  MALT_JUDGE_FREE = 0,
  MALT_JUDGE_IN_USER_CODE = 1,
  MALT_JUDGE_AFTER_USER_CODE = 2, /* its answer is being made */
};

/* Written by the runtime, at these offsets: core/julia/runtime/judge.jl and boot.jl know them. */
typedef struct
{
  uint32_t id;
  uint32_t state;
  uint64_t task; /* the address of its task; 0: of any */
} MaltJudgeCall;

typedef struct
{
  uint32_t magic; /* the judge is in place */
  uint32_t can_force; /* it knows how to tell what is masked */
  uint32_t
      thrown_id; /* the last call into which an exception was thrown, as far as the judge has seen it */
  uint32_t n_forced; /* exceptions that were thrown at an arbitrary instruction */
  uint32_t n_raised; /* signals that Julia was sent, and has taken */
  uint32_t n_settled; /* those of which it is known that none is pending any more */
  /* Each request of the host throws once. Written by the judge and the runtime, in the same thread: */
  uint32_t n_hits; /* exceptions in thrown_id whose requests have not been read */
  uint32_t n_taken; /* requests that were read, and are not the judge's any more */
  MaltJudgeCall calls[MALT_JUDGE_N_CALLS]; /* from offset 32 on */
  /* Written by the host, at the place of an id modulo MALT_JUDGE_N_CALLS: its interrupt was given up and must not hit any more. From
   * offset 1056 on. */
  uint32_t withdrawn[MALT_JUDGE_N_CALLS];
  /* Written by the judge: its process, as that sees itself, and the call for which it has sent the last signal. From offset 1312 on. */
  uint32_t pid;
  uint32_t raised_id;
} MaltJudgePage;
