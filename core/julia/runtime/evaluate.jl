# SPDX-License-Identifier: MIT
# Running user code: source texts, functions by name, and what the REPL would print.
#
# Everything of the user's is entered through `enter`: behind it backtraces end (boot.jl). What belongs to a job is `@exposed` there (peer.jl).

enter(m::Module, @nospecialize(code)) = ENTER[1](m, code)
enter(@nospecialize(f), args::Tuple, ::Nothing) = enter(f, args)
enter(@nospecialize(f), args::Tuple, kwargs::NamedTuple) =
    isdefined(Core, :kwcall) ? enter(Core.kwcall, Core.tuple(kwargs, f, args...)) : enter(Core.kwfunc(f), Core.tuple(kwargs, f, args...))
function enter_path(m::Module, path::Vector{Any})
    x = m
    for name in path
        x = enter(getproperty, Core.tuple(x, name))
    end
    x
end

# `nothing` is the module of the host, mostly Main; otherwise a dotted path that begins there or with Main.
function module_named(peer::Peer, @nospecialize(name))
    name === nothing ? peer.home.scope : late(module_at, peer.home.scope, name)::Module
end
function module_at(scope::Module, name::String)
    path = Any[Symbol(part) for part in split(name, '.')]
    if path[1] === :Main
        popfirst!(path)
        scope = Main
    end
    m = enter_path(scope, path)
    m isa Module || throw(ArgumentError("$name is not a module"))
    m
end

# The home of a host that names a module: one that is there, or a new one, which no other host has.
const HOMES = IdDict{Any,Any}()
function home_named(name::String)
    scope = name == "new" ? new_module() : module_at(Main, name)
    scope === Main && return MAIN
    get!(() -> Home(scope), HOMES, scope)::Home
end
function new_module()
    m = Module(gensym("malt"), true)
    Core.eval(m, :(eval(x) = Core.eval($m, x)))
    Core.eval(m, :(include(path) = Base.include($m, path)))
    m
end

# Code that was lowered before, by module and text. Only what means the same whenever it is lowered is kept: straight-line code
# without macros, definitions, closures or assignments.
const LOWERED = IdDict{Any,Any}()
const MAX_LOWERED = 512

is_cacheable_head(h::Symbol) =
    h === :call || h === :ref || h === :tuple || h === :vect || h === :hcat || h === :vcat || h === :row || h === :curly || h === :. ||
    h === :kw || h === :parameters || h === :string || h === :... || h === :typed_vcat || h === :typed_hcat
function is_cacheable(@nospecialize(ex))
    ex isa QuoteNode && return !(ex.value isa Expr)
    ex isa Expr || return !(ex isa LineNumberNode)
    is_cacheable_head(ex.head) || return false
    for arg in ex.args
        is_cacheable(arg) || return false
    end
    true
end
# Lowered code that some versions would have to compile, or that branches, is not for evaluating twice either.
function is_straight(@nospecialize(lowered))
    lowered isa Expr && lowered.head === :thunk || return false
    for statement in (lowered.args[1]::Core.CodeInfo).code
        statement isa Expr && statement.head !== :call && statement.head !== :return && return false
        name = nameof(typeof(statement))
        (name === :GotoNode || name === :GotoIfNot) && return false
    end
    true
end

function evaluate_source(m::Module, source::String, @nospecialize(file))
    file === nothing || return late(evaluate_named, m, source, file)
    texts = get(LOWERED, m, nothing)
    if texts !== nothing
        thunk = get(texts::Dict{String,Any}, source, nothing)
        thunk === nothing || return @exposed enter(m, Expr(:thunk, copy(thunk::Core.CodeInfo)))
    end
    ex = Base.parse_input_line(source)
    if sizeof(source) < 4096 && ex isa Expr && ex.head === :toplevel && length(ex.args) == 2
        # Lowered together with its line, as evaluating the whole would do.
        if ex.args[1] isa LineNumberNode && ex.args[2] isa Expr && is_cacheable(ex.args[2])
            lowered = Meta.lower(m, Expr(:block, ex.args[1], ex.args[2]))
            if is_straight(lowered)
                remember(m, source, lowered.args[1])
                return @exposed enter(m, Expr(:thunk, copy(lowered.args[1]::Core.CodeInfo)))
            end
        end
    end
    @exposed enter(m, ex)
end
function remember(m::Module, source::String, @nospecialize(code))
    length(LOWERED) < 64 || empty!(LOWERED)
    texts = get(LOWERED, m, nothing)
    texts === nothing && (texts = LOWERED[m] = Dict{String,Any}())
    length(texts) < MAX_LOWERED || empty!(texts)
    (texts::Dict{String,Any})[source] = code
    nothing
end

# The text of a file: `include` looks beside it. What does not parse is left to Julia, which says where, and evaluates what comes before.
function evaluate_named(m::Module, source::String, file::String)
    task_local_storage(:SOURCE_PATH, abspath(file))
    ex = Base.parse_input_line(source; filename = file)
    entered, code = parses(ex) ? (m, ex) : (Base.include_string, (m, source, file))
    @exposed enter(entered, code)
end
function parses(@nospecialize(ex))
    ex isa Expr && ex.head === :toplevel && !isempty(ex.args) && (ex = ex.args[end])
    !(ex isa Expr && (ex.head === :error || ex.head === :incomplete))
end

# The worker's program, where Julia's root task cannot have it: run and ended as Julia does it, if the process is the worker's alone.
function run_program(@nospecialize(job))
    take_program(job.what::String, job.file::String)
    if OWNS_PROCESS && job.file != "-"      # which not each Julia knows
        forget_option(:worker)
        forget_option(:commands)
        enter(Base._start, ())
        ENTER[1](0)
    elseif job.file == "-"
        enter(Base.include_string, (job.peer.home.scope, read(stdin, String), "stdin"))
        OWNS_PROCESS && ENTER[1](0)
    else
        enter(Base.include, (job.peer.home.scope, abspath(job.file::String)))
    end
    nothing
