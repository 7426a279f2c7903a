# SPDX-License-Identifier: MIT
# What the host is told of an exception.

const MAX_MESSAGE = 1 << 20
const MAX_FRAMES = 4000                 # of a backtrace; a stack overflow has 80000

# Looking an address up in the debugging information is what makes errors slow, and the same addresses come again.
const FRAMES = IdDict{Any,Any}()
function frames_at(@nospecialize(ip))
    ip isa Ptr || return Base.StackTraces.lookup(ip)
    found = get(FRAMES, ip, nothing)
    if found === nothing
        length(FRAMES) < 20000 || empty!(FRAMES)
        found = FRAMES[ip] = Base.StackTraces.lookup(ip)
    end
    found
end

# The user's part of a backtrace: what lies inside of the outermost `malt_entry`, without the `eval` or `invokelatest` that it called.
function user_frames(bt::Vector)
    frames = Base.StackTraces.StackFrame[]
    n = length(bt)
    for i in 1:n
        n > MAX_FRAMES && 1000 < i < n - 200 && continue
        for frame in frames_at(bt[i])::Vector{Base.StackTraces.StackFrame}
            push!(frames, frame)
        end
        # What lies outside is C code of the host, whose debugging information is not ours to read.
        !isempty(frames) && is_called_by_c(frames[end]) && return resize!(frames, length(frames) - 1)
    end
    entry = 0
    for i in 1:length(frames)
        frames[i].func === :malt_entry && (entry = i)
    end
    if entry > 0
        resize!(frames, entry - 1)
        while !isempty(frames) && is_machinery(frames[end])
            pop!(frames)
        end
    end
    frames
end
const HAS_NATIVES = Ref(false)          # functions that C calls, where this Julia lives in the host's process
is_called_by_c(frame) = HAS_NATIVES[] && startswith(string(frame.func), "malt_native_")
function is_machinery(frame)
    frame.from_c && return true
    name = string(frame.func)
    name == "eval" || name == "invokelatest" || name == "invokelatest_gr" || startswith(name, "#invokelatest#") || name == "include_string" ||
        name == "show_as_repl"
end

# Exception type, message and backtrace as texts. `showerror` may be the user's and may fail itself.
function describe_error(@nospecialize(job), @nospecialize(ex), bt::Vector)
    type = string(nameof(typeof(ex)))
    scope = job === nothing ? Main : (job::Job).peer.home.scope
    message = try
        as_user(job, error_message, (ex, scope))::String
    catch second
        string(type, " (and showing it failed with ", nameof(typeof(second)), ")")
    end
    trace = try
        error_trace(bt, scope)
    catch
        ""
    end
    type, message, trace
end
# Types of the host's own module are called as they are in its code. Seen from Main, Julia does so by itself.
seen_from(scope::Module, @nospecialize(io)) = scope === Main ? io : IOContext(io, :module => scope)
function error_message(@nospecialize(ex), scope::Module)
    io = IOBuffer(maxsize = MAX_MESSAGE)
    showerror(seen_from(scope, io), ex)
    s = String(take!(io))
    sizeof(s) < MAX_MESSAGE ? s : shorten(s, MAX_MESSAGE)
end
function error_trace(bt::Vector, scope::Module)
    frames = user_frames(bt)
    isempty(frames) && return ""
    io = IOBuffer(maxsize = MAX_MESSAGE)
    Base.show_backtrace(seen_from(scope, io), frames)
    String(lstrip(String(take!(io)), '\n'))
end

function put_error!(e::Encoder, class::UInt8, texts::Tuple{String,String,String})
    emit!(e, class)
    for text in texts
        emit!(e, 0x20)
        put_text!(e, text)
    end
    nothing
end
