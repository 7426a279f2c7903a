# SPDX-License-Identifier: MIT
# What the runtime tells the judge (core/platform/malt-judge-page.h has the page), and asks it. Without one nothing of this happens.

const JUDGE_PAGE = Ref(isdefined(@__MODULE__, :JUDGE) ? UInt(JUDGE) : UInt(0))
const JUDGE_CALLS = 32          # offset of the table of calls; its first place is the boot's
const JUDGE_WITHDRAWN = 1056
const JUDGE_RAISED_ID = 1316
const JUDGE_N_CALLS = 64
const JUDGE_USER = UInt64(1) << 32
const JUDGE_BEHIND = UInt64(2) << 32

const JUDGE_THROWN = 8          # the call that was hit last, how often an exception was forced,
const JUDGE_FORCED = 12
const JUDGE_RAISED = 16         # how many signals the judge has sent, and of how many it is known what became of them,
const JUDGE_SETTLED = 20
const JUDGE_HITS = 24           # how many requests for the call that was hit last have been obeyed before they were read,
const JUDGE_TAKEN = 28          # and how many requests were read that had not been

judge_word(offset::Int) = unsafe_load(Ptr{UInt32}(JUDGE_PAGE[] + offset))
set_judge_word(offset::Int, word::UInt32) = unsafe_store!(Ptr{UInt32}(JUDGE_PAGE[] + offset), word)
judge_place(i::Int) = Ptr{UInt64}(JUDGE_PAGE[] + JUDGE_CALLS + 16 * i)

# The job's code begins, in this task. Without a free place it can only be interrupted while it waits.
function judge_enter!(job::Job)
    JUDGE_PAGE[] == 0 && return nothing
    for i in 1:JUDGE_N_CALLS - 1
        unsafe_load(judge_place(i)) >> 32 == 0 || continue
        unsafe_store!(judge_place(i) + 8, UInt64(UInt(pointer_from_objref(job.task::Task))))
        unsafe_store!(judge_place(i), JUDGE_USER | job.id)
        job.place = i
        break
    end
    nothing
end
function judge_leave!(job::Job)
    job.place == 0 && return nothing
    unsafe_store!(judge_place(job.place), JUDGE_BEHIND | job.id)
    settle_signals()
    job.interrupted |= judge_word(JUDGE_THROWN) == job.id
    n = judge_word(JUDGE_FORCED)
    n == N_FORCED[] || (N_FORCED[] = n; late(check_myself))
    nothing
end
# An exception that was thrown at an arbitrary instruction may have left the compiler in pieces: better to end here than in another call.
const N_FORCED = Ref(UInt32(0))
function check_myself()
    m = Module()
    is_whole = try
        Core.eval(m, :(f(x) = x + 1))
        Core.eval(m, :(f(1))) == 2
    catch
        false
    end
    is_whole && return nothing
    report("Malt: the worker ends", ("", "the compiler does not work any more after an interrupt that had to be forced", ""))
    leave()
end
function judge_forget!(job::Job)
    job.place == 0 && return nothing
    unsafe_store!(judge_place(job.place), UInt64(job.id))
    job.place = 0
    nothing
end
# The host has given an interrupt up: the call goes on.
is_withdrawn(id::UInt32) = JUDGE_PAGE[] != 0 && judge_word(JUDGE_WITHDRAWN + 4 * Int(id % JUDGE_N_CALLS)) == id

# What Julia was asked to throw has been thrown, and then this is noted, or is thrown here: before code of another call runs, behind the code of a call, and before
# an exception is thrown in another way.
function settle_signals()
    JUDGE_PAGE[] == 0 && return nothing
    n = judge_word(JUDGE_RAISED)
    n == judge_word(JUDGE_SETTLED) && return nothing
    set_judge_word(JUDGE_SETTLED, n)
    swallow_signal() && return nothing
    id = judge_word(JUDGE_RAISED_ID)
    set_judge_word(JUDGE_HITS, judge_word(JUDGE_THROWN) == id ? judge_word(JUDGE_HITS) + one(UInt32) : one(UInt32))
    set_judge_word(JUDGE_THROWN, id)
    nothing
end
# It was caught where it hit nobody.
note_swallowed() = (JUDGE_PAGE[] == 0 || set_judge_word(JUDGE_SETTLED, judge_word(JUDGE_RAISED)); nothing)

# A request to interrupt the call is read. Each throws once: has the judge done it? Otherwise it is not to do it any more.
function judge_took_hit(id::UInt32)
    JUDGE_PAGE[] == 0 && return false
    settle_signals()
    n = judge_word(JUDGE_HITS)
    hit = n > 0 && judge_word(JUDGE_THROWN) == id
    hit ? set_judge_word(JUDGE_HITS, n - one(UInt32)) : set_judge_word(JUDGE_TAKEN, judge_word(JUDGE_TAKEN) + one(UInt32))
    hit
end
