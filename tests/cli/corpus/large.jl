# SPDX-License-Identifier: MIT
# Much output, slow readers and those that leave.
### million-lines
#: modes pipe file
#: sample
for i in 1:1_000_000 println(i) end
### million-lines-on-two-streams
#: rarely
#: modes joined
for i in 1:100_000 println(stdout, i); println(stderr, -i) end
### one-long-line
#: modes pipe
print("x"^5_000_000)
### megabytes-of-bytes
write(stdout, repeat(UInt8.(0:255), 40_000)); nothing
### a-lazy-reader
#: run prog main.jl | (sleep 1; cksum)
for i in 1:200_000 println("line ", i) end
### a-reader-that-leaves
#: run prog main.jl 2>err | head -n 1; sed -E 's/broken pipe.*/broken pipe/' err | head -n 1; rm err
for i in 1:1_000_000 println("line ", i) end
### a-reader-that-left-before
#: rarely
#: run (sleep 0.5; prog main.jl 2>err; echo "status $?" >status) | true; sleep 3; head -n 3 err; cat status
sleep(0.5); println("nobody"); println(stderr, "runs on")
### broken-pipe-signal-by-default
#: rarely
#: run (prog main.jl; echo "status $?" >status) | true; sleep 3; cat status
sleep(1); ccall(:signal, Ptr{Cvoid}, (Cint, Ptr{Cvoid}), 13, C_NULL); ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "x", 1); exit(7)
### a-full-disk
#: rarely
#: run prog main.jl >/dev/full; echo "status $?"
println("lost"); println(stderr, "on")
### large-standard-input
#: rarely
#: run head -c 20000000 /dev/zero | prog main.jl
println(length(read(stdin)))
### through-and-through
#: rarely
#: run seq 1 200000 | prog main.jl | cksum
for line in eachline(stdin) println(line) end
### end-with-much-in-flight
#: rarely
#: run prog main.jl | (sleep 0.5; cksum)
print("y\n"^500_000); exit(2)
