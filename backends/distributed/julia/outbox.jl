# SPDX-License-Identifier: MIT
# Output of a worker of Distributed, for the boot and the runtime.
#
# A worker on the host's machine writes into pipes of the host, and nothing of this is needed. Elsewhere Distributed mixes what its workers write to stdout and stderr and passes it on in its own time. So Julia's `stdout` and `stderr` are ours
# (core/julia/transport/hostio.jl): what is written is put into OUTBOX, and goes to the host before the next frame, or when other tasks may run.
#
# The host puts before this text: KEEP, and DISCARDS (nobody wants the output, but its end on stderr is told with the end of the worker). A transport defines `put_frame(bytes)` for the boot.
# Output: stream, call, bytes of each piece; bytes in all, and when they were sent for their own sake.
const OUTBOX = Any[]
const OUT = Any[0, UInt64(0)]
const OUTBOX_LOCK = Threads.SpinLock()
const HOME_THREAD = Threads.threadid()
const YIELD_BYTES = 1 << 16
const PUSH_NS = 5_000_000
# Whose call the task belongs to that writes, what sends the output when nothing else is sent, and what sends bytes of whole frames: the
# runtime replaces all three.
const ASIDE = Any[nothing, nothing, nothing]
writing_call() = current_task() === JOB[4] ? JOB[1] : NOBODY
is_passed_on(io) = true
function pass_on(io, p, n)
    (DISCARDS && io.stream == 1 || n == 0) && return true
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
    n > 0 && yield()                    # Where it goes by a message of Distributed, another task sends that.
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
# A frame for each piece, at once. This does not run before user code, and so is not interpreted.
function put_outputs()
    pieces = take_pieces()
    n = 0
    for piece in pieces
        n += 17 + length(piece[3]::Vector{UInt8})
    end
    n == 0 && return nothing
    frames = Vector{UInt8}(undef, n)
    p = pointer(frames)
    for piece in pieces
        bytes = piece[3]::Vector{UInt8}
        unsafe_store!(Ptr{UInt64}(p), UInt64(1 + length(bytes)))
        unsafe_store!(Ptr{UInt64}(p + 8), piece[2]::UInt64 | UInt64(OUTPUT) << 32)
        unsafe_store!(p + 16, piece[1]::UInt8)
        unsafe_copyto!(p + 17, pointer(bytes), length(bytes))
        p += 17 + length(bytes)
    end
    Base.invokelatest(ASIDE[3], frames)
    nothing
end
# Masked also while it waits: a signal that is meant for a call is not to be taken here.
function forward_output()
    Base.sigatomic_begin()
    while true
        wait(WRITTEN)
        yield()
        Base.invokelatest(ASIDE[2])
    end
end

function put_bytes(b)
    isempty(OUTBOX) || put_outputs()
    put_frame(b)
end
# LOADING: no signals until the next frame (malt-process/julia/worker.jl).
announce_load() = send(frame(NOBODY, 0x8a, 0))
leave() = ccall(:_exit, Cvoid, (Cint,), 0)
function begin_work(read_frames)
    ASIDE[1] = writing_call
    ASIDE[2] = put_outputs
    ASIDE[3] = put_frame
    RELAY.START[5] ? show_on_streams() : collect_output()
    JOB[4] = Task(executor, STACK)
    schedule(JOB[4])
    schedule(Task(read_frames))
    nothing
end
function collect_output()
    install_output()
    # Whatever the end is, Distributed still reads what is written to the process's own stdout.
    atexit(() -> foreach(piece -> write(stdout.below, piece[3]), take_pieces()))
    schedule(Task(forward_output))
    nothing
end
