# SPDX-License-Identifier: MIT
# Ctrl-C, in the terminal and by kill.
### sleeping
#: modes terminal pipe
#: expect "ready"
#: idle
#: group INT
#: sample
print("ready\n"); sleep(600)
### ctrl-c-sleeping
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
print("ready\n"); sleep(600)
### ctrl-c-spinning
#: modes terminal
#: expect "ready"
#: type "\x03"
#: killed
f() = (ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "ready\n", 6); while true end)
f()
### ctrl-c-allocating
#: modes terminal
#: expect "ready"
#: type "\x03"
#: killed
f() = (ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "ready\n", 6); while true; global x = [1]; end)
f()
### ctrl-c-reading
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
print("ready\n"); readline()
### ctrl-c-runs-hooks
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
atexit(() -> println("hook")); print("ready\n"); sleep(600)
### to-the-command-alone
#: expect "ready"
#: idle
#: signal INT
atexit(() -> println("hook")); print("ready\n"); sleep(600)
### an-exception-on-demand
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
#: expect "caught"
Base.exit_on_sigint(false); print("ready\n"); try; sleep(600); catch e; println("caught ", typeof(e)); end; exit(3)
### uncaught-on-demand
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
Base.exit_on_sigint(false); print("ready\n"); sleep(600)
### caught-while-busy
#: modes terminal
#: expect "ready"
#: type "\x03"
#: expect "caught"
f() = (ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "ready\n", 6); while true; GC.safepoint(); end)
Base.exit_on_sigint(false); try; f(); catch e; println("caught ", typeof(e)); end
### caught-thrice
#: modes terminal
#: expect "ready 1"
#: idle
#: type "\x03"
#: expect "ready 2"
#: idle
#: type "\x03"
#: expect "ready 3"
#: idle
#: type "\x03"
#: expect "end"
Base.exit_on_sigint(false); for i in 1:3; try; print("ready $i\n"); sleep(600); catch e; println(typeof(e)); end; end; println("end")
### a-child-is-interrupted-too
#: rarely
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
run(`sleep 600`, wait = false); run(`sh -c 'sleep 600; true'`, wait = false); print("ready\n"); sleep(600)
### disabled
#: rarely
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
#: expect "caught"
Base.exit_on_sigint(false); try; disable_sigint(() -> (print("ready\n"); ccall(:usleep, Cint, (Cuint,), 900_000); println("whole"))); sleep(600); catch e; println("caught ", typeof(e)); end
### of-a-pipeline
#: rarely
#: modes terminal
#: run prog main.jl | cat; echo "end"
#: expect "ready"
#: idle
#: type "\x03"
print("ready\n"); flush(stdout); sleep(600)
### a-shell-that-traps-it
#: rarely
#: modes terminal
#: run trap 'echo trapped' INT; prog main.jl; echo "status $?"
#: expect "ready"
#: idle
#: type "\x03"
#: expect "status"
print("ready\n"); sleep(600)
### in-a-hook
#: rarely
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
atexit(() -> (print("ready\n"); sleep(600))); nothing
### quit-by-a-key
#: rarely
#: modes terminal
#: expect "ready"
#: idle
#: type "\x1c"
print("ready\n"); sleep(600)
