# SPDX-License-Identifier: MIT
# Functions of the host, called from Julia: `HOST.name(args...)`.

mutable struct HostCall
    task::Any
    done::Bool
    failed::Bool
    value::Any
end
struct Host
    peer::Peer
end
struct HostError <: Exception
    message::String
end
Base.showerror(io::IO, e::HostError) = print(io, e.message)
Base.getproperty(h::Host, name::Symbol) = (args...; kwargs...) -> call_host(getfield(h, :peer), String(name), args, kwargs)

function call_host(peer::Peer, name::String, @nospecialize(args::Tuple), @nospecialize(kwargs))
    call = HostCall(current_task(), false, false, nothing)
    id = peer.n_host_calls += one(UInt32)
    peer.host_calls[id] = call
    try
        mask()
        e = Encoder()
        reset!(e, peer, nothing)
        put_value!(e, name)
        put_value!(e, args)
        put_value!(e, isempty(kwargs) ? nothing : (; kwargs...))
        send!(e, HOST_CALL, id)
        unmask()
        while !call.done
            wait()
        end
    finally
        delete!(peer.host_calls, id)
    end
    call.failed ? throw(call.value) : call.value
end
# From the reader.
function host_result!(peer::Peer, id::UInt32, failed::Bool, @nospecialize(value))
    call = get(peer.host_calls, id, nothing)
    call === nothing && return
    (call::HostCall).failed = failed
    call.value = value
    call.done = true
    schedule(call.task::Task)
    nothing
end
