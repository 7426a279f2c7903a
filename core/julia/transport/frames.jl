# SPDX-License-Identifier: MIT
# What transports share whose frames come and go in pieces. The file of such a transport comes behind this one.
#
# It defines a link with the fields `writing::Bool` (a frame is under way) and `writers::Vector{Any}` (tasks that wait to write), and for this link
#   receive(link, p, n)               between 1 and `n` bytes to `p`, or 0 at the end; waits for the first
#   write_all(link, bytes, from, to)  `bytes[from + 1:to]` goes out
#   write_array(link, a)              the memory of an array of bits goes out; the user's tasks may resize `a` while this waits
# besides `leave()`, which ends the process. All may let other tasks run, of which none begins a frame before the end of this one.

# What has to go out before a frame, and who sends it otherwise from now on: for a file that comes behind the transport.
send_first(@nospecialize(link)) = nothing
take_output_over(@nospecialize(link)) = nothing

# One frame at a time: the encoder's bytes and, between them, its arrays.
function transmit(link, e::Encoder)
    while link.writing
        push!(link.writers, current_task())
        @resting wait()
    end
    link.writing = true
    send_first(link)
    from = isempty(e.arrays) ? 0 : late(transmit_arrays, link, e)::Int
    write_all(link, e.bytes, from, e.n)
    link.writing = false
    isempty(link.writers) || schedule(popfirst!(link.writers)::Task)
    nothing
end
function transmit_arrays(link, e::Encoder)
    from = 0
    for i in 1:length(e.arrays)
        mark = e.marks[i]::Int
        write_all(link, e.bytes, from, mark)
        write_array(link, e.arrays[i])
        from = mark
    end
    from
end

# `is_loading`: the host was told that the runtime is being loaded, which it was for the first of these frames.
function serve_frames(peer::Peer, source::Source, is_loading::Bool)
    while ensure!(source, 16)
        source.start = place(source)
        source.stop = source.start + 16
        n = next!(source, UInt64)
        id = next!(source, UInt32)
        kind = next!(source, UInt8)
        flags = next!(source, UInt8)
        next!(source, UInt16)
        source.start = place(source)
        source.stop = source.start + n % Int
        peer.n_frames += 1
        handle_frame(peer, source, kind, flags, id)
        PROGRAM[1] === nothing || current_task() !== ROOT || return nothing
        is_loading && answer(peer, PONG, zero(UInt32))
        is_loading = false
    end
    leave()
end
