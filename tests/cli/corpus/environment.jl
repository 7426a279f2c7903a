# SPDX-License-Identifier: MIT
# Variables, directories and what julia makes of them.
### variables
#: env A=b EMPTY= SPACES="a b" UMLAUT=ä
#: sample
println(sort([k for k in keys(ENV) if k != "_"])); println(ENV["A"], repr(ENV["EMPTY"]), ENV["SPACES"], ENV["UMLAUT"])
### variables-of-children
#: env A=b
println(sort([first(split(l, '=')) for l in eachline(`env`) if !startswith(l, "_=")]))
### variables-that-are-no-text
#: run X="$(printf '\377')" prog main.jl
println(codeunits(ENV["X"]))
### variables-are-set
ENV["NEW"] = "x"; run(`sh -c 'echo $NEW'`); delete!(ENV, "NEW"); println(haskey(ENV, "NEW")); println(get(ENV, "HOME_", "none"))
### project
#: env JULIA_PROJECT=@.
#: file Project.toml
name = "P"
#: file main.jl
println(basename(something(Base.active_project(), "none"))); println(basename(dirname(something(Base.active_project(), "/none/x"))))
### project-by-a-path
#: run JULIA_PROJECT="$PWD/env" prog main.jl
#: file env/Project.toml
[deps]
#: file main.jl
println(relpath(Base.active_project(), pwd())); println(ENV["JULIA_PROJECT"] == joinpath(pwd(), "env"))
### load-path
#: run JULIA_LOAD_PATH="$PWD/lib:@stdlib" prog main.jl
#: file lib/Mine.jl
module Mine
value() = 42
end
#: file main.jl
println(length(LOAD_PATH), LOAD_PATH[2]); using Mine; println(Mine.value(), " ", basename(pathof(Mine)))
### load-path-by-default
#: rarely
println(LOAD_PATH, " ", length(Base.load_path()) > 0); println(length(DEPOT_PATH))
### depot-path
#: rarely
#: run JULIA_DEPOT_PATH="$PWD/depot" prog main.jl
println(relpath.(DEPOT_PATH, pwd()))
### packages-of-a-project
#: rarely
#: run JULIA_LOAD_PATH="@:@stdlib" JULIA_PROJECT="$PWD" prog main.jl
#: file Project.toml
name = "Outer"
uuid = "6a0f8a3c-7b0e-4f7d-9b7e-0d1f0e6a5c11"
[deps]
Test = "8dfed614-e22c-5e08-85e1-65c5234f0b40"
#: file src/Outer.jl
module Outer
using Test
f() = @test true
end
#: file main.jl
using Outer; println(typeof(Outer.f()), " ", nameof(parentmodule(Outer.f)))
### directory
println(basename(pwd())); cd("/"); println(pwd()); run(`pwd`); println(ENV["PWD"] == pwd())
### a-directory-that-is-gone
#: rarely
#: run d=$PWD; mkdir gone; cd gone; rmdir ../gone; prog "$d/main.jl"; echo "status $?"
println(try; pwd(); catch e; typeof(e); end); println("on")
### home-and-temporary
#: rarely
#: env TMPDIR=/tmp
println(homedir() == ENV["HOME"], " ", tempdir(), " ", expanduser("~") == homedir())
### no-home
#: rarely
#: env HOME
println(haskey(ENV, "HOME")); println("on")
### language
#: rarely
#: env LC_ALL=C LANG=C
println("ä ∀"); println(repr("ä")); println(uppercase("ä"))
### time-zone
#: rarely
#: env TZ=Asia/Tokyo
using Dates; println(Dates.format(Dates.unix2datetime(0), "yyyy-mm-dd HH")); println(Libc.strftime("%z", 0.0))
### temporary-files-are-removed
#: rarely
p = mktempdir(); write(joinpath(p, "x"), "y"); atexit(() -> println(isdir(p))); println(isdir(p))
### no-variables-at-all
#: rarely
#: run j=$(command -v prog); env -i "$j" main.jl
println(sort([k for k in keys(ENV) if k != "_" && k != "PWD"]))
### this-julia
#: rarely
println(VERSION, " ", basename(Sys.BINDIR), " ", Sys.KERNEL, " ", Base.ARCH)
