# SPDX-License-Identifier: MIT
# Interrupts of busy code, which the judge decides here as it does in a worker process (malt-inprocess-force-linux.c).

const FORCE_LOAD = host_function(11)
load_judge() = ccall(FORCE_LOAD, Ptr{Cvoid}, ())

# A worker wants them. Calls that have begun before are told to the judge now, also those of other workers.
function force_interrupts()
    JUDGE_PAGE[] == 0 || return nothing
    survive_signals()
    # A `try` at top level is interpreted: so the judge sees the interpreter call itself (malt-judge-place.c). At its end the
    # interpreter sets the mask of signals back, so the function that takes the judge's signal out of it is called again.
    Core.eval(@__MODULE__, :(try $load_judge() catch end))
    JUDGE_PAGE[] = UInt(load_judge())
    for peer in values(HOSTS), job in values((peer::Peer).jobs)
        (job::Job).user && judge_enter!(job)
    end
    nothing
end
