# SPDX-License-Identifier: MIT
# The transport of a worker process: frames over a stream socket; behind frames.jl.
#
# Where the stream's descriptor is known, data moves by read(2) and write(2) directly, and libuv only waits: this saves
# half of the system calls of a small call, and the copies of a large one. What libuv has read by itself is older than what is still in
# the socket, so `bytesavailable` is drained first.

mutable struct StreamLink
    io::Any
    fd::Int32                   # -1: only libuv may be used
    writing::Bool               # a frame is under way
    writers::Vector{Any}        # tasks that wait to write
    scratch::Vector{UInt8}
end

const SPINS = 20                # looks at the socket before waiting: an answer often brings the next request at once
const CHUNK_BYTES = 1 << 17
const POLL_MS = Cint(2)         # how long a large transfer waits for the host in poll(2) before other tasks may run
const POLLIN = UInt64(1)
const POLLOUT = UInt64(4)

# Whether the descriptor became ready. In the middle of a large transfer the host is about to read or write on, and waiting for it
# here is cheaper than by way of libuv, which reads and writes through buffers of its own.
function is_ready_soon(link::StreamLink, events::UInt64)
    pollfd = Ref(UInt64(link.fd) | events << 32)
    ccall(:poll, Cint, (Ptr{UInt64}, Culong, Cint), pollfd, 1, POLL_MS) > 0
end

# Between 1 and `n` bytes, or 0 at the end of the stream.
function receive(link::StreamLink, p::Ptr{UInt8}, n::Int)
    io = link.io::Union{Base.PipeEndpoint,Base.LibuvStream}
    spins = 0
    while true
        k = min(bytesavailable(io), n)
        if k > 0
            unsafe_read(io.buffer, p, UInt(k))
            return k
        end
        if link.fd >= 0
            got = ccall(:read, Int, (Cint, Ptr{UInt8}, Csize_t), link.fd, p, n)
            got >= 0 && return got
            code = Libc.errno()
            code == Libc.EINTR && continue
            code == Libc.EAGAIN || return 0
            IDLE_AT[] = time_ns()       # Before other tasks may run.
            n >= CHUNK_BYTES && is_ready_soon(link, POLLIN) && continue
            if spins < SPINS
                spins == 0 && @resting yield()
                spins += 1
                continue
            end
        end
        link.fd >= 0 || (IDLE_AT[] = time_ns())
        wait_for_data(io)
        bytesavailable(io) > 0 && continue
        # After an interrupt the stream may be paused: that is not its end.
        status = io.status
        (status == Base.StatusClosing || status == Base.StatusClosed || status == Base.StatusEOF) && return 0
    end
end
function wait_for_data(@nospecialize(io))
    try
        @exposed Base.wait_readnb(io, 1)
    catch ex
        catch_signal()
        ex isa InterruptException || leave()
    end
    nothing
end

function write_all(link::StreamLink, bytes::Vector{UInt8}, from::Int, to::Int)
    while from < to
        from += write_some(link, pointer(bytes) + from, to - from)
    end
    nothing
end
# The user's other tasks may resize the array while this one waits: then the frame is filled up, since its length has been told.
function write_array(link::StreamLink, @nospecialize(a))
    n = sizeof(a)::Int
    from = 0
    while from < n
        if sizeof(a)::Int >= n
            GC.@preserve a from += write_some(link, Ptr{UInt8}(pointer(a))::Ptr{UInt8} + from, n - from)
        else
            resize!(link.scratch, CHUNK_BYTES)
            Base.fill!(link.scratch, 0x00)
            GC.@preserve link from += write_some(link, pointer(link.scratch), min(n - from, CHUNK_BYTES))
        end
    end
    nothing
end
# Some of the bytes; waits only if nothing can be written, and then with a copy, so that the memory may change meanwhile.
function write_some(link::StreamLink, p::Ptr{UInt8}, n::Int)
    if link.fd >= 0
        k = ccall(:write, Int, (Cint, Ptr{UInt8}, Csize_t), link.fd, p, n)
        k >= 0 && return k
        code = Libc.errno()
        code == Libc.EINTR && return 0
        code == Libc.EAGAIN || leave()
        n >= CHUNK_BYTES && is_ready_soon(link, POLLOUT) && return 0
    end
    late(write_copied, link, p, min(n, CHUNK_BYTES))::Int
end
function write_copied(link::StreamLink, p::Ptr{UInt8}, k::Int)
    length(link.scratch) >= k || resize!(link.scratch, k)
    GC.@preserve link begin
        q = pointer(link.scratch)
        p == q || ccall(:memcpy, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t), q, p, k)
        try
            @resting unsafe_write(link.io, q, UInt(k))
        catch
            leave()
        end
    end
    k
end

# Takes over from the boot. `head` is the header of a frame that it has read, or nothing; `body` that frame's body, if it has read that.
function serve(@nospecialize(head), @nospecialize(body))
    peer = boot_peer()
    while STATE[5] > 0          # An answer of the boot's is on its way through libuv.
        @resting yield()
    end
    PROGRAM[1] === nothing && survive_signals()
    STATE[6] || begin_masked(warm_when_idle)
    source = Source(peer.link, Vector{UInt8}(undef, 1 << 16), 0)
    if head !== nothing
        b = (body === nothing ? head : vcat(head, body))::Vector{UInt8}
        unsafe_copyto!(pointer(source.bytes), pointer(b), length(b))
        source.limit = length(b)
    end
    serve_frames(peer, source, STATE[7]::Bool)
    # A program has the root task from here on.
    begin_masked(() -> serve_frames(peer, source, false))
    RUN_PROGRAM
end
# The connection that the boot has opened.
function open_boot_link()
    save_signals()
    link = StreamLink(LINK, TRANSPORT == "fd" ? Int32(PARAMETER) : descriptor_of(LINK), false, Any[], UInt8[])
    take_output_over(link)
    link
end
function descriptor_of(@nospecialize(io))
    try
        return reinterpret(Int32, Base._fd(io))
    catch
        return Int32(-1)
    end
end

append!(TRANSPORT_SIGNATURES, Any[
    (transmit_arrays, (StreamLink, Encoder)), (transmit, (StreamLink, Encoder)), (receive, (StreamLink, Ptr{UInt8}, Int)),
    (serve_frames, (Peer, Source, Bool)), (survive_signals, ()), (serve, (Any, Any)), (open_boot_link, ()),
])
