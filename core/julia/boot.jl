# SPDX-License-Identifier: MIT
# The boot, behind the start (start.jl), whose rules hold here, too. By itself it answers PING, SHUTDOWN and plain EVAL: in Main, without a
# file name, for a value that is simple or for the text that displays any value. Anything else loads the runtime
# (core/julia), whose text the host has sent; so do an error and an idle moment after the first answer.
address(@nospecialize(x)) = c(5, NONE, NONE, NONE, x, nothing)
# As Task(f, stack).
new_task(@nospecialize(f), stack) = c(7, NONE, NONE, UInt(stack), f, Base.ThreadSynchronizer())
function send(b)
    STATE[5] += 1
    put_bytes(b)
    STATE[5] -= 1
end
# The words of the page that the judge shares with the host. The transport has its address in JUDGE, or 0.
judge_word(at) = unsafe_load(Ptr{UInt32}(UInt(JUDGE) + at))
set_judge_word(at, word) = unsafe_store!(Ptr{UInt32}(UInt(JUDGE) + at), word)
# Tells the judge what the job is at: 0 nothing, 1 in user code, 2 behind it.
function tell_judge(id, state)
    JUDGE == NOBODY || unsafe_store!(Ptr{UInt64}(UInt(JUDGE) + 48), state << 32 | id)
end
const WAKE = Condition()                # for the task that runs the job
function set_text(b, at, s)
    set_number(b, at, 8, sizeof(s))
    unsafe_copyto!(pointer(b) + at + 7, pointer(s), UInt(sizeof(s)))    # compiled already for this type of a number
end
# What was printed comes before the answer, also where Julia keeps it for later.
function flush_files()
    try
        stdout isa IOStream && flush(stdout)
        stderr isa IOStream && flush(stderr)
    catch                       # The disk is full.
    end
    c(3, NONE, NONE, NONE, nothing, nothing)
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

# Has the judge thrown into it? Then the runtime answers, which can say so. What the judge has asked Julia to throw has been thrown, or is thrown here.
function was_hit(id)
    JUDGE == NOBODY && return false
    # What was given up has been deferred in its task (runtime/judge.jl).
    id != NOBODY && judge_word(1600) == id && unsafe_store!(Ptr{Int32}(unsafe_load(Ptr{UInt}(UInt(JUDGE) + 1608))), Int32(1))
    n = judge_word(20)
    if n != judge_word(24)
        set_judge_word(24, n)
        try
            release(); hold()
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
    hold()
    JUDGE == NOBODY || unsafe_store!(Ptr{UInt64}(UInt(JUDGE) + 56), address(current_task()))
    yield()
    while true
        v = stack = nothing
        JOB[6] = true
        try
            tell_judge(JOB[1], 0x0000000000000001)
            release()
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
            hold()
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
                release(); wait(WAKE); hold()
            catch
            end
        end
    end
end

function load()
    compile_on()
    STATE[2] == 0 || (STATE[7] = true; announce_load())
    while STATE[2] != 0
        load_step()
    end
end
function warm_when_idle()
    hold()
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

function answer_request(kind, n, id)
    if kind == 0x0f
        JOB[5] && !JOB[6] && yield()
        JOB[5] && release()     # where no user code runs, a signal is meant for nobody
        ENTER[1](0)
    elseif STATE[2] == 0
        STATE[7] = false        # That has been answered.
        Base.invokelatest(serve, HEAD, nothing)
    elseif kind == 0x06
        send(frame(id, 0x85, 0))
    elseif kind == 0x05
        acknowledge(id)
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
# The task that runs jobs begins with nobody's.
function begin_jobs()
    JOB[4] = new_task(executor, STACK)
    schedule(JOB[4])
    yield()
end
STATE[9] = true
end_traces_behind(STATE[10])
# Loaded because a program was expected, and something else came.
STATE[2] > 1 && PROGRAM[1] === nothing && begin_jobs()
