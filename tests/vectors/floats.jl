# SPDX-License-Identifier: MIT
# Makes floats.txt, from which the test of the host's printer takes how Julia writes floats:
#   julia --startup-file=no tests/vectors/floats.jl > tests/vectors/floats.txt
# Each line: type, bits in hexadecimal, text; tabs between them.

# A generator of our own, because Julia's differs from version to version.
const state = Ref(0x9e3779b97f4a7c15)
function next()
    x = state[]
    x = xor(x, x << 13)
    x = xor(x, x >> 7)
    state[] = xor(x, x << 17)
end

line(x) = println(typeof(x), '\t', string(reinterpret(Unsigned, x), base = 16), '\t', repr(x))

for T in (Float64, Float32)
    U = T === Float64 ? UInt64 : UInt32
    for _ in 1:250
        line(reinterpret(T, next() % U))                      # any size
        line(T(next() % 10^7) / 1000)                         # what people write
        line(T(1) / T(next() % 1000 + 1))
    end
    for e in -1074:1023
        x = T(2.0^e)                                          # where the gap below is half the gap above
        (x == 0 || isinf(x) || e % 23 != 0) && continue
        line(x); line(nextfloat(x)); line(prevfloat(x))
    end
    for e in -30:30
        line(parse(T, "1e$e")); line(parse(T, "9.5e$e"))
    end
end
for bits in 0x0001:0x001f:0x7bff          # Julia 1.5 writes zero without its type
    line(reinterpret(Float16, bits))
end
