# SPDX-License-Identifier: MIT
# The boot: what a Julia that belongs to a host runs first. The file of a transport follows; both become the body of one module.
#
# Start-up time is what this text is about. It runs interpreted (`--compile=min`) and calls little that Julia's system image
# does not hold compiled already: whatever contains a `ccall` costs more than a millisecond of every launch, and so do ten
# lines of text. Hence no types, no closures, no typed containers. By itself it answers PING, SHUTDOWN and plain EVAL: in Main, without a
# file name, for a value that is simple or for the text that displays any value. Anything else loads the runtime
# (core/julia), whose text the host has sent; so do an error and an idle moment after the first answer.
# User code is never interpreted: `compile_on` restores Julia's own setting before the first of it runs.
#
# The transport defines: STACK (bytes of a task's stack, 0: Julia's own choice), LENDS_ROOT (can `main` return?), OWNS_PROCESS, KEEP (does the user want the compiler as the options have it), `leave()` (nothing can be done any more), `body(n)`
# (the next `n` bytes of the frame), `put_bytes(b)` (a whole frame goes out), `announce_load()` (tells the host, if its signals could hit), and `main()`, which it calls in its last line.
Base.Experimental.@optlevel 0
const HEAD = Vector{UInt8}(undef, 16)   # the header of the frame being read
const WAKE = Condition()                # for the task that runs the job
const NOBODY = UInt64(0)
# What EVAL asked for: id (0: none or answered), source, result mode, task, is it to run or running, has it begun, end of the request, has an
# InterruptException been thrown into it.
# The first job is nobody's. What has run once stays interpreted, so that no real answer has to wait for the compiler.
const JOB = Any[NOBODY, "1", 0, nothing, true, false, nothing, false]
# Text of the runtime, position in it (0: all loaded), body of HELLO, frames read, frames being written, has warming begun, was the host
# told that the runtime is being loaded, and nothing since, when was nothing to be read (0: not known).
const STATE = Any["", 1, "", 0, 0, false, false, NOBODY]
const ROOT = current_task()
const PROGRAM = Any[nothing]            # its file, once the root task has it
const RUN_PROGRAM = PROGRAM             # what a request for it gives, where the transport can lend the root task
# Defined by the runtime. The bindings exist from the start: newer Julia resolves a name in the world of the caller.
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
function set_text(b, at, s)
    set_number(b, at, 8, sizeof(s))
    unsafe_copyto!(pointer(b) + at + 7, pointer(s), UInt(sizeof(s)))    # compiled already for this type of a number
end
function send(b)
    STATE[5] += 1
    put_bytes(b)
    STATE[5] -= 1
end
# The runtime introduces itself.
function hello()
    b = frame(NOBODY, 0x81, 24 + sizeof(Base.VERSION_STRING))
    set_number(b, 17, 8, 0x001a0a0d544c414d); set_number(b, 25, 4, 1); set_number(b, 29, 4, getpid())
    set_text(b, 33, Base.VERSION_STRING)
    send(b)
end
# What was printed comes before the answer, also where Julia keeps it for later.
function flush_files()
    try
        stdout isa IOStream && flush(stdout)
        stderr isa IOStream && flush(stderr)
    catch                       # The disk is full.
    end
    Libc.flush_cstdio()
end
# The value of a tag and a word, a text that no limit of the host's forbids, or nothing but a tag; false if it is not that simple.
function answered(id, @nospecialize(v))
    if v isa Int64 || v isa Float64
        b = frame(id, 0x82, 9)
        b[17] = v isa Int64 ? 0x16 : 0x1c
        set_number(b, 18, 8, reinterpret(UInt64, v))
    elseif v isa String && sizeof(v) < 65000
        b = frame(id, 0x82, 9 + sizeof(v))
        b[17] = 0x20
        set_text(b, 18, v)
    elseif v === nothing || v isa Bool
        b = frame(id, 0x82, 1)
        b[17] = v === nothing ? 0x01 : v ? 0x04 : 0x03
    else
        return false
    end
    flush_files()
    id == NOBODY || send(b)
    true
end

# Tells the judge what the job is at: 0 nothing, 1 in user code, 2 behind it. The transport has the address in JUDGE, or 0.
function tell_judge(id, state)
    JUDGE == NOBODY || unsafe_store!(Ptr{UInt64}(UInt(JUDGE) + 48), state << 32 | id)
end

# Has the judge thrown into it? Then the runtime answers, which can say so. What the judge has asked Julia to throw has been thrown, or is thrown here.
judge_word(at) = unsafe_load(Ptr{UInt32}(UInt(JUDGE) + at))
set_judge_word(at, word) = unsafe_store!(Ptr{UInt32}(UInt(JUDGE) + at), word)
function was_hit(id)
    JUDGE == NOBODY && return false
    # What was given up has been deferred in its task (runtime/judge.jl).
    id != NOBODY && judge_word(1600) == id && unsafe_store!(Ptr{Int32}(unsafe_load(Ptr{UInt}(UInt(JUDGE) + 1608))), Int32(1))
    n = judge_word(20)
    if n != judge_word(24)
        set_judge_word(24, n)
        try
            Base.sigatomic_end(); Base.sigatomic_begin()
            set_judge_word(36, judge_word(36) + 0x00000001)
            return true
        catch
        end
    end
    id != NOBODY && judge_word(8) == id
