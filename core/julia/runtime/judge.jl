# SPDX-License-Identifier: MIT
# What the runtime tells the judge (core/platform/malt-judge-page.h has the page), and asks it. Without one nothing of this happens.

const JUDGE_PAGE = Ref(isdefined(@__MODULE__, :JUDGE) ? UInt(JUDGE) : UInt(0))
const JUDGE_CALLS = 32          # offset of the table of calls; its first place is the boot's
const JUDGE_WITHDRAWN = 1056
const JUDGE_N_CALLS = 64
const JUDGE_USER = UInt64(1) << 32
const JUDGE_BEHIND = UInt64(2) << 32

judge_word(offset::Int) = unsafe_load(Ptr{UInt32}(JUDGE_PAGE[] + offset))
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
    job.interrupted |= judge_word(8) == job.id
    n = judge_word(12)
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

# Before code of another call may run: what Julia was asked to throw into the last one has been thrown by now, or is thrown here.
function settle_signals()
    JUDGE_PAGE[] != 0 && judge_word(16) != judge_word(20) && late(await_signals)
    nothing
end
function await_signals()
    library = ccall(:jl_load_dynamic_library, Ptr{Cvoid}, (Cstring, Cuint, Cint), JUDGE_PATH, 0, 1)
    address = Ref(C_NULL)
    ccall(:jl_dlsym, Cint, (Ptr{Cvoid}, Cstring, Ptr{Ptr{Cvoid}}, Cint), library, "malt_judge_settle", address, 1)
    ccall(address[], Cvoid, ())
    swallow_signal()
end
