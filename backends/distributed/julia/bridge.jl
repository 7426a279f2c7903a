# SPDX-License-Identifier: MIT
# The bridge: process 1 of a cluster of Distributed. The host's requests are calls of the functions at the end of this file.
#
# Workers are added by `addprocs` with a manager of ours, which hands everything on to the manager that the worker's options name, and
# watches what it does: which worker belongs to which request, what its launch command prints, when it is gone. `addprocs` takes one
# caller at a time, and at least a second for each (Julia 1.5 to 1.12); so its `launch` stays open and takes in what
# is asked for meanwhile, and a worker is ready as soon as it answers, whatever `addprocs` still waits for.
#
# Between the host's socket and a worker, bytes pass unread. One task of a relay waits for the host; when something comes it leaves that to another, takes
# the chunk to the worker itself, and brings back what the call returns.
using ..Distributed, ..Sockets
import Distributed: launch, manage, connect
using ..MaltRelay: exchange, accept, notice_silence, prove, start, ENDS

# How long `launch` stays open. A worker that dies while Distributed introduces itself to it keeps `addprocs` for that timeout, and nobody else can be added
# by another `addprocs` meanwhile.
const LINGER_S = parse(Float64, get(ENV, "JULIA_WORKER_TIMEOUT", "60")) + 10.0
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
    is_buried::Bool             # the host has given it up
    gone::Any                   # Base.Event
    tail::Vector{UInt8}         # what it, or the command that launches it, printed last
    readers::Vector{Any}        # tasks that read that
    relay::Any
end
Request(number, options) =
    Request(number, options, nothing, false, 0, nothing, 0, nothing, Base.Process[], Dict{Int,Channel{Bool}}(), 0, "", Base.Event(), false, false, false, Base.Event(),
            UInt8[], Any[], nothing)
const REQUESTS = Dict{Int,Request}()
const OF_CONFIG = IdDict{Any,Request}()
const QUEUE = Request[]
const ASKED = Condition()       # something is in the queue, or it may be time to close
const OPEN_UNTIL = Ref(0.0)
# Does `addprocs` run; texts of MaltRelay and of the runtime of a worker here; topology; text of the runtime of a worker elsewhere.
const STATE = Any[false, "", "", "", ""]
const PRINTED = Any[]           # worker's number, stream, bytes: what the host has to be told
const HAS_PRINTED = Condition()

# Ends

function end_worker(request::Request)
    request.is_gone && return nothing
    @async signal_worker(request, 9)
    nothing
end
is_running(request::Request) = request.config !== nothing && request.config.process !== nothing && process_running(request.config.process)
# What stands for SIGINT on Windows would end the process.
signal_process(pid, signum::Int) = !(Sys.iswindows() && signum == 2) && ccall(:uv_kill, Cint, (Cint, Cint), pid, signum) == 0
# Did the signal reach it?
function signal_worker(request::Request, signum::Int)
    request.is_gone && return false
    config = request.config
    if request.inner isa ThisMachine
        is_running(request) || return false
        pid = getpid(config.process)
        return signal_process(signum == 9 && !Sys.iswindows() ? -pid : pid, signum)
    elseif request.is_beside
        return signal_process(request.ospid, signum)
    elseif request.inner isa OtherMachine
        return signal_machine(request, signum)
    elseif signum == 2 && request.id != 0
        Base.invokelatest(manage, request.inner, request.id, config, :interrupt)
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

# The host's streams, under numbers that workers inherit. The bridge itself reads and writes nothing.
const LENT = Dict{Char,Int}()
function keep_stream(name::Char)
    n = parse(Int, string(name))
    LENT[name] = reinterpret(Int32, Base.Libc.dup(RawFD(n)))
    (redirect_stdin, redirect_stdout, redirect_stderr)[n + 1](open("/dev/null", n == 0 ? "r" : "w"))
    nothing
end

# What the host calls

# `relay` is the text that defines MaltRelay; `direct` and `chunked` are texts of the runtime, with different transports; `lent` the streams of the host that
# this process has been given for its workers.
function begin_bridge(relay::String, direct::String, chunked::String, topology::String, setup::String, lent::String)
    foreach(keep_stream, lent)
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
# How it ended: exit code and signal (-1, -1: not known), what was printed last. The worker is forgotten. What has not ended by itself within
# `patience` seconds is ended: a process that exits closes its connection some time before.
function bury(number::Int, patience::Float64)
    request = pop!(REQUESTS, number, nothing)
    request === nothing && return (-1, -1, "")
    # What its launch has not shown yet ends as soon as it does.
    request.is_buried = true
    decide(request, "the host has given it up")
    status = (-1, -1)
    if request.inner isa ThisMachine && request.config !== nothing
        process = request.config.process
        patience > 0 && timedwait(() -> process_exited(process), patience; pollint = 0.002)
        process_exited(process) && (status = (process.exitcode % Int, process.termsignal % Int))
    end
    end_worker(request)
    if request.inner isa ThisMachine && request.config !== nothing
        timedwait(() -> process_exited(process), LAST_S; pollint = 0.002)
        await_readers(request, 0.2)
    elseif !isempty(request.ssh)
        end_ssh(request)
        await_readers(request, 0.2)
        status = status_of(request.ssh[1])
    end
    request.config === nothing || delete!(OF_CONFIG, request.config)
    # The host gets what was printed before it hears of the end.
    any(piece -> piece[1] == number, PRINTED) && timedwait(() -> !any(piece -> piece[1] == number, PRINTED), LOST_S; pollint = 0.001)
    (status..., String(copy(request.tail)))
end
