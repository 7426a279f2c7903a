# SPDX-License-Identifier: MIT
# The bridge: process 1 of a cluster of Distributed. The host's requests are calls of the functions at the end of this file.
#
# Workers are added by `addprocs` with a manager of ours, which hands everything on to the manager that the worker's options name, and
# watches what it does: which worker belongs to which request, what its launch command prints, when it is gone. `addprocs` takes one
# caller at a time, and at least a second for each (Julia 1.5 to 1.12); so its `launch` stays open for a while and takes in what
# is asked for meanwhile, and a worker is ready as soon as it answers, whatever `addprocs` still waits for.
#
# Between the host's socket and a worker, bytes pass unread. One task of a relay waits for the host; when something comes it leaves that to another, takes
# the chunk to the worker itself, and brings back what the call returns.
module MaltBridge
using Distributed, Sockets
import Distributed: launch, manage, connect
using ..MaltRelay: exchange, accept, notice_silence, start, ENDS

const LINGER_S = 10.0           # how long `launch` stays open after the last request
const BEAT_S = 3.0
const MAX_UNANSWERED = 6        # attempts of the system to reach another machine: some 12 s
const LOST_S = 1.0              # how long Distributed may take to notice the end of a worker whose ssh has ended
const MAX_WORDS_BYTES = 64      # of a script on another machine
const LAST_S = 5.0              # how long an end may take to be seen
const TAIL_BYTES = 4096
const READ_BYTES = 1 << 17
const WINDOW_BYTES = 8 << 20    # towards the worker, on their way
const SPINS = 20                # looks at a socket before waiting: an answer often brings the next request at once
const OUTPUT = 0x89

mutable struct Request
    number::Int                 # the host's name for the worker
    options::Dict{String,Any}
    inner::Any                  # ClusterManager
    is_beside::Bool             # on this machine
    id::Int                     # Distributed's name for the worker; 0: none yet
    config::Any                 # WorkerConfig
    ospid::Int
    streams::Any                # Distributed's connection, if the worker may be on another machine
    ssh::Vector{Base.Process}   # the command that launched it there, the tunnel
    signals::Dict{Int,Channel{Bool}}    # on their way there
    n_signals::Int
    fault::String
    decided::Any                # Base.Event: it is up, or will not be
    is_up::Bool
    is_gone::Bool
    gone::Any                   # Base.Event
    tail::Vector{UInt8}         # what it, or the command that launches it, printed last
    readers::Vector{Any}        # tasks that read that
    relay::Any
end
Request(number, options) =
    Request(number, options, nothing, false, 0, nothing, 0, nothing, Base.Process[], Dict{Int,Channel{Bool}}(), 0, "", Base.Event(), false, false, Base.Event(),
            UInt8[], Any[], nothing)
const REQUESTS = Dict{Int,Request}()
const OF_CONFIG = IdDict{Any,Request}()
const QUEUE = Request[]
const ASKED = Condition()       # something is in the queue
# Does `addprocs` run; texts of MaltRelay and of the runtime of a worker here; topology; text of the runtime of a worker elsewhere.
const STATE = Any[false, "", "", "", ""]
const PRINTED = Any[]           # worker's number, stream, bytes: what the host has to be told
const HAS_PRINTED = Condition()

# Relays

mutable struct Relay
    request::Request
    io::Any
    fd::Cint                    # -1: only libuv may be used
    parked::Vector{Any}
    n_in::Int                   # chunks from the host
    n_out::Int                  # chunks to the host, written
    early::Dict{Int,Any}
    is_open_frame::Bool         # the last chunk written ends within a frame
    outputs::Vector{Any}        # frames of ours, until a frame ends
    writing::Bool
    writers::Vector{Any}
    n_on_way::Int               # bytes
    eased::Condition
    is_closed::Bool
end
Relay(request, io) = Relay(request, io, descriptor_of(io), Any[], 0, 0, Dict{Int,Any}(), false, Any[], false, Any[], 0, Condition(), false)
function descriptor_of(io)
    try
        return reinterpret(Cint, Base._fd(io))
    catch
        return Cint(-1)
    end
end

