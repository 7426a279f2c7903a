/* SPDX-License-Identifier: MIT */
/* Where an instruction is: in what Julia has compiled, in its system image, in its
 * interpreter, or elsewhere; and how much room is on the stack. */
#include "malt-judge-parts.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#define STACK_ROOM_BYTES 65536 /* for the throw: Julia walks the stack */
#define MAX_LIBRARIES 256
#define MAX_FUNCTION_BYTES 65536

#if defined(__x86_64__)
static uintptr_t
get_instruction (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.gregs[REG_RIP];
}

static uintptr_t
get_stack (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.gregs[REG_RSP];
}
#elif defined(__aarch64__)
static uintptr_t
get_instruction (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.pc;
}

static uintptr_t
get_stack (const ucontext_t *context)
{
  return (uintptr_t) context->uc_mcontext.sp;
}
#else
#error "no judge for this processor"
#endif

MaltJudgePlace
malt_judge_place_new (const ucontext_t *context)
{
  return (MaltJudgePlace){ .instruction = get_instruction (context),
                           .stack = get_stack (context) };
}

/* What Julia has compiled */

/* A line of /proc/self/maps: code that Julia has compiled, into memory without a file or
 * of a file of its own, or that a package's image has? What others compile (regular
 * expressions, callbacks of libffi) can be written to. */
static int
is_line_of_compiled_code (const char *line)
{
  const char *access = strchr (line, ' ');
  const char *path = strchr (line, '/');

  if (access == NULL || access[2] == 'w' || access[3] != 'x')
    return 0;
  if (path == NULL)
    return strchr (line, '[') == NULL;
  return strstr (path, "julia-codegen") != NULL || strstr (path, "/compiled/v") != NULL;
}

static uintptr_t
take_number (const char **text)
{
  uintptr_t number = 0;

  for (;; (*text)++)
    {
      char c = **text;

      if (c >= '0' && c <= '9')
        number = number << 4 | (uintptr_t) (c - '0');
      else if (c >= 'a' && c <= 'f')
        number = number << 4 | (uintptr_t) (c - 'a' + 10);
      else
        return number;
    }
}

static void
compare_line (MaltJudgePlace *place, const char *line)
{
  const char *rest = line;
  uintptr_t start = take_number (&rest);
  uintptr_t end;

  if (*rest != '-')
    return;
  rest++;
  end = take_number (&rest);
  if (place->instruction >= start && place->instruction < end)
    place->is_compiled = is_line_of_compiled_code (line);
  if (place->stack >= start && place->stack < end)
    place->has_room = place->stack - start >= STACK_ROOM_BYTES;
}

/* Without the heap, which the interrupted code may be in the middle of. */
void
malt_judge_place_look_up (MaltJudgePlace *place)
{
  static char text[16384 + 1];
  size_t n_kept = 0;
  int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);

  while (fd >= 0)
    {
      ssize_t n_read = read (fd, text + n_kept, sizeof text - 1 - n_kept);
      char *line = text;
      char *line_end;

      if (n_read <= 0)
        break;
      text[n_kept + (size_t) n_read] = '\0';
      for (; (line_end = strchr (line, '\n')) != NULL; line = line_end + 1)
        {
          *line_end = '\0';
          compare_line (place, line);
        }
      n_kept = strlen (line);
      memmove (text, line, n_kept);
    }
  if (fd >= 0)
    close (fd);
}

/* The system image */

typedef struct
{
  const char *name;
  uintptr_t start;
  uintptr_t end;
} Library;
static Library system_image;

static Library libraries[MAX_LIBRARIES];
static int n_libraries;

