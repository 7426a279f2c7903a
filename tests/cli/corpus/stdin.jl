# SPDX-License-Identifier: MIT
# Standard input: by lines, the rest, closed, on a terminal.
### lines
#: stdin "one\ntwo\nthree"
#: modes pipe file
#: sample
for line in eachline() println(uppercase(line)) end
### first-line-then-the-rest
#: stdin "one\ntwo\nthree\n"
#: modes pipe file
println(readline()); println(repr(read(stdin, String)))
### characters-and-bytes
#: stdin "\u00e4bc\x00\xff"
println(read(stdin, Char), read(stdin, 2), read(stdin), eof(stdin))
### empty
#: modes pipe file
println(repr(readline()), eof(stdin), repr(read(stdin, String))); exit(eof(stdin) ? 6 : 7)
### closed
#: run prog main.jl <&-
#: modes pipe joined
println(typeof(stdin))
stdin isa Base.PipeEndpoint || println(repr(try read(stdin, String) catch e typeof(e) end))     # a pipe of its own has no end
### not-read
#: stdin "what nobody reads\n"
println("done")
### left-for-the-next
#: run (prog main.jl; cat) <input.txt
#: file input.txt
one
two
three
#: file main.jl
write("seen", readline()); println("first program")
### left-untouched-for-the-next
#: run printf 'a\nb\n' | (prog main.jl; cat)
println("first program")
### as-it-comes
#: rarely
#: modes pipe terminal
#: expect "name?"
#: type "world\n"
#: expect "again?"
#: type "moon\n"
#: expect "bye"
print("name? "); println("hello ", readline()); print("again? "); println("hello ", readline(keep = true)); println("bye")
### end-of-input-on-a-terminal
#: rarely
#: modes terminal
#: expect "say:"
#: type "one\ntwo\n"
#: expect "got two"
#: type "\x04"
print("say: "); for line in eachline() println("got ", line) end; println("end")
### a-password
#: modes terminal
#: expect "secret"
#: type "geheim\n"
s = Base.getpass("secret"); println(); println(length(read(s, String))); Base.shred!(s)
### no-password-on-a-pipe
#: rarely
#: stdin "geheim\n"
println(try; s = Base.getpass("secret"); read(s, String); catch e; typeof(e); end)
### children-read-it
#: rarely
#: stdin "for the child\n"
#: modes pipe file
run(`cat`); println(eof(stdin))
### a-prompt
#: rarely
#: stdin "5\n"
print("number: "); n = parse(Int, readline()); println(n + 1); print(stderr, "asked\n")
### available
#: rarely
#: stdin "abc"
println(String(readavailable(stdin))); println(eof(stdin))
### redirected-inside
#: rarely
#: stdin "outer\n"
open("in.txt", "w") do io println(io, "inner") end
open("in.txt") do io redirect_stdin(() -> println(readline()), io) end
println(readline())
### a-directory
#: rarely
#: run prog main.jl <.; echo "status $?"
println(typeof(stdin)); println(try read(stdin, String) catch e typeof(e) end)
### in-the-background-of-a-shell
#: rarely
#: modes pipe
#: run prog main.jl & wait $!; echo "status $?"
println(repr(read(stdin, String)))
