# SPDX-License-Identifier: MIT
# The logging macros.
### levels
#: modes pipe terminal
#: sample
@debug "not seen"; @info "info"; @warn "warn"; @error "error"; @info "two\nlines" a = 1 b = [1, 2]
### with-an-exception
f() = error("inner")
try; f(); catch e; @error "failed" exception = (e, catch_backtrace()); end
### with-an-exception-alone
#: rarely
try; error("inner"); catch e; @warn "failed" exception = e; end
### with-causes
#: rarely
try; try; error("1"); catch; error("2"); end; catch e; @error "failed" exception = (e, catch_backtrace()); end
### debug-by-the-environment
#: rarely
#: env JULIA_DEBUG=Main
@debug "seen" x = 1
### at-most
#: rarely
for i in 1:3; @info "at most once" i maxlog = 1; end
### into-a-file
#: rarely
using Logging
open("log", "w") do io; with_logger(SimpleLogger(io)) do; @info "into the file" a = 1; end; end
print(read("log", String))
### of-a-module
module M
f() = @warn "from a module"
end
M.f()
### in-a-task
wait(@async @info "in a task"); @sync @async @warn "another"
### own-logger
#: rarely
using Logging
struct L <: AbstractLogger; end
Logging.min_enabled_level(::L) = Logging.Info; Logging.shouldlog(::L, args...) = true
Logging.handle_message(::L, level, message, args...; kw...) = println(level, ": ", message, " ", collect(kw))
global_logger(L()); @info "mine" x = 1; @debug "no"
### the-logger
#: rarely
using Logging; println(typeof(global_logger()), " ", typeof(current_logger()), " ", Logging.min_enabled_level(current_logger()))
### a-message-that-fails
#: rarely
@info "before $(error("in the message"))"; println("on")
### groups-and-ids
@info "with file" _file = "other.jl" _line = 7; @warn "with a module" _module = Base
### level-by-number
#: rarely
using Logging; @logmsg Logging.LogLevel(500) "between"; @logmsg Logging.LogLevel(-1) "below"
### deprecations
#: rarely
#: modes joined
@deprecate old(x) new(x); new(x) = x + 1
println(old(1))
### at-the-end
atexit(() -> @info "in a hook")