# Between 1 and `n` bytes, or 0 at the end. What libuv has read by itself is older than what is still in the socket.
function receive(r::Relay, p::Ptr{UInt8}, n::Int)
    io = r.io::TCPSocket
    spins = 0
    while true
        k = min(bytesavailable(io), n)
        if k > 0
            unsafe_read(io.buffer, p, UInt(k))
            return k
        end
        if r.fd >= 0 && !r.is_closed
            got = ccall(:read, Int, (Cint, Ptr{UInt8}, Csize_t), r.fd, p, n)
            got >= 0 && return got
            code = Libc.errno()
            code == Libc.EINTR && continue
            code == Libc.EAGAIN || return 0
            if spins < SPINS
                spins == 0 && yield()
                spins += 1
                continue
            end
        end
        try
            Base.wait_readnb(io, 1)
        catch
            return 0
        end
        bytesavailable(io) > 0 && continue
        status = io.status
        (status == Base.StatusClosing || status == Base.StatusClosed || status == Base.StatusEOF) && return 0
    end
end
const SCRATCH = Vector{UInt8}[]
function receive_chunk(r::Relay)
    buffer = isempty(SCRATCH) ? Vector{UInt8}(undef, READ_BYTES) : pop!(SCRATCH)
    n = GC.@preserve buffer receive(r, pointer(buffer), READ_BYTES)
    chunk = UInt8[]
    if n > 0
        chunk = Vector{UInt8}(undef, 8 + n)
        r.n_in += 1
        GC.@preserve chunk unsafe_store!(Ptr{UInt64}(pointer(chunk)), UInt64(r.n_in))
        unsafe_copyto!(chunk, 9, buffer, 1, n)
    end
    push!(SCRATCH, buffer)
    chunk
end

function serve(r::Relay)
    while !r.is_closed
        chunk = receive_chunk(r)
        isempty(chunk) && return close_relay(r)
        schedule(isempty(r.parked) ? Task(() -> serve(r)) : pop!(r.parked)::Task)
        r.n_on_way += length(chunk)
        answer = try
            remotecall_fetch(exchange, r.request.id, chunk)::Vector{UInt8}
        catch
            return nothing      # The worker has gone; `manage` is told.
        end
        isempty(answer) || bring(r, answer)
        r.n_on_way -= length(chunk)
        notify(r.eased)
        push!(r.parked, current_task())
        wait()
        while r.n_on_way > WINDOW_BYTES && !r.is_closed
            wait(r.eased)
        end
    end
end

# The bridge is run with `--compile=min`: what it does for a launch it does once or twice, and compiling that would take seconds. What passes bytes on has
# not run before there is a relay, and is compiled.
function compile_from_now_on()
    i = findfirst(isequal(:compile_enabled), fieldnames(Base.JLOptions))
    i === nothing || unsafe_store!(cglobal(:jl_options, UInt8) + fieldoffset(Base.JLOptions, i), 0x01)
    nothing
end

# To the host, in the order of their numbers.
function bring(r::Relay, chunk::Vector{UInt8})
    n = (GC.@preserve chunk unsafe_load(Ptr{UInt64}(pointer(chunk)))) & 0x00ffffffffffffff % Int
    r.early[n] = chunk
    while r.writing && haskey(r.early, n)
        push!(r.writers, current_task())
        wait()
    end
    haskey(r.early, n) || return nothing
    r.writing = true
    while haskey(r.early, r.n_out + 1)
        next = pop!(r.early, r.n_out + 1)::Vector{UInt8}
        write_out(r, next, 8)
        r.n_out += 1
        r.is_open_frame = next[8] != 0
        r.is_open_frame || write_outputs(r)
    end
    r.writing = false
    while !isempty(r.writers)
        schedule(popfirst!(r.writers)::Task)
    end
    nothing
end
function write_out(r::Relay, bytes::Vector{UInt8}, from::Int)
    n = length(bytes)
    while from < n && !r.is_closed
        if r.fd >= 0
            k = GC.@preserve bytes ccall(:write, Int, (Cint, Ptr{UInt8}, Csize_t), r.fd, pointer(bytes) + from, n - from)
            if k >= 0
                from += k
                continue
            end
            code = Libc.errno()
            code == Libc.EINTR && continue
            code == Libc.EAGAIN || return close_relay(r)
        end
        try
            GC.@preserve bytes unsafe_write(r.io, pointer(bytes) + from, UInt(n - from))
        catch
            return close_relay(r)
        end
        return nothing
    end
    nothing
