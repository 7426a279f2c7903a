# SPDX-License-Identifier: MIT
# The start: what a Julia that belongs to a host runs first. The boot (boot.jl) and the file of a transport follow; all become the body of one module.
# Where a program is expected, the boot comes with the text of the runtime instead, and is only read if anything else is asked for: the start
# introduces itself, and gives the program to Julia.
#
# Start-up time is what this text is about. It runs interpreted (`--compile=min`) and calls little that Julia's system image
# does not hold compiled already: each function that contains a `ccall`, and each method that nobody has compiled, costs 2 to 6 ms of every
# launch, and so do ten lines of text. Hence one function for all of C, no types, no closures, no typed containers. User code is never
# interpreted: `compile_on` restores Julia's own setting before the first of it runs, and nothing of ours runs for the first time behind that.
#
# The transport defines: STACK (bytes of a task's stack, 0: Julia's own choice), LENDS_ROOT (can the last line return?), OWNS_PROCESS, KEEP (does the user want the compiler as the options have it), `leave()` (nothing can be done any more), `body(n)`
# (the next `n` bytes of the frame), `put_bytes(b)` (a whole frame goes out), `announce_load()` (tells the host, if its signals could hit). Its last lines introduce the runtime and read frames.
Base.Experimental.@optlevel 0
# C's `int` is the lower half of what is given and returned. Conversions, and even `==`, would have to be inferred, too.
function c(what::Int, a::UInt, b::UInt, n::UInt, @nospecialize(x), @nospecialize(y))
    if what === 1
        ccall(:jl_sigatomic_begin, Cvoid, ())
    elseif what === 2
        ccall(:jl_sigatomic_end, Cvoid, ())
    elseif what === 3
        ccall(:jl_flush_cstdio, Cvoid, ())
    elseif what === 4
        return ccall(:getpid, UInt, ())
    elseif what === 5
        return ccall(:jl_value_ptr, UInt, (Any,), x)
    elseif what === 6
        return ccall(:jl_string_ptr, UInt, (Any,), x)
    elseif what === 7
        return ccall(:jl_new_task, Any, (Any, Any, UInt), x, y, n)
    elseif what === 8
        ccall(:fcntl, UInt, (UInt, UInt, UInt...), a, b, n)
    elseif what === 9
        ccall(:close, UInt, (UInt,), a)
    elseif what === 10
        return ccall(:uv_pipe_open, UInt, (UInt, UInt), b, a)
    elseif what === 11
        ccall(:write, UInt, (UInt, UInt, UInt), a, b, n)
    elseif what === 12
        return ccall(:dlopen, UInt, (UInt, UInt), a, b)
    elseif what === 13
        return ccall(:dlsym, UInt, (UInt, UInt), a, b)
    end
    a
end
hold() = c(1, NONE, NONE, NONE, nothing, nothing)         # signals, as Base.sigatomic_begin()
release() = c(2, NONE, NONE, NONE, nothing, nothing)
address(s::String) = c(6, NONE, NONE, NONE, s, nothing)   # of its bytes
const NONE = UInt(0)
const NOBODY = UInt64(0)
const MODULE = @__MODULE__
c(1, NONE, NONE, NONE, nothing, nothing)        # hold(), and no place where a signal can be meant
const HEAD = Vector{UInt8}(undef, 16)   # the header of the frame being read
# What EVAL asked for: id (0: none or answered), source, result mode, task, is it to run or running, has it begun, end of the request, has an
# InterruptException been thrown into it.
# The first job is nobody's. What has run once stays interpreted, so that no real answer has to wait for the compiler.
const JOB = Any[NOBODY, "1", 0, nothing, true, false, nothing, false]
# Text of the runtime, position in it (0: all loaded), body of HELLO, frames read, frames being written, has warming begun, was the host
# told that the runtime is being loaded, and nothing since, when was nothing to be read (0: not known), is the boot loaded,
# the code that enters evaluated code.
const STATE = Any["", 1, "", 0, 0, false, false, NOBODY, false, C_NULL]
const ROOT = current_task()
const PROGRAM = Any[nothing]            # its file, once the root task has it
const RUN_PROGRAM = PROGRAM             # what a request for it gives, where the transport can lend the root task
# Defined by boot and runtime. The bindings exist from the start: newer Julia resolves a name in the world of the caller.
function begin_jobs end
function tell_judge end
function set_judge_word end
function answer_request end
function hand_over end
function serve end
function finish_boot end
function warm end

