# SPDX-License-Identifier: MIT
# The transport of a Julia that is embedded in the host: frames in memory that both share, each for one of several hosts (workers).
#
# Arrays are not copied. One that Julia lends is kept in LENT until the host gives it back; before version 1.11 a Vector of which somebody
# has the address must not move, so Julia is told that its memory is shared, and refuses to resize it. One that the host lends is wrapped where it lies,
# and given back by a finalizer of whatever owns the memory. That is code of the host's, and not Julia's, which an interrupt of `finalize(x)` could hit.

struct MemoryLink
    host::UInt64
end
number_of(link::MemoryLink) = link.host & 0xffffff
const HOSTS = IdDict{Any,Any}()         # number => Peer
const LENT = IdDict{Any,Any}()          # number => what owns the array's memory
const N_LENT = Ref(UInt64(0))
const LEND_BYTES = 4096                 # smaller ones are cheaper to copy

const POLL = host_function(3)
const HOLD = host_function(5)
const DROP = host_function(6)
const TASKS = Any[]

function transmit(link::MemoryLink, e::Encoder)
    isempty(FROM_OTHERS) || late(send_from_others)
    ccall(SEND, Cvoid, (UInt64, Ptr{UInt8}), link.host, e.bytes)
end

# Lending

lends(::MemoryLink, n_bytes::Int) = n_bytes >= LEND_BYTES
# What owns the memory of an array: from 1.11 on the array only refers to it, and takes another when it grows.
owner_of(@nospecialize(a)) = isdefined(Core, :GenericMemory) ? getfield(getfield(a, :ref), :mem) : a
function lend!(@nospecialize(a))
    a isa Vector && !isdefined(Core, :GenericMemory) && reshape(a, length(a), 1)
    id = N_LENT[] += 1
    LENT[id] = owner_of(a)
    UInt64(UInt(pointer(a))), id
end
take_back!(id::UInt64) = (delete!(LENT, id); nothing)

function get_lent_array!(d::Decoder, tag::UInt8)
    (d.peer::Peer).link isa MemoryLink || refuse("an array is lent within one process only")
    T = get_element_type!(d)
    dimensions, n = get_dimensions!(d)
    address = next!(d.source, UInt64)
    owner = next!(d.source, UInt64)
    late(wrap_lent, Ptr{T}(UInt(address)), dimensions, owner)
end
function wrap_lent(p::Ptr, dimensions::Tuple, owner::UInt64)
    a = unsafe_wrap(Array, p, dimensions)
    hold!(owner_of(a), owner)
    a
end
# For as long as `x` lives.
function hold!(@nospecialize(x), owner::UInt64)
    ccall(HOLD, Cvoid, (Any, UInt64), x, owner)
    finalizer(DROP, x)
    nothing
end
GET[0x30 + 1] = get_lent_array!

# Serving

open_boot_link() = MemoryLink(FIRST_HOST[1])
# Takes over from the boot, with what is in SLOT if there is a header.
function serve(@nospecialize(head), @nospecialize(body))
    FIRST_HOST[1] == NOBODY || (HOSTS[FIRST_HOST[1]] = boot_peer())
    STATE[6] || begin_masked(warm_when_idle)
    source = Source(nothing, UInt8[], 0)
    head === nothing || late(attend, source)
    while true
        try
            serve_host(source)
        catch ex
            late(report, "Malt: fault in the runtime", sprint(Base.show_exception_stack, exceptions()))
        end
    end
end
function serve_host(source::Source)
    while true
        if ccall(POP, Cint, (Ptr{UInt64},), SLOT) != 0
            attend(source)
        elseif !is_wanted_soon()
            wait(COND)
        end
    end
end
# Lets the other tasks run; then looks for a moment whether the host wants something, because waking up costs more than a small call.
function is_wanted_soon()
    yield()
    while true
        found = ccall(POLL, Cint, ())
        found == 0 || return found > 0
        GC.safepoint()
    end
end

const FRAME = 1
const TAKE_BACK = 2
const FORGET = 3
const RUN = 4
function attend(source::Source)
    kind = SLOT[1]
    if kind == FRAME
        handle_memory(peer_of(SLOT[2]), source)
    elseif kind == TAKE_BACK
        take_back!(SLOT[3])
    elseif kind == FORGET
        late(forget_host, SLOT[2])
    else
        late(run_for_host, SLOT[3], SLOT[4])
    end
    nothing
end
function peer_of(host::UInt64)
    peer = get(HOSTS, host, nothing)
    peer === nothing && (peer = HOSTS[host] = Peer(MemoryLink(host)))
    peer::Peer
end
function handle_memory(peer::Peer, source::Source)
    p = Ptr{UInt8}(UInt(SLOT[3]))
    n = unsafe_load(Ptr{UInt64}(p)) % Int
    word = unsafe_load(Ptr{UInt64}(p + 8))
    source.bytes = unsafe_wrap(Array, p, 16 + n)
    source.at = 16
    source.limit = 16 + n
    source.start = 16
    source.stop = 16 + n
    peer.n_frames += 1
    handle_frame(peer, source, (word >> 32) % UInt8, (word >> 40) % UInt8, word % UInt32)
end

# A host that is ready to go on is told so; one that asks for what is not there is told why.
function introduce(link::MemoryLink, peer::Peer, @nospecialize(fault))
    e = Encoder()
    reset!(e, peer, nothing)
    if fault !== nothing
        forget_host(link.host)
        put_error!(e, FROM_USER, describe_error(nothing, alone(fault)))
        return send!(e, ERROR, UInt32(0))
    end
    for b in codeunits("MALT\r\n\x1a\0\x01\0\0\0")
        emit!(e, b)
    end
    emit!(e, getpid() % UInt32)
    put_text!(e, string(VERSION))
    send!(e, 0x81, UInt32(0))
end

# Its calls end at their next chance; what it kept is let go.
function forget_host(host::UInt64)
    peer = get(HOSTS, host, nothing)
    peer === nothing && return nothing
    delete!(HOSTS, host)
    for id in collect(keys((peer::Peer).jobs))
        interrupt(peer, id)
    end
    for id in collect(keys(peer.channels))
        forget_channel!(peer, id)
    end
    end_host_functions!(peer)
    empty!(peer.handles)
    delete!(OUTPUTS, peer)
    nothing
end

# A C function of the host is to run in this thread. It may call Julia, which may wait; so it gets a task.
function run_for_host(f::UInt64, data::UInt64)
    isempty(TASKS) || return (schedule(pop!(TASKS)::Task, (f, data)); nothing)
    begin_masked(() -> begin
        while true
            ccall(Ptr{Cvoid}(UInt(f)), Cvoid, (Ptr{Cvoid},), Ptr{Cvoid}(UInt(data)))
            push!(TASKS, current_task())
            f, data = wait()
        end
    end)
    nothing
end

append!(TRANSPORT_SIGNATURES, Any[
    (transmit, (MemoryLink, Encoder)), (serve, (Any, Any)), (serve_host, (Source,)), (attend, (Source,)), (handle_memory, (Peer, Source)),
    (open_boot_link, ()), (get_lent_array!, (Decoder, UInt8)), (lend!, (Any,)),
])
