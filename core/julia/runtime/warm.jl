# SPDX-License-Identifier: MIT
# What an idle worker compiles ahead of its first need: small functions by their signatures, so that requests can come between, then
# whole requests of a peer that hears no answers, for what only shows when it runs.

struct Nowhere end
transmit(::Nowhere, e::Encoder) = nothing

const SIGNATURES = Any[
    (put_text!, (Encoder, String)), (bits_element, (Any,)), (way_of, (Any,)), (describe, (TypeEntry,)), (entry_for, (Any, Home, UInt)),
    (put_descriptor!, (Encoder, Descriptor)), (short_repr, (Encoder, Any)), (put_handle!, (Encoder, Any, TypeEntry)),
    (put_struct!, (Encoder, Any, TypeEntry)), (put_array!, (Encoder, Any, TypeEntry)), (put_dict!, (Encoder, Any, TypeEntry)),
    (put_pair!, (Encoder, Any, TypeEntry)), (put_elements!, (Encoder, Vector{Any})), (put_elements!, (Encoder, Vector{String})),
    (put_elements!, (Encoder, Vector{Symbol})), (put_pairs!, (Encoder, Dict{Symbol,Any})), (put_pairs!, (Encoder, Dict{String,Any})),
    (put_range!, (Encoder, Any, TypeEntry)), (send!, (Encoder, UInt8, UInt32, UInt8)), (ensure!, (Source, Int)), (get_text!, (Source,)),
    (get_scalar!, (Source, UInt8)), (get_shape!, (Decoder,)), (get_value!, (Decoder,)), (get_bits_array!, (Decoder, UInt8)),
    (get_value_array!, (Decoder, UInt8)), (get_dict!, (Decoder, UInt8)), (type_named, (String, Home)), (get_job!, (Decoder, Job, UInt8)),
    (handle_body, (Peer, Source, UInt8, UInt8, UInt32)), (handle_frame, (Peer, Source, UInt8, UInt8, UInt32)), (interrupt, (Peer, UInt32)),
    (boot_peer, ()), (evaluate_source, (Module, String, Nothing)),
    (callable, (Module, String)), (put_answer!, (Encoder, Job, Any)), (finish_job, (Job, Encoder, Any, Any, Any)), (run_job, (Job, Encoder)),
    (execute_jobs, ()), (frames_at, (Any,)), (user_frames, (Vector{Any},)), (Base.process_backtrace, (Vector{Base.StackTraces.StackFrame},)),
    (Base.show_backtrace, (IOBuffer, Vector{Base.StackTraces.StackFrame})), (fail, (Job, Encoder, UInt8, Any, Vector{Any})),
    (displayed, (Module, Any, Any)), (ends_with_semicolon, (String,)), (credit!, (Peer, UInt32, UInt32)), (pump, (Subscription,)),
]

# Those of the transport are added by its own file.
const TRANSPORT_SIGNATURES = Any[]

# Lets requests in, and stands back for as long as they keep coming.
const SEEN = Any[0]
function pause_while_busy()
    peer = BOOT[1]
    sleep(0.001)
    while peer isa Peer && SEEN[1] != peer.n_frames
        SEEN[1] = peer.n_frames
        sleep(0.05)
    end
    nothing
end

function warm()
    for (f, types) in vcat(SIGNATURES, TRANSPORT_SIGNATURES)
        try
            precompile(f, types)
        catch                   # Another version of Julia may lack the method.
        end
        pause_while_busy()
    end
    peer = Peer(Nowhere())
    for source in ["[1, 2]", "error(\"\")", "Any[1.0, \"\", :a, (1,), (a = 1,), 1:2, Dict(:a => 1), Dict{String,Any}(), sin]"]
        rehearse(peer, EVAL, Any[nothing, source, nothing, nothing])
        pause_while_busy()
    end
    rehearse(peer, CALL, Any["+", (1, 1), nothing, nothing, nothing])
    rehearse(peer, CALL, Any["identity", ([1.0], Any[1], "s", :a, nothing, true), nothing, nothing, nothing])
    rest_forever()
end
function rehearse(peer::Peer, kind::UInt8, items::Vector{Any})
    e = Encoder()
    reset!(e, peer, nothing)
    for item in items
        put_value!(e, item)
    end
    source = Source(nothing, e.bytes[HEADER_BYTES + 1:e.n], offset(e))
    source.stop = offset(e)
    handle_frame(peer, source, kind, 0x00, one(UInt32))
    while !isempty(peer.jobs)
        sleep(0.001)
    end
    nothing
end
