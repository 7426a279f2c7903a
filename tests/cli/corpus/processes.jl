# SPDX-License-Identifier: MIT
# The process: its group, session and what the kernel says of it.
### group-and-session
#: modes pipe terminal
#: sample
println(ccall(:getsid, Cint, (Cint,), 0) == ccall(:getpgrp, Cint, ())); println(ccall(:getpgrp, Cint, ()) == parse(Int, split(read("/proc/self/stat", String))[5]))
### one-group-with-children
a = ccall(:getpgrp, Cint, ()); b = parse(Int, split(readchomp(`cat /proc/self/stat`))[5]); println(a == b)
### the-group-of-the-caller
#: run echo $(ps -o pgid= -p $$) >mine; prog main.jl
println(parse(Int, read("mine", String)) == ccall(:getpgrp, Cint, ())); rm("mine")
### terminal-of-the-process
#: modes terminal pipe
println(split(read("/proc/self/stat", String))[7] == "0", " ", ccall(:tcgetpgrp, Cint, (Cint,), 0) == ccall(:getpgrp, Cint, ()))
### users
println(ccall(:getuid, Cuint, ()) == ccall(:geteuid, Cuint, ()), " ", ccall(:getgid, Cuint, ()) == ccall(:getegid, Cuint, ()))
### threads-of-the-process
#: env JULIA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
println(Threads.nthreads()); println(getpid() > 1)
### name
#: rarely
println(readchomp("/proc/self/comm"))
### the-root-of-it
#: rarely
println(readlink("/proc/self/root"), " ", basename(readlink("/proc/self/cwd"))); println(basename(readlink("/proc/self/exe")))
### kills-its-group
#: rarely
#: run setsid -w prog main.jl; echo "status $?"
println("x"); ccall(:kill, Cint, (Cint, Cint), 0, 9); sleep(60)
### its-parent-dies-with-it
#: rarely
#: run prog main.jl; echo "status $?"
println("x"); ccall(:kill, Cint, (Cint, Cint), getpid(), 9); sleep(60)
### no-new-group-is-made
#: rarely
p = run(`sleep 0.2`, wait = false); println(ccall(:getpgid, Cint, (Cint,), getpid(p)) == ccall(:getpgrp, Cint, ())); q = run(detach(`sleep 0.2`), wait = false); println(ccall(:getpgid, Cint, (Cint,), getpid(q)) == getpid(q)); wait(p)
### first-of-a-container
#: run unshare --pid --fork --mount-proc sh -c 'exec "$0" main.jl' "$(command -v prog)"; echo "status $?"
println(length(filter(name -> all(isdigit, name), readdir("/proc"))) < 4); run(`sh -c "sleep 0.1 & echo left"`); exit(7)
### terminated-in-a-container
#: rarely
#: run unshare --pid --fork --mount-proc sh -c 'exec 3<&0; (read x <&3; kill -TERM 1) & exec "$0" main.jl </dev/null 3<&-' "$(command -v prog)"; echo "status $?"
#: expect "ready"
#: idle
#: type "go\n"
atexit(() -> println("hook")); print("ready\n"); sleep(600)
