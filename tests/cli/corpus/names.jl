# SPDX-License-Identifier: MIT
# What a program knows of itself.
### arguments
#: args one "two words" --help -x "" --color=yes $x
#: modes pipe terminal
#: sample
println(ARGS, " ", length(ARGS), " ", typeof(ARGS))
### arguments-that-are-no-text
#: run prog main.jl "$(printf '\377\376')" "a$(printf '\t')b"
foreach(a -> println(codeunits(a)), ARGS)
### many-arguments
#: run prog main.jl $(seq 1 5000)
println(length(ARGS), " ", sum(a -> parse(Int, a), ARGS))
### the-file
println(PROGRAM_FILE, " ", basename(@__FILE__), " ", basename(@__DIR__), " ", @__LINE__, " ", @__MODULE__, " ", abspath(PROGRAM_FILE) == @__FILE__)
### the-file-by-a-path
#: run cd sub && prog ../main.jl a
#: file sub/empty
#: file main.jl
println(PROGRAM_FILE, " ", basename(@__DIR__), " ", basename(pwd()), " ", abspath(PROGRAM_FILE) == @__FILE__, ARGS)
### the-file-by-a-whole-path
#: rarely
#: run p=$PWD; cd / && prog "$p/main.jl"
println(PROGRAM_FILE == @__FILE__, " ", pwd())
### the-file-by-a-link
#: rarely
#: run mkdir other; ln -s ../main.jl other/link.jl; prog other/link.jl
#: file part.jl
println("part beside the file")
#: file other.jl
#: file main.jl
println(PROGRAM_FILE, " ", basename(@__FILE__), " ", basename(@__DIR__)); println(isfile(joinpath(@__DIR__, "part.jl")))
### a-strange-name
#: rarely
#: run cp main.jl "it's \"\$x\" \\ ä.jl"; prog "it's \"\$x\" \\ ä.jl"
println(basename(@__FILE__)); error("here")
### a-file-that-is-no-file
#: rarely
#: run prog /dev/stdin a <main.jl; cat main.jl | prog /dev/stdin b; prog /proc/self/fd/5 5<main.jl; bash -c 'prog <(cat main.jl) d'
println(occursin(r"^/dev/fd/", PROGRAM_FILE) ? "a pipe" : PROGRAM_FILE, ARGS); error("x")
### a-name-that-is-no-text
#: rarely
#: run n="$(printf 'a\377\nb.jl')"; cp main.jl "$n"; prog "$n" "$(printf 'c\nd')"
println(codeunits(PROGRAM_FILE)); println(ARGS, codeunits(basename(@__FILE__)))
### a-name-with-a-dash
#: rarely
#: run cp main.jl ./-e; prog -- -e; prog ./-e a
println(PROGRAM_FILE, ARGS)
### a-name-without-an-ending
#: rarely
#: run cp main.jl program; prog program
println(basename(@__FILE__))
### a-file-that-is-not-there
#: rarely
#: run prog nosuch.jl; echo "status $?"
nothing
### a-directory-as-the-file
#: rarely
#: run prog .; echo "status $?"
nothing
### a-file-that-may-not-be-read
#: rarely
#: run prog /proc/self/mem; echo "status $?"
nothing
### included-files
#: rarely
#: file parts/a.jl
println(basename(@__FILE__), " ", basename(@__DIR__)); include("b.jl"); include("../c.jl")
#: file parts/b.jl
println(basename(@__FILE__), " ", @__LINE__, " ", @__MODULE__)
#: file c.jl
println("c")
#: file main.jl
println(include("parts/a.jl")); cd("parts"); include("c.jl"); module M; include("parts/b.jl"); end
### included-after-a-change-of-directory
#: rarely
#: file part.jl
println("part")
#: file main.jl
cd("/"); include("part.jl"); println(pwd())
### names-of-main
x = 1; println(sort(names(Main))); println(sort(names(Main, all = true, imported = true)))
### main-is-main
#: rarely
println(@__MODULE__() === Main, " ", Base.active_module === Main ? 1 : 2)
### main-has-its-functions
#: rarely
println(Main.eval(:(1 + 1)), " ", isdefined(Main, :include), " ", parentmodule(Main), " ", nameof(Main))
### the-program-idiom
#: rarely
if abspath(PROGRAM_FILE) == @__FILE__
    println("run as the program")
end
### methods-know-their-file
#: rarely
f() = 1
m = first(methods(f)); println(basename(String(m.file)), " ", m.line); println(functionloc(f)[2])
### interactive
#: rarely
#: modes pipe terminal
println(isinteractive(), isdefined(Base, :active_repl), isdefined(Main, :ans))
### options
o = Base.JLOptions(); for n in fieldnames(typeof(o))
    v = getfield(o, n)
    n === :commands || println(n, " ", !(v isa Ptr) ? v : v == C_NULL ? "none" : v isa Ptr{UInt8} ? unsafe_string(v) : "some")
end
### commands-of-julia
#: rarely
println(replace(string(Base.julia_cmd()), r"/[^ ]*/" => ""))
### loaded-modules
println(sort([string(id.name) for id in keys(Base.loaded_modules)]))
