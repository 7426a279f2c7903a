# SPDX-License-Identifier: MIT
# Limits and settings of the process that the caller made.
### all-limits
#: sample
print(read("/proc/self/limits", String))
### open-files
#: run ulimit -n 40; prog main.jl
println(split(first(l for l in eachline("/proc/self/limits") if startswith(l, "Max open files")))[4])
### too-few-files
#: run ulimit -n 40; prog main.jl
a = []; try; for i in 1:100; push!(a, open("/dev/null")); end; catch e; println(typeof(e)); end; foreach(close, a); println("on")
### stack
#: run ulimit -s 2048; prog main.jl
println(split(first(l for l in eachline("/proc/self/limits") if startswith(l, "Max stack")))[4]); d(n) = n == 0 ? 0 : 1 + d(n - 1); println(d(20_000))
### unlimited-stack
#: run ulimit -s unlimited; prog main.jl
println(split(first(l for l in eachline("/proc/self/limits") if startswith(l, "Max stack")))[4]); d(n) = n == 0 ? 0 : 1 + d(n - 1); println(d(20_000))
### address-space
#: rarely
#: run ulimit -v 4000000; prog main.jl
println(try; length(zeros(UInt8, 8_000_000_000)); catch e; typeof(e); end)
### file-size
#: rarely
#: run ulimit -f 8; trap '' XFSZ; prog main.jl
println(try; write("big", zeros(UInt8, 100_000)); catch e; typeof(e); end, " ", filesize("big"))
### file-size-kills
#: rarely
#: run ulimit -f 8; prog main.jl; echo "status $?"
write("big", zeros(UInt8, 100_000)); println("not here")
### cpu-seconds
#: rarely
#: run ulimit -t 2; prog main.jl >out; echo "status $?"
while true end
### umask
#: run umask 077; prog main.jl
write("private", "x"); mkdir("folder"); println(string(ccall(:umask, Cuint, (Cuint,), 0o22), base = 8))
### open-umask
#: rarely
#: run umask 000; prog main.jl
write("public", "x"); run(`touch by-a-child`); nothing
### niceness
#: rarely
#: run nice -n 5 prog main.jl
println(ccall(:getpriority, Cint, (Cint, Cuint), 0, 0)); run(`nice`); nothing
### one-processor
#: rarely
#: run taskset -c 0 prog main.jl
println(first(l for l in eachline("/proc/self/status") if startswith(l, "Cpus_allowed_list"))); println(Sys.CPU_THREADS)
### core-files
#: rarely
println(split(first(l for l in eachline("/proc/self/limits") if startswith(l, "Max core")))[5:6])
