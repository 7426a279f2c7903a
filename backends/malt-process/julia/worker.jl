# SPDX-License-Identifier: MIT
# The transport of a worker process, for the boot: `julia --startup-file=no --compile=min -L BOOT -- malt fd LINK JUDGE STACK SCRIPT` (or `-e BOOT -- connect PORT JUDGE STACK 0`).
# LINK, JUDGE and SCRIPT (the boot text) are descriptors, 0 for none. Only the link stays open, and nothing that is run from here inherits it.
# All of it lives in a module that no name leads to, so that Main stays as Julia made it.
#
# After `-L` Julia runs the program that its first argument names. Only a request for a program lets it get there: `main` returns, reading goes on in a task of its own, and
# Julia runs the program, and ends, as it always does. Not by a call of ours, which would stand in each backtrace.
ARGS[1] == "malt" && popfirst!(ARGS)    # Julia leaves it there if the program is an expression.
const TRANSPORT = ARGS[1]
const PARAMETER = parse(Int, ARGS[2])
const JUDGE_FD = parse(Int, ARGS[3])
const JUDGE_PATH = JUDGE_FD == 0 ? "" : "/proc/self/fd/$JUDGE_FD"
const STACK = parse(Int, ARGS[4])       # how many bytes a task reserves for its stack
const SCRIPT = parse(Int, ARGS[5])
const KEEP = length(ARGS) > 5           # The sixth argument says that the user wants the compiler as the options have it.
empty!(ARGS)
const LENDS_ROOT = SCRIPT != 0
const OWNS_PROCESS = true               # no other worker is in it
close_given(fd) = c(9, UInt(fd), NONE, NONE, nothing, nothing)
if LENDS_ROOT
    close_given(SCRIPT)
    Core.eval(Base, Expr(:(=), :PROGRAM_FILE, ""))      # a worker that is no program
end
leave() = ccall(:_exit, Cvoid, (Cint,), 0)
# Apart, because Sockets may have been loaded just now.
function connect_by(sockets)
    link = sockets.connect(sockets.IPv4(0x7f000001), PARAMETER)
    sockets.nagle(link, false)
    link
end
function open_link()
    if TRANSPORT == "fd"
        c(8, UInt(PARAMETER), NONE, NONE, nothing, nothing)         # close-on-exec
        link = Base.PipeEndpoint()
        c(10, UInt(PARAMETER), UInt(link.handle), NONE, nothing, nothing) == 0 || leave()
        link.status = Base.StatusOpen
        return link
    end
    token = read(stdin, 64)
    sockets = Base.require(Base.PkgId(Base.UUID("6462fe0b-24de-5631-8697-dd941f90decc"), "Sockets"))
    link = Base.invokelatest(connect_by, sockets)
    write(link, token[1:32])
    read(link, 32) == token[33:64] || exit(1)
    link
end

# LOADING: no signals until the next frame. They would be thrown into what is loaded, and this would be the end.
announce_load() = send(frame(NOBODY, 0x8a, 0))
# Without the boot nothing is sent but the introduction, for which there is room.
put_bytes(b) = STATE[9] ? write(LINK, b) : introduce(String(b))
introduce(text) = c(11, UInt(PARAMETER), address(text), UInt(sizeof(text)), text, nothing)
function body(n)
    b = Vector{UInt8}(undef, n)
    Base.wait_readnb(LINK, n)
    readbytes!(LINK.buffer, b, n)
    b
end
function main()
    STATE[9] && begin_jobs()
    hello()
    read_frames()
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
            reader = new_task(read_frames, 0)
            schedule(reader)
            compile_on()
            return release()
        end
    end
end
const LINK = open_link()
const JUDGE = load_judge()
JUDGE_FD == 0 || close_given(JUDGE_FD)
main()
