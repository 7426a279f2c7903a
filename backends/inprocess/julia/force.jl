# SPDX-License-Identifier: MIT
# What interrupts of busy code need of Julia: which task runs which call, and functions to call in the middle of it.
# The host has the rest (malt-inprocess-force.c).

const FORCE_SET_UP = host_function(11)
const FORCE_ENTER = host_function(12)
const FORCE_LEAVE = host_function(13)
const IS_FORCED = Ref(false)

throw_interrupt() = throw(InterruptException())
function force_interrupts()
    IS_FORCED[] && return nothing
    IS_FORCED[] = true
    survive_signals()
    ccall(FORCE_SET_UP, Cvoid, (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Int}), cglobal(:jl_get_current_task), @cfunction(throw_interrupt, Cvoid, ()),
          Base.unsafe_convert(Ptr{Int}, N_USERS))
end
function force_enter(job::Job)
    ccall(FORCE_ENTER, Cvoid, (UInt64, UInt32, UInt), (job.peer.link::MemoryLink).host, job.id, UInt(pointer_from_objref(job.task)))
end
function force_leave(job::Job)
    ccall(FORCE_LEAVE, Cvoid, (UInt64, UInt32), (job.peer.link::MemoryLink).host, job.id)
end
