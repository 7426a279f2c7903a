# SPDX-License-Identifier: MIT
# Files that are not right, and how they are read.
### two-signs
#: sample
println(1)
x = = 2
println(3)
### incomplete
#: rarely
println("before")
function f()
    1
### unterminated-string
#: rarely
println("before")
s = "abc
### an-end-too-many
#: rarely
println("before")
end
### in-an-included-file
#: rarely
#: file part.jl
a = 1
b = (2
#: file main.jl
println("before"); include("part.jl")
### in-a-string-that-is-parsed
Meta.parse("1 +")
### include-string
#: rarely
include_string(Main, "a = 1\nb = = 2", "named.jl")
### a-missing-file-is-included
#: rarely
println("before"); include("not-there.jl")
### first-line-for-the-shell
#!/usr/bin/env julia
println(@__LINE__)
### no-newline-at-the-end
#: escaped
println("x")\nprint("y")
### lines-of-windows
#: rarely
#: escaped
println(1)\r\nx = """\r\na\r\nb"""\r\nprintln(repr(x))\r\nerror("line ", @__LINE__)\r\n
### a-mark-at-the-beginning
#: escaped
\xef\xbb\xbfprintln("after the mark")\n
### bytes-that-are-no-text
#: rarely
#: escaped
println(1)\nx = "\xff\xfe"\nprintln(repr(x))\n
### invalid-name
#: rarely
#: escaped
println(1)\n\xff = 2\n
### other-encodings
#: rarely
#: escaped
println("\xe4")\n# \xe4\nx = '\xe4'\nprintln(x)\nprintln("a\x00b")\nx = 1 \x00 2\n
### empty
#: modes pipe terminal

### only-a-remark
# nothing else
### macros-and-line-numbers
#: rarely
macro line(); __source__.line; end
println(@line, " ", @__LINE__)

println(@line)
### scopes-of-a-loop
#: rarely
n = 0
for i in 1:3
    n = i
end
println(n)
### scopes-of-a-function
#: rarely
let
    local a = 1
    f() = a += 1
    f(); println(a)
end
const c = 1
c = 2
println(c)
### constants-of-another-type
#: rarely
const d = 1
d = "text"
### break-outside
#: rarely
println("before")
break
### return-outside
#: rarely
println("before"); return 5
println("after")
### unicode-names
#: rarely
α = 1; ∑(x) = sum(x); println(α + ∑([1, 2])); é = 3; println(é)
### a-module-without-an-end
#: rarely
module M
x = 1
### a-doc-string
#: rarely
"what f does"
f() = 1
println(@doc f)
### deprecated
#: rarely
f(x) where T = 1
println(f(1))
### a-redefined-method
#: rarely
#: modes joined
f() = 1
f() = 2
println(f())
