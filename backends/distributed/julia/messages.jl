# SPDX-License-Identifier: MIT
# The transport of a worker of Distributed on another machine: frames in chunks, which the bridge brings and takes (relay.jl; chunks.jl has the
# boot's half).

mutable struct MessageLink
    writing::Bool               # a frame is under way
    writers::Vector{Any}        # tasks that wait to write
end
const CHUNK_BYTES = 1 << 17     # of a large frame: each is read, passed on and forgotten
const WINDOW = 32               # chunks that may be on their way

# Arriving

# The task is Distributed's and sends the result when this returns: no signal is to hit it until its end.
function exchange_chunk(chunk::Vector{UInt8})
    mask()
    take_arrived(chunk)
    notify(ARRIVED)
    push!(POLLS, current_task())
    length(POLLS) > MAX_POLLS && schedule(popfirst!(POLLS)::Task, UInt8[])
    wait()::Vector{UInt8}
end
function take_arrived(chunk::Vector{UInt8})
    n = COUNTS[1]::Int + 1
    GC.@preserve chunk unsafe_load(Ptr{UInt64}(pointer(chunk))) == n || return late(take_chunk, chunk)
    COUNTS[1] = n
    push!(INBOX, chunk)
    isempty(EARLY) || late(take_early)
    nothing
end
# Between 1 and `n` bytes.
function receive(link::MessageLink, p::Ptr{UInt8}, n::Int)
    while isempty(INBOX)
        wait_for_arrival()
    end
    chunk = INBOX[1]::Vector{UInt8}
    at = AT[1]::Int
    k = min(n, length(chunk) - at)
    GC.@preserve chunk ccall(:memcpy, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t), p, pointer(chunk) + at, k)
    if at + k == length(chunk)
        popfirst!(INBOX)
        AT[1] = 8
    else
        AT[1] = at + k
    end
    k
end
function wait_for_arrival()
    IDLE_AT[] = time_ns()
    @idle wait(ARRIVED)
    nothing
end

# Leaving

function transmit(link::MessageLink, e::Encoder)
    while link.writing
        push!(link.writers, current_task())
        @resting wait()
    end
    if isempty(OUTBOX) && isempty(e.arrays) && e.n <= CHUNK_BYTES && !isempty(POLLS)
        schedule(pop!(POLLS)::Task, copy_chunk(pointer(e.bytes), e.n))
    else
        link.writing = true
        send_first(link)
        if isempty(e.arrays) && e.n <= CHUNK_BYTES
            put_chunk(copy_chunk(pointer(e.bytes), e.n))
        else
            late(transmit_in_chunks, e)
        end
        link.writing = false
    end
    isempty(link.writers) || schedule(popfirst!(link.writers)::Task)
    nothing
end
function new_chunk(n::Int, goes_on::Bool)
    chunk = Vector{UInt8}(undef, 8 + n)
    id = COUNTS[2] = COUNTS[2]::Int + 1
    GC.@preserve chunk unsafe_store!(Ptr{UInt64}(pointer(chunk)), UInt64(id) | UInt64(goes_on) << 56)
    chunk
end
function copy_chunk(p::Ptr{UInt8}, n::Int)
    chunk = new_chunk(n, false)
    GC.@preserve chunk ccall(:memcpy, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t), pointer(chunk) + 8, p, n)
    chunk
end
write_all(link::MessageLink, bytes::Vector{UInt8}, from::Int, to::Int) = put_chunk(copy_chunk(pointer(bytes) + from, to - from))
function put_chunk(chunk::Vector{UInt8})
    isempty(POLLS) ? late(RELAY.remote_do, RELAY.accept, 1, NUMBER, chunk) : schedule(pop!(POLLS)::Task, chunk)
    nothing
end
# The encoder's bytes and, between them, its arrays. The last of each window of chunks is waited for, so that no more than a
# window of them is in memory anywhere.
function transmit_in_chunks(e::Encoder)
    parts = Any[]
    from = 0
    for i in 1:length(e.arrays)
        push!(parts, (e.bytes, from, e.marks[i]::Int), (e.arrays[i], 0, sizeof(e.arrays[i])))
        from = e.marks[i]::Int
    end
    push!(parts, (e.bytes, from, e.n))
    left = e.n + e.n_array_bytes
    n_sent = 0
    i = 1
    at = parts[1][2]::Int
    while left > 0
        n = min(left, CHUNK_BYTES)
        chunk = new_chunk(n, left > n)
        filled = 0
        while filled < n
            k = min(n - filled, parts[i][3]::Int - at)
            copy_part!(chunk, 8 + filled, parts[i][1], at, k)
            filled += k
            at += k
            while i < length(parts) && at == parts[i][3]
                i += 1
                at = parts[i][2]::Int
            end
        end
        left -= n
        n_sent += 1
        n_sent % WINDOW == 0 ? @resting(RELAY.remotecall_fetch(RELAY.accept, 1, NUMBER, chunk)) : RELAY.remote_do(RELAY.accept, 1, NUMBER, chunk)
    end
    nothing
end
# The user's other tasks may have resized the array meanwhile: then the frame is filled up, since its length has been told.
function copy_part!(chunk::Vector{UInt8}, to::Int, @nospecialize(a), from::Int, n::Int)
    GC.@preserve chunk a begin
        if sizeof(a)::Int >= from + n
            ccall(:memcpy, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t), pointer(chunk) + to, Ptr{UInt8}(pointer(a))::Ptr{UInt8} + from, n)
        else
            ccall(:memset, Ptr{Cvoid}, (Ptr{Cvoid}, Cint, Csize_t), pointer(chunk) + to, 0, n)
        end
    end
    nothing
end

# Takes over from the boot. `head` is the header of a frame that it has read, or nothing; `body` that frame's body, if it has read that.
function serve(@nospecialize(head), @nospecialize(body))
    peer = boot_peer()
    survive_signals()
    RELAY.ENDS[1] = exchange_chunk
    STATE[6] || begin_masked(warm_when_idle)
    source = Source(peer.link, Vector{UInt8}(undef, 1 << 16), 0)
    if head !== nothing
        b = body === nothing ? head : vcat(head, body)
        unsafe_copyto!(pointer(source.bytes), pointer(b), length(b))
        source.limit = length(b)
    end
    serve_frames(peer, source, STATE[7]::Bool)
end
function open_boot_link()
    save_signals()
    link = MessageLink(false, Any[])
    take_output_over(link)
    link
end

append!(TRANSPORT_SIGNATURES, Any[
    (exchange_chunk, (Vector{UInt8},)), (transmit, (MessageLink, Encoder)), (transmit_in_chunks, (Encoder,)), (receive, (MessageLink, Ptr{UInt8}, Int)),
    (copy_part!, (Vector{UInt8}, Int, Any, Int, Int)), (serve_frames, (Peer, Source, Bool)), (survive_signals, ()), (serve, (Any, Any)),
    (open_boot_link, ()),
])