static int
add_library (struct dl_phdr_info *info, size_t n_bytes, void *data)
{
  Library *library = &libraries[n_libraries];

  (void) n_bytes;
  (void) data;
  if (n_libraries == MAX_LIBRARIES || info->dlpi_name == NULL || *info->dlpi_name == '\0')
    return 0;
  library->name = info->dlpi_name;
  library->start = UINTPTR_MAX;
  for (int i = 0; i < info->dlpi_phnum; i++)
    {
      const ElfW (Phdr) *part = &info->dlpi_phdr[i];
      uintptr_t start = (uintptr_t) (info->dlpi_addr + part->p_vaddr);

      if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
        continue;
      library->start = start < library->start ? start : library->start;
      library->end =
          start + part->p_memsz > library->end ? start + part->p_memsz : library->end;
    }
  n_libraries++;
  return 0;
}

static int
is_system_image (const Library *library)
{
  void *handle = dlopen (library->name, RTLD_LAZY | RTLD_NOLOAD);
  int is_image = handle != NULL && dlsym (handle, "jl_system_image_data") != NULL;

  if (handle != NULL)
    dlclose (handle);
  return is_image;
}

/* Nothing else has been loaded of what Julia has compiled. */
static void
find_system_image (void)
{
  dl_iterate_phdr (add_library, NULL);
  for (int i = 0; i < n_libraries; i++)
    if (is_system_image (&libraries[i]))
      system_image = libraries[i];
}

int
malt_judge_place_is_in_system_image (const MaltJudgePlace *place)
{
  return place->instruction >= system_image.start &&
         place->instruction < system_image.end;
}

/*
 * The interpreter. Julia interprets code at top level that defines something, loops in it
 * included, and has no safepoint there. The function that goes from statement to
 * statement has no locks and owns nothing, so that a throw there is as one in compiled
 * code. It has no name that can be asked for; but for a `try` it calls itself, and no
 * other does (load.jl). So it is the function that is twice in a row on the stack.
 */

/* Of libgcc (unwind-dw2-fde.h): the function that an instruction belongs to. */
struct dwarf_eh_bases
{
  void *text;
  void *data;
  void *function;
};

static const void *(*find_entry) (void *instruction, struct dwarf_eh_bases *bases);
static uintptr_t interpreter_start;
static uintptr_t interpreter_end;

static uintptr_t
find_function (uintptr_t instruction)
{
  struct dwarf_eh_bases bases = { 0 };

  if (find_entry ((void *) instruction, &bases) == NULL)
    return 0;
  return (uintptr_t) bases.function;
}

static uintptr_t
find_end (uintptr_t function)
{
  uintptr_t step = MAX_FUNCTION_BYTES;
  uintptr_t end = function;

  for (; step > 0; step /= 2)
    if (find_function (end + step) == function)
      end += step;
  return end + 1;
}

static _Unwind_Reason_Code
compare_frame (struct _Unwind_Context *frame, void *data)
{
  uintptr_t *last = data;
  uintptr_t function = find_function ((uintptr_t) _Unwind_GetIP (frame) - 1);
  Dl_info info;

  if (function == 0 || function != *last)
    {
      *last = function;
      return _URC_NO_REASON;
    }
  /* What has no file is the user's. */
  if (dladdr ((void *) function, &info) != 0)
    {
      interpreter_start = function;
      interpreter_end = find_end (function);
    }
  return _URC_END_OF_STACK;
}

/* By the unwinder that knows of Julia's code. */
static void
find_interpreter (void)
{
  _Unwind_Reason_Code (*walk) (_Unwind_Trace_Fn func, void *data);
  uintptr_t last = 0;

  *(void **) &find_entry = dlsym (RTLD_DEFAULT, "_Unwind_Find_FDE");
  *(void **) &walk = dlsym (RTLD_DEFAULT, "_Unwind_Backtrace");
  if (find_entry != NULL && walk != NULL)
    walk (compare_frame, &last);
}

int
malt_judge_place_is_in_interpreter (const MaltJudgePlace *place)
{
  return place->instruction >= interpreter_start && place->instruction < interpreter_end;
}

void
malt_judge_place_prepare (void)
{
  find_system_image ();
  find_interpreter ();
}
