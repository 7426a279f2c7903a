# SPDX-License-Identifier: MIT
# Output of evaluated code, where a host does not want it on the program's own stdout and stderr.
#
# The program's descriptors belong to everybody in it, so they are left alone: `redirect_stdout` is not used. The first host that wants its
# output makes Julia's `stdout` and `stderr` a HostIO (core/julia/hostio.jl), which passes on what a task writes according to the host whose job it runs. A task
# that user code has started belongs to no job; its output goes to the host if there is one only, else where it went before.

const TO_PROGRAM = 0x00
const TO_HOST = 0x01
const TO_NOBODY = 0x02
const OUTPUTS = IdDict{Any,Any}()       # Peer => TO_HOST or TO_NOBODY; others are TO_PROGRAM

function direct_output!(peer::Peer, choice::String)
    way = choice == "signal" ? TO_HOST : choice == "discard" ? TO_NOBODY : TO_PROGRAM
    way == TO_PROGRAM && return nothing
    isempty(SAVED_FDS) && install_output()
    OUTPUTS[peer] = way
    nothing
end

# The host of the task that writes, and its call.
function writer()
    task = current_task()
    for peer in values(HOSTS)
        for job in values((peer::Peer).jobs)
            (job::Job).task === task && return peer, (job::Job).id
        end
    end
    length(HOSTS) == 1 ? first(values(HOSTS)) : nothing, UInt32(0)
end
function pass_on(io::HostIO, p::Ptr{UInt8}, n::Int)
    peer, id = writer()
    way = peer === nothing ? TO_PROGRAM : get(OUTPUTS, peer, TO_PROGRAM)
    way == TO_HOST && n > 0 && send_output(peer, io.stream, id, p, n)
    way != TO_PROGRAM
end
push_out() = nothing
is_passed_on(io::HostIO) = get(OUTPUTS, first(writer()), TO_PROGRAM) != TO_PROGRAM
function send_output(peer::Peer, stream::UInt8, id::UInt32, p::Ptr{UInt8}, n::Int)
    e = Encoder()
    reset!(e, peer, nothing)
    emit!(e, stream)
    put_bytes!(e, p, n)
    send!(e, OUTPUT, id)
end
