# SPDX-License-Identifier: MIT
# Jobs of a shell that has a terminal.
### stop-and-foreground
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl\n"
#: expect "ready"
#: idle
#: type "\x1a"
#: expect "% "
#: type "fg\n"
#: expect "prog main.jl"
#: type "word\n"
#: expect "got word"
#: expect "% "
#: type "exit\n"
#: sample
print("ready\n"); println("got ", readline())
### stop-and-background
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl\n"
#: expect "ready"
#: idle
#: type "\x1a"
#: expect "% "
#: type "bg; wait; echo all\n"
#: expect "\nall"
#: expect "% "
#: type "exit\n"
print("ready\n"); sleep(2); println("went on"); exit(3)
### background-from-the-start
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl & wait; echo all\n"
#: expect "\nall"
#: expect "% "
#: type "exit\n"
println("started in the background"); exit(4)
### background-that-may-not-write
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "stty tostop; prog main.jl &\n"
#: type "wait; jobs; fg\n"
#: expect "written"
#: expect "% "
#: type "exit\n"
println("written"); exit(5)
### interrupt-comes-back-to-the-shell
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl\n"
#: expect "ready"
#: idle
#: type "\x03"
#: expect "% "
#: type "echo $(( $? > 0 ))\n"
#: expect "% "
#: type "exit\n"
print("ready\n"); sleep(600)
### killed-job
#: rarely
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl\n"
#: expect "% "
#: type "echo $?\n"
#: expect "% "
#: type "exit\n"
ccall(:kill, Cint, (Cint, Cint), getpid(), 9); sleep(60)
### stops-itself
#: rarely
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl\n"
#: expect "% "
#: type "fg\n"
#: expect "on again"
#: expect "% "
#: type "exit\n"
ccall(:kill, Cint, (Cint, Cint), 0, 20); sleep(0.2); println("on again")
### stops-itself-alone
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl\n"
#: expect "% "
#: type "fg\n"
#: expect "on again"
#: expect "% "
#: type "exit\n"
ccall(:kill, Cint, (Cint, Cint), getpid(), 20); sleep(0.2); println("on again")
### stops-itself-by-what-nobody-catches
#: rarely
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl\n"
#: expect "% "
#: type "fg\n"
#: expect "on again"
#: expect "% "
#: type "exit\n"
ccall(:kill, Cint, (Cint, Cint), getpid(), 19); sleep(0.2); println("on again")
### a-job-that-the-shell-kills
#: modes terminal
#: env PS1=%\  TERM=dumb
#: run exec bash --norc --noprofile -i
#: expect "% "
#: type "prog main.jl 2>/dev/null &\n"
#: expect "ready"
#: type "kill %1; wait %1; echo ended $?\n"
#: expect "ended"
#: expect "% "
#: type "exit\n"
atexit(() -> (println("saving"); t = time(); while time() < t + 0.3; end; println("saved"))); let n = 0; while true; (n += 1) == 10 && println("ready"); end; end
### without-a-controlling-terminal
#: modes terminal pipe
#: run setsid -w prog main.jl
println(try; close(open("/dev/tty")); "has one"; catch e; typeof(e); end); println(stdout isa Base.TTY)
