# SPDX-License-Identifier: MIT
# The state that belongs to one host, and the primitives that keep signals away from everything that is not user code.
#
# The runtime is joined from the files that ORDER names and loaded into a module that no name leads to. It knows no transport:
# frames come from a Source (decode.jl) and leave through `transmit(link, encoder)`, which each transport defines.
#
# World ages. A task runs in the world in which it, or the function that `invokelatest` called, began; what user code has defined since
# is invisible to it, and newer Julia does not even see a name that is younger. Each request is therefore run, and each result encoded,
# by one `invokelatest`, and whatever may call the user's methods after that goes through another.
#
# Signals: the one invariant. Everything of ours runs masked (Julia defers signals) and with SIGINT ignored by the process; or a
# judge stands before Julia's handler and drops whatever it has not sent itself. Signals are enabled in these places only:
#   - `@exposed f(x)`: code of the user's, in a task that knows what to do with an exception;
#   - `@idle f(x)`: a wait of ours that can be left and begun again, so that what comes there hits nobody;
#   - the lines of the boot, of its transports and of the bridge that say `sigatomic_end`, which are of these two kinds, too.
# All are entered masked, in a `try` that was entered masked, and are masked again at their end: by their last statement, or because entering
# a `catch` restores the level with which its `try` began. A new task begins unmasked, so it is begun by `begin_masked`. Julia drops a SIGINT whose handler is
# not in place, which is of the whole process: so a wait of ours that stays masked is `@resting`. What has come through before and was meant for code that has ended is swallowed then (`swallow_signal`). So no signal
# outlives what it was sent for. Whom the judge may hit, its page says (judge.jl): the task of a call with a place there, where signals
# are enabled; nothing of ours is both.
#
# Compilation is what a first answer costs. So arguments of unknown types are not specialised on, the containers are of types that
# Julia's system image has compiled, and what most requests do not need is called through `late`: a caller is compiled together with all
# that it calls in a way that inference can follow.
Base.Experimental.@optlevel 1

mask() = ccall(:jl_sigatomic_begin, Cvoid, ())
unmask() = ccall(:jl_sigatomic_end, Cvoid, ())
const N_USERS = Ref(0)          # calls in user code
const SIGINT = Cint(2)
const SIGINT_ACTIONS = Any[]    # two `struct sigaction`, Julia's own and one that ignores; none where there are no such things, or the judge is the gate
function save_signals()
    Sys.isunix() && !is_gated() || return nothing
    julia = zeros(UInt8, 256)
    ignore = zeros(UInt8, 256)
    ignore[1] = 0x01            # SIG_IGN; the handler comes first
    ccall(:sigaction, Cint, (Cint, Ptr{UInt8}, Ptr{UInt8}), SIGINT, C_NULL, julia)
    push!(SIGINT_ACTIONS, julia, ignore)
    act_on_signals(2)
end
# A program has its signals to itself.
function act_on_signals(which::Int)
    isempty(SIGINT_ACTIONS) || which == 2 && PROGRAM[1] !== nothing ||
        ccall(:sigaction, Cint, (Cint, Ptr{UInt8}, Ptr{UInt8}), SIGINT, SIGINT_ACTIONS[which]::Vector{UInt8}, C_NULL)
    nothing
end
# While no call is in user code, nobody is to be hit.
arm() = (N_USERS[] > 0 && act_on_signals(1); nothing)
disarm() = (N_USERS[] > 0 && act_on_signals(2); nothing)
expose() = (arm(); unmask())
cover() = (mask(); disarm())
macro exposed(call)
    quote
        expose()
        local value = $(esc(call))
        cover()
        value
    end
end
# False if it was left by an exception.
macro idle(call)
    quote
        try
            expose()
            $(esc(call))
            cover()
            true
        catch
            catch_signal()
            false
        end
    end
end
# Behind a `cover`: what may let other tasks run must not leave their code deaf.
macro resting(call)
    quote
        arm()
        local value = $(esc(call))
        disarm()
        value
    end
