"""Start processes as torchrun would, without its agent."""

import os
import socket
import subprocess
import sys
from pathlib import Path


def team_environment(rank: int, size: int, port: int) -> dict[str, str]:
    numbers = {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": size, "MASTER_PORT": port}
    ours = {name: str(value) for name, value in numbers.items()}
    return {**os.environ, **ours, "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start_team(arguments: list[str], size: int, log: Path) -> list["subprocess.Popen[bytes]"]:
    """Start `python ARGUMENTS` once for each rank; what each says goes to LOG-RANK.out and LOG-RANK.err."""
    port = free_port()
    started = []
    for rank in range(size):
        with Path(f"{log}-{rank}.out").open("wb") as out, Path(f"{log}-{rank}.err").open("wb") as err:
            environment = team_environment(rank, size, port)
            started.append(subprocess.Popen([sys.executable, *arguments], stdout=out, stderr=err, env=environment))
    return started


def run_team(arguments: list[str], size: int, log: Path, seconds: float = 240.0) -> list[int]:
    """The exit codes of a process group that came to its end."""
    team = start_team(arguments, size, log)
    try:
        return [process.wait(seconds) for process in team]
    finally:
        for process in team:
            process.kill()
            process.wait()
