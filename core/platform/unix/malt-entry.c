/* SPDX-License-Identifier: MIT */
/*
 * How evaluated code is entered, so that no backtrace shows what lies outside of it:
 * neither one that we print, nor one that the code itself takes, shows or logs. It stands
 * in the judge, and in the library for a Julia in the host's process.
 *
 * malt_entry() takes the place of the compiled code of Julia's `malt_entry`
 * (core/julia/boot.jl), so it is called as Julia calls that: function, arguments, their
 * number. Its frame says that it has no caller, which is what unwinders believe; it
 * returns as any function does, and exceptions, which restore registers, pass it as any
 * frame.
 */
#include "platform/unix/malt-entry.h"

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

typedef void *(*Evaluate) (void *module, void *code);
typedef void *(*Apply) (void *function, void **arguments, uint32_t n_arguments);
typedef void (*Exit) (int status);

#ifdef MALT_COMPILATION
#define VISIBILITY ".hidden malt_entry\n"
#else
#define VISIBILITY ""
#endif

#define FIND(type, name) ((type) (uintptr_t) dlsym (RTLD_DEFAULT, name))

/* The end, module and code, or a builtin function and its arguments. In one thread only,
 * which is Julia's. */
__attribute__ ((visibility ("hidden"), used)) void *
malt_entry_run (void **arguments, uint32_t n_arguments)
{
  static Evaluate evaluate;
  static Apply apply;

  if (evaluate == NULL)
    {
      apply = FIND (Apply, "jl_apply_generic");
      evaluate = FIND (Evaluate, "jl_toplevel_eval_in");
    }
  if (n_arguments == 1)
    FIND (Exit, "jl_exit") (0);
  if (n_arguments == 2)
    return evaluate (arguments[0], arguments[1]);
  return apply (arguments[0], arguments + 1, n_arguments - 1);
}

#ifdef __x86_64__
__asm__(".text\n"
        ".globl malt_entry\n" VISIBILITY ".type malt_entry, @function\n"
        "malt_entry:\n"
        ".cfi_startproc\n"
        ".cfi_undefined rip\n"
        "  pushq %rbp\n"
        "  movq %rsp, %rbp\n"
        "  movq %rsi, %rdi\n"
        "  movl %edx, %esi\n"
        "  call malt_entry_run\n"
        "  popq %rbp\n"
        "  ret\n"
        ".cfi_endproc\n"
        ".size malt_entry, . - malt_entry\n");
#else
__asm__(".text\n"
        ".globl malt_entry\n" VISIBILITY ".type malt_entry, %function\n"
        "malt_entry:\n"
        ".cfi_startproc\n"
        ".cfi_undefined x30\n"
        "  stp x29, x30, [sp, #-16]!\n"
        "  mov x29, sp\n"
        "  mov x0, x1\n"
        "  mov w1, w2\n"
        "  bl malt_entry_run\n"
        "  ldp x29, x30, [sp], #16\n"
        "  ret\n"
        ".cfi_endproc\n"
        ".size malt_entry, . - malt_entry\n");
#endif

#endif