end
# In the `catch` of what was left, if that hits nobody.
catch_signal() = (act_on_signals(2); note_swallowed())
enter_user_code() = (N_USERS[] += 1; nothing)
function leave_user_code()
    act_on_signals(2)
    N_USERS[] -= 1
    swallow_signal()
end
# True if there was one.
function swallow_signal()
    try
        unmask()
        mask()
        return false
    catch
        note_swallowed()
        return true
    end
end
# Schedules a task that is masked already: what is pending would be thrown into a new one before its first statement.
function begin_masked(@nospecialize(f))
    swallow_signal()
    creator = current_task()
    task = Task(() -> (mask(); yieldto(creator); f()), STACK)
    yieldto(task)
    schedule(task)
end

const late = Base.invokelatest
world() = ccall(:jl_get_world_counter, UInt, ())

# The module in which a host's code is evaluated and its names are looked up, and what depends on that module: how it calls the types
# that are not its own.
struct Home
    scope::Module
    entries::IdDict{Any,Any}        # type => TypeEntry
    named::Dict{String,Any}         # name => type, for as long as nothing new is defined
    world::Vector{Any}              # when `named` was begun
end
Home(scope::Module) = Home(scope, IdDict(), Dict{String,Any}(), Any[UInt(0)])
const MAIN = Home(Main)

mutable struct Peer
    link::Any
    home::Home
    jobs::IdDict{Any,Any}           # call id => Job that is not answered yet
    channels::IdDict{Any,Any}       # channel id => Subscription
    handles::IdDict{Any,Any}        # handle id => object
    n_handles::UInt64               # ids given so far; each sending of an object gets its own
    host_calls::IdDict{Any,Any}     # id => HostCall that waits for its result
    n_host_calls::UInt32
    max_frame_bytes::Int
    n_frames::Int                   # received
    ended::Bool                     # the host has gone
    number::UInt64                  # of the host among those that share this runtime; 0 where there is one
end
Peer(@nospecialize(link)) =
    Peer(link, MAIN, IdDict(), IdDict(), IdDict(), 0, IdDict(), 0, 8 << 30, 0, false, number_of(link))
# Only a runtime that shares its process with others has several hosts.
number_of(@nospecialize(link)) = UInt64(0)

# Settings come as lines `name=value`; unknown ones are for newer runtimes.
function configure(peer::Peer, text::String)
    for line in split(text, '\n')
        pair = split(line, '='; limit = 2)
        length(pair) == 2 || continue
        if pair[1] == "max-frame-bytes"
            peer.max_frame_bytes = parse(Int, pair[2])
        elseif pair[1] == "module"
            peer.home = home_named(String(pair[2]))
        elseif pair[1] == "interrupt-busy"
            pair[2] == "force" && force_interrupts()
        elseif pair[1] == "output"
            direct_output!(peer, String(pair[2]))
        end
    end
end

# A signal that comes while the task idles that ended last is thrown by Julia into the task of the REPL, if there is one.
function survive_signals()
    ccall(:jl_exit_on_sigint, Cvoid, (Cint,), 0)
    catcher = begin_masked(rest_forever)
    Core.eval(Base, Expr(:(=), :active_repl_backend, (backend_task = catcher, in_eval = true, ast_transforms = Any[])))
    nothing
end

# Only a runtime whose output does not leave by pipes of its own sends it by frames (hostio.jl).
function direct_output! end
# A runtime that shares its process with others has the judge only when a host wants it.
function force_interrupts end

# Runs `f` as user code: a signal or an interrupt may end it. `job` is the Job it belongs to, or `nothing`.
function as_user(@nospecialize(job), @nospecialize(f), @nospecialize(args::Tuple))
    job === nothing || (job.user = true)
    enter_user_code()
    try
        return @exposed Base.invokelatest(f, args...)
    finally
        leave_user_code()
        job === nothing || (job.user = false)
    end
end

# Handles.
function keep!(peer::Peer, @nospecialize(x))
    id = peer.n_handles += 1
    peer.handles[id] = x
    id
end
function release!(peer::Peer, id::UInt64)
    delete!(peer.handles, id)
    nothing
end
