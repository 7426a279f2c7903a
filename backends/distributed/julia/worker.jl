# SPDX-License-Identifier: MIT
# The transport of a worker of Distributed, for the boot: chunks that the bridge brings by `exchange` (relay.jl).
#
# Each call of `exchange` waits, as a poll, for the next chunk that goes out. Where none waits, the chunk goes by a call of its own.
#
# Distributed mixes what its workers write to stdout and stderr and passes it on in its own time. So Julia's `stdout` and `stderr` are ours
# (core/julia/hostio.jl): what is written is put into OUTBOX, and goes to the host before the next frame, or when other tasks may run.
#
# The host puts before this text: KEEP, and DISCARDS (nobody wants the output).
const RELAY = $(@__MODULE__)
const NUMBER = RELAY.START[2]
const INBOX = Any[]                     # chunks that have come, in order
const AT = Any[8]                       # how much of the first has been read
const EARLY = Any[]                     # chunks that have overtaken others
const COUNTS = Any[0, 0]                # chunks that have come in order, chunks that have gone
const ARRIVED = Condition()
const POLLS = Any[]                     # tasks
const MAX_POLLS = 16
STATE[1] = RELAY.START[1]

# LOADING: no signals until the next frame (malt-process/julia/worker.jl).
announce_load() = send(frame(NOBODY, 0x8a, 0))
leave() = ccall(:_exit, Cvoid, (Cint,), 0)
function take_chunk(chunk)
    if number(chunk, 1, 7) == COUNTS[1] + 1
        COUNTS[1] += 1
        push!(INBOX, chunk)
        i = length(EARLY)
        while i > 0
            if number(EARLY[i], 1, 7) == COUNTS[1] + 1
                early = EARLY[i]
                deleteat!(EARLY, i)
                take_chunk(early)
                i = 0
            end
            i -= 1
        end
    else
        push!(EARLY, chunk)
    end
    nothing
end
function exchange(chunk)
    take_chunk(chunk)
    notify(ARRIVED, nothing, true, false)
    push!(POLLS, current_task())
    length(POLLS) > MAX_POLLS && schedule(popfirst!(POLLS), UInt8[])
    wait()
end
# Output: stream, call, bytes of each piece; bytes in all, and when they were sent for their own sake.
const OUTBOX = Any[]
const OUT = Any[0, UInt64(0)]
const OUTBOX_LOCK = Threads.SpinLock()
const HOME_THREAD = Threads.threadid()
const YIELD_BYTES = 1 << 16
const PUSH_NS = 5_000_000
# Whose call the task belongs to that writes, and what sends the output: the runtime replaces both.
const ASIDE = Any[nothing, nothing]
writing_call() = current_task() === JOB[4] ? JOB[1] : NOBODY
is_passed_on(io) = true
function pass_on(io, p, n)
    (DISCARDS || n == 0) && return true
    bytes = Vector{UInt8}(undef, n)
    unsafe_copyto!(pointer(bytes), p, n)
    keep_piece(io.stream, Base.invokelatest(ASIDE[1]), bytes)
    Threads.threadid() == HOME_THREAD || return true
    length(OUTBOX) == 1 && notify(WRITTEN, nothing, true, false)
    if OUT[1] > YIELD_BYTES
        yield()
    elseif io.stream == 2 && time_ns() - OUT[2] > PUSH_NS
        push_out()
    end
    true
end
function keep_piece(stream, id, bytes)
    lock(OUTBOX_LOCK)
    last = isempty(OUTBOX) ? nothing : OUTBOX[end]
    if last !== nothing && last[1] == stream && last[2] == id && length(last[3]) < YIELD_BYTES
        append!(last[3], bytes)
    else
        push!(OUTBOX, Any[stream, id, bytes])
    end
    OUT[1] += length(bytes)
    unlock(OUTBOX_LOCK)
    nothing
end
# What goes to stderr, or is flushed, may be the last words.
function push_out()
    n = 0
    while !isempty(OUTBOX) && n < 100
        yield()
        n += 1
    end
    OUT[2] = time_ns()
    nothing
end
const WRITTEN = Condition()
function take_pieces()
    lock(OUTBOX_LOCK)
    pieces = copy(OUTBOX)
    empty!(OUTBOX)
    OUT[1] = 0
    unlock(OUTBOX_LOCK)
    pieces
end
# One chunk, with a frame for each piece. This does not run before user code, and so is not interpreted.
function put_outputs()
    pieces = take_pieces()
    n = 8
    for piece in pieces
        n += 17 + length(piece[3]::Vector{UInt8})
    end
    n == 8 && return nothing
    chunk = Vector{UInt8}(undef, n)
    COUNTS[2] += 1
    p = pointer(chunk)
    unsafe_store!(Ptr{UInt64}(p), COUNTS[2] % UInt64)
    p += 8
    for piece in pieces
        bytes = piece[3]::Vector{UInt8}
        unsafe_store!(Ptr{UInt64}(p), UInt64(1 + length(bytes)))
        unsafe_store!(Ptr{UInt64}(p + 8), piece[2]::UInt64 | UInt64(OUTPUT) << 32)
        unsafe_store!(p + 16, piece[1]::UInt8)
        unsafe_copyto!(p + 17, pointer(bytes), length(bytes))
        p += 17 + length(bytes)
    end
    put_chunk(chunk)
end
function forward_output()
    Base.sigatomic_begin()
    while true
        try
            Base.sigatomic_end(); wait(WRITTEN); Base.sigatomic_begin()
        catch
        end
        yield()
        Base.invokelatest(ASIDE[2])
    end
end

function put_bytes(b)
    isempty(OUTBOX) || put_outputs()
    put_frame(b)
end
function put_frame(b)
    chunk = Vector{UInt8}(undef, 8 + length(b))
    COUNTS[2] += 1
    set_number(chunk, 1, 8, COUNTS[2])
    copyto!(chunk, 9, b, 1, length(b))
    put_chunk(chunk)
end
function put_chunk(chunk)
    isempty(POLLS) ? RELAY.remote_do(RELAY.accept, 1, NUMBER, chunk) : schedule(pop!(POLLS), chunk)
    nothing
end
function wait_for_chunk()
    while isempty(INBOX)
        try
            Base.sigatomic_end(); wait(ARRIVED); Base.sigatomic_begin()
        catch
        end
    end
end
function body(n)
    b = Vector{UInt8}(undef, n)
    at = 0
    while at < n
        wait_for_chunk()
        chunk = INBOX[1]
        k = min(n - at, length(chunk) - AT[1])
        copyto!(b, at + 1, chunk, AT[1] + 1, k)
        at += k
        AT[1] += k
        AT[1] == length(chunk) && (popfirst!(INBOX); AT[1] = 8)
    end
    b
end
function read_frames()
    Base.sigatomic_begin()
    hello()
    while true
        wait_for_chunk()
        copyto!(HEAD, body(16))
        STATE[4] += 1
        request(number(HEAD, 13, 2), Int(number(HEAD, 1, 8)), number(HEAD, 9, 4))
    end
end
function main()
    RELAY.ENDS[1] = exchange
    ASIDE[1] = writing_call
    ASIDE[2] = put_outputs
    install_output()
    # Whatever the end is, Distributed still reads what is written to the process's own stdout.
    atexit(() -> foreach(piece -> write(stdout.below, piece[3]), take_pieces()))
    schedule(Task(forward_output))
    JOB[4] = Task(executor)
    schedule(JOB[4])
    schedule(Task(read_frames))
    nothing
end
main()
