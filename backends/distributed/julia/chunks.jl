# SPDX-License-Identifier: MIT
# The transport of a worker of Distributed on another machine, for the boot: chunks that the bridge brings by `exchange` (relay.jl).
#
# Each call of `exchange` waits, as a poll, for the next chunk that goes out. Where none waits, the chunk goes by a call of its own.
const RELAY = Base.root_module(Base.PkgId(Base.UUID("8ba89e20-285c-5b6f-9357-94700520ee1b"), "Distributed")).MaltRelay
const JUDGE = NOBODY
const NUMBER = RELAY.START[2]
const INBOX = Any[]                     # chunks that have come, in order
const AT = Any[8]                       # how much of the first has been read
const EARLY = Any[]                     # chunks that have overtaken others
const COUNTS = Any[0, 0]                # chunks that have come in order, chunks that have gone
const ARRIVED = Condition()
const POLLS = Any[]                     # tasks
const MAX_POLLS = 16
STATE[1] = RELAY.START[1]

function take_chunk(chunk)
    number(chunk, 1, 7) == COUNTS[1] + 1 || return (push!(EARLY, chunk); nothing)
    COUNTS[1] += 1
    push!(INBOX, chunk)
    take_early()
end
# Those that have overtaken others and whose turn it is.
function take_early()
    i = length(EARLY)
    while i > 0
        if number(EARLY[i], 1, 7) == COUNTS[1] + 1
            COUNTS[1] += 1
            push!(INBOX, EARLY[i])
            deleteat!(EARLY, i)
            i = length(EARLY)
        else
            i -= 1
        end
    end
    nothing
end
# Nothing waits as a poll before the runtime is loaded. What the boot sends leaves in the task that sends it: LOADING has to be gone when the loading
# begins, and a task of Distributed's, which is interpreted until then, does not stay masked.
function exchange(chunk)
    take_chunk(chunk)
    notify(ARRIVED, nothing, true, false)
    UInt8[]
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
        STATE[8] = time_ns()
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
RELAY.ENDS[1] = exchange
begin_work(read_frames)