# Little-endian numbers from and to bytes.
function number(b, at, n)
    x = NOBODY
    while n > 0
        n -= 1
        x = x << 8 | b[at + n]
    end
    x
end
function set_number(b, at, n, x)
    while n > 0
        b[at] = x % UInt8
        x >>= 8; at += 1; n -= 1
    end
end
function frame(id, kind, n)
    b = Vector{UInt8}(undef, 16 + n)
    set_number(b, 1, 8, n); set_number(b, 9, 4, id); set_number(b, 13, 4, kind)
    b
end
# The runtime introduces itself.
function hello()
    version = Base.VERSION_STRING
    n = sizeof(version)
    at = address(version)
    b = frame(NOBODY, 0x81, 24 + n)
    set_number(b, 17, 8, 0x001a0a0d544c414d); set_number(b, 25, 4, 1); set_number(b, 29, 4, c(4, NONE, NONE, NONE, nothing, nothing))
    set_number(b, 33, 8, n)
    while n > 0
        b[40 + n] = unsafe_load(Ptr{UInt8}(at), n)
        n -= 1
    end
    put_bytes(b)
end

# Julia's default for what `--compile=min` changed, also for what user code inspects or starts. Newer Julia has the program's file there, too.
function compile_on()
    i = fieldcount(Base.JLOptions)
    while i > 0
        name = fieldname(Base.JLOptions, i)
        if name === :compile_enabled && !KEEP || name === :program_file && PROGRAM[1] !== nothing
            at = cglobal(:jl_options, UInt8) + fieldoffset(Base.JLOptions, i)
            name === :compile_enabled ? unsafe_store!(at, 0x01) : unsafe_store!(Ptr{UInt}(at), address(PROGRAM[1]))
        end
        i -= 1
    end
end
# The runtime is loaded expression by expression, so that a request can come between when an idle moment is used for it.
function load_step()
    ex, at = Meta.parse(STATE[1], STATE[2])
    STATE[2] = at > sizeof(STATE[1]) ? 0 : at
    Core.eval(MODULE, ex)
end

function request(kind, n, id)
    if kind == 0x01 && STATE[2] != 0
        STATE[3] = String(body(n))
        startswith(STATE[3], "MALT\r\n\x1a\0\x01\0") || leave()
    elseif kind == 0x02 && STATE[2] != 0
        STATE[1] = String(body(n))
    elseif kind == 0x2103 && LENDS_ROOT && JOB[1] == NOBODY && PROGRAM[1] === nothing && STATE[2] != 0
        STATE[9] && JOB[5] && !JOB[6] && yield()
        b = body(10)
        texts = body(number(b, 3, 8) % Int)
        size = body(9)
        file = body(number(size, 2, 8) % Int)
        rest = body(1)
        if length(file) == 1 && file[1] == 0x2d     # `-`, which not each Julia knows
            b = vcat(b, texts, size, file, rest)
        else
            JOB[1] = id; JOB[4] = current_task(); JOB[5] = true; JOB[6] = true
            JUDGE == NOBODY || tell_judge(id, 0x0000000000000001)   # The boot is there, too.
            return take_program(String(texts), String(file))
        end
        while !STATE[9]
            load_step()
        end
        Base.invokelatest(hand_over, b)
    else
        while !STATE[9]
            load_step()
        end
        Base.invokelatest(answer_request, kind, n, id)
    end
end
# `texts` are the arguments, each ended by a NUL byte. Julia reads these when it goes on. The transport still calls `compile_on`.
function take_program(texts, file)
    PROGRAM[1] = file
    JUDGE == NOBODY || set_judge_word(1624, 0x00000001)     # It has its signals to itself.
    empty!(ARGS); empty!(Core.ARGS)
    isempty(file) || push!(Core.ARGS, file)
    at = from = 1
    while at <= sizeof(texts)
        if texts[at] == '\0'
            push!(ARGS, texts[from:prevind(texts, at)]); push!(Core.ARGS, ARGS[end])
            from = at + 1
        end
        at = nextind(texts, at)
    end
    Core.eval(Base, Expr(:(=), :PROGRAM_FILE, file))
    RUN_PROGRAM
end
