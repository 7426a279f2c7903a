# SPDX-License-Identifier: MIT
# For the boot: the transport has in JUDGE_PATH the name of the judge, a library in memory of the host, or "". Loads it in the
# thread that runs evaluated code. The address of the page that both share, or 0.
function load_judge()
    isempty(JUDGE_PATH) && return NOBODY
    # RTLD_LAZY | RTLD_DEEPBIND. A `try` at top level is interpreted: so the judge sees the interpreter call itself (malt-judge-place.c).
    library = Core.eval(MODULE, :(try c(12, address(JUDGE_PATH), UInt(9), NONE, nothing, nothing) catch; NONE end))
    library == NONE && return NOBODY
    STATE[10] = Ptr{Cvoid}(c(13, library, address("malt_entry"), NONE, nothing, nothing))
    STATE[9] && end_traces_behind(STATE[10])
    c(13, library, address("malt_judge"), NONE, nothing, nothing)
end
