/* SPDX-License-Identifier: MIT */
/* How the suite's words are said in Julia, and to the fake evaluator. */
#include "malt-contract.h"

/* A dictionary that cannot be walked through: the one kind of value that has no encoding. */
static const char julia_setup[] =
    "struct ContractUnencodable <: AbstractDict{Int, Int} end\n"
    "Base.length(::ContractUnencodable) = 1\n"
    "Base.iterate(::ContractUnencodable, state...) = error(\"this cannot be walked "
    "through\")\n"
    "contract_unencodable() = ContractUnencodable()\n"
    "contract_never() = wait(Condition())\n"
    "contract_sleep_ms(ms) = (sleep(ms / 1000); ms)\n"
    "contract_stubborn_ms(ms) = (Libc.systemsleep(ms / 1000); ms)\n"
    "function contract_spin_ms(ms)\n"
    "    start = time_ns()\n"
    "    while ms == 0 || time_ns() - start < ms * 1_000_000\n"
    "    end\n"
    "    return ms\n"
    "end\n"
    "contract_list = Int[]\n"
    "contract_record(mark) = (push!(contract_list, mark); mark)\n"
    "contract_record_later(ms) = (sleep(ms / 1000); contract_record(ms))\n"
    "contract_recorded() = copy(contract_list)\n"
    "contract_forget_record() = empty!(contract_list)\n"
    /* Windows has no signals: there it ends as by a crash. */
    "contract_die(signal) = @static Sys.iswindows() ?\n"
    "    ccall((:TerminateProcess, \"kernel32\"), Cint, (Ptr{Cvoid}, UInt32), "
    "Ptr{Cvoid}(-1), 0xc0000005) :\n"
    "    ccall(:raise, Cint, (Cint,), signal)\n"
    /* A program that is on every machine with Julia. */
    "contract_program(code) = `$(Base.julia_cmd()) --startup-file=no -e $code`\n"
    "nothing\n";

const ContractDialect contract_dialect_julia = {
  .is_julia = TRUE,
  .setup = julia_setup,
  .words = {
    [CONTRACT_ECHO] = "identity",
    [CONTRACT_THROW] = "error",
    [CONTRACT_UNENCODABLE] = "contract_unencodable",
    [CONTRACT_NEVER] = "contract_never",
    [CONTRACT_SLEEP_MS] = "contract_sleep_ms",
    [CONTRACT_STUBBORN_MS] = "contract_stubborn_ms",
    [CONTRACT_SPIN_MS] = "contract_spin_ms",
    [CONTRACT_RECORD] = "contract_record",
    [CONTRACT_RECORD_LATER] = "contract_record_later",
    [CONTRACT_RECORDED] = "contract_recorded",
    [CONTRACT_FORGET_RECORD] = "contract_forget_record",
    [CONTRACT_PRINT] = "print",
    [CONTRACT_EXIT] = "exit",
    [CONTRACT_DIE] = "contract_die",
  },
  .source_two = "1 + 1",
  .source_channel = "let c = Channel{Any}(100000); foreach(i -> put!(c, i), 1:%d); c end",
  .source_closing_channel
  = "let c = Channel{Any}(100000); foreach(i -> put!(c, i), 1:%d); close(c); c end",
};

const ContractDialect contract_dialect_fake = {
  .is_julia = FALSE,
  .words = {
    [CONTRACT_ECHO] = "echo",
    [CONTRACT_THROW] = "throw",
    [CONTRACT_UNENCODABLE] = "unencodable",
    [CONTRACT_NEVER] = "never",
    [CONTRACT_SLEEP_MS] = "sleep_ms",
    [CONTRACT_STUBBORN_MS] = "stubborn_ms",
    [CONTRACT_SPIN_MS] = "spin_ms",
    [CONTRACT_RECORD] = "record",
    [CONTRACT_RECORD_LATER] = "record_later",
    [CONTRACT_RECORDED] = "recorded",
    [CONTRACT_FORGET_RECORD] = "forget_record",
    [CONTRACT_PRINT] = "print",
    [CONTRACT_EXIT] = "exit",
    [CONTRACT_DIE] = "die",
  },
  .source_two = "echo 2",
  .source_channel = "channel %d",
  .source_closing_channel = "closing_channel %d",
};
