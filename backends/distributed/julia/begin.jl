# SPDX-License-Identifier: MIT
# What makes a bridge of a worker process: called by the host with the texts of the other files.
function (relay, bridge, direct, chunked, topology, setup)
    Core.eval(Main, :(using Distributed))
    distributed = Core.eval(Main, :Distributed)
    include_string(distributed, relay, "relay.jl")
    include_string(Core.eval(distributed, :(module MaltBridge end)), bridge, "bridge.jl")
    Core.eval(distributed, :(MaltBridge.begin_bridge($relay, $direct, $chunked, $topology, $setup)))
end
