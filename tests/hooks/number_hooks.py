# SPDX-License-Identifier: MIT
"""Makes the test build of the Julia text: a numbered hook at each place where signals are held back or let through, and where our own code waits.

    number_hooks.py DIRECTORY NAME=FILE...

DIRECTORY gets each file below its name, as the library knows it; `hooks`: one line for each hook: its number, file, function and place (hook 0 does not exist); and `program.jl`."""

import os
import re
import sys

# What a hook does when its number is armed is said by a page that the test shares with all workers (malt-hooks.h has its words).
PROLOGUE = """isdefined(Base, :malt_hook) || Core.eval(Base, :(module MaltHooks
const PAGE = let path = get(ENV, "MALT_TEST_HOOKS", "")
    if isempty(path)
        Ptr{UInt32}(0)
    else
        fd = ccall(:open, Cint, (Cstring, Cint), path, 0x80002)
        page = ccall(:mmap, Ptr{UInt32}, (Ptr{Cvoid}, Csize_t, Cint, Cint, Cint, Int64), C_NULL, 1 << 16, 3, 1, fd, 0)
        ccall(:close, Cint, (Cint,), fd)
        page
    end
end
function malt_hook(n)
    p = PAGE
    p == C_NULL && return nothing
    unsafe_store!(p, unsafe_load(p, 17 + n) + 0x00000001, 17 + n)
    times = unsafe_load(p, 1017 + n)
    times != 0 && unsafe_load(p, 2) != 0 || return nothing
    unsafe_store!(p, times - 0x00000001, 1017 + n)
    times == 0x00000001 || return nothing
    unsafe_store!(p, unsafe_load(p, 2) - 0x00000001, 2)
    unsafe_store!(p, 0x00000001, 3)
    pid = ccall(:getpid, Cint, ())
    while unsafe_load(p, 4) != 0 && unsafe_load(p, 5) == 0
        ccall(:sched_yield, Cint, ())           # so that it is read again
    end
    i = unsafe_load(p, 1)
    while i > 0
        ccall(:kill, Cint, (Cint, Cint), pid, 2)
        ccall(:usleep, Cint, (Cuint,), 2000)    # so that each is taken before the next
        i -= 0x00000001
    end
    unsafe_store!(p, 0x00000002, 3)
    nothing
end
end)); isdefined(Base, :malt_hook) || Core.eval(Base, :(const malt_hook = MaltHooks.malt_hook))
"""

MASKS = re.compile(r"(?<![\w.:!])(Base\.sigatomic_(?:begin|end)|mask|unmask|hold|release)\(\)(?!\s*=[^=])")
EXPRESSIONS = re.compile(r"@(?:exposed|idle)(?: |(?=\())")
WAITS = re.compile(r"(?<![\w.:!])(?:Base\.)?(?:wait|wait_readnb|sleep|yield|yieldto)\(")
# What never returns has no hook behind it: it ends the process, or nobody ends that wait.
ENDLESS = re.compile(r": ENTER\[1\]\(0\)$|, rest_forever: wait\(\)$")
DEFINITION = re.compile(r"(?:function|macro) ([\w.!]+)")
SHORT_DEFINITION = re.compile(r"([\w.!]+)\(.*\) =(?!=)")
# Of distributed, Julia's stdout and stderr here are those of a worker elsewhere: what is written leaves by frames, and not by pipes.
OUTPUT = re.compile(r"^    START\[5\] = .*$", re.MULTILINE)


def end_of_call(text, start):
    """The end of the expression `name(...)` or `(...)` that starts there."""
    depth, at = 0, start
    while True:
        c = text[at]
        depth += (c == "(") - (c == ")")
        at += 1
        if c == ")" and depth == 0:
            return at


def is_code(line, at):
    """No comment, no text, no symbol of a macro's own."""
    before = line[:at]
    return "#" not in before and before.count('"') % 2 == 0


class Numbers:
    def __init__(self):
        self.lines = []

    def next(self, place):
        self.lines.append(place)
        return len(self.lines)


def wrap(numbers, place, expression):
    before = numbers.next("before " + place)
    if ENDLESS.search(place):
        return "Base.malt_hook(%d); %s" % (before, expression)
    behind = numbers.next("behind " + place)
    return "let hooked = (Base.malt_hook(%d); %s); Base.malt_hook(%d); hooked; end" % (before, expression, behind)


def hook_line(numbers, name, line):
    if line.lstrip().startswith("#"):
        return line
    taken, pieces, at = [], [], 0
    for match in EXPRESSIONS.finditer(line):
        if is_code(line, match.start()):
            end = end_of_call(line, match.end())
            taken.append((match.end(), end))
    for pattern in (MASKS, WAITS):
        for match in pattern.finditer(line):
            inside = any(start <= match.start() < end for start, end in taken)
            if is_code(line, match.start()) and not inside:
                taken.append((match.start(), end_of_call(line, match.start())))
    for start, end in sorted(taken):
        place = "%s: %s" % (name, line[start:end])
        pieces += [line[at:start], "(", wrap(numbers, place, line[start:end]), ")"]
        at = end
    return "".join(pieces) + line[at:]


def main():
    directory, *files = sys.argv[1:]
    numbers = Numbers()
    for file in files:
        name, path = file.split("=", 1)
        with open(path, encoding="utf-8") as f:
            lines = OUTPUT.sub("    START[5] = false", f.read()).splitlines(True)
        text, function = "", ""
        for line in lines:
            definition = DEFINITION.match(line) or SHORT_DEFINITION.match(line)
            function = definition.group(1) if definition else function
            text += hook_line(numbers, "%s, %s" % (os.path.basename(name), function), line)
        target = os.path.join(directory, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as f:
            f.write((PROLOGUE if name.endswith(("start.jl", "runtime.jl", "outbox.jl")) else "") + text)
    with open(os.path.join(directory, "hooks"), "w", encoding="utf-8") as f:
        f.writelines("%d\t%s\n" % (i + 1, line) for i, line in enumerate(numbers.lines))
    with open(os.path.join(directory, "program.jl"), "w", encoding="utf-8") as f:
        f.write("sleep(0.01)\n")      # so that other tasks run
    print(directory)


if __name__ == "__main__":
    main()
