"""A clock that a test can move: what a process takes for the time is so many seconds off."""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long offset(void) {
    long seconds = 0;
    FILE *file = fopen(getenv("MOVED_CLOCK"), "r");
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
        fclose(file);
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *there) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (there) *there = now.tv_sec;
    return now.tv_sec;
}
"""


@dataclass(frozen=True)
class MovedClock:
    """A library that is loaded before all others, and the file that it looks into."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """For the process whose clock it is."""
        here = self.folder
        return {"LD_PRELOAD": str(here / "clock.so"), "MOVED_CLOCK": str(here / "seconds")}

    def move(self, by: timedelta) -> None:
        """From now on it is so much ahead of the true one."""
        new = self.folder / "new"
        new.write_text(str(round(by.total_seconds())))
        new.rename(self.folder / "seconds")


def moved_clock(folder: Path) -> MovedClock | None:
    """None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    (folder / "clock.c").write_text(_SOURCE)
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c", "-ldl"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    made = MovedClock(folder)
    made.move(timedelta())
    return made
