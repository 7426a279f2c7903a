# SPDX-License-Identifier: MIT
# What an idle worker compiles ahead of its first need.
function warm()
    nothing
end
