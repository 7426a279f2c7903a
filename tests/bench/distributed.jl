# SPDX-License-Identifier: MIT
# The baseline of the benchmark: Julia's own Distributed, driven by lines on standard input.
#
# Each line is a command and a count; the answer is one line with a figure. Times are measured here, by the
# Julia host of a Distributed worker, as a user of Distributed would see them.
using Distributed

const N_BULK = 6_250_000
const bulk = rand(N_BULK)

middle(times) = sort!(times)[cld(length(times), 2)]

function timed(f, n)
    times = Vector{Float64}(undef, n)
    for i in 1:n
        start = time_ns()
        f()
        times[i] = (time_ns() - start) / 1e3
    end
    return middle(times)
end

# From the start of a worker to its first answer, in milliseconds. The worker's end is not counted.
function launch()
    start = time_ns()
    id = addprocs(1)[1]
    remotecall_fetch(+, id, 1, 1) == 2 || error("wrong answer")
    elapsed = (time_ns() - start) / 1e6
    rmprocs(id; waitfor = 10)
    return elapsed
end

call(id, n) = timed(() -> remotecall_fetch(+, id, 1, 1), n)
evaluate(id, n) = timed(() -> Distributed.remotecall_eval(Main, id, :(1 + 1)), n)
bulk_out(id, n) = timed(() -> remotecall_fetch(getfield, id, Main, :malt_bench_bulk), n) / 1e3
bulk_in(id, n) = timed(() -> remotecall_fetch(length, id, bulk), n) / 1e3

function answer(id, command, n)
    command == "launch" && return launch()
    command == "call" && return call(id, n)
    command == "eval" && return evaluate(id, n)
    command == "bulk_out" && return bulk_out(id, n)
    command == "bulk_in" && return bulk_in(id, n)
    error("unknown command ", command)
end

function serve()
    launch()
    id = addprocs(1)[1]
    Distributed.remotecall_eval(Main, id, :(malt_bench_bulk = rand($N_BULK); nothing))
    call(id, 1000)
    evaluate(id, 1000)
    println("ready ", getpid(), " ", remotecall_fetch(getpid, id), " ", VERSION)
    flush(stdout)
    for line in eachline(stdin)
        command, count = split(line)
        println(answer(id, command, parse(Int, count)))
        flush(stdout)
    end
end

serve()
