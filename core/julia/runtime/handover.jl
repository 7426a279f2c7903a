# SPDX-License-Identifier: MIT
# What the boot has begun and the runtime takes over: the host's settings, and the job of the boot, if that still runs.
# The transport defines `open_boot_link`.

const BOOT = Any[nothing, nothing]      # the Peer, the Job
function boot_peer()
    BOOT[1] === nothing || return BOOT[1]::Peer
    peer = BOOT[1] = Peer(open_boot_link())
    sizeof(STATE[3]) > 20 && configure(peer, String(codeunits(STATE[3])[21:end]))
    if JOB[1] != NOBODY
        job = BOOT[2] = Job(peer, JOB[1] % UInt32, EVAL)
        job.mode = JOB[3] % UInt8
        job.task = JOB[4]
        job.user = JOB[5]
        job.user && enter_user_code()
        peer.jobs[job.id] = job
    end
    peer
end
# The boot's job is in user code for as long as the boot says so.
function look_at_boot!(job::Job)
    job.interrupted |= JOB[8]::Bool
    JOB[5]::Bool
end
# Answers the boot's job; its own task calls this, perhaps before the reader has taken over.
function finish_boot(@nospecialize(value), @nospecialize(stack))
    peer = boot_peer()
    job = BOOT[2]::Job
    BOOT[2] = nothing
    end_user_code(job)
    job.interrupted |= stack !== nothing && value isa InterruptException || JOB[8]
    finish_job(job, Encoder(), value, stack)
    arm()                       # The boot goes on to wait.
end
