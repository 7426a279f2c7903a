# SPDX-License-Identifier: MIT
# Hooks at the end.
### in-turn
#: sample
atexit(() -> println("first")); atexit(() -> println("second")); atexit(() -> println(stderr, "third")); println("program")
### decides-the-status
atexit(() -> exit(7)); println("x")
### decides-the-status-after-an-exception
atexit(() -> exit(7)); error("boom")
### decides-the-status-after-exit
atexit(() -> exit(7)); exit(3)
### fails
#: modes pipe joined
atexit(() -> println("others run")); atexit(() -> error("in the hook")); println("x")
### fails-after-an-exception
#: rarely
atexit(() -> error("in the hook")); error("in the program")
### fails-with-causes
atexit() do
    try; error("inner"); catch; error("outer"); end
end
### registers-another
#: rarely
atexit(() -> (println("one"); atexit(() -> println("two"))))
### sleeps
#: rarely
atexit(() -> (sleep(2); println("saved"))); println("work done")
### waits-for-tasks
t = @async (for i in 1:3; println("task ", i); sleep(0.05); end); atexit(() -> (wait(t); println("hook")))
### starts-a-process
#: rarely
atexit(() -> run(`echo from a child of the hook`)); println("x")
### reads-standard-input
#: rarely
#: stdin "for the hook\n"
atexit(() -> println(readline()))
### dies
#: rarely
atexit(() -> ccall(:kill, Cint, (Cint, Cint), getpid(), 9)); println("x")
### aborts
#: rarely
atexit(() -> ccall(:abort, Cvoid, ())); println("x")
### sees-its-traces
#: rarely
atexit(() -> println(length(stacktrace()))); nothing
### throws-something-else
#: rarely
atexit(() -> throw(1)); nothing
### after-a-syntax-error
#: rarely
#: file bad.jl
x = = 1
#: file main.jl
atexit(() -> println("hook")); include("bad.jl")
### sees-values
#: rarely
x = 1; atexit(() -> println(x, Main.x, PROGRAM_FILE, ARGS)); x = 2
### leaves-a-temporary-file
#: rarely
path, io = mktemp(); atexit(() -> println(isfile(path))); println(isfile(path))
### makes-files
#: rarely
atexit(() -> write("made", "by the hook")); exit(1)
### dies-by-a-signal-that-the-hook-raises
#: rarely
atexit(() -> (println("hook"); ccall(:raise, Cint, (Cint,), 15); sleep(5))); nothing
