# SPDX-License-Identifier: MIT
# What test-same evaluates over all backends, one expression after each line of three number signs. What follows the signs is
# its name. `main:` before the name says that what it shows names the module in which it runs, so that it is the same in Main only.
### integers
1 + 1
### integer types
(Int8(-1), 0xff, Int128(2)^100, UInt128(3)^50, typemin(Int64))
### floats
(1.5, -0.0, NaN, Inf, 1e100, 1.0f-10, Float16(0.1), pi)
### big numbers
big(2)^200, big"1.5"^30
### rationals and complex numbers
(1//3, 2 + 3im, 1.5 - 0.5im, complex(1//2))
### booleans, nothing and missing
(true, false, nothing, missing)
### nothing
nothing
### missing
missing
### a string with letters of all kinds
"äöü ∀x∈ℝ: ⌈x⌉ 日本語 🎉 e\u0301 \0 \a \e \x7f \\ \" \$"
### a string that is no text
String([0x61, 0xff, 0xfe, 0x62])
### a string over several lines
"""
    one
      two
    three
    """
### characters
['a', 'ä', '\n', '\U1f389', '\0', '\x80']
### symbols
(:a, Symbol("with space"), :+, Symbol("ä"), Symbol("end"))
### interpolation
name = "wörld"; "hello $name, $(1 + 1) times $(name^2)"
### a vector
[3, 1, 2]
### a matrix
[1 2; 3 4] * [1.5 0; 0 1]
### a matrix with missing values
[1 missing; 3.5 nothing]
### an array of three dimensions
reshape(1:12, 2, 3, 2) .* 1.5
### an array of none
fill(7)
### empty arrays
(Int[], Any[], String[], zeros(0, 3), [])
### a large vector
collect(1:1000)
### a large matrix
reshape(1:10000, 100, 100) .* 1.5
### a large matrix of texts
["$(i)×$(j)" for i in 1:40, j in 1:30]
### boolean arrays
([true, false], trues(2, 3), BitVector([1, 0, 1]))
### views and wrappers
(view([1, 2, 3], 2:3), [1 2; 3 4]', transpose([1, 2]), reverse([1, 2, 3]))
### sparse answers of the linear algebra library
using LinearAlgebra; (Diagonal([1, 2]), UpperTriangular([1 2; 3 4]), I, Symmetric([1 2; 2 1]))
### nested containers
Any[1, [2, Any[3, "four"]], (5, (6, [7])), Dict(:a => [8]), nothing]
### tuples and named tuples
((), (1,), (1, "a", :b), (a = 1, b = (c = 2, d = [3])), NamedTuple())
### pairs
[:a => 1, "b" => 2 => 3]
### dictionaries
Dict("one" => [1, 2])
### a large dictionary
Dict(i => i^2 for i in 1:100)
### sets
(Set([1]), Set{String}(), Set(["a"]))
### other dictionaries
(IdDict(:a => 1), Base.ImmutableDict(:k => "v"))
### ranges
[1:10, 1:2:9, 10:-3:1, 0.0:0.1:1.0, 'a':'e', Base.OneTo(3), LinRange(0, 1, 5)]
### a range alone
0:0.25:1
### functions
(sin, +, println, Base.:*, map)
### a closure
let n = 3; x -> x + n end
### an anonymous function
(x, y) -> x * y
### main: a named function and its methods
twice(x) = 2x
### calling it
twice.([1, 2, 3])
### keyword arguments and defaults
kw(a, b = 2; c, d = a + b) = (a, b, c, d); kw(1; c = 3)
### do blocks and comprehensions
map([1, 2, 3]) do x; x^2 + sum(y for y in 1:x if isodd(y)) end
### composition and pipes
(uppercase ∘ reverse)("abc"), [1, 2, 3] |> sum |> sqrt
### types
(Int, Vector{Float64}, Union{Int, Nothing}, Dict{String, Any}, Tuple{Vararg{Int}}, Any)
### a struct
struct Point; x; y; end; Point(1, "two")
### a struct with types
struct Typed{T <: Real, N}; value::T; rest::NTuple{N, T}; end; Typed(1.5, (2.5, 3.5))
### a mutable struct
mutable struct Counter; n::Int; end; counter = Counter(1); counter.n += 41; counter
### instances of a type inside of containers
[Point(1, 2), Point(Point(3, 4), nothing)]
### main: instances inside of nested containers
[Point(1, 2)], Dict(:p => Point(5, 6))
### names of types of the user
(Point, Typed, Typed{Int, 2}, Vector{Point})
### an abstract type and its subtypes
abstract type Animal end; struct Dog <: Animal end; struct Cat <: Animal end; (Dog() isa Animal, Dog(), Animal, supertype(Cat))
### main: instances of an abstract type inside of a tuple
([Dog(), Cat()], 1)
### a type with a show of its own
struct Shown; n; end; Base.show(io::IO, s::Shown) = print(io, "<", s.n, ">"); [Shown(1), Shown(2)]
### a type with a text form of its own
struct Pretty; end; Base.show(io::IO, ::MIME"text/plain", ::Pretty) = print(io, "pretty\n  in two lines"); Pretty()
### a type whose show looks at the context
struct Sized; end; Base.show(io::IO, ::Sized) = print(io, get(io, :limit, false), " ", displaysize(io), " ", get(io, :color, false)); Sized()
### an enumeration
@enum Colour red green = 5 blue; (red, green, Int(blue), instances(Colour))
### a macro
macro plus_one(x); :($(esc(x)) + 1); end; @plus_one 41
### a macro that sees its line
macro where_am_i(); string(__source__.line); end; @where_am_i
### a module
module Inner; export seven; seven() = 7; const text = "inside"; end; (Inner.seven(), Inner.text)
### using a module of one's own
using .Inner; seven()
### main: a module is shown
Inner
### a standard library
using Statistics, Dates, Printf; (mean([1, 2, 3, 4]), Date(2020, 2, 29) + Year(1), @sprintf("%08.3f|%-5s|%+d|%x", pi, "ab", 7, 255))
### regular expressions
(r"a(b+)"i, match(r"(?<year>\d+)-(\d+)", "on 2020-12"), collect(eachmatch(r"\d", "a1b2")), replace("aXbX", "X" => "-"))
### expressions
(:(f(x) + 1), :(a = b), quote 1 + 1 end, Expr(:call, :+, 1, :x), :(x -> x^2), QuoteNode(:a))
### quoted with interpolation
let n = 5; :(x + $n * $(n + 1)) end
### versions, commands and other literals
(v"1.2.3-rc1", `echo "a b" $(["c", "d"])`, b"bytes", raw"a\b", MIME("text/plain"))
### references and pairs of them
Ref(1), Ref("a"), Some(2)
### operators and broadcasting
[1, 2, 3] .+ [10 20], 5 ÷ 2, 7 % 3, 1 <= 2 < 3, 2^10, 0b101 & 0b110, xor(1, 3), "a" * "b"
### loops and scope
let total = 0; for i in 1:10; i == 5 && continue; i > 8 && break; total += i; end; total end
### try, catch and finally
try; error("inner"); catch e; (typeof(e), e.msg); finally; global finished = true; end
### state that stays
finished && counter.n == 42
### a semicolon hides the value
[1, 2, 3];
### a semicolon and a remark
x = 1; # nothing is shown
### several statements
x += 1
y = 2x
(x, y)
### only a remark
# nothing at all
### several lines and an unfinished looking one
f_long(a,
       b) = a +
            b
f_long(1,
       2)
### printing to standard output
print("no newline"); println(); println("one", 2, 'c', [4]); 5
### printing to standard error
println(stderr, "to stderr"); print(stderr, "again"); nothing
### both streams
for i in 1:3; println("out ", i); println(stderr, "err ", i); end
### printing in loops
for i in 1:200; print(i, i % 20 == 0 ? "\n" : " "); end
### much output
for i in 1:5000; println("line ", i, " ", "x"^(i % 50)); end
### show and display
show("text"); display([1 2; 3 4]); display("text"); show(stdout, MIME"text/plain"(), Dict(1 => 2)); nothing
### @show
@show x 1 + 1 [1, 2]
### printing with formats
using Printf; @printf("%d %5.2f %s\n", 42, 3.14159, "text")
### printing in colours
printstyled("plain here", color = :red); println(); get(stdout, :color, false)
### main: warnings
@warn "careful" x = 1 y = [1, 2]
### main: a warning from a file that is named
@info "for your information"; @error "this is an error" exception = ErrorException("inside")
### @time and friends of it
@elapsed(1) isa Float64, (@timed 1)[1]
### main: instances are printed
println(Point(1, 2)); show(Point(1, 2)); println(stderr, [Dog()])
### main: dump
dump(Point(1, [2])); dump(:(f(x)))
### standard input is empty
(eof(stdin), read(stdin, String))
### output of tasks
wait(@async (println("from a task"); 1)); fetch(@async 2)
### output before an exception
println("before"); error("after")
### redirecting output to a stream of one's own
sprint(show, "x"), sprint(print, 1, 2), (io = IOBuffer(); print(io, "buf"); String(take!(io)))
### widths of what is printed
displaysize(stdout), stdout isa IO, isopen(stdout)
### exception: error
error("plain ", "message")
### exception: a domain
sqrt(-1)
### exception: an undefined variable
undefined_variable + 1
### exception: no method
"a" + 1
### exception: no method with keywords
sort([1, 2], wrong = true)
### exception: a bound
[1, 2, 3][4]
### exception: a bound of a matrix
zeros(2, 2)[3, 1]
### exception: a division
1 ÷ 0
### exception: an argument
parse(Int, "twelve")
### exception: a key
Dict(:a => 1)[:b]
### exception: a type
if 1; end
### exception: a type assertion
"text"::Int
### exception: an inexact number
Int8(1000), Int(1.5)
### exception: dimensions
[1 2; 3 4] * [1, 2, 3]
### exception: an assertion
@assert 1 == 2 "one is not two"
### exception: an index into a string
"äöü"[2]
### exception: an overflow
Base.checked_mul(typemax(Int), 2)
### exception: an undefined reference
Vector{Any}(undef, 1)[1]
### exception: an undefined keyword
kw(1)
### exception: the end of a file
read(IOBuffer(), Int)
### exception: a file that is not there
open("/this/is/not/there")
### main: exception: a file to include that is not there
include("/this/is/not/there.jl")
### exception: in a file
include_string(@__MODULE__, "1 + 1\n\nerror(\"on line three\")", "a/file.jl")
### exception: a program that fails
run(`false`)
### exception: memory
Vector{Int}(undef, 2^58)
### exception: an immutable field
Point(1, 2).x = 3
### exception: no such field
Point(1, 2).z
### exception: a constant
const fixed = 1; fixed = "another type"
### exception: something that is no exception
throw((1, "not an exception"))
### exception: a type of one's own
struct Trouble <: Exception; why; end; Base.showerror(io::IO, e::Trouble) = print(io, "in trouble: ", e.why); throw(Trouble("here"))
### exception: a type of one's own that does not show itself
struct Silent <: Exception; code::Int; end; throw(Silent(3))
### exception: one that cannot be shown
struct Broken <: Exception; end; Base.showerror(io::IO, ::Broken) = error("no way"); throw(Broken())
### exception: through functions
outer_call(n) = n == 0 ? error("deep") : outer_call(n - 1); outer_call(5)
### exception: in a closure
map(v -> v > 2 ? error("at $v") : v, 1:3)
### exception: in a task
fetch(@async error("in a task"))
### exception: several in tasks
@sync begin @async error("first"); @async error("second") end
### exception: while another is handled
try; error("first"); catch; error("second"); end
### exception: thrown again
try; error("first"); catch e; rethrow(e); end
### exception: the interruption
throw(InterruptException())
### exception: in a macro
macro failing(); error("while expanding"); end; @failing
### exception: a macro that is not there
@no_such_macro 1
### exception: a module that is not there
using NoSuchPackageAnywhere
### exception: no such name in a module
Base.no_such_function(1)
### exception: in a show of one's own
struct NoShow; end; Base.show(io::IO, ::NoShow) = error("cannot show"); NoShow()
### syntax: unfinished
1 +
### syntax: an unexpected end
end
### syntax: an unfinished text
"abc
### syntax: two values in a row
1 2
### syntax: on the third line
a = 1
b = 2
c = )
### syntax: a wrong assignment
1 = 2
### syntax: a wrong number
0x
### syntax: a wrong use of a word
function end
### syntax: what parse says
Meta.parse("f(")
### an unfinished expression is a value
Meta.parse("f(", raise = false)
### introspection
(nameof(sin), methods(kw) isa Base.MethodList, fieldnames(Point), supertype(Dog), isdefined(@__MODULE__, :counter), sizeof(Int32))
### main: the names of this module
(@__MODULE__, @__FILE__, @__LINE__, @__DIR__() === nothing || true)
### the line and the file
(@__FILE__, @__LINE__)
### random numbers with a seed
using Random; Random.seed!(1234); rand(3), rand(1:100, 4), randn()
### eval and invokelatest
eval(:(generated(q) = q + 100)); Base.invokelatest(generated, 1)
### a generated name
begin; local g = gensym(); g isa Symbol; end
### what the machine is like
(Sys.WORD_SIZE, Sys.islinux(), VERSION isa VersionNumber, Threads.nthreads(), isinteractive(), PROGRAM_FILE, ARGS)
### where code comes from
(length(LOAD_PATH), Base.active_project() isa Union{String, Nothing}, Base.JLOptions().compile_enabled, Base.JLOptions().opt_level)
### channels and tasks
c = Channel{Int}(3); put!(c, 1); close(c); (collect(c), isopen(c), istaskdone(@async 1))
### timing of tasks
begin; order = Int[]; @sync for i in 3:-1:1; @async (sleep(0.02i); push!(order, i)); end; order; end
### iterators
(zip(1:2, 3:4) |> collect, enumerate("ab") |> collect, Iterators.partition(1:5, 2) |> collect, eachrow([1 2; 3 4]) |> collect)
### main: the last value
ans_is_not_defined = !@isdefined(ans)
