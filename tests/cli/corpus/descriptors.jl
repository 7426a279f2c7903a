# SPDX-License-Identifier: MIT
# Open files that the caller hands on, and those that it closed.
### three
#: run prog main.jl 3>three
#: sample
io = Base.fdio(3, true); println(io, "to descriptor 3"); close(io); println("ok")
### nine-for-reading
#: run prog main.jl 9<input.txt
#: file input.txt
from nine
#: file main.jl
println(read(Base.fdio(9, true), String))
### which-are-open
#: run prog main.jl 3>three 5</dev/null
println([d for d in 0:9 if ccall(:fcntl, Cint, (Cint, Cint), d, 1) != -1 && occursin(r"three|/dev/null", readlink("/proc/self/fd/$d"))])
### which-are-open-in-children
#: run prog main.jl 3>three 5</dev/null
println(strip(read(`sh -c 'cd /proc/$$/fd; for d in *; do readlink $d; done | grep -E "three|null"'`, String)))
### great-numbers
#: rarely
#: run python3 -c 'import os, subprocess; f = os.open("x", os.O_RDWR | os.O_CREAT); [os.dup2(f, n) for n in (300, 511, 700)]; subprocess.run(["prog", "main.jl"], pass_fds=(300, 511, 700))'
println([d for d in 250:900 if ccall(:fcntl, Cint, (Cint, Cint), d, 1) != -1 && occursin(r"/x$", readlink("/proc/self/fd/$d"))]); write(Base.fdio(700, true), "to 700")
### of-a-child
#: run prog main.jl 4>four
run(`sh -c 'echo to four >&4'`); nothing
### none-beside
println([d for d in 0:2 if ccall(:fcntl, Cint, (Cint, Cint), d, 1) == -1])
### output-closed
#: run prog main.jl >&-
println("lost"); println(stderr, typeof(stdout)); println(stderr, "runs on")
### error-closed
#: run prog main.jl 2>&-
println(typeof(stderr)); println(stderr, "lost"); @info "lost"; println("runs on")
### error-closed-and-an-exception
#: run prog main.jl 2>&-; echo "status $?"
println("x"); error("lost")
### input-closed
#: rarely
#: run prog main.jl <&-
println(typeof(stdin)); println(eof(stdin))
### all-closed
#: rarely
#: run prog main.jl <&- >&- 2>&-
write("seen", "x"); write("other", "a line"); nothing
### next-open-file-after-closing
#: rarely
#: run prog main.jl >&-
io = open("file", "w"); println(stderr, fd(io) > 2); ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "no\n", 3); close(io); println(stderr, filesize("file"))
### swapped
#: rarely
#: run prog main.jl 3>&1 1>&2 2>&3
println("on two"); println(stderr, "on one")
### read-write
#: rarely
#: run prog main.jl 1<>both.txt
println("into a file that is open both ways")
### appended
#: rarely
#: run echo first >log; prog main.jl >>log 2>&1; echo last >>log
println("out"); println(stderr, "err"); run(`echo child`); nothing
### shared-position
#: rarely
#: run (echo first; prog main.jl; echo last) >log
print("middle\n"); seekable = position(Base.fdio(1)); println(seekable > 5)
### flags-of-a-pipe-are-as-before
#: rarely
#: run (prog main.jl; grep -E flags /proc/self/fdinfo/1 >flags) | cat
println("x")
