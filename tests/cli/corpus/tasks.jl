# SPDX-License-Identifier: MIT
# Tasks and threads.
### run-before-the-end
t = @async (sleep(0.1); println("task")); wait(t); println("end")
### that-were-not-begun
t = @async println("not seen?"); println("end")
### a-failed-task-is-awaited
#: sample
t = @async error("in the task")
wait(t)
### a-failed-task-is-fetched
#: rarely
f() = error("in f"); t = @async f(); println(istaskfailed(t)); try; fetch(t); catch e; showerror(stdout, e); println(); end
### a-failed-task-is-forgotten
#: modes joined
t = @async error("nobody asks"); sleep(0.1); println("end")
### sync-with-failures
#: rarely
@sync begin
    @async error("one")
    @async error("two")
end
### a-failed-task-of-a-channel
#: rarely
c = Channel(c -> (put!(c, 1); error("producer"))); println(take!(c)); take!(c)
### timers
#: rarely
n = 0; t = Timer(_ -> (global n += 1), 0.01, interval = 0.01); while n < 3; sleep(0.01); end; close(t); println(n >= 3)
### a-timer-that-fails
#: rarely
Timer(_ -> error("in the timer"), 0.01); sleep(0.3); println("end")
### threads
#: env JULIA_NUM_THREADS=2
println(Threads.nthreads()); a = zeros(Int, 8); Threads.@threads for i in 1:8; a[i] = i; end; println(sum(a))
### number-of-threads
#: rarely
#: env JULIA_NUM_THREADS=3
println(Threads.nthreads(), " ", Threads.threadid())
### one-thread
#: rarely
#: env JULIA_NUM_THREADS
println(Threads.nthreads(), " ", Threads.threadid())
### an-exception-in-a-thread
#: rarely
#: env JULIA_NUM_THREADS=2
try; wait(Threads.@spawn error("in a thread")); catch e; showerror(stdout, e); println(); end
### the-task-of-the-program
#: rarely
t = current_task(); println(istaskdone(t), " ", istaskstarted(t), " ", t.storage === nothing, " ", t.sticky)
### nothing-to-wait-for
#: rarely
c = Condition(); @async (sleep(0.1); notify(c, 5)); println(wait(c))
### channels
#: rarely
c = Channel{Int}(2); @async (foreach(i -> put!(c, i), 1:5); close(c)); println(collect(c))
### task-local-storage
#: rarely
task_local_storage(:a, 1) do; println(task_local_storage(:a)); end; println(haskey(task_local_storage(), :a))
### interrupts-of-a-task
#: rarely
t = @async try; sleep(600); catch e; println(typeof(e)); end; yield(); schedule(t, InterruptException(), error = true); wait(t)
### yields-to-nobody
#: rarely
for i in 1:100 yield() end; println("end")
### workers
#: rarely
using Distributed; addprocs(1); println(remotecall_fetch(() -> 6 * 7, 2), nprocs()); rmprocs(workers())
### workers-are-left
#: rarely
using Distributed; addprocs(1); @everywhere println("from ", myid()); exit(3)
