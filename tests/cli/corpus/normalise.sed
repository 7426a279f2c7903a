# SPDX-License-Identifier: MIT
# What may differ between two runs of the same program: addresses, process ids, counters of julia's.
s/0x[0-9a-f]{8,}/0xADDRESS/g
s/^\[[0-9]+\] (signal|pthread)/[PID] \1/
s/^(\[[0-9]+\][+-]?) [0-9]+(\r?)$/\1 PID\2/
s/( job [0-9]+)\[[0-9]+\]/\1[PID]/
s/(world age|current world is) [0-9]+/\1 N/g
s/^ +[0-9.]+ (ms|s)(  ✓ )/N \1\2/
s/( precompiled in) [0-9]+ seconds/\1 N seconds/
s/^Allocations: [0-9].*[0-9](\r?)$/Allocations: N\1/
# What a signal's report says of where the code was; two threads write it and what else is said, so empty lines lie anywhere.
1{
/^KILLED$/{
h
d
}
}
x
/KILLED/{
x
/^\r?$/d
/^(unknown function \(ip: .*\)|.* at .* \(unknown line\)|[^ ].* at [^ ]+:[0-9]+( \[inlined\])?)\r?$/d
/^(in expression starting at|Allocations:) /d
x
}
x
