# SPDX-License-Identifier: MIT
# Running user code: source texts, functions by name, and what the REPL would print.
#
# Everything of the user's is entered through a method of `malt_entry`: that name is where backtraces are cut.

@noinline malt_entry(m::Module, @nospecialize(code)) = Core.eval(m, code)
@noinline malt_entry(f, args::Tuple, ::Nothing) = Base.invokelatest(f, args...)
@noinline malt_entry(f, args::Tuple, kwargs::NamedTuple) = Base.invokelatest(f, args...; kwargs...)
@noinline function malt_entry(m::Module, path::Vector{Any})
    x = m
    for name in path
        x = Base.invokelatest(getproperty, x, name)
    end
    x
end

# `nothing` is Main; otherwise a dotted path that begins in Main.
function module_named(@nospecialize(name))
    name === nothing ? Main : late(module_at, name)::Module
end
function module_at(name::String)
    path = Any[Symbol(part) for part in split(name, '.')]
    path[1] === :Main && popfirst!(path)
    m = malt_entry(Main, path)
    m isa Module || throw(ArgumentError("$name is not a module"))
    m
end

# Code that was lowered before, by module and text. Only what means the same whenever it is lowered is kept: straight-line code
# without macros, definitions, closures or assignments.
const LOWERED = IdDict{Any,Any}()
const MAX_LOWERED = 512

const CACHEABLE_HEADS = IdDict{Any,Any}()
for head in Any[:call, :ref, :tuple, :vect, :hcat, :vcat, :row, :curly, :parameters, :kw, :., :..., :string, :typed_vcat, :typed_hcat]
    CACHEABLE_HEADS[head] = true
end
function is_cacheable(@nospecialize(ex))
    ex isa QuoteNode && return !(ex.value isa Expr)
    ex isa Expr || return !(ex isa LineNumberNode)
    haskey(CACHEABLE_HEADS, ex.head) || return false
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
    plain = file === nothing
    if plain
        texts = get(LOWERED, m, nothing)
        if texts !== nothing
            thunk = get(texts::Dict{String,Any}, source, nothing)
            thunk === nothing || return malt_entry(m, Expr(:thunk, copy(thunk::Core.CodeInfo)))
        end
    end
    ex = plain ? Base.parse_input_line(source) : Base.parse_input_line(source; filename = file::String)
    if plain && sizeof(source) < 4096 && ex isa Expr && ex.head === :toplevel && length(ex.args) == 2
        # Lowered together with its line, as evaluating the whole would do.
        if ex.args[1] isa LineNumberNode && ex.args[2] isa Expr && is_cacheable(ex.args[2])
            lowered = Meta.lower(m, Expr(:block, ex.args[1], ex.args[2]))
            if is_straight(lowered)
                remember(m, source, lowered.args[1])
                return malt_entry(m, Expr(:thunk, copy(lowered.args[1]::Core.CodeInfo)))
            end
        end
    end
    malt_entry(m, ex)
end
function remember(m::Module, source::String, @nospecialize(code))
    length(LOWERED) < 64 || empty!(LOWERED)
    texts = get(LOWERED, m, nothing)
    texts === nothing && (texts = LOWERED[m] = Dict{String,Any}())
    length(texts) < MAX_LOWERED || empty!(texts)
    (texts::Dict{String,Any})[source] = code
    nothing
end

# As Julia evaluates a file: each expression after the one before has run, errors as LoadError, `include` relative to the file.
function evaluate_script(m::Module, source::String, @nospecialize(file))
    name = file === nothing ? "none" : file::String
    storage = task_local_storage()
    before = get(storage, :SOURCE_PATH, nothing)
    storage[:SOURCE_PATH] = file === nothing ? nothing : abspath(name)
    try
        return malt_entry(Base.include_string, (m, source, name), nothing)
    finally
        storage[:SOURCE_PATH] = before
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
            found = Ref{Any}(malt_entry(m, ex))
        end
        length(texts) < MAX_LOWERED || empty!(texts)
        (texts::Dict{String,Any})[source] = found
    end
    found isa Vector{Any} ? malt_entry(m, found) : (found::Base.RefValue{Any})[]
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
    malt_entry(show_as_repl, (m, x, Int(rows), Int(columns), colour === true), nothing)
end
function show_as_repl(m::Module, @nospecialize(x), rows::Int, columns::Int, colour::Bool)
    buffer = IOBuffer()
    io = IOContext(buffer, :limit => true, :module => m, :displaysize => (rows, columns), :color => colour)
    Base.invokelatest(show, io, MIME("text/plain"), x)
    String(take!(buffer))
end

# Whether the last token of a source is a semicolon, by which the REPL is told to print nothing. Strings, characters and comments are
# walked over; `stack` holds the delimiters that are open around a place.
function ends_with_semicolon(source::String)
    found = false
    i, n = 1, sizeof(source)
    stack = Any[]
    word_before = false                 # a quote after a word or a bracket is the transpose operator
    while i <= n
        c = source[i]
        top = isempty(stack) ? "" : stack[end]::String
        if top == "\"" || top == "`" || top == "\"\"\"" || top == "```"
            if c == '\\'
                i = nextind(source, i)
            elseif c == '$' && startswith(SubString(source, i), "\$(")
                push!(stack, "(")
                i += 1
            elseif startswith(SubString(source, i), top)
                pop!(stack)
                i += sizeof(top) - 1
                word_before = true
            end
        elseif startswith(SubString(source, i), "#=")
            i = skip_comment(source, i)
        elseif c == '#'
            while i <= n && source[i] != '\n'
                i = nextind(source, i)
            end
        elseif c == '\'' && !word_before
            i = skip_character(source, i)
            word_before = true
            found = false
        elseif c == '"' || c == '`'
            triple = string(c)^3
            push!(stack, startswith(SubString(source, i), triple) ? triple : string(c))
            i += sizeof(stack[end]) - 1
            found = false
        elseif !isspace(c)
            c == '(' && !isempty(stack) && push!(stack, "(")
            c == ')' && !isempty(stack) && pop!(stack)
            found = c == ';'
            word_before = isletter(c) || isdigit(c) || c in "_!)]}'"
        else
            word_before = false
        end
        i <= n && (i = nextind(source, i))
    end
    found && isempty(stack)
end
function skip_comment(source::String, i::Int)
    depth = 0
    n = sizeof(source)
    while i <= n
        rest = SubString(source, i)
        if startswith(rest, "#=")
            depth += 1
            i += 1
        elseif startswith(rest, "=#")
            depth -= 1
            i += 1
            depth == 0 && return i
        end
        i = nextind(source, i)
    end
    i
end
function skip_character(source::String, i::Int)
    j = nextind(source, i)
    while j <= sizeof(source) && source[j] != '\''
        source[j] == '\\' && (j = nextind(source, j))
        j = nextind(source, j)
    end
    j
end
