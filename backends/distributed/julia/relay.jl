# SPDX-License-Identifier: MIT
# What the bridge and its workers call of each other. It stands in the module Distributed on both sides, because Distributed sends a
# function as the name of its module and its own, and because no name in Main may lead to it.
#
# A worker on the host's machine connects to the host itself. For others, both sides cut the stream of frames between host and worker into chunks. A chunk is a Vector{UInt8}; its first eight bytes are
# its number, counted from 1 in each direction (seven bytes, little-endian), and 1 if the frame that it ends in goes on in the next, else 0.
module MaltRelay
using ..Distributed

# What the bridge calls in a worker, and what a worker calls in the bridge.
const ENDS = Any[nothing, nothing]
# For the boot: text of the runtime, the worker's number in the bridge, port and secrets of the host if the worker connects to that itself, do
# stdout and stderr lead to the host?
const START = Any["", 0, 0, UInt8[], false]

# Takes a chunk to the worker. The result is a chunk from it, or empty: that is how most answers travel, because a result costs Distributed
# half of what a call of its own does.
exchange(chunk::Vector{UInt8}) = Base.invokelatest(ENDS[1], chunk)::Vector{UInt8}
# Takes a chunk to the bridge; returns when the host's socket has it.
accept(number::Int, chunk::Vector{UInt8}) = (Base.invokelatest(ENDS[2], number, chunk); nothing)

# In a new worker, with the first message: whatever fails from here on, the worker does not outlive its bridge. `parent` is the bridge's process id if
# that made this process, else 0; `watch` is watch.sh, or empty.
function settle(parent::Int, watch::String)
    parent == 0 ? lead_group() : end_with(parent)
    watch == "" || watch_over(watch)
    nothing
end
# `version` is the bridge's; of another one nothing is begun.
function start(version::VersionNumber, boot::String, runtime::String, number::Int, port::Int, secrets::Vector{UInt8}, pipes::Vector{String}, lent::Vector{Tuple{Char,Int}})
    found = (getpid(), string(VERSION), gethostname())
    (VERSION.major, VERSION.minor) == (version.major, version.minor) || return found
    START[1] = runtime
    START[2] = number
    START[3] = port
    START[4] = secrets
    foreach(take_stream, lent)
    START[5] = any(pair -> pair[1] == '1', lent) || length(pipes) == 2 && all(is_pipe, pipes) && write_to(pipes)
    # Not by `include_string`: what a worker has called once before it compiles anything stays interpreted, which backtraces of the user's would show.
    at = 1
    while at <= sizeof(boot)
        ex, at = Meta.parse(boot, at)
        Core.eval(MaltRelay, ex)
    end
    START[1] = ""
    START[4] = UInt8[]
    delete!(ENV, "JULIA_WORKER_TIMEOUT")
    found
end
# Nobody but root may look into a host that is not dumpable.
function is_pipe(path::String)
    try
        return isfifo(path)
    catch
        return false
    end
end
const WRITE_ONLY = Sys.islinux() ? 0x80001 : Sys.isapple() ? 0x1000001 : 0x00001    # with O_CLOEXEC
# The host's pipes become stdout and stderr, of child processes and C code, too.
function write_to(pipes::Vector{String})
    for (redirect, path) in zip((redirect_stdout, redirect_stderr), pipes)
        fd = open_to_write(path)
        fd < 0 && return false
        redirect(Base.PipeEndpoint(RawFD(fd)))
    end
    true
end
# A stream of the host's becomes that of this process, of child processes and C code, too; what the host has closed is empty, or lost.
function take_stream((name, fd)::Tuple{Char,Int})
    n = parse(Int, string(name))
    if fd < 0
        stream = open("/dev/null", n == 0 ? "r" : "w")
    else
        ccall(:fcntl, Cint, (Cint, Cint, Cint...), fd, 2, 1)
        kind = ccall(:uv_guess_handle, Cint, (Cint,), fd)
        stream = kind == 7 || kind == 12 ? Base.PipeEndpoint(RawFD(fd)) : kind == 14 ? Base.TTY(RawFD(fd)) : Base.fdio(fd, true)
    end
    (redirect_stdin, redirect_stdout, redirect_stderr)[n + 1](stream)
    nothing
end
open_to_write(path::String) = ccall(:open, Cint, (Cstring, Cint, Cint...), path, WRITE_ONLY, 0)
# A worker whose bridge has gone ends, even if its code never lets Distributed notice.
function end_with(parent::Int)
    Sys.islinux() || return nothing
    ccall(:prctl, Cint, (Cint, Culong, Culong, Culong, Culong), 1, 9, 0, 0, 0)
    ccall(:getppid, Cint, ()) == parent || ccall(:_exit, Cvoid, (Cint,), 1)
    nothing
end
# What a worker on another machine starts is ended with it.
function lead_group()
    Sys.isunix() && ccall(:setpgid, Cint, (Cint, Cint), 0, 0)
    nothing
end
# The script gets the connections from here: when it begins to run, they may be lost, and user code may keep this process from noticing that.
function watch_over(watch::String)
    Sys.islinux() && isdir("/proc/self/fd") || return nothing
    connections = String[]
    for fd in parse.(Int, readdir("/proc/self/fd"))
        is_connection(fd) || continue
        notice_silence(fd)
        push!(connections, match(r"\d+", readlink("/proc/self/fd/$fd")).match)
    end
    watcher = run(pipeline(detach(`sh -c $watch malt-watch $(getpid()) $connections`), stdin = devnull, stdout = devnull, stderr = devnull), wait = false)
    atexit(() -> kill(watcher))
    nothing
end
# To another address of the internet protocols.
function is_connection(fd)
    address = zeros(UInt8, 128)
    ccall(:getpeername, Cint, (Cint, Ptr{UInt8}, Ref{Cuint}), fd, address, Cuint(length(address))) == 0 &&
        reinterpret(UInt16, address)[1] in (2, 10)
end
# The system is to look after 3 s of silence, every 3 s and three times, whether the other side is there.
function notice_silence(fd)
    Sys.islinux() || return nothing
    for (level, name, value) in ((1, 9, 1), (6, 4, 3), (6, 5, 3), (6, 6, 3))
        ccall(:setsockopt, Cint, (Cint, Cint, Cint, Ref{Cint}, Cuint), fd, level, name, Cint(value), 4)
    end
    nothing
end
# The other side of a new connection must be the host, and is told that this is the worker.
function prove(io, secrets::Vector{UInt8})
    write(io, secrets[1:32])
    answer = read(io, 32)
    length(answer) == 32 || error("the host's port closed the connection without proving to be the host's")
    answer == secrets[33:64] || error("the host's port was taken by somebody else")
    io
end
end
