# SPDX-License-Identifier: MIT
# What a program sees of the stack.
### length-of-the-trace
#: sample
println(length(stacktrace())); f() = length(stacktrace()); println(f())
### frames
#: rarely
foreach(println, [string(f.func, " ", basename(String(f.file))) for f in stacktrace()])
### frames-with-c-code
#: rarely
println(length(stacktrace(backtrace(), true)) > 0, " ", [f.func for f in stacktrace(backtrace(), false)])
### of-an-exception
f() = error("x"); g() = f()
try; g(); catch; for fr in stacktrace(catch_backtrace()) println(fr.func, " ", basename(String(fr.file)), ":", fr.line); end; end
### printed
#: rarely
f() = error("x")
try; f(); catch e; showerror(stdout, e, catch_backtrace()); println(); end
### printed-with-the-stack-of-exceptions
#: rarely
f() = error("x")
try; try; f(); catch; error("y"); end; catch; Base.show_backtrace(stdout, catch_backtrace()); println(); end
### of-an-exception-of-a-thread
#: rarely
#: env JULIA_NUM_THREADS=2
wait(Threads.@spawn try; sqrt(-1); catch e; @error "it failed" exception=(e, catch_backtrace()); rethrow(); end)
### in-a-task
wait(@async foreach(println, [string(f.func, " ", basename(String(f.file))) for f in stacktrace()]))
### of-a-failed-task
#: rarely
f() = error("x"); t = @async f(); try; wait(t); catch e; showerror(stdout, e, catch_backtrace()); println(); end
### in-an-included-file
#: rarely
#: file part.jl
foreach(f -> println(f.func, " ", basename(String(f.file)), ":", f.line), stacktrace())
#: file main.jl
include("part.jl")
### in-a-hook
atexit(() -> foreach(f -> println(f.func, " ", basename(String(f.file))), stacktrace()))
### in-a-timer
#: rarely
Timer(_ -> println([f.func for f in stacktrace()]), 0.01); sleep(0.3)
### in-a-callback-of-c
#: rarely
g(a, b) = (global seen = [f.func for f in stacktrace()]; a[] - b[]) |> x -> Cint(sign(x))
c = @cfunction(g, Cint, (Ref{Int}, Ref{Int})); ccall(:qsort, Cvoid, (Ptr{Int}, Csize_t, Csize_t, Ptr{Cvoid}), [2, 1], 2, 8, c); println(seen)
### whole-backtraces
println(length(backtrace()) > 0); try; error(1); catch; println(length(catch_backtrace()) > 0); end; println(length(catch_backtrace()))
### in-eval
foreach(println, eval(:([string(f.func) for f in stacktrace()])))
