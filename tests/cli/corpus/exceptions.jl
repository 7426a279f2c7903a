# SPDX-License-Identifier: MIT
# Exceptions that nobody catches, as they are printed.
### error
#: modes pipe joined
#: sample
f(x) = error("deep ", x)
g() = f(2)

g()
### of-each-kind
for f in (() -> sqrt(-1), () -> [1][2], () -> Dict()[:a], () -> 1 + "a", () -> nosuch, () -> parse(Int, "x"), () -> convert(Int, 1.5), () -> Int8(200),
          () -> (1, 2)[3], () -> "\u00e4b"[2], () -> 1 ÷ 0, () -> factorial(-1), () -> open("/no/such"), () -> nothing.a, () -> zeros(2) * zeros(2))
    try; f(); catch e; showerror(stdout, e); println(); end
end
### caused-by
#: modes pipe terminal
function configure()
    try
        Dict()[:port]
    catch
        error("cannot configure")
    end
end
configure()
### caused-thrice
try; try; try; error("1"); catch; error("2"); end; catch; error("3"); end; catch; error("4"); end
### custom
struct MyError <: Exception; code::Int; end
Base.showerror(io::IO, e::MyError) = print(io, "my error\nwith two lines, code ", e.code)
throw(MyError(5))
### custom-with-a-backtrace
struct MyError <: Exception; end
Base.showerror(io::IO, e::MyError, bt; backtrace = true) = print(io, "mine, ", length(bt) > 0, ", ", backtrace)
throw(MyError())
### custom-without-showerror
struct Plain <: Exception; a; b; end
throw(Plain(1, "x"))
### showerror-that-throws
#: rarely
struct Bad <: Exception; end
Base.showerror(io::IO, ::Bad) = error("in showerror")
throw(Bad())
### showerror-in-colour
#: rarely
#: modes terminal pipe
struct Red <: Exception; end
Base.showerror(io::IO, ::Red) = printstyled(io, "red", color = :red)
throw(Red())
### no-exception-at-all
#: rarely
throw(1)
### nothing-is-thrown
#: rarely
throw(nothing)
### a-string-is-thrown
#: rarely
throw("a string")
### a-long-message
error("x"^100_000)
### many-lines
#: rarely
error(join(1:2000, "\n"))
### bytes-that-are-no-text
#: rarely
error("\xff\xfe \xe2\x88 \0 end")
### rethrown
#: rarely
#: modes joined
try; error("x"); catch e; println("seen"); rethrow(); end
### rethrown-as-another
#: rarely
try; error("x"); catch; rethrow(ArgumentError("y")); end
### in-a-finally
#: rarely
try; error("x"); finally; println("finally"); end
### in-a-finally-again
#: rarely
try; error("x"); finally; error("y"); end
### composite
#: rarely
throw(CompositeException([ErrorException("a"), ArgumentError("b")]))
### captured
#: rarely
throw(CapturedException(ErrorException("x"), backtrace()))
### in-a-module
#: rarely
module A
module B
f() = error("inside")
end
end
A.B.f()
### in-an-included-file
#: file parts/part.jl
f() = error("in the part")

f()
#: file main.jl
println("before")
include("parts/part.jl")
### in-init
#: rarely
module M
__init__() = error("in init")
end
### in-a-macro
#: rarely
macro m(); error("while expanding"); end
@m
### method-error
#: rarely
f(x::Int) = 1; f(x::String, y) = 2
f(1.5)
### method-error-with-keywords
#: rarely
f(x; a = 1) = x
f(1, b = 2)
### ambiguous
#: rarely
f(a::Int, b) = 1; f(a, b::Int) = 2
f(1, 2)
### world-age
#: rarely
f() = (eval(:(newer() = 1)); newer())
f()
### undefined-with-a-similar-name
#: rarely
foo_bar = 1
println(foobar)
### undefined-in-a-module
#: rarely
println(Base.nosuchname)
### recursion-in-the-trace
#: rarely
f(n) = n == 0 ? error("bottom") : f(n - 1) + 1
f(30)
### repeated-frames
#: rarely
f(n) = n == 0 ? error("bottom") : g(n - 1) + 1
g(n) = f(n) * 2
f(40)
### keyword-functions-and-closures
#: rarely
f(; a) = map(x -> x > 2 ? error("at ", x) : x, a)
f(a = 1:3)
### broadcast
#: rarely
h(x) = x > 1 ? throw(DomainError(x, "too large")) : x
h.([1 2; 3 4])
### assertion
#: rarely
@assert 1 == 2 "numbers differ"
### a-failed-process
#: rarely
run(pipeline(`sh -c 'echo to err >&2; exit 2'`))
### out-of-memory
#: rarely
zeros(UInt8, 1 << 60)
### load-error-of-a-package
#: rarely
import NoSuchPackage
### wrong-type
#: rarely
x::Int = 1
f(a)::Int = a
f("text")
### show-of-an-argument-fails
#: rarely
struct S; end
Base.show(io::IO, ::S) = error("in show")
f(::Int) = 1
f(S())
### a-trace-of-another-task
t = @task error("in the task"); schedule(t); try; wait(t); catch e; showerror(stdout, e isa TaskFailedException ? e.task.exception : e); println(); end
### in-display
#: rarely
struct S; end
Base.show(io::IO, ::MIME"text/plain", ::S) = error("in show")
display(S())