end

# Evaluated code is entered by ENTER[1], which is `malt_entry`: with a module and code, or with a builtin function and its arguments; with a number it ends the process.
# Machine code that the host has may take its place, behind which backtraces end (core/platform/unix/malt-entry.c); elsewhere they are cut at that name.
malt_entry(@nospecialize(m), @nospecialize(code)) = Core.eval(m, code)
malt_entry(@nospecialize(apply), @nospecialize(a), @nospecialize(b), @nospecialize(c), @nospecialize(d)) = apply(a, b, c, d)
malt_entry(@nospecialize(status)) = status isa Int && exit(status)
const ENTER = Any[malt_entry]           # The compiler is not to look through it.
# Calls in the newest world, without frames of its own.
function enter(@nospecialize(f), @nospecialize(args))
    if isdefined(Core, :_call_latest)
        ENTER[1](Core._apply_iterate, iterate, Core._call_latest, (f,), args)
    else
        ENTER[1](Core._apply_iterate, iterate, Core._apply_latest, (f, args), ())
    end
end
# All methods have been called once, so that Julia has a place where it keeps how each is called. A Julia in which that is otherwise goes without.
function end_traces_behind(code)
    code == C_NULL && return nothing
    ENTER[1](Main, nothing); enter(identity, (nothing,)); ENTER[1](nothing)
    try
        all = methods(malt_entry).ms
        i = length(all)
        while i > 0
            found = all[i].specializations
            found isa Core.SimpleVector && (found = found[1])
            # Atomic since fields can be.
            isdefined(Core, :modifyfield!) ? setfield!(found.cache, :invoke, code, :release) : setfield!(found.cache, :invoke, code)
            i -= 1
        end
    catch
    end
    nothing
end
# A task begins with signals enabled: so it begins before the host may send any, and lets go when it is masked.
function executor()
    Base.sigatomic_begin()
    JUDGE == NOBODY || unsafe_store!(Ptr{UInt64}(UInt(JUDGE) + 56), UInt64(UInt(pointer_from_objref(current_task()))))
    yield()
    while true
        v = stack = nothing
        JOB[6] = true
        try
            tell_judge(JOB[1], 0x0000000000000001)
            Base.sigatomic_end()
            v = ENTER[1](Main, Base.parse_input_line(JOB[2]))
            if JOB[3] == 2 && v !== nothing
                io = IOBuffer()
                b = JOB[7]
                d = Base.ImmutableDict{Symbol,Any}
                size = number(b, 12, 8) % Int, number(b, 21, 8) % Int
                io = IOContext(io, d(d(d(d(d(), :limit, true), :module, Main), :displaysize, size), :color, b[29] == 0x04))
                enter(show, (io, MIME("text/plain"), v))
                v = String(take!(io.io))
            end
            Base.sigatomic_begin()
            JOB[5] = false
            JOB[8] |= was_hit(JOB[1])
            tell_judge(JOB[1], 0x0000000000000002)
        catch e
            JOB[5] = false
            JOB[8] |= was_hit(JOB[1]) | (e isa InterruptException)
            tell_judge(JOB[1], 0x0000000000000002)
            v = e; stack = isdefined(Base, :current_exceptions) ? Base.current_exceptions() : Base.catch_stack()
            # Lets the request for it be acknowledged, before the host sends more signals.
            e isa InterruptException && (yield(); yield(); yield())
        end
        if stack !== nothing || STATE[2] == 0 || JOB[8] || !answered(JOB[1], JOB[3] == 1 ? nothing : v)
            load()
            Base.invokelatest(finish_boot, v, stack)
        end
        tell_judge(JOB[1], NOBODY)
        JOB[1] == NOBODY || STATE[6] || schedule(Task(warm_when_idle))
        JOB[1] = NOBODY
        JOB[4].storage === nothing || empty!(JOB[4].storage)
        while !JOB[5]
            try
                Base.sigatomic_end(); wait(WAKE); Base.sigatomic_begin()
            catch
            end
        end
    end
end

# Julia's default for what `--compile=min` changed, also for what user code inspects or starts.
function compile_on()
    i = KEEP ? 0 : fieldcount(Base.JLOptions)
    while i > 0
        fieldname(Base.JLOptions, i) === :compile_enabled &&
            unsafe_store!(cglobal(:jl_options, UInt8) + fieldoffset(Base.JLOptions, i), 0x01)
        i -= 1
    end
