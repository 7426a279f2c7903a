# SPDX-License-Identifier: MIT
# Interrupts of busy code, which the judge decides here as it does in a worker process (malt-inprocess-force-linux.c).

const FORCE_LOAD = host_function(11)

# A worker wants them. Calls that have begun before are told to the judge now, also those of other workers.
function force_interrupts()
    JUDGE_PAGE[] == 0 || return nothing
    survive_signals()
    JUDGE_PAGE[] = UInt(ccall(FORCE_LOAD, Ptr{Cvoid}, ()))
    for peer in values(HOSTS), job in values((peer::Peer).jobs)
        (job::Job).user && judge_enter!(job)
    end
    nothing
end
