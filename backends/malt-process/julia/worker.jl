# SPDX-License-Identifier: MIT
# The transport of a worker process, for the boot: `julia --startup-file=no --compile=min -L BOOT -- malt fd LINK JUDGE STACK SCRIPT` (or `-e BOOT -- connect PORT JUDGE STACK 0`).
# LINK, JUDGE and SCRIPT (the boot text) are descriptors, 0 for none. Only the link stays open, and nothing that is run from here inherits it.
# All of it lives in a module that no name leads to, so that Main stays as Julia made it.
#
# After `-L` Julia runs the program that its first argument names. Only a request for a program lets it get there: `read_frames` returns, reading goes on in a task of its own, and
# Julia runs the program, and ends, as it always does. Not by a call of ours, which would stand in each backtrace.
ARGS[1] == "malt" && popfirst!(ARGS)    # Julia leaves it there if the program is an expression.
# STACK: how many bytes a task reserves for its stack. KEEP: the sixth argument says that the user wants the compiler as the options have it.
const TRANSPORT, PARAMETER, JUDGE_FD, STACK, SCRIPT, KEEP =
    ARGS[1], parse(Int, ARGS[2]), parse(Int, ARGS[3]), parse(Int, ARGS[4]), parse(Int, ARGS[5]), length(ARGS) > 5
const JUDGE_PATH = "/proc/self/fd/$JUDGE_FD"
empty!(ARGS)
const LENDS_ROOT = SCRIPT != 0
const OWNS_PROCESS = true               # no other worker is in it
if LENDS_ROOT
    c(9, UInt(SCRIPT), NONE, NONE, nothing, nothing)    # is closed
    Core.eval(Base, Expr(:(=), :PROGRAM_FILE, ""))      # a worker that is no program
end
leave() = ccall(:_exit, Cvoid, (Cint,), 0)
function open_link()
    c(8, UInt(PARAMETER), UInt(2), UInt(1), nothing, nothing)   # close-on-exec
    link = Base.PipeEndpoint()
    c(10, UInt(PARAMETER), UInt(link.handle), NONE, nothing, nothing) & 0xffffffff == 0 || leave()
    link.status = Base.StatusOpen
    link
end
# LOADING: no signals until the next frame. They would be thrown into what is loaded, and this would be the end.
announce_load() = send(frame(NOBODY, 0x8a, 0))
# Without the boot nothing is sent but the introduction, for which there is room.
function put_bytes(b)
    STATE[9] && return write(LINK, b)
    text = String(b)
    c(11, UInt(PARAMETER), address(text), UInt(sizeof(text)), text, nothing)
end
function body(n)
    b = Vector{UInt8}(undef, n)
    Base.wait_readnb(LINK, n)
    readbytes!(LINK.buffer, b, n)
    b
end
# Returns when a program is to run.
function read_frames()
    current_task() === ROOT || hold()
    while true
        bytesavailable(LINK) == 0 && (STATE[8] = time_ns())
        try
            release(); Base.wait_readnb(LINK, 16); hold()
        catch e
            e isa InterruptException || leave()
            continue
        end
        bytesavailable(LINK) < 16 && leave()
        readbytes!(LINK.buffer, HEAD, 16)
        STATE[4] += 1
        if request(number(HEAD, 13, 2), Int(number(HEAD, 1, 8)), number(HEAD, 9, 4)) === RUN_PROGRAM
            schedule(c(7, NONE, NONE, NONE, read_frames, Base.ThreadSynchronizer()))
            compile_on()
            return release()
        end
    end
end
const LINK = TRANSPORT == "fd" ? open_link() : connect()       # connect.jl
const JUDGE = JUDGE_FD == 0 ? NOBODY : load_judge()     # A program has its signals to itself.
JUDGE_FD == 0 || c(9, UInt(JUDGE_FD), NONE, NONE, nothing, nothing)
STATE[9] && begin_jobs()
hello()
read_frames()
