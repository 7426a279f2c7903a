# SPDX-License-Identifier: MIT
# What a julia has to say before it can be embedded: where its library, its programs and its system image are.
libdl = isdefined(Base.Libc, :Libdl) ? Base.Libc.Libdl :
    Base.require(Base.PkgId(Base.UUID("8f399da3-3557-5675-b5ff-fb832c97cbdb"), "Libdl"))
for path in libdl.dllist()
    startswith(basename(path), "libjulia.") && println("library=", path)
end
println("bindir=", Sys.BINDIR)
println("image=", unsafe_string(Base.JLOptions().image_file))
println("version=", VERSION)