end
function write_outputs(r::Relay)
    while !isempty(r.outputs)
        write_out(r, popfirst!(r.outputs), 0)
    end
end
# What did not come through the runtime: a frame of ours, between two of the worker's.
function write_output(r::Relay, stream::UInt8, bytes::Vector{UInt8})
    frame = IOBuffer()
    write(frame, htol(UInt64(1 + length(bytes))), UInt32(0), OUTPUT, 0x00, UInt16(0), stream, bytes)
    push!(r.outputs, take!(frame))
    r.writing || r.is_open_frame || r.is_closed && return nothing
    if !r.writing && !r.is_open_frame
        r.writing = true
        write_outputs(r)
        r.writing = false
        isempty(r.writers) || schedule(popfirst!(r.writers)::Task)
    end
    nothing
end
# The host wants the worker no more, or cannot be reached, or the worker has gone and everything has been said.
function close_relay(r::Relay)
    r.is_closed && return nothing
    r.is_closed = true
    close(r.io)
    notify(r.eased)
    end_worker(r.request)
    nothing
end

# What launch commands and workers print

# Kept, and handed to the host, but for what `take` takes out. Distributed gets the line that it waits for, by `found`.
function watch_output(request::Request, from, stream::UInt8, @nospecialize(found), @nospecialize(take = identity))
    task = @async begin
        line = UInt8[]
        try
            while !eof(from)
                bytes = take(readavailable(from))
                while found !== nothing && !isempty(bytes)
                    push!(line, popfirst!(bytes))
                    line[end] == UInt8('\n') || continue
                    if occursin(r"^julia_worker:\d+#", String(copy(line)))
                        found(line)
                        found = nothing
                    else
                        print_out(request, stream, line)
                    end
                    line = UInt8[]
                end
                isempty(bytes) || print_out(request, stream, bytes)
            end
        catch                   # The other end is gone.
        end
        isempty(line) || print_out(request, stream, line)
        found === nothing || @async command_ended(request)
    end
    push!(request.readers, task)
    nothing
end
function print_out(request::Request, stream::UInt8, bytes::Vector{UInt8})
    append!(request.tail, bytes)
    n = length(request.tail)
    n > 2 * TAIL_BYTES && deleteat!(request.tail, 1:(n - TAIL_BYTES))
    relay = request.relay
    if relay !== nothing
        write_output(relay::Relay, stream, bytes)
    elseif request.is_up
        push!(PRINTED, (request.number, Int(stream), bytes))
        notify(HAS_PRINTED)
    end
    nothing
end
function command_ended(request::Request)
    await_readers(request, LOST_S)
    decide(request, "the launch command ended before the worker was ready")
end
function await_readers(request::Request, seconds::Float64)
    for task in request.readers
        timedwait(() -> istaskdone(task), seconds; pollint = 0.001)
    end
end

# Managers

struct Manager <: ClusterManager end
# Launches one worker on this machine.
struct ThisMachine <: ClusterManager
    request::Request
end

# A command that has ended already says more about it than this.
function hand_cookie(process)
    try
        println(process.in, cluster_cookie())
    catch
    end
    nothing
end
function launch(m::ThisMachine, params::Dict, launched::Array, changed::Condition)
    request = m.request
    errors = Pipe()
    command = Cmd(`$(params[:exename]) $(params[:exeflags]) --bind-to 127.0.0.1 --worker`; env = texts(request, "environment"), dir = params[:dir], detach = true)
    process = open(pipeline(command, stderr = errors), "r+")
    close(errors.in)
    watch_output(request, errors, 0x02, nothing)
    hand_cookie(process)
    config = WorkerConfig()
    config.process = process
    config.io = process.out
    config.enable_threaded_blas = params[:enable_threaded_blas]
    push!(launched, config)
    notify(changed)
end
manage(::ThisMachine, id::Integer, config::WorkerConfig, op::Symbol) = nothing

# Launches one worker by ssh, as SSHManager does, but with a script (machine.sh) between ssh and the worker. That connection is also the way for signals, and
# the measure of the machine's life: it does not depend on the worker, which may be busy for hours.
struct OtherMachine <: ClusterManager
    request::Request
    user_host::String
    bind_to::String
    flags::Cmd
    has_tunnel::Bool
