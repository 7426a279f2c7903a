# SPDX-License-Identifier: MIT
# Requests that run user code: each is a Job, run by an executor.
#
# A Job is created by the task that reads frames (the reader), in the order of the frames, and stays in `peer.jobs` until the user's code
# has ended. `user` says that its task is in user code, so that throwing an exception into it is right; it changes only in the job's
# own task, and the reader looks at it only while that task waits.
#
# Executors are tasks that never end, because Julia's scheduler idles inside the task that ended last, and a signal that
# comes then ends the process. They park in `IDLE`; the queue is what wakes them.

const EVAL = 0x03
const CALL = 0x04
const CHANNEL_OPEN = 0x08
const CHANNEL_PUT = 0x0a
const CHANNEL_CLOSE = 0x0b
const CHANNEL_STATE = 0x0c

const MODE_VALUE = 0x00
const MODE_NOTHING = 0x01
const MODE_DISPLAY = 0x02
const MODE_HANDLE = 0x03

const OK = 0x82
const ERROR = 0x83
const ACK = 0x84
const PONG = 0x85
const CHANNEL_ITEM = 0x86
const CHANNEL_CLOSED = 0x87
const HOST_CALL = 0x88
const WAS_INTERRUPTED = 0x01     # a flag of OK and ERROR
const FROM_USER = 0x01
const FROM_ENCODER = 0x02
const FROM_DECODER = 0x03

mutable struct Job
    peer::Peer
    id::UInt32
    kind::UInt8
    mode::UInt8
    silent::Bool
    program::Bool
    scope::Any                 # the module's name or nothing
    what::Any                   # source, code, function, channel
    args::Any                   # of CALL; item of CHANNEL_PUT; channel id and credit of CHANNEL_OPEN, `nothing` once that is forgotten
    kwargs::Any
    file::Any
    display::Any
    task::Any
    user::Bool
    interrupted::Bool           # before it started, or an InterruptException was thrown into it
    place::Int                  # in the table of the judge; 0: none
end
Job(peer::Peer, id::UInt32, kind::UInt8) =
    Job(peer, id, kind, MODE_VALUE, false, false, nothing, nothing, nothing, nothing, nothing, nothing, nothing, false, false, 0)

# Kinds of requests that a transport adds: kind => the functions that read and perform them.
const OTHER_JOBS = IdDict{Any,Any}()

const WAITING = Any[]           # Jobs, and HostCalls that are to be sent
const PARKED = Any[]

# Tasks run user code in the order of this function's calls.
function start!(job::Job)
    job.peer.jobs[job.id] = job
    job.program && late(lend_root!, job)::Bool || post!(job)
end
# Gives the root task to the program, if it is the one that reads.
function lend_root!(job::Job)
    (LENDS_ROOT && PROGRAM[1] === nothing && job.file != "-" && current_task() === ROOT) || return false
    job.task = ROOT
    job.user = true
    enter_user_code()
    judge_enter!(job)
    take_program(job.what::String, job.file::String)
    act_on_signals(1)
    true
end
function post!(@nospecialize(work))
    push!(WAITING, work)
    isempty(PARKED) ? begin_masked(execute_jobs) : schedule(pop!(PARKED)::Task)
    nothing
end
function execute_jobs()
    e = Encoder()
    while true
        while isempty(WAITING)
            park()
        end
        job = popfirst!(WAITING)
        try
            job isa Job ? Base.invokelatest(run_job, job, e) : Base.invokelatest(send_host_call, job, e)
        catch ex
            Base.invokelatest(report_fault, job, exceptions())
            e = Encoder()
        end
    end
end
# A fault of the runtime itself must not leave a call unanswered.
function report_fault(@nospecialize(job), @nospecialize(stack))
    report("Malt: fault in the runtime", sprint(Base.show_exception_stack, stack))
    job isa Job || return late(end_host_call, job, true, stack[end][1])
    haskey(job.peer.jobs, job.id) && fail(job, Encoder(), FROM_ENCODER, stack)
    nothing
end
function park()
    push!(PARKED, current_task())
    @idle(wait()) || unpark(current_task())
    nothing
end

function unpark(task::Task)
    for i in 1:length(PARKED)
        PARKED[i] === task && return (deleteat!(PARKED, i); nothing)
    end
    nothing
end

function run_job(job::Job, e::Encoder)
    value = stack = nothing
    job.task = current_task()
    try
        job.interrupted && throw(InterruptException())
        settle_signals()
        job.user = true
        enter_user_code()
        judge_enter!(job)
        value = perform(job)
        end_user_code(job)
    catch err
        end_user_code(job)
        stack = exceptions()
        err isa InterruptException && let_reader_acknowledge(job)
    end
    Base.invokelatest(finish_job, job, e, value, stack)
    # This task may rest for long, and its frame knows the job.
    job.what = job.args = job.kwargs = nothing
    forget_task_storage(job.task::Task)
    nothing
end
function end_user_code(job::Job)
    judge_leave!(job)
    job.user && leave_user_code()
    job.user = false
    nothing
