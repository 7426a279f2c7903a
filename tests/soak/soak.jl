# SPDX-License-Identifier: MIT
# What operations of the soak call in a worker. The value of each is a function of its arguments, and of nothing else.

const soak_seen = Set{Int}()
const soak_marks = Set{Int}()

soak_once(id, _) = id in soak_seen ? error("soak: run twice") : (push!(soak_seen, id); 3id + 1)
soak_mark(id, _) = (push!(soak_marks, id); nothing)
soak_marked(id, _) = id in soak_marks ? (delete!(soak_marks, id); id) : -1
soak_byte(id, i) = (id + 7i) % 251 % UInt8
soak_bytes(id, n) = UInt8[soak_byte(id, i) for i in 1:n]
soak_print(id, n) = (print(isodd(id) ? stderr : stdout, "x"^n); id)

# They end by themselves after so many milliseconds, if not before.
soak_sleep(id, ms) = (sleep(ms / 1000); id)
soak_run(id, ms) = (run(`sleep $(ms / 1000)`); id)
soak_c_sleep(id, ms) = (ccall(:usleep, Cint, (Cuint,), 1000ms); id)

function soak_allocate(id, ms)
    stop = time() + ms / 1000
    kept = Any[]
    while time() < stop
        kept = Any[rand(3) for _ in 1:20]
    end
    length(kept) <= 20 ? id : -1
end

# No safepoint, and nearly all of the time in code that was compiled here.
function soak_spin(id, ms)
    stop = time_ns() + 1_000_000ms
    n = UInt(id)
    while time_ns() < stop
        for i in UInt(1):UInt(5000)
            n = n * 0x5851f42d4c957f2d + xor(i, n >> 7)
        end
    end
    n == 0 ? -1 : id
end

soak_nested(id, n) = Any[(id, i, string(i)) for i in 1:n]

# Code that nobody has compiled before: the more terms, the longer.
function soak_compile(id, n_terms)
    body = Expr(:block)
    for i in 1:n_terms
        push!(body.args, :(x = 0.1 * sin(x) * $i + sin(x) / ($i + y)), :(y = 0.1 * cos(y) + 0.1 * cos(x)))
    end
    compiled = Core.eval(@__MODULE__, :((x, y) -> ($body; x + y)))
    isfinite(Base.invokelatest(compiled, 1.0, 2.0)) ? id : -1
end
