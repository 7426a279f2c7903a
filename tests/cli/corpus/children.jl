# SPDX-License-Identifier: MIT
# Processes that the program starts.
### output
#: modes pipe file terminal
#: sample
run(`echo hello`); println(read(`echo read`, String)); println(readchomp(pipeline(`printf 'b\na\n'`, `sort`)))
### fails
run(`sh -c 'exit 3'`); println("not here")
### fails-by-a-signal
#: rarely
#: modes joined
run(`sh -c 'kill -9 $$'`)
### is-not-there
#: rarely
println("x"); run(`no-such-program-anywhere`)
### status
p = run(ignorestatus(`sh -c 'exit 5'`)); println(p.exitcode, success(p), process_exited(p))
### in-the-background
#: modes pipe file terminal
run(`sh -c 'sleep 1; echo later'`, wait = false); println("program ends")
### in-the-background-on-a-stream-of-its-own
run(pipeline(detach(`sh -c 'sleep 1; echo later >later.txt'`), stdout = devnull, stderr = devnull), wait = false); println("program ends")
### writes-to-both
#: rarely
#: modes pipe joined
run(pipeline(`sh -c 'echo out; echo err >&2'`)); run(pipeline(`sh -c 'echo out; echo err >&2'`, stderr = stdout)); nothing
### environment-and-directory
#: rarely
run(setenv(`sh -c 'echo $A; pwd -P | sed s,.*/,,'`, ["A=b", "PATH=$(ENV["PATH"])"], dir = "..")); withenv("C" => "d") do; run(`sh -c 'echo $C'`); end
### inherits-the-environment
#: rarely
ENV["ADDED"] = "yes"; run(`sh -c 'echo $ADDED $HOME_OF_IT'`); println(length(readlines(`env`)) == length(ENV))
### a-dialogue
#: rarely
io = open(`cat`, "r+"); println(io, "there and back"); println(readline(io)); close(io.in); wait(io)
### descriptors-of-a-child
#: rarely
#: run prog main.jl 7>&-
println(readchomp(`sh -c 'ls /proc/self/fd | wc -l'`))
### is-waited-for
#: rarely
p = open(`sh -c 'sleep 0.5; echo done'`); println(process_running(p)); wait(p); println(read(p, String), process_running(p))
### many
#: rarely
@sync for i in 1:20 @async success(`true`) || error("a child failed") end; println("all")
### is-reaped
#: rarely
for i in 1:3 run(`true`) end; println(count(p -> isdir("/proc/$p") && occursin(r"\) Z ", read("/proc/$p/stat", String)), split(read("/proc/self/task/$(getpid())/children", String))))
### another-julia
println(readchomp(`$(Base.julia_cmd()) --startup-file=no -e 'println(6 * 7, ARGS)' a b`))
### system-of-c
#: rarely
#: modes pipe terminal
println(ccall(:system, Cint, (Cstring,), "echo from system; exit 3") >> 8)
### forked
#: rarely
pid = ccall(:fork, Cint, ()); if pid == 0; ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "child\n", 6); ccall(:_exit, Cvoid, (Cint,), 0); end
ccall(:waitpid, Cint, (Cint, Ptr{Cvoid}, Cint), pid, C_NULL, 0); println("parent")