end
function OtherMachine(request::Request)
    machine = text(request, "machine")
    parts = match(r"^((?:[^-@\s][^@\s]*@)?)(?:([^-@:\[\]\s][^@:\[\]\s]*)|\[([^\]\s]+)\])(?::(\d{1,5}))?(?:\s+([^-\s]\S*))?$", machine)
    parts === nothing && error("option 'machine': expected [user@]host[:port], got '$machine'")
    port = parts[4] === nothing ? `` : `-p $(parts[4])`
    # Never asks anybody, and ends when the other machine is silent, unless the user's flags, which count first, want that otherwise.
    flags = `-T -a -x $(texts(request, "sshflags")) $port -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=5 -o ServerAliveCountMax=3`
    has_tunnel = request.options["tunnel"]::Bool
    bind_to = something(parts[5], has_tunnel && STATE[4] == "master_worker" ? "127.0.0.1" : "")
    OtherMachine(request, string(parts[1], something(parts[2], parts[3])), bind_to, flags, has_tunnel)
end
quoted(word) = string("'", replace(word, "'" => "'\\''"), "'")
# What it says on standard error is handed on.
function open_ssh(m::OtherMachine, arguments::Cmd)
    errors = Pipe()
    process = open(pipeline(Cmd(`ssh $(m.flags) $arguments`, detach = true), stderr = errors), "r+")
    close(errors.in)
    push!(m.request.ssh, process)
    watch_output(m.request, errors, 0x02, nothing)
    process
end
function launch(m::OtherMachine, params::Dict, launched::Array, changed::Condition)
    request = m.request
    config = WorkerConfig()
    config.enable_threaded_blas = params[:enable_threaded_blas]
    know_config(request, config)
    environment = texts(request, "env")
    haskey(ENV, "JULIA_WORKER_TIMEOUT") && pushfirst!(environment, string("JULIA_WORKER_TIMEOUT=", ENV["JULIA_WORKER_TIMEOUT"]))
    isempty(environment) || pushfirst!(environment, "env")
    bind_to = m.bind_to == "" ? `` : `--bind-to $(m.bind_to)`
    words = `sh -l -c $(text(request, "script")) malt-machine $(params[:dir]) $environment $(params[:exename]) $(params[:exeflags]) $bind_to --worker`
    process = open_ssh(m, `-o ClearAllForwardings=yes $(m.user_host) exec $(join(map(quoted, words.exec), " "))`)
    watch_output(request, process.out, 0x01, function (line)
        config.io = Base.BufferStream()
        write(config.io, line)
        push!(launched, config)
        notify(changed)
    end, hear_machine(request))
    reader = last(request.readers)
    @async await_ssh(request, reader)
    hand_cookie(process)
    config
end
# Takes the words of the script out of what the worker prints.
function hear_machine(request::Request)
    kept = UInt8[]              # what may be the beginning of one
    function (bytes)
        append!(kept, bytes)
        passed = UInt8[]
        while !isempty(kept)
            zero_at = findfirst(isequal(0x00), kept)
            n = zero_at === nothing ? length(kept) : zero_at - 1
            append!(passed, splice!(kept, 1:n))
            isempty(kept) && break
            end_at = findfirst(isequal(0x0a), kept)
            end_at === nothing && length(kept) < MAX_WORDS_BYTES && break
            parts = end_at === nothing ? nothing : match(r"^\0malt-signal (\d+) (\d+)\n$", String(kept[1:end_at]))
            if parts === nothing
                push!(passed, popfirst!(kept))
            else
                deleteat!(kept, 1:end_at)
                done = pop!(request.signals, parse(Int, parts[1]), nothing)
                done === nothing || put!(done, parts[2] == "0")
            end
        end
        passed
    end
end
# When ssh has ended, so has the worker, or nobody can reach it.
function await_ssh(request::Request, reader::Task)
    wait(reader)
    foreach(done -> put!(done, false), values(request.signals))
    empty!(request.signals)
    if request.id != 0 && timedwait(() -> request.is_gone, LOST_S; pollint = 0.02) !== :ok
        request.relay === nothing || close_relay(request.relay)
        cut(request)
    end
    nothing
