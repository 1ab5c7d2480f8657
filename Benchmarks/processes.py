"""Starts the measured programs, all at one moment, and reads what they print."""

import os
import subprocess

TIMEOUT = 600  # seconds; a process that waits for ever ends the run


class Failure(Exception):
    """A measured program failed, which makes every figure worthless."""


def run(*command):
    """Runs a program that waits for nobody; the numbers on its last line."""
    return together([list(map(str, command))], ready=False)[0]


def measure(*command):
    """Runs one program's slice; the numbers that it prints."""
    return together([list(map(str, command))])[0]


def together(commands, ready=True):
    """Starts all programs, waits until each is ready, lets them go at once; the numbers of each."""
    barrier, start = os.pipe()
    started = []
    try:
        for command in commands:
            started.append(subprocess.Popen(
                command, stdin=barrier, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, close_fds=True))
        os.close(barrier)
        barrier = None
        if ready:
            for process in started:
                if process.stdout.readline() != "ready\n":
                    raise Failure(f"{process.args}: {process.communicate(timeout=TIMEOUT)[1]}")
        os.close(start)
        start = None
        return [numbers(process) for process in started]
    finally:
        for descriptor in filter(None, (barrier, start)):
            os.close(descriptor)
        for process in started:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()


def numbers(process):
    output, errors = process.communicate(timeout=TIMEOUT)
    if process.returncode != 0:
        raise Failure(f"{' '.join(process.args)}: exit code {process.returncode}\n{errors}")
    lines = output.split("\n")
    return [float(word) for word in lines[-2].split()] if len(lines) > 1 else []
