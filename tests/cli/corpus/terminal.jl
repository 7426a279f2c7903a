# SPDX-License-Identifier: MIT
# A terminal, with its size, colours and modes.
### what-it-is
#: modes terminal
#: sample
println(stdin isa Base.TTY, stdout isa Base.TTY, stderr isa Base.TTY, displaysize(stdout), get(stdout, :color, nothing), Base.have_color, isinteractive())
### colours
#: modes terminal pipe
printstyled("red\n", color = :red); printstyled(stderr, "bold\n", bold = true); println(Base.JLOptions().color)
### dumb
#: rarely
#: modes terminal
#: env TERM=dumb
printstyled("plain?\n", color = :red); println(displaysize(stdout))
### no-term
#: modes terminal
#: env TERM
printstyled("plain?\n", color = :red); println(haskey(ENV, "TERM"))
### isatty
#: modes terminal pipe file
s = join([ccall(:isatty, Cint, (Cint,), d) for d in 0:2]); println(s); write("seen", s); nothing
### size-of-the-terminal
#: modes terminal
#: size 7 33
#: expect "first"
#: size 11 44
#: type "\n"
#: expect "second"
println("first"); readline(); println("second ", displaysize(stdout)); show(stdout, MIME"text/plain"(), collect(1:50)); println()
### size-by-variables
#: modes terminal pipe
#: env COLUMNS=30 LINES=9
println(displaysize(stdout)); show(IOContext(stdout, :limit => true), MIME"text/plain"(), collect(1:100))
### output-piped-on-a-terminal
#: modes terminal
#: run prog main.jl | cat
println(stdout isa Base.TTY, stderr isa Base.TTY, stdin isa Base.TTY, displaysize(stdout)); printstyled(stderr, "colour?\n", color = :blue)
### errors-piped-on-a-terminal
#: rarely
#: modes terminal
#: run prog main.jl 2>err; cat err
println(stdout isa Base.TTY, stderr isa Base.TTY); printstyled("colour?\n", color = :blue); error("x")
### an-exception-in-colour
#: modes terminal
f(x) = error("in colour ", x)
f(1)
### logging-in-colour
#: rarely
#: modes terminal
@info "in colour" x = 1; @warn "yellow"; @error "red"
### children-see-it
#: modes terminal
run(`sh -c 'test -t 0 && test -t 1 && test -t 2 && echo all three; stty size; tty >/dev/null && echo tty'`); nothing
### controlling-terminal
#: rarely
#: modes terminal
io = open("/dev/tty", "r+"); println(io, "written to /dev/tty"); close(io)
println(ccall(:tcgetpgrp, Cint, (Cint,), 0) == ccall(:getpgrp, Cint, ()))
### raw-mode-is-set-back
#: rarely
#: modes terminal
#: expect "key?"
#: type "q"
using REPL; const T = REPL.Terminals
t = T.TTYTerminal("xterm", stdin, stdout, stderr); T.raw!(t, true); print("key?"); c = read(stdin, Char); T.raw!(t, false); println(" ", c)
### raw-mode-is-left
#: rarely
#: modes terminal
using REPL; REPL.Terminals.raw!(REPL.Terminals.TTYTerminal("xterm", stdin, stdout, stderr), true); exit(1)
### the-modes-of-a-child
#: rarely
#: modes terminal
run(`stty -echo`); println("no echo"); run(`stty sane`); println("echo")
### hang-up
#: rarely
#: modes terminal
#: run trap '' HUP; prog main.jl; echo "status $?" >status
#: expect "ready"
#: hangup
print("ready\n"); try; while !eof(stdin) readline() end; write("seen", "end of input"); catch e; write("seen", string(typeof(e))); end; exit(4)
### hang-up-ends
#: rarely
#: modes terminal
#: expect "ready"
#: hangup
print("ready\n"); sleep(600)
