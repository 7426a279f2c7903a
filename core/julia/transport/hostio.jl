# SPDX-License-Identifier: MIT
# Julia's `stdout` and `stderr`, where what evaluated code writes is to be passed on to a host, without touching the descriptors of the process.
# What C code and child processes write is not seen here.
#
# The transport defines `pass_on(io, pointer, n)`: takes the bytes, or says false: then they go where they went before; `is_passed_on(io)`, and
# `push_out()`: what has been passed on leaves the process now.

struct HostIO <: IO
    stream::UInt8               # 1 or 2
    below::IO                   # where it went before
end
const SAVED_FDS = Any[]         # copies of descriptors 1 and 2, and libuv's handles, from before
const OUTPUT = 0x89

function install_output()
    append!(SAVED_FDS, Any[copy_fd(1), copy_fd(2), unsafe_load(uv_slot(1)), unsafe_load(uv_slot(2))])
    Core.eval(Base, Expr(:(=), :stdout, HostIO(0x01, Base.stdout)))
    errors = HostIO(0x02, Base.stderr)
    Core.eval(Base, Expr(:(=), :stderr, errors))
    show_on_streams()
end
# -1, where the program has closed it.
copy_fd(n::Int) = try
    Base.Libc.dup(RawFD(n))
catch
    RawFD(-1)
end
# Displays and log messages go where `stdout` and `stderr` do now.
function show_on_streams()
    pushdisplay(TextDisplay(Base.stdout))
    try
        id = Base.PkgId(Base.UUID("56ddb016-857b-54e1-b83d-db4d58db5568"), "Logging")
        logging = isdefined(Base.CoreLogging, :ConsoleLogger) ? Base.CoreLogging : Base.require(id)
        Base.CoreLogging.global_logger(Base.invokelatest(logging.ConsoleLogger, Base.stderr))
    catch                       # A newer Julia may have moved it: then log messages go to the program's stderr.
    end
    nothing
end

Base.unsafe_write(io::HostIO, p::Ptr{UInt8}, n::UInt) = pass_on(io, p, n % Int) ? n % Int : unsafe_write(io.below, p, n)
Base.write(io::HostIO, b::UInt8) = (r = Ref(b); GC.@preserve r unsafe_write(io, Base.unsafe_convert(Ptr{UInt8}, r), UInt(1)))
Base.isopen(io::HostIO) = isopen(io.below)
Base.iswritable(io::HostIO) = true
Base.isreadable(io::HostIO) = false
Base.flush(io::HostIO) = (push_out(); flush(io.below))
Base.close(io::HostIO) = nothing
Base.lock(io::HostIO) = nothing
Base.unlock(io::HostIO) = nothing
Base.displaysize(io::HostIO) = is_passed_on(io) ? (24, 80) : displaysize(io.below)
# A child process gets the program's own.
isdefined(Base, :rawhandle) && (Base.rawhandle(io::HostIO) = RawFD(io.stream))
Base.show(io::IO, x::HostIO) = print(io, "HostIO(", x.stream, ")")

# User code that redirects to a file, and back. While it does, the descriptor is the file for the whole program.
uv_slot(n::Int) = n == 1 ? cglobal(:jl_uv_stdout, Ptr{Cvoid}) : cglobal(:jl_uv_stderr, Ptr{Cvoid})
function take_output_back(io::HostIO, n::Int)
    saved = SAVED_FDS[n]::RawFD
    reinterpret(Int32, saved) < 0 || Base.Libc.dup(saved, RawFD(n))
    @static if Sys.iswindows()
        ccall(:SetStdHandle, stdcall, Int32, (Int32, Base.OS_HANDLE), -10 - n, Base.Libc._get_osfhandle(RawFD(n)))
    end
    unsafe_store!(uv_slot(n), SAVED_FDS[n + 2]::Ptr{Cvoid})
    Core.eval(Base, Expr(:(=), n == 1 ? :stdout : :stderr, io))
    io
end
if isdefined(Base, :RedirectStdStream)
    (f::Base.RedirectStdStream)(io::HostIO) = take_output_back(io, f.unix_fd)
else
    Base.redirect_stdout(io::HostIO) = take_output_back(io, 1)
    Base.redirect_stderr(io::HostIO) = take_output_back(io, 2)
end
