# SPDX-License-Identifier: MIT
# What the runtime tells the judge (core/platform/malt-judge-page.h has the page), and asks it. Without one nothing of this happens.

const JUDGE_PAGE = Ref(isdefined(@__MODULE__, :JUDGE) ? UInt(JUDGE) : UInt(0))
const JUDGE_CALLS = 48          # offset of the table of calls; its first place is the boot's
const JUDGE_N_CALLS = 64
const JUDGE_STATE = UInt64(0xff) << 32
const JUDGE_USER = UInt64(1) << 32
const JUDGE_BEHIND = UInt64(2) << 32

const JUDGE_THROWN = 8          # the call that was hit last (64 bits), how often an exception was forced,
const JUDGE_FORCED = 16
const JUDGE_RAISED = 20         # how many signals the judge has sent, and of how many it is known what became of them,
const JUDGE_SETTLED = 24
const JUDGE_HITS = 28           # how many requests for the call that was hit last have been obeyed before they were read,
const JUDGE_TAKEN = 32          # how many requests were read that had not been,
const JUDGE_N_THROWN = 36       # how often something was thrown,
const JUDGE_RAISED_CALL = 40    # and for which call the last signal was sent (64 bits)
const JUDGE_MUTED = 1600        # The call in which that is deferred, since it was given up; and where the level is that says so (64 bits each).
const JUDGE_LEVEL = 1608
const JUDGE_GATE = 1620         # does the judge drop SIGINT that it has not sent?
const JUDGE_TAKE = 1632         # the address of the function by which a request is taken

judge_word(offset::Int) = unsafe_load(Ptr{UInt32}(JUDGE_PAGE[] + offset))
set_judge_word(offset::Int, word::UInt32) = unsafe_store!(Ptr{UInt32}(JUDGE_PAGE[] + offset), word)
add_to_judge_word(offset::Int) = (set_judge_word(offset, judge_word(offset) + one(UInt32)); nothing)
judge_call(offset::Int) = unsafe_load(Ptr{UInt64}(JUDGE_PAGE[] + offset))
judge_place(i::Int) = Ptr{UInt64}(JUDGE_PAGE[] + JUDGE_CALLS + 16 * i)
judge_name(job::Job) = job.peer.number << 40 | job.id

is_gated() = JUDGE_PAGE[] != 0 && judge_word(JUDGE_GATE) != 0

# The job's code begins, in this task. Without a free place it can only be interrupted while it waits.
function judge_enter!(job::Job)
    JUDGE_PAGE[] == 0 && return nothing
    for i in 1:JUDGE_N_CALLS - 1
        unsafe_load(judge_place(i)) & JUDGE_STATE == 0 || continue
        unsafe_store!(judge_place(i) + 8, UInt64(UInt(pointer_from_objref(job.task::Task))))
        unsafe_store!(judge_place(i), JUDGE_USER | judge_name(job))
        job.place = i
        break
    end
    nothing
end
function judge_leave!(job::Job)
    JUDGE_PAGE[] == 0 && return nothing
    if job.place != 0
        unsafe_store!(judge_place(job.place), JUDGE_BEHIND | judge_name(job))
        judge_call(JUDGE_MUTED) == judge_name(job) && unsafe_store!(Ptr{Int32}(UInt(judge_call(JUDGE_LEVEL))), Int32(1))
        settle_signals()
        job.interrupted |= judge_call(JUDGE_THROWN) == judge_name(job)
    end
    n = judge_word(JUDGE_FORCED)
    n == N_FORCED[] || (N_FORCED[] = n; late(check_myself))
    nothing
end
# An exception that was thrown at an arbitrary instruction may have left the compiler in pieces: better to end here than in another call.
const N_FORCED = Ref(UInt32(0))
function can_compile()
    m = Module()
    try
        Core.eval(m, :(f(x) = x + 1))
        Core.eval(m, :(f(1))) == 2
    catch
        false
    end
end
function check_myself()
    can_compile() && return nothing
    report("Malt: Julia is damaged", "the compiler does not work any more after an interrupt that had to be forced")
    JUDGE == NOBODY || ccall(:_exit, Cvoid, (Cint,), 1)     # A process of its own, not the host.
end
function judge_forget!(job::Job)
    job.place == 0 && return nothing
    unsafe_store!(judge_place(job.place), UInt64(0))
    job.place = 0
    nothing
end

# What Julia was asked to throw has been thrown, and then this is noted, or is thrown here: before code of another call runs, behind the code of a call, and before
# an exception is thrown in another way.
function settle_signals()
    JUDGE_PAGE[] == 0 && return nothing
    n = judge_word(JUDGE_RAISED)
    n == judge_word(JUDGE_SETTLED) && return nothing
    set_judge_word(JUDGE_SETTLED, n)
    swallow_signal() && return nothing
    call = judge_call(JUDGE_RAISED_CALL)
    set_judge_word(JUDGE_HITS, judge_call(JUDGE_THROWN) == call ? judge_word(JUDGE_HITS) + one(UInt32) : one(UInt32))
    unsafe_store!(Ptr{UInt64}(JUDGE_PAGE[] + JUDGE_THROWN), call)
    add_to_judge_word(JUDGE_N_THROWN)
end
# It was caught where it hit nobody.
note_swallowed() = (JUDGE_PAGE[] == 0 || set_judge_word(JUDGE_SETTLED, judge_word(JUDGE_RAISED)); nothing)

# A request to interrupt the call is read. Each throws once: has the judge done it?
function judge_took_hit(job::Job)
    JUDGE_PAGE[] == 0 && return false
    settle_signals()
    n = judge_word(JUDGE_HITS)
    hit = n > 0 && judge_call(JUDGE_THROWN) == judge_name(job)
    hit && set_judge_word(JUDGE_HITS, n - one(UInt32))
    hit
end
# May the reader do what it has read, or has the host given it up meanwhile? Where the page does not say, what is late may have been.
function may_take(job::Job)
    JUDGE_PAGE[] == 0 && return !is_late(IDLE_AT[])
    taken = ccall(Ptr{Cvoid}(UInt(judge_call(JUDGE_TAKE))), Cint, (UInt64,), judge_name(job))
    taken < 0 ? !is_late(IDLE_AT[]) : taken > 0
end
# The reader does it: the judge is not to do it any more.
judge_take!() = JUDGE_PAGE[] == 0 ? nothing : add_to_judge_word(JUDGE_TAKEN)
