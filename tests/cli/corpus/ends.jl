# SPDX-License-Identifier: MIT
# How a program ends, and with which status.
### status-0
#: modes pipe terminal closed
"the last value is not printed"
### exit-with-a-number
#: modes pipe terminal
#: sample
println("before"); exit(5); println("after")
### exit-with-256
exit(256)
### exit-with-a-negative-number
exit(-1)
### exit-without-a-number
println("x"); exit()
### exit-in-a-function
f() = (println("f"); exit(4)); g() = (try; f(); finally; println("finally"); end); g()
### exit-in-a-task
t = @async (yield(); println("in the task"); exit(6)); sleep(600)
### exit-in-a-task-that-is-awaited
wait(@async exit(9))
### exit-while-others-run
#: rarely
@async while true; yield(); end
@async sleep(600); yield(); exit(3)
### exit-in-a-timer
#: rarely
Timer(t -> exit(8), 0.1); sleep(600)
### exit-in-an-included-file
#: rarely
#: file part.jl
println("part"); exit(12); println("not here")
#: file main.jl
include("part.jl"); println("nor here")
### exit-in-init-of-a-module
#: rarely
module M
__init__() = (println("init"); exit(13))
end
println("not here")
### exit-in-a-catch
#: rarely
try; error("x"); catch; exit(14); finally; println("finally"); end
### exit-is-caught-by-nobody
#: rarely
try; exit(15); catch e; println("caught ", e); end
### exit-in-a-finalizer
#: rarely
mutable struct T; end
t = T(); finalizer(x -> exit(16), t); finalize(t); println("not here")
### exit-in-showerror
#: rarely
struct E <: Exception end
Base.showerror(io::IO, ::E) = (print(io, "shown"); exit(17))
throw(E())
### exit-in-a-thread
#: rarely
#: env JULIA_NUM_THREADS=2
Threads.@threads for i in 1:2 i == 1 && exit(18) end; sleep(600)
### exit-by-c
#: modes pipe file
atexit(() -> println("a hook that does not run")); println("x"); ccall(:exit, Cvoid, (Cint,), 19)
### exit-at-once-by-c
#: rarely
atexit(() -> println("a hook that does not run")); ccall(:_exit, Cvoid, (Cint,), 20)
### an-exception
#: modes pipe terminal closed
println("before"); error("deep"); println("after")
### quit-by-an-interrupt-exception
#: rarely
throw(InterruptException())
### exec
#: rarely
ccall(:execv, Cint, (Cstring, Ptr{Cstring}), "/bin/echo", Cstring.([pointer("echo"), pointer("another program"), C_NULL])); exit(21)
### a-busy-task-remains
@async while true end
nothing
### a-waiting-task-remains
#: rarely
t = @async (sleep(600); println("never")); yield(); println("end")
### a-blocked-end-of-output
#: rarely
println("x"); close(stdout); exit(22)
### closed-by-the-program
#: rarely
close(stdout); println(stderr, "on"); close(stdin); close(stderr)
### replaced-streams
#: rarely
#: modes pipe joined
redirect_stdout(stderr); println("on the other"); exit(23)