end
# By which this process was made a worker, and Julia would do so again.
function forget_option(name::Symbol)
    for i in 1:fieldcount(Base.JLOptions)
        fieldname(Base.JLOptions, i) === name || continue
        T = fieldtype(Base.JLOptions, i)
        unsafe_store!(Ptr{T}(cglobal(:jl_options) + fieldoffset(Base.JLOptions, i)), T(0))
    end
end

# A function by its text: a dotted name is looked up each time, `args -> body` is compiled once unless a macro could change it,
# anything else is evaluated each time.
const CALLABLES = IdDict{Any,Any}()
function callable(m::Module, source::String)
    texts = get(CALLABLES, m, nothing)
    texts === nothing && (texts = CALLABLES[m] = Dict{String,Any}())
    found = get(texts::Dict{String,Any}, source, nothing)
    if found === nothing
        ex = Meta.parse(source; raise = false)
        found = path_of(ex)
        if found === nothing
            ex isa Expr && ex.head === :-> && !has_macro(ex) || return evaluate_source(m, source, nothing)
            found = Ref{Any}(@exposed(enter(m, ex)))
        end
        length(texts) < MAX_LOWERED || empty!(texts)
        (texts::Dict{String,Any})[source] = found
    end
    found isa Vector{Any} ? @exposed(enter_path(m, found)) : (found::Base.RefValue{Any})[]
end
function path_of(@nospecialize(ex))
    ex isa Symbol && return Any[ex]
    ex isa Expr && ex.head === :. && length(ex.args) == 2 || return nothing
    last = ex.args[2]
    last isa QuoteNode && (last = last.value)
    last isa Expr && last.head === :quote && (last = last.args[1])
    last isa Symbol || return nothing
    path = path_of(ex.args[1])
    path === nothing ? nothing : push!(path, last)
end
function has_macro(@nospecialize(ex))
    ex isa Expr || return false
    ex.head === :macrocall && return true
    for arg in ex.args
        has_macro(arg) && return true
    end
    false
end

# What the REPL prints for a value. `options` is (rows, columns, colour) or `nothing`.
function displayed(m::Module, @nospecialize(x), @nospecialize(options))
    x === nothing && return nothing
    rows, columns, colour = options === nothing ? (24, 80, false) : options
    buffer = IOBuffer()
    io = IOContext(buffer, :limit => true, :module => m, :displaysize => (Int(rows), Int(columns)), :color => colour === true)
    @exposed enter(show, (io, MIME("text/plain"), x))
    String(take!(buffer))
end

# Whether the last token of a source is a semicolon, by which the REPL is told to print nothing. Strings, characters and comments are
# walked over. All that matters is ASCII, so bytes will do. `open` holds the delimiters around a place: a quote or backquote, once or
# three times, and the parenthesis of an interpolation.
function ends_with_semicolon(source::String)
    s = Vector{UInt8}(source)
    append!(s, UInt8[0x20, 0x20, 0x20])             # so that looking ahead is safe
    n = length(s) - 3
    open = Any[]
    found = false
    after_word = false                              # there, an apostrophe transposes
    i = 1
    while i <= n
        c = s[i]
        if !isempty(open) && open[end] != (0x28, 1)
            quote_byte, times = open[end]::Tuple{UInt8,Int}
            if c == 0x5c                            # \
                i += 1
            elseif c == 0x24 && s[i + 1] == 0x28    # $(
                push!(open, (0x28, 1))
                i += 1
            elseif c == quote_byte && (times == 1 || s[i + 1] == s[i + 2] == c)
                pop!(open)
                i += times - 1
                after_word = true
            end
        elseif c == 0x23                            # #
            i = skip_comment(s, i, n)
        elseif c == 0x27 && !after_word             # '
            i = skip_character(s, i, n)
            found = false
            after_word = true
        elseif c == 0x22 || c == 0x60               # " `
            times = s[i + 1] == s[i + 2] == c ? 3 : 1
            push!(open, (c, times))
            i += times - 1
            found = false
        elseif c > 0x20
            isempty(open) || (c == 0x28 ? push!(open, (0x28, 1)) : c == 0x29 && pop!(open))
            found = c == 0x3b                       # ;
            after_word = is_word_end(c)
        else
            after_word = false
        end
        i += 1
    end
    found && isempty(open)
end
# The last byte of a comment that begins at `i`.
function skip_comment(s::Vector{UInt8}, i::Int, n::Int)
    nested = s[i + 1] == 0x3d ? 0 : -1              # #= counts
    while i <= n
        if nested < 0
            s[i] == 0x0a && break
        elseif s[i] == 0x23 && s[i + 1] == 0x3d
            nested += 1
            i += 1
        elseif s[i] == 0x3d && s[i + 1] == 0x23
            nested -= 1
            i += 1
            nested == 0 && break
        end
        i += 1
    end
    i
end
# The closing apostrophe of a character that begins at `i`.
function skip_character(s::Vector{UInt8}, i::Int, n::Int)
    i += s[i + 1] == 0x5c ? 3 : 2
    while i <= n && s[i] != 0x27
        i += 1
    end
    i
end
is_word_end(c::UInt8) =
    c >= 0x80 || 0x30 <= c <= 0x39 || 0x41 <= c <= 0x5a || 0x61 <= c <= 0x7a || c in (0x5f, 0x21, 0x29, 0x5d, 0x7d, 0x27)
