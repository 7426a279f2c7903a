# SPDX-License-Identifier: MIT
# Things that programs do, which have to go on as they are.
### a-test-set
#: sample
using Test
@testset "all" begin; @test 1 == 1; end; println("on")
### a-test-set-that-fails
#: rarely
using Test
@testset "some" begin; @test 1 == 1; @test 1 == 2; end
println("not here")
### libraries
#: rarely
using LinearAlgebra, Random, Dates; println(det([1.0 2; 3 4]) ≈ -2, " ", Date(2020, 1, 1) + Day(1), " ", dot([1, 2], [3, 4]))
### generated-functions
@generated f(x) = :($(string(x))); println(f(1), f("a"))
### evaluation
for i in 1:2; @eval g() = $i; println(Base.invokelatest(g)); end; println(eval(Meta.parse("1 + 2")))
### modules
module A; export x; x = 1; module B; using ..A; y = x + 1; end; end
using .A; println(x, A.B.y); import .A.B: y; println(y)
### sockets
#: rarely
using Sockets; port, server = listenany(localhost, 20000); @async (s = accept(server); println(s, uppercase(readline(s))); close(s))
c = connect(localhost, port); println(c, "through a socket"); println(readline(c)); close(server)
### local-sockets
#: rarely
using Sockets; path = "socket"; server = listen(path); t = @async (s = accept(server); write(s, "local\n"); close(s)); c = connect(path); println(readline(c)); wait(t); close(server)
### time
#: rarely
t = @elapsed sleep(0.01); println(t > 0.009); @time 1 + 1; nothing
#: run prog main.jl | sed -E 's/[0-9.]+ seconds.*/N seconds/'
### regular-expressions
#: rarely
m = match(r"(?<a>\d+)-(\w+)", "x 12-ab"); println(m[:a], m[2], replace("aXb", r"X" => s"-")); println(split("a,b;c", [',', ';']))
### big-numbers
#: rarely
println(factorial(big(30)), " ", BigFloat(pi)); setprecision(64) do; println(BigFloat(1) / 3); end
### watching-a-file
#: rarely
using FileWatching; write("watched", "a"); @async (sleep(0.2); write("watched", "bb")); r = watch_file("watched", 10); println(r.changed || r.renamed)
### serialization
#: rarely
using Serialization; serialize("data", Dict(:a => [1, 2])); println(deserialize("data"))
### code-for-another-process
using Distributed; println(myid(), nprocs(), nworkers())
### closures-and-globals
x = 1; f() = x; x = 2; println(f()); let x = 5; println(x, f()); end; global y = 3; println(y)
### packages-that-are-there
#: rarely
using Markdown, UUIDs, Base64, SHA; println(base64encode("abc"), " ", bytes2hex(sha256("abc"))[1:8]); display(md"**bold** text")