end
# The runtime is loaded expression by expression, so that a request can come between when an idle moment is used for it.
function load_step()
    ex, at = Meta.parse(STATE[1], STATE[2])
    STATE[2] = at > sizeof(STATE[1]) ? 0 : at
    Core.eval(@__MODULE__, ex)
end
function load()
    compile_on()
    STATE[2] == 0 || (STATE[7] = true; announce_load())
    while STATE[2] != 0
        load_step()
    end
end
function warm_when_idle()
    Base.sigatomic_begin()
    STATE[6] = true
    frames = -1
    # A worker that never idles is not left without the runtime, which is what makes requests quick.
    while frames != STATE[4] && STATE[4] < 200
        frames = STATE[4]
        sleep(0.05)
    end
    while STATE[2] != 0
        load_step()
        STATE[4] == frames ? yield() : sleep(0.001)
    end
    Base.invokelatest(warm)
end

function request(kind, n, id)
    if kind == 0x0f
        JOB[5] && !JOB[6] && yield()
        JOB[5] && Base.sigatomic_end()      # where no user code runs, a signal is meant for nobody
        ENTER[1](0)
    elseif STATE[2] == 0
        STATE[7] = false        # That has been answered.
        Base.invokelatest(serve, HEAD, nothing)
    elseif kind == 0x06
        send(frame(id, 0x85, 0))
    elseif kind == 0x01
        STATE[3] = String(body(n))
        startswith(STATE[3], "MALT\r\n\x1a\0\x01\0") || leave()
    elseif kind == 0x02
        STATE[1] = String(body(n))
    elseif kind == 0x05
        acknowledge(id)
    elseif kind == 0x2103 && LENDS_ROOT && JOB[1] == NOBODY && PROGRAM[1] === nothing
        JOB[5] && !JOB[6] && yield()
        b = body(n)
        k = number(b, 3, 8) % Int
        file = String(b[20 + k:end - 1])
        file == "-" && return hand_over(b)      # which not each Julia knows
        JOB[1] = id; JOB[4] = current_task(); JOB[5] = true; JOB[6] = true
        tell_judge(id, 0x0000000000000001)
        return take_program(String(b[11:10 + k]), file)
    else
        b = nothing
        # Is a display wanted, and how long would the source be?
        shown = kind == 0x0203
        k = n - (shown ? 39 : 12)
        if (shown || kind == 0x03 || kind == 0x0103) && 0 < k < 4096 && JOB[1] == NOBODY
            # No module, a String, no file name, display options for a display? A semicolon at the end hides the value; where that is, a blank
            # or a comment makes hard to say.
            b = body(10)
            if number(b, 1, 2) == 0x2001 && number(b, 3, 8) == k
                source = body(k)
                rest = body(n - 10 - k)
                compile_on()
                (shown ? number(rest, 2, 8) == 0x0322 && 0x20 < source[k] && !(0x23 in source) : number(rest, 1, 2) == 0x0101) ||
                    return hand_over(vcat(b, source, rest))
                JOB[3] = shown && source[k] == 0x3b ? 1 : kind >> 8
                JOB[2] = String(source)
                JOB[1] = id; JOB[5] = true; JOB[6] = false; JOB[7] = rest; JOB[8] = false
                return notify(WAKE, nothing, true, false)
            end
        end
        hand_over(b)
    end
end
# What was sent while nobody looked, for a second or longer, the host may have given up since: it is to ask again.
is_late(idle) = idle != NOBODY && time_ns() - idle > 1000000000
# `texts` are the arguments, each ended by a NUL byte. Julia reads these when it goes on.
function take_program(texts, file)
    compile_on()
    PROGRAM[1] = file
    JUDGE == NOBODY || set_judge_word(1624, 0x00000001)     # It has its signals to itself.
    empty!(ARGS)
    append!(ARGS, split(texts, '\0'))
    pop!(ARGS)
    empty!(Core.ARGS); isempty(file) || push!(Core.ARGS, file); append!(Core.ARGS, ARGS)
    Core.eval(Base, Expr(:(=), :PROGRAM_FILE, file))
    RUN_PROGRAM
end
function acknowledge(id)
    b = frame(id, 0x84, 1)
    b[17] = 0
    if id != JOB[1]
        b[17] = 1
    elseif JOB[6] && was_hit(id)
        # Each request throws once.
        set_judge_word(8, 0x00000000)
        JOB[8] = true
    elseif is_late(STATE[8])
        b[17] = 2
    elseif !JOB[6]
        JOB[2] = "throw(InterruptException())"
    elseif JOB[5]
        # The judge is not to do it any more.
        JUDGE == NOBODY || set_judge_word(32, judge_word(32) + 0x00000001)
        schedule(JOB[4], InterruptException(); error = true)
    elseif !JOB[8]
        b[17] = 1               # Its answer is on the way.
    end
    send(b)
end
function hand_over(b)
    JOB[5] && !JOB[6] && yield()
    load()
    Base.invokelatest(serve, HEAD, b)
end
