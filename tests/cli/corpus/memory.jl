# SPDX-License-Identifier: MIT
# Finalizers and the collector.
### finalizers-at-the-end
#: sample
mutable struct T; n; end
keep = [T(i) for i in 1:3]; foreach(t -> finalizer(t -> ccall(:dprintf, Cint, (Cint, Cstring, Cint), 1, "final %d\n", t.n), t), keep); println("end")
### finalizers-on-demand
mutable struct T; n; end
t = T(1); finalizer(t -> println("final ", t.n), t); finalize(t); println("end")
### finalizers-of-what-is-lost
mutable struct T; end
n = 0; function make(); for i in 1:100; t = T(); finalizer(_ -> (global n += 1), t); end; end
make(); GC.gc(); GC.gc(); println(n > 90)
### a-finalizer-that-fails
#: modes joined
mutable struct T; end
t = T(); finalizer(t -> error("in the finalizer"), t); finalize(t); println("on")
### a-finalizer-that-fails-at-the-end
#: modes joined
mutable struct T; end
keep = T(); finalizer(t -> error("in the finalizer"), keep); println("end")
### a-finalizer-after-exit
mutable struct T; end
keep = T(); finalizer(t -> ccall(:dprintf, Cint, (Cint, Cstring), 2, "final\n"), keep); atexit(() -> println("hook")); exit(4)
### files-are-closed
#: rarely
io = open("file", "w"); write(io, "unflushed"); nothing
### mapped-files
#: rarely
using Mmap; write("file", "hello"); io = open("file", "r+"); m = Mmap.mmap(io); m[1] = UInt8('j'); println(String(copy(m)))
### the-collector-can-be-stopped
#: rarely
GC.enable(false); x = [zeros(1000) for i in 1:1000]; println(GC.enable(true)); GC.gc(); println(length(x))
### much-memory
#: rarely
x = zeros(UInt8, 200_000_000); x[end] = 1; println(sum(view(x, length(x)-10:length(x)))); x = nothing; GC.gc(); println("freed")
### weak-references
#: rarely
f() = WeakRef([1, 2]); w = f(); GC.gc(); println(w.value === nothing || w.value == [1, 2])
