# SPDX-License-Identifier: MIT
"""A machine that goes away without a word: workers in a network namespace of their own, and a link that is cut.

The program runs itself in a namespace, and makes another that a process holds. Neither has a name: both end with their last process."""
import os
import re
import signal
import subprocess
import sys
import unittest

from ssh_case import (JULIA, LOST, Malt, SshCase, Sshd, WorkerCase, find_program, processes, skip, wait_until)

HERE, THERE = "10.203.0.1", "10.203.0.2"
BOUND = 30  # seconds: in which every pending future has failed
LINK = "malt0"

# A cluster manager that knows nothing of ssh: it starts a worker in the other namespace, as a machine of another name.
MANAGER = """
using Distributed
struct There <: ClusterManager
    pid::Int
end
function Distributed.launch(m::There, params::Dict, launched::Array, changed::Condition)
    io = open(detach(`nsenter --net=/proc/$(m.pid)/ns/net unshare --uts sh -c 'hostname there; exec "$@"' sh $(params[:exename]) $(params[:exeflags]) --worker`), "r+")
    println(io.in, cluster_cookie())
    config = WorkerConfig()
    config.io = io.out
    config.userdata = io
    push!(launched, config)
    notify(changed)
end
Distributed.manage(::There, id::Integer, config::WorkerConfig, op::Symbol) = op === :interrupt && kill(config.userdata, 2)
"""


def run(*words):
    subprocess.run(words, check=True)


def set_link(state):
    run("ip", "link", "set", LINK, state)


class Network:
    """The other namespace, and the link to it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"], stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        run("ip", "link", "add", LINK, "type", "veth", "peer", "name", LINK, "netns", str(self.holder.pid))
        for enter, address in ((), HERE), (self.enter(), THERE):
            run(*enter, "ip", "link", "set", "lo", "up")
            run(*enter, "ip", "address", "add", f"{address}/24", "dev", LINK)
            run(*enter, "ip", "link", "set", LINK, "up")

    def enter(self):
        return "nsenter", f"--net=/proc/{self.holder.pid}/ns/net"

    def close(self):
        run("ip", "link", "delete", LINK)
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Cut(SshCase):
    def make_sshd(self):
        self.network = Network()
        self.addCleanup(self.network.close)
        return Sshd(THERE, self.network.enter())

    def test_all_that_is_pending_fails_and_the_workers_end(self):
        workers = [self.launch(tunnel=tunnel) for tunnel in ("false", "true") for _ in range(2)]
        waits, spins = workers[::2], workers[1::2]
        futures = [self.begin(worker, "sleep(600)") for worker in workers]
        futures += [self.begin(worker, "while true end") for worker in spins]
        call = Malt.Call.new("length")  # more than the connection takes in
        call.take_argument(self.large_array())
        futures.append(spins[0].remote_call(call))
        set_link("down")
        for future in futures:
            self.assert_fails(future, Malt.Error.WORKER_TERMINATED, BOUND)
        for worker in workers:
            self.assertFalse(worker.is_running())
            self.assert_gone(worker.get_pid(), LOST)
        self.assert_nothing_left()

        set_link("up")  # The next worker is none of those.
        self.assertEqual(self.evaluate(self.launch(), "6 * 7"), "42")

    def test_a_link_that_comes_back_soon_is_no_loss(self):
        worker = self.launch()
        set_link("down")
        future = worker.remote_eval(None, "1 + 1")
        set_link("up")
        self.assertTrue(self.is_done_within(future, BOUND))
        self.assertEqual(future.fetch(None).get_int64(), 2)

    def test_a_machine_that_does_not_answer_is_a_launch_error(self):
        set_link("down")
        self.assertRegex(self.launch_fault(start_timeout_ms="600000"), "unreachable|timed out")
        self.assert_nothing_left()


class Managers(WorkerCase):
    """Workers of a manager that the backend knows nothing of."""

    def setUp(self):
        self.network = Network()
        self.addCleanup(self.network.close)

    def usual_options(self):
        return {"manager": f"There({self.network.holder.pid})", "manager-setup": MANAGER, "exename": JULIA}

    def watches(self, worker):
        return [pid for pid in processes("cmdline", f"\0malt-watch\0{worker.get_pid()}\0".encode())]

    def test_a_worker_does_what_others_do(self):
        worker = self.launch()
        self.assertEqual(worker.remote_eval_fetch(None, "gethostname()", None).get_string(), "there")
        self.assertEqual(len(self.watches(worker)), 1)
        spins = self.begin(worker, "while true; global x = [1]; end")
        self.assertEqual(spins.interrupt(Malt.InterruptFlags.DEFAULT, None), Malt.InterruptResult.DELIVERED)
        self.assert_fails(spins, Malt.Error.REMOTE_EXCEPTION)
        self.assertEqual(self.evaluate(worker, "6 * 7"), "42")
        worker.stop(None)
        self.assert_gone(worker.get_pid())
        self.assertTrue(wait_until(lambda: not self.watches(worker)))

    def test_a_busy_worker_is_killed_by_its_watch(self):
        worker = self.launch()
        future = self.begin(worker, "while true end")
        self.assertTrue(worker.kill(signal.SIGKILL))
        self.assert_fails(future, Malt.Error.WORKER_TERMINATED)
        self.assert_gone(worker.get_pid(), LOST)

    def test_a_worker_whose_launch_fails_as_the_link_is_lost_ends(self):
        setup = f"""{MANAGER}
            @eval Distributed.MaltBridge function connect_host(request::Request, port::Int, secrets::Vector{{UInt8}})
                run($(`ip link set {LINK} down`))
                error("pid=", getpid(request.config.userdata))
            end"""
        fault = self.launch_fault(manager_setup=setup)
        self.assert_gone(int(re.search(r"pid=(\d+)", fault)[1]), LOST)

    def test_the_end_of_the_bridge_or_of_the_link_ends_them(self):
        for lose in (lambda bridge: os.kill(bridge, signal.SIGKILL), lambda bridge: set_link("down")):
            idle, spins = self.launch(), self.launch()
            waits = self.begin(idle, "sleep(600)")
            future = self.begin(spins, "while true end")
            bridge = int(self.evaluate(idle, "Distributed.remotecall_fetch(getpid, 1)"))
            lose(bridge)
            for pending in (waits, future):
                self.assert_fails(pending, Malt.Error.WORKER_TERMINATED, BOUND)
            for worker in (idle, spins):
                self.assert_gone(worker.get_pid(), LOST)
                self.assertTrue(wait_until(lambda: not self.watches(worker)))


def main():
    if os.environ.get("MALT_IN_NAMESPACE") != "1":
        if os.getuid() != 0:
            skip("network namespaces need root")
        for program in ("ip", "nsenter", "unshare"):
            find_program(program)
        if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
            print("this system lets root make no network namespace", file=sys.stderr)
            sys.exit(77)
        os.environ["MALT_IN_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    run("ip", "link", "set", "lo", "up")
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
