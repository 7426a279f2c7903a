# SPDX-License-Identifier: MIT
# What makes a bridge of a worker process: called by the host with the texts of the other files.
function (relay, bridge, direct, chunked, topology, setup, lent)
    # As Julia itself does for `-p`: the user's LOAD_PATH may lack the standard library.
    id = Base.PkgId(Base.UUID("8ba89e20-285c-5b6f-9357-94700520ee1b"), "Distributed")
    distributed = isdefined(Base, :require_stdlib) ? Base.require_stdlib(id) : Base.require(id)
    Core.eval(Main, :(const Distributed = $distributed; using .Distributed))
    include_string(distributed, relay, "relay.jl")
    include_string(Core.eval(distributed, :(module MaltBridge end)), bridge, "bridge.jl")
    Core.eval(distributed, :(MaltBridge.begin_bridge($relay, $direct, $chunked, $topology, $setup, $lent)))
end
