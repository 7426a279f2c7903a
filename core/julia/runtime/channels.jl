# SPDX-License-Identifier: MIT
# Channels: a task for each takes items while the host has given credit, and pushes them.

mutable struct Subscription
    peer::Peer
    id::UInt32
    channel::Any
    credit::Int
    taken::Int                  # items taken from the channel that are not sent yet
    task::Any
    taking::Bool                # the task waits in the channel's own `take!`
    starved::Bool               # the task waits for credit
    forgotten::Bool
end
struct Forgotten <: Exception end

function perform_channel(job::Job)
    peer = job.peer
    job.kind == CHANNEL_OPEN && return open_channel(job)
    subscription = get(peer.channels, job.what, nothing)
    subscription === nothing && throw(ArgumentError("channel $(job.what) is not open"))
    channel = (subscription::Subscription).channel
    if job.kind == CHANNEL_PUT
        @exposed enter(put!, (channel, job.args), nothing)
    elseif job.kind == CHANNEL_CLOSE
        @exposed enter(close, (channel,), nothing)
    else
        return @exposed enter(channel_state, (subscription,), nothing)
    end
    nothing
end
function channel_state(s::Subscription)
    (Base.invokelatest(isopen, s.channel)::Bool, s.taken + Base.invokelatest(n_ready, s.channel)::Int)
end
n_ready(channel::Channel) = isdefined(Base, :n_avail) ? Int(Base.n_avail(channel)) : Int(isready(channel))
n_ready(@nospecialize(channel)) = Int(isready(channel))

function open_channel(job::Job)
    channel = job.what
    channel isa String && (channel = evaluate_source(module_named(job.peer, job.scope), channel, nothing))
    Base.invokelatest(applicable, take!, channel) || throw(ArgumentError("a channel was expected, not a $(typeof(channel))"))
    job.args === nothing && return nothing      # forgotten meanwhile
    id, credit = job.args
    haskey(job.peer.channels, id) && throw(ArgumentError("channel $id is open already"))
    s = Subscription(job.peer, id, channel, credit, 0, nothing, false, false, false)
    job.peer.channels[id] = s
    s
end
# Once the host knows that the channel is open; `nothing`: it no longer listens.
begin_pumping(::Nothing) = nothing
function begin_pumping(s::Subscription)
    s.task = begin_masked(() -> Base.invokelatest(pump, s))
    nothing
end

function pump(s::Subscription)
    e = Encoder()
    while !s.forgotten
        if s.credit == 0
            s.starved = true
            @idle wait()
            s.starved = false
            continue
        end
        item = nothing
        try
            s.taking = true
            item = Base.invokelatest(next_item, s.channel)
            s.taking = false
        catch ex
            catch_signal()
            s.taking = false
            s.forgotten && break
            # A signal is not the channel's end; neither is an interrupt that was meant for a call.
            ex isa InterruptException && Base.invokelatest(isopen, s.channel) && continue
            Base.invokelatest(send_closed, s, e, ex)
            break
        end
        s.credit -= 1
        s.taken += 1
        sent = Base.invokelatest(send_item, s, e, item)
        s.taken -= 1
        sent || break
    end
    rest_forever()
end
# Only the wait for an item can be left: one that has been taken is sent. Other kinds of channels have no wait without a take.
function next_item(channel::Channel)
    while !isready(channel)
        @exposed wait(channel)
    end
    take!(channel)
end
next_item(@nospecialize(channel)) = @exposed take!(channel)
# Ended tasks are where the scheduler idles: a task that waits for nobody is garbage once nobody holds it.
function rest_forever()
    while true
        @idle wait()
    end
end

# An item that cannot be encoded goes as a handle; only if even that fails is it the end.
function send_item(s::Subscription, e::Encoder, @nospecialize(item))
    try
        reset!(e, s.peer, nothing)
        put_value!(e, item)
    catch first
        abandon!(e)
        try
            reset!(e, s.peer, nothing)
            put_handle!(e, item, entry_for(typeof(item), e.home, e.world))
        catch
            abandon!(e)
            send_closed(s, e, first)
            return false
        end
    end
    send!(e, CHANNEL_ITEM, s.id)
    true
end
function send_closed(s::Subscription, e::Encoder, @nospecialize(ex))
    text = is_plain_end(ex) ? nothing : describe_error(nothing, alone(ex)).message
    reset!(e, s.peer, nothing)
    put_value!(e, text)
    send!(e, CHANNEL_CLOSED, s.id)
end
is_plain_end(@nospecialize(ex)) = ex isa InvalidStateException || ex isa EOFError

# From the reader.
function credit!(peer::Peer, id::UInt32, n::UInt32)
    s = get(peer.channels, id, nothing)
    s === nothing && return
    (s::Subscription).credit += n
    if s.starved
        s.starved = false
        schedule(s.task::Task)
    end
    nothing
end
function forget_channel!(peer::Peer, id::UInt32)
    s = get(peer.channels, id, nothing)
    s === nothing && return forget_opening!(peer, id)
    (s::Subscription).forgotten = true
    delete!(peer.channels, id)
    if s.starved
        s.starved = false
        schedule(s.task::Task)
    elseif s.taking
        s.taking = false
        schedule(s.task::Task, Forgotten(); error = true)
    end
    nothing
end
# The host has given the opening up: whatever it evaluates to, no item may be taken.
function forget_opening!(peer::Peer, id::UInt32)
    for job in values(peer.jobs)
        job = job::Job
        job.kind == CHANNEL_OPEN && job.args !== nothing && job.args[1] === id && (job.args = nothing)
    end
    nothing
end
