# SPDX-License-Identifier: MIT
# Values, as a program shows them.
### display
#: sample
display([1 2; 3 4]); display("text"); display(1:10); display(Dict("a" => 1)); display(nothing); display(:a)
### large-arrays
#: rarely
#: modes pipe terminal
display(reshape(1:10_000, 100, 100)); display(collect(1:1000)); println(collect(1:100))
### show-and-print
for x in (1, 1.0, 1f0, 'a', "a\n", :a, [1, 2], (1,), (a = 1,), 1:2, Dict(1 => 2), Set([1]), missing, nothing, r"a", 1 => 2, Int, Union{}, sin, x -> x, big"1.5", 1 + 2im, true, 0x01, v"1.2", `echo a`, Ref(1), Any[1, "a"])
    x isa Function && x !== sin && continue
    print(x, " "); show(x); print(" "); show(stdout, MIME"text/plain"(), x); println()
end
### own-types
#: rarely
module M
struct P; x; y; end
end
struct Q{T}; x::T; end
println(M.P(1, 2), Q(1), Q{Any}("a")); display(M.P(1, "x")); display(Q(M.P)); show(Q{M.P}); println()
### shown-values
#: rarely
x = [1, 2]; @show x; @show x .+ 1 length(x); dump((a = 1, b = "x")); println(summary(x), typeof(x))
### own-displays
struct D <: AbstractDisplay end
Base.display(::D, x) = println("D: ", x)
pushdisplay(D()); display(5); popdisplay(); display(5); println(length(Base.Multimedia.displays))
### own-show
struct H; end
Base.show(io::IO, ::MIME"text/plain", ::H) = print(io, "plain"); Base.show(io::IO, ::MIME"text/html", ::H) = print(io, "<b>html</b>"); Base.show(io::IO, ::H) = print(io, "show")
println(H()); display(H()); println([H()]); println(repr("text/html", H())); display("text/plain", H())
### random-numbers-of-a-seed
using Random; Random.seed!(1); a = rand(3); Random.seed!(1); println(a == rand(3), " ", length(randstring(5)))
### arrays-of-floats
#: rarely
#: modes pipe terminal
display([1.5 NaN; -Inf 1e10]); display(rand(0, 3)); display([[1], [2, 3]]); display(fill(1, 2, 2, 2)); display([nothing, missing]); display(BitArray([1, 0]))
### wide-characters
#: rarely
#: modes terminal
display(["日本", "ä", "👍"]); println("日本語 👍"); display(Dict("ключ" => '∀'))
### context
show(IOContext(stdout, :compact => true), 1.23456789); println(); show(IOContext(stdout, :limit => true, :displaysize => (5, 20)), MIME"text/plain"(), 1:100); println()
### expressions
#: rarely
display(:(f(x) = x + 1)); println(:(if a; b; end)); dump(:(a + b)); println(Meta.@lower 1 + 1)
### methods
#: rarely
f(x::Int, y = 1; z) = 1
println(length(methods(f))); display(f); println(); println(typeof(f))
