# SPDX-License-Identifier: MIT
# Output of evaluated code as frames, where a host does not want it on the program's own stdout and stderr, or does not see these.
#
# The file of a transport comes before this one. It defines HOSTS, the Peers that are served, by any key; forgetting one, it also
# deletes it from OUTPUTS. A host asks for its output by the setting `output`: `signal` (by frames) or `discard`.
#
# The program's descriptors belong to everybody in it, so they are left alone: `redirect_stdout` is not used. The first host that wants its
# output makes Julia's `stdout` and `stderr` a HostIO, which passes on what a task writes according to the host whose job it runs. A task that user
# code has started belongs to no job; its output goes to the host if there is one only, else where it went before. What C code and
# child processes write is not caught.

struct HostIO <: IO
    stream::UInt8               # 1 or 2
    below::IO                   # where it goes for everybody else
end
const TO_PROGRAM = 0x00
const TO_HOST = 0x01
const TO_NOBODY = 0x02
const OUTPUTS = IdDict{Any,Any}()       # Peer => TO_HOST or TO_NOBODY; others are TO_PROGRAM
const SAVED_FDS = Any[]                 # copies of descriptors 1 and 2, and libuv's handles, from before
const OUTPUT = 0x89

function direct_output!(peer::Peer, choice::String)
    way = choice == "signal" ? TO_HOST : choice == "discard" ? TO_NOBODY : TO_PROGRAM
    way == TO_PROGRAM && return nothing
    isempty(SAVED_FDS) && install_output()
    OUTPUTS[peer] = way
    nothing
end
function install_output()
    append!(SAVED_FDS, Any[ccall(:dup, Cint, (Cint,), 1), ccall(:dup, Cint, (Cint,), 2), unsafe_load(uv_slot(1)), unsafe_load(uv_slot(2))])
    Core.eval(Base, Expr(:(=), :stdout, HostIO(0x01, Base.stdout)))
    errors = HostIO(0x02, Base.stderr)
    Core.eval(Base, Expr(:(=), :stderr, errors))
    pushdisplay(TextDisplay(Base.stdout))
    try
        id = Base.PkgId(Base.UUID("56ddb016-857b-54e1-b83d-db4d58db5568"), "Logging")
        logging = isdefined(Base.CoreLogging, :ConsoleLogger) ? Base.CoreLogging : Base.require(id)
        Base.CoreLogging.global_logger(Base.invokelatest(logging.ConsoleLogger, errors))
    catch                       # A newer Julia may have moved it: then log messages go to the program's stderr.
    end
    nothing
end

# The host of the task that writes, and its call.
function writer()
    task = current_task()
    for peer in values(HOSTS)
        for job in values((peer::Peer).jobs)
            (job::Job).task === task && return peer, (job::Job).id
        end
    end
    length(HOSTS) == 1 ? first(values(HOSTS)) : nothing, UInt32(0)
end
function Base.unsafe_write(io::HostIO, p::Ptr{UInt8}, n::UInt)
    peer, id = writer()
    way = peer === nothing ? TO_PROGRAM : get(OUTPUTS, peer, TO_PROGRAM)
    way == TO_PROGRAM && return unsafe_write(io.below, p, n)
    way == TO_HOST && n > 0 && send_output(peer, io.stream, id, p, n % Int)
    n % Int
end
function send_output(peer::Peer, stream::UInt8, id::UInt32, p::Ptr{UInt8}, n::Int)
    e = Encoder()
    reset!(e, peer, nothing)
    emit!(e, stream)
    put_bytes!(e, p, n)
    send!(e, OUTPUT, id)
end
Base.write(io::HostIO, b::UInt8) = (r = Ref(b); GC.@preserve r unsafe_write(io, Base.unsafe_convert(Ptr{UInt8}, r), UInt(1)))
Base.isopen(io::HostIO) = isopen(io.below)
Base.iswritable(io::HostIO) = true
Base.isreadable(io::HostIO) = false
Base.flush(io::HostIO) = flush(io.below)
Base.close(io::HostIO) = nothing
Base.lock(io::HostIO) = nothing
Base.unlock(io::HostIO) = nothing
Base.displaysize(io::HostIO) = get(OUTPUTS, first(writer()), TO_PROGRAM) == TO_PROGRAM ? displaysize(io.below) : (24, 80)
# A child process gets the program's own.
isdefined(Base, :rawhandle) && (Base.rawhandle(io::HostIO) = RawFD(io.stream))
Base.show(io::IO, x::HostIO) = print(io, "HostIO(", x.stream, ")")

# User code that redirects to a file, and back. While it does, the descriptor is the file for the whole program.
uv_slot(n::Int) = n == 1 ? cglobal(:jl_uv_stdout, Ptr{Cvoid}) : cglobal(:jl_uv_stderr, Ptr{Cvoid})
function take_output_back(io::HostIO, n::Int)
    ccall(:dup2, Cint, (Cint, Cint), SAVED_FDS[n]::Cint, n)
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
