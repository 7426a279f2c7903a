# SPDX-License-Identifier: MIT
# Signals: those that kill the program, those that are sent to the command, those that are ignored.
### killed
#: modes pipe terminal
#: sample
println("x"); flush(stdout); ccall(:kill, Cint, (Cint, Cint), getpid(), 9); sleep(60)
### hung-up
println("x"); ccall(:kill, Cint, (Cint, Cint), getpid(), 1); sleep(60)
### alarm
ccall(:alarm, Cuint, (Cuint,), 1); sleep(60)
### real-time
ccall(:kill, Cint, (Cint, Cint), getpid(), 45); sleep(60)
### terminated-from-outside
#: expect "ready"
#: idle
#: signal TERM
atexit(() -> println("hook")); print("ready\n"); sleep(600)
### hung-up-from-outside
#: expect "ready"
#: idle
#: signal HUP
atexit(() -> println("hook")); print("ready\n"); sleep(600)
### quit-from-outside
#: expect "ready"
#: idle
#: signal QUIT
print("ready\n"); sleep(600)
### terminated-while-busy
#: expect "ready"
#: signal TERM
#: killed
f() = (ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "ready\n", 6); while true end)
f()
### handled-by-the-program
#: expect "ready"
#: idle
#: signal USR2
#: expect "caught"
handler = @cfunction(s -> (ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "caught\n", 7); nothing), Cvoid, (Cint,))
ccall(:signal, Ptr{Cvoid}, (Cint, Ptr{Cvoid}), 12, handler); print("ready\n"); sleep(1); ccall(:usleep, Cint, (Cuint,), 10); exit(5)
### ignored-by-the-program
#: expect "ready"
#: idle
#: signal HUP
ccall(:signal, Ptr{Cvoid}, (Cint, Ptr{Cvoid}), 1, Ptr{Cvoid}(1)); print("ready\n"); sleep(2); println("survived")
### ignored-by-the-caller
#: run trap '' HUP; exec prog main.jl
#: expect "ready"
#: idle
#: signal HUP
print("ready\n"); sleep(2); println("survived")
### nohup
#: rarely
#: run nohup prog main.jl >out; cat out
#: expect ""
#: idle
#: group HUP
#: modes terminal
println("started"); sleep(1); println("survived")
### dispositions
foreach(println, [line for line in eachline("/proc/self/status") if startswith(line, r"Sig(Blk|Ign)|ShdPnd")])
caught = parse(UInt64, split(first(l for l in eachline("/proc/self/status") if startswith(l, "SigCgt")))[2], base = 16); println(caught % UInt32)
### dispositions-of-a-shell-with-traps
#: rarely
#: run trap '' HUP INT QUIT USR1 USR2 PIPE; prog main.jl
foreach(println, [line for line in eachline("/proc/self/status") if startswith(line, r"Sig(Blk|Ign)")])
### real-time-signals
#: rarely
println(sort([s for s in 32:64 if !iszero(parse(UInt64, split(first(l for l in eachline("/proc/self/status") if startswith(l, "SigCgt")))[2], base = 16) >> (s - 1) & 1)]))
### dispositions-of-children
#: rarely
#: run trap '' HUP; prog main.jl
print(read(`grep -E 'Sig(Blk|Ign)' /proc/self/status`, String))
### a-signal-to-a-child
#: rarely
p = run(`sleep 600`, wait = false); kill(p); wait(p); println(p.termsignal, " ", p.exitcode, " ", success(p))
### broken-pipe-of-a-child
#: rarely
#: run trap '' PIPE; prog main.jl; trap - PIPE; prog main.jl
println(success(pipeline(`sh -c 'sleep 0.3; echo x; echo "status $?" >&2'`, `true`)))
### segmentation-fault-is-caught
#: rarely
#: modes joined
try; unsafe_load(Ptr{Int}(0)); catch e; println(typeof(e)); end
### arithmetic-fault
#: rarely
try; div(1, 0); catch e; println(e); end; println(1 / 0)
### stopped-and-continued
#: rarely
#: expect "ready"
#: idle
#: group STOP
#: group CONT
#: expect "on"
print("ready\n"); sleep(1); println("on")
### terminated-by-the-shell
#: rarely
#: run prog main.jl & read word; kill $!; wait $!; echo "status $?"
#: expect "ready"
#: idle
#: type "word\n"
print("ready\n"); sleep(600)
### on-a-terminal-that-gets-another-size
#: rarely
#: modes terminal
#: expect "ready"
#: idle
#: size 12 40
#: expect "caught"
handler = @cfunction(s -> (ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "caught\n", 7); nothing), Cvoid, (Cint,))
ccall(:signal, Ptr{Cvoid}, (Cint, Ptr{Cvoid}), 28, handler); print("ready\n"); sleep(2); println(displaysize(stdout))
### children-are-ignored
#: rarely
#: run trap '' CHLD; exec prog main.jl
println(success(`true`)); run(`echo x`); nothing
### an-interrupt-that-is-ignored
#: rarely
#: run trap '' INT; exec prog main.jl
#: expect "ready"
#: idle
#: signal INT
print("ready\n"); sleep(2); println("survived")
### under-a-limit-of-time
#: run timeout 3 prog main.jl 2>/dev/null; echo "status $?"
atexit(() -> (println("saving"); t = time(); while time() < t + 0.5; end; println("saved"))); while true; end
