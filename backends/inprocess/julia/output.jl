# SPDX-License-Identifier: MIT
# Output of evaluated code, where a host does not want it on the program's own stdout and stderr.
#
# The program's descriptors belong to everybody in it, so they are left alone: `redirect_stdout` is not used. The first host that wants its
# output makes Julia's `stdout` and `stderr` a HostIO (core/julia/transport/hostio.jl), which passes on what a task writes according to the host whose job it runs. A task
# that user code has started belongs to no job; its output goes to the host if there is one only, else where it went before. What other threads write
# waits for this one, which alone knows the hosts: it goes before the next frame, or when this thread wakes up.

const TO_PROGRAM = 0x00
const TO_HOST = 0x01
const TO_NOBODY = 0x02
const HOME_THREAD = Threads.threadid()
const FROM_OTHERS = Any[]               # HostIO and bytes of each piece
const OTHERS_LOCK = Threads.SpinLock()  # guards FROM_OTHERS
const OTHERS_CALL = Any[nothing]        # AsyncCondition
const OUTPUTS = IdDict{Any,Any}()       # Peer => TO_HOST or TO_NOBODY; others are TO_PROGRAM

function direct_output!(peer::Peer, choice::String)
    way = choice == "signal" ? TO_HOST : choice == "discard" ? TO_NOBODY : TO_PROGRAM
    way == TO_PROGRAM && return nothing
    if isempty(SAVED_FDS)
        OTHERS_CALL[1] = Base.AsyncCondition(_ -> send_from_others())
        install_output()
    end
    OUTPUTS[peer] = way
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
function pass_on(io::HostIO, p::Ptr{UInt8}, n::Int)
    Threads.threadid() == HOME_THREAD || return leave_to_home(io, p, n)
    isempty(FROM_OTHERS) || send_from_others()
    peer, id = writer()
    pass_on_to(peer, id, io, p, n)
end
function pass_on_to(@nospecialize(peer), id::UInt32, io::HostIO, p::Ptr{UInt8}, n::Int)
    way = peer === nothing ? TO_PROGRAM : get(OUTPUTS, peer, TO_PROGRAM)
    way == TO_HOST && n > 0 && send_output(peer, io.stream, id, p, n)
    way != TO_PROGRAM
end
function leave_to_home(io::HostIO, p::Ptr{UInt8}, n::Int)
    bytes = Vector{UInt8}(undef, n)
    unsafe_copyto!(pointer(bytes), p, n)
    lock(OTHERS_LOCK)
    push!(FROM_OTHERS, (io, bytes))
    unlock(OTHERS_LOCK)
    ccall(:uv_async_send, Cint, (Ptr{Cvoid},), (OTHERS_CALL[1]::Base.AsyncCondition).handle)
    true
end
function send_from_others()
    lock(OTHERS_LOCK)
    pieces = copy(FROM_OTHERS)
    empty!(FROM_OTHERS)
    unlock(OTHERS_LOCK)
    peer = length(HOSTS) == 1 ? first(values(HOSTS)) : nothing
    for (io, bytes) in pieces
        pass_on_to(peer, UInt32(0), io, pointer(bytes), length(bytes)) || write(io.below, bytes)
    end
    nothing
end
push_out() = nothing
is_passed_on(io::HostIO) = Threads.threadid() == HOME_THREAD ? is_passed_on_here() : true
is_passed_on_here() = get(OUTPUTS, first(writer()), TO_PROGRAM) != TO_PROGRAM
function send_output(peer::Peer, stream::UInt8, id::UInt32, p::Ptr{UInt8}, n::Int)
    e = Encoder()
    reset!(e, peer, nothing)
    emit!(e, stream)
    put_bytes!(e, p, n)
    send!(e, OUTPUT, id)
end
