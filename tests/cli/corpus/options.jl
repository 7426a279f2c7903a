# SPDX-License-Identifier: MIT
# Options of julia that the command has, too, and programs that are no files.
### an-expression
#: modes pipe terminal file
#: run prog -e 'x = 1' -E 'x + 1' -e 'println(ARGS, repr(PROGRAM_FILE), isinteractive(), length(stacktrace())); x' a -e
### an-expression-that-reads
#: stdin "one\ntwo\n"
#: run prog -e 'println(readline()); println(repr(read(stdin, String)))'
### an-expression-that-fails
#: modes pipe terminal
#: run prog -e 'f() = error("x")' -E 'f()' -e 'println("not reached")'
### an-expression-that-ends
#: run prog -e 'atexit(() -> println("hook")); exit(3)'; echo "status $?"
### an-expression-that-is-interrupted
#: modes terminal
#: expect "ready"
#: idle
#: type "\x03"
#: run prog -e 'println("ready"); try; sleep(60); catch e; println(typeof(e)); end'
### files-that-are-loaded
#: run prog -L part.jl --load=part.jl main.jl x; prog -L part.jl -e 'println(n)'; prog -L nosuch.jl main.jl
#: file part.jl
n = (@isdefined n) ? n + 1 : 1; println(basename(@__FILE__), ARGS, PROGRAM_FILE)
#: file main.jl
println(n, ARGS)
### loaded-in-their-order
#: rarely
#: run prog -L a.jl -L b.jl main.jl q; prog -L a.jl -e 'println(x)' -L b.jl -E 'x'
#: file a.jl
println("a ", PROGRAM_FILE, ARGS); x = 1
#: file b.jl
println("b ", PROGRAM_FILE, ARGS); x = 2
#: file main.jl
println(x, ARGS)
### values
#: rarely
#: modes pipe terminal
#: run prog -E '[1 2; 3 4]' -E '"text"' -E 'nothing' -E ':sym' -E '1;' -E 'rand(3,3) .> 2' -E 'x = 5; x + 1'
### not-whole
#: rarely
#: run prog -e ''; echo "status $?"; prog -e 'x ='; echo "status $?"; prog -e 'x = = 1'; echo "status $?"
### threads
#: run prog -t2 main.jl; prog --threads=3 main.jl; JULIA_NUM_THREADS=2 prog -t 1 main.jl
println(Threads.nthreads(), " ", Base.JLOptions().nthreads, " ", length(Threads.@spawn(1:2) |> fetch))
### project
#: run prog --project main.jl; prog --project=env main.jl; cd env; prog --project=@. ../main.jl
#: file Project.toml
name = "Outer"
#: file env/Project.toml
name = "Inner"
#: file main.jl
println(basename(dirname(Base.active_project())) == "env", isfile(Base.active_project()))
