# SPDX-License-Identifier: MIT
# Output of a worker of Distributed, once the runtime is loaded; behind its transport. The pieces are in the boot's OUTBOX (outbox.jl).

send_first(link) = (isempty(OUTBOX) || late(put_outputs); nothing)
# Nothing else is being sent.
function transmit_output()
    link = (BOOT[1]::Peer).link
    while link.writing
        push!(link.writers, current_task())
        wait()
    end
    link.writing = true
    send_first(link)
    link.writing = false
    isempty(link.writers) || schedule(popfirst!(link.writers)::Task)
    nothing
end
# The call whose task this is. All of them run in one thread.
function call_of_writer()
    Threads.threadid() == HOME_THREAD || return UInt64(0)
    task = current_task()
    for job in values((BOOT[1]::Peer).jobs)
        (job::Job).task === task && return UInt64(job.id)
    end
    UInt64(0)
end
function take_output_over(link)
    ASIDE[1] = call_of_writer
    ASIDE[2] = transmit_output
    ASIDE[3] = frames -> write_all(link, frames, 0, length(frames))
    nothing
end
