# SPDX-License-Identifier: MIT
# The transport of a Julia that is embedded in the host, for the boot. Frames are in the host's memory: `pop` says where the next is.
#
# HOST, which the host puts before this text, is the address of its table of functions (malt-inprocess-runtime.c); ENTRY is that of
# the code by which evaluated code is entered, or 0; SOURCE and SOURCE_BYTES are the text of the runtime, which must not be parsed before it is needed.
const KEEP = false
const LENDS_ROOT = false
const OWNS_PROCESS = false
const JUDGE = NOBODY
const COND = Base.AsyncCondition()      # the host wakes us by it
# What the host wants next: kind (1: a frame), host (a MaltLink of it), address, number of bytes.
const SLOT = Vector{UInt64}(undef, 4)
const AT = Any[0]                       # how much of the frame has been read
const FIRST_HOST = Any[NOBODY]          # the boot serves one
# What Julia was built with is still there.
empty!(ARGS)
Core.eval(Base, :(PROGRAM_FILE = ""))
HAS_STDIN || Core.eval(Base, :(stdin = devnull))
# Libraries that are loaded by their names are julia.exe's neighbours, not the host's.
Sys.iswindows() && isdefined(Base, :DL_LOAD_PATH) && pushfirst!(Base.DL_LOAD_PATH, Sys.BINDIR)
end_traces_behind(Ptr{Cvoid}(ENTRY))
STATE[1] = unsafe_string(Ptr{UInt8}(SOURCE), SOURCE_BYTES)

host_function(i) = unsafe_load(Ptr{Ptr{Cvoid}}(HOST), i)
const POP = host_function(2)
const SEND = host_function(4)
pop() = ccall(POP, Cint, (Ptr{UInt64},), SLOT) != 0
announce_load() = nothing
put_bytes(b) = ccall(SEND, Cvoid, (UInt64, Ptr{UInt8}), FIRST_HOST[1], b)
leave() = nothing
function body(n)
    b = unsafe_wrap(Array, Ptr{UInt8}(SLOT[3] + AT[1]), n)
    AT[1] += n
    copy(b)
end
# Apart, because a function that contains a `ccall` is compiled and not interpreted.
ready() = ccall(host_function(1), Cvoid, (Ptr{Cvoid}, Ptr{Cvoid}), COND.handle, cglobal(:uv_async_send))
function main()
    JOB[4] = Task(executor, STACK)
    schedule(JOB[4])
    ready()
    while true
        while pop()
            AT[1] = 0
            FIRST_HOST[1] == NOBODY && (FIRST_HOST[1] = SLOT[2])
            # Other hosts, other things than frames, and settings are the runtime's affair; once it is loaded, so is everything.
            STATE[2] != 0 && SLOT[1] == 1 && SLOT[2] == FIRST_HOST[1] || hand_over(nothing)
            copyto!(HEAD, body(16))
            STATE[4] += 1
            kind = number(HEAD, 13, 2)
            n = Int(number(HEAD, 1, 8))
            (kind == 0x01 && n > 24 || kind == 0x0203) && hand_over(nothing)
            request(kind, n, number(HEAD, 9, 4))
            kind == 0x01 && hello()
        end
        wait(COND)
    end
end
main()
