# SPDX-License-Identifier: MIT
# Standard output and error joined, and others that write there, too.
### alternating
#: modes joined file terminal
#: sample
for i in 1:50 println(stdout, "out ", i); println(stderr, "err ", i) end
### without-newlines
#: modes joined terminal
for i in 1:20 print(stdout, "o"); print(stderr, "e") end
### with-children
#: modes joined file
println("before"); run(`sh -c 'echo child out; echo child err >&2'`); println("between"); run(pipeline(`echo to err`, stdout = stderr)); println(stderr, "after")
### with-c-code
#: modes joined terminal
println("julia"); ccall(:dprintf, Cint, (Cint, Cstring), 2, "C on 2\n"); println(stderr, "julia on 2"); ccall(:dprintf, Cint, (Cint, Cstring), 1, "C on 1\n"); println("end")
### with-logging
#: modes joined
println("one"); @info "two"; println("three"); @warn "four" x = 5; println("six")
### of-tasks
#: modes joined
@sync for i in 1:5 @async (println(stdout, "out $i"); yield(); println(stderr, "err $i")) end
### an-exception-comes-last
#: rarely
#: modes joined file
for i in 1:200 println(i) end; error("at the end")
### hooks-come-after
#: modes joined
atexit(() -> println(stderr, "hook on 2")); atexit(() -> println("hook on 1")); println("program"); exit(3)
### of-threads
#: rarely
#: modes joined
#: env JULIA_NUM_THREADS=2
println(Threads.nthreads()); Threads.@threads for i in 1:2 ccall(:getpid, Cint, ()) end; println(stderr, "all"); println("done")
### the-shell-goes-on
#: rarely
#: modes joined
#: run prog main.jl; echo "status $?"; prog main.jl >&2; echo end
println("out"); println(stderr, "err")