end
manage(::OtherMachine, id::Integer, config::WorkerConfig, op::Symbol) = nothing
function connect(m::OtherMachine, id::Int, config::WorkerConfig)
    m.has_tunnel || return invoke(connect, Tuple{ClusterManager,Int,WorkerConfig}, m, id, config)
    line = readline(config.io)
    parts = match(r"^julia_worker:(\d+)#(\S+)$", line)
    parts === nothing && error("the worker says '$line' instead of where it listens")
    process = open_ssh(m, `-W $(occursin(':', parts[2]) ? "[$(parts[2])]" : parts[2]):$(parts[1]) $(m.user_host)`)
    config.bind_addr = parts[2]
    config.connect_at = (config.bind_addr, parse(Int, parts[1]))
    (process.out, process.in)
end

function add_workers()
    STATE[1] && return nothing
    STATE[1] = true
    @async begin
        try
            addprocs(Manager(); topology = Symbol(STATE[4]))
        catch                   # Each request has been told its own fault.
        end
        STATE[1] = false
        isempty(QUEUE) || add_workers()
    end
    nothing
end
function launch(m::Manager, params::Dict, launched::Array, changed::Condition)
    timer = Timer(_ -> notify(ASKED), LINGER_S)
    while isopen(timer)
        if isempty(QUEUE)
            wait(ASKED)
            continue
        end
        request = popfirst!(QUEUE)
        @async begin_launch(request, params, launched, changed)
        close(timer)
        timer = Timer(_ -> notify(ASKED), LINGER_S)
    end
    nothing
end
function begin_launch(request::Request, params::Dict, launched::Array, changed::Condition)
    try
        request.inner = manager_of(request)
        params = merge(params, parameters_of(request))
        # Here Distributed gets to see the worker when it has told where it listens: it looks for that every 50 ms only.
        config = request.inner isa OtherMachine ? launch(request.inner, params, launched, changed) : launch_one(request, params)
        know_config(request, config)
        from = config.io
        if request.inner isa OtherMachine
            nothing
        elseif from === nothing
            push!(launched, config)
            notify(changed)
        else
            watch_output(request, from, 0x01, function (line)
                config.io = Base.BufferStream()
                write(config.io, line)
                push!(launched, config)
                notify(changed)
            end)
        end
    catch ex
        await_readers(request, 1.0)
        decide(request, describe(ex))
    end
    nothing
end
function know_config(request::Request, config::WorkerConfig)
    request.config = config
    config.count = 1
    OF_CONFIG[config] = request
end
const TURNED = Base.ReentrantLock()
function launch_one(request::Request, params::Dict)
    mine = WorkerConfig[]
    if request.inner isa ThisMachine
        launch(request.inner, params, mine, Condition())
    else
        # What its command says on standard error is told apart from that of others.
        lock(TURNED) do
            errors = Pipe()
            Base.link_pipe!(errors; reader_supports_async = true)
            before = stderr
            redirect_stderr(errors.in)
            try
                launch(request.inner, params, mine, Condition())
            finally
                redirect_stderr(before)
                close(errors.in)
                watch_output(request, errors, 0x02, nothing)
            end
        end
    end
    length(mine) == 1 || error("the manager has launched $(length(mine)) workers instead of one")
    mine[1]
end
function connect(m::Manager, id::Int, config::WorkerConfig)
    request = OF_CONFIG[config]
    request.id = id
    try
        request.streams = connect(request.inner, id, config)
        request.inner isa ThisMachine || notice_silence(descriptor_of(request.streams[1]))
        return request.streams
    catch ex
        await_readers(request, 1.0)
        decide(request, describe(ex))
        rethrow()
    end
end
# Has the system tried in vain to reach the other machine? It gives up by itself only where nothing is on its way.
function is_silent(io)
    Sys.islinux() || return false
    state = zeros(UInt8, 64)        # struct tcp_info: retransmits and probes are its third and fourth bytes
    n = Ref{Cuint}(length(state))
    ccall(:getsockopt, Cint, (Cint, Cint, Cint, Ptr{UInt8}, Ref{Cuint}), descriptor_of(io), 6, 11, state, n) == 0 || return false
    max(state[3], state[4]) >= MAX_UNANSWERED
end
# Takes Distributed's connection away: the worker is lost, and ends if it can notice that.
function cut(request::Request)
    request.streams === nothing || foreach(close, request.streams)
    nothing
