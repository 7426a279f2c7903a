# SPDX-License-Identifier: MIT
# For the boot: the transport has in JUDGE_PATH the name of the judge, a library in memory of the host, or "". Loads it in the
# thread that runs evaluated code. The address of the page that both share, or 0.
function load_judge()
    isempty(JUDGE_PATH) && return NOBODY
    dl = Base.root_module(Base.PkgId(Base.UUID("8f399da3-3557-5675-b5ff-fb832c97cbdb"), "Libdl"))
    # A `try` at top level is interpreted: so the judge sees the interpreter call itself (malt-judge-place.c).
    library = Core.eval(@__MODULE__, :(try $(dl.dlopen_e)($JUDGE_PATH) catch; C_NULL end))
    library == C_NULL && return NOBODY
    STATE[10] = dl.dlsym_e(library, :malt_entry)
    STATE[9] && end_traces_behind(STATE[10])
    UInt64(UInt(dl.dlsym_e(library, :malt_judge)))
end
