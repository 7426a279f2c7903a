# SPDX-License-Identifier: MIT
# The reader: what is done with each frame that arrives.

const HELLO = 0x01
const LOAD = 0x02
const INTERRUPT = 0x05
const PING = 0x06
const FENCE = 0x07
const CHANNEL_CREDIT = 0x09
const CHANNEL_FORGET = 0x0d
const RELEASE = 0x0e
const SHUTDOWN = 0x0f
const HOST_RESULT = 0x10
const EXPORT = 0x11

const READER = Encoder()        # for the answers that the reader gives itself

# The body of the frame is `source.start` to `source.stop`. What does not decode is answered and skipped: the stream goes on.
function handle_frame(peer::Peer, source::Source, kind::UInt8, flags::UInt8, id::UInt32)
    if kind == PING
        answer(peer, PONG, id)
    elseif kind == INTERRUPT
        outcome = interrupt(peer, id)
        reset!(READER, peer, nothing)
        emit!(READER, outcome)
        send!(READER, ACK, id)
    elseif kind == FENCE
        late(let_signals_arrive)
    elseif kind == SHUTDOWN
        @exposed ENTER[1](0)
    elseif kind == HELLO
        skip_bytes!(source, 12)
        late(greet, peer, get_text!(source))
    elseif kind != LOAD
        handle_body(peer, source, kind, flags, id)
    end
    skip!(source)
    nothing
end
# What the host says of itself. A runtime that has not introduced itself, as one does that serves several hosts, does so now.
function greet(peer::Peer, settings::String)
    fault = nothing
    try
        configure(peer, settings)
    catch ex
        fault = ex
    end
    introduce(peer.link, peer, fault)
end
introduce(@nospecialize(link), peer::Peer, @nospecialize(fault)) = nothing

function answer(peer::Peer, kind::UInt8, id::UInt32)
    reset!(READER, peer, nothing)
    send!(READER, kind, id)
end
function skip_bytes!(source::Source, n::Int)
    for i in 1:n
        next!(source, UInt8)
    end
end

function handle_body(peer::Peer, source::Source, kind::UInt8, flags::UInt8, id::UInt32)
    try
        if kind == RELEASE
            while left(source) > 0
                release!(peer, next!(source, UInt64))
            end
        elseif kind == CHANNEL_CREDIT
            late(credit!, peer, id, next!(source, UInt32))
        elseif kind == CHANNEL_FORGET
            late(forget_channel!, peer, id)
        elseif kind == HOST_RESULT
            late(get_host_result!, peer, source, flags, id)
        elseif kind == EXPORT
            late(get_export!, peer, source, flags, id)
        else
            job = get_job!(Decoder(source, peer), Job(peer, id, kind), flags)
            left(source) == 0 || refuse(left(source), " bytes follow the last value")
            start!(job)
        end
    catch ex
        ex isa EOFError && source.link !== nothing && rethrow()
        kind == RELEASE || kind == CHANNEL_CREDIT || kind == CHANNEL_FORGET || kind == HOST_RESULT ||
            kind == EXPORT && flags == 0x01 || late(answer_undecoded, peer, id, ex, (kind == EVAL || kind == CALL) && flags & 0x08 != 0)
    end
    nothing
end
function answer_undecoded(peer::Peer, id::UInt32, @nospecialize(ex), silent::Bool)
    texts = describe_error(nothing, alone(ex))
    silent && return (report_later("Malt: remote_do failed", texts); nothing)
    reset!(READER, peer, nothing)
    put_error!(READER, FROM_DECODER, texts)
    send!(READER, ERROR, id)
end
# The reader itself must not wait for whoever reads stderr.
function report_later(title::String, texts::ErrorTexts)
    begin_masked(() -> (report(title, printed(texts)); rest_forever()))
    nothing
end

function get_job!(d::Decoder, job::Job, flags::UInt8)
    if job.kind == EVAL || job.kind == CALL
        job.mode = flags & 0x07
        job.silent = flags & 0x08 != 0
        job.program = flags & 0x20 != 0
        job.mode <= MODE_HANDLE && flags & 0xd0 == 0 && (!job.program || job.kind == EVAL) || refuse("unknown flags")
    end
    if job.kind == EVAL
        job.scope = get_value!(d)
        job.what = get_value!(d)
        job.file = get_value!(d)
        job.display = get_value!(d)
        job.file isa Union{Nothing,String} || refuse("a file name is a String")
        job.program && !(job.what isa String && job.file isa String) && refuse("a program has a file and arguments")
    elseif job.kind == CALL
        job.what = get_value!(d)
        job.args = get_value!(d)
        job.kwargs = get_value!(d)
        job.scope = get_value!(d)
        job.display = get_value!(d)
        job.args isa Tuple || refuse("arguments are a Tuple")
        job.kwargs isa Union{Nothing,NamedTuple} || refuse("keyword arguments are a NamedTuple")
    else
        late(get(OTHER_JOBS, job.kind, CHANNEL_JOB)[1], d, job)
    end
    job.scope isa Union{Nothing,String} || refuse("a module is named by a String")
    job.display isa Union{Nothing,Tuple{Int64,Int64,Bool}} || refuse("display options are (rows, columns, colour)")
    job
end
function get_channel_job!(d::Decoder, job::Job)
    id = next!(d.source, UInt32)
    if job.kind == CHANNEL_OPEN
        job.args = (id, Int(next!(d.source, UInt32)))
        job.scope = get_value!(d)
        job.what = get_value!(d)
    else
        job.what = id
        job.kind == CHANNEL_PUT && (job.args = get_value!(d))
    end
    job
end
const CHANNEL_JOB = (get_channel_job!, perform_channel)
# Answered at once: what the host evaluates next may call the function.
function get_export!(peer::Peer, source::Source, flags::UInt8, id::UInt32)
    name = get_value!(Decoder(source, peer))
    name isa String || refuse("an export begins with a String")
    direct = flags == 0x02 ? late(get_direct_function!, peer, source)::Any : nothing
    flags <= 0x02 && left(source) == 0 || refuse("an export is one String")
    flags == 0x01 && return take_back_function!(peer, name)
    texts = try
        export_function!(peer, name, direct)
    catch ex
        describe_error(nothing, alone(ex))
    end
    reset!(READER, peer, nothing)
    texts === nothing ? put_value!(READER, nothing) : put_error!(READER, FROM_USER, texts)
    send!(READER, texts === nothing ? OK : ERROR, id)
end

# A signal that was sent before this frame is thrown here, if it still comes: nothing tells how many there are, so quiet decides.
function let_signals_arrive()
    while !@idle(sleep(0.02))
    end
    nothing
end
