# SPDX-License-Identifier: MIT
# Relays of the bridge: bytes between the host's socket and a worker on another machine.

mutable struct Relay
    request::Request
    io::Any
    fd::Cint                    # -1: only libuv may be used
    parked::Vector{Any}
    n_in::Int                   # chunks from the host
    n_out::Int                  # chunks to the host, written
    early::Dict{Int,Any}
    is_open_frame::Bool         # the last chunk written ends within a frame
    outputs::Vector{Any}        # frames of ours, until a frame ends
    writing::Bool
    writers::Vector{Any}
    n_on_way::Int               # bytes
    eased::Condition
    is_closed::Bool
end
Relay(request, io) = Relay(request, io, descriptor_of(io), Any[], 0, 0, Dict{Int,Any}(), false, Any[], false, Any[], 0, Condition(), false)
function descriptor_of(io)
    try
        return reinterpret(Cint, Base._fd(io))
    catch
        return Cint(-1)
    end
end

# Between 1 and `n` bytes, or 0 at the end. What libuv has read by itself is older than what is still in the socket.
function receive(r::Relay, p::Ptr{UInt8}, n::Int)
    io = r.io::TCPSocket
    spins = 0
    while true
        k = min(bytesavailable(io), n)
        if k > 0
            unsafe_read(io.buffer, p, UInt(k))
            return k
        end
        if r.fd >= 0 && !r.is_closed
            got = ccall(:read, Int, (Cint, Ptr{UInt8}, Csize_t), r.fd, p, n)
            got >= 0 && return got
            code = Libc.errno()
            code == Libc.EINTR && continue
            code == Libc.EAGAIN || return 0
            if spins < SPINS
                spins == 0 && yield()
                spins += 1
                continue
            end
        end
        try
            Base.wait_readnb(io, 1)
        catch
            return 0
        end
        bytesavailable(io) > 0 && continue
        status = io.status
        (status == Base.StatusClosing || status == Base.StatusClosed || status == Base.StatusEOF) && return 0
    end
end
const SCRATCH = Vector{UInt8}[]
function receive_chunk(r::Relay)
    buffer = isempty(SCRATCH) ? Vector{UInt8}(undef, READ_BYTES) : pop!(SCRATCH)
    n = GC.@preserve buffer receive(r, pointer(buffer), READ_BYTES)
    chunk = UInt8[]
    if n > 0
        chunk = Vector{UInt8}(undef, 8 + n)
        r.n_in += 1
        GC.@preserve chunk unsafe_store!(Ptr{UInt64}(pointer(chunk)), UInt64(r.n_in))
        unsafe_copyto!(chunk, 9, buffer, 1, n)
    end
    push!(SCRATCH, buffer)
    chunk
end

function serve(r::Relay)
    while !r.is_closed
        chunk = receive_chunk(r)
        isempty(chunk) && return close_relay(r)
        schedule(isempty(r.parked) ? Task(() -> serve(r)) : pop!(r.parked)::Task)
        r.n_on_way += length(chunk)
        answer = try
            remotecall_fetch(exchange, r.request.id, chunk)::Vector{UInt8}
        catch
            return nothing      # The worker has gone; `manage` is told.
        end
        isempty(answer) || bring(r, answer)
        r.n_on_way -= length(chunk)
        notify(r.eased)
        push!(r.parked, current_task())
        wait()
        while r.n_on_way > WINDOW_BYTES && !r.is_closed
            wait(r.eased)
        end
    end
end

# The bridge is run with `--compile=min`: what it does for a launch it does once or twice, and compiling that would take seconds. What passes bytes on has
# not run before there is a relay, and is compiled.
function compile_from_now_on()
    i = findfirst(isequal(:compile_enabled), fieldnames(Base.JLOptions))
    i === nothing || unsafe_store!(cglobal(:jl_options, UInt8) + fieldoffset(Base.JLOptions, i), 0x01)
    nothing
end

# To the host, in the order of their numbers.
function bring(r::Relay, chunk::Vector{UInt8})
    n = (GC.@preserve chunk unsafe_load(Ptr{UInt64}(pointer(chunk)))) & 0x00ffffffffffffff % Int
    r.early[n] = chunk
    while r.writing && haskey(r.early, n)
        push!(r.writers, current_task())
        wait()
    end
    haskey(r.early, n) || return nothing
    r.writing = true
    while haskey(r.early, r.n_out + 1)
        next = pop!(r.early, r.n_out + 1)::Vector{UInt8}
        write_out(r, next, 8)
        r.n_out += 1
        r.is_open_frame = next[8] != 0
        r.is_open_frame || write_outputs(r)
    end
    r.writing = false
    while !isempty(r.writers)
        schedule(popfirst!(r.writers)::Task)
    end
    nothing
end
function write_out(r::Relay, bytes::Vector{UInt8}, from::Int)
    n = length(bytes)
    while from < n && !r.is_closed
        if r.fd >= 0
            k = GC.@preserve bytes ccall(:write, Int, (Cint, Ptr{UInt8}, Csize_t), r.fd, pointer(bytes) + from, n - from)
            if k >= 0
                from += k
                continue
            end
            code = Libc.errno()
            code == Libc.EINTR && continue
            code == Libc.EAGAIN || return close_relay(r)
        end
        try
            GC.@preserve bytes unsafe_write(r.io, pointer(bytes) + from, UInt(n - from))
        catch
            return close_relay(r)
        end
        return nothing
    end
    nothing
end
function write_outputs(r::Relay)
    while !isempty(r.outputs)
        write_out(r, popfirst!(r.outputs), 0)
    end
end
# What did not come through the runtime: a frame of ours, between two of the worker's.
function write_output(r::Relay, stream::UInt8, bytes::Vector{UInt8})
    frame = IOBuffer()
    write(frame, htol(UInt64(1 + length(bytes))), UInt32(0), OUTPUT, 0x00, UInt16(0), stream, bytes)
    push!(r.outputs, take!(frame))
    r.writing || r.is_open_frame || r.is_closed && return nothing
    if !r.writing && !r.is_open_frame
        r.writing = true
        write_outputs(r)
        r.writing = false
        isempty(r.writers) || schedule(popfirst!(r.writers)::Task)
    end
    nothing
end
# The host wants the worker no more, or cannot be reached, or the worker has gone and everything has been said.
function close_relay(r::Relay)
    r.is_closed && return nothing
    r.is_closed = true
    close(r.io)
    notify(r.eased)
    end_worker(r.request)
    nothing
end
