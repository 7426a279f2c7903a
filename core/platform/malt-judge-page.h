/* SPDX-License-Identifier: MIT */
/* The page that a host, the runtime of its worker and the judge in that worker share.
 * Included by the host as well as by the judge, so it needs nothing but the C
 * language. */
#pragma once

#include <stdint.h>

/* The host's signal; its value is a call. Nobody sends it before `magic` is there. */
#define MALT_JUDGE_SIGNAL_OFFSET 6 /* from SIGRTMIN */

#define MALT_JUDGE_PAGE_BYTES 4096
#define MALT_JUDGE_MAGIC 0x4a4d0004u
#define MALT_JUDGE_N_CALLS 64

/*
 * A call is a word of 64 bits: the id of the call (32), what it is at, or how far an
 * interrupt may go (8), the number of the host among those that share a runtime (24; 0
 * where there is one).
 */
#define MALT_JUDGE_CALL(host, id) ((uint64_t) (host) << 40 | (uint32_t) (id))
#define MALT_JUDGE_CALL_OF(word) ((word) & ~(UINT64_C (0xff) << 32))
#define MALT_JUDGE_STATE_OF(word) ((uint32_t) ((word) >> 32 & 0xff))

/* What a call is at. */
enum
{
  MALT_JUDGE_FREE = 0,
  MALT_JUDGE_IN_USER_CODE = 1,
  MALT_JUDGE_AFTER_USER_CODE = 2, /* its answer is being made */
};

/* How far an interrupt may go. */
#define MALT_JUDGE_FORCE (UINT64_C (1) << 32) /* other calls may be hit */
/* And behind how many obeyed requests (n_thrown + n_taken): seven bits. What has been
 * obeyed since the host looked is not done again. */
#define MALT_JUDGE_BEHIND(n) ((uint64_t) ((n) &0x7f) << 33)

/* An interrupt that the host has sent. Whoever is first, with a compare and exchange,
 * says what becomes of it: the runtime takes it as it reads INTERRUPT, or the host gives
 * it up. The judge obeys it only while it is asked for. */
enum
{
  MALT_JUDGE_ASKED = 1,
  MALT_JUDGE_TAKEN = 2,
  MALT_JUDGE_WITHDRAWN = 3,
};
#define MALT_JUDGE_REQUEST(call, state) ((call) | (uint64_t) (state) << 32)

/* Written by the runtime, at these offsets: core/julia/runtime/judge.jl and boot.jl know them. */
typedef struct
{
  uint64_t call; /* with what it is at */
  uint64_t task; /* the address of its task; 0: of any */
} MaltJudgeCall;

typedef struct
{
  uint32_t magic; /* the judge is in place */
  uint32_t can_force; /* it knows how to tell what is masked */
  uint64_t thrown; /* the last call into whose code an exception was thrown */
  uint32_t n_forced; /* exceptions that were thrown at an arbitrary instruction */
  uint32_t n_raised; /* signals that Julia was sent, and has taken */
  uint32_t n_settled; /* those of which it is known that none is pending any more */
  /* Each request of the host throws once. Written by the judge and the runtime, in the
   * same thread: */
  uint32_t n_hits; /* exceptions in `thrown` whose requests have not been read */
  uint32_t n_taken; /* requests that were read, and are not the judge's any more */
  uint32_t n_thrown; /* exceptions in all */
  uint64_t raised; /* the call for which the judge has sent the last signal */
  MaltJudgeCall calls[MALT_JUDGE_N_CALLS]; /* from offset 48 on */
  /* Interrupts, with what became of each, at the place of an id modulo
   * MALT_JUDGE_N_CALLS. From offset 1072 on. */
  uint64_t requests[MALT_JUDGE_N_CALLS];
  uint32_t pid; /* of the judge's process, as that sees itself */
  /* Where the host is in the same process: the thread in which Julia waits for signals,
   * which the host names; it lets SIGINT through to that; the judge is sending one. Else
   * 0. */
  uint32_t listener;
  uint32_t is_open;
  uint32_t is_raising;
  /* The call for which the last signal was sent, if that was given up while it was
   * pending: it is deferred until the runtime sets the counter of deferrals, which is at
   * this address, back to 1. */
  uint64_t muted;
  uint64_t deferrals;
  /* Elsewhere the judge stands before Julia's handler of SIGINT (has_gate), and drops
   * what it has not sent itself, unless the host (for a throw that is not judged) or a
   * program of its own wants otherwise. */
  uint32_t is_exposed; /* by the host; at offset 1616 */
  uint32_t has_gate;
  uint32_t is_program;
  /* The address of the judge's `int (uint64_t call)` by which the runtime takes an
   * interrupt: 1: it has, 0: the host has given it up, -1: not known, for another call
   * has its place. At offset 1632. */
  uint64_t take;
} MaltJudgePage;
