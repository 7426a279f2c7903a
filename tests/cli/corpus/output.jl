# SPDX-License-Identifier: MIT
# What a program writes, byte for byte.
### hello
#: modes pipe joined file terminal closed
#: sample
println("hello")
### both-streams
#: modes pipe joined file
println("to stdout"); println(stderr, "to stderr"); print("no newline at the end")
### nothing-at-all
#: modes pipe terminal
1 + 1
### bytes-that-are-no-text
#: modes pipe terminal
write(stdout, UInt8[0xff, 0xfe, 0x00, 0xc3, 0x28, 0x80, 0x0a]); println("\xe2\x88 cut, \u2200 whole"); println(repr("\xff"))
### nul-bytes
print("a\0b\0"); write(stdout, 0x00)
### carriage-returns
#: modes pipe terminal
print("10%\r20%\r30%\n"); print("\e[1mbold\e[0m\n"); print("tab\tbell\a\n")
### unflushed-at-the-end
#: rarely
#: modes pipe file
print("x"); print(stderr, "y"); flush(stdout); print("z")
### c-code-prints
#: rarely
#: modes pipe file terminal
ccall(:puts, Cint, (Cstring,), "from C, buffered"); println("from Julia"); ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), 1, "write\n", 6)
### c-stderr
#: rarely
#: modes pipe joined
ccall(:perror, Cvoid, (Cstring,), "perror"); Core.println("Core.println"); Core.print(Core.stderr, "Core.stderr\n")
### redirected-to-a-file
#: rarely
open("out.txt", "w") do io
    redirect_stdout(io) do
        println("into the file"); run(`echo child, too`)
    end
end
println("here again"); print(read("out.txt", String))
### redirected-to-a-pipe
#: rarely
old = stdout; (r, w) = redirect_stdout(); println("captured"); run(`echo child`); redirect_stdout(old); close(w); print(uppercase(read(r, String)))
### kinds-of-streams
#: modes pipe file terminal closed
println(stderr, typeof(stdin), " ", typeof(stdout), " ", typeof(stderr)); println(stdout isa Base.TTY, " ", isopen(stdout), " ", iswritable(stdout))
### properties-of-streams
#: rarely
#: modes pipe file terminal
for io in (stdin, stdout, stderr) println(displaysize(io), get(io, :color, "?"), get(io, :limit, "?")) end
### printf-and-format
#: rarely
using Printf; @printf("%5.2f|%-8s|%08x\n", pi, "ab", 255); println(1e100, ' ', 0x1f, ' ', -0.0, ' ', NaN, ' ', 1//3, ' ', big(2)^100)
