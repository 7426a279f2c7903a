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
# Signals. A SIGINT is thrown into the code that runs, so all code of the runtime runs masked (`mask`), and only user code and idle
# waits do not. Entering a `catch` restores the level that its `try` began with, so the `mask` that ends an unmasked stretch
# stands inside the `try`. While no call is in user code at all, the process ignores SIGINT: Julia drops a signal whose handler is not in
# place, and so a late one cannot end up in a task of the user's that has finished, where nothing catches it.
#
# Compilation is what a first answer costs. So arguments of unknown types are not specialised on, the containers are of types that
# Julia's system image has compiled, and what most requests do not need is called through `late`: a caller is compiled together with all
# that it calls in a way that inference can follow.
Base.Experimental.@optlevel 1

mask() = ccall(:jl_sigatomic_begin, Cvoid, ())
unmask() = ccall(:jl_sigatomic_end, Cvoid, ())
const N_USERS = Ref(0)          # calls in user code
const SIGINT = Cint(2)
const SIGINT_ACTIONS = Any[]    # two `struct sigaction`, Julia's own and one that ignores; none where there are no such things
function save_signals()
    Sys.isunix() || return nothing
    julia = zeros(UInt8, 256)
    ignore = zeros(UInt8, 256)
    ignore[1] = 0x01            # SIG_IGN; the handler comes first
    ccall(:sigaction, Cint, (Cint, Ptr{UInt8}, Ptr{UInt8}), SIGINT, C_NULL, julia)
    push!(SIGINT_ACTIONS, julia, ignore)
    N_USERS[] == 0 && act_on_signals(2)
    nothing
end
function act_on_signals(which::Int)
    isempty(SIGINT_ACTIONS) ||
        ccall(:sigaction, Cint, (Cint, Ptr{UInt8}, Ptr{UInt8}), SIGINT, SIGINT_ACTIONS[which]::Vector{UInt8}, C_NULL)
    nothing
end
function enter_user_code()
    N_USERS[] += 1
    N_USERS[] == 1 && act_on_signals(1)
    nothing
end
function leave_user_code()
    N_USERS[] -= 1
    N_USERS[] == 0 || return nothing
    act_on_signals(2)
    swallow_signal()
end
# A signal that came too late for the code it was meant for must not be thrown into whatever task runs unmasked next, which may belong to somebody else.
function swallow_signal()
    try
        unmask()
        mask()
    catch
    end
    nothing
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
    forced::Bool                    # busy code may be interrupted by address
end
Peer(@nospecialize(link)) =
    Peer(link, MAIN, IdDict(), IdDict(), IdDict(), 0, IdDict(), 0, 8 << 30, 0, false, false)

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
            peer.forced = pair[2] == "force"
            peer.forced && force_interrupts()
        elseif pair[1] == "output"
            direct_output!(peer, String(pair[2]))
        end
    end
end

# A signal that comes while the task idles that ended last is thrown by Julia into the task of the REPL, if there is one.
function survive_signals()
    ccall(:jl_exit_on_sigint, Cvoid, (Cint,), 0)
    catcher = Task(() -> (mask(); rest_forever()))
    schedule(catcher)
    yield()
    Core.eval(Base, Expr(:(=), :active_repl_backend, (backend_task = catcher, in_eval = true, ast_transforms = Any[])))
    nothing
end

# Only a runtime whose output does not leave by pipes of its own sends it by frames (hostio.jl).
function direct_output! end
# Only one that shares its process with others has code interrupted by address.
function force_interrupts end
function force_enter end
function force_leave end

# Runs `f` as user code: a signal or an interrupt may end it. `job` is the Job it belongs to, or `nothing`.
function as_user(@nospecialize(job), @nospecialize(f), @nospecialize(args::Tuple))
    job === nothing || (job.user = true)
    enter_user_code()
    try
        unmask()
        value = Base.invokelatest(f, args...)
        mask()
        return value
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
