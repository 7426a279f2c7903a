# SPDX-License-Identifier: MIT
# How the bridge adds workers: what their launch commands print, the managers, what a worker is launched with.

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

struct Manager <: ClusterManager
    has_begun::Base.RefValue{Bool}  # `addprocs` has called `launch`
end
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
    # On Windows what is not detached ends with the process that has launched it.
    command = Cmd(`$(params[:exename]) $(params[:exeflags]) --bind-to 127.0.0.1 --worker`; env = texts(request, "environment"), dir = params[:dir], detach = !Sys.iswindows())
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
        manager = Manager(Ref(false))
        try
            stay_somewhere()
            addprocs(manager; topology = Symbol(STATE[4]))
        catch ex                # Each request has been told its own fault, but for those that no `launch` has seen.
            manager.has_begun[] || fail_queued(describe(ex))
        end
        STATE[1] = false
        isempty(QUEUE) || add_workers()
    end
    nothing
end
# `addprocs` asks for the directory, which may have been deleted.
function stay_somewhere()
    try
        pwd()
    catch
        cd("/")
    end
    nothing
end
function fail_queued(fault::String)
    while !isempty(QUEUE)
        decide(popfirst!(QUEUE), fault)
    end
    nothing
end
function launch(m::Manager, params::Dict, launched::Array, changed::Condition)
    m.has_begun[] = true
    stay_open()
    end_at_once()
    while time_ns() / 1e9 < OPEN_UNTIL[]
        if isempty(QUEUE)
            wait(ASKED)
            continue
        end
        request = popfirst!(QUEUE)
        @async begin_launch(request, params, launched, changed)
        stay_open()
    end
    nothing
end
# Distributed's own hook, which `addprocs` has set just before the first time, waits for `addprocs`, and has workers killed one after the other, as if somebody
# else had done it. The last hook that is set runs first.
const HAS_HOOK = Ref(false)
function end_at_once()
    HAS_HOOK[] || atexit(() -> ccall(:_exit, Cvoid, (Cint,), 1))
    HAS_HOOK[] = true
    nothing
end
function stay_open()
    OPEN_UNTIL[] = time_ns() / 1e9 + LINGER_S
    Timer(_ -> notify(ASKED), LINGER_S + 0.1)
    nothing
end
function begin_launch(request::Request, params::Dict, launched::Array, changed::Condition)
    request.is_buried && return nothing
    try
        request.inner = manager_of(request)
        params = merge(params, own_parameters(request.inner, params), parameters_of(request))
        # Here Distributed gets to see the worker when it has told where it listens: it looks for that every 50 ms only.
        config = request.inner isa OtherMachine ? launch(request.inner, params, launched, changed) : launch_one(request, params)
        know_config(request, config)
        from = config.io
        if request.is_buried
            end_unseen(request)
        elseif request.inner isa OtherMachine
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
        Base.invokelatest(launch, request.inner, params, mine, Condition())
    else
        # What its command says on standard error is told apart from that of others.
        lock(TURNED) do
            errors = Pipe()
            Base.link_pipe!(errors; reader_supports_async = true)
            before = stderr
            redirect_stderr(errors.in)
            try
                Base.invokelatest(launch, request.inner, params, mine, Condition())
            finally
                redirect_stderr(before)
                close(errors.in)
                watch_output(request, errors, 0x02, nothing)
            end
        end
    end
    if length(mine) != 1
        foreach(end_process, mine)
        error("the manager has launched $(length(mine)) workers instead of one")
    end
    mine[1]
end
# Of a worker that was given up while its launch was under way.
function end_unseen(request::Request)
    if request.inner isa ThisMachine
        signal_worker(request, 9)
    elseif request.inner isa OtherMachine
        end_ssh(request)
    else
        end_process(request.config)
    end
    delete!(OF_CONFIG, request.config)
    nothing
end
# Where the manager has told which process it is.
function end_process(config::WorkerConfig)
    process = config.process
    process !== nothing && process_running(process) && kill(process, 9)
    nothing
end
function connect(m::Manager, id::Int, config::WorkerConfig)
    request = OF_CONFIG[config]
    request.id = id
    stay_open()
    try
        request.streams = Base.invokelatest(connect, request.inner, id, config)
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
    Base.invokelatest(manage, request.inner, id, config, op)
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

# What a manager of the user's declares, from Julia 1.6 on, when `addprocs` is called with it.
function own_parameters(manager::ClusterManager, params::Dict)
    isdefined(Distributed, :default_addprocs_params) || return Dict{Symbol,Any}()
    own = Distributed.default_addprocs_params
    Base.invokelatest(applicable, own, manager) || return Dict{Symbol,Any}()
    merge(Dict{Symbol,Any}(Base.invokelatest(own, manager)), Dict{Symbol,Any}(k => params[k] for k in (:topology, :lazy) if haskey(params, k)))
end

# A worker that has joined gets the runtime, and the host its connection: on this machine the worker makes it, elsewhere it is a relay's.
function begin_work(request::Request)
    try
        options = request.options
        is_local = request.inner isa ThisMachine
        secrets = hex2bytes(text(request, "secrets"))
        port = options["port"]::Int
        watch = haskey(options, "manager") ? text(request, "script") : ""
        remotecall_fetch(Core.eval, request.id, Distributed, Expr(:toplevel, Meta.parse(STATE[2]), :(MaltRelay.settle($(is_local ? Int(getpid()) : 0), $watch))))
        relay = is_local ? nothing : connect_host(request, port, secrets)
        request.ospid, version, machine = is_local ?
            remotecall_fetch(start, request.id, VERSION, text(request, "boot"), STATE[3], request.number, port, secrets, texts(request, "pipes"), Tuple{Char,Int}[(name, get(LENT, name, -1)) for name in text(request, "lent")]) :
            remotecall_fetch(start, request.id, VERSION, text(request, "boot"), STATE[5], request.number, 0, UInt8[], String[], Tuple{Char,Int}[])
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
    request.relay = Relay(request, prove(io, secrets))
end