end
function manage(m::Manager, id::Integer, config::WorkerConfig, op::Symbol)
    request = get(OF_CONFIG, config, nothing)
    request === nothing && return nothing
    op === :register && @async begin_work(request)
    op === :deregister && worker_gone(request)
    manage(request.inner, id, config, op)
end
Base.kill(m::Manager, id::Int, config::WorkerConfig) = end_worker(OF_CONFIG[config])

function worker_gone(request::Request)
    request.is_gone && return nothing
    request.is_gone = true
    @async begin
        await_readers(request, 0.2)
        decide(request, "the worker ended before it was ready")
        request.relay === nothing || close_relay(request.relay)
        notify(request.gone)
    end
    nothing
end
function decide(request::Request, fault::String)
    request.is_up || request.fault != "" || (request.fault = fault)
    notify(request.decided)
    nothing
end
function describe(ex)
    while true
        if ex isa CompositeException && !isempty(ex)
            ex = first(ex)
        elseif ex isa TaskFailedException
            ex = ex.task.exception
        elseif ex isa RemoteException
            ex = ex.captured.ex
        else
            return sprint(showerror, ex)
        end
    end
end

# What a worker is launched with

text(request::Request, name::String) = get(request.options, name, "")::String
texts(request::Request, name::String) = String[x for x in get(request.options, name, String[])]
function manager_of(request::Request)
    if haskey(request.options, "manager")
        manager = Base.invokelatest(include_string, Main, text(request, "manager"), "manager")
        manager isa ClusterManager || error("option 'manager': expected a ClusterManager, got a $(typeof(manager))")
        return manager
    end
    haskey(request.options, "machine") ? OtherMachine(request) : ThisMachine(request)
end
function parameters_of(request::Request)
    options = request.options
    params = Dict{Symbol,Any}(:exeflags => Cmd(texts(request, "exeflags")), :enable_threaded_blas => get(options, "enable-threaded-blas", false))
    haskey(options, "exename") && (params[:exename] = text(request, "exename"))
    haskey(options, "dir") && (params[:dir] = text(request, "dir"))
    haskey(options, "machine") && !haskey(params, :dir) && (params[:dir] = ".")
    params
end

# A worker that has joined gets the runtime, and the host its connection: on this machine the worker makes it, elsewhere it is a relay's.
function begin_work(request::Request)
    try
        options = request.options
        is_local = request.inner isa ThisMachine
        secrets = hex2bytes(text(request, "secrets"))
        port = options["port"]::Int
        relay = is_local ? nothing : connect_host(request, port, secrets)
        remotecall_fetch(Core.eval, request.id, Distributed, Expr(:toplevel, Meta.parse(STATE[2]), nothing))
        request.ospid, version, machine = is_local ?
            remotecall_fetch(start, request.id, VERSION, text(request, "boot"), STATE[3], request.number, Int(getpid()), "", port, secrets, texts(request, "pipes")) :
            remotecall_fetch(start, request.id, VERSION, text(request, "boot"), STATE[5], request.number, 0, haskey(options, "manager") ? text(request, "script") : "", 0, UInt8[], String[])
        request.is_beside = is_local || machine == gethostname() && haskey(options, "manager")
        v = VersionNumber(version)
        (v.major, v.minor) == (VERSION.major, VERSION.minor) || error("the worker runs Julia $version, but the bridge $VERSION: Distributed needs the same")
        request.is_up = true
        notify(request.decided)
        relay === nothing || relay !== request.relay || serve(relay)
    catch ex
        await_readers(request, 0.2)
        decide(request, describe(ex))
        end_worker(request)
    end
    nothing
end
function connect_host(request::Request, port::Int, secrets::Vector{UInt8})
    compile_from_now_on()
    io = Sockets.connect(ip"127.0.0.1", port)
    Sockets.nagle(io, false)
    write(io, secrets[1:32])
    read(io, 32) == secrets[33:64] || error("the host's port was taken by somebody else")
    request.relay = Relay(request, io)
end

# Ends

function end_worker(request::Request)
    request.is_gone && return nothing
    @async signal_worker(request, 9)
    nothing
