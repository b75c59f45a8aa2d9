"""A real SLURM on this machine, one node, no accounting: everything in one folder, nothing beyond 127.0.0.1."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .servers import HOST, free_port

SECONDS = 60
"""How long each part may take to come up, or jobs to go."""

CONF = """
ClusterName=tests
SlurmctldHost={node}({host})
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
NodeName={node} NodeAddr={host} CPUs={cpus} State=UNKNOWN
PartitionName=tests Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""
# A requeued job waits for cred_expire seconds before it starts again.


class Slurm:
    """munged, slurmctld and slurmd, started and stopped by process id; runs as root."""

    def __init__(self, folder: Path, cpus: int = 2) -> None:
        self.folder, self.cpus = folder, cpus
        self.ports = (free_port(), free_port())
        self.conf = folder / "slurm.conf"
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """What every command needs to find this cluster."""
        return {"SLURM_CONF": str(self.conf)}

    def start(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        (self.folder / "state").mkdir()
        (self.folder / "spool").mkdir()
        node = socket.gethostname().partition(".")[0]
        controller, slurmd = self.ports
        self.conf.write_text(
            CONF.format(
                node=node, host=HOST, folder=self.folder, cpus=self.cpus, controller_port=controller, node_port=slurmd
            )
        )
        files = [f"--{name}-file={self.folder}/munge.{name}" for name in ("pid", "log", "seed")]
        # --force: the folder is for root alone.
        self._spawn(
            "/usr/sbin/munged", "-F", "--force", f"--key-file={key}", f"--socket={self.folder}/munge.socket", *files
        )
        self._wait(lambda: (self.folder / "munge.socket").exists())
        self._spawn("/usr/sbin/slurmctld", "-D", "-f", str(self.conf))
        self._spawn("/usr/sbin/slurmd", "-D", "-f", str(self.conf))
        self._wait(lambda: self.ask("sinfo", "-h", "-o", "%t") == "idle")

    def ask(self, *words: str) -> str:
        """What a SLURM command answers; what it complains of if it fails."""
        done = subprocess.run(words, capture_output=True, text=True, env=os.environ | self.environment)
        return (done.stdout if done.returncode == 0 else done.stderr).strip()

    def stop(self) -> None:
        if len(self.processes) == 3:
            self.ask("scancel", "--user=root")
            self._wait(lambda: not self.ask("squeue", "-h"))
        for process in reversed(self.processes):
            process.terminate()
            process.wait(SECONDS)

    def _spawn(self, *words: str) -> None:
        with (self.folder / "daemons.log").open("a") as log:
            self.processes.append(subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True))

    def _wait(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not true():
            message = (self.folder / "daemons.log").read_text()
            assert all(process.poll() is None for process in self.processes), message
            assert time.monotonic() < deadline, message
            time.sleep(0.1)
