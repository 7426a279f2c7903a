# SPDX-License-Identifier: MIT
# Deep recursion.
### deep
#: sample
d(n) = n == 0 ? 0 : 1 + d(n - 1); println(d(parse(Int, "100000")))
### deep-by-arguments
#: args 60000
d(n) = n == 0 ? 0 : 1 + d(n - 1); println(d(parse(Int, ARGS[1])))
### overflow-is-caught
#: modes joined
f(n) = 1 + f(n + 1); println(try; f(0); catch e; typeof(e); end); println("on")
### overflow-is-caught-twice
f(n) = 1 + f(n + 1); for i in 1:2; println(try; f(0); catch e; typeof(e); end); end
### overflow
#: rarely
f(n) = 1 + f(n + 1)
f(0)
### mutual-overflow
g(n) = 1 + h(n + 1); h(n) = 1 + g(n + 1); println(try; g(0); catch e; typeof(e); end)
### overflow-in-a-task
#: rarely
f(n) = 1 + f(n + 1); println(try; wait(@async f(0)); catch e; typeof(e); end)
### deep-in-a-task
#: rarely
d(n) = n == 0 ? 0 : 1 + d(n - 1); println(fetch(@async d(20_000)))
### overflow-in-showerror
#: rarely
struct E <: Exception end
Base.showerror(io::IO, e::E) = showerror(io, e)
println(try; sprint(showerror, E()); catch e; typeof(e); end)
### deep-value
#: rarely
x = Any[]; for i in 1:2000; global x = Any[x]; end; println(length(repr(x)))
### deep-expression
#: rarely
e = 1; for i in 1:500; global e = :($e + 1); end; println(eval(e))