end
is_running(request::Request) = request.config !== nothing && request.config.process !== nothing && process_running(request.config.process)
# Did the signal reach it?
function signal_worker(request::Request, signum::Int)
    request.is_gone && return false
    config = request.config
    if request.inner isa ThisMachine
        is_running(request) || return false
        pid = getpid(config.process)
        return ccall(:kill, Cint, (Cint, Cint), signum == 9 ? -pid : pid, signum) == 0
    elseif request.is_beside
        return ccall(:kill, Cint, (Cint, Cint), request.ospid, signum) == 0
    elseif request.inner isa OtherMachine
        return signal_machine(request, signum)
    elseif signum == 2 && request.id != 0
        manage(request.inner, request.id, config, :interrupt)
        return true
    elseif signum == 15 && request.id != 0
        remote_do(exit, request.id)
        return true
    elseif signum == 9
        cut(request)                # Its watch does the rest.
        return true
    end
    false
end
function signal_machine(request::Request, signum::Int)
    isempty(request.ssh) && return false
    number = request.n_signals += 1
    done = request.signals[number] = Channel{Bool}(1)
    try
        write(request.ssh[1].in, "signal $number $signum\n")
    catch                           # ssh has ended.
        return false
    end
    take!(done)
end
# The script on the other machine ends the worker when the input ends.
function end_ssh(request::Request)
    isempty(request.ssh) && return nothing
    foreach(process -> close(process.in), request.ssh)
    request.is_up && timedwait(() -> all(process_exited, request.ssh), LAST_S; pollint = 0.002)
    foreach(process -> process_exited(process) || kill(process, 9), request.ssh)
    nothing
end
# What ssh's end says of the worker's.
function status_of(command::Base.Process)
    process_exited(command) && command.termsignal == 0 && command.exitcode != 255 || return (-1, -1)
    code = command.exitcode % Int
    code > 128 ? (0, code - 128) : (code, 0)
end
function watch_machines()
    while true
        sleep(BEAT_S)
        for request in collect(values(REQUESTS))
            isempty(request.ssh) || @async try
                write(request.ssh[1].in, "beat\n")
            catch                   # It has just ended.
            end
            request.inner isa ThisMachine || !(request.streams isa Tuple{TCPSocket,Any}) || request.is_gone || !is_silent(request.streams[1]) || cut(request)
        end
    end
end

# What the host calls

# `relay` is the text that defines MaltRelay; `direct` and `chunked` are texts of the runtime, with different transports.
function begin_bridge(relay::String, direct::String, chunked::String, topology::String, setup::String)
    STATE[2] = relay
    STATE[3] = direct
    STATE[4] = topology
    STATE[5] = chunked
    ENDS[2] = function (number, chunk)
        request = get(REQUESTS, number, nothing)
        request === nothing || request.relay === nothing || bring(request.relay, chunk)
    end
    schedule(Task(watch_machines))
    setup == "" || include_string(Main, setup, "manager-setup")
    nothing
end
# Returns when the worker is connected with the host's port.
function add(number::Int, options::Dict)
    request = REQUESTS[number] = Request(number, Dict{String,Any}(options))
    push!(QUEUE, request)
    add_workers()
    notify(ASKED)
    wait(request.decided)
    request.is_up && return nothing
    tail = strip(String(copy(request.tail)))
    error(isempty(tail) ? request.fault : string(request.fault, ": ", tail))
end
send_signal(number::Int, signum::Int) = haskey(REQUESTS, number) && signal_worker(REQUESTS[number], signum)
# What workers here have printed past their runtime; waits for it.
function next_printed()
    while isempty(PRINTED)
        wait(HAS_PRINTED)
    end
    printed = copy(PRINTED)
    empty!(PRINTED)
    printed
end
# How it ended: exit code and signal (-1, -1: not known), what was printed last. The worker is forgotten.
function bury(number::Int)
    request = pop!(REQUESTS, number, nothing)
    request === nothing && return (-1, -1, "")
    end_worker(request)
    status = (-1, -1)
    if request.inner isa ThisMachine && request.config !== nothing
        process = request.config.process
        timedwait(() -> process_exited(process), LAST_S; pollint = 0.002)
        await_readers(request, 0.2)
        process_exited(process) && (status = (process.exitcode % Int, process.termsignal % Int))
    elseif !isempty(request.ssh)
        end_ssh(request)
        await_readers(request, 0.2)
        status = status_of(request.ssh[1])
    end
    request.config === nothing || delete!(OF_CONFIG, request.config)
    (status..., String(copy(request.tail)))
end
end
