# SPDX-License-Identifier: MIT
# What the host is told of an exception.

const MAX_ERROR_TEXT = 64 << 20

# The exceptions that the current task handles, the cause first: each with its backtrace.
exceptions() = isdefined(Base, :current_exceptions) ? Base.current_exceptions() : Base.catch_stack()
alone(@nospecialize(ex)) = Any[(ex, nothing)]

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

# The user's part of a backtrace: what lies inside of the outermost `malt_entry` (where it is seen: boot.jl), without the `eval` or `include_string` that it called.
function user_frames(bt::Vector)
    frames = Base.StackTraces.StackFrame[]
    entry = 0
    for ip in bt
        for frame in frames_at(ip)::Vector{Base.StackTraces.StackFrame}
            push!(frames, frame)
            frame.func === :malt_entry && (entry = length(frames))
        end
        # What lies outside is C code of the host, whose debugging information is not ours to read.
        !isempty(frames) && is_called_by_c(frames[end]) && return resize!(frames, length(frames) - 1)
    end
    entry > 0 && resize!(frames, entry - 1)
    while !isempty(frames) && is_machinery(frames[end])
        pop!(frames)
    end
    frames
end
const HAS_NATIVES = Ref(false)          # functions that C calls, where this Julia lives in the host's process
is_called_by_c(frame) = HAS_NATIVES[] && startswith(string(frame.func), "malt_native_")
function is_machinery(frame)
    frame.from_c && return true
    name = string(frame.func)
    name == "eval" || name == "invokelatest" || name == "invokelatest_gr" || startswith(name, "#invokelatest#") || name == "include_string"
end

# What the host is told of the last of `exceptions`: its type, its message, and what Julia prints around its backtrace, with the causes.
# Where message and backtrace are printed together, as Julia does, only the first `before` bytes of the message come, then a line break.
struct ErrorTexts
    type::String
    message::String
    backtrace::String
    before::Int
end
printed(t::ErrorTexts) = isempty(t.backtrace) ? t.message : string(SubString(t.message, 1, prevind(t.message, t.before + 1)), '\n', t.backtrace)

# `showerror` may be the user's and may fail itself.
function describe_error(@nospecialize(job), @nospecialize(exceptions))
    type = string(nameof(typeof(exceptions[end][1])))
    scope = job === nothing ? Main : (job::Job).peer.home.scope
    limit = job === nothing ? 1 << 20 : min(MAX_ERROR_TEXT, (job::Job).peer.max_frame_bytes >> 2)
    stack = Any[(ex, bt === nothing ? nothing : user_frames(bt)) for (ex, bt) in exceptions]
    try
        as_user(job, error_texts, (type, stack, scope, limit))::ErrorTexts
    catch second
        message = string(type, " (and showing it failed with ", nameof(typeof(second)), ")")
        ErrorTexts(type, message, backtrace_text(stack[end][2], scope, limit), sizeof(message))
    end
end
# Types of the host's own module are called as they are in its code. Seen from Main, Julia does so by itself.
seen_from(scope::Module, @nospecialize(io)) = scope === Main ? io : IOContext(io, :module => scope)
function error_texts(type::String, stack::Vector{Any}, scope::Module, limit::Int)
    ex, bt = stack[end]
    message = bounded_text(io -> showerror(io, ex, bt; backtrace = false), scope, limit)
    bt === nothing && length(stack) == 1 && return ErrorTexts(type, message, "", sizeof(message))
    whole = bounded_text(io -> Base.show_exception_stack(io, stack), scope, limit)
    before = common_lines(message, whole)
    before < 0 && return ErrorTexts(type, chomp(whole), "", sizeof(whole))
    ErrorTexts(type, message, chomp(SubString(whole, before + 2)), before)
end
# How many bytes of the beginning are the same in both, up to the end of a line in both; -1: not even the first line.
function common_lines(a::String, b::String)
    n = min(sizeof(a), sizeof(b))
    last = -1
    same = startswith(b, a) ? n : 0
    while same < n && codeunit(a, same + 1) == codeunit(b, same + 1)
        codeunit(a, same + 1) == 0x0a && (last = same)
        same += 1
    end
    ends(s) = same == sizeof(s) || codeunit(s, same + 1) == 0x0a
    ends(a) && ends(b) ? same : last
end
function bounded_text(@nospecialize(print), scope::Module, limit::Int)
    buffer = IOBuffer(maxsize = limit, sizehint = 1024)
    print(seen_from(scope, IOContext(buffer, :limit => true)))
    s = String(take!(buffer))
    occursin('\0', s) && (s = replace(s, '\0' => '\ufffd'))       # which ends texts in C
    sizeof(s) < limit ? s : shorten(s, limit)
end
function backtrace_text(@nospecialize(frames), scope::Module, limit::Int)
    frames === nothing && return ""
    try
        String(lstrip(bounded_text(io -> Base.show_backtrace(io, frames), scope, limit), '\n'))
    catch
        ""
    end
end

function put_error!(e::Encoder, class::UInt8, texts::ErrorTexts)
    emit!(e, class)
    for text in (texts.type, texts.message, texts.backtrace)
        emit!(e, 0x20)
        put_text!(e, text)
    end
    emit!(e, texts.before % UInt32)
    nothing
end