end
# A host that sends signals goes on until the interrupt is acknowledged, and too many signals force their way through `mask`. So this
# comes before the work of describing the exception.
function let_reader_acknowledge(job::Job)
    job.interrupted = true
    for i in 1:3
        @resting yield()
    end
    nothing
end
# The next call in this task is another program's, as far as `task_local_storage` goes.
function forget_task_storage(task::Task)
    isdefined(task, :storage) && task.storage !== nothing && empty!(task_local_storage())
    nothing
end

function perform(job::Job)
    kind = job.kind
    if kind == EVAL
        value = evaluate_job(job)
    elseif kind == CALL
        value = call_job(job)
    else
        return late(get(OTHER_JOBS, kind, CHANNEL_JOB)[2], job)
    end
    job.mode == MODE_DISPLAY ? late(displayed, module_named(job.peer, job.scope), value, job.display) : value
end
function evaluate_job(job::Job)
    job.program && return late(run_program, job)
    m = module_named(job.peer, job.scope)
    source = job.what
    source isa String || return @exposed enter(m, source)
    value = evaluate_source(m, source, job.file)
    job.mode == MODE_DISPLAY && late(ends_with_semicolon, source)::Bool ? nothing : value
end
function call_job(job::Job)
    f = job.what
    f isa String && (f = callable(module_named(job.peer, job.scope), f))
    @exposed enter(f, job.args::Tuple, job.kwargs)
end

# Answers. The value is encoded in a world that knows what the user's code defined.
function finish_job(job::Job, e::Encoder, @nospecialize(value), @nospecialize(stack))
    (stdout isa IOStream || stderr isa IOStream) && late(flush_files)
    stack === nothing || return late(fail, job, e, FROM_USER, stack)
    if job.silent
        forget!(job)
        return nothing
    end
    try
        reset!(e, job.peer, job)
        put_answer!(e, job, value)
    catch err
        abandon!(e)
        return late(fail, job, e, err isa InterruptException ? FROM_USER : FROM_ENCODER, exceptions())
    end
    forget!(job)
    send!(e, OK, job.id, answer_flags(job))
    job.kind == CHANNEL_OPEN && late(begin_pumping, value)
    nothing
end
function put_answer!(e::Encoder, job::Job, @nospecialize(value))
    if job.mode == MODE_NOTHING || job.kind == CHANNEL_OPEN
        emit!(e, 0x01)
    elseif job.mode == MODE_HANDLE
        put_handle!(e, value, entry_for(typeof(value), e.home, e.world))
    else
        put_value!(e, value)
    end
    offset(e) <= job.peer.max_frame_bytes || throw(ArgumentError("the value is larger than a message may be"))
    nothing
end
function fail(job::Job, e::Encoder, class::UInt8, @nospecialize(stack))
    texts = describe_error(job, stack)::ErrorTexts
    forget!(job)
    if job.silent
        Base.invokelatest(report, "Malt: remote_do failed", printed(texts))
        return nothing
    end
    reset!(e, job.peer, nothing)
    put_error!(e, class, texts)
    send!(e, ERROR, job.id, answer_flags(job))
end
answer_flags(job::Job) = job.interrupted ? WAS_INTERRUPTED : 0x00
forget!(job::Job) = (judge_forget!(job); delete!(job.peer.jobs, job.id); nothing)
function report(title::String, text::String)
    try
        write(stderr, string(title, "\nERROR: ", text, '\n'))
    catch                       # The user's program may have closed it.
    end
    nothing
end

# Hands a finished message to the transport, after what C code printed before it.
function send!(e::Encoder, kind::UInt8, id::UInt32, flags::UInt8 = 0x00)
    ccall(:jl_flush_cstdio, Cvoid, ())
    n = offset(e)
    p = pointer(e.bytes)
    GC.@preserve e begin
        unsafe_store!(Ptr{UInt64}(p), n % UInt64)
        unsafe_store!(Ptr{UInt64}(p + 8), UInt64(id) | UInt64(kind) << 32 | UInt64(flags) << 40)
    end
    transmit((e.peer::Peer).link, e)
    nothing
end

# When the reader had nothing to read; 0: not known, and the host can take back what it does not want any more.
const IDLE_AT = Ref(UInt64(0))
# Answers an INTERRUPT: 0 delivered, 1 no such call is running user code, 2 late. The reader calls it, so the job's own task waits or is about to run.
function interrupt(peer::Peer, id::UInt32)
    job = get(peer.jobs, id, nothing)
    job === nothing && return 0x01
    is_waiting = (job::Job).task === nothing
    is_user = job === BOOT[2] ? look_at_boot!(job) : job.user
    is_waiting || is_user || return job.interrupted ? 0x00 : 0x01
    if !is_waiting && judge_took_hit(job)
        job.interrupted = true
        return 0x00
    end
    may_take(job) || return 0x02
    job.interrupted = true
    is_waiting && return 0x00
    judge_take!()
    schedule(job.task::Task, InterruptException(); error = true)
    0x00
end
