# SPDX-License-Identifier: MIT
# Cross-building to 64-bit Windows with mingw-w64. core/setup/windows.sh says where the libraries are: MALT_WINDOWS_SYSROOT.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(MALT_WINDOWS_SYSROOT "" CACHE PATH "Folder with the libraries for Windows")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MALT_WINDOWS_SYSROOT)

set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_FIND_ROOT_PATH ${MALT_WINDOWS_SYSROOT} /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Windows 8 is what is built for at least; programs bring no library of the compiler along.
set(CMAKE_C_FLAGS_INIT "-D_WIN32_WINNT=0x0602")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static-libgcc")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static-libgcc")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-static-libgcc")

set(ENV{PKG_CONFIG_LIBDIR} ${MALT_WINDOWS_SYSROOT}/lib/pkgconfig)
set(ENV{PKG_CONFIG_PATH} "")
